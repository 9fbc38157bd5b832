"""Which counters a line's figures may be made of, when interfaces change their number or name."""

import asyncio
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.ingest.link_days import LinkDays
from kiemke.server.ingest.writer import Writer
from kiemke.wire.report import InterfaceReading, Interfaces, Reachability, Report
from tests.support.ports import SPEED, add_line, add_version
from tests.support.reporting import NOW_MS, Sender, add_source, insert

VIETNAM = 7 * 3600
MINUTE = 60_000


def row(index: int, name: str, octets: int) -> InterfaceReading:
    return InterfaceReading(
        index,
        name,
        speed_bits_per_second=SPEED,
        counter_bits=64,
        in_octets=octets,
        out_octets=octets,
    )


def poll(sender: Sender, device: int, at_ms: int, *rows: InterfaceReading) -> Report:
    return sender.report("interfaces", Interfaces(device, "ok", rows=rows), at_ms)


async def octets_of(database: Database, link: int) -> int:
    rows = await database.read("SELECT receive_octets FROM link_day WHERE link_id = :l", l=link)
    return sum(int(r["receive_octets"]) for r in rows)


async def test_a_number_that_another_interface_has_now_makes_no_interval(
    writer: Writer, database: Database
) -> None:
    """After a reboot wan has the number lan1 had: their counters have nothing to do with another."""
    sender = await add_source(database, kind="collector")
    link, device = await add_line(database, sender, "a", "wan")

    await writer.submit(
        sender.batch(
            [
                poll(sender, device, NOW_MS - 2 * MINUTE, row(1, "lan1", 5_000), row(2, "wan", 0)),
                poll(sender, device, NOW_MS - MINUTE, row(1, "wan", 9_000_000)),
                poll(sender, device, NOW_MS, row(1, "wan", 9_000_700)),
            ]
        )
    )

    assert await octets_of(database, link) == 700


async def test_a_name_that_stands_twice_is_nobodys_port(writer: Writer, database: Database) -> None:
    """Some switches call every port "Ethernet": the line's traffic is unknown, not their sum."""
    sender = await add_source(database, kind="collector")
    link, device = await add_line(database, sender, "a", "Ethernet")

    for n in (1, 0):
        rows = [row(port, "Ethernet", (2 - n) * 1_000) for port in (1, 2)]
        await writer.submit(sender.batch([poll(sender, device, NOW_MS - n * MINUTE, *rows)]))

    assert await octets_of(database, link) == 0


async def test_two_versions_that_overlap_count_an_interval_once(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    link, device = await add_line(database, sender, "a", "wan")
    await add_version(database, link, device, "wan")

    for n in (1, 0):
        reading = row(1, "wan", (2 - n) * 1_000)
        await writer.submit(sender.batch([poll(sender, device, NOW_MS - n * MINUTE, reading)]))

    assert await octets_of(database, link) == 1_000


async def test_an_interface_that_is_gone_does_not_pull_in_every_day_since(
    writer: Writer, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A PPP interface of last month stands there for ever: each poll would read a month of days."""
    sender = await add_source(database, kind="collector")
    _, device = await add_line(database, sender, "a", "wan")
    old_ms = NOW_MS - 30 * 86_400_000
    sender.booted_ms = old_ms - MINUTE
    await writer.submit(
        sender.batch([poll(sender, device, old_ms, row(7, "ppp7", 1), row(2, "wan", 1))], old_ms)
    )
    await writer.submit(
        sender.batch([poll(sender, device, NOW_MS - MINUTE, row(2, "wan", 5))], NOW_MS - MINUTE)
    )
    spans: list[int] = []
    load = LinkDays.load

    async def watched(self: LinkDays, *args: Any) -> None:
        spans.append(args[3] - args[2])
        await load(self, *args)

    monkeypatch.setattr(LinkDays, "load", watched)
    await writer.submit(sender.batch([poll(sender, device, NOW_MS, row(2, "wan", 9))]))

    assert spans == [0]


@pytest.mark.parametrize("dialect", ["postgres"], indirect=True)  # SQLite has one writer
async def test_servers_that_touch_the_same_lines_by_polls_and_probes_never_deadlock(
    database: Database,
) -> None:
    """One holds line 1 by a poll and wants 2 for a probe, the other the other way round."""
    senders = [await add_source(database, kind="collector") for _ in range(2)]
    lines = [await add_line(database, s, f"{n}", "wan") for n, s in enumerate(senders)]
    targets = []
    async with database.transaction() as session:
        for sender, (link, _) in zip(senders, reversed(lines), strict=True):
            targets.append(
                await insert(
                    session,
                    "probe_target",
                    link_id=link,
                    collector_id=sender.source_id,
                    address="192.0.2.1",
                    purpose="domestic",
                    echo_count=5,
                )
            )
    writers = [Writer(database, VIETNAM, group_milliseconds=1) for _ in senders]
    for one in writers:
        await one.start()
    for turn in range(60):
        at_ms = NOW_MS + turn * MINUTE
        outcomes = await asyncio.gather(
            *(
                w.submit(
                    s.batch(
                        [
                            poll(s, device, at_ms, row(1, "wan", turn * 1000)),
                            s.report("reachability", Reachability(target, 5, 5), at_ms),
                        ],
                        at_ms,
                    )
                )
                for w, s, (_, device), target in zip(writers, senders, lines, targets, strict=True)
            )
        )
        assert [o.applied for o in outcomes] == [2, 2]
    for one in writers:
        await one.stop()

    rows = await database.read(
        "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    )
    assert rows[0]["deadlocks"] == 0


async def test_two_collectors_that_poll_at_once_are_never_added_up(
    writer: Writer, database: Database
) -> None:
    """While one takes over from the other both may read the same port: the total grows once."""
    home = await add_source(database, kind="collector")
    async with database.reading() as session:
        unit = await session.one("SELECT unit_id FROM source WHERE id = :i", i=home.source_id)
    assert unit is not None
    other = await add_source(database, kind="collector", unit=unit["unit_id"])
    stranger = await add_source(database, kind="collector")
    link, device = await add_line(database, home, "a", "wan")

    for minutes, octets in ((3, 0), (2, 1_000), (1, 2_000), (0, 3_000)):
        for sender, late_ms in ((home, 0), (other, 2_000)):
            if (sender, minutes) != (home, 0):  # the home falls silent before the last minute
                at_ms = NOW_MS - minutes * MINUTE - 5_000 + late_ms
                await writer.submit(
                    sender.batch([poll(sender, device, at_ms, row(1, "wan", octets))])
                )
    said = await writer.submit(
        stranger.batch([poll(stranger, device, NOW_MS, row(1, "wan", 9_000))])
    )
    now = await database.read(
        "SELECT receive_octets_total AS t FROM link_now WHERE link_id = :l", l=link
    )

    # Of two minutes that are fresh enough to be live: the home's, then the other's.
    assert now[0]["t"] == "2000"
    assert len(said.rejected) == 1
