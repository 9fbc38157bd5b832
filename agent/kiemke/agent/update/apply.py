"""Installs a release that waits, and takes it back when it does not report: the half that has the rights.

It opens no connection. What the agent without rights has left is copied first and believed only then, by
its signature; nothing is written or deleted in that agent's folder. The steps stand in the updater's journal
before they are made: after a power cut the next run goes on where this one was.
"""

import hashlib
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kiemke.agent.files import StateError, open_plain, read_json, write_json
from kiemke.agent.state import StateFolder
from kiemke.agent.update.decide import WORDS, Facts, is_intact, latest, refusal
from kiemke.agent.update.installers import Installer, InstallError
from kiemke.agent.update.places import (
    LOCK_FILE,
    MOST_TRIES,
    OUTCOME_FILE,
    Doubt,
    Journal,
    Pending,
    Places,
    read_journal,
    save_journal,
    trusted_keys,
)
from kiemke.wire import __version__
from kiemke.wire.outbox_store import FileLock, OutboxBusyError
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
SILENT = "it did not report within ten minutes"
ALL_SILENT = f"{SILENT}, nor did the one before it: tried again once that one has"
SILENT_AGAIN = f"{SILENT}, nor did the one before it, {MOST_TRIES} times: the next one will do"
NOT_HANDLED = ("not_staged", "line_down")  # decided anew with the next run


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
        """Go on with what was begun, else install what waits; one run at a time. Raises StateError."""
        try:
            self._places.updater.mkdir(mode=0o755, parents=True, exist_ok=True)
            lock = FileLock(self._places.updater / LOCK_FILE)
        except OutboxBusyError:
            return Outcome("nothing", reason="another run is at work")
        except OSError as err:
            raise StateError(
                f"{self._places.updater}: {err.strerror or err}; run this as root"
            ) from err
        try:
            return self._run()
        finally:
            lock.release()

    def is_due(self) -> bool:
        """Tell whether ``run`` would decide or change something; nothing is changed. Raises StateError."""
        journal = read_journal(self._places.updater)
        mark = _mark(self._places)
        if _is_at_work(journal) or mark is None or mark == journal.handled:
            return _is_at_work(journal)
        try:
            with open_plain(self._places.signed, foreign=True) as file:
                signed = read_signed(file.read(LARGEST_SIGNED_BYTES + 1))
        except (OSError, ManifestError):
            return True
        return self._refusal(signed, journal) not in NOT_HANDLED

    def _run(self) -> Outcome:
        journal = read_journal(self._places.updater)
        if journal.pending is not None:
            return self._watch(journal, journal.pending)
        if journal.doubt is not None and journal.doubt.is_watched:
            return self._watch_former(journal, journal.doubt)
        mark = _mark(self._places)
        if mark is None or mark == journal.handled:
            return Outcome("nothing")
        try:
            signed, package, why = self._take(journal)
        except StateError:
            shutil.rmtree(self._staging, ignore_errors=True)
            raise
        if signed is not None and package is not None and why is None:
            return self._install(replace(journal, handled=mark), signed, package)
        shutil.rmtree(self._staging, ignore_errors=True)
        outcome = Outcome("refused", "" if signed is None else signed.manifest.version, why or "")
        if why not in NOT_HANDLED:
            save_journal(self._places.updater, replace(journal, handled=mark))
            self._note(outcome)
        return outcome

    # --- what waits ---

    @property
    def _staging(self) -> Path:
        """Our own folder, in which nobody else can write."""
        return self._places.updater / "staging"

    def _take(self, journal: Journal) -> tuple[Signed | None, Path | None, str | None]:
        """Return the release from our own copies of it, and why it may not be installed.

        The package is not touched before its manifest is believed.
        """
        try:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging.mkdir(mode=0o700, parents=True)
            copy = _copy(self._places.signed, self._staging / "signed", LARGEST_SIGNED_BYTES)
            signed = read_signed(copy.read_bytes())
            why = self._refusal(signed, journal)
            if why is not None:
                return signed, None, why
            # The installer goes by the name's ending.
            package = self._staging / f"package{self._installer.ending}"
            _copy(self._places.package, package, LARGEST_PACKAGE_BYTES)
        except FileNotFoundError as err:
            raise StateError(f"{err.filename}: not there yet; looked for again") from err
        except OSError as err:
            raise StateError(f"{self._staging}: {err.strerror or err}; run this as root") from err
        except ManifestError as err:
            return None, None, str(err)
        return signed, package, None if is_intact(package, signed) else "damaged"

    def _refusal(self, signed: Signed, journal: Journal) -> str | None:
        """Return why the release may not be installed now; None when it may. Raises StateError."""
        why, doubt = refusal(signed, self._facts(journal)), journal.doubt
        if why is None and doubt is not None and doubt.version == signed.manifest.version:
            # The one before it could not report either: as long as that is so, nor could this one.
            return None if self._reports(doubt.before, doubt.said) else "line_down"
        return why

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
            shutil.rmtree(self._staging, ignore_errors=True)
            return Outcome("refused", version, f"no way back could be kept: {err}")
        pending = Pending(version, self._version, str(way_back), self._said())
        journal = replace(journal, pending=pending, last_signed_at=latest(journal, signed))
        save_journal(self._places.updater, journal)
        try:
            self._installer.install(package)
        except InstallError as err:
            return self._go_back(journal, pending, str(err))
        return self._watch(journal, pending)

    def _watch(self, journal: Journal, pending: Pending) -> Outcome:
        """Wait for the new one to report; take it back when it does not within ten minutes."""
        end = self._seconds() + REPORT_WITHIN_SECONDS
        while not self._reports(pending.version, pending.said):
            if self._seconds() >= end:
                return self._go_back(journal, pending, SILENT)
            self._rest(LOOK_EVERY_SECONDS)
        package = self._staging / f"package{self._installer.ending}"
        try:
            self._installer.confirm(package)
        except InstallError as err:
            raise StateError(f"{err}; looked at again with the next run") from err
        save_journal(
            self._places.updater, replace(journal, pending=None, doubt=None, floor=pending.version)
        )
        return self._end(Outcome("installed", pending.version))

    def _go_back(self, journal: Journal, pending: Pending, reason: str) -> Outcome:
        """Install what was there before. Raises StateError when that fails too: it is tried again."""
        try:
            self._installer.go_back(Path(pending.way_back))
        except InstallError as err:
            raise StateError(f"{pending.way_back}: not taken back ({err}); tried again") from err
        if reason != SILENT:
            return self._give_up(journal, pending.version, reason)
        earlier = journal.doubt
        tries = earlier.tries if earlier is not None and earlier.version == pending.version else 0
        doubt = Doubt(pending.version, pending.before, self._said(), tries + 1, is_watched=True)
        journal = replace(journal, pending=None, doubt=doubt)
        save_journal(self._places.updater, journal)
        return self._watch_former(journal, doubt)

    def _watch_former(self, journal: Journal, doubt: Doubt) -> Outcome:
        """Learn whose fault the silence was: the release's, if the one before it reports within ten minutes.

        If that one is silent too, the line or the server was away, and the release may be tried again.
        """
        end = self._seconds() + REPORT_WITHIN_SECONDS
        while not self._reports(doubt.before, doubt.said):
            if self._seconds() >= end:
                if doubt.tries >= MOST_TRIES:
                    return self._give_up(journal, doubt.version, SILENT_AGAIN)
                doubt = replace(doubt, is_watched=False)
                save_journal(self._places.updater, replace(journal, doubt=doubt, handled=None))
                return self._end(Outcome("rolled_back", doubt.version, ALL_SILENT))
            self._rest(LOOK_EVERY_SECONDS)
        return self._give_up(journal, doubt.version, SILENT)

    def _give_up(self, journal: Journal, version: str, reason: str) -> Outcome:
        """Never try this version here again."""
        failed = (*journal.failed, version)
        journal = replace(journal, pending=None, doubt=None, failed=failed)
        save_journal(self._places.updater, journal)
        return self._end(Outcome("rolled_back", version, reason))

    def _end(self, outcome: Outcome) -> Outcome:
        """Clean up and leave word for the agent to tell, which takes the release away that waited."""
        shutil.rmtree(self._staging, ignore_errors=True)
        self._note(outcome)
        return outcome

    def _reports(self, version: str, before: str) -> bool:
        """Tell whether the agent of this version has reached the server since its status was ``before``."""
        said = StateFolder(self._places.state).status()
        return (
            said.get("version") == version
            and said.get("outcome") in WELL
            and _digest(said) != before
        )

    def _said(self) -> str:
        """Return a mark of what the agent says of itself now: the new one says something else."""
        return _digest(StateFolder(self._places.state).status())

    def _note(self, outcome: Outcome) -> None:
        """Leave word for the agent, which tells the server; in our folder: its own is not ours to fill."""
        said = {"outcome": outcome.what, "version": outcome.version, "from": self._version}
        if outcome.reason:
            said["reason"] = WORDS.get(outcome.reason, outcome.reason)
        file = self._places.updater / OUTCOME_FILE
        write_json(file, {"mark": f"{self._now():%Y%m%dT%H%M%S%f}", "detail": said}, mode=0o644)


def _is_at_work(journal: Journal) -> bool:
    """Tell whether a change has begun whose end is not known yet."""
    return journal.pending is not None or (journal.doubt is not None and journal.doubt.is_watched)


def _digest(said: dict[str, str]) -> str:
    return hashlib.sha256(repr(sorted(said.items())).encode()).hexdigest()


def is_waiting(places: Places, journal: Journal) -> bool:
    """Tell whether a release waits on which nothing was decided yet. Raises StateError."""
    return _mark(places) not in (None, journal.handled)


def _mark(places: Places) -> str | None:
    """Return what tells one waiting release from another, None when none waits. Nothing is believed by it."""
    try:
        with open_plain(places.signed, foreign=True) as file:
            digest = hashlib.sha256(file.read(LARGEST_SIGNED_BYTES + 1)).hexdigest()
        about = os.lstat(places.package)
    except FileNotFoundError:
        return None
    except OSError as err:
        raise StateError(f"{places.inbox}: {err.strerror or err}") from err
    return f"{digest}-{about.st_size}-{about.st_mtime_ns}"


def _copy(source: Path, target: Path, most_bytes: int) -> Path:
    """Copy a file that somebody without rights has put there: no link is followed, no size trusted.

    Raises OSError.
    """
    with open_plain(source, foreign=True) as file, target.open("xb") as out:
        left = most_bytes
        while piece := file.read(min(1 << 16, left)):
            out.write(piece)
            left -= len(piece)
        if file.read(1):
            raise OSError(f"{source} is larger than any release")
        out.flush()
        os.fsync(out.fileno())
    return target
