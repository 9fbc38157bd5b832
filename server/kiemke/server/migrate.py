"""Bring the schema up to date: under a lock, after a backup, with the foreign keys checked after."""

import sqlite3
import time
from pathlib import Path

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.migrations.api import migrate as apply_migrations
from tortoise.migrations.executor import MigrationExecutor

from kiemke.server.db import tortoise_config

# Any fixed number: two processes that migrate the same PostgreSQL database meet at this lock.
_ADVISORY_LOCK = 0x6B69_656D_6B65


class MigrationError(Exception):
    """The schema could not be brought up to date; nothing was changed."""


async def pending(url: str) -> list[str]:
    """Return the names of the migrations that are not applied yet, in order."""
    config = tortoise_config(url)
    await Tortoise.init(config=config, init_connections=False)
    try:
        executor = MigrationExecutor(get_connection("default"), config["apps"])
        return [step.migration.name for step in await executor.plan()]
    finally:
        await Tortoise.close_connections()


async def migrate(url: str) -> list[str]:
    """Apply what is pending and return its names. Raises MigrationError when that cannot be done."""
    names = await pending(url)
    if not names:
        return []
    if url.startswith("sqlite:"):
        await _migrate_sqlite(url)
    else:
        await _migrate_postgres(url)
    return names


async def _run(url: str) -> None:
    try:
        await apply_migrations(config=tortoise_config(url))
    finally:
        await Tortoise.close_connections()


async def _migrate_sqlite(url: str) -> None:
    """SQLite: copy the file aside first; the lock is an exclusive file beside the database."""
    path = Path(url.removeprefix("sqlite://"))
    lock = path.with_name(path.name + ".migrating")
    try:
        lock.open("x").close()
    except FileExistsError as error:
        raise MigrationError(
            f"{lock} exists: another process is migrating this database. If none is, remove the file."
        ) from error
    try:
        if path.stat().st_size if path.exists() else 0:
            _back_up(path)
        await _run(url)
        _check_foreign_keys(path)
    finally:
        lock.unlink(missing_ok=True)


def _back_up(path: Path) -> Path:
    copy = path.with_name(f"{path.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    return copy


def _check_foreign_keys(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        broken = connection.execute("PRAGMA foreign_key_check").fetchall()
    if broken:
        raise MigrationError(f"{len(broken)} rows point nowhere after the migration: {broken[:3]}")


async def _migrate_postgres(url: str) -> None:
    """PostgreSQL: DDL is transactional there; the lock is an advisory one of the whole database."""
    lock = await asyncpg.connect(url)
    try:
        if not await lock.fetchval("SELECT pg_try_advisory_lock($1)", _ADVISORY_LOCK):
            raise MigrationError("another process is migrating this database; try again when it ends")
        await _run(url)
    finally:
        await lock.close()
