"""Small files written whole or not at all."""

import json
import os
import sys
from pathlib import Path


class StateError(Exception):
    """The state folder cannot be used; the message says which file and what to do."""


class NotEnrolledError(StateError):
    """This install has no server yet; only a person with a token can change that."""


def as_folder_owner(handle: int, folder: Path) -> None:
    """Give an open file to the account its folder belongs to, when root writes for the service.

    Without this, `sudo kiemke-agent enroll` would leave files the service cannot write. Windows
    knows the like by inheritance. Raises OSError.
    """
    if sys.platform != "win32" and os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def create_private(path: Path) -> int:
    """Return a handle on a new empty file for this account alone, whatever stood at its name.

    A link that somebody has put there is replaced, never followed: root writes into the folder of an
    account that is not trusted as root is. Raises OSError.
    """
    path.unlink(missing_ok=True)
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


def write_json(path: Path, value: object, *, durable: bool = True) -> None:
    """Write ``value`` as JSON, readable by this account alone, replacing the file in one step.

    ``durable`` also waits for the disk. Raises StateError when it cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with os.fdopen(create_private(fresh), "w", encoding="utf-8") as file:
            as_folder_owner(file.fileno(), path.parent)
            json.dump(value, file, ensure_ascii=False, indent=1, sort_keys=True)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        fresh.replace(path)
        if durable and os.name == "posix":
            folder = os.open(path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except OSError as err:
        fresh.unlink(missing_ok=True)
        raise StateError(f"{path}: {err.strerror or err}") from err


def read_json(path: Path) -> dict[str, object] | None:
    """Return the object in a file, None when there is no such file.

    Raises StateError when it is there but cannot be read or is no JSON object.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StateError(f"{path}: {err.strerror or err}; run this as root") from err
    except ValueError as err:
        raise StateError(f"{path}: damaged ({err}); remove it and enrol again") from err
    if not isinstance(value, dict):
        raise StateError(f"{path}: damaged; remove it and enrol again")
    return value
