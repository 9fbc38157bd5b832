"""Yearly wear: the amounts an accountant can check by hand, and sums that always come out."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain.wear import (
    TRANSITIONS,
    Rate,
    YearRules,
    YearWear,
    charge_years,
    first_charged_year,
)

SEVEN_YEARS, FIVE_YEARS = Rate(1429, 7), Rate(2000, 5)


def amounts(years: list[YearWear]) -> list[int]:
    return [year.charged_dong for year in years]


def test_a_machine_of_seven_years_is_charged_the_remainder_in_its_last() -> None:
    years = charge_years(18_900_000, 2026, 2033, lambda _: YearRules(SEVEN_YEARS))

    assert amounts(years) == [2_700_810] * 6 + [2_695_140, 0]
    assert [year.note for year in years] == [None] * 6 + ["last", "worn"]
    assert years[6].residual_dong == years[7].residual_dong == 0
    assert years[6].accumulated_dong == 18_900_000


def test_a_machine_of_five_years_is_charged_a_fifth_five_times() -> None:
    years = charge_years(18_900_000, 2020, 2025, lambda _: YearRules(FIVE_YEARS))

    assert amounts(years) == [3_780_000] * 5 + [0]


def test_any_fraction_of_a_dong_makes_a_whole_one() -> None:
    assert Rate(1429, 7).charge(10_000_001) == 1_429_001  # 1,429,000.1429
    assert Rate(2000, 5).charge(10_000_000) == 2_000_000


def new_rates(year: int, transition: str = "new_rate") -> YearRules:
    return YearRules(FIVE_YEARS if year < 2026 else SEVEN_YEARS, transition)


def test_a_new_rate_counts_from_its_year_and_leaves_closed_years_alone() -> None:
    years = charge_years(18_900_000, 2024, 2030, new_rates)

    assert amounts(years) == [3_780_000] * 2 + [2_700_810] * 4 + [536_760]


def test_what_is_left_may_be_spread_over_the_years_that_are_left() -> None:
    years = charge_years(18_900_000, 2024, 2030, lambda y: new_rates(y, "remaining_life"))

    assert amounts(years) == [3_780_000] * 2 + [2_268_000] * 5


def test_an_asset_may_keep_its_first_rate() -> None:
    years = charge_years(18_900_000, 2024, 2029, lambda y: new_rates(y, "first_rate"))

    assert amounts(years) == [3_780_000] * 5 + [0]


def test_an_asset_fully_worn_before_a_longer_life_came_stays_worn() -> None:
    years = charge_years(10_000_000, 2020, 2027, new_rates)

    assert amounts(years) == [2_000_000] * 5 + [0, 0, 0]
    assert years[-1].note == "worn"


def test_a_year_it_stood_broken_is_not_charged_and_not_counted() -> None:
    years = charge_years(
        10_000_000, 2020, 2025, lambda year: YearRules(FIVE_YEARS, stopped=year == 2022)
    )

    assert amounts(years) == [2_000_000, 2_000_000, 0, 2_000_000, 2_000_000, 2_000_000]
    assert (years[2].note, years[2].charges, years[5].charges) == ("stopped", 2, 5)


def test_a_province_may_make_a_life_shorter_or_longer() -> None:
    faster = charge_years(10_000_000, 2020, 2025, lambda _: YearRules(Rate(2000, 5, 200)))
    slower = charge_years(10_000_000, 2020, 2027, lambda _: YearRules(Rate(2000, 5, -200)))

    assert amounts(faster) == [2_400_000] * 4 + [400_000, 0]
    assert amounts(slower) == [1_600_000] * 6 + [400_000, 0]


def test_a_life_too_short_for_its_rate_takes_the_rest_in_its_last_year() -> None:
    """3.33 % over thirty years leaves 0.1 %, which no thirty-first year is there for."""
    years = charge_years(10_000_000, 2000, 2030, lambda _: YearRules(Rate(333, 30)))

    assert amounts(years) == [333_000] * 29 + [343_000, 0]


def test_the_first_year_is_charged_whole_unless_it_is_left_to_the_next() -> None:
    since = date(2026, 12, 31)

    assert first_charged_year(since, "full") == 2026
    assert first_charged_year(since, "next_year") == 2027
    assert charge_years(18_900_000, 2027, 2026, lambda _: YearRules(SEVEN_YEARS)) == []


RATES = st.builds(Rate, st.integers(1, 10_000), st.integers(1, 40), st.integers(-200, 200)).filter(
    lambda rate: rate.life_years <= 60
)


@given(
    price=st.integers(1, 10**12),
    rates=st.lists(RATES, min_size=1, max_size=4),
    changes=st.lists(st.integers(1, 30), min_size=3, max_size=3),
    stopped=st.sets(st.integers(0, 80), max_size=10),
    transition=st.sampled_from(TRANSITIONS),
)
@pytest.mark.parametrize("first", [2000])
def test_all_years_together_are_the_original_cost_and_none_is_negative(
    first: int,
    price: int,
    rates: list[Rate],
    changes: list[int],
    stopped: set[int],
    transition: str,
) -> None:
    def rules_of(year: int) -> YearRules:
        place = sum(1 for change in changes if year - first >= change)
        rate = rates[min(place, len(rates) - 1)]
        return YearRules(rate, transition, year - first in stopped)

    years = charge_years(price, first, first + 120, rules_of)

    assert sum(amounts(years)) == price == years[-1].accumulated_dong
    assert min(amounts(years)) >= 0 and years[-1].residual_dong == 0
    for before, after in zip(years, years[1:], strict=False):
        assert after.accumulated_dong + after.residual_dong == price
        assert after.residual_dong == before.residual_dong - after.charged_dong


@given(
    price=st.integers(1, 10**12),
    change=st.integers(2001, 2019),
    late=RATES,
    transition=st.sampled_from(TRANSITIONS),
)
def test_no_change_of_rates_touches_a_year_before_it(
    price: int, change: int, late: Rate, transition: str
) -> None:
    before = charge_years(price, 2000, 2020, lambda _: YearRules(FIVE_YEARS, transition))
    after = charge_years(
        price, 2000, 2020, lambda y: YearRules(late if y >= change else FIVE_YEARS, transition)
    )

    assert before[: change - 2000] == after[: change - 2000]
