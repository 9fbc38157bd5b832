"""Migrations on both databases: once, locked, backed up, and equal to the models."""

import asyncio
import contextlib
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from tortoise import Tortoise
from tortoise.migrations import autodetector

from kiemke.server import migrate as module
from kiemke.server.db import Database
from kiemke.server.db_config import tortoise_config
from kiemke.server.migrate import MigrationError, migrate, pending
from kiemke.server.migrate_states import LazyState
from tests.support.reporting import insert
from tests.support.schemas import empty_url, plain_schema, read_schema

SECOND = '''"""A second migration, for the test of migrating a populated database."""

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("kiemke", "0001_initial")]
    operations = [ops.RunSQL({sql!r})]
'''

LOST = '''"""A table that refers to one that is nowhere."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("kiemke", "0001_initial")]
    operations = [
        ops.CreateModel(
            name="Lost",
            fields=[
                ("id", fields.BigIntField(primary_key=True)),
                ("holiday", fields.ForeignKeyField("kiemke.Nowhere")),
            ],
            options={"table": "lost", "pk_attr": "id"},
            bases=["Model"],
        )
    ]
'''


@pytest.fixture
def second_migration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A package of migrations with a second one whose SQL the test writes."""
    import kiemke.server.migrations as real

    package = tmp_path / "more_migrations"
    package.mkdir()
    (package / "__init__.py").write_text("")
    shutil.copy(Path(real.__path__[0]) / "0001_initial.py", package)
    monkeypatch.syspath_prepend(str(tmp_path))

    def config(url: str) -> dict[str, object]:
        made = tortoise_config(url)
        made["apps"]["kiemke"]["migrations"] = "more_migrations"
        return made

    monkeypatch.setattr(module, "_config", config)
    yield package / "0002_more.py"
    for name in [n for n in sys.modules if n.startswith("more_migrations")]:
        del sys.modules[name]


async def populate(url: str) -> None:
    database = Database(url)
    await database.open()
    try:
        async with database.transaction() as session:
            for n in range(50):
                day = date(2026, 1, 1)
                await insert(
                    session, "holiday", valid_from=day, recorded_at_ms=n, day=day, working=False,
                    name=f"ngày {n}",
                )  # fmt: skip
    finally:
        await database.close()


async def count_of(url: str, sql: str) -> int:
    database = Database(url)
    await database.open()
    try:
        return int((await database.read(sql))[0]["n"])
    finally:
        await database.close()


async def test_a_second_run_has_nothing_to_do(database_url: str) -> None:
    assert await pending(database_url) == []
    assert await migrate(database_url) == []


async def test_the_migrated_schema_is_the_one_of_the_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model changed without a migration would differ only on the installations in the field.

    What the migrations say is compared, so that one kind of database stands for both.
    """
    # The models of each step are built only if asked for: here nobody does.
    monkeypatch.setattr(autodetector, "State", lambda **_: LazyState.empty({}))
    config = tortoise_config(f"sqlite://{tmp_path / 'none.sqlite'}")
    await Tortoise.init(config=config, init_connections=False)
    try:
        changes = await autodetector.MigrationAutodetector(Tortoise.apps, config["apps"]).changes()
    finally:
        await Tortoise.close_connections()

    assert [str(c.operations) for c in changes] == []


# The first so many migrations have every kind of operation that changes a schema: building the models
# for each of them, as Tortoise's own executor does, costs the square of their number.
_ENOUGH = 6


@pytest.mark.parametrize(
    ("dialect", "count"),
    [
        ("sqlite", _ENOUGH),
        pytest.param("postgres", _ENOUGH, marks=pytest.mark.slow),
        pytest.param("sqlite", None, marks=pytest.mark.slow),
        pytest.param("postgres", None, marks=pytest.mark.slow),
    ],
)
async def test_the_schema_is_the_one_that_tortoise_itself_makes(
    dialect: str,
    count: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    admin = request.getfixturevalue("postgres_url") if dialect == "postgres" else None
    names = _copy_migrations(tmp_path, count)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(module, "_config", _with_package(f"first_{len(names)}"))

    async with empty_url(dialect, tmp_path, admin) as url:
        plain = await plain_schema(module._config(url), url, tmp_path)
    async with empty_url(dialect, tmp_path, admin) as url:
        done = await migrate(url)
        ours = await read_schema(url, tmp_path)

    assert len(plain) > 100
    assert ours == plain
    assert done == names


def test_the_first_migrations_have_every_kind_of_operation() -> None:
    found = [set(re.findall(r"ops\.(\w+)\(", path.read_text())) for path in _migration_files()]

    assert set().union(*found) - {"RunPython"} == set().union(*found[:_ENOUGH])


def _migration_files() -> list[Path]:
    import kiemke.server.migrations as real

    return sorted(Path(real.__path__[0]).glob("0*.py"))


def _copy_migrations(folder: Path, count: int | None) -> list[str]:
    """Make a package of the first so many migrations in ``folder``; return their names."""
    files = _migration_files()[:count]
    package = folder / f"first_{len(files)}"
    package.mkdir()
    (package / "__init__.py").write_text("")
    for path in files:
        shutil.copy(path, package)
    return [path.stem for path in files]


def _with_package(name: str) -> Callable[[str], dict[str, Any]]:
    def config(url: str) -> dict[str, Any]:
        made = tortoise_config(url)
        for connection in made["connections"].values():
            connection["credentials"].pop("foreign_keys", None)
        made["apps"]["kiemke"]["migrations"] = name
        return made

    return config


async def test_a_field_that_refers_to_what_no_migration_made_is_refused(
    database_url: str, second_migration: Path
) -> None:
    second_migration.write_text(LOST)

    with pytest.raises((MigrationError, RuntimeError), match=r"kiemke\.Lost\.holiday"):
        await migrate(database_url, backed_up=True)

    assert await pending(database_url) == ["0002_more"]


async def test_a_populated_database_keeps_every_row(
    database_url: str, dialect: str, second_migration: Path, tmp_path: Path
) -> None:
    await populate(database_url)
    second_migration.write_text(
        SECOND.format(sql="ALTER TABLE holiday ADD COLUMN note VARCHAR(10)")
    )

    told: list[str] = []
    done = await migrate(database_url, tmp_path, tell=told.append)
    rows = await count_of(database_url, "SELECT count(*) AS n FROM holiday WHERE note IS NULL")
    backups = [*tmp_path.glob("*.before-*"), *tmp_path.glob("kiemke-before-*.dump")]

    assert done == ["0002_more"]
    assert rows == 50
    assert [b.stat().st_size > 1000 for b in backups] == [True], dialect
    assert told[-1] == f"the database as it was: {backups[0]}"


async def test_a_migration_that_fails_leaves_the_database_as_it_was(
    database_url: str, second_migration: Path, tmp_path: Path
) -> None:
    await populate(database_url)
    second_migration.write_text(
        SECOND.format(sql="ALTER TABLE holiday ADD COLUMN note VARCHAR(10); SELECT nonsense FROM x")
    )

    with pytest.raises(Exception, match="nonsense|no such table|x"):
        await migrate(database_url, tmp_path)
    rows = await count_of(database_url, "SELECT count(*) AS n FROM holiday")

    assert rows == 50
    assert await pending(database_url) == ["0002_more"]
    with pytest.raises((sqlite3.OperationalError, asyncpg.PostgresError)):
        await count_of(database_url, "SELECT count(note) AS n FROM holiday")


async def test_two_processes_do_not_migrate_at_once(
    database_url: str, dialect: str, second_migration: Path
) -> None:
    second_migration.write_text(SECOND.format(sql="CREATE TABLE later (id INT)"))
    async with contextlib.AsyncExitStack() as stack:
        if dialect == "sqlite":
            path = Path(database_url.removeprefix("sqlite://"))
            stack.enter_context(module._file_lock(path))
        else:
            other = await asyncpg.connect(database_url)
            stack.push_async_callback(other.close)
            await other.fetchval("SELECT pg_advisory_lock($1)", module._ADVISORY_LOCK)

        with pytest.raises(MigrationError, match="another process"):
            await asyncio.wait_for(migrate(database_url, backed_up=True), 20)


async def test_postgresql_without_a_backup_is_left_alone(
    database_url: str, dialect: str, second_migration: Path
) -> None:
    second_migration.write_text(SECOND.format(sql="CREATE TABLE later (id INT)"))
    if dialect == "sqlite":
        assert await migrate(database_url) == ["0002_more"]  # SQLite copies itself aside
        return

    with pytest.raises(MigrationError, match="backed-up"):
        await migrate(database_url, None)

    assert await pending(database_url) == ["0002_more"]


async def _fill_every_table(url: str) -> list[str]:
    """Write one row into each table, every column that must hold something; return the tables."""
    database = Database(url)
    await database.open()
    try:
        async with database.transaction() as session:
            if session.dialect == "postgres":
                await session.execute("SET LOCAL session_replication_role = replica")
                columns = await session.fetch(
                    "SELECT table_name AS tab, column_name AS name, data_type AS type,"
                    " is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO' AS needed FROM information_schema.columns"
                    " WHERE table_schema = 'public'"
                )
            else:
                await session.execute("PRAGMA defer_foreign_keys = ON")
                columns = await session.fetch(
                    'SELECT m.name AS tab, c.name, c.type, c."notnull" AS needed'
                    " FROM sqlite_master m, pragma_table_info(m.name) c"
                    " WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'"
                )
            rows: dict[str, dict[str, str]] = {}
            for column in columns:
                if column["needed"] and not column["tab"].startswith("tortoise"):
                    value = _literal(column["name"], column["type"].lower())
                    rows.setdefault(column["tab"], {})[column["name"]] = value
            for table, row in rows.items():
                await session.execute(
                    f'INSERT INTO "{table}" ({", ".join(row)}) VALUES ({", ".join(row.values())})'  # noqa: S608
                )
    finally:
        await database.close()
    return sorted(rows)


def _literal(name: str, type_name: str) -> str:
    """Return a value of a column: every key is 1, so that each row points to one that is there."""
    if name.endswith("_json"):
        return "'{}'"
    if "int" in type_name or "numeric" in type_name or "decimal" in type_name:
        return "1"
    if "bool" in type_name:
        return "FALSE"
    if "blob" in type_name or "bytea" in type_name:
        return "''"
    return "'2026-03-10'" if type_name in ("date",) else "'1'"


async def test_a_filled_database_of_the_first_version_comes_up_to_this_one(
    dialect: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """A column that is added to rows needs a default: none of the tables is empty in the field."""
    first = _copy_migrations(tmp_path, 1)
    monkeypatch.syspath_prepend(str(tmp_path))
    url = f"sqlite://{tmp_path / 'first.sqlite'}"
    if dialect == "postgres":
        cluster = request.getfixturevalue("postgres_url")
        url = cluster.rsplit("/", 1)[0] + "/first_version"
        admin = await asyncpg.connect(cluster)
        await admin.execute("CREATE DATABASE first_version TEMPLATE template0")
        await admin.close()
    with monkeypatch.context() as patch:
        patch.setattr(module, "_config", _with_package("first_1"))
        assert await migrate(url, tmp_path) == first
    tables = await _fill_every_table(url)

    done = await migrate(url, tmp_path)

    assert done == [path.stem for path in _migration_files()[1:]]
    assert len(tables) > 40
    counts = {t: await count_of(url, f'SELECT count(*) AS n FROM "{t}"') for t in tables}  # noqa: S608
    del counts["audit_entry"]  # the rows are taken into the log
    assert {table: n for table, n in counts.items() if n != 1} == {}
