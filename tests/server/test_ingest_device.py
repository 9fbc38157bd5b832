"""What a device says it is: stored by its collector's report, half an answer beside a whole one."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.ingest.writer import Writer
from kiemke.wire.report import Device, DeviceIdentity
from tests.support.reporting import NOW_MS, Sender, add_source, insert

MINUTE = 60_000
WHOLE = DeviceIdentity(
    True, "MikroTik", "router", "RB750Gr3", "7.14.3", "HEX0123", "r1", "Tầng 2, nhà A"
)


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    """A running writer."""
    made = Writer(database, 7 * 3600, group_milliseconds=1)
    await made.start()
    yield made
    await made.stop()


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
