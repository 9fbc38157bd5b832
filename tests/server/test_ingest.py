"""Reports through the writer: exactly once, in their true slot, by those who may."""

import asyncio
import json
import random
from datetime import date
from typing import Any

import pytest

from kiemke.server.daypack import Presence
from kiemke.server.db import Database, as_date
from kiemke.server.ingest.incoming import Outcome
from kiemke.server.ingest.writer import Writer
from kiemke.wire.codec import encode_report
from kiemke.wire.inventory import System
from kiemke.wire.report import (
    Event,
    Interfaces,
    Inventory,
    Reachability,
    Report,
    Sample,
    Section,
)
from tests.support.office import Office
from tests.support.reporting import NOW_MS, Sender, add_source

MINUTE = 60_000


async def send(
    writer: Writer, sender: Sender, reports: list[Report], sent_ms: int = NOW_MS
) -> Outcome:
    return await writer.submit(sender.batch(reports, sent_ms))


async def events_of(database: Database, sender: Sender) -> list[str]:
    rows = await database.read(
        "SELECT detail_json FROM source_event WHERE source_id = :s ORDER BY id", s=sender.source_id
    )
    return [json.loads(r["detail_json"])["n"] for r in rows]


def event(sender: Sender, n: int, at_ms: int = NOW_MS - MINUTE) -> Report:
    return sender.report("event", Event("session", {"n": str(n)}), at_ms, seq=n)


async def test_a_batch_sent_twice_counts_once(writer: Writer, database: Database) -> None:
    """The answer may be lost: the sender sends again, and nothing may double."""
    sender = await add_source(database)
    reports = [event(sender, n) for n in (1, 2, 3)]

    first = await send(writer, sender, reports)
    again = await send(writer, sender, reports)

    assert first.ack == again.ack == {sender.stream: 3}
    assert (again.applied, again.repeated) == (0, 3)
    assert await events_of(database, sender) == ["1", "2", "3"]


async def test_reports_in_any_order_count_once_each(writer: Writer, database: Database) -> None:
    sender = await add_source(database)
    numbers = list(range(1, 61))
    shuffler = random.Random(7)
    shuffler.shuffle(numbers)
    batches = [[event(sender, n) for n in numbers[i : i + 7]] for i in range(0, 60, 7)]
    batches += batches[::2]
    shuffler.shuffle(batches)

    for reports in batches:
        await send(writer, sender, reports)

    assert sorted(map(int, await events_of(database, sender))) == list(range(1, 61))
    row = (await database.read("SELECT * FROM source_stream"))[0]
    assert (row["last_seq"], row["gap_reports"], row["missing"]) == (60, 0, "")


async def test_a_restored_server_takes_a_stream_from_where_it_stands(
    writer: Writer, database: Database
) -> None:
    """A server back from a backup has never seen 1 to 40; the sender no longer has them."""
    sender = await add_source(database)

    outcome = await send(writer, sender, [event(sender, n) for n in (41, 42)])

    assert outcome.ack == {sender.stream: 42}
    row = (await database.read("SELECT * FROM source_stream"))[0]
    assert (row["gap_reports"], row["missing"]) == (40, "1-40")


async def test_a_rolled_back_disk_loses_nothing(writer: Writer, database: Database) -> None:
    """After a re-image the numbers begin anew, in a new stream."""
    sender = await add_source(database)
    await send(writer, sender, [event(sender, n) for n in (1, 2, 3)])
    sender.stream += 1 if sender.stream < 2**64 - 1 else -1

    outcome = await send(writer, sender, [event(sender, n) for n in (1, 2)])

    assert outcome.applied == 2
    assert len(await events_of(database, sender)) == 5


async def test_one_poison_report_among_a_thousand_is_set_aside_alone(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database)
    good = [event(sender, n) for n in range(1, 1001)]
    raw = [encode_report(r) for r in good]
    raw[500] = raw[500].replace(b'"session"', b'["not","a","name"]')

    outcome = await writer.submit(sender.batch(raw))

    assert outcome.ack == {sender.stream: 1000}
    assert [(stream, seq) for stream, seq, _ in outcome.rejected] == [(sender.stream, 501)]
    assert len(await events_of(database, sender)) == 999
    kept = (await database.read("SELECT * FROM rejected_report"))[0]
    assert bytes(kept["report_bytes"]) == raw[500]
    assert "name" in kept["reason"]


async def test_a_report_the_database_refuses_spoils_no_neighbour(
    writer: Writer, database: Database
) -> None:
    """Found only by the database itself: the group is taken apart until it stands alone."""
    sender = await add_source(database)
    other = await add_source(database)
    poison = sender.batch([event(sender, 1), event(sender, 2), event(sender, 3)])
    # A name no column takes, as a future bug in the checks would let it through.
    poison.reports[1].body = Event(name=None, detail={"n": "2"})  # type: ignore[arg-type]

    first, second = await asyncio.gather(
        writer.submit(poison), writer.submit(other.batch([event(other, 1)]))
    )

    assert first.ack == {sender.stream: 3}
    assert [seq for _, seq, _ in first.rejected] == [2]
    assert second.applied == 1
    assert await events_of(database, sender) == ["1", "3"]


async def test_an_unknown_kind_is_rejected_with_a_reason(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database)
    raw = encode_report(event(sender, 1)).replace(b'"kind":"event"', b'"kind":"future"')

    outcome = await writer.submit(sender.batch([raw]))

    assert outcome.rejected == [(sender.stream, 1, "unknown kind 'future'")]


async def test_an_agent_may_not_speak_as_a_collector(writer: Writer, database: Database) -> None:
    sender = await add_source(database)
    reports = [
        sender.report("interfaces", Interfaces(1, "ok"), NOW_MS - MINUTE),
        sender.report("reachability", Reachability(1, 5, 5), NOW_MS - MINUTE),
    ]

    outcome = await send(writer, sender, reports)

    assert [reason for _, _, reason in outcome.rejected] == [
        "a source of kind agent may not say interfaces",
        "probe target 1 is not assigned to this source",
    ]


async def test_a_collector_may_not_speak_of_a_device_that_is_not_its_own(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    report = sender.report("interfaces", Interfaces(77, "ok"), NOW_MS - MINUTE)

    outcome = await send(writer, sender, [report])

    assert [r for _, _, r in outcome.rejected] == ["device 77 is not assigned to this source"]


async def test_a_revoked_source_is_told_so_and_nothing_is_taken(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, state="revoked")

    outcome = await send(writer, sender, [event(sender, 1)])

    assert outcome.refused is not None and outcome.refused[0] == 401
    assert outcome.ack == {}
    assert await events_of(database, sender) == []


async def test_boots_that_alternate_quarantine_the_source(
    writer: Writer, database: Database
) -> None:
    """A cloned disk: two PCs speak with one secret, each in its own boot."""
    sender = await add_source(database)
    boots = ("boot-a", "boot-b")
    outcomes = []
    for n, boot in enumerate((boots[0], boots[1], boots[0]), start=1):
        sender.boot_id = boot
        outcomes.append(await send(writer, sender, [event(sender, n)], NOW_MS + n * MINUTE))

    row = (await database.read("SELECT state FROM source"))[0]
    findings = await database.read("SELECT kind FROM finding WHERE closed_at_ms IS NULL")

    assert [o.refused and o.refused[0] for o in outcomes] == [None, None, 409]
    assert row["state"] == "quarantined"
    assert [f["kind"] for f in findings] == ["cloned_source"]


# --- presence ----------------------------------------------------------------------------------


async def presence_of(database: Database, sender: Sender) -> dict[date, tuple[int, int, Any]]:
    rows = await database.read(
        "SELECT day, slots, trusted_slots, user_slots_json, packed FROM presence_day"
        " WHERE source_id = :s",
        s=sender.source_id,
    )
    for row in rows:
        assert Presence.unpack(row["packed"]).on.bit_count() == row["slots"]
    return {as_date(r["day"]): (r["slots"], r["trusted_slots"], r["user_slots_json"]) for r in rows}


async def test_a_sample_marks_every_slot_it_covers(writer: Writer, database: Database) -> None:
    """11:00 in Viet Nam, an hour covered: slots 10:00 to 11:00 are twelve."""
    sender = await add_source(database)
    report = sender.report("sample", Sample(3600.0, user="lan"), NOW_MS)

    await send(writer, sender, [report])

    assert await presence_of(database, sender) == {date(2026, 11, 22): (12, 12, '{"lan": 12}')}


async def test_who_sat_there_most_is_no_account_that_the_days_rule_calls_nobody(
    writer: Writer, database: Database
) -> None:
    """The rule holds from 23/11 on: the day before is told by the list that ships."""
    office = Office()
    office.add_dated(
        "rule", name="accounts_of_nobody", subject="", value_json='["KeToan"]', source_text=None,
        valid_from=date(2026, 11, 23),
    )  # fmt: skip
    await office.write_to(database)
    sender = await add_source(database)
    for day in (0, 1):
        at_ms = NOW_MS + day * 24 * 60 * MINUTE
        told = [(3600.0, "VP\\KeToan", 0), (600.0, "lan", 30), (600.0, "admin", 60)]
        reports = [
            sender.report("sample", Sample(covered, user=user), at_ms + after * MINUTE)
            for covered, user, after in told
        ]
        await send(writer, sender, reports, at_ms + 90 * MINUTE)

    rows = await database.read("SELECT main_account FROM presence_day ORDER BY day")

    assert [row["main_account"] for row in rows] == ["ketoan", "lan"]


async def test_a_sample_over_midnight_belongs_to_two_local_days(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database)
    midnight_ms = NOW_MS - 11 * 60 * MINUTE
    report = sender.report("sample", Sample(1800.0), midnight_ms + 10 * MINUTE)

    await send(writer, sender, [report])

    assert await presence_of(database, sender) == {
        date(2026, 11, 21): (4, 4, None),
        date(2026, 11, 22): (2, 2, None),
    }


@pytest.mark.parametrize("year_error_days", [-17 * 365, 12 * 365, 0])
async def test_a_wrong_clock_moves_nothing_while_the_boot_is_known(
    writer: Writer, database: Database, year_error_days: int
) -> None:
    """A battery-less clock says 2009 or 2038; uptime tells the truth."""
    sender = await add_source(database)
    sender.clock_error_ms = year_error_days * 86_400_000
    report = sender.report("sample", Sample(0.0), NOW_MS - 25 * 60 * MINUTE)

    await send(writer, sender, [report])

    assert await presence_of(database, sender) == {date(2026, 11, 21): (1, 1, None)}


async def test_a_boot_that_ended_before_it_could_send_is_no_evidence(
    writer: Writer, database: Database
) -> None:
    """Its times rest on a wall clock alone: kept, but never trusted."""
    sender = await add_source(database)
    old = sender.report("sample", Sample(0.0), NOW_MS - 60 * MINUTE)
    sender.boot_id, sender.booted_ms = "next", NOW_MS - 10 * MINUTE

    await send(writer, sender, [old])

    assert await presence_of(database, sender) == {date(2026, 11, 22): (1, 0, None)}


async def test_a_boot_heard_of_before_stays_sure_after_it_ended(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database)
    await send(writer, sender, [event(sender, 1)], NOW_MS - 120 * MINUTE)
    late = sender.report("sample", Sample(0.0), NOW_MS - 60 * MINUTE, seq=2)
    sender.boot_id, sender.booted_ms = "next", NOW_MS - 10 * MINUTE

    await send(writer, sender, [late])

    assert await presence_of(database, sender) == {date(2026, 11, 22): (1, 1, None)}


async def test_a_paused_virtual_machine_proves_no_presence_of_doubtful_hours(
    writer: Writer, database: Database
) -> None:
    """Paused for ten hours its uptime stands still: a sample may be from before or from after."""
    sender = await add_source(database)
    start_ms = NOW_MS - 11 * 60 * MINUTE
    heard = [sender.report("sample", Sample(0.0), start_ms)]
    kept = [sender.report("sample", Sample(0.0), start_ms - 30 * MINUTE)]
    doubtful = [sender.report("sample", Sample(0.0), start_ms + 5 * MINUTE)]
    await send(writer, sender, heard, start_ms)
    sender.booted_ms += 10 * 60 * MINUTE

    await send(writer, sender, kept + doubtful, NOW_MS - 30 * MINUTE)
    sure = await send(writer, sender, [sender.report("sample", Sample(0.0), NOW_MS)], NOW_MS)

    assert sure.applied == 1
    assert await presence_of(database, sender) == {
        date(2026, 11, 21): (1, 1, None),  # made before the last batch that was heard: 23:30
        date(2026, 11, 22): (3, 2, None),  # 00:00 and 11:00 are sure, what was in between is not
    }


# --- inventory ---------------------------------------------------------------------------------


async def test_an_inventory_asks_for_the_sections_it_lacks(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database)
    told = Inventory({"system": Section("ok", token="t1")})
    full = Inventory({"system": Section("ok", token="t1", rows=(System(serial="PF1"),))})

    asked = await send(writer, sender, [sender.report("inventory", told, NOW_MS - MINUTE)])
    given = await send(writer, sender, [sender.report("inventory", full, NOW_MS - 1)])
    quiet = await send(writer, sender, [sender.report("inventory", told, NOW_MS)])
    row = (await database.read("SELECT * FROM source_section"))[0]

    assert (asked.need, given.need, quiet.need) == (["system"], [], [])
    assert json.loads(row["rows_json"]) == [{"serial": "PF1"}]


async def test_a_sensor_that_fails_takes_nothing_away(writer: Writer, database: Database) -> None:
    sender = await add_source(database)
    full = Inventory({"system": Section("ok", token="t1", rows=(System(serial="PF1"),))})
    failed = Inventory({"system": Section("timeout", detail="no answer in 5 s")})

    await send(writer, sender, [sender.report("inventory", full, NOW_MS - MINUTE)])
    await send(writer, sender, [sender.report("inventory", failed, NOW_MS)])
    row = (await database.read("SELECT * FROM source_section"))[0]

    assert (row["status"], json.loads(row["rows_json"])) == ("timeout", [{"serial": "PF1"}])
