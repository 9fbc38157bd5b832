"""Manual indicators: how a figure is read and written, and what stands on a day beside its target.

A figure is an integer of millionths: 94 % is 940,000, 5,060 files are 5,060,000,000. Percentages are
shares of 1; the others are in their own unit (files, đồng, points, a place in a ranking).
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.money import MoneyError, parse_dong
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text_labels import Words

MILLION = 1_000_000
# What a BIGINT of millionths holds; more is a slip of the pen.
_MOST = Decimal(9 * 10**12)
_GROUPED = re.compile(r"\d{1,3}(?:([., ])\d{3})(?:\1\d{3})*")
_EXAMPLES = {
    "percent": Words("viết 94 % hoặc 89,31", "write 94 % or 89.31"),
    "count": Words("viết 5060 hoặc 5.060", "write 5060 or 5,060"),
    "dong": Words("viết 6300000000 hoặc 6,3 tỷ", "write 6300000000 or 6.3 tỷ"),
    "score": Words("viết 89,31", "write 89.31"),
    "rank": Words("viết 5", "write 5"),
}


class BadFigure(ValueError):
    """A figure that cannot be read: ``problem`` says why, ``remedy`` what to write."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem.en)
        self.problem = problem
        self.remedy = remedy


def read_figure(text: str, measure: str) -> int:
    """Return millionths of what a person wrote for a measure. Raises BadFigure.

    A percentage is always written as one: "0,94" is 0.94 %, never 94 %.
    """
    plain = " ".join(text.split())
    if measure == "dong":
        try:
            amount = Decimal(parse_dong(plain))
        except MoneyError as error:
            raise BadFigure(error.problem, error.remedy) from error
    elif measure == "percent":
        amount = _number(plain.removesuffix("%").strip(), measure) / 100
    else:
        amount = _number(plain, measure)
    millionths = amount * MILLION
    whole_only = measure in ("count", "rank") and amount != amount.to_integral_value()
    if whole_only or millionths != millionths.to_integral_value() or abs(amount) > _MOST:
        raise BadFigure(
            Words("con số không dùng được", "this figure cannot be used"), _EXAMPLES[measure]
        )
    return int(millionths)


def _number(text: str, measure: str) -> Decimal:
    sign = -1 if text.startswith("-") else 1
    bare = text.removeprefix("-")
    if measure in ("count", "rank") and _GROUPED.fullmatch(bare):
        return sign * Decimal(re.sub(r"\D", "", bare))
    if re.fullmatch(r"\d{1,3}[.]\d{3}", bare):
        unclear = Words("không rõ dấu chấm là hàng nghìn hay phần lẻ", "the dot is ambiguous")
        raise BadFigure(unclear, _EXAMPLES[measure])
    try:
        if not re.fullmatch(r"\d+(?:[.,]\d+)?", bare):
            raise InvalidOperation
        return sign * Decimal(bare.replace(",", "."))
    except InvalidOperation as error:
        problem = Words("không phải con số", "this is no number")
        raise BadFigure(problem, _EXAMPLES[measure]) from error


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: millionths, since when, by which paper and who counted it."""

    amount_millionths: int
    since: date
    instrument: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class IndicatorRow:
    """One indicator of one unit on a day: what is, what shall be; either may be None."""

    unit_id: int
    code: str
    name: str
    measure: str
    more_is_better: bool
    actual: Figure | None
    target: Figure | None

    @property
    def reached(self) -> bool | None:
        """Whether the target is reached, None where one of both is unknown."""
        if self.actual is None or self.target is None:
            return None
        have, want = self.actual.amount_millionths, self.target.amount_millionths
        return have >= want if self.more_is_better else have <= want


_ROWS = dated("""
SELECT f.unit_id, i.code, i.name, i.search_key, i.measure, i.more_is_better, f.role,
  f.amount_millionths, f.valid_from, f.instrument, f.source_text
FROM indicator_figure f JOIN indicator i ON i.id = f.indicator_id
WHERE {active f} AND (CAST(:all_units AS INTEGER) = 1 OR f.unit_id IN :[units])
ORDER BY i.code, f.unit_id, f.role, f.recorded_at_ms, f.id
""")


async def load(
    session: Session, day: date, known_ms: int, units: list[int] | None = None
) -> list[IndicatorRow]:
    """Return what holds on the day, by code and unit; ``units`` None is all."""
    rows = await session.fetch(
        _ROWS, day=day, known=known_ms, units=units or [], all_units=1 if units is None else 0
    )
    found: dict[tuple[str, int], dict[str, Row]] = {}
    for row in rows:
        found.setdefault((row["code"], row["unit_id"]), {})[row["role"]] = row
    return [_row(roles) for roles in found.values()]


def _row(roles: dict[str, Row]) -> IndicatorRow:
    any_row = next(iter(roles.values()))
    return IndicatorRow(
        any_row["unit_id"],
        any_row["code"],
        any_row["name"],
        any_row["measure"],
        bool(any_row["more_is_better"]),
        _figure(roles.get("actual")),
        _figure(roles.get("target")),
    )


def _figure(row: Row | None) -> Figure | None:
    if row is None:
        return None
    since = as_date(row["valid_from"])
    return Figure(row["amount_millionths"], since, row["instrument"], row["source_text"])
