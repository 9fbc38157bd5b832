"""Coverage of a day re-cast on the tree of a later day: each unit's people count where it went.

A unit that was merged counts in the one that received it. One that was split, or still waits to be
assigned, cannot be decided: it stays a row of its own below the nearest unit that stands above all its
parts, so that no part is flattered and every sum above is whole.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Session, as_date
from kiemke.server.domain.coverage import (
    load_leaves,
    load_targets,
    load_tree,
    statement_params,
    working_codes,
)
from kiemke.server.domain.coverage_rollup import CoverageRow, roll_up
from kiemke.server.domain.rollup import chain

_SUCCESSIONS = (
    "SELECT s.unit_id, s.successor_id FROM unit_succession s WHERE s.valid_from > :from"
    " AND s.valid_from <= :day AND s.recorded_at_ms <= :known"
    " AND (s.voided_at_ms IS NULL OR s.voided_at_ms > :known)"
)
_ENDS = (
    "SELECT unit_id, MAX(valid_to) AS ended FROM unit_version WHERE unit_id IN :[units]"
    " AND recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)"
    " GROUP BY unit_id"
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A unit that could not follow: the unit it stands below, and the first day it was no more."""

    parent_id: int | None
    ended: date


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
        above = [] if unit_id is None else chain(unit_id, self.parents)
        return [each for each in above if each in self.parents]

    def _common(self, places: Iterable[int | None]) -> int | None:
        """Return the nearest unit above all of these, None when there is none."""
        chains = [self.chain(self.parents.get(each) if each else None) for each in places]
        return next((one for one in chains[0] if all(one in other for other in chains)), None)


async def recast(
    session: Session, day: date, tree_day: date, known_ms: int
) -> tuple[list[CoverageRow], dict[int, Kept]]:
    """Return the figures of ``day`` on the tree of ``tree_day``, and the units that could not follow."""
    successors: dict[int, set[int]] = {}
    times = {"from": day, "day": tree_day, "known": known_ms}
    for row in await session.fetch(_SUCCESSIONS, **times):
        successors.setdefault(row["unit_id"], set()).add(row["successor_id"])
    tree = _Tree(
        await load_tree(session, tree_day, known_ms),
        await load_tree(session, day, known_ms),
        successors,
    )
    params = await statement_params(session, day, known_ms)
    # Placed first: that is when units that cannot follow join the tree.
    leaves = [
        leaf._replace(unit_id=place)
        for leaf in await load_leaves([session], params)
        if (place := tree.place(leaf.unit_id)) is not None
    ]
    targets = await load_targets(session, tree_day, known_ms)
    ends = await session.fetch(_ENDS, units=sorted(tree.kept), known=known_ms) if tree.kept else []
    kept = {
        row["unit_id"]: Kept(tree.parents[row["unit_id"]], as_date(row["ended"])) for row in ends
    }
    return roll_up(day, tree.parents, leaves, targets, working_codes(params)), kept
