"""Which source is which machine and which asset: evidence, clones, re-installs, placeholders."""

from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.bogus import sane_mac, sane_serial, sane_uuid
from kiemke.server.domain.evidence import read_evidence
from kiemke.server.domain.identity_now import Resolver
from tests.support.office import MOMENT_MS, RECORDED_MS, Office

HOUR_MS = 3_600_000
UUID = "4c4c4544-0042-3510-8054-b7c04f4d3232"


def add_hardware(office: Office, source: int, **values: Any) -> None:
    """Queue a source's inventory: system serial and uuid, board serial, disk, permanent MAC."""
    system = {"serial": values.get("serial"), "uuid": values.get("uuid"), "product": "OptiPlex"}
    office.add_section(source, "system", [system], MOMENT_MS)
    office.add_section(source, "board", [{"serial": values.get("board")}], MOMENT_MS)
    disks = [{"name": "sda", "serial": values.get("disk")}]
    office.add_section(source, "disks", disks, MOMENT_MS)
    adapters = [{"name": "eth0", "kind": "ethernet", "permanent_mac": values.get("mac")}]
    office.add_section(source, "adapters", adapters, MOMENT_MS)


def set_times(office: Office, source: int, created_ms: int, heard_ms: int) -> None:
    """Say when a waiting source was enrolled and when it was last heard."""
    office.waiting["source"][source - 1]["created_at_ms"] = created_ms
    office.waiting["source_now"][source - 1]["last_received_at_ms"] = heard_ms
    office.waiting["source_now"][source - 1]["identity_changed_at_ms"] = heard_ms


async def resolve(database: Database, office: Office, now_ms: int = MOMENT_MS) -> dict[int, int]:
    """Write the office, run the resolver, return the machine of each source."""
    await office.write_to(database)
    await Resolver(database).run(now_ms)
    rows = await database.read(
        "SELECT source_id, machine_id FROM machine_source WHERE voided_at_ms IS NULL"
    )
    return {row["source_id"]: row["machine_id"] for row in rows}


async def states(database: Database) -> dict[int, str]:
    """Return the state of each source."""
    rows = await database.read("SELECT id, state FROM source")
    return {row["id"]: row["state"] for row in rows}


async def findings(database: Database) -> list[tuple[str, str]]:
    """Return kind and subject of the open findings."""
    rows = await database.read("SELECT kind, subject FROM finding WHERE closed_at_ms IS NULL")
    return [(row["kind"], row["subject"]) for row in rows]


@pytest.fixture
def office() -> Office:
    made = Office()
    made.add_installation()
    made.add_unit()
    return made


async def test_a_source_alone_is_a_machine_of_its_own(database: Database, office: Office) -> None:
    for serial in ("AB12CD3", "AB12CD4"):
        add_hardware(office, office.add_source(1, heard_ms=MOMENT_MS), serial=serial)

    machines = await resolve(database, office)

    assert len(set(machines.values())) == 2


async def test_a_reinstalled_pc_stays_the_machine_it_was(
    database: Database, office: Office
) -> None:
    old, new = (office.add_source(1, heard_ms=MOMENT_MS) for _ in range(2))
    for source in (old, new):
        add_hardware(office, source, serial="AB12CD3", uuid=UUID)
    set_times(office, old, RECORDED_MS, MOMENT_MS - 2 * HOUR_MS)
    set_times(office, new, MOMENT_MS - HOUR_MS, MOMENT_MS)

    machines = await resolve(database, office)

    assert machines[old] == machines[new]
    assert await states(database) == {old: "approved", new: "approved"}


async def test_two_live_sources_of_one_evidence_are_both_set_aside(
    database: Database, office: Office
) -> None:
    first, second = (office.add_source(1, heard_ms=MOMENT_MS) for _ in range(2))
    for source in (first, second):
        add_hardware(office, source, uuid=UUID)
    set_times(office, first, RECORDED_MS, MOMENT_MS)
    set_times(office, second, MOMENT_MS - HOUR_MS, MOMENT_MS)

    machines = await resolve(database, office)

    assert await states(database) == {first: "quarantined", second: "quarantined"}
    pair = f"machine:{machines[first]},{machines[second]}"
    assert machines[first] != machines[second]
    assert await findings(database) == [("cloned_identity", pair)]


async def test_placeholders_join_nobody(database: Database, office: Office) -> None:
    for _ in range(2):
        add_hardware(
            office,
            office.add_source(1, heard_ms=MOMENT_MS),
            serial="To be filled by O.E.M.",
            uuid="03000200-0400-0500-0006-000700080009",
            board="Default string",
            mac="02:00:4E:43:50:49",
        )

    machines = await resolve(database, office)

    assert len(set(machines.values())) == 2
    assert await findings(database) == []


async def test_a_disk_moved_to_another_pc_does_not_make_them_one(
    database: Database, office: Office
) -> None:
    for serial in ("AB12CD3", "AB12CD4"):
        source = office.add_source(1, heard_ms=MOMENT_MS)
        add_hardware(office, source, serial=serial, disk="S4X9NF0M123456")

    assert len(set((await resolve(database, office)).values())) == 2


async def test_a_serial_matches_its_one_asset_from_the_day_the_book_has_it(
    database: Database, office: Office
) -> None:
    source = office.add_source(1, heard_ms=MOMENT_MS)
    add_hardware(office, source, serial="ab-12cd3")
    asset = office.add_pc(1, office.add_official(1), serial="AB12CD3", serial_key="AB12CD3")

    machines = await resolve(database, office)
    rows = await database.read("SELECT asset_id, machine_id, decided_by FROM asset_match")

    assert rows == [{"asset_id": asset, "machine_id": machines[source], "decided_by": "serial"}]


async def test_a_serial_that_stands_twice_in_the_book_is_a_finding(
    database: Database, office: Office
) -> None:
    add_hardware(office, office.add_source(1, heard_ms=MOMENT_MS), serial="AB12CD3")
    for _ in range(2):
        office.add_pc(1, serial="AB12CD3", serial_key="AB12CD3")

    await resolve(database, office)

    assert await findings(database) == [("ambiguous_serial", "serial:AB12CD3")]
    assert await database.read("SELECT id FROM asset_match") == []


async def test_an_asset_booked_later_is_matched_then(database: Database, office: Office) -> None:
    add_hardware(office, office.add_source(1, heard_ms=MOMENT_MS), serial="AB12CD3")
    await office.write_to(database)
    resolver = Resolver(database)
    await resolver.run(MOMENT_MS + 1)

    office.add_pc(1, serial="AB12CD3", serial_key="AB12CD3")
    await office.write_to(database)
    outcome = await resolver.run(MOMENT_MS + HOUR_MS)

    assert (outcome.resolved, outcome.matched) == (0, 1)


async def test_a_pending_source_of_a_booked_asset_of_its_unit_is_approved(
    database: Database, office: Office
) -> None:
    """In the custody of the token's unit or one below it; elsewhere it waits for a person."""
    below, elsewhere = office.add_unit(1), office.add_unit()
    for number, unit in enumerate((1, below, elsewhere)):
        source = office.add_source(1, "pending", heard_ms=MOMENT_MS)
        add_hardware(office, source, serial=f"AB12CD{number}")
        office.add_pc(unit, serial_key=f"AB12CD{number}")

    await resolve(database, office)

    assert await states(database) == {1: "approved", 2: "approved", 3: "pending"}


async def test_a_second_run_decides_nothing_again(database: Database, office: Office) -> None:
    add_hardware(office, office.add_source(1, heard_ms=MOMENT_MS), serial="AB12CD3")
    await office.write_to(database)
    resolver = Resolver(database)

    first = await resolver.run(MOMENT_MS + 1)
    second = await resolver.run(MOMENT_MS + 2)

    assert (first.resolved, second.resolved) == (1, 0)


async def test_what_was_received_before_a_run_but_committed_after_its_read_is_not_missed(
    database: Database, office: Office
) -> None:
    """The writer holds a report for some milliseconds; its moment is the one it arrived at."""
    source = office.add_source(1, heard_ms=MOMENT_MS)
    add_hardware(office, source)
    set_times(office, source, MOMENT_MS - HOUR_MS, MOMENT_MS)
    await office.write_to(database)
    resolver = Resolver(database)
    await resolver.run(MOMENT_MS + 50)

    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_now SET identity_changed_at_ms = :at WHERE source_id = :source",
            at=MOMENT_MS + 20,
            source=source,
        )
    outcome = await resolver.run(MOMENT_MS + 100)

    assert outcome.resolved == 1


@pytest.mark.parametrize(
    "text",
    ["", "0", "000000", "1111", "xxxxxxx", "None", "O.E.M", "to be filled by o.e.m", "123456789"],
)
def test_a_placeholder_serial_is_none(text: str) -> None:
    assert sane_serial(text) is None


def test_a_uuid_is_the_same_in_both_byte_orders() -> None:
    swapped = "44454c4c-4200-1035-8054-b7c04f4d3232"

    assert sane_uuid(UUID) == sane_uuid(swapped)
    assert sane_uuid("FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF") is None
    assert sane_uuid("2") is None


@pytest.mark.parametrize(
    ("mac", "key"),
    [
        ("d4:be:d9:01:02:03", "D4BED9010203"),
        ("02:be:d9:01:02:03", None),
        ("00:50:56:c0:00:08", None),
        ("00:00:00:00:00:00", None),
        (None, None),
    ],
)
def test_a_mac_counts_when_a_maker_gave_it(mac: str | None, key: str | None) -> None:
    assert sane_mac(mac) == key


def test_rows_that_cannot_be_read_say_nothing() -> None:
    evidence = read_evidence({"system": "{", "board": "[3]", "disks": '{"serial": "S4X9NF0M"}'})

    assert evidence.keys == frozenset()
