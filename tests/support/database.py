"""A fresh, migrated database of either kind for one test: the schema is made once and copied."""

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import asyncpg

from kiemke.server.db import Database
from kiemke.server.migrate import migrate

DIALECTS = ("sqlite", "postgres")


_templates: dict[str, str] = {}


async def _sqlite_template() -> str:
    if "sqlite" not in _templates:
        path = Path(tempfile.mkdtemp(prefix="kiemke-schema-")) / "empty.sqlite"
        await migrate(f"sqlite://{path}")
        _templates["sqlite"] = str(path)
    return _templates["sqlite"]


async def _postgres_template(admin: asyncpg.Connection, postgres_url: str) -> str:
    if postgres_url not in _templates:
        name = f"schema{uuid4().hex}"
        await admin.execute(f'CREATE DATABASE "{name}"')
        await migrate(postgres_url.rsplit("/", 1)[0] + f"/{name}")
        _templates[postgres_url] = name
    return _templates[postgres_url]


@asynccontextmanager
async def fresh_url(dialect: str, folder: Path, postgres_url: str | None) -> AsyncIterator[str]:
    """Give the URL of an empty, migrated database that is gone afterwards."""
    if dialect == "sqlite":
        path = folder / f"{uuid4().hex}.sqlite"
        shutil.copyfile(await _sqlite_template(), path)
        yield f"sqlite://{path}"
        return
    assert postgres_url is not None
    name = f"t{uuid4().hex}"
    admin = await asyncpg.connect(postgres_url)
    try:
        template = await _postgres_template(admin, postgres_url)
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        try:
            yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
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
