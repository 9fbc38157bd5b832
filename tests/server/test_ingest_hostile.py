"""Reports that mean harm, or look so, through the decoder and the writer: bounded, and alone."""

import asyncio
import json
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.ingest import group as group_module
from kiemke.server.ingest.decode import decode_batch
from kiemke.server.ingest.incoming import IncomingBatch, Outcome
from kiemke.server.ingest.streams import Stream
from kiemke.server.ingest.writer import Busy, Unavailable, Writer
from kiemke.wire.codec import encode_report
from kiemke.wire.inventory import Software
from kiemke.wire.report import Event, Inventory, Report, Sample, Section
from tests.support.reporting import NOW_MS, Sender, add_source

VIETNAM = 7 * 3600
MINUTE = 60_000


def event(sender: Sender, n: int) -> Report:
    return sender.report("event", Event("session", {"n": str(n)}), NOW_MS - MINUTE, seq=n)


def raw_report(kind: str, body: str) -> bytes:
    head = b'{"stream":1,"seq":1,"boot_id":"b","at":"2026-11-22T03:59:00Z","uptime_seconds":1,'
    return head + f'"kind":"{kind}","body":{body}}}'.encode()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("sample", '{"covered_seconds":1,"memory_used_bytes":1%s}' % ("0" * 400)),
        ("device", '{"device":1%s,"outcome":"ok"}' % ("0" * 400)),
        ("interfaces", '{"device":1,"outcome":"ok","rows":[{"index":1%s}]}' % ("0" * 400)),
        ("reachability", '{"target":1%s,"sent":1,"received":1}' % ("0" * 400)),
    ],
)
def test_a_number_of_400_digits_spoils_its_own_report_alone(kind: str, body: str) -> None:
    """No float holds it: an error of the server's own would make the sender send it for ever."""
    sender = Sender("s", kind="collector")

    batch = sender.batch([raw_report(kind, body), raw_report("event", '{"name":"boot"}')])

    assert [r.problem is None for r in batch.reports] == [False, True]
    assert "out of range" in str(batch.reports[0].problem)


def test_what_an_inventory_says_of_a_failed_sensor_is_cleaned_like_all_text() -> None:
    body = {"sections": {"system": {"status": "failed", "detail": "a\u202eb\u0000c\u200b"}}}

    batch = Sender("s").batch([raw_report("inventory", json.dumps(body))])

    assert batch.reports[0].problem is None
    assert batch.reports[0].body.sections["system"].detail == "abc"


def test_a_token_that_is_not_plain_text_is_refused_on_both_databases_alike() -> None:
    body = {"sections": {"system": {"status": "ok", "token": "a\u0000"}}}

    batch = Sender("s").batch([raw_report("inventory", json.dumps(body))])

    assert batch.reports[0].problem == "system: the token is not plain text"


def test_holes_cut_in_a_hole_do_not_grow_without_bound() -> None:
    """Every second number of a huge hole would add a range each."""
    stream = Stream()
    stream.take(2**62)

    for seq in range(2, 4000, 2):
        stream.take(seq)

    assert len(stream.missing) <= 64
    assert len(stream.missing_text()) < 20 * 2 * 64


async def test_ever_new_sections_are_kept_only_so_far(writer: Writer, database: Database) -> None:
    sender = await add_source(database)
    outcomes = []
    for turn in range(3):
        names = ["os", *(f"news_{turn}_{n}" for n in range(25))]
        body = Inventory({name: Section("ok", token="t", rows=()) for name in names})
        report = sender.report("inventory", body, NOW_MS)
        outcomes.append(await writer.submit(sender.batch([report])))
    rows = await database.read("SELECT COUNT(*) AS n FROM source_section")

    assert [len(one.rejected) for one in outcomes] == [0, 0, 1]
    assert "does not know" in outcomes[2].rejected[0][2]
    assert rows[0]["n"] == 51


async def test_garbage_for_ever_is_kept_only_so_far(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest are kept, of each as much as tells what it was; another source's are not touched."""
    monkeypatch.setattr(group_module, "MAX_REJECTED_REPORTS", 5)
    monkeypatch.setattr(group_module, "MAX_REJECTED_BYTES", 200)
    sender, other = await add_source(database), await add_source(database)
    spoilt = encode_report(event(other, 1)).replace(b'"event"', b'"future"')
    await writer.submit(other.batch([spoilt]))
    for n in range(1, 9):
        raw = encode_report(event(sender, n)).replace(b'"event"', b'"future"')
        await writer.submit(
            sender.batch([raw.replace(b'"detail"', b'"x":"%s","detail"' % (b"y" * 999))])
        )

    rows = await database.read(
        "SELECT source_id, seq, report_bytes FROM rejected_report ORDER BY source_id, id"
    )

    mine = [r for r in rows if r["source_id"] == sender.source_id]
    assert [r["seq"] for r in mine] == [4, 5, 6, 7, 8]
    assert {len(bytes(r["report_bytes"])) for r in mine} == {200}
    assert len(rows) == 6


async def test_a_cloned_source_let_in_again_is_taken_until_its_twin_speaks(
    writer: Writer, database: Database
) -> None:
    """After a person cleared it, the very boot that was caught may go on; the clone may not."""
    sender = await add_source(database)

    async def say(boot: str, n: int) -> int | None:
        sender.boot_id = boot
        outcome = await writer.submit(sender.batch([event(sender, n)], NOW_MS + n * MINUTE))
        return outcome.refused and outcome.refused[0]

    before = [await say(boot, n) for n, boot in enumerate(("a", "b", "a", "b"), 1)]
    async with database.transaction() as session:
        await session.execute("UPDATE source SET state = 'approved', state_reason = NULL")
    after = [await say(boot, n) for n, boot in enumerate(("a", "a", "b"), 5)]

    assert before == [None, None, 409, 409]
    assert after == [None, None, 409]


async def test_streams_of_one_batch_are_applied_in_the_order_they_were_begun(
    writer: Writer, database: Database
) -> None:
    """The old stream's high numbers come before the new stream's low ones, as they happened."""
    sender = await add_source(database)
    old = [
        sender.report("sample", Sample(0.0, user="old"), NOW_MS - (9 - n) * MINUTE, seq=90 + n)
        for n in range(3)
    ]
    sender.stream ^= 1
    new = [sender.report("sample", Sample(0.0, user="new"), NOW_MS - MINUTE, seq=1)]

    await writer.submit(sender.batch([*old, *new]))
    row = (await database.read("SELECT last_sample_json FROM source_now"))[0]

    assert json.loads(row["last_sample_json"])["user"] == "new"


class _Away(Database):
    """A real database whose next transactions fail as if it had gone, counted."""

    tried = 0

    def transaction(self) -> Any:
        self.tried += 1
        raise ConnectionRefusedError("nobody listens")


async def test_a_database_that_is_away_is_asked_once_for_a_whole_group(database: Database) -> None:
    """Two hundred time-outs one after the other would keep every sender waiting for an hour."""
    senders = [await add_source(database) for _ in range(20)]
    away = _Away(database.url)
    writer = Writer(away, VIETNAM, group_milliseconds=20)
    await writer.start()

    answers = await asyncio.gather(
        *(writer.submit(s.batch([event(s, 1)])) for s in senders), return_exceptions=True
    )
    await writer.stop()

    assert {type(a) for a in answers} == {Unavailable}
    assert away.tried == 1


async def test_the_queue_is_bounded_by_bytes_as_well(database: Database) -> None:
    sender = await add_source(database)
    batches = [sender.batch([event(sender, n)]) for n in (1, 2, 3)]
    writer = Writer(database, VIETNAM, group_milliseconds=1, queue_bytes=batches[0].size_bytes + 1)
    waiting = asyncio.create_task(writer.submit(batches[0]))
    await asyncio.sleep(0)

    with pytest.raises(Busy):
        await writer.submit(batches[1])
    await writer.start()
    first = await waiting
    later = await writer.submit(batches[2])  # what was written makes room again
    await writer.stop()

    assert (first.applied, later.applied) == (1, 1)


async def test_a_fault_outside_every_transaction_stops_no_later_batch(database: Database) -> None:
    sender = await add_source(database)
    faults = [RuntimeError("a metric failed")]

    def observe(_: object) -> None:
        if faults:
            raise faults.pop()

    writer = Writer(database, VIETNAM, group_milliseconds=1, on_applied=observe)
    await writer.start()

    with pytest.raises(Unavailable):
        await writer.submit(sender.batch([event(sender, 1)]))
    again = await asyncio.wait_for(writer.submit(sender.batch([event(sender, 1)])), 30)
    await writer.stop()

    assert (again.applied, again.repeated) == (0, 1)


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # SQLite has one writer
async def test_two_servers_that_add_the_same_titles_never_wait_for_each_other(
    database: Database,
) -> None:
    """Each group adds the titles of all its sources in one order, not source by source."""
    writers = [Writer(database, VIETNAM, group_milliseconds=5) for _ in range(2)]
    senders = [[await add_source(database) for _ in range(2)] for _ in writers]

    def inventory(sender: Sender, turn: int, letter: str) -> IncomingBatch:
        rows = tuple(Software(name=f"{letter}{turn}-{n}") for n in range(150))
        body = Inventory({"software": Section("ok", token=f"{turn}", rows=rows)})
        return sender.batch([sender.report("inventory", body, NOW_MS + turn)], NOW_MS + turn)

    for one in writers:
        await one.start()
    for turn in range(15):
        outcomes: list[Outcome] = await asyncio.gather(
            *(
                writer.submit(inventory(sender, turn, letter))
                for writer, both, letters in zip(writers, senders, ("za", "az"), strict=True)
                for sender, letter in zip(both, letters, strict=True)
            )
        )
        assert all(o.applied == 1 for o in outcomes)
    for one in writers:
        await one.stop()

    deadlocks = await database.read(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert deadlocks[0]["deadlocks"] == 0


def test_a_batch_knows_what_it_costs_to_keep() -> None:
    sender = Sender("s")
    data = sender.body([event(sender, 1)])

    assert decode_batch(data, "s", 1, "agent", NOW_MS).size_bytes == len(data)


@pytest.mark.parametrize(
    "body",
    [
        '{"covered_seconds":1,"disk_read_bytes":-1}',
        '{"covered_seconds":1,"volumes":[{"mount_point":"/","size_bytes":1,"free_bytes":-1}]}',
        '{"covered_seconds":1,"reach":[{"target":"gateway","sent":1,"received":2}]}',
        '{"covered_seconds":1,"reach":[{"target":"minister","sent":1,"received":1}]}',
    ],
)
def test_a_sample_that_cannot_be_true_is_set_aside(body: str) -> None:
    batch = Sender("s").batch([raw_report("sample", body)])

    assert batch.reports[0].problem is not None


def test_a_whole_sample_is_understood() -> None:
    body = (
        '{"covered_seconds":60,"disk_read_bytes":5,"disk_written_bytes":18446744073709551615,'
        '"volumes":[{"mount_point":"/","size_bytes":9,"free_bytes":3}],'
        '"reach":[{"target":"gateway","sent":5,"received":0},'
        '{"target":"server","sent":5,"received":5,"rtt_seconds":0.002}]}'
    )

    assert Sender("s").batch([raw_report("sample", body)]).reports[0].problem is None
