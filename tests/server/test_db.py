"""The database door: one SQL for both kinds, honest transactions."""

import asyncio
from datetime import date
from pathlib import Path

import pytest

from kiemke.server.db import Database, Nested, Refused, as_date
from kiemke.server.named_sql import compile_named, repeat_values
from tests.support.database import fresh_url

INSERT = (
    "INSERT INTO holiday (valid_from, recorded_at_ms, day, working, name)"
    " VALUES (:from, 1, :day, :working, :name) RETURNING id"
)


async def add(database: Database, name: str, day: date) -> int:
    async with database.transaction() as session:
        row = await session.one(INSERT, **{"from": day}, day=day, working=False, name=name)
    assert row is not None
    return int(row["id"])


async def test_named_parameters_and_lists_mean_the_same_on_both(database: Database) -> None:
    """One SQL text serves both databases."""
    first = await add(database, "Tết", date(2026, 2, 17))
    second = await add(database, "Quốc khánh", date(2026, 9, 2))

    rows = await database.read(
        "SELECT id, day, name FROM holiday WHERE id IN :[ids] AND name IN :[names.text] AND day > :day",
        ids=[first, second],
        names=["Tết", "Quốc khánh"],
        day=date(2026, 3, 1),
    )

    assert [(r["id"], as_date(r["day"]), r["name"]) for r in rows] == [
        (second, date(2026, 9, 2), "Quốc khánh")
    ]


SEEN = (
    "INSERT INTO source_now (source_id, last_boot_id, changed_at_ms) VALUES (:source, :boot, :now)"
    " ON CONFLICT (source_id) DO UPDATE SET changed_at_ms = excluded.changed_at_ms,"
    " last_boot_id = COALESCE(excluded.last_boot_id, source_now.last_boot_id)"
)


@pytest.mark.parametrize("count", [0, 1, 2, 103])
async def test_many_rows_at_once_are_the_same_as_one_by_one(database: Database, count: int) -> None:
    for now, boot in ((1, "b"), (2, None)):
        rows = [{"source": n, "boot": boot and f"{boot}{n}", "now": now} for n in range(count)]
        async with database.transaction() as session:
            await session.many_distinct(SEEN, rows)

    found = await database.read("SELECT source_id, last_boot_id, changed_at_ms FROM source_now")
    assert sorted(tuple(row.values()) for row in found) == [(n, f"b{n}", 2) for n in range(count)]


def test_a_parameter_outside_the_row_cannot_be_repeated() -> None:
    sql = "INSERT INTO t (a) VALUES (:a) ON CONFLICT (a) DO UPDATE SET b = :b"

    with pytest.raises(ValueError, match="one row of parameters"):
        repeat_values(compile_named(sql, "postgres"), 2)


async def test_an_exception_rolls_back_everything(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as session:
            await session.execute(
                INSERT, **{"from": date(2026, 1, 1)}, day=date(2026, 1, 1), working=False, name="x"
            )
            raise RuntimeError

    assert await database.read("SELECT 1 FROM holiday") == []


async def test_a_transaction_cancelled_at_any_moment_leaves_no_lock(database: Database) -> None:
    """A cancelled request must not stop every later write."""
    for turns in range(12):
        task = asyncio.create_task(add(database, f"n{turns}", date(2026, 1, 1)))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    assert await asyncio.wait_for(add(database, "after", date(2026, 1, 2)), 30) > 0


async def test_a_value_the_database_can_never_take_is_refused(database: Database) -> None:
    """Refused tells a poison value from a database that is away."""
    with pytest.raises(Refused):
        async with database.transaction() as session:
            await session.execute(
                "INSERT INTO asset_status (valid_from, recorded_at_ms, status, asset_id)"
                " VALUES (:day, 1, 'in_use', :asset)",
                day=date(2026, 1, 1),
                asset=2**70,
            )


_COUNT = "SELECT COUNT(*) AS n FROM holiday"


async def test_connections_that_read_together_see_one_moment(database: Database) -> None:
    """What is written meanwhile is seen by neither, and short readings do not wait."""
    await add(database, "Tết", date(2026, 2, 17))

    async with database.reading_together() as sessions:
        await add(database, "Quốc khánh", date(2026, 9, 2))
        together = [await session.one(_COUNT) for session in sessions]
        alone = await database.read(_COUNT)

    assert together == [{"n": 1}, {"n": 1}]
    assert alone == [{"n": 2}]
    async with database.reading_together() as sessions:
        assert [await session.one(_COUNT) for session in sessions] == [{"n": 2}, {"n": 2}]


async def test_what_a_busy_writer_does_lies_between_no_two_of_them(database: Database) -> None:
    async def write() -> None:
        for n in range(30):
            await add(database, f"{n}", date(2026, 1, 1))

    async def read() -> None:
        while not writing.done():
            async with database.reading_together() as sessions:
                first, second = [await session.one(_COUNT) for session in sessions]
            assert first == second

    writing = asyncio.create_task(write())
    await asyncio.gather(writing, read(), read())


async def test_without_a_common_moment_one_connection_reads_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite alone: a writer that never rests must not keep a reading from beginning."""
    monkeypatch.setattr("kiemke.server.db._BEGINNINGS", 0)
    async with fresh_url("sqlite", tmp_path, None) as url:
        database = Database(url)
        await database.open()
        try:
            await add(database, "Tết", date(2026, 2, 17))
            async with database.reading_together() as sessions:
                counts = [await session.one(_COUNT) for session in sessions]
        finally:
            await database.close()

    assert counts == [{"n": 1}]


async def test_two_processes_worth_of_connections_both_write(database_url: str) -> None:
    """Two writers on one SQLite file wait for each other instead of failing."""
    script = (
        "import asyncio,sys\nfrom datetime import date\nfrom kiemke.server.db import Database\n"
        "async def main():\n"
        "    d = Database(sys.argv[1]); await d.open()\n"
        "    for n in range(40):\n"
        "        async with d.transaction() as s:\n"
        f"            await s.execute({INSERT!r}, **{{'from': date(2026,1,1)}},"
        " day=date(2026,1,1), working=False, name=sys.argv[2]+str(n))\n"
        "    await d.close()\n"
        "asyncio.run(main())\n"
    )
    import sys

    children = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", script, database_url, who)
        for who in ("a", "b")
    ]
    codes = [await asyncio.wait_for(child.wait(), 60) for child in children]

    assert codes == [0, 0]
    database = Database(database_url)
    await database.open()
    try:
        rows = await database.read("SELECT count(*) AS n FROM holiday")
    finally:
        await database.close()
    assert rows[0]["n"] == 80


async def test_a_reading_within_a_reading_is_refused_at_once_and_not_waited_for(
    database: Database,
) -> None:
    async with database.reading():
        with pytest.raises(Nested):
            await database.read("SELECT 1 AS n")
        with pytest.raises(Nested):
            async with database.change():
                pass
    assert await database.read("SELECT 1 AS n") == [{"n": 1}]
