"""Readings and probes through the writer: honest slots, live totals, a line's state."""

from typing import Any

from kiemke.server.daypack import LinkSlots
from kiemke.server.db import Database
from kiemke.server.ingest.incoming import Outcome
from kiemke.server.ingest.writer import Writer
from kiemke.wire.report import InterfaceReading, Interfaces, Reachability, Report
from tests.support import ports
from tests.support.reporting import NOW_MS, Sender, add_source, insert

MINUTE = 60_000


async def send(
    writer: Writer, sender: Sender, reports: list[Report], sent_ms: int = NOW_MS
) -> Outcome:
    return await writer.submit(sender.batch(reports, sent_ms))


async def add_line(
    database: Database, sender: Sender, targets: int = 1
) -> tuple[int, int, list[int]]:
    """Add a 100 Mbit/s line on port wan of a device polled by ``sender``: link, device, targets."""
    link, device = await ports.add_line(database, sender, str(sender.source_id), "wan")
    async with database.transaction() as session:
        made = [
            await insert(
                session,
                "probe_target",
                link_id=link,
                collector_id=sender.source_id,
                address=f"192.0.2.{n}",
                purpose="domestic",
                echo_count=5,
            )
            for n in range(targets)
        ]
    return link, device, made


def reading(
    sender: Sender,
    device: int,
    at_ms: int,
    octets: int,
    uptime: float,
    *,
    ago: float | None = None,
    **more: Any,
) -> Report:
    row = InterfaceReading(
        index=2,
        name="wan",
        oper_up=True,
        speed_bits_per_second=100_000_000,
        counter_bits=64,
        in_octets=octets,
        out_octets=octets // 10,
        octets_ago_seconds=ago,
    )
    body = Interfaces(device, "ok", sys_uptime_seconds=uptime, rows=(row,))
    return sender.report("interfaces", body, at_ms, **more)


async def line_now(database: Database, link: int) -> dict[str, Any]:
    rows = await database.read("SELECT * FROM link_now WHERE link_id = :l", l=link)
    return rows[0]


async def test_live_intervals_advance_the_totals_and_fill_their_slot(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    link, device, _ = await add_line(database, sender)

    for n in range(4):
        at_ms = NOW_MS - (3 - n) * MINUTE
        report = reading(sender, device, at_ms, n * 60_000_000, 5000.0 + 60 * n)
        await send(writer, sender, [report], at_ms)
    now = await line_now(database, link)
    day = (await database.read("SELECT * FROM link_day"))[0]
    slots = LinkSlots.unpack(day["packed"])

    assert (now["receive_octets_total"], now["transmit_octets_total"]) == ("180000000", "18000000")
    assert now["receive_bits_per_second"] == 8_000_000
    assert (day["receive_octets"], day["receive_gap_octets"]) == ("180000000", "0")
    # 11:00 sharp begins slot 132; the intervals' midpoints lie in slot 131.
    assert (slots.in_octets[131], slots.seconds[131]) == (180_000_000, 180)


async def test_a_walk_that_took_seconds_skews_no_minutes_rate(
    writer: Writer, database: Database
) -> None:
    """The second poll lost answers and ended 20 s after the octets were read: rates are of 60 s each."""
    sender = await add_source(database, kind="collector")
    link, device, _ = await add_line(database, sender)
    rates = []

    for n, ago in enumerate((None, 20.0, 0.4, None)):
        # The octets are read every minute, the polls end when they end.
        end_ms = NOW_MS - (4 - n) * MINUTE + round((ago or 0.0) * 1000)
        uptime = 5000.0 + 60 * n + (ago or 0.0)
        report = reading(sender, device, end_ms, n * 60_000_000, uptime, ago=ago)
        await send(writer, sender, [report], end_ms)
        rates.append((await line_now(database, link))["receive_bits_per_second"])
    port = (await database.read("SELECT * FROM interface_now"))[0]
    day = (await database.read("SELECT * FROM link_day"))[0]
    seconds = LinkSlots.unpack(day["packed"]).seconds[131]

    assert rates == [None, 8_000_000, 8_000_000, 8_000_000]
    assert (day["receive_octets"], seconds) == ("180000000", 180)
    assert (port["read_at_ms"], port["sys_uptime_seconds"]) == (NOW_MS - MINUTE, 5180.0)


async def test_a_week_of_late_readings_fakes_no_rate(writer: Writer, database: Database) -> None:
    """They fill their days; the live totals do not move by an octet."""
    sender = await add_source(database, kind="collector")
    link, device, _ = await add_line(database, sender)
    step = 300_000
    reports = [
        reading(sender, device, NOW_MS - 7 * 86_400_000 + n * step, n * 3_000_000, 9000.0 + 300 * n)
        for n in range(2000)
    ]

    await send(writer, sender, reports)
    now = await line_now(database, link)
    days = await database.read("SELECT receive_octets FROM link_day")

    assert now["receive_octets_total"] == "0"
    assert now["receive_bits_per_second"] is None
    assert sum(int(d["receive_octets"]) for d in days) == 1999 * 3_000_000


async def test_octets_of_a_gap_are_kept_but_make_no_rate(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    _, device, _ = await add_line(database, sender)
    early = reading(sender, device, NOW_MS - 60 * MINUTE, 0, 9000.0)
    late = reading(sender, device, NOW_MS, 123_456_789, 12_600.0)

    await send(writer, sender, [early, late])
    day = (await database.read("SELECT * FROM link_day"))[0]

    assert (day["receive_octets"], day["receive_gap_octets"]) == (None, "123456789")


async def test_a_reading_that_comes_twice_or_late_makes_no_second_interval(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    _, device, _ = await add_line(database, sender)
    times = [NOW_MS - 3 * MINUTE, NOW_MS - 2 * MINUTE, NOW_MS - MINUTE]
    reports = [
        reading(sender, device, at, n * 1_000_000, 9000.0 + 60 * n, seq=n + 1)
        for n, at in enumerate(times)
    ]

    for report in (reports[0], reports[2], reports[1], reports[2]):
        await send(writer, sender, [report])
    day = (await database.read("SELECT receive_octets FROM link_day"))[0]

    assert day["receive_octets"] == "2000000"


async def test_probes_make_the_line_up_then_down_after_more_than_one_lost_round(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    link, _, (target,) = await add_line(database, sender)
    states = []
    for n, received in enumerate((5, 0, 0)):
        at_ms = NOW_MS + n * MINUTE
        rtt = 0.012 if received else None
        body = Reachability(target, 5, received, rtt_avg_seconds=rtt, jitter_seconds=rtt)
        await send(writer, sender, [sender.report("reachability", body, at_ms)], at_ms)
        states.append((await line_now(database, link))["state"])
    now = await line_now(database, link)
    day = (await database.read("SELECT * FROM link_day"))[0]

    assert states == ["up", "up", "down"]
    assert (day["receive_octets"], day["receive_gap_octets"]) == (None, None)
    assert now["loss_ppm"] == 666_666
    assert (day["known_seconds"], day["up_seconds"]) == (300, 100)


async def test_a_probe_that_could_not_be_made_leaves_the_line_unknown(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    link, _, (target,) = await add_line(database, sender)
    body = Reachability(target, 0, 0, detail="no right to send ICMP")

    await send(writer, sender, [sender.report("reachability", body, NOW_MS)])

    assert (await line_now(database, link))["state"] == "unknown"
    assert await database.read("SELECT 1 FROM link_day") == []


async def test_with_two_targets_one_answer_keeps_the_line_up(
    writer: Writer, database: Database
) -> None:
    """A gateway that filters ICMP must not make a working line look down."""
    sender = await add_source(database, kind="collector")
    link, _, targets = await add_line(database, sender, targets=2)
    reports = []
    for n in range(5):
        at_ms = NOW_MS - (5 - n) * MINUTE
        for target, received in zip(targets, (0, 5), strict=True):
            body = Reachability(target, 5, received, rtt_avg_seconds=0.01 if received else None)
            reports.append(sender.report("reachability", body, at_ms))

    await send(writer, sender, reports)
    day = (await database.read("SELECT * FROM link_day"))[0]

    assert (await line_now(database, link))["state"] in ("up", "unknown")
    assert day["known_seconds"] == day["up_seconds"] == 300
