"""Why a coverage figure read one way then and another way now: persons who moved, rows that moved them.

Two readings are compared, each a day as known at a moment. A row moved a figure when it is about a
person who moved and counts in one reading alone; rows voided and said again with the same words
cancel out.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.coverage_who import WhoRow, coverage_who

# Table -> (column of whom or what it is about, columns that say something). In the order of a report.
_PEOPLE = {
    "membership": ("official_id", ("unit_id", "kind", "post", "is_primary")),
    "absence": ("official_id", ("reason",)),
    "custody": ("official_id", ("asset_id", "unit_id", "official_id")),
}
_ASSETS = {
    "custody": ("asset_id", ("asset_id", "unit_id", "official_id")),
    "asset_status": ("asset_id", ("status",)),
    "asset_fact": ("asset_id", ("ownership",)),
    "asset_match": ("asset_id", ("machine_id",)),
    "counted_asset": ("asset_id", ("result",)),
}
_UNITS = {"unit_version": ("unit_id", ("parent_id",))}
GONE = "outside"  # the state of somebody whom one of the readings does not know


@dataclass(frozen=True, slots=True)
class Reading:
    """A day as the system knew it at a moment (epoch ms)."""

    day: date
    known_ms: int

    def holds(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a dated row counts in this reading."""
        if row["recorded_at_ms"] > self.known_ms or as_date(row["valid_from"]) > self.day:
            return False
        if row["valid_to"] is not None and as_date(row["valid_to"]) <= self.day:
            return False
        return row["voided_at_ms"] is None or row["voided_at_ms"] > self.known_ms


@dataclass(frozen=True, slots=True)
class Moved:
    """A person who stands elsewhere in the second reading: state, unit, deciding asset of both."""

    official_id: int
    code: str
    name: str
    before: WhoRow | None
    after: WhoRow | None

    @property
    def from_state(self) -> str:
        """The state in the first reading."""
        return GONE if self.before is None else self.before.state

    @property
    def to_state(self) -> str:
        """The state in the second reading."""
        return GONE if self.after is None else self.after.state


@dataclass(slots=True)
class Entry:
    """A row that counts in one reading alone, and whom it moved. ``added`` False: it was voided.

    ``late`` tells that it was written (or voided) after the first reading; otherwise it is the day
    that makes the difference.
    """

    table: str
    row: Row
    added: bool
    late: bool
    paper: str | None
    moved: list[Moved] = field(default_factory=list)

    @property
    def at_ms(self) -> int:
        """When it was written, or voided."""
        return int(self.row["recorded_at_ms"] if self.added else self.row["voided_at_ms"] or 0)

    @property
    def who(self) -> str | None:
        """Who wrote it, or voided it."""
        found: str | None = self.row["recorded_by"] if self.added else self.row["voided_by"]
        return found


@dataclass(frozen=True, slots=True)
class Difference:
    """Both readings' persons by state, who moved, by which rows; ``unexplained`` moved by none.

    What moved without a row moved by evidence: a PC was seen, or was not seen any more.
    """

    before: Counter[str]
    after: Counter[str]
    moved: list[Moved]
    entries: list[Entry]
    unexplained: list[Moved]


async def coverage_diff(
    session: Session,
    roots: Iterable[int],
    first: Reading,
    second: Reading,
    within: frozenset[int] | None = None,
) -> Difference:
    """Compare the persons of the units' subtrees in two readings; only ``within`` units, None is all."""
    then: dict[int, WhoRow] = {}
    now: dict[int, WhoRow] = {}
    for root in roots:
        for found, reading in ((then, first), (now, second)):
            day, known_ms = reading.day, reading.known_ms
            rows = await coverage_who(session, root, day, known_ms, seen=within)
            seen = [row for row in rows if within is None or row.unit_id in within]
            found.update({row.official_id: row for row in seen})
    moved = [
        Moved(id_, (a or b).official_code, (a or b).official_name, a, b)  # type: ignore[union-attr]  # one of the two has it
        for id_ in sorted({*then, *now})
        if _stands(a := then.get(id_)) != _stands(b := now.get(id_))
    ]
    entries = await _entries(session, moved, first, second)
    explained = {one.official_id for entry in entries for one in entry.moved}
    return Difference(
        Counter(row.state for row in then.values()),
        Counter(row.state for row in now.values()),
        moved,
        entries,
        [one for one in moved if one.official_id not in explained],
    )


def _stands(row: WhoRow | None) -> tuple[str, int] | None:
    """What of a person a figure is made of: the state, and the unit it is counted in."""
    return None if row is None else (row.state, row.unit_id)


async def _entries(
    session: Session, moved: list[Moved], first: Reading, second: Reading
) -> list[Entry]:
    people = {one.official_id: [one] for one in moved}
    held = await session.fetch(
        "SELECT DISTINCT asset_id, official_id FROM custody WHERE official_id IN :[ids]",
        ids=sorted(people),
    )
    assets: dict[int, list[Moved]] = {}
    for row in held:
        assets.setdefault(row["asset_id"], []).extend(people[row["official_id"]])
    units: dict[int, list[Moved]] = {}
    for one in moved:
        if one.before is None or one.after is None:  # came into sight or went out of it
            standing = one.before or one.after
            if standing is not None:
                units.setdefault(standing.unit_id, []).append(one)
    found: dict[tuple[str, int], Entry] = {}
    for tables, subjects in ((_PEOPLE, people), (_ASSETS, assets), (_UNITS, units)):
        for table, (subject, columns) in tables.items():
            rows = await session.fetch(
                f"SELECT * FROM {table} WHERE {subject} IN :[ids]"  # noqa: S608  # names above
                " AND (recorded_at_ms > :earliest OR voided_at_ms > :earliest OR :same_day = 0)"
                " ORDER BY id",
                ids=sorted(subjects),
                earliest=min(first.known_ms, second.known_ms),
                same_day=1 if first.day == second.day else 0,
            )
            for row in _differing(rows, (subject, *columns), first, second):
                entry = _entry(table, row, first, second)
                kept = found.setdefault((table, row["id"]), entry)
                kept.moved += [one for one in subjects[row[subject]] if one not in kept.moved]
    await _find_papers(session, [entry for entry in found.values() if not entry.added])
    return sorted(found.values(), key=lambda entry: (entry.at_ms, entry.table, entry.row["id"]))


def _differing(
    rows: list[Row], columns: tuple[str, ...], first: Reading, second: Reading
) -> list[Row]:
    """Return the rows that count in one reading alone and whose words the other one lacks."""

    def words(row: Row) -> tuple[Any, ...]:
        return tuple(row[column] for column in columns)

    then, now = ([row for row in rows if r.holds(row)] for r in (first, second))
    spare = Counter(map(words, then)) & Counter(map(words, now))
    kept = [row for row in (*then, *now) if not spare[words(row)]]
    return [row for row in kept if first.holds(row) != second.holds(row)]


def _entry(table: str, row: Row, first: Reading, second: Reading) -> Entry:
    added = second.holds(row)
    at_ms = row["recorded_at_ms"] if added else row["voided_at_ms"]
    late = at_ms is not None and at_ms > first.known_ms
    return Entry(table, row, added, late, row["instrument"])


async def _find_papers(session: Session, voided: list[Entry]) -> None:
    """Give voided rows the paper of the act that voided them, as the audit log tells of it.

    A row keeps the paper it was written by; where that moment has several papers, none is named.
    """
    told = await session.fetch(
        "SELECT entry FROM audit_entry WHERE at_ms IN :[moments]",
        moments=sorted({entry.at_ms for entry in voided}),
    )
    papers: dict[tuple[int, str], set[str | None]] = {}
    for row in told:
        act = json.loads(bytes(row["entry"]))
        papers.setdefault((act["at_ms"], act["who"]), set()).add(act["paper"])
    for entry in voided:
        known = papers.get((entry.at_ms, entry.who or ""), set())
        entry.paper = next(iter(known)) if len(known) == 1 else None
