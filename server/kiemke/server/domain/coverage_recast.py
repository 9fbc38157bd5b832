"""Coverage of a day re-cast on the tree of a later day: each unit's people count where it went.

A unit that was merged counts in the one that received it. One that was split, or still waits to be
assigned, cannot be decided: it stays a row of its own below the nearest unit that stands above all its
parts, so that no part is flattered and every sum above is whole.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.domain.coverage import CoverageRow, recount, statement_params
from kiemke.server.domain.coverage_who import WhoRow, coverage_who
from kiemke.server.domain.tables import dated

_TREE = "SELECT v.unit_id, v.parent_id FROM unit_version v WHERE {active v}"
_SUCCESSIONS = (
    "SELECT s.unit_id, s.successor_id FROM unit_succession s WHERE s.valid_from > :from"
    " AND s.valid_from <= :day AND s.recorded_at_ms <= :known"
    " AND (s.voided_at_ms IS NULL OR s.voided_at_ms > :known)"
)
_TARGETS = (
    "SELECT g.unit_id, g.kinds, g.measure, g.target_thousandths FROM coverage_target g"
    " WHERE {active g}"
)
_STATES = ("no_pc", "verified", "counted", "contradicted", "silent", "unmatched", "excluded")
_KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")


@dataclass(slots=True)
class _Tree:
    """Parents by unit on the later day, with the units that stay rows of their own."""

    parents: dict[int, int | None]
    old_parents: Mapping[int, int | None]
    successors: Mapping[int, set[int]]
    kept: set[int] = field(default_factory=set)

    def place(self, unit_id: int, seen: frozenset[int] = frozenset()) -> int | None:
        """Return the unit where an old one counts on the later day; None above the roots."""
        if unit_id in self.parents or unit_id in seen:
            return unit_id
        onward = self.successors.get(unit_id, set())
        if not onward:
            above = self.old_parents.get(unit_id)
            return None if above is None else self.place(above, seen | {unit_id})
        places = {self.place(each, seen | {unit_id}) for each in onward}
        if len(places) == 1:
            return next(iter(places))
        self.parents[unit_id] = self._common(places)
        self.kept.add(unit_id)
        return unit_id

    def chain(self, unit_id: int | None) -> list[int]:
        """Return a unit and all above it, nearest first."""
        found: list[int] = []
        while unit_id in self.parents and unit_id not in found:
            found.append(unit_id)
            unit_id = self.parents.get(unit_id)
        return found

    def _common(self, places: Iterable[int | None]) -> int | None:
        """Return the nearest unit above all of these, None when there is none."""
        chains = [self.chain(self.parents.get(each) if each else None) for each in places]
        return next((one for one in chains[0] if all(one in other for other in chains)), None)


@dataclass(slots=True)
class _Sum:
    """Persons by (kind, state), those who only share a PC by kind, the newest sign, and PCs."""

    states: Counter[tuple[str, str]] = field(default_factory=Counter)
    shared: Counter[str] = field(default_factory=Counter)
    last_day: dict[str, date] = field(default_factory=dict)
    pcs: int = 0

    def add(self, other: "_Sum") -> None:
        """Add another unit's people and PCs."""
        self.states += other.states
        self.shared += other.shared
        self.pcs += other.pcs
        for kind, day in other.last_day.items():
            self.last_day[kind] = max(day, self.last_day.get(kind, day))

    def count(self, row: WhoRow) -> None:
        """Add one person."""
        self.states[row.kind, row.state] += 1
        self.shared[row.kind] += row.has_shared_access
        if row.state == "verified" and row.last_day is not None:
            newest = self.last_day.get(row.kind, row.last_day)
            self.last_day[row.kind] = max(newest, row.last_day)

    def figures(self, kinds: str) -> dict[str, int]:
        """Return the counts of a population."""
        chosen = [k for k in _KINDS if not kinds or k in kinds.split(",")]
        found = {state: sum(self.states[k, state] for k in chosen) for state in _STATES}
        people = sum(found.values()) - found["excluded"]
        shared = sum(self.shared[k] for k in chosen)
        return {**found, "officials": people, "shared_access": shared, "pcs": self.pcs}

    def newest(self, kinds: str) -> date | None:
        """Return the newest trusted sign of a verified person's PC in a population."""
        chosen = [d for k, d in self.last_day.items() if not kinds or k in kinds.split(",")]
        return max(chosen, default=None)


async def recast(
    session: Session, day: date, tree_day: date, known_ms: int
) -> tuple[list[CoverageRow], set[int]]:
    """Return the figures of ``day`` on the tree of ``tree_day``, and the units that could not follow."""
    times = {"day": tree_day, "known": known_ms}
    old = {
        row["unit_id"]: row["parent_id"]
        for row in await session.fetch(dated(_TREE), day=day, known=known_ms)
    }
    parents = {
        row["unit_id"]: row["parent_id"] for row in await session.fetch(dated(_TREE), **times)
    }
    successors: dict[int, set[int]] = {}
    for row in await session.fetch(_SUCCESSIONS, **{"from": day}, **times):
        successors.setdefault(row["unit_id"], set()).add(row["successor_id"])
    tree = _Tree(parents, old, successors)
    own = await _own(session, tree, day, known_ms)
    subtree: dict[int, _Sum] = {unit_id: _Sum() for unit_id in tree.parents}
    for unit_id, found in own.items():
        for above in tree.chain(unit_id):
            subtree[above].add(found)
    targets: dict[tuple[int, str], dict[str, int]] = {(u, ""): {} for u in tree.parents}
    for row in await session.fetch(dated(_TARGETS), **times):
        if row["unit_id"] in tree.parents:
            told = targets.setdefault((row["unit_id"], row["kinds"]), {})
            told[row["measure"]] = row["target_thousandths"]
    days = json.loads((await statement_params(session, day, known_ms))["days"])
    working = [date.fromisoformat(each["day"]) for each in days]
    return [
        _row(unit_id, kinds, day, own.get(unit_id, _Sum()), subtree[unit_id], told, working)
        for (unit_id, kinds), told in sorted(targets.items())
    ], tree.kept


async def _own(session: Session, tree: _Tree, day: date, known_ms: int) -> dict[int, _Sum]:
    """Return each later unit's own people and PCs of the day."""
    persons: dict[int, WhoRow] = {}
    for root in [unit_id for unit_id, parent in tree.old_parents.items() if parent is None]:
        for person in await coverage_who(session, root, day, known_ms):
            persons[person.official_id] = person
    own: dict[int, _Sum] = {}
    for person in persons.values():
        place = tree.place(person.unit_id)
        if place is not None:
            own.setdefault(place, _Sum()).count(person)
    for row in await recount(session, day, known_ms):
        place = tree.place(row.unit_id) if row.kinds == "" and row.own_pcs else None
        if place is not None:
            own.setdefault(place, _Sum()).pcs += row.own_pcs
    return own


def _row(
    unit_id: int, kinds: str, day: date, own: _Sum, subtree: _Sum, target: Mapping[str, int],
    working: list[date],
) -> CoverageRow:  # fmt: skip
    values: dict[str, Any] = {f"own_{name}": n for name, n in own.figures(kinds).items()}
    values |= subtree.figures(kinds)
    for kind in _KINDS:
        inside = not kinds or kind in kinds.split(",")
        values[f"own_{kind}"] = own.figures(kind)["officials"] if inside else 0
    newest = subtree.newest(kinds)
    values |= {
        "unit_id": unit_id,
        "kinds": kinds,
        "day": as_date(day),
        "target_thousandths": target.get("coverage"),
        "ratio_target_thousandths": target.get("ratio"),
        "evidence_age_working_days": None
        if newest is None
        else sum(each > newest for each in working),
    }
    return CoverageRow(**{each.name: values[each.name] for each in fields(CoverageRow)})
