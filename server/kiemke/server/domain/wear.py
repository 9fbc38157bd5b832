"""Yearly wear (hao mòn) of one asset: whole đồng, from the year of first use to the year asked.

Everything here computes; nothing reads a database or a clock. A year is charged by the rate of that
very year, so a change of rates never touches a year that has ended.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from kiemke.server.domain.text_labels import Words

WHOLE_RATE = 10_000  # hundredths of a percent
WHOLE_PERMILLE = 1_000
TRANSITIONS = ("new_rate", "remaining_life", "first_rate")
FIRST_YEARS = ("full", "next_year")


@dataclass(frozen=True, slots=True)
class Rate:
    """How one kind wears in one year: hundredths of a percent of the original cost, over years.

    ``change_permille`` is what the province decided on top of ``rate`` (-200 to 200).
    """

    rate: int
    years: int
    change_permille: int = 0
    source: Words | None = None

    def charge(self, price_dong: int) -> int:
        """Return a full year's wear; any fraction of a đồng makes a whole one."""
        share = price_dong * self.rate * (WHOLE_PERMILLE + self.change_permille)
        return -(-share // (WHOLE_RATE * WHOLE_PERMILLE))

    @property
    def life_years(self) -> int:
        """The number of charges after which nothing may be left."""
        if not self.change_permille:
            return self.years
        scaled = self.rate * (WHOLE_PERMILLE + self.change_permille)
        return -(-WHOLE_RATE * WHOLE_PERMILLE // scaled)

    @property
    def per_million(self) -> int:
        """The rate as a share of a million, rounded down."""
        return self.rate * (WHOLE_PERMILLE + self.change_permille) // 10


@dataclass(frozen=True, slots=True)
class YearRules:
    """What holds in one year for one asset: its rate, the transition, and whether it stands still.

    ``price_dong`` is the original cost in that year, None where it is that of the first.
    """

    rate: Rate
    transition: str = "new_rate"
    stopped: bool = False
    price_dong: int | None = None


@dataclass(frozen=True, slots=True)
class YearWear:
    """One year of an asset. ``charges`` counts the years charged so far, this one included.

    ``charged_dong`` + ``residual_dong`` of the year = the residual of the year before.
    ``note`` is "worn" (nothing was left), "stopped" (broken), "last" (the rest went), else None.
    """

    year: int
    rate: Rate
    charges: int
    charged_dong: int
    accumulated_dong: int
    residual_dong: int
    note: str | None


def first_charged_year(since: date, first_year: str) -> int:
    """Return the first year that is charged for an asset in use since a day (see FIRST_YEARS)."""
    return since.year + (1 if first_year == "next_year" else 0)


def charge_years(
    price_dong: int, first: int, last: int, rules_of: Callable[[int], YearRules]
) -> list[YearWear]:
    """Return every year from ``first`` to ``last``; an empty list when it has not begun.

    The last year of its life takes what is left; a fully worn asset stays, with zeros; a stopped
    year is charged nothing and does not count towards its life.
    """
    years: list[YearWear] = []
    accumulated = charges = 0
    started_with: Rate | None = None
    for year in range(first, last + 1):
        rules = rules_of(year)
        started_with = started_with or rules.rate
        rate = started_with if rules.transition == "first_rate" else rules.rate
        price_dong = price_dong if rules.price_dong is None else rules.price_dong
        left = price_dong - accumulated
        outcome: tuple[int, str | None] = (0, "worn")
        if left > 0:
            outcome = _charge(price_dong, left, charges, rate, started_with, rules)
            charges += 0 if rules.stopped else 1
        charged, note = outcome
        accumulated += charged
        years.append(
            YearWear(
                year, rate, charges, charged, accumulated, max(price_dong - accumulated, 0), note
            )
        )
    return years


def _charge(
    price_dong: int, left: int, charges: int, rate: Rate, started_with: Rate, rules: YearRules
) -> tuple[int, str | None]:
    """Return this year's wear of an asset of which something is left, and the note."""
    if rules.stopped:
        return 0, "stopped"
    years_left = rate.life_years - charges
    if years_left <= 1:
        return left, "last"
    full = rate.charge(price_dong)
    if rules.transition == "remaining_life" and rate != started_with:
        full = -(-left // years_left)
    return (left, "last") if full >= left else (full, None)
