"""What devices proved to have said: kept by device, of assigned ones only."""

from kiemke.server.db import Database
from kiemke.server.ingest.writer import Writer
from kiemke.wire.report import Event
from tests.support.ports import add_line
from tests.support.reporting import NOW_MS, add_source


async def test_a_proven_trap_is_kept_with_its_device_and_a_strangers_is_set_aside(
    writer: Writer, database: Database
) -> None:
    mine, other = [await add_source(database, kind="collector") for _ in range(2)]
    _, device = await add_line(database, mine, "a", "wan")
    _, foreign = await add_line(database, other, "b", "wan")
    port = {"index": "3", "interface": "ge3"}
    events = [
        Event("trap", {"device": str(device), "trap": "linkDown", "oid": "1.3", **port}),
        Event("trap", {"device": str(foreign), "trap": "linkDown"}),
        Event("trap", {"trap": "linkDown"}),
        Event("trap", {"device": "9" * 30, "trap": "linkDown"}),
        Event("outbox", {"lost": "3"}),
    ]

    answer = await writer.submit(
        mine.batch([mine.report("event", event, NOW_MS) for event in events])
    )

    rows = await database.read("SELECT device_id, name, detail_json FROM device_event")
    assert [(row["device_id"], row["name"]) for row in rows] == [(device, "linkDown")]
    assert "ge3" in rows[0]["detail_json"] and "device" not in rows[0]["detail_json"]
    assert len(answer.rejected) == 3
    assert [row["name"] for row in await database.read("SELECT name FROM source_event")] == [
        "outbox"
    ]
