"""Parts of a PC: what went and what came, told once, settled by a paper."""

from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import hardware_now
from kiemke.server.domain.hardware import compare, read_parts
from tests.support.office import MOMENT_MS, Office

GIB = 2**30
HOUR_MS = 3_600_000


async def nothing(session: Session) -> None:
    """Guard nothing."""


def module(serial: str | None = "12345678", size: int = 8 * GIB, **more: Any) -> dict[str, Any]:
    return {"size_bytes": size, "part_number": "M378", "serial": serial, **more}


@pytest.mark.parametrize(
    ("before", "after", "gone", "come"),
    [
        ([module("A1B2C3")], [module("A1B2C3", locator="DIMM_B")], 0, 0),
        ([module("A1B2C3"), module("A1B2C4")], [module("A1B2C4")], 1, 0),
        ([module("A1B2C3")], [module("A1B2C9")], 1, 1),
        ([module("A1B2C3")], [module("A1B2C3", 4 * GIB)], 1, 1),
        ([module("A1B2C3")], [module(None)], 0, 0),  # it hides its number this time
        ([module(None), module(None)], [module(None)], 1, 0),
        ([module("A1B2C3"), module(size=0)], [module("A1B2C3")], 0, 0),  # an empty slot
    ],
)
def test_a_part_is_what_it_is_wherever_it_sits(
    before: list[Any], after: list[Any], gone: int, come: int
) -> None:
    import json

    parts = [read_parts("memory", json.dumps(rows)) for rows in (before, after)]

    went, came = compare(*parts)

    assert (len(went), len(came)) == (gone, come)


def test_a_memory_stick_is_no_disk() -> None:
    rows = '[{"name": "sdb", "size_bytes": 1, "removable": true}, {"name": "sdc", "size_bytes": 2, "bus": "usb"}]'

    assert read_parts("disks", rows) == []


async def see(database: Database, source: int, rows: str, at_ms: int) -> int:
    """Let ingest have stored other rows of the memory; return the events that came of it."""
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_section SET rows_json = :rows, changed_at_ms = :at, observed_at_ms = :at"
            " WHERE source_id = :source AND section = 'memory'",
            rows=rows,
            at=at_ms,
            source=source,
        )
    return await hardware_now.run(database, at_ms, nothing)


def add_pc(office: Office, *sources: int) -> None:
    for source in sources:
        office.add_section(source, "memory", [module("A1B2C3"), module("A1B2C4")], MOMENT_MS)


async def test_a_module_that_goes_is_told_once_with_before_and_after(database: Database) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    source = office.add_source(1)
    office.add_match(office.add_pc(1), source)
    add_pc(office, source)
    await office.write_to(database)

    first = await hardware_now.run(database, MOMENT_MS, nothing)
    same = await hardware_now.run(database, MOMENT_MS, nothing)
    less = '[{"size_bytes": 8589934592, "part_number": "M378", "serial": "A1B2C3"}]'
    gone = await see(database, source, less, MOMENT_MS + HOUR_MS)
    silent = await see(database, source, "[]", MOMENT_MS + 2 * HOUR_MS)
    again = await see(database, source, less, MOMENT_MS + 3 * HOUR_MS)
    (event,) = await database.read("SELECT * FROM hardware_change")

    assert (first, same, gone, silent, again) == (0, 0, 1, 0, 0)
    assert "A1B2C4" in event["before_json"] and "A1B2C4" not in event["after_json"]
    assert (event["since_ms"], event["seen_at_ms"]) == (MOMENT_MS, MOMENT_MS + HOUR_MS)


async def test_a_pc_installed_anew_is_compared_with_what_it_was(database: Database) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    old, new = office.add_source(1), office.add_source(1)
    office.add_match(office.add_pc(1), old, new)
    add_pc(office, old)
    await office.write_to(database)
    await hardware_now.run(database, MOMENT_MS, nothing)
    office.add_section(new, "memory", [module("A1B2C3")], MOMENT_MS + HOUR_MS)
    await office.write_to(database)

    events = await hardware_now.run(database, MOMENT_MS + HOUR_MS, nothing)

    assert events == 1


async def test_a_turn_takes_some_rows_and_a_run_all(database: Database) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    for _ in range(5):
        source = office.add_source(1)
        office.add_match(office.add_pc(1), source)
        add_pc(office, source)
    await office.write_to(database)

    await hardware_now.run(database, MOMENT_MS, nothing, rows=2)

    assert len(await database.read("SELECT id FROM hardware_seen")) == 5
