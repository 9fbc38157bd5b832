"""Interval quality: what two readings of a counter can honestly say."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain.counters import Reading, interval

MEGABIT = 1_000_000
START = Reading(0, 1_000, 2_000, 64, 5_000.0, None, 100 * MEGABIT)


def after(seconds: float, **changes: object) -> Reading:
    """A reading ``seconds`` after START, its uptime grown as much."""
    at_ms = round(seconds * 1000)
    plain = replace(START, at_ms=at_ms, sys_uptime_seconds=5_000.0 + seconds)
    return replace(plain, **changes)  # type: ignore[arg-type]


def test_two_readings_a_minute_apart_make_an_ok_interval() -> None:
    made = interval(START, after(60, in_octets=7_501_000, out_octets=2_600))

    assert made is not None
    assert (made.quality, made.seconds, made.in_octets, made.out_octets) == (
        "ok",
        60,
        7_500_000,
        600,
    )


def test_a_counter_that_went_back_gives_no_rate() -> None:
    made = interval(START, after(60, in_octets=10))

    assert made is not None
    assert (made.quality, made.in_octets, made.has_rate) == ("reset", None, False)


def test_a_restarted_device_gives_no_rate_even_when_its_counter_grew() -> None:
    """After a reboot a busy port may soon count more than before: uptime tells."""
    made = interval(START, after(60, in_octets=5_000, sys_uptime_seconds=20.0))

    assert made is not None
    assert (made.quality, made.has_rate) == ("reset", False)


def test_an_uptime_that_wrapped_after_497_days_is_no_restart() -> None:
    before = replace(START, sys_uptime_seconds=2**32 / 100 - 10)

    made = interval(before, after(60, in_octets=2_000, sys_uptime_seconds=50.0))

    assert made is not None
    assert (made.quality, made.in_octets) == ("ok", 1_000)


def test_a_discontinuity_is_a_reset() -> None:
    before = replace(START, discontinuity_seconds=1.0)

    made = interval(before, after(60, in_octets=2_000, discontinuity_seconds=5_030.0))

    assert made is not None
    assert made.quality == "reset"


def test_a_32_bit_counter_that_wrapped_once_is_corrected() -> None:
    before = replace(START, counter_bits=32, in_octets=2**32 - 500)

    made = interval(before, after(60, counter_bits=32, in_octets=500))

    assert made is not None
    assert (made.quality, made.in_octets) == ("wrap", 1_000)


def test_a_32_bit_counter_left_alone_too_long_says_nothing() -> None:
    """At 100 Mbit/s it wraps in 343 s: after 400 s the difference may be off by any wraps."""
    before = replace(START, counter_bits=32)

    made = interval(before, after(400, counter_bits=32, in_octets=9_000))

    assert made is not None
    assert (made.quality, made.in_octets) == ("gap", None)


def test_more_than_the_port_can_carry_is_implausible() -> None:
    made = interval(START, after(60, in_octets=1_000 + 100 * MEGABIT // 8 * 61 * 2))

    assert made is not None
    assert (made.quality, made.in_octets) == ("implausible", None)


def test_octets_over_an_hour_are_conserved_without_a_rate() -> None:
    made = interval(START, after(3_600, in_octets=1_000_001_000))

    assert made is not None
    assert (made.quality, made.in_octets, made.has_rate) == ("gap", 1_000_000_000, False)


@pytest.mark.parametrize("seconds", [0, -60])
def test_no_time_between_is_no_interval(seconds: float) -> None:
    assert interval(START, after(seconds)) is None


def test_an_absent_counter_is_a_gap_and_never_zero() -> None:
    made = interval(START, after(60, in_octets=None))

    assert made is not None
    assert (made.quality, made.in_octets, made.out_octets) == ("gap", None, None)


COUNTER = st.one_of(st.none(), st.integers(0, 2**64 - 1))
READINGS = st.builds(
    Reading,
    at_ms=st.integers(0, 2**41),
    in_octets=COUNTER,
    out_octets=COUNTER,
    counter_bits=st.sampled_from([None, 32, 64]),
    sys_uptime_seconds=st.one_of(st.none(), st.floats(0, 5e7)),
    discontinuity_seconds=st.one_of(st.none(), st.floats(0, 5e7)),
    speed_bits_per_second=st.one_of(st.none(), st.integers(0, 10**12)),
)


@given(READINGS, READINGS)
def test_no_pair_of_readings_makes_a_rate_above_the_port(before: Reading, late: Reading) -> None:
    """The rule that no graph of kiemke can show 900 Gbit/s on a 100 Mbit/s line."""
    made = interval(before, late)

    if made is not None and made.has_rate:
        speed = max(before.speed_bits_per_second or 0, late.speed_bits_per_second or 0) or 400e9
        assert made.in_octets is not None
        assert 0 <= made.in_octets * 8 <= speed * 1.1 * (made.seconds + 1)


def test_a_32_bit_counter_that_says_more_than_32_bits_is_not_believed() -> None:
    """Its "wrap" would be a negative number of octets."""
    before = replace(START, counter_bits=32, in_octets=2**40)

    made = interval(before, after(60, counter_bits=32, in_octets=5))

    assert made is not None
    assert (made.quality, made.in_octets, made.has_rate) == ("implausible", None, False)


def test_a_device_that_restarts_again_while_young_gives_no_rate() -> None:
    """25 s old it restarts: a minute later it is nearly as old as if it had not, and its counter grew."""
    before = replace(START, sys_uptime_seconds=15.0, in_octets=900)

    made = interval(before, after(60, sys_uptime_seconds=50.0, in_octets=4_000))

    assert made is not None
    assert (made.quality, made.has_rate) == ("reset", False)


@pytest.mark.parametrize("ahead", [31.0, 86_400.0])
def test_an_uptime_that_ran_ahead_gives_no_rate(ahead: float) -> None:
    """A spare switch at the same address, or a collector that stood still for a while."""
    made = interval(START, after(60, in_octets=9_000, sys_uptime_seconds=5_060.0 + ahead))

    assert made is not None
    assert (made.quality, made.has_rate) == ("reset", False)


def test_a_32_bit_counter_that_went_back_as_its_port_came_up_is_no_wrap() -> None:
    """A line that dialled in again counts from 0; a wrap in that very minute is lost, not guessed."""
    before = replace(START, counter_bits=32, in_octets=2**32 - 500, last_change_seconds=7.0)
    late = after(60, counter_bits=32, in_octets=500, last_change_seconds=5_031.0)

    made = interval(before, late)
    same = interval(before, replace(late, last_change_seconds=7.0))

    assert made is not None and (made.quality, made.in_octets) == ("reset", None)
    assert same is not None and (same.quality, same.in_octets) == ("wrap", 1_000)


LIVES = st.lists(
    st.tuples(
        st.sampled_from(["poll", "lost", "reboot", "replaced", "dial", "paused"]),
        st.integers(5, 400),  # seconds until then
        st.integers(0, 12_500_000),  # octets a second
        st.integers(0, 86_400 * 600),  # how old a spare device is
    ),
    min_size=2,
    max_size=12,
)


@given(LIVES, st.sampled_from([32, 64]), st.sampled_from([0.0, 2.0**32 / 100 - 200, 9e5]))
def test_whatever_befalls_a_device_a_rate_is_what_it_carried(
    life: list[tuple[str, int, int, int]], bits: int, uptime: float
) -> None:
    """Restarts, a spare at its address, a line that dials in, polls that are lost, wraps of both counts.

    ``at`` is the clock of who polls, which a pause lets stand still. No interval is other than what
    passed, and one in which nothing was counted on is never 0.
    """
    at, octets, changed, carried, torn = 0.0, 0, 1.0, 0, False
    before: Reading | None = None
    for event, seconds, speed, age in life:
        uptime += seconds
        octets += seconds * speed
        carried += seconds * speed
        at += 0 if event == "paused" and seconds > 40 else seconds
        torn = torn or (event == "paused" and seconds > 40)
        if event == "reboot":
            uptime, octets, changed, torn = 0.0, 0, 0.0, True
        elif event == "replaced":
            uptime, octets, changed, torn = float(age), age * 1_000, 1.0, True
        elif event == "dial":
            octets, changed, torn = 0, uptime, True
        if event != "poll":
            continue
        wrapped = uptime % (2**32 / 100)
        count = octets % 2**bits
        late = Reading(round(at * 1000), count, count, bits, wrapped, None, 100 * MEGABIT, changed)
        made = None if before is None else interval(before, late)
        if made is not None and made.in_octets is not None and not (torn and _hidden(before, late)):
            assert not torn
            assert made.in_octets == carried
        before, carried, torn = late, 0, False


def _hidden(before: Reading | None, late: Reading) -> bool:
    """Say whether nothing tells: a device as old as expected, that counts as far, its port as long up."""
    assert before is not None
    grown = (late.sys_uptime_seconds or 0) - (before.sys_uptime_seconds or 0)
    seconds = (late.at_ms - before.at_ms) / 1000
    is_older = (late.in_octets or 0) >= (before.in_octets or 0)
    return is_older and abs(grown - seconds) <= 30 + 0.001 * seconds
