"""The wear of a year for every owned asset of some units: book, conditions and dated rules joined.

The unit that answers for an asset on the day asked books the whole year (a receiver of a transfer
takes all of it). A year whose books are closed is computed by the rules and conditions known when
they were closed, so that what is recorded later changes no closed year; years that ended before this
installation began were never closed here and take what is known now.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain import rules_dated
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, RuleHistory
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text_labels import Words
from kiemke.server.domain.wear import (
    FIRST_YEARS,
    TRANSITIONS,
    Rate,
    YearRules,
    YearWear,
    charge_years,
    first_charged_year,
)

RULES_FILE = "wear.toml"
CLASSES = ("fixed_asset", "tool")
NOTES = ("tool", "no_price", "no_date", "not_begun", "worn", "stopped", "last")
_DEFAULT_OFFSET_SECONDS = 7 * 3600
_MOST_CHANGE_PERMILLE = 200


@dataclass(frozen=True, slots=True)
class WearRow:
    """One asset in one year. ``asset_class`` None: no price, so nobody can say.

    ``charged_dong`` is the year's wear; it and what follows from it are None for a tool and where
    price or date of first use is missing (``note`` says which, see NOTES). ``rate_per_million`` is
    the share of the original cost a full year takes; ``source`` names the law.
    """

    asset_id: int
    code: str
    name: str
    kind: str
    unit_id: int
    year: int
    price_dong: int | None
    in_use_since: date | None
    asset_class: str | None
    rate_per_million: int | None
    life_years: int | None
    charged_dong: int | None
    accumulated_dong: int | None
    residual_dong: int | None
    note: str | None
    source: Words | None


@dataclass(frozen=True, slots=True)
class WearQuestion:
    """Which year, of the assets that ``units`` (None is all) answer for on ``day``, known when."""

    year: int
    day: date
    known_ms: int
    units: list[int] | None = None


_ASSETS = dated("""
SELECT a.id, a.code, COALESCE(f.name, a.name) AS name, COALESCE(f.kind, a.kind) AS kind, k.unit_id,
  CASE WHEN f.id IS NULL THEN a.price_dong ELSE f.price_dong END AS price_dong,
  CASE WHEN f.id IS NULL THEN a.in_use_since ELSE f.in_use_since END AS in_use_since
FROM asset a
LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}
JOIN (SELECT c.asset_id, MIN(c.unit_id) AS unit_id FROM custody c WHERE {active c}
  GROUP BY c.asset_id) k ON k.asset_id = a.id
JOIN unit_version u ON u.unit_id = k.unit_id AND {active u}
WHERE COALESCE(f.ownership, a.ownership) = 'owned'
  AND (CAST(:all_units AS INTEGER) = 1 OR k.unit_id IN :[units])
  AND NOT EXISTS (SELECT 1 FROM asset_status g
    WHERE g.asset_id = a.id AND g.status = 'disposed' AND {active g})
ORDER BY u.sort_key, a.code, a.id
""")

# Of an asset that was always said to be one thing, its own columns are enough.
_FACTS = """
SELECT f.asset_id, f.price_dong, f.in_use_since, f.valid_from, f.valid_to, f.recorded_at_ms,
  f.voided_at_ms
FROM asset_fact f JOIN (
  SELECT asset_id FROM asset_fact GROUP BY asset_id HAVING COUNT(*) > 1
) AS told ON told.asset_id = f.asset_id
ORDER BY f.asset_id, f.recorded_at_ms, f.id
"""

_CONDITIONS = """
SELECT asset_id, status, valid_from, valid_to, recorded_at_ms, voided_at_ms
FROM asset_status WHERE status IN :[statuses.text] ORDER BY asset_id, id
"""


@dataclass(frozen=True, slots=True)
class _Said:
    valid_from: date
    valid_to: date | None
    recorded_at_ms: int
    voided_at_ms: int | None

    def holds(self, day: date, known_ms: int) -> bool:
        return (
            self.valid_from <= day
            and (self.valid_to is None or self.valid_to > day)
            and self.recorded_at_ms <= known_ms
            and (self.voided_at_ms is None or self.voided_at_ms > known_ms)
        )


@dataclass(frozen=True, slots=True)
class _Condition(_Said):
    status: str


@dataclass(frozen=True, slots=True)
class _Fact(_Said):
    price_dong: int | None
    in_use_since: date | None


async def load(session: Session, question: WearQuestion) -> list[WearRow]:
    """Return the wear of every owned asset, by unit and code. Raises UnknownRule or UnusableRule."""
    history = await rules_dated.load(session, RULES_FILE)
    installed = await session.one(
        "SELECT utc_offset_seconds, created_at_ms FROM installation WHERE id = 1"
    )
    assets = await session.fetch(
        _ASSETS,
        day=question.day,
        known=question.known_ms,
        units=question.units or [],
        all_units=1 if question.units is None else 0,
    )
    statuses = sorted({s for rule in history.rulings for s in _stopped_in(rule.name, rule.value)})
    conditions: dict[int, list[_Condition]] = defaultdict(list)
    for row in await session.fetch(_CONDITIONS, statuses=statuses):
        conditions[row["asset_id"]].append(_Condition(*_dated(row), row["status"]))
    facts: dict[int, list[_Fact]] = defaultdict(list)
    for row in await session.fetch(_FACTS):
        fact = _Fact(*_dated(row), row["price_dong"], _day(row["in_use_since"]))
        facts[row["asset_id"]].append(fact)
    books = _Books(history, question, installed, conditions, facts)
    # A hundred thousand assets over ten years are two seconds of arithmetic: not in the event loop.
    return await asyncio.to_thread(lambda: [books.row(asset) for asset in assets])


def _stopped_in(name: str, value: Any) -> list[str]:
    if name != "wear_stopped_in" or value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(status, str) for status in value):
        raise UnusableRule(f"rule {name!r} must be a list of conditions, not {value!r}")
    return value


def _day(value: date | str | None) -> date | None:
    return None if value is None else as_date(value)


def _dated(row: Row) -> tuple[date, date | None, int, int | None]:
    """Return the fields of _Said."""
    begun, end = as_date(row["valid_from"]), _day(row["valid_to"])
    return begun, end, row["recorded_at_ms"], row["voided_at_ms"]


class _Books:
    """The rules of every year, worked out once, and the rows made by them."""

    def __init__(
        self,
        history: RuleHistory,
        question: WearQuestion,
        installed: Row | None,
        conditions: Mapping[int, list[_Condition]],
        facts: Mapping[int, list[_Fact]],
    ) -> None:
        self._history = history
        self._question = question
        self._conditions = conditions
        self._facts = facts
        self._offset = installed["utc_offset_seconds"] if installed else _DEFAULT_OFFSET_SECONDS
        self._installed_ms = installed["created_at_ms"] if installed else None
        self._years: dict[int, tuple[DayRules, int, frozenset[str]]] = {}
        self._rates: dict[tuple[int, str], Rate] = {}

    def row(self, asset: Row) -> WearRow:
        """Return one asset's row."""
        year = self._question.year
        price, since = self._said_of(asset, year)
        rate = self._rate(year, asset["kind"])
        class_ = self._class_of(price, rate)
        note, charged = None, None
        if price is None:
            note = "no_price"
        elif class_ == "tool":
            note = "tool"
        elif since is None:
            note = "no_date"
        else:
            charged = self._charge(asset, price, since)
            note = charged.note
            rate = charged.rate
        known = charged is not None
        return WearRow(
            asset_id=asset["id"],
            code=asset["code"],
            name=asset["name"],
            kind=asset["kind"],
            unit_id=asset["unit_id"],
            year=year,
            price_dong=price,
            in_use_since=since,
            asset_class=class_,
            rate_per_million=rate.per_million if known else None,
            life_years=rate.life_years if known else None,
            charged_dong=charged.charged_dong if charged else None,
            accumulated_dong=charged.accumulated_dong if charged else None,
            residual_dong=charged.residual_dong if charged else None,
            note=note,
            source=rate.source if known else None,
        )

    def _said_of(self, asset: Row, year: int) -> tuple[int | None, date | None]:
        """Return price and first use as the books of a year had them, later ones as first told."""
        told = self._facts.get(asset["id"], ())
        _, known_ms, _ = self._year(year)
        day = min(date(year, 12, 31), self._question.day)
        held = [fact for fact in told if fact.holds(day, known_ms)]
        # Booked after the books of that year were closed: what was said of it first.
        held = held or [fact for fact in told if fact.holds(day, fact.recorded_at_ms)]
        if held:
            return held[0].price_dong, held[0].in_use_since
        return asset["price_dong"], _day(asset["in_use_since"])

    def _class_of(self, price: int | None, rate: Rate) -> str | None:
        """Return whether it is a fixed asset or a tool by the rule of the year; None without price."""
        if price is None:
            return None
        rules, _, _ = self._year(self._question.year)
        rule = rules.need("fixed_asset")
        try:
            least, years = int(rule.value["price_dong_min"]), int(rule.value["years_min"])
        except (TypeError, KeyError, ValueError) as error:
            raise UnusableRule(
                f"rule 'fixed_asset': {rule.value!r} names no price_dong_min and years_min"
            ) from error
        return "fixed_asset" if price >= least and rate.years >= years else "tool"

    def _charge(self, asset: Row, price: int, since: date) -> YearWear:
        year = self._question.year
        rules, _, _ = self._year(since.year)
        first = first_charged_year(since, rules.one_of("wear_first_year", FIRST_YEARS))

        def rules_of(of: int) -> YearRules:
            by_day, known_ms, stopped_in = self._year(of)
            day = min(date(of, 12, 31), self._question.day)
            stopped = any(
                c.status in stopped_in and c.holds(day, known_ms)
                for c in self._conditions.get(asset["id"], ())
            )
            transition = by_day.one_of("wear_transition", TRANSITIONS)
            cost, _ = self._said_of(asset, of)
            return YearRules(self._rate(of, asset["kind"]), transition, stopped, cost)

        years = charge_years(price, first, year, rules_of)
        if years:
            return years[-1]
        return YearWear(year, self._rate(year, asset["kind"]), 0, 0, 0, price, "not_begun")

    def _rate(self, year: int, kind: str) -> Rate:
        if (year, kind) not in self._rates:
            rules, _, _ = self._year(year)
            rule = rules.need("wear_rate", kind)
            change = rules.whole(
                "wear_rate_change_permille", kind, -_MOST_CHANGE_PERMILLE, _MOST_CHANGE_PERMILLE
            )
            try:
                rate, years = int(rule.value["rate"]), int(rule.value["years"])
            except (TypeError, KeyError, ValueError) as error:
                raise UnusableRule(
                    f"rule 'wear_rate': {rule.value!r} names no rate and years"
                ) from error
            if not (0 < rate <= 10_000 and 0 < years <= 100):
                raise UnusableRule(f"rule 'wear_rate': {rule.value!r} is out of its span")
            self._rates[year, kind] = Rate(rate, years, change, rule.source)
        return self._rates[year, kind]

    def _year(self, year: int) -> tuple[DayRules, int, frozenset[str]]:
        """Return a year's rules (those of its last day), when they were last known, and stops."""
        if year not in self._years:
            last, known_ms = date(year, 12, 31), self._question.known_ms
            open_days = self._history.on(last, known_ms).whole("wear_close_days", "", 0, 3660)
            closed_ms = day_start_ms(last + timedelta(days=1 + open_days), self._offset)
            if self._installed_ms is not None and closed_ms > self._installed_ms:
                known_ms = min(known_ms, closed_ms)
            rules = self._history.on(last, known_ms)
            stops = frozenset(_stopped_in("wear_stopped_in", rules.need("wear_stopped_in").value))
            self._years[year] = rules, known_ms, stops
        return self._years[year]
