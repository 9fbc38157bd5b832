"""The days of lines that no device counts, as the sum of their PCs, late reports and all."""

import json
from datetime import date
from typing import Any

from kiemke.server.daypack import UNKNOWN_U16, LinkSlots
from kiemke.server.db import Database, Session
from kiemke.server.domain.links_now import refresh_now
from kiemke.server.domain.pc_history import PcHistory
from kiemke.server.domain.pc_sums import moved_octets
from kiemke.server.domain.tables import Question
from kiemke.server.ingest.writer import Writer
from kiemke.server.metrics.families import links
from kiemke.server.metrics.families.context import Context
from kiemke.server.reports import REPORTS
from kiemke.wire.report import AdapterCounters, Report, Sample
from tests.server.test_line_basis import add_line, no_guard
from tests.support.office import Office
from tests.support.reporting import NOW_MS, Sender, add_source, add_unit, insert

MINUTE = 60_000
TODAY = date(2026, 11, 22)


def test_a_tunnel_is_in_its_adapter_and_an_adapter_that_began_anew_tells_nothing() -> None:
    before = {"eth0": (1_000, 100), "tun0": (500, 50), "usb0": (10, 0)}

    def moved(later: dict[str, tuple[int, int]]) -> tuple[int, int] | None:
        return moved_octets(before, later, 60.0)

    assert moved({"eth0": (1_900, 200), "tun0": (1_300, 140)}) == (900, 100)
    assert moved({"eth0": (1_900, 200), "tun0": (3, 0)}) == (900, 100)
    assert moved({"eth0": (40, 4), "usb0": (20, 5)}) is None
    assert moved({"wlan0": (40, 4)}) is None
    assert moved(before) == (0, 0)
    assert moved({"eth0": (1_900, 200), "usb0": (2**63, 5)}) == (900, 100)
    assert moved({"eth0": (2**64 - 1, 200), "usb0": (20, 5)}) is None


async def make_office(database: Database, pcs: int) -> tuple[int, list[Sender]]:
    """Return a commune's line that no device counts, and its PCs."""
    office = Office()
    office.add_installation()
    await office.write_to(database)
    async with database.transaction() as session:
        unit = await add_unit(session, "XA")
        link = await add_line(session, unit, "L1", down_bits_per_second=1_000_000)
    return link, [await add_source(database, unit=unit) for _ in range(pcs)]


def sample(pc: Sender, at_ms: int, octets: int, covered: float = 60.0, **more: int) -> Report:
    """Return a sample by which eth0 has received ``octets``, and other adapters what ``more`` tells."""
    adapters = [
        AdapterCounters(name, moved, moved // 10)
        for name, moved in {"eth0": octets, **more}.items()
    ]
    return pc.report("sample", Sample(covered, adapters=tuple(adapters)), at_ms)


async def days(database: Database) -> list[dict[str, Any]]:
    return await database.read("SELECT * FROM link_pcs_day ORDER BY day")


async def test_pcs_are_summed_by_slots_and_a_late_report_mends_its_day(
    writer: Writer, database: Database
) -> None:
    """Of three PCs one told nothing yet, and one told of its second half alone."""
    _, (first, second, third) = await make_office(database, 3)
    history = PcHistory(database)
    await history.run(NOW_MS, no_guard)
    await writer.submit(
        first.batch([sample(first, NOW_MS - n * MINUTE, (20 - n) * 100) for n in range(20, -1, -1)])
    )
    half = [(n, 0.0 if n == 10 else 60.0) for n in range(10, -1, -1)]
    late_half = [
        sample(second, NOW_MS - n * MINUTE, (20 - n) * 1_000, covered) for n, covered in half
    ]
    await writer.submit(second.batch(late_half))
    await history.run(NOW_MS, no_guard)

    (day,) = await days(database)
    assert (day["pcs"], day["pcs_expected"], day["counted_seconds"]) == (2, 3, 1200)
    assert (day["receive_octets"], day["transmit_octets"]) == ("12000", "1200")
    assert day["receive_gap_octets"] is None
    slots = LinkSlots.unpack(day["packed"])
    assert slots.seconds[0] == UNKNOWN_U16 and slots.in_octets[131] == 5 * 1_100

    second.stream ^= 1
    early = [sample(second, NOW_MS - n * MINUTE, (20 - n) * 1_000) for n in range(20, 10, -1)]
    await writer.submit(second.batch(early))
    await writer.submit(third.batch([sample(third, NOW_MS - n * MINUTE, 0) for n in (2, 1)]))
    assert await history.run(NOW_MS + 5 * MINUTE, no_guard) == 1

    (day,) = await days(database)
    assert (day["pcs"], day["receive_octets"]) == (3, "21000")
    assert await history.run(NOW_MS + 5 * MINUTE, no_guard) == 0


async def test_a_gap_a_virtual_adapter_and_an_uncounted_pc_are_in_no_slot(
    writer: Writer, database: Database
) -> None:
    _, (pc, stranger) = await make_office(database, 2)
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source SET state = 'pending' WHERE id = :id", id=stranger.source_id
        )
        await insert(
            session, "source_section", source_id=pc.source_id, section="adapters", status="ok",
            rows_json=json.dumps([{"name": "vmnet1", "kind": "virtual"}, {"name": "eth0"}]),
            observed_at_ms=0, changed_at_ms=0,
        )  # fmt: skip
    history = PcHistory(database)
    await history.run(NOW_MS, no_guard)
    told = [
        sample(pc, NOW_MS - 30 * MINUTE, 0),
        sample(pc, NOW_MS - 29 * MINUTE, 600, vmnet1=90_000),
        sample(pc, NOW_MS - 28 * MINUTE, 1_200, vmnet1=990_000),
        sample(pc, NOW_MS - 18 * MINUTE, 5_200, covered=600.0),  # it hung
        sample(pc, NOW_MS - 8 * MINUTE, 9_000),  # ten were lost
        sample(pc, NOW_MS - 7 * MINUTE, 10, covered=0.0),  # another boot
    ]
    await writer.submit(pc.batch(told))
    await writer.submit(
        stranger.batch([sample(stranger, NOW_MS - n * MINUTE, 9 - n) for n in (2, 1)])
    )
    await history.run(NOW_MS, no_guard)

    (day,) = await days(database)
    assert (day["pcs"], day["pcs_expected"], day["counted_seconds"]) == (1, 1, 120)
    assert (day["receive_octets"], day["receive_gap_octets"]) == ("1200", "4000")

    async with database.transaction() as session:
        await session.execute("UPDATE source SET state = 'quarantined' WHERE kind = 'agent'")
    await PcHistory(database).run(NOW_MS, no_guard)
    assert await days(database) == []


async def test_a_counter_that_jumps_spoils_no_day_and_a_slow_pace_is_no_gap(
    writer: Writer, database: Database
) -> None:
    """Twice 2**64 octets fit no column; samples of five minutes come a little late."""
    _, (pc, other) = await make_office(database, 2)
    history = PcHistory(database)
    await history.run(NOW_MS, no_guard)
    for each, octets in ((pc, [0, 2**64 - 1, 0, 2**64 - 1]), (other, [0, 600, 1_200, 1_800])):
        at = [NOW_MS - (20 - 5 * n) * MINUTE + 1_000 * n for n in range(4)]
        told = [
            sample(each, when, count, covered=301.0) for when, count in zip(at, octets, strict=True)
        ]
        answer = await writer.submit(each.batch(told))
        assert not answer.rejected
    await history.run(NOW_MS, no_guard)

    (day,) = await days(database)
    assert (day["receive_octets"], day["receive_gap_octets"]) == ("1800", None)
    assert (day["pcs"], day["counted_seconds"]) == (1, 900)


async def test_the_sum_is_labelled_in_the_export_and_has_a_metric_of_its_own(
    writer: Writer, database: Database
) -> None:
    link, (pc,) = await make_office(database, 1)
    history = PcHistory(database)
    await history.run(NOW_MS, no_guard)
    await writer.submit(pc.batch([sample(pc, NOW_MS - n * MINUTE, (5 - n) * 10) for n in (2, 1)]))
    await history.run(NOW_MS, no_guard)
    async with database.transaction() as session:
        await insert(
            session, "link_day", link_id=link, source_id=pc.source_id, day=TODAY,
            packed=LinkSlots().pack(compress=True), known_seconds=300, up_seconds=300, changed_at_ms=0,
        )  # fmt: skip
        await _tell(session, link)
    await refresh_now(database, NOW_MS, 60.0)

    question = Question(TODAY, NOW_MS, NOW_MS)
    rows = [row async for page in REPORTS["link-days"].rows(database, question) for row in page]
    assert [row[5:] for row in rows] == [
        (TODAY, "probes_only", None, None, None, None, 300, None, None),
        (TODAY, "pcs_lower_bound", 10, 1, None, None, 60, 1, 1),
    ]
    block = links.render(await database.read("SELECT * FROM link_now"), context(link))
    assert block is not None
    told = "".join(block.texts)
    assert f'kiemke_link_pcs_bits_per_second{{link="{link}",direction="receive"}} 7000' in told
    assert "utilization" not in told and "_bytes_total" not in told
    later = links.render(
        await database.read("SELECT link_now.*, 'probes_only' AS basis FROM link_now"),
        context(link, 60 * MINUTE),
    )
    assert later is not None
    assert "_bytes_total" not in "".join(later.texts) and "_pcs_" not in "".join(later.texts)


async def _tell(session: Session, link: int) -> None:
    await session.execute(
        "INSERT INTO link_now (link_id, state, receive_octets_total, transmit_octets_total, verdict,"
        " reasons_json, changed_at_ms, receive_bits_per_second, transmit_bits_per_second, rate_at_ms)"
        " VALUES (:link, 'unknown', '0', '0', 'unknown', '[]', :now, 7000, 700, :now)",
        link=link,
        now=NOW_MS,
    )


def context(link: int, later_ms: int = 0) -> Context:
    contract = {
        "code": "L1", "name": "L", "kind": "internet", "provider": None, "unit_id": 1,
        "down_bits_per_second": 1_000_000, "up_bits_per_second": None,
    }  # fmt: skip
    return Context(NOW_MS + later_ms, 60.0, links={link: contract})
