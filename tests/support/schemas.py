"""Schemas as text, and the one that Tortoise itself makes of the migrations."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api import migrate as migrate_plainly
from tortoise.models import MetaInfo

from kiemke.server.migrate import note_ledgers
from tests.support.database import run_peer

_OBJECTS = "SELECT type || ' ' || name || ': ' || coalesce(sql, '') FROM sqlite_master ORDER BY 1"


@asynccontextmanager
async def empty_url(dialect: str, folder: Path, postgres_url: str | None) -> AsyncIterator[str]:
    """Give the URL of a database without a table; gone afterwards."""
    name = f"e{uuid4().hex}"
    if dialect == "sqlite":
        yield f"sqlite://{folder / name}.sqlite"
        return
    assert postgres_url is not None
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


async def read_schema(url: str, folder: Path) -> list[str]:
    """Return every table, index, constraint and trigger in the words of the database."""
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(url.removeprefix("sqlite://"))) as raw:
            return [row[0] for row in raw.execute(_OBJECTS)]
    dump = folder / f"{uuid4().hex}.sql"
    await run_peer("pg_dump", "--schema-only", "--no-owner", "--file", str(dump), url=url)
    # A line that begins with a backslash holds a random word against scripts within dumps.
    return [
        line for line in dump.read_text().splitlines() if line and not line.startswith(("--", "\\"))
    ]


async def plain_schema(config: dict[str, Any], url: str, folder: Path) -> list[str]:
    """Return the schema that Tortoise's own executor makes in an empty database: many seconds."""
    try:
        # It builds every model anew for each operation, with all it takes to query it: no schema
        # comes of the filters.
        with mock.patch.object(MetaInfo, "_generate_filters"):
            await migrate_plainly(config=config)
    finally:
        await Tortoise.close_connections()
    await note_ledgers(url)
    return await read_schema(url, folder)
