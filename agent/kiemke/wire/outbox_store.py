"""The outbox's file: its tables, its lock against a second process, and what is done when it is bad."""

import errno
import os
import sqlite3
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

SCHEMA = """
CREATE TABLE IF NOT EXISTS reports (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    body BLOB NOT NULL,
    UNIQUE (stream, seq)
);
CREATE TABLE IF NOT EXISTS dead (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS losses (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    reason TEXT NOT NULL,
    detail TEXT NOT NULL,
    stream INTEGER,
    first_seq INTEGER,
    last_seq INTEGER,
    reports INTEGER
);
"""
KEPT_ASIDE_FILES = 3
BUSY_SECONDS = 10.0
SQLITE_FULL = 13  # sqlite.org/rescode.html
SQLITE_CORRUPT = 11
SQLITE_NOTADB = 26
SUFFIXES = ("", "-wal", "-shm")


class OutboxError(Exception):
    """The outbox cannot be used; the message says which file and what to do."""


class OutboxBusyError(OutboxError):
    """Another process holds this outbox."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Reports that will never arrive, to be told to the server.

    ``stream`` to ``last_seq`` are None when it is not known which; ``reports`` when not how many.
    """

    reason: str
    detail: str = ""
    stream: int | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    reports: int | None = None

    def as_detail(self) -> dict[str, str]:
        """Return the loss as an event's plain text by key; what is not known is left out."""
        said = {
            "reason": self.reason,
            "detail": self.detail or None,
            "stream": self.stream,
            "first_seq": self.first_seq,
            "last_seq": self.last_seq,
            "reports": self.reports,
        }
        return {key: str(value) for key, value in said.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Spooled:
    """One report as it waits: its identity and its encoded bytes."""

    stream: int
    seq: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Counts:
    """What an outbox file holds; ``oldest`` is the encoded oldest report, None when empty."""

    reports: int
    dead: int
    oldest: bytes | None


class FileLock:
    """A lock file held for the life of a process; the system drops it when the process dies."""

    def __init__(self, path: Path) -> None:
        """Take the lock at ``path``. Raises OutboxBusyError when another process has it."""
        self._file: IO[bytes] = path.open("a+b")
        try:
            if sys.platform == "win32":
                # Only Windows has msvcrt.
                import msvcrt

                self._file.seek(0)
                msvcrt.locking(self._file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                # Windows has no fcntl.
                import fcntl

                fcntl.flock(self._file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as err:
            self._file.close()
            raise OutboxBusyError(
                f"{path.parent}: another process is using this folder; "
                "stop it first, or give this one its own"
            ) from err

    def release(self) -> None:
        """Give the lock back."""
        self._file.close()


def is_full(err: sqlite3.Error | OSError) -> bool:
    """Tell whether the disk has no room (the file's limit, the volume's, a quota)."""
    if isinstance(err, OSError):
        return err.errno in (errno.ENOSPC, errno.EDQUOT)
    code = getattr(err, "sqlite_errorcode", None)
    return code is not None and (code & 0xFF == SQLITE_FULL or _is_io_write(code))


def _is_io_write(code: int) -> bool:
    """Tell whether a write, sync or truncate failed, as full volumes and quotas make them."""
    # SQLITE_IOERR (10) with 3 = WRITE, 4 = FSYNC, 6 = TRUNCATE, 19 = SHMSIZE in the high byte
    return code & 0xFF == 10 and code >> 8 in (3, 4, 6, 19)


def is_corrupt(err: sqlite3.Error) -> bool:
    """Tell whether the file is no longer a sound database."""
    code = getattr(err, "sqlite_errorcode", None)
    return code is not None and code & 0xFF in (SQLITE_CORRUPT, SQLITE_NOTADB)


def connect_nowhere() -> sqlite3.Connection:
    """Return a connection on an empty outbox in memory, for as long as the disk has no room."""
    db = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    db.executescript(SCHEMA)
    return db


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection on a sound outbox file with its tables.

    Raises sqlite3.Error; ``is_corrupt`` tells when the file itself is at fault.
    """
    if not path.exists():
        # 0600 from its first byte: reports tell who sits where.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        verdict = db.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            broken = sqlite3.DatabaseError(f"quick_check: {verdict}")
            broken.sqlite_errorcode = SQLITE_CORRUPT
            raise broken
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA journal_size_limit = 1048576")
        db.execute("PRAGMA cache_size = -512")  # KiB: an office PC's memory is not ours
        db.executescript(SCHEMA)
    except sqlite3.Error:
        db.close()
        raise
    return db


def set_aside(path: Path, now: datetime) -> Path:
    """Move a broken file and its companions away for a person to look at; return its new name.

    Only the newest few are kept. Raises OSError when it cannot be moved.
    """
    aside = path.with_name(f"{path.name}.broken-{now:%Y%m%dT%H%M%S%f}")
    for suffix in SUFFIXES:
        old = path.with_name(path.name + suffix)
        if old.exists():
            old.replace(aside.with_name(aside.name + suffix))
    kept = sorted(
        one
        for one in path.parent.glob(f"{path.name}.broken-*")
        if not one.name.endswith(("-wal", "-shm"))
    )
    for old in kept[:-KEPT_ASIDE_FILES]:
        for suffix in SUFFIXES:
            old.with_name(old.name + suffix).unlink(missing_ok=True)
    return aside


class Transaction:
    """BEGIN IMMEDIATE ... COMMIT around a block; rolled back when the block or the commit fails."""

    def __init__(self, db: sqlite3.Connection, *, forced: bool = True) -> None:
        """Use ``db``, which must be in autocommit mode.

        One that is not ``forced`` does not wait for the disk: it survives this process, and a power
        cut once the system or the next forced one has written it; never one without those before it.
        """
        self._db = db
        self._forced = forced

    def __enter__(self) -> None:
        """Begin."""
        if not self._forced:
            self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Commit, or roll back."""
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if not self._forced:
                self._db.execute("PRAGMA synchronous = FULL")


def note(db: sqlite3.Connection, loss: Loss) -> None:
    """Write a loss down, one row a stream and reason where the reports are known."""
    merged = db.execute(
        "UPDATE losses SET last_seq = MAX(last_seq, ?), reports = reports + ? "
        "WHERE reason = ? AND stream = ? AND detail = ?",
        (loss.last_seq, loss.reports, loss.reason, loss.stream, loss.detail),
    )
    if not merged.rowcount:
        db.execute(
            "INSERT INTO losses (reason, detail, stream, first_seq, last_seq, reports) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (loss.reason, loss.detail, loss.stream, loss.first_seq, loss.last_seq, loss.reports),
        )


def count(db: sqlite3.Connection) -> Counts:
    """Return the counts of an open file."""
    reports = db.execute("SELECT COUNT(*) FROM reports").fetchone()[0]
    dead = db.execute("SELECT COUNT(*) FROM dead").fetchone()[0]
    oldest = db.execute("SELECT body FROM reports ORDER BY id LIMIT 1").fetchone()
    return Counts(reports, dead, bytes(oldest[0]) if oldest else None)


def peek(path: Path) -> Counts | None:
    """Return what an outbox holds without taking it from the process that runs.

    None when there is no readable outbox at ``path``.
    """
    if not path.exists():
        return None
    try:
        db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2.0)
    except sqlite3.Error:
        return None
    try:
        return count(db)
    except sqlite3.Error:
        return None
    finally:
        db.close()
