"""From leaves to figures: subtrees, populations, and trees that are none."""

from datetime import date

from kiemke.server.domain.coverage_rollup import CoverageRow, Leaf, Target, roll_up
from kiemke.server.domain.coverage_sql import COUNTS

DAY = date(2026, 3, 10)


def leaf(unit_id: int, kind: str, last_seen: int | None = None, **counts: int) -> Leaf:
    return Leaf(unit_id, kind, tuple(counts.get(name, 0) for name in COUNTS), 0, last_seen)


def pcs(unit_id: int, number: int) -> Leaf:
    return Leaf(unit_id, "", (0,) * len(COUNTS), number, None)


def figures(rows: list[CoverageRow], unit_id: int, kinds: str = "") -> CoverageRow:
    (row,) = [row for row in rows if row.unit_id == unit_id and row.kinds == kinds]
    return row


def test_a_subtree_is_the_sum_of_its_units_in_whatever_parts_they_come() -> None:
    leaves = [
        leaf(2, "cong_chuc", 7, officials=3, verified=2, no_pc=1),
        leaf(2, "cong_chuc", 5, officials=1, verified=1),
        leaf(3, "hop_dong", officials=2, silent=2, excluded=1),
        pcs(3, 4),
        pcs(3, 1),
    ]

    rows = roll_up(DAY, {1: None, 2: 1, 3: 1}, leaves, [], working=[4, 6, 8])

    root, district = figures(rows, 1), figures(rows, 2)
    assert (root.officials, root.verified, root.silent, root.excluded, root.pcs) == (6, 3, 2, 1, 5)
    assert (root.own_officials, root.own_pcs) == (0, 0)
    assert (district.own_officials, district.own_cong_chuc, district.own_hop_dong) == (4, 4, 0)
    assert root.evidence_age_working_days == district.evidence_age_working_days == 1
    assert figures(rows, 3).evidence_age_working_days is None


def test_a_target_for_some_kinds_is_a_population_of_its_own() -> None:
    leaves = [leaf(2, "cong_chuc", 9, officials=3, verified=3), leaf(2, "hop_dong", officials=5)]
    targets = [Target(1, "can_bo,hop_dong", 900, None), Target(1, "", 1000, 1200)]

    rows = roll_up(DAY, {1: None, 2: 1}, [*leaves, pcs(2, 6)], targets, working=[])

    some, everyone = figures(rows, 1, "can_bo,hop_dong"), figures(rows, 1)
    assert (some.officials, some.verified, some.pcs) == (5, 0, 6)
    assert (some.target_thousandths, some.ratio_target_thousandths) == (900, None)
    assert some.evidence_age_working_days is None
    assert (everyone.officials, everyone.target_thousandths) == (8, 1000)
    assert everyone.ratio_target_thousandths == 1200
    assert [(row.unit_id, row.kinds) for row in rows] == [(1, ""), (1, "can_bo,hop_dong"), (2, "")]


def test_a_loop_ends_and_what_stands_outside_of_the_tree_is_not_counted() -> None:
    leaves = [leaf(1, "can_bo", officials=1), leaf(2, "can_bo", officials=2), leaf(9, "can_bo")]

    rows = roll_up(DAY, {1: 2, 2: 1}, [*leaves, pcs(9, 3)], [Target(9, "", 900, None)], working=[])

    assert [(row.unit_id, row.officials, row.pcs) for row in rows] == [(1, 3, 0), (2, 3, 0)]
