"""Where a release waits, and where what only an administrator may change is kept.

The agent without rights writes into ``update`` of its state folder; it is believed in nothing. The
updater's own folder belongs to root (Windows: stands in Program Files, which administrators alone may
write): in it are the keys that are trusted and what has been installed so far.
"""

import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from kiemke.agent.files import StateError, open_plain, read_json, write_json

LINUX_UPDATER = Path("/var/lib/kiemke-agent-update")
KEYS_FILE = "keys"
JOURNAL_FILE = "journal.json"
LOCK_FILE = "lock"  # held by the run that is at work
OUTCOME_FILE = (
    "outcome.json"  # what became of the last one: the agent reads it and tells the server
)
LONGEST_KEYS_BYTES = 16384
OTHERS_WRITE = 0o022
MOST_FAILED = 50
MOST_TRIES = 3  # of one release; each costs two changes of the program
PENDING = ("version", "before", "way_back", "said")
DOUBT = ("version", "before", "said", "tries", "is_watched")

_KEY = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Places:
    """The folder of the agent (``state``) and that of the updater (``updater``)."""

    state: Path
    updater: Path

    @property
    def inbox(self) -> Path:
        """Where the agent puts a release it fetched."""
        return self.state / "update"

    @property
    def signed(self) -> Path:
        """The signed manifest of the release that waits; it is put there last."""
        return self.inbox / "offer.signed"

    @property
    def package(self) -> Path:
        """The package of the release that waits."""
        return self.inbox / "offer.package"

    @property
    def offer(self) -> Path:
        """What the server said of it, and it is not signed: to how many per cent it is given."""
        return self.inbox / "offer.json"


def default_updater() -> Path:
    """Return the updater's own folder. Raises OSError when Windows does not say where it is."""
    if sys.platform == "win32":
        # Only Windows has the call.
        from kiemke.wire.windows_service.folders import program_files

        return program_files() / "kiemke-agent-update"
    return LINUX_UPDATER


def trusts_nobody(updater: Path) -> bool:
    """Tell whether no key was ever trusted here: then nothing is fetched and nothing installed."""
    return not (updater / KEYS_FILE).exists()


def trusted_keys(updater: Path) -> tuple[bytes, ...]:
    """Return the public keys whose releases may be installed, 32 bytes each.

    Raises StateError, also for a file that others than root (who runs this, in a folder of his own) may change.
    """
    file = updater / KEYS_FILE
    try:
        with open_plain(file) as opened:
            about = os.fstat(opened.fileno())
            # Windows: the folder's access list is that of Program Files.
            if sys.platform != "win32" and (
                about.st_uid not in (0, os.geteuid()) or about.st_mode & OTHERS_WRITE
            ):
                raise StateError(
                    f"{file}: others than root may change it; chown root:root and chmod 644 it"
                )
            lines = opened.read(LONGEST_KEYS_BYTES).decode("ascii", "replace").split("\n")
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise StateError(f"{file}: {err.strerror or err}") from err
    return tuple(bytes.fromhex(line.strip()) for line in lines if _KEY.fullmatch(line.strip()))


def checked_key(key: str) -> str:
    """Return a key as it is kept, 64 hex digits. Raises StateError for what is none."""
    wanted = key.strip().lower()
    if _KEY.fullmatch(wanted) is None:
        raise StateError("this is no key: give the 64 digits that kiemke update key printed")
    return wanted


def trust(updater: Path, key: str) -> bool:
    """Trust a key (64 hex digits) from now on; False when it was trusted already. Raises StateError."""
    wanted = checked_key(key)
    if bytes.fromhex(wanted) in trusted_keys(updater):
        return False
    try:
        updater.mkdir(mode=0o755, parents=True, exist_ok=True)
        with (updater / KEYS_FILE).open("a", encoding="ascii") as file:
            file.write(wanted + "\n")
        (updater / KEYS_FILE).chmod(0o644)  # it is no secret: the agent looks whether there is one
    except OSError as err:
        raise StateError(
            f"{updater}: {err.strerror or err}; run this as root or administrator"
        ) from err
    return True


@dataclass(frozen=True, slots=True)
class Pending:
    """A release that was installed and has not reported yet; ``way_back`` is the package before it.

    ``said`` marks what the agent's status said before the change: as long as it says that, nobody spoke.
    """

    version: str
    before: str
    way_back: str
    said: str = ""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A release that was taken back for its silence, while it is not proved that the silence was its own.

    The version ``before`` it is back. It too says nothing as long as the status is the one that ``said``
    marks. ``is_watched``: its ten minutes are not over. ``tries``: how often the release was installed.
    """

    version: str
    before: str
    said: str
    tries: int
    is_watched: bool


@dataclass(frozen=True, slots=True)
class Journal:
    """What the updater did. Nothing below ``floor`` is installed, and nothing that ``failed`` here.

    ``last_signed_at`` is the latest moment that a believed signature names: it is no earlier now. ``handled``
    marks the release that waited last and was decided about: it is not looked at again.
    """

    floor: str | None = None
    failed: tuple[str, ...] = ()
    last_signed_at: str | None = None
    pending: Pending | None = None
    handled: str | None = None
    doubt: Doubt | None = None


def read_journal(updater: Path) -> Journal:
    """Return what was done so far. Raises StateError when it is there and cannot be read."""
    said = read_json(updater / JOURNAL_FILE) or {}
    failed, pending = said.get("failed"), said.get("pending")
    return Journal(
        floor=_text(said.get("floor")),
        failed=tuple(str(one) for one in failed) if isinstance(failed, list) else (),
        last_signed_at=_text(said.get("last_signed_at")),
        pending=(
            Pending(*(str(pending.get(name) or "") for name in PENDING))
            if isinstance(pending, dict)
            else None
        ),
        handled=_text(said.get("handled")),
        doubt=_doubt(said.get("doubt")),
    )


def _doubt(said: object) -> Doubt | None:
    """Return what a journal says of a doubt; None of anything else."""
    if not isinstance(said, dict):
        return None
    tries = said.get("tries")
    return Doubt(
        version=str(said.get("version") or ""),
        before=str(said.get("before") or ""),
        said=str(said.get("said") or ""),
        tries=tries if isinstance(tries, int) else MOST_TRIES,
        is_watched=bool(said.get("is_watched")),
    )


def save_journal(updater: Path, journal: Journal) -> None:
    """Write it down, durably; the agent without rights reads it too. Raises StateError."""
    waiting = journal.pending
    write_json(
        updater / JOURNAL_FILE,
        {
            "floor": journal.floor,
            "failed": list(journal.failed[-MOST_FAILED:]),
            "last_signed_at": journal.last_signed_at,
            "pending": (
                None if waiting is None else {name: getattr(waiting, name) for name in PENDING}
            ),
            "handled": journal.handled,
            "doubt": (
                None
                if journal.doubt is None
                else {name: getattr(journal.doubt, name) for name in DOUBT}
            ),
        },
        mode=0o644,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
