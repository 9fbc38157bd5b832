"""From each unit's own people and PCs to the figures of every unit with its subtree.

Pure: no database. A ``Leaf`` may come in parts, in any order; parts of one unit and kind add up.
"""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from kiemke.server.domain.coverage_sql import COUNTS
from kiemke.server.domain.rollup import chain

KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")
_OFFICIALS = COUNTS.index("officials")
_NOBODY = (0,) * len(COUNTS)


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One unit's figures for one population: its own people (``own_*``) and its whole subtree's.

    ``kinds`` is a comma list of kinds of officials, "" for all. officials = no_pc + verified +
    counted + contradicted + silent + unmatched. ``shared_access`` is a part of no_pc.
    ``evidence_age_working_days`` counts the working days after the newest trusted sign of any
    verified person's PC in the subtree, None where nobody is verified. ``pcs`` are PCs booked there.
    """

    unit_id: int
    kinds: str
    day: date
    own_officials: int
    own_can_bo: int
    own_cong_chuc: int
    own_vien_chuc: int
    own_hop_dong: int
    own_no_pc: int
    own_verified: int
    own_counted: int
    own_contradicted: int
    own_silent: int
    own_unmatched: int
    own_excluded: int
    own_shared_access: int
    own_pcs: int
    officials: int
    no_pc: int
    verified: int
    counted: int
    contradicted: int
    silent: int
    unmatched: int
    excluded: int
    shared_access: int
    pcs: int
    target_thousandths: int | None
    ratio_target_thousandths: int | None
    evidence_age_working_days: int | None

    @property
    def declared(self) -> int:
        """Persons of the subtree with a PC in their personal custody."""
        return self.officials - self.no_pc

    @property
    def ratio(self) -> Fraction | None:
        """PCs booked in the subtree per person, uncapped; None without persons."""
        return Fraction(self.pcs, self.officials) if self.officials else None


class Leaf(NamedTuple):
    """What one unit has itself: persons of one kind, in the order of COUNTS, or PCs (kind "").

    ``last_seen`` is the newest trusted sign of a verified one's PC as ``coverage_sql`` orders them,
    None where nobody is verified.
    """

    unit_id: int
    kind: str
    counts: tuple[int, ...]
    pcs: int
    last_seen: int | None


@dataclass(frozen=True, slots=True)
class Target:
    """What a unit should reach, in thousandths, for some kinds of its officials ("" for all)."""

    unit_id: int
    kinds: str
    coverage_thousandths: int | None
    ratio_thousandths: int | None


class _Sum:
    """The leaves of a unit or a subtree: persons and newest signs by kind, added up when asked; and PCs."""

    __slots__ = ("counts", "last_seen", "pcs")

    def __init__(self) -> None:
        self.counts: dict[str, list[Sequence[int]]] = {}
        self.last_seen: dict[str, int] = {}
        self.pcs = 0

    def add(self, kind: str, counts: Iterable[Sequence[int]], last_seen: int | None) -> None:
        """Add some persons of one kind."""
        self.counts.setdefault(kind, []).extend(counts)
        if last_seen is not None and last_seen > self.last_seen.get(kind, -1):
            self.last_seen[kind] = last_seen

    def add_all(self, other: "_Sum") -> None:
        """Add another unit's people and PCs."""
        for kind, counts in other.counts.items():
            self.add(kind, counts, other.last_seen.get(kind))
        self.pcs += other.pcs

    def figures(self, kinds: Collection[str] | None) -> Sequence[int]:
        """Return the counts of a population, None for all."""
        found = [
            counts
            for kind, leaves in self.counts.items()
            if kinds is None or kind in kinds
            for counts in leaves
        ]
        return [*map(sum, zip(*found, strict=True))] or _NOBODY

    def officials(self, kind: str) -> int:
        """Return how many of one kind count."""
        return sum(counts[_OFFICIALS] for counts in self.counts.get(kind, ()))


def roll_up(
    day: date,
    parents: Mapping[int, int | None],
    leaves: Iterable[Leaf],
    targets: Iterable[Target],
    working: Sequence[int],
) -> list[CoverageRow]:
    """Return the figures of every unit, and of every population a target of it names.

    ``parents`` is the tree: each unit with the one above it; what stands in a unit outside of it is
    not counted, and a loop ends where it began. ``working`` are the window's days in the code of
    ``last_seen``. By unit and kinds.
    """
    own = {unit_id: _Sum() for unit_id in parents}
    for leaf in leaves:
        if leaf.unit_id in own:
            if leaf.kind:
                own[leaf.unit_id].add(leaf.kind, [leaf.counts], leaf.last_seen)
            own[leaf.unit_id].pcs += leaf.pcs
    # Most units stand above no other: what is theirs is all there is.
    whole = own | {unit_id: _Sum() for unit_id in {*parents.values()} if unit_id in parents}
    for unit_id, found in own.items():
        if found.counts or found.pcs:
            for above in chain(unit_id, parents):
                if above in whole and whole[above] is not own[above]:
                    whole[above].add_all(found)
    oldest_first = sorted(working)
    wanted = {(unit_id, ""): Target(unit_id, "", None, None) for unit_id in parents}
    wanted |= {(t.unit_id, t.kinds): t for t in targets if t.unit_id in parents}
    return [
        _row(day, target, own[unit_id], whole[unit_id], oldest_first)
        for (unit_id, _), target in sorted(wanted.items())
    ]


def _row(day: date, target: Target, own: _Sum, whole: _Sum, working: Sequence[int]) -> CoverageRow:
    kinds = target.kinds.split(",") if target.kinds else None
    mine = own.figures(kinds)
    all_ = mine if whole is own else whole.figures(kinds)
    signs = [sign for kind, sign in whole.last_seen.items() if kinds is None or kind in kinds]
    values: list[Any] = [  # in the order of the fields
        target.unit_id,
        target.kinds,
        day,
        mine[_OFFICIALS],
        *(own.officials(kind) if kinds is None or kind in kinds else 0 for kind in KINDS),
        *mine[_OFFICIALS + 1 :],
        own.pcs,
        *all_,
        whole.pcs,
        target.coverage_thousandths,
        target.ratio_thousandths,
        len(working) - bisect_right(working, max(signs)) if signs else None,
    ]
    return CoverageRow(*values)
