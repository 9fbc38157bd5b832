"""Who is signed in on this machine: server, pinned root and token, in one file only its owner reads."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from kiemke.cli.errors import KiemkeError
from kiemke.cli.i18n import _

FILE_NAME = "session.json"


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in user. ``ca_pem`` is None only for plain HTTP on loopback.

    ``expires_at`` is the server's RFC 3339 text, None where it did not say.
    """

    server: str
    token: str
    name: str
    role: str | None
    ca_pem: str | None
    ca_sha256: str | None
    expires_at: str | None
    utc_offset_seconds: int | None
    demo: bool


def load(config_dir: Path) -> Session | None:
    """Return the session of this machine, None when nobody is signed in.

    Raises KiemkeError when the file is unreadable or is no session.
    """
    path = config_dir / FILE_NAME
    try:
        found = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as err:
        raise _broken(path) from err
    if not isinstance(found, dict):
        raise _broken(path)
    return _session(found, path)


def _session(found: Mapping[str, object], path: Path) -> Session:
    def text(name: str) -> str | None:
        value = found.get(name)
        if value is None or isinstance(value, str):
            return value
        raise _broken(path)

    server, token, name = text("server"), text("token"), text("name")
    offset = found.get("utc_offset_seconds")
    if server is None or token is None or name is None or not isinstance(offset, int | None):
        raise _broken(path)
    return Session(
        server=server,
        token=token,
        name=name,
        role=text("role"),
        ca_pem=text("ca_pem"),
        ca_sha256=text("ca_sha256"),
        expires_at=text("expires_at"),
        utc_offset_seconds=offset,
        demo=found.get("demo") is True,
    )


def _broken(path: Path) -> KiemkeError:
    return KiemkeError(
        _("the session file cannot be read"),
        where=str(path),
        remedy=_("sign in again: kiemke login"),
    )


def save(config_dir: Path, session: Session) -> Path:
    """Write the session, readable by its owner alone, all or nothing. Returns the file's path."""
    path = config_dir / FILE_NAME
    try:
        config_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        # mkstemp makes the file 0600 from its first byte; the token is never readable by others.
        descriptor, name = tempfile.mkstemp(dir=config_dir, prefix=".session-")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(session), file, ensure_ascii=False, indent=1)
            Path(name).replace(path)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as err:
        raise KiemkeError(
            _("the session cannot be kept: {reason}").format(reason=err.strerror),
            where=str(path),
            remedy=_("make the folder writable, or name another in KIEMKE_CONFIG_DIR"),
        ) from err
    return path


def forget(config_dir: Path) -> bool:
    """Remove the session; False when there was none."""
    try:
        (config_dir / FILE_NAME).unlink()
    except FileNotFoundError:
        return False
    return True
