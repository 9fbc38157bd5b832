"""What is around devices and in subnets: stays begin, go on, end, and nobody speaks for another."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.sweeping import read_tasks
from kiemke.server.ingest.writer import Writer
from kiemke.wire.lan import LanAddress, LanHost, Neighbour, Neighbours, Station, Sweep
from kiemke.wire.report import InterfaceReading, Interfaces
from tests.server.test_ingest_device import add_device
from tests.support.reporting import NOW_MS, Sender, add_source, add_unit, insert

HOUR = 3_600_000
BEGIN = NOW_MS - 10 * HOUR
PC, PRINTER = "02:00:00:00:00:01", "02:00:00:00:00:02"
SWITCH = Neighbour("lldp", "ge24", 24, "0c:00:00:00:00:01", "mac", "ge1", "name", name="sw-2")


async def stays(database: Database, table: str, *columns: str) -> list[tuple[Any, ...]]:
    """Return the columns of all stays, with hours after BEGIN instead of moments."""
    rows = await database.read(f"SELECT * FROM {table} ORDER BY id")  # noqa: S608

    def hour(at_ms: int | None) -> float | None:
        return None if at_ms is None else (at_ms - BEGIN) / HOUR

    return [
        (*(row[name] for name in columns), hour(row["first_seen_ms"]), hour(row["last_seen_ms"]),
         hour(row["gone_ms"]))
        for row in rows
    ]  # fmt: skip


async def tell(writer: Writer, sender: Sender, hour: float, body: Neighbours | Sweep) -> Any:
    """Send one report made so many hours after BEGIN, and return the outcome."""
    kind = "sweep" if isinstance(body, Sweep) else "neighbours"
    at = round(BEGIN + hour * HOUR)
    return await writer.submit(sender.batch([sender.report(kind, body, at)], at))


async def test_a_pc_that_moves_ends_its_stay_and_one_that_sleeps_does_not(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    at_1, at_2 = Station(PC, "ge1", 1, 10), Station(PC, "ge2", 2, 10)
    told = [(at_1,), (at_1,), (), (at_1,), (at_2,), (at_1,)]
    for hour, stations in enumerate(told):
        await tell(writer, sender, hour, Neighbours(device, "ok", (), stations, ()))
    await tell(writer, sender, 6, Neighbours(device, "partial", (), None, ()))

    assert await stays(database, "station_stay", "port") == [
        ("ge1", 0, 3, 4),
        ("ge2", 4, 4, 5),
        ("ge1", 5, 5, None),
    ]


async def test_a_neighbour_is_gone_when_the_device_says_so_and_its_facts_are_renewed(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    for hour, beside in enumerate([(SWITCH,), (replace(SWITCH, name="sw-2b"),), (), (SWITCH,)]):
        await tell(writer, sender, hour, Neighbours(device, "ok", beside, (), ()))
    await tell(writer, sender, 4, Neighbours(device, "timeout"))

    assert await stays(database, "neighbour_stay", "port", "name") == [
        ("ge24", "sw-2b", 0, 1, 2),
        ("ge24", "sw-2", 3, 3, None),
    ]
    (row,) = await database.read("SELECT * FROM device_tables_now")
    assert (row["outcome"], row["neighbours"], row["stations"]) == ("timeout", 1, 0)


async def test_a_late_or_repeated_reading_changes_no_stay(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    body = Neighbours(device, "ok", (), (), (LanAddress("10.0.0.7", PC, 3),))
    moved = replace(body, addresses=(LanAddress("10.0.0.7", PRINTER, 3),))
    report = sender.report("neighbours", body, BEGIN + 2 * HOUR)
    late = sender.report("neighbours", moved, BEGIN + HOUR)
    for reports in ([report], [report], [late]):
        await writer.submit(sender.batch(reports, NOW_MS))

    assert await stays(database, "address_stay", "address", "mac") == [("10.0.0.7", PC, 2, 2, None)]


async def test_nobody_speaks_of_anothers_device_or_site(writer: Writer, database: Database) -> None:
    _, device = await add_device(database)
    stranger = await add_source(database, kind="collector")

    first = await tell(writer, stranger, 0, Neighbours(device, "ok", (SWITCH,), (), ()))
    second = await tell(writer, stranger, 1, Sweep(1, "ok", ("10.0.0.0/24",), 1, 0, 1.0))

    assert "not assigned" in first.rejected[0][2]
    assert "not one of this source" in second.rejected[0][2]
    assert await stays(database, "neighbour_stay") == []


async def test_a_flooded_table_opens_no_more_stays_than_a_switch_can_have(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kiemke.server.ingest.stays.MOST_OPEN", 3)
    sender, device = await add_device(database)
    for hour in range(3):
        flood = tuple(Station(f"02:00:00:00:{hour:02x}:{n:02x}", "ge1") for n in range(2))
        await tell(writer, sender, hour, Neighbours(device, "ok", (), flood, ()))
    flooded = await database.read("SELECT id FROM station_stay WHERE gone_ms IS NULL")
    await tell(writer, sender, 3, Neighbours(device, "ok", (), (Station(PC, "ge1"),), ()))
    seen = await database.read("SELECT mac FROM station_stay WHERE gone_ms IS NULL ORDER BY id")

    assert len(flooded) == 3
    assert len(seen) == 3
    assert seen[-1]["mac"] == PC, "what is really there is seen after a flood, too"


async def add_subnets(database: Database, sender: Sender, *subnets: tuple[str, bool]) -> int:
    """Register subnets, (text, denied), for the unit of a source and return the unit."""
    (row,) = await database.read("SELECT unit_id FROM source WHERE id = :i", i=sender.source_id)
    async with database.transaction() as session:
        for subnet, deny in subnets:
            await insert(
                session, "site_subnet", unit_id=row["unit_id"], subnet=subnet, deny=deny,
                valid_from=date(2020, 1, 1), recorded_at_ms=0,
            )  # fmt: skip
    return int(row["unit_id"])


async def test_hosts_of_a_sweep_stay_until_another_mac_has_their_address(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    unit = await add_subnets(database, sender, ("10.0.0.0/24", False), ("10.0.0.64/26", True))
    pc = LanHost("10.0.0.7", PC, ("icmp",), 0.001, (445,))
    denied, far = LanHost("10.0.0.70", signs=("icmp",)), LanHost("192.0.2.1", signs=("icmp",))
    told = [(pc, denied, far), (replace(pc, mac=None, signs=("tcp",)),), (),
            (replace(pc, mac=PRINTER),)]  # fmt: skip
    for hour, hosts in enumerate(told):
        await tell(writer, sender, hour, Sweep(unit, "ok", ("10.0.0.0/24",), 190, 64, 9.5, hosts))

    assert await stays(database, "lan_host", "address", "mac", "signs") == [
        ("10.0.0.7", PC, "tcp", 0, 1, 3),
        ("10.0.0.7", PRINTER, "icmp", 3, 3, None),
    ]
    (row,) = await database.read("SELECT * FROM sweep_now")
    assert (row["outcome"], row["asked"], row["refused"], row["found"]) == ("ok", 190, 64, 1)


async def test_what_a_port_did_between_two_polls_is_kept(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    polls = [(True, 10**9), (True, 10**9), (False, 10**9), (True, 10**8), (None, None)]
    for minute, (up, speed) in enumerate(polls):
        at = BEGIN + minute * 60_000
        row = InterfaceReading(1, "ge1", oper_up=up, speed_bits_per_second=speed, duplex="full")
        body = Interfaces(device, "ok", 100.0 + 60 * minute, (row,))
        await writer.submit(sender.batch([sender.report("interfaces", body, at)], at))

    rows = await database.read("SELECT * FROM port_change ORDER BY at_ms")
    assert [
        (r["name"], r["at_ms"] - BEGIN, bool(r["oper_up"]), r["speed_bits_per_second"])
        for r in rows
    ] == [
        ("ge1", 120_000, False, 10**9),
        ("ge1", 180_000, True, 10**8),
    ]


async def test_what_no_device_or_sweep_could_say_is_refused(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    bad = [
        Neighbours(device, "ok", (Neighbour("smoke"),)),
        Neighbours(device, "ok", (replace(SWITCH, addresses=("10.0.0.07",)),)),
        Neighbours(device, "ok", None, (Station("02-00-00-00-00-01"),)),
        Neighbours(device, "ok", None, (Station(PC, vlan=5000),)),
        Neighbours(device, "ok", None, None, (LanAddress("10.0.0.256", PC),)),
        Neighbours(device, "fine"),
    ]

    outcomes = [await tell(writer, sender, hour, body) for hour, body in enumerate(bad)]

    assert [len(outcome.rejected) for outcome in outcomes] == [1] * len(bad)
    assert await stays(database, "station_stay") == []


async def test_each_site_is_swept_by_one_collector_and_other_sites_are_left_alone(
    database: Database,
) -> None:
    """A district's collector leaves a commune's own subnet to the commune."""
    district = await add_source(database, kind="collector")
    far = await add_source(database, kind="collector")
    wide = ("10.0.0.0/16", False), ("10.0.7.0/28", True)
    unit = await add_subnets(database, district, *wide)
    async with database.transaction() as session:
        below = await add_unit(session, "XB", unit)
        lonely = await add_unit(session, "XC", unit)
    commune = await add_source(database, kind="collector", unit=below)
    second = await add_source(database, kind="collector", unit=below)
    await add_subnets(database, commune, ("10.0.9.0/24", False))
    async with database.transaction() as session:
        await insert(
            session, "site_subnet", unit_id=lonely, subnet="10.0.12.0/24", deny=False,
            valid_from=date(2020, 1, 1), recorded_at_ms=0,
        )  # fmt: skip
        for sender, times in ((far, 1), (district, 2)):
            for n in range(times):
                await insert(
                    session, "device", code=f"D{sender.source_id}{n}", name="d", search_key="d",
                    kind="switch", unit_id=lonely, collector_id=sender.source_id, port=161,
                    created_at_ms=0,
                )  # fmt: skip

    async with database.reading() as session:
        sites = await load_sites(session, date(2026, 11, 22), NOW_MS)
        tasks = {
            name: await read_tasks(session, sites, [sender.source_id])
            for name, sender in (
                ("district", district), ("commune", commune), ("second", second), ("far", far),
            )
        }  # fmt: skip

    assert [task.site for task in tasks["district"]] == [unit, lonely]
    assert [str(net) for net in tasks["district"][0].deny] == [
        "10.0.7.0/28", "10.0.9.0/24", "10.0.12.0/24",
    ]  # fmt: skip
    assert [task.site for task in tasks["commune"]] == [below]
    assert [str(net) for net in tasks["commune"][0].subnets] == ["10.0.9.0/24"]
    assert tasks["second"] == [] and tasks["far"] == []
