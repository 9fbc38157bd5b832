"""Simulated senders say what true senders would, at the moments they claim."""

import json
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from bench.district import Pc
from bench.hardware import make_inventory
from bench.https import Pool
from bench.lines import Grid
from bench.office_life import local_moment, past_reports, working_days_before
from bench.site import Site, make_site
from bench.source import Source, Tally
from bench.thanh_giang import make_district
from kiemke.wire.inventory import SECTIONS

NOW = datetime(2026, 11, 20, 3, 7, tzinfo=UTC)
DISTRICT = make_district(8)
NO_POOL: Pool = None  # type: ignore[assignment]  # nothing is sent in these tests


def _source(kind: str = "agent", clock_error: timedelta = timedelta()) -> Source:
    booted_at = NOW - timedelta(days=40)
    return Source(NO_POOL, Tally(), kind, "ab" * 16, booted_at, clock_error=clock_error)


def _pc(fault: str | None) -> Pc:
    return next(pc for pc in DISTRICT.pcs if pc.true_fault == fault)


def _site() -> Site:
    grid = Grid.at(NOW, 25_200)
    gear = {gear.address: gear for gear in DISTRICT.gear}
    lines = list(DISTRICT.lines)
    assignment = {
        "devices": [{"device": n, "address": a} for n, a in enumerate(gear)],
        "probes": [
            {"target": n, "address": line.probes[0].partition(":")[2]}
            for n, line in enumerate(lines)
        ],
    }
    return make_site(_source("collector"), assignment, gear, lines, grid)


def test_working_days_leave_out_saturday_and_sunday() -> None:
    assert working_days_before(date(2026, 11, 23), 2) == [date(2026, 11, 20), date(2026, 11, 19)]


def test_a_pc_tells_ten_working_days_from_its_own_uptime() -> None:
    source = _source()
    reports = [json.loads(r) for r in past_reports(_pc(None), source, NOW.date(), 25_200)]
    first = reports[0]

    assert [report["seq"] for report in reports] == list(range(1, len(reports) + 1))
    assert [r["kind"] for r in reports[:3]] == ["inventory", "event", "sample"]
    assert sum(r["kind"] == "sample" for r in reports) == 10 * 6
    truly = source.booted_at + timedelta(seconds=first["uptime_seconds"])
    assert truly == local_moment(date(2026, 11, 6), time(7, 30), 25_200)


def test_a_clock_of_2009_changes_what_is_written_and_not_the_uptime() -> None:
    wrong = _source(clock_error=timedelta(days=-17 * 365))
    right = _source()
    pc = _pc("clock_of_2009")
    ours = json.loads(next(past_reports(pc, wrong, NOW.date(), 25_200)))
    theirs = json.loads(next(past_reports(pc, right, NOW.date(), 25_200)))

    assert ours["at"].startswith("2009")
    assert ours["uptime_seconds"] == theirs["uptime_seconds"]


def test_an_inventory_has_its_sections_in_the_table_s_order_with_tokens() -> None:
    inventory = make_inventory(_pc(None), "2026-11-20T00:00:00Z", "boot")

    assert list(inventory.sections) == [name for name in SECTIONS if name in inventory.sections]
    assert {"identity", "memory", "disks", "adapters", "software"} <= inventory.sections.keys()
    assert all(section.token and section.rows for section in inventory.sections.values())


def test_clones_share_what_identifies_a_machine_and_nothing_else() -> None:
    one, other = (pc for pc in DISTRICT.pcs if pc.true_fault == "cloned_uuid")

    assert (one.uuid, one.serial, one.board_serial) == (
        other.uuid,
        other.serial,
        other.board_serial,
    )
    assert one.install_id != other.install_id


def test_a_silent_box_is_told_as_a_timeout_and_has_no_counters() -> None:
    site = _site()
    silent = next(polled for polled in site.gear if polled.gear.behaviour == "silent")
    told = [json.loads(r) for r in silent.reports(site.source, NOW, with_device=True)]

    assert [(r["kind"], r["body"]["outcome"]) for r in told] == [("device", "timeout")]


def test_the_past_of_a_site_goes_forward_in_time() -> None:
    site = _site()
    grid = Grid.at(NOW, 25_200)
    past = islice(site.past_reports(grid, grid.today), 20_000)  # some days of the month
    uptimes = [json.loads(r)["uptime_seconds"] for r in past]

    steps = [after - before for before, after in zip(uptimes, uptimes[1:], strict=False)]
    # Echoes are a minute into their slot, the next slot's poll four minutes later.
    assert min(steps) >= -60.0
    assert uptimes[-1] > uptimes[0]
