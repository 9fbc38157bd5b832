"""Installs a release that waits, and takes it back when it does not report: the half that has the rights.

It opens no connection. What the agent without rights has left is copied first and believed only then, by
its signature. The steps stand in the updater's journal before they are made: after a power cut the next
run goes on where this one was.
"""

import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kiemke.agent.files import StateError, read_json, write_json
from kiemke.agent.state import StateFolder
from kiemke.agent.update.decide import WORDS, Facts, is_intact, refusal
from kiemke.agent.update.installers import Installer, InstallError
from kiemke.agent.update.places import (
    OUTCOME_FILE,
    Journal,
    Pending,
    Places,
    read_journal,
    save_journal,
    trusted_keys,
)
from kiemke.wire import __version__
from kiemke.wire.update import (
    LARGEST_PACKAGE_BYTES,
    LARGEST_SIGNED_BYTES,
    ManifestError,
    Signed,
    read_signed,
)

REPORT_WITHIN_SECONDS = 600.0
LOOK_EVERY_SECONDS = 5.0
WELL = ("sent", "idle")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a run: "nothing", "refused", "installed" or "rolled_back", and why."""

    what: str
    version: str = ""
    reason: str = ""


class Updater:
    """One run of the one-shot. ``seconds`` is a clock that only goes forward, ``rest`` waits."""

    def __init__(
        self,
        places: Places,
        installer: Installer,
        *,
        version: str = __version__,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = time.monotonic,
        rest: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare; nothing is read or changed yet."""
        self._places = places
        self._installer = installer
        self._version = version
        self._now = now
        self._seconds = seconds
        self._rest = rest

    def run(self) -> Outcome:
        """Go on with what was begun, else install what waits. Raises StateError."""
        journal = read_journal(self._places.updater)
        if journal.pending is not None:
            return self._watch(journal, journal.pending)
        if not self._places.signed.exists():
            return Outcome("nothing")
        signed, package, why = self._take(journal)
        if signed is None or why is not None:
            outcome = Outcome(
                "refused", "" if signed is None else signed.manifest.version, why or ""
            )
            if why != "not_staged":
                self._clear()
                self._note(outcome)
            return outcome
        return self._install(journal, signed, package)

    # --- what waits ---

    def _take(self, journal: Journal) -> tuple[Signed | None, Path, str | None]:
        """Return the release from our own copies of it, and why it may not be installed."""
        staging = self._places.updater / "staging"
        try:
            staging.mkdir(mode=0o700, parents=True, exist_ok=True)
            signed_copy = _copy(self._places.signed, staging / "signed", LARGEST_SIGNED_BYTES)
            # The installer goes by the name's ending.
            package = staging / f"package{self._installer.ending}"
            _copy(self._places.package, package, LARGEST_PACKAGE_BYTES)
            signed = read_signed(signed_copy.read_bytes())
        except OSError as err:
            raise StateError(f"{staging}: {err.strerror or err}; run this as root") from err
        except ManifestError as err:
            return None, staging, str(err)
        why = refusal(signed, self._facts(journal))
        if why is None and not is_intact(package, signed):
            why = "damaged"
        return signed, package, why

    def _facts(self, journal: Journal) -> Facts:
        """Return what is known here. Raises StateError."""
        identity = StateFolder(self._places.state).identity()
        offer = read_json(self._places.offer) or {}
        percent = offer.get("percent")
        return Facts(
            version=self._version,
            system=self._installer.system,
            source="" if identity is None else identity.source or "",
            keys=trusted_keys(self._places.updater),
            percent=percent if isinstance(percent, int) else 0,
            now=self._now(),
            journal=journal,
        )

    # --- the change ---

    def _install(self, journal: Journal, signed: Signed, package: Path) -> Outcome:
        """Install, with a way back kept first."""
        version = signed.manifest.version
        try:
            way_back = self._installer.keep(self._places.updater / "previous")
        except InstallError as err:
            return Outcome("refused", version, f"no way back could be kept: {err}")
        pending = Pending(version, self._version, str(way_back))
        journal = replace(
            journal, pending=pending, last_signed_at=signed.manifest.signed_at.isoformat()
        )
        save_journal(self._places.updater, journal)
        self._forget_status()
        try:
            self._installer.install(package)
        except InstallError as err:
            return self._go_back(journal, pending, str(err))
        return self._watch(journal, pending)

    def _watch(self, journal: Journal, pending: Pending) -> Outcome:
        """Wait for the new one to report; take it back when it does not within ten minutes."""
        end = self._seconds() + REPORT_WITHIN_SECONDS
        while not self._reports(pending.version):
            if self._seconds() >= end:
                return self._go_back(journal, pending, "it did not report within ten minutes")
            self._rest(LOOK_EVERY_SECONDS)
        package = self._places.updater / "staging" / f"package{self._installer.ending}"
        try:
            self._installer.confirm(package)
        except InstallError as err:
            raise StateError(f"{err}; looked at again with the next run") from err
        save_journal(self._places.updater, replace(journal, pending=None, floor=pending.version))
        return self._end(Outcome("installed", pending.version))

    def _go_back(self, journal: Journal, pending: Pending, reason: str) -> Outcome:
        """Install what was there before. Raises StateError when that fails too: it is tried again."""
        try:
            self._installer.go_back(Path(pending.way_back))
        except InstallError as err:
            raise StateError(f"{pending.way_back}: not taken back ({err}); tried again") from err
        failed = (*journal.failed, pending.version)
        save_journal(self._places.updater, replace(journal, pending=None, failed=failed))
        return self._end(Outcome("rolled_back", pending.version, reason))

    def _end(self, outcome: Outcome) -> Outcome:
        """Clean up and leave word for the agent to tell."""
        self._clear()
        shutil.rmtree(self._places.updater / "staging", ignore_errors=True)
        self._note(outcome)
        return outcome

    def _reports(self, version: str) -> bool:
        """Tell whether the agent of this version has reached the server since the change."""
        said = StateFolder(self._places.state).status()
        return said.get("version") == version and said.get("outcome") in WELL

    def _forget_status(self) -> None:
        """Take away what the agent said of itself: what stands there next was said by the new one."""
        try:
            StateFolder(self._places.state).forget_status()
        except OSError as err:
            raise StateError(f"{self._places.state}: {err.strerror or err}") from err

    def _clear(self) -> None:
        """Take the release away that waited."""
        for file in (self._places.signed, self._places.package, self._places.offer):
            file.unlink(missing_ok=True)

    def _note(self, outcome: Outcome) -> None:
        """Leave word for the agent, which tells the server; in our folder: its own is not ours to fill."""
        said = {"outcome": outcome.what, "version": outcome.version, "from": self._version}
        if outcome.reason:
            said["reason"] = WORDS.get(outcome.reason, outcome.reason)
        file = self._places.updater / OUTCOME_FILE
        write_json(file, {"mark": f"{self._now():%Y%m%dT%H%M%S%f}", "detail": said})
        file.chmod(0o644)


def _copy(source: Path, target: Path, most_bytes: int) -> Path:
    """Copy a file that somebody without rights has put there: no link is followed, no size trusted.

    Raises OSError.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NONBLOCK", 0)  # a pipe put there must not hold us
    with os.fdopen(os.open(source, flags), "rb") as file, target.open("wb") as out:
        left = most_bytes
        while piece := file.read(min(1 << 16, left)):
            out.write(piece)
            left -= len(piece)
        if file.read(1):
            raise OSError(f"{source} is larger than any release")
        out.flush()
        os.fsync(out.fileno())
    return target
