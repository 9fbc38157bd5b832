"""A decision entered late, beside what was entered for days after it: what it would tear apart is refused.

Rows of people and things that begin later are carried over with the rest. A unit's own later versions are
another paper's: one of a unit that ends would bring it back to life, one below such a unit would stand
below nothing, and so would what is put below or into a unit that ended before today.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Protocol

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.reorganise_decision import CannotReorganise, refuse
from kiemke.server.domain.unit_spans import FOREVER, Span, by_unit, loop_of, span_of

_LATER = """
SELECT unit_id, parent_id, code, valid_from, valid_to, instrument FROM unit_version
WHERE voided_at_ms IS NULL AND valid_from > :day ORDER BY valid_from, id
"""


class Planned(Protocol):
    """What of a planned unit is asked here: as it was (None: it is new) and as the decision leaves it."""

    id: int
    code: str
    parent_id: int | None
    row: Row | None
    ended: bool
    touched: bool


async def check_later(
    session: Session, units: Mapping[int, Planned], receivers: Iterable[int], day: date
) -> None:
    """Raise CannotReorganise where the decision contradicts what holds after its day."""
    later = await session.fetch(_LATER, day=day)
    for row in later:
        own, above = units.get(row["unit_id"]), units.get(row["parent_id"])
        if own is not None and own.ended:
            raise _changes_later(own, row)
        if above is not None and above.ended:
            raise _below_later(above, row)
    _check_loops(units, later, day)
    lives_on = {row["unit_id"] for row in later}
    living = [unit for unit in units.values() if unit.touched and not unit.ended]
    for unit in living:
        if unit.row is None or unit.row["code"] != unit.code:
            _check_code(unit, later)
        above = units.get(unit.parent_id) if unit.parent_id is not None else None
        if above is not None and (end := _end_of(above, lives_on)) is not None:
            own_end = _end_of(unit, lives_on)
            if own_end is None or own_end > end:
                raise _ends_first(above, end)
    for unit in (units[receiver] for receiver in sorted(set(receivers))):
        if not unit.ended and (end := _end_of(unit, lives_on)) is not None:
            raise _ends_first(unit, end)


def _check_loops(units: Mapping[int, Planned], later: Iterable[Row], day: date) -> None:
    """No unit may come to stand below itself by what was entered for a later day."""
    after = [span_of(row) for row in later]
    on_day = [
        Span(
            each.id,
            each.parent_id,
            each.code,
            day,
            FOREVER if each.row is None else _ends(each.row),
        )
        for each in units.values()
        if not each.ended
    ]
    spans = by_unit([*on_day, *after])
    for each in after:
        if loop_of(each, spans):
            raise _below_itself(each)


def _ends(row: Row) -> date:
    return FOREVER if row["valid_to"] is None else as_date(row["valid_to"])


def _end_of(unit: Planned, lives_on: set[int]) -> date | None:
    """Return the first day a unit is no more, None while it lives."""
    if unit.row is None or unit.row["valid_to"] is None or unit.id in lives_on:
        return None
    return as_date(unit.row["valid_to"])


def _check_code(unit: Planned, later: Iterable[Row]) -> None:
    """A code that is new on the day must not be another unit's later on."""
    end = (
        None if unit.row is None or unit.row["valid_to"] is None else as_date(unit.row["valid_to"])
    )
    for row in later:
        since = as_date(row["valid_from"])
        if row["code"] == unit.code and row["unit_id"] != unit.id and (end is None or since < end):
            raise refuse(
                f"Từ {since:%d/%m/%Y} mã {unit.code} là của đơn vị khác.",
                f"From {since} on the code {unit.code} is another unit's.",
                "Dùng mã khác.",
                "Use another code.",
            )


def _changes_later(unit: Planned, row: Row) -> CannotReorganise:
    since, paper = as_date(row["valid_from"]), row["instrument"] or "–"
    return refuse(
        f"{unit.code} còn được ghi thay đổi từ {since:%d/%m/%Y} (văn bản {paper}), sau ngày quyết định này.",
        f"{unit.code} is changed again on {since} (paper {paper}), after the day of this decision.",
        "Kiểm tra ngày của hai văn bản: kiemke don-vi lich-su.",
        "Check the days of both papers: kiemke unit history.",
    )


def _below_later(unit: Planned, row: Row) -> CannotReorganise:
    since, code = as_date(row["valid_from"]), row["code"]
    return refuse(
        f"Từ {since:%d/%m/%Y} {code} trực thuộc {unit.code}, đơn vị kết thúc theo quyết định này.",
        f"From {since} on {code} belongs to {unit.code}, which ends by this decision.",
        f"Chuyển trước: kiemke don-vi chuyen {code} --thuoc … --ngay {since:%d/%m/%Y} --so …",
        f"Move it first: kiemke unit move {code} --under … --day {since} --paper …",
    )


def _below_itself(span: Span) -> CannotReorganise:
    since, paper = span.begins, span.row["instrument"] or "–"
    return refuse(
        f"Từ {since:%d/%m/%Y} {span.code} sẽ nằm dưới chính nó (văn bản {paper}, đã nhập trước).",
        f"From {since} on {span.code} would stand below itself (paper {paper}, entered before).",
        "Kiểm tra ngày của hai văn bản: kiemke don-vi lich-su.",
        "Check the days of both papers: kiemke unit history.",
    )


def _ends_first(unit: Planned, end: date) -> CannotReorganise:
    return refuse(
        f"{unit.code} kết thúc ngày {end:%d/%m/%Y}: những gì về đó sau ngày ấy không thuộc đơn vị nào.",
        f"{unit.code} ends on {end}: what comes to it would belong to no unit from then on.",
        "Chọn đơn vị còn tồn tại, hoặc nhập theo thứ tự ngày của các quyết định.",
        "Choose a unit that lives on, or enter the decisions in the order of their days.",
    )
