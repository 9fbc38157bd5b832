"""Simulated lines are sound where they should be and faulty where a fault was planted."""

from datetime import UTC, datetime

from bench.district import Gear, Line
from bench.lines import DAY_SLOTS, SLOT_SECONDS, Counters, Grid, LineLife
from bench.thanh_giang import make_district

NOW = datetime(2026, 11, 20, 3, 7, tzinfo=UTC)
GRID = Grid.at(NOW, 25_200)
DISTRICT = make_district()


def _life(fault: str | None) -> LineLife:
    line = next(n for n in DISTRICT.lines if n.fault == fault and n.kind == "internet")
    return LineLife(line, GRID)


def _gear(line: Line) -> Gear:
    return next(gear for gear in DISTRICT.gear if gear.code == line.device)


def _week(life: LineLife) -> list[tuple[float, float]]:
    return [life.ratios(slot) for slot in range(GRID.today - 7 * DAY_SLOTS, GRID.today)]


def test_a_local_day_begins_at_local_midnight() -> None:
    assert datetime.fromtimestamp(GRID.today * SLOT_SECONDS, UTC) == datetime(
        2026, 11, 19, 17, tzinfo=UTC
    )


def test_an_outage_of_four_hours_is_48_slots() -> None:
    life = _life("outage")
    month = range(GRID.today - 30 * DAY_SLOTS, GRID.today)

    assert sum(not life.is_up(slot) for slot in month) == 48


def test_a_busy_upload_has_its_percentile_at_93_percent() -> None:
    _, up = _life("busy_upload").true_p95(GRID.today - 7 * DAY_SLOTS, GRID.today - 1)

    assert abs(up - 0.93) < 0.005


def test_a_slow_line_meets_one_ceiling_for_an_hour_or_more() -> None:
    downs = [down for down, _ in _week(_life("slow"))]

    assert max(downs) <= 0.6
    assert sum(down >= 0.97 * max(downs) for down in downs) >= 12


def test_a_sound_line_never_looks_as_if_it_met_a_ceiling() -> None:
    for life in (_life(None), _life("wrap"), _life("reboot"), _life("outage")):
        for way in zip(*_week(life), strict=True):
            assert sum(ratio >= 0.97 * max(way) for ratio in way) < 12


def test_counters_add_up_to_the_octets_carried() -> None:
    life = _life(None)
    counters = Counters(life, _gear(life.line), GRID.today)
    first = counters.read(GRID.today * SLOT_SECONDS)
    middle = counters.read((GRID.today + 1) * SLOT_SECONDS + 150)
    last = counters.read((GRID.today + 2) * SLOT_SECONDS)

    carried = [sum(pair) for pair in zip(life.octets(GRID.today), life.octets(GRID.today + 1),
                                         strict=True)]  # fmt: skip
    assert [last[0] - first[0], last[1] - first[1]] == carried
    assert first[0] <= middle[0] <= last[0]


def test_a_narrow_counter_wraps_within_the_week() -> None:
    life = _life("wrap")
    counters = Counters(life, _gear(life.line), GRID.today - 7 * DAY_SLOTS)
    readings = [
        counters.read(slot * SLOT_SECONDS)[0]
        for slot in range(GRID.today - 7 * DAY_SLOTS, GRID.today)
    ]

    assert max(readings) < 2**32
    assert any(after < before for before, after in zip(readings, readings[1:], strict=False))
