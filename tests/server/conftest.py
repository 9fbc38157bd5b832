"""Every server test that asks for ``database`` runs on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiemke.server import auth_users
from kiemke.server.db import Database
from kiemke.server.ingest.writer import Writer
from tests.support.database import DIALECTS, fresh_database, fresh_url

_CHEAP_HASHER = type(auth_users._HASHER)(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hash passwords by the real argon2id at its least cost; ``test_auth`` holds the real cost."""
    monkeypatch.setattr(auth_users, "_HASHER", _CHEAP_HASHER)


@pytest.fixture(params=DIALECTS)
def dialect(request: pytest.FixtureRequest) -> str:
    """The kind of database this run uses."""
    value: str = request.param
    return value


@pytest.fixture
async def database_url(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """URL of an empty, migrated database."""
    admin = request.getfixturevalue("postgres_url") if dialect == "postgres" else None
    async with fresh_url(dialect, tmp_path, admin) as url:
        yield url


@pytest.fixture
async def database(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Database]:
    """An open, migrated, empty database."""
    admin = request.getfixturevalue("postgres_url") if dialect == "postgres" else None
    async with fresh_database(dialect, tmp_path, admin) as opened:
        yield opened


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    """A running writer of an installation in Viet Nam (UTC+7)."""
    made = Writer(database, 7 * 3600, group_milliseconds=1)
    await made.start()
    yield made
    await made.stop()
