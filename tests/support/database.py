"""A fresh, migrated database of either kind for one test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from kiemke.server.db import Database
from kiemke.server.migrate import migrate

DIALECTS = ("sqlite", "postgres")


@asynccontextmanager
async def fresh_url(dialect: str, folder: Path, postgres_url: str | None) -> AsyncIterator[str]:
    """Give the URL of an empty, migrated database that is gone afterwards."""
    if dialect == "sqlite":
        url = f"sqlite://{folder / f'{uuid4().hex}.sqlite'}"
        await migrate(url)
        yield url
        return
    assert postgres_url is not None
    name = f"t{uuid4().hex}"
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
        try:
            await migrate(url)
            yield url
        finally:
            await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@asynccontextmanager
async def fresh_database(
    dialect: str, folder: Path, postgres_url: str | None
) -> AsyncIterator[Database]:
    """Give an open database with every table and no row."""
    async with fresh_url(dialect, folder, postgres_url) as url:
        database = Database(url)
        await database.open()
        try:
            yield database
        finally:
            await database.close()
