"""What a device says it is: stored by its collector's report, half an answer beside a whole one."""

from dataclasses import replace
from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import device_health_now
from kiemke.server.ingest.writer import Writer
from kiemke.server.metrics.families import devices
from kiemke.server.metrics.families.context import Context
from kiemke.wire.report import Device, DeviceIdentity, DeviceReading
from tests.support.reporting import NOW_MS, Sender, add_source, insert

MINUTE = 60_000
WHOLE = DeviceIdentity(
    True, "MikroTik", "router", "RB750Gr3", "7.14.3", "HEX0123", "r1", "Tầng 2, nhà A"
)


async def add_device(database: Database) -> tuple[Sender, int]:
    """Add a device polled by a collector."""
    sender = await add_source(database, kind="collector")
    async with database.transaction() as session:
        source = await session.one("SELECT unit_id FROM source WHERE id = :i", i=sender.source_id)
        assert source is not None
        device = await insert(
            session, "device", code="R1", name="Router", search_key="router", kind="router",
            unit_id=source["unit_id"], collector_id=sender.source_id, port=161, created_at_ms=0,
        )  # fmt: skip
    return sender, device


async def last_word(database: Database) -> dict[str, Any]:
    (row,) = await database.read("SELECT * FROM device_now")
    return dict(row)


async def test_what_a_device_is_stays_until_it_is_asked_anew(
    writer: Writer, database: Database
) -> None:
    sender, device = await add_device(database)
    at = NOW_MS - 5 * MINUTE
    said = [
        sender.report("device", Device(device, "ok", sys_name="r1"), at),
        sender.report("device", Device(device, "ok", sys_name="r1", identity=WHOLE), at),
        sender.report("device", Device(device, "timeout"), at + MINUTE),
    ]

    await writer.submit(sender.batch(said))

    row = await last_word(database)
    assert (row["vendor"], row["seen_kind"], row["model"]) == ("MikroTik", "router", "RB750Gr3")
    assert (row["version"], row["serial"]) == ("7.14.3", "HEX0123")
    assert (row["seen_name"], row["seen_location"]) == ("r1", "Tầng 2, nhà A")
    assert (row["identified_at_ms"], row["outcome"]) == (at, "timeout")


@pytest.mark.parametrize("together", [True, False])
async def test_half_an_answer_takes_nothing_back_and_a_whole_one_does(
    writer: Writer, database: Database, together: bool
) -> None:
    """Another device at that address: what the new one does not tell is not the old one's."""
    sender, device = await add_device(database)
    half = DeviceIdentity(False, "MikroTik", version="7.15")
    other = DeviceIdentity(True, "DrayTek", "router")
    seen = []
    for group in (((3, WHOLE), (2, half)), ((1, other),)):
        reports = [
            sender.report(
                "device", Device(device, "ok", identity=identity), NOW_MS - minutes * MINUTE
            )
            for minutes, identity in group
        ]
        for batch in [reports] if together else [[each] for each in reports]:
            await writer.submit(sender.batch(batch))
        row = await last_word(database)
        seen.append((row["vendor"], row["model"], row["version"], row["serial"]))

    assert seen == [("MikroTik", "RB750Gr3", "7.15", "HEX0123"), ("DrayTek", None, None, None)]


def state(*readings: DeviceReading) -> Device:
    return replace(Device(1, "ok"), readings=readings)


async def test_of_a_name_that_was_read_the_parts_that_are_gone_are_forgotten(
    writer: Writer, database: Database
) -> None:
    """And a late report does not bring them back in place of newer ones."""
    sender, device = await add_device(database)
    heat = [DeviceReading("temperature_celsius", value, part, "CPU") for part, value in
            (("1", 40.5), ("2", 41.0))]  # fmt: skip
    cooler = [DeviceReading("temperature_celsius", 38.0, "1", "CPU")]
    load = [DeviceReading("cpu_ratio", 0.25)]
    for at, readings in ((2, heat), (1, [*cooler, *load]), (3, [heat[0]])):
        body = replace(state(*readings), device=device)
        await writer.submit(sender.batch([sender.report("device", body, NOW_MS - at * MINUTE)]))

    rows = await database.read("SELECT * FROM device_reading_now ORDER BY name, part")
    assert [(row["name"], row["part"], row["label"], row["value"]) for row in rows] == [
        ("cpu_ratio", "", None, 0.25), ("temperature_celsius", "1", "CPU", 38.0),
    ]  # fmt: skip


async def test_a_ups_on_battery_is_a_finding_until_it_says_otherwise(
    writer: Writer, database: Database
) -> None:
    """Of a device that fell silent nobody knows, and its finding stays."""
    sender, device = await add_device(database)

    async def say(value: float, at_ms: int) -> None:
        body = replace(state(DeviceReading("ups_on_battery", value)), device=device)
        await writer.submit(sender.batch([sender.report("device", body, at_ms)], at_ms))

    async def nothing(_: Session) -> None:
        return None

    async def found(at_ms: int) -> list[tuple[str, str, bool]]:
        await device_health_now.run(database, at_ms, nothing)
        rows = await database.read("SELECT kind, subject, closed_at_ms FROM finding ORDER BY id")
        return [(row["kind"], row["subject"], row["closed_at_ms"] is None) for row in rows]

    await say(1.0, NOW_MS)
    assert await found(NOW_MS + MINUTE) == [("ups_on_battery", "device:R1", True)]
    assert await found(NOW_MS + 100 * MINUTE) == [("ups_on_battery", "device:R1", True)]
    await say(0.0, NOW_MS + 101 * MINUTE)
    assert await found(NOW_MS + 102 * MINUTE) == [("ups_on_battery", "device:R1", False)]


async def test_what_a_stand_in_reads_is_a_finding_of_the_unit_of_the_device(
    writer: Writer, database: Database
) -> None:
    """And what the collector itself read last counts no more until it is back."""
    sender, device = await add_device(database)
    other = await add_source(database, kind="collector")
    body = replace(state(DeviceReading("ups_on_battery", 0.0)), device=device)
    await writer.submit(sender.batch([sender.report("device", body, NOW_MS)], NOW_MS))
    async with database.transaction() as session:
        await session.execute(
            "INSERT INTO lease (name, holder, fence, expires_at_ms) VALUES (:name, :holder, 2, :at)",
            name=f"collector:{sender.source_id}", holder=str(other.source_id), at=NOW_MS + MINUTE,
        )  # fmt: skip
        await insert(
            session, "device_reading_now", device_id=device, source_id=other.source_id,
            name="ups_on_battery", part="", value=1.0, read_at_ms=NOW_MS, changed_at_ms=NOW_MS,
        )  # fmt: skip

    async def nothing(_: Session) -> None:
        return None

    await device_health_now.run(database, NOW_MS + MINUTE, nothing)

    found = await database.read(
        "SELECT f.subject, f.unit_id = d.unit_id AS placed FROM finding f JOIN device d ON d.id = :id",
        id=device,
    )
    assert [(row["subject"], bool(row["placed"])) for row in found] == [("device:R1", True)]
    series = await database.read(devices.CHANGED, since=0)
    assert [(row["device_id"], row["value"]) for row in series] == [(device, 1.0)]


def test_stale_readings_have_no_series() -> None:
    rows: list[dict[str, Any]] = [
        {"device_id": 7, "unit_id": 3, "name": name, "part": part, "value": value,
         "read_at_ms": NOW_MS - age * MINUTE}
        for name, part, value, age in (
            ("cpu_ratio", "", 0.25, 1), ("printed_pages", "1.1", 18443.0, 4),
            ("temperature_celsius", "3", 40.0, 16),
        )
    ]  # fmt: skip

    block = devices.render(rows, Context(NOW_MS, 60.0))

    assert block is not None
    assert "".join(block.texts) == (
        'kiemke_device_cpu_ratio{device="7",part=""} 0.25\n'
        'kiemke_device_printed_pages_total{device="7",part="1.1"} 18443\n'
    )
    assert devices.render(rows[2:], Context(NOW_MS, 60.0)) is None
