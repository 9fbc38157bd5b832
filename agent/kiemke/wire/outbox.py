"""The sender's memory: every report until the server has acknowledged it, in one SQLite file.

Bounded in megabytes; when it is full the oldest reports go, and the server is told which. A report
is durable when ``put`` returns, unless it was not to be forced (a power cut may take the last of those,
a killed process none), and except while the disk is full: then it waits in memory, bounded, and
``unsaved`` says so. Each start begins a new random stream, so a rolled-back disk loses nothing.
"""

import sqlite3
import threading
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from kiemke.wire import outbox_store as store
from kiemke.wire.chance import random_bits
from kiemke.wire.clocks import Clock
from kiemke.wire.codec import encode_report
from kiemke.wire.outbox_store import (
    Counts,
    Loss,
    OutboxBusyError,
    OutboxError,
    Spooled,
    Transaction,
    peek,
)
from kiemke.wire.report import Event, Rejected, Report

__all__ = ["Counts", "Outbox", "OutboxBusyError", "OutboxError", "Spooled", "peek"]

STREAM_BITS = 63  # fits SQLite's and PostgreSQL's signed integers; never 0
DEFAULT_MAX_MB = 64
MAX_UNSAVED_REPORTS = 512
MAX_DEAD_REPORTS = 200
ROW_OVERHEAD_BYTES = 64  # what a row costs beside its body: keys and index
VACUUM_PAGES = 256


class Outbox:
    """The outbox of one process. Safe to use from several threads."""

    def __init__(self, path: Path, clock: Clock, max_mb: float = DEFAULT_MAX_MB) -> None:
        """Open the file at ``path``, or begin one.

        A file that is broken is kept aside and a new one begun; the server is told. Raises
        OutboxBusyError when another process holds it, OutboxError when it cannot be opened. With a
        full disk it begins in memory, and takes to its file as soon as there is room.
        """
        self.stream = random_bits(STREAM_BITS) or 1
        self._path = path
        self._clock = clock
        self._max_bytes = int(max_mb * 1_000_000)
        self._seq = 0
        self._guard = threading.RLock()
        self._unsaved: deque[Spooled] = deque()
        self._acked: dict[int, int] = {}  # acks a full disk did not let us write down
        self._losses: list[Loss] = []
        try:
            self._lock = store.FileLock(path.with_name(path.name + ".lock"))
        except OSError as err:
            raise OutboxError(f"{path}: {err}; free some space or mend its folder") from err
        try:
            self._open()
        except (sqlite3.Error, OSError) as err:
            if not store.is_full(err):
                self._lock.release()
                raise OutboxError(f"{path}: {err}; free some space or mend its folder") from err
            self._db, self._has_file, self._bytes = store.connect_nowhere(), False, 0

    # --- filling ---

    def put(self, report: Report, *, forced: bool = True) -> Report:
        """Store one report, durably if ``forced``; return it as stored, with its stream and seq.

        The caller's ``stream`` and ``seq`` are replaced. Raises CodecError when a value in it
        cannot travel (nothing is stored then), OutboxError when the file cannot be used at all.
        """
        return self.put_many((report,), forced=forced)[0]

    def put_many(self, reports: Iterable[Report], *, forced: bool = True) -> tuple[Report, ...]:
        """Store reports in order, in one transaction and one sync; return them as stored."""
        with self._guard:
            numbered = tuple(
                replace(report, stream=self.stream, seq=self._seq + place)
                for place, report in enumerate(reports, start=1)
            )
            waiting = [Spooled(one.stream, one.seq, encode_report(one)) for one in numbered]
            self._write([*self._unsaved, *waiting], forced)
            self._seq += len(numbered)
            return numbered

    def _write(self, waiting: Sequence[Spooled], forced: bool) -> None:
        """Write the rows; with a full disk keep them in memory, oldest lost beyond its bound."""
        try:
            if not self._has_file:
                nowhere = self._db
                self._open()
                nowhere.close()
            self._insert(waiting, forced)
        except (sqlite3.Error, OSError) as err:
            if isinstance(err, sqlite3.Error) and store.is_corrupt(err):
                self._begin_anew(str(err))
                self._insert_anew(waiting)
            elif not store.is_full(err):
                raise OutboxError(f"{self._path}: {err}") from err
            else:
                self._unsaved = deque(waiting)
                while len(self._unsaved) > MAX_UNSAVED_REPORTS:
                    gone = self._unsaved.popleft()
                    self._lose(Loss("disk full", "", gone.stream, gone.seq, gone.seq, 1))
                return
        self._unsaved.clear()

    def _insert_anew(self, waiting: Sequence[Spooled]) -> None:
        """Insert rows into a file just begun; a second failure is final."""
        try:
            self._insert(waiting)
        except sqlite3.Error as err:
            raise OutboxError(f"{self._path}: {err}") from err

    def _insert(self, waiting: Sequence[Spooled], forced: bool = True) -> None:
        """Insert rows within the size bound and note what had to go, all or nothing."""
        added = sum(len(one.body) + ROW_OVERHEAD_BYTES for one in waiting)
        with Transaction(self._db, forced=forced):
            dropped, freed = self._make_room(added)
            for loss in dropped:
                store.note(self._db, loss)
            for loss in self._losses:
                store.note(self._db, loss)
            self._db.executemany(
                "INSERT OR IGNORE INTO reports (stream, seq, body) VALUES (?, ?, ?)",
                [(one.stream, one.seq, one.body) for one in waiting],
            )
        self._losses.clear()
        self._bytes += added - freed

    def _make_room(self, wanted: int) -> tuple[list[Loss], int]:
        """Delete the oldest rows until ``wanted`` bytes fit; return what was lost, bytes freed."""
        losses: dict[int, Loss] = {}
        freed = 0
        if self._bytes + wanted <= self._max_bytes:
            return [], 0
        rows = self._db.execute("SELECT id, stream, seq, LENGTH(body) FROM reports ORDER BY id")
        last_id = 0
        for row_id, stream, seq, size in rows:
            last_id = row_id
            known = losses.get(stream)
            losses[stream] = Loss(
                "full", "", stream, known.first_seq if known else seq, seq,
                (known.reports or 0) + 1 if known else 1,
            )  # fmt: skip
            freed += size + ROW_OVERHEAD_BYTES
            if self._bytes - freed + wanted <= self._max_bytes:
                break
        rows.close()
        self._db.execute("DELETE FROM reports WHERE id <= ?", (last_id,))
        return list(losses.values()), freed

    # --- emptying ---

    def head(self, max_reports: int, max_bytes: int) -> list[Spooled]:
        """Return the oldest reports, first in first out: at least one when any waits.

        Not more than ``max_reports``, and only the first may alone exceed ``max_bytes``.
        """
        with self._guard:
            found: list[Spooled] = []
            total = 0
            for one in self._waiting():
                if one.seq <= self._acked.get(one.stream, 0):
                    continue
                total += len(one.body) + 1
                if found and (total > max_bytes or len(found) >= max_reports):
                    break
                found.append(one)
            return found

    def _waiting(self) -> Iterable[Spooled]:
        """Yield what waits, oldest first: the file's rows, then those only in memory."""
        try:
            rows = self._db.execute("SELECT stream, seq, body FROM reports ORDER BY id")
            try:
                for stream, seq, body in rows:
                    yield Spooled(stream, seq, bytes(body))
            finally:
                rows.close()
        except sqlite3.Error as err:
            if not store.is_corrupt(err):
                raise OutboxError(f"{self._path}: {err}") from err
            self._begin_anew(str(err))
        yield from tuple(self._unsaved)

    def ack(self, acked: Mapping[int, int]) -> int:
        """Forget the reports up to each stream's seq; return how many.

        Also tells the server, by an event of its own, what was lost since the last time.
        """
        with self._guard:
            kept = [one for one in self._unsaved if one.seq > acked.get(one.stream, 0)]
            gone = len(self._unsaved) - len(kept)
            self._unsaved = deque(kept)
            gone += self._forget({**self._acked, **acked})
            self._declare()
            return gone

    def _forget(self, acked: Mapping[int, int]) -> int:
        """Delete acknowledged rows; a full disk that forbids it is remembered and tried again."""
        gone = freed = 0
        try:
            # Not forced: what a power cut brings back is sent again, and counted once.
            with Transaction(self._db, forced=False):
                for stream_seq in acked.items():
                    freed += self._measure("WHERE stream = ? AND seq <= ?", stream_seq)
                    done = self._db.execute(
                        "DELETE FROM reports WHERE stream = ? AND seq <= ?", stream_seq
                    )
                    gone += done.rowcount
            self._acked.clear()
            self._bytes -= freed
            self._shrink()
        except sqlite3.Error as err:
            if store.is_corrupt(err):
                self._begin_anew(str(err))
            elif store.is_full(err):
                self._acked.update(acked)
            else:
                raise OutboxError(f"{self._path}: {err}") from err
        return gone

    def reject(self, rejected: Iterable[Rejected]) -> int:
        """Move reports the server will never apply to the dead table; return how many were here.

        Only the newest dead reports are kept.
        """
        moved = 0
        rejected = tuple(rejected)
        if not rejected:
            return 0
        with self._guard:
            try:
                with Transaction(self._db):
                    for one in rejected:
                        moved += self._bury(one)
                    self._db.execute(
                        "DELETE FROM dead WHERE id <= (SELECT MAX(id) FROM dead) - ?",
                        (MAX_DEAD_REPORTS,),
                    )
                self._bytes = self._measure()
            except sqlite3.Error as err:
                if not store.is_full(err):
                    raise OutboxError(f"{self._path}: {err}") from err
        return moved

    def _bury(self, one: Rejected) -> int:
        """Move one report to the dead table; 0 when it is not here any more."""
        key = (one.stream, one.seq)
        copied = self._db.execute(
            "INSERT INTO dead (stream, seq, reason, body) "
            "SELECT stream, seq, ?, body FROM reports WHERE stream = ? AND seq = ?",
            (one.reason, *key),
        )
        self._db.execute("DELETE FROM reports WHERE stream = ? AND seq = ?", key)
        return copied.rowcount

    def refuse(self, one: Spooled, reason: str) -> None:
        """Bury a report that the server refused when it came alone, and tell it which one."""
        with self._guard:
            self.reject((Rejected(one.stream, one.seq, reason),))
            self._unsaved = deque(w for w in self._unsaved if w.seq != one.seq)
            self._lose(Loss("refused", reason, one.stream, one.seq, one.seq, 1))

    # --- telling ---

    @property
    def unsaved(self) -> int:
        """Return how many reports wait in memory alone because the disk is full."""
        return len(self._unsaved)

    def counts(self) -> Counts:
        """Return what waits and what is dead. Raises OutboxError when the file cannot be read."""
        with self._guard:
            try:
                counts = store.count(self._db)
            except sqlite3.Error as err:
                raise OutboxError(f"{self._path}: {err}") from err
            return replace(counts, reports=counts.reports + len(self._unsaved))

    def close(self) -> None:
        """Close the file and give up the lock."""
        with self._guard:
            self._db.close()
            self._lock.release()

    # --- losses ---

    def _lose(self, loss: Loss) -> None:
        """Note a loss for the server; neighbours of one stream become one."""
        if self._losses:
            last = self._losses[-1]
            if (last.reason, last.stream) == (loss.reason, loss.stream) and (
                last.last_seq is not None and loss.first_seq == last.last_seq + 1
            ):
                many = (last.reports or 0) + (loss.reports or 0)
                self._losses[-1] = replace(last, last_seq=loss.last_seq, reports=many)
                return
        self._losses.append(loss)

    def _declare(self) -> None:
        """Turn noted losses into event reports; done only when the server is known to listen."""
        if (
            self._unsaved or not self._has_file
        ):  # the disk is full: it could not be noted that this was told
            return
        try:
            if self._losses:
                with Transaction(self._db):
                    for loss in self._losses:
                        store.note(self._db, loss)
            self._losses.clear()
            rows = self._db.execute(
                "SELECT id, reason, detail, stream, first_seq, last_seq, reports FROM losses"
            ).fetchall()
            for row in rows:
                self.put(self._event(Loss(*row[1:])))
                self._db.execute("DELETE FROM losses WHERE id = ?", (row[0],))
        except sqlite3.Error as err:
            if not store.is_full(err):
                raise OutboxError(f"{self._path}: {err}") from err

    def _event(self, loss: Loss) -> Report:
        """Return the event that tells of a loss."""
        return Report(
            stream=0,
            seq=0,
            boot_id=self._clock.boot_id,
            at=self._clock.now(),
            uptime_seconds=self._clock.uptime_seconds(),
            kind="event",
            body=Event("outbox", loss.as_detail()),
        )

    # --- the file ---

    def _open(self) -> None:
        """Connect; a broken file is set aside and a new one begun. Raises sqlite3.Error, OSError."""
        try:
            self._db = store.connect(self._path)
        except sqlite3.Error as err:
            if not store.is_corrupt(err):
                raise
            self._replace_file(str(err))
        self._has_file = True
        self._bytes = self._measure()

    def _begin_anew(self, why: str) -> None:
        """Leave a file that broke while in use and begin a new one."""
        self._db.close()
        try:
            self._replace_file(why)
        except (sqlite3.Error, OSError) as err:
            raise OutboxError(f"{self._path}: {err}") from err
        self._bytes = 0

    def _replace_file(self, why: str) -> None:
        """Set the broken file aside, connect to a new one, note the loss."""
        aside = store.set_aside(self._path, self._clock.now())
        self._db = store.connect(self._path)
        self._acked.clear()
        self._lose(Loss("broken", f"{why}; kept as {aside.name}"))

    def _measure(self, where: str = "", values: tuple[int, ...] = ()) -> int:
        """Return the bytes the waiting reports take, all or those of one of our conditions."""
        row = self._db.execute(
            f"SELECT COALESCE(SUM(LENGTH(body) + {ROW_OVERHEAD_BYTES}), 0) FROM reports {where}",  # noqa: S608
            values,
        ).fetchone()
        return int(row[0])

    def _shrink(self) -> None:
        """Give pages back to the disk once many are free."""
        free = self._db.execute("PRAGMA freelist_count").fetchone()[0]
        if free > VACUUM_PAGES:
            # Each step gives rows without columns, at which ``execute`` stops: it frees one page.
            self._db.executescript("PRAGMA incremental_vacuum")
