"""What would be wrong on the ledgers once an act is taken back: each is a row that something later wrote.

A unit may stand below none that is no more, nothing may belong to a unit that never was, no code may be two
units', no thing twice. What was so before is not held against it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.reorganise_rows import Holding, holdings_of
from kiemke.server.domain.take_back_rows import ONE_AT_A_TIME, SUBJECTS, ActRows
from kiemke.server.domain.text_labels import Words
from kiemke.server.domain.unit_spans import FOREVER, Span, by_unit, loop_of, span_of

# Dated rows of units that no decision carries over, with the column that names the unit.
_OTHERS = (
    ("coverage_target", "unit_id"),
    ("indicator_figure", "unit_id"),
    ("user_grant", "unit_id"),
    ("site_subnet", "authority_id"),
    ("counted_asset", "seen_unit_id"),
    ("stock_take_version", "counted_unit_id"),
)
_TABLES = {
    "official": "membership", "asset": "custody", "link": "link_version",
    "link_share": "link_share", "place": "place_version", "device": "device_version",
    "stock_take": "stock_take_version", "site_subnet": "site_subnet", "user": "app_user",
    "source": "source", "secret": "secret", "enrolment_token": "enrolment_token",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Clash:
    """Why an act cannot be taken back: what would be, and the row (of ``table``) that is in the way.

    ``row`` is None where no dated row is; then ``undated`` may name a row without dates. Of what belongs to a unit ``why`` is the end of a sentence that the
    thing begins.
    """

    why: Words
    table: str = ""
    row: Row | None = None
    undated: tuple[str, int] | None = None


class Trees:
    """Every version of a unit that stands, now and once the act is taken back."""

    def __init__(self, now: Sequence[Row], rows: ActRows) -> None:
        gone = {row["id"] for row in rows.void["unit_version"]}
        self.now = [span_of(row) for row in now]
        self.then = [each for each in self.now if each.row["id"] not in gone]
        self.then += [span_of(row) for row in rows.restore["unit_version"]]
        self.touched = {row["unit_id"] for row in rows.void["unit_version"]}
        self.touched |= {row["unit_id"] for row in rows.restore["unit_version"]}

    def lost(self) -> dict[int, date]:
        """Return the units that would no longer have been, with the first day each would not."""
        return _missing(self.now, self.then, self.touched)

    def gained(self) -> dict[int, date]:
        """Return the units that would be again, with the first day each would."""
        return _missing(self.then, self.now, self.touched)


async def load_trees(session: Session, rows: ActRows) -> Trees:
    """Return the tree of every day, as it is and as it would be."""
    now = await session.fetch(
        "SELECT * FROM unit_version WHERE voided_at_ms IS NULL ORDER BY valid_from, id"
    )
    return Trees(now, rows)


def _days(spans: Iterable[Span]) -> dict[int, list[tuple[date, date]]]:
    """Return when each unit is, its spans joined."""
    found: dict[int, list[tuple[date, date]]] = defaultdict(list)
    for each in sorted(spans, key=lambda span: span.begins):
        last = found[each.unit_id][-1:]
        if last and last[0][1] >= each.begins:
            found[each.unit_id][-1] = (last[0][0], max(last[0][1], each.ends))
        else:
            found[each.unit_id].append((each.begins, each.ends))
    return found


def _missing(some: Iterable[Span], others: Iterable[Span], units: set[int]) -> dict[int, date]:
    """Return the first day on which units are by ``some`` and are not by ``others``."""
    there, here = _days(s for s in others if s.unit_id in units), {}
    for unit, spans in _days(s for s in some if s.unit_id in units).items():
        days = [day for begins, ends in spans if (day := _uncovered(begins, ends, there.get(unit)))]
        if days:
            here[unit] = min(days)
    return here


def _uncovered(begins: date, ends: date, spans: list[tuple[date, date]] | None) -> date | None:
    at = begins
    for start, end in spans or ():
        if start <= at < end:
            at = end
    return at if at < ends else None


def check_tree(trees: Trees) -> list[Clash]:
    """Return what would be wrong with the tree itself and was not before."""
    codes = {each.unit_id: each.code for each in (*trees.then, *trees.now)}
    before = {what for what, _ in _troubles(trees.now, trees.touched, codes)}
    after = _troubles(trees.then, trees.touched, codes)
    return [told for what, told in after if what not in before]


def _troubles(
    spans: Sequence[Span], touched: set[int], codes: Mapping[int, str]
) -> Iterable[tuple[tuple[Any, ...], Clash]]:
    """Yield (what, clash) for each version of, below or called like a touched unit that cannot be."""
    days, by_code = _days(spans), defaultdict(list)
    units = by_unit(spans)
    for each in spans:
        by_code[each.code].append(each)
    for each in spans:
        above = each.parent_id
        if above is None:
            continue
        if each.unit_id in touched or above in touched:
            day = _uncovered(each.begins, each.ends, days.get(above))
            if day is not None:
                yield (
                    ("above", each.unit_id, above, day),
                    _no_parent(each, units[above], codes[above], day),
                )
        if loop := loop_of(each, units):
            yield ("loop", *sorted(one.unit_id for one in loop)), _loop(each, loop)
    for unit in touched:
        for each in units[unit]:
            for other in by_code[each.code]:
                if other is each or not each.meets(other):
                    continue
                kind = "twice" if other.unit_id == unit else "code"
                what = (kind, unit, other.unit_id, other.row["id"])
                yield what, _same_code(each, other)


def _no_parent(span: Span, above: Sequence[Span], name: str, day: date) -> Clash:
    last = max(above, key=lambda each: each.ends, default=None)
    # In the way stands what says that the upper unit ends, or that this one is below it.
    row = last.row if last is not None and last.ends != FOREVER else span.row
    return Clash(
        Words(
            f"Từ {day:%d/%m/%Y} {span.code} sẽ trực thuộc {name}, đơn vị không còn.",
            f"From {day} on {span.code} would belong to {name}, which is no more.",
        ),
        "unit_version",
        row,
    )


def _loop(span: Span, line: Sequence[Span]) -> Clash:
    return Clash(
        Words(
            f"{span.code} sẽ nằm dưới chính nó từ {span.begins:%d/%m/%Y}.",
            f"{span.code} would stand below itself from {span.begins} on.",
        ),
        "unit_version",
        _standing(line),
    )


def _same_code(span: Span, other: Span) -> Clash:
    day = max(span.begins, other.begins)
    said = Words(
        f"{span.code} đã được ghi khác đi từ {day:%d/%m/%Y}.",
        f"{span.code} is said otherwise from {day} on.",
    )
    if other.unit_id != span.unit_id:
        said = Words(
            f"Từ {day:%d/%m/%Y} mã {span.code} là của đơn vị khác.",
            f"From {day} on the code {span.code} is another unit's.",
        )
    return Clash(said, "unit_version", _standing([span, other]))


def _standing(spans: Sequence[Span]) -> Row | None:
    """Return the newest row that nobody voided: what comes back is in nobody's way."""
    standing = [each.row for each in spans if each.row["voided_at_ms"] is None]
    return max(standing, key=lambda row: (row["recorded_at_ms"], row["id"]), default=None)


async def check_holdings(session: Session, trees: Trees, rows: ActRows) -> list[Clash]:
    """Return what belongs to units that would never have been, or would have ended."""
    lost = trees.lost()
    gone = {(table, row["id"]) for table, voided in rows.void.items() for row in voided}
    gone |= {(each.table, each.row_id) for each in rows.set_back if each.column == "unit_id"}
    codes = {each.unit_id: each.code for each in trees.now}
    clashes = []
    for unit, day in lost.items():
        for held in await holdings_of(session, [unit], day):
            if (_TABLES[held.what], held.row["id"]) not in gone:
                clashes.append(_held(held, codes[unit]))
        for table, column in _OTHERS:
            found = await session.fetch(
                f"SELECT * FROM {table} WHERE {column} = :unit AND voided_at_ms IS NULL"  # noqa: S608  # names above
                " AND (valid_to IS NULL OR valid_to > :day) ORDER BY id",
                unit=unit,
                day=day,
            )
            clashes += [
                _other(table, row, codes[unit]) for row in found if (table, row["id"]) not in gone
            ]
    return clashes


def _held(held: Holding, code: str) -> Clash:
    if "valid_from" in held.row:
        return _other(_TABLES[held.what], dict(held.row), code)
    said = Words(f"{held.key} thuộc {code}.", f"{held.key} belongs to {code}.")
    return Clash(said, undated=(_TABLES[held.what], held.row["id"]))


def _other(table: str, row: Row, code: str) -> Clash:
    return Clash(Words(f"thuộc {code}.", f"belongs to {code}."), table, row)


async def check_once(session: Session, rows: ActRows) -> list[Clash]:
    """Return rows said since, beside which a row that comes back would say the same thing twice."""
    clashes = []
    for table in ONE_AT_A_TIME:
        if table == "unit_version":  # by its code, with the tree
            continue
        subject, back = SUBJECTS[table], rows.restore[table]
        gone = {row["id"] for row in rows.void[table]}
        standing = await session.fetch(
            f"SELECT * FROM {table} WHERE {subject} IN :[ids] AND voided_at_ms IS NULL ORDER BY id",  # noqa: S608  # names of this file
            ids=sorted({row[subject] for row in back}),
        )
        for row in standing:
            beside = [
                each
                for each in back
                if each[subject] == row[subject]
                and _meet(each, row)
                and (table != "membership" or each["is_primary"] and row["is_primary"])
            ]
            if beside and row["id"] not in gone:
                what = Words("đã được ghi khác đi.", "is said otherwise since.")
                clashes.append(Clash(what, table, row))
    return clashes


def check_minutes(rows: ActRows) -> list[Clash]:
    """Return the minutes that both sides have signed: what two people signed is handed back by a new paper."""
    return [
        Clash(
            Words(
                f"Biên bản bàn giao {row['id']} đã có hai bên ký: bàn giao lại bằng văn bản mới.",
                f"The minutes {row['id']} are signed by both sides: hand back by a new paper.",
            )
        )
        for row in rows.minutes
        if row["signed_on"] is not None
    ]


def check_restored(trees: Trees, rows: ActRows) -> list[Clash]:
    """Return the ends of units that rows which come back would outlive."""
    days, units = _days(trees.then), by_unit(trees.then)
    clashes = []
    for table, back in rows.restore.items():
        for row in back if table not in ("unit_version", "unit_succession") else ():
            if (unit := row.get("unit_id")) is None:
                continue
            ends = FOREVER if row["valid_to"] is None else as_date(row["valid_to"])
            day = _uncovered(as_date(row["valid_from"]), ends, days.get(unit))
            if day is not None:
                last = max(units[unit], key=lambda each: each.ends, default=None)
                why = Words(f"không còn từ {day:%d/%m/%Y}.", f"is no more from {day} on.")
                clashes.append(Clash(why, "unit_version", last.row if last else None))
    return clashes


def _meet(one: Row, other: Row) -> bool:
    (a, b), (c, d) = (
        (as_date(r["valid_from"]), FOREVER if r["valid_to"] is None else as_date(r["valid_to"]))
        for r in (one, other)
    )
    return a < d and c < b
