"""A fresh, migrated database of either kind for one test.

The schema is migrated once for each state of the migrations and kept in ``.cache/tests``. A PostgreSQL
database that a test gave back is emptied for the next one: that takes milliseconds, a copy a second.
"""

import asyncio
import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from importlib.metadata import version
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

import kiemke.server.migrations
from kiemke.server.db import Database
from kiemke.server.migrate import migrate
from tests.support.peers import require_peer

DIALECTS = ("sqlite", "postgres")

_CACHE = Path(__file__).resolve().parents[2] / ".cache" / "tests"
_SHAPE = """
SELECT (SELECT count(*) FROM tortoise_migrations)
  || string_agg(c.relname || ' ' || c.relnatts || ' ' || c.relchecks, ',' ORDER BY c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'
"""
_TABLES = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
# Every table that was ever written into; a block is one transaction, in which no key is asked for.
_DELETE_ALL = """
DO $$ DECLARE r record; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR r IN SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
    AND relname NOT IN ({kept}) AND pg_relation_size(oid) > 0
  LOOP EXECUTE format('DELETE FROM %I', r.relname); END LOOP;
  FOR r IN SELECT schemaname, sequencename FROM pg_sequences
    WHERE last_value IS NOT NULL AND sequencename NOT LIKE 'tortoise%'
  LOOP EXECUTE format('ALTER SEQUENCE %I.%I RESTART', r.schemaname, r.sequencename); END LOOP;
END $$
"""

_made: dict[str, str] = {}  # per server: the SQL of its empty schema, and "sqlite" -> a file
_idle: dict[str, list[str]] = {}  # per PostgreSQL: emptied databases that wait for the next test
_shapes: dict[str, str] = {}
_kept_tables: dict[str, frozenset[str]] = {}


def _state_of_migrations() -> str:
    """Return a short name for what the migrations are now, and what makes a schema of them."""
    digest = hashlib.sha256(version("tortoise-orm").encode())
    for path in sorted(Path(next(iter(kiemke.server.migrations.__path__))).glob("*.py")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def kept_alone(name: str) -> Iterator[Path]:
    """Give the path of a file kept for this state of the migrations, while nobody else makes it."""
    _CACHE.mkdir(parents=True, exist_ok=True)
    path = _CACHE / f"schema-{_state_of_migrations()}.{name}"
    with path.with_suffix(path.suffix + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield path


async def sqlite_template() -> str:
    """Return the file of a migrated, empty database, to be copied."""
    if "sqlite" not in _made:
        with kept_alone("sqlite") as cached:
            if not cached.exists():
                made = Path(tempfile.mkdtemp(prefix="kiemke-schema-")) / "empty.sqlite"
                await migrate(f"sqlite://{made}")
                shutil.copyfile(made, cached.with_suffix(".new"))
                cached.with_suffix(".new").replace(cached)
                shutil.rmtree(made.parent)
        _made["sqlite"] = str(cached)
    return _made["sqlite"]


async def run_peer(program: str, *arguments: str, url: str) -> None:
    """Run one of PostgreSQL's programs on the database of ``url``."""
    parts = urlsplit(url)
    process = await asyncio.create_subprocess_exec(
        require_peer(program), "--host", str(parts.hostname), "--port", str(parts.port),
        "--username", str(parts.username), "--dbname", parts.path.lstrip("/"), *arguments,
        env={**os.environ, "PGPASSWORD": parts.password or ""},
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await process.wait() == 0, program


async def _administer(postgres_url: str, sql: str) -> None:
    """Run a statement about databases."""
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(sql)
    finally:
        await admin.close()


async def _make_postgres(postgres_url: str) -> str:
    """Return the name of a new database with every table and no row."""
    name = f"t{uuid4().hex}"
    url = postgres_url.rsplit("/", 1)[0] + f"/{name}"
    await _administer(postgres_url, f'CREATE DATABASE "{name}" TEMPLATE template0')
    with kept_alone("sql") as cached:
        if not cached.exists():
            await migrate(url)
            new = cached.with_suffix(".new")
            await run_peer("pg_dump", "--no-owner", "--file", str(new), url=url)
            new.replace(cached)
        else:
            await run_peer("psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(cached), url=url)
    connection = await asyncpg.connect(url)
    try:
        _shapes[name] = await connection.fetchval(_SHAPE)
        kept = []
        for table in [row[0] for row in await connection.fetch(_TABLES)]:
            if await connection.fetchval(f'SELECT 1 FROM "{table}" LIMIT 1'):  # noqa: S608
                kept.append(table)
        _kept_tables[name] = frozenset(kept)
    finally:
        await connection.close()
    return name


async def _empty(postgres_url: str, name: str) -> bool:
    """Take every row out of a database; False when a test changed more than rows."""
    connection = await asyncpg.connect(postgres_url.rsplit("/", 1)[0] + f"/{name}")
    try:
        await connection.execute(_OTHERS)
        if await connection.fetchval(_SHAPE) != _shapes[name]:
            return False
        kept = ", ".join(f"'{table}'" for table in _kept_tables[name])
        await connection.execute(_DELETE_ALL.format(kept=kept))
    finally:
        await connection.close()
    return True


@asynccontextmanager
async def fresh_url(dialect: str, folder: Path, postgres_url: str | None) -> AsyncIterator[str]:
    """Give the URL of an empty, migrated database that nobody else uses meanwhile."""
    if dialect == "sqlite":
        path = folder / f"{uuid4().hex}.sqlite"
        shutil.copyfile(await sqlite_template(), path)
        yield f"sqlite://{path}"
        return
    assert postgres_url is not None
    idle = _idle.setdefault(postgres_url, [])
    name = idle.pop() if idle else await _make_postgres(postgres_url)
    try:
        yield postgres_url.rsplit("/", 1)[0] + f"/{name}"
    finally:
        if await _empty(postgres_url, name):
            idle.append(name)
        else:
            await _administer(postgres_url, f'DROP DATABASE "{name}" WITH (FORCE)')


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
