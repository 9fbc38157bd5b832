"""Bring the schema up to date: under a lock, after a backup, with the foreign keys checked after."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from tortoise import Tortoise
from tortoise.connection import get_connection

from kiemke.server import postgres_driver
from kiemke.server.audit_adopt import record_rows
from kiemke.server.db import Database
from kiemke.server.db_config import tortoise_config
from kiemke.server.domain import audit_triggers, search_index
from kiemke.server.errors import OutdatedDatabase
from kiemke.server.migrate_states import LazyExecutor

# Any fixed number: two processes that migrate the same PostgreSQL database meet at this lock.
_ADVISORY_LOCK = 0x6B69_656D_6B65
_DUMP_SECONDS = 3600
FIRST_MIGRATION = "0001_initial"


class MigrationError(Exception):
    """The schema could not be brought up to date; the database is as it was."""


def _config(url: str) -> dict[str, Any]:
    """Return the configuration without foreign keys on SQLite: a table rebuilt would drop rows."""
    config = tortoise_config(url)
    for connection in config["connections"].values():
        if "foreign_keys" in connection["credentials"]:
            connection["credentials"]["foreign_keys"] = "OFF"
    return config


async def pending(url: str) -> list[str]:
    """Return the names of the migrations that are not applied yet, in order."""
    config = _config(url)
    await Tortoise.init(config=config, init_connections=False)
    try:
        executor = LazyExecutor(get_connection("default"), config["apps"])
        return [step.migration.name for step in await executor.plan()]
    finally:
        await Tortoise.close_connections()


async def migrate(
    url: str,
    backup_dir: Path | None = None,
    *,
    backed_up: bool = False,
    tell: Callable[[str], None] = lambda _text: None,
) -> list[str]:
    """Apply what is pending and return its names. Raises MigrationError when that cannot be done.

    A database that holds tables already is copied first: SQLite beside itself, PostgreSQL by
    ``pg_dump`` into ``backup_dir``, unless ``backed_up`` says that somebody did. ``tell`` is told, in
    English, what is begun and where the copy is.
    """
    names = await pending(url)
    if not names:
        return []
    if url.startswith("sqlite:"):
        await _migrate_sqlite(Path(url.removeprefix("sqlite://")), url, tell)
    else:
        await _migrate_postgres(url, backup_dir, backed_up, tell)
    return names


async def prepare_database(url: str) -> None:
    """Make the schema in an empty database. Raises OutdatedDatabase for an older schema."""
    names = await pending(url)
    if not names:
        return
    if FIRST_MIGRATION not in names:
        raise OutdatedDatabase(
            f"the database lacks {', '.join(names)}; stop every server and run: "
            "kiemke-server migrate"
        )
    await migrate(url)


async def _run(url: str) -> None:
    config = _config(url)
    await Tortoise.init(config=config, init_connections=False)
    try:
        await LazyExecutor(get_connection("default"), config["apps"]).migrate(direction="forward")
    finally:
        await Tortoise.close_connections()
    await note_ledgers(url)


async def note_ledgers(url: str) -> None:
    """Put the triggers of search and audit in place; take a ledger's rows that had none as they are."""
    database = Database(url)
    await database.open()
    try:
        async with database.transaction() as session:
            await search_index.install(session)
            fresh = await audit_triggers.install(session)
            if fresh:
                now_ms = time.time_ns() // 1_000_000
                await record_rows(session, fresh, "ledger.baseline", None, now_ms)
    finally:
        await database.close()


# --- SQLite ------------------------------------------------------------------------------------


@contextlib.contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    """Hold a lock that ends with this process, however it ends, on every system SQLite runs on."""
    lock = sqlite3.connect(path.with_name(path.name + ".migrating"), timeout=0)
    try:
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        lock.close()
        raise MigrationError(
            f"another process is migrating {path}; try again when it ends"
        ) from error
    try:
        yield
    finally:
        lock.close()


async def _migrate_sqlite(path: Path, url: str, tell: Callable[[str], None]) -> None:
    with _file_lock(path):
        if not await pending(url):  # the process that held the lock before has done it
            return
        copy = _copy_aside(path)
        if copy is not None:
            tell(f"the database as it was: {copy}")
        try:
            await _run(url)
            _check_foreign_keys(path)
        except Exception as error:
            if copy is not None:
                _put_back(copy, path)
            raise MigrationError(f"{path}: {error}; the database is as it was before") from error


def _copy_aside(path: Path) -> Path | None:
    """Return the copy of a database that holds tables, None for an empty one."""
    with contextlib.closing(sqlite3.connect(path)) as source:
        if source.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0:
            return None
        copy = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
        with contextlib.closing(sqlite3.connect(copy)) as target:
            source.backup(target)
    return copy


def _put_back(copy: Path, path: Path) -> None:
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(copy, path)


def _check_foreign_keys(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise MigrationError(f"{len(broken)} rows would point nowhere: {broken[:3]}")


# --- PostgreSQL --------------------------------------------------------------------------------


async def _migrate_postgres(
    url: str, backup_dir: Path | None, backed_up: bool, tell: Callable[[str], None]
) -> None:
    """DDL is transactional there; the lock is an advisory one of the whole database."""
    postgres_driver.require()
    import asyncpg

    lock = await asyncpg.connect(url)
    try:
        if not await lock.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
            raise MigrationError(
                "another process is migrating this database; try again when it ends"
            )
        tables = await lock.fetchval(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_name = 'installation'"
        )
        if tables and not backed_up:
            tell("copying the database first, by pg_dump; this may take minutes")
            tell(f"the database as it was: {_dump(url, backup_dir)}")
        await _run(url)
    finally:
        await lock.close()


def _dump(url: str, backup_dir: Path | None) -> Path:
    """Copy the database into a file of ``backup_dir`` and return it. Raises MigrationError."""
    program = shutil.which("pg_dump")
    if program is None or backup_dir is None:
        raise MigrationError(
            "pg_dump was not found, so nothing can be backed up first; install the PostgreSQL"
            " client, or back up yourself and say --backed-up"
        )
    parts = urlsplit(url)
    target = backup_dir / f"kiemke-before-{time.strftime('%Y%m%d-%H%M%S')}.dump"
    # The password goes by the environment: arguments can be read by every user of the machine.
    secret = {"PGPASSWORD": unquote(parts.password)} if parts.password else {}
    command = [program, "--format=custom", "--file", str(target)]
    if parts.hostname:
        command += ["--host", parts.hostname, "--port", str(parts.port or 5432)]
    if parts.username:
        command += ["--username", unquote(parts.username)]
    command += ["--dbname", parts.path.lstrip("/")]
    done = subprocess.run(  # noqa: S603  # a fixed program, arguments from our own settings
        command,
        env={"PATH": os.defpath, **secret},
        capture_output=True,
        timeout=_DUMP_SECONDS,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip()[-300:]
        raise MigrationError(f"pg_dump failed, nothing was changed: {reason}")
    return target
