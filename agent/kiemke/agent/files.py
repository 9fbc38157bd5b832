"""Small files written whole or not at all."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import BinaryIO

MOST_JSON_BYTES = 16 << 20


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


def open_plain(path: Path, *, foreign: bool = False) -> BinaryIO:
    """Open a file for reading; a pipe or a device in its place does not hold us. Raises OSError.

    ``foreign``: an account with fewer rights may have put it there, and what is read is kept. Then no link
    at its name is followed (on Windows: none on the way from its grandparent either), and a second name
    of somebody else's file is refused.
    """
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    if foreign:
        flags |= getattr(os, "O_NOFOLLOW", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode) or (foreign and about.st_nlink != 1):
            raise OSError(f"{path} is no file of its own")
        if foreign and sys.platform == "win32":
            # Windows has no O_NOFOLLOW, and links of folders for everybody.
            from kiemke.wire.windows_service.access import is_below

            if not is_below(file.fileno(), path):
                raise OSError(f"{path} leads elsewhere")
    except OSError:
        file.close()
        raise
    return file


def is_missing(path: Path) -> bool:
    """Tell whether there is nothing at a name; what this account may not look at is not missing."""
    try:
        path.stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def write_json(path: Path, value: object, *, durable: bool = True, mode: int = 0o600) -> None:
    """Write ``value`` as JSON, replacing the file in one step; by default this account alone reads it.

    ``durable`` also waits for the disk. Raises StateError when it cannot be written.
    """
    fresh = path.with_name(f"{path.name}.new-{os.getpid()}")
    try:
        with os.fdopen(create_private(fresh), "w", encoding="utf-8") as file:
            as_folder_owner(file.fileno(), path.parent)
            if mode != 0o600 and sys.platform != "win32":
                os.fchmod(file.fileno(), mode)
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

    Raises StateError when it is there but cannot be read, is no JSON object or is larger than 16 MiB: it may
    be root that reads what an account without rights has put there.
    """
    try:
        with open_plain(path) as file:
            data = file.read(MOST_JSON_BYTES + 1)
        value = json.loads(data) if len(data) <= MOST_JSON_BYTES else None
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StateError(f"{path}: {err.strerror or err}; run this as root") from err
    except (ValueError, RecursionError) as err:
        raise StateError(f"{path}: damaged ({err}); remove it and enrol again") from err
    if not isinstance(value, dict):
        raise StateError(f"{path}: damaged; remove it and enrol again")
    return value
