"""Figures as a Vietnamese office writes them, and never kinder than they are."""

from datetime import UTC, date, datetime

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.cli import figures, i18n
from kiemke.cli.listing import MomentType, PastDayType


@pytest.fixture(autouse=True)
def vietnamese() -> None:
    i18n.use("vi")


def test_thousands_are_points_and_decimals_commas() -> None:
    assert figures.count(1234567) == "1.234.567"
    assert figures.decimal(1234.5) == "1.234,5"
    assert figures.dong(15_000_000) == "15.000.000 đ"
    i18n.use("en")
    assert figures.decimal(1234.5) == "1,234.5"


@pytest.mark.parametrize(
    ("n", "d", "text"),
    [
        (120, 120, "100 %"),
        (378, 420, "90,0 %"),
        (9999, 10000, "99,9 %"),
        (2, 3, None),
        (4, 4, None),
        (0, 0, None),
        (0, 5, "0,0 %"),
        (2, 7, "28,5 %"),
    ],
)
def test_a_share_is_rounded_down_and_small_offices_have_none(
    n: int, d: int, text: str | None
) -> None:
    assert figures.share(n, d) == text


@given(st.integers(5, 10**7).flatmap(lambda d: st.tuples(st.integers(0, d), st.just(d))))
def test_a_share_never_says_more_than_there_is(pair: tuple[int, int]) -> None:
    n, d = pair
    shown = figures.share(n, d)

    assert shown is not None
    assert float(shown.removesuffix(" %").replace(",", ".")) <= 100 * n / d + 1e-9
    assert (shown == "100 %") == (n == d)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.9, "90,0 %"), (0.9999, "99,9 %"), (1.0, "100 %"), (0.9944, "99,4 %"), (1.234, "123,4 %")],
)
def test_a_ratio_is_rounded_down_too(value: float, text: str) -> None:
    assert figures.ratio(value) == text


def test_rates_and_sizes_have_their_own_thousand() -> None:
    assert figures.bits_per_second(100_000_000) == "100 Mbit/s"
    assert figures.bits_per_second(1_500_000) == "1,5 Mbit/s"
    assert figures.octets(8 * 1024**3) == "8 GiB"


def test_days_are_written_the_way_they_are_read() -> None:
    assert figures.day(date(2026, 11, 21)) == "21/11/2026"
    assert figures.read_day("21/11/2026") == figures.read_day("2026-11-21") == date(2026, 11, 21)
    assert figures.read_day("05/04/2022") == date(2022, 4, 5)
    assert figures.read_day("31/02/2026") is None
    i18n.use("en")
    assert figures.day(date(2026, 4, 5)) == "2026-04-05"


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31/12", date(2025, 12, 31)), ("26/11", date(2026, 11, 26)), ("27/11", date(2025, 11, 27)),
        ("5/1", date(2026, 1, 5)), ("29/02", date(2024, 2, 29)), ("31/02", None), ("13/2026", None),
        ("31/12/2025", None), ("12", None), ("/", None), ("nay", None),
    ],
)  # fmt: skip
def test_a_day_without_a_year_is_the_nearest_past(text: str, day: date | None) -> None:
    assert figures.recent_day(text, date(2026, 11, 26)) == day


def test_what_was_so_and_known_is_asked_without_a_year() -> None:
    today = datetime.now(figures.zone_of(None)).date()
    written = f"{today.day}/{today.month}"

    assert PastDayType().convert(written, None, None) == today.isoformat()
    assert PastDayType().convert("2026-11-21", None, None) == "2026-11-21"
    told = figures.clock_reading(today.isoformat(), figures.zone_of(None))
    assert told is not None and MomentType().convert(written, None, None) == told.isoformat()
    for kind in (PastDayType(), MomentType()):
        with pytest.raises(click.BadParameter):
            kind.convert("31/02", None, None)


def test_a_moment_is_local_to_the_installation() -> None:
    """Everybody who looks at a figure must see the same day on it."""
    moment = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)

    assert figures.moment(moment, figures.zone_of(None)) == "22/11/2026 01:30"
    assert figures.moment(moment, figures.zone_of(0)) == "21/11/2026 18:30"
    assert figures.read_moment("2026-11-21T18:30:00.000Z") == moment
    assert figures.read_moment(1_795_285_800_000) == moment
    assert figures.clock_reading("22/11/2026 01:30", figures.zone_of(None)) == moment


@pytest.mark.parametrize("value", [None, True, "soon", [], 1e300, "2026-99-99"])
def test_what_is_no_moment_is_none(value: object) -> None:
    assert figures.read_moment(value) is None
