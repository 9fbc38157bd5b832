"""A person's word on two machines: they are one (merge, and its exact inverse), or never were (apart).

A merger moves every dated row of the absorbed machine; each new row names the row it replaced, so that
undoing restores what was, with whatever ended in between. Mergers built on one another are undone from
the last to the first.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from kiemke.server.audit import record
from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.identity_rows import replace_row
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.text_labels import Words


class CannotDecide(Refused):
    """What was asked contradicts the rows; nothing was changed."""


PlanKind = Literal["merge", "unmerge"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a decision on ``machine`` and ``other`` moves: sources' rows and matches with assets.

    ``decision_id`` is the merger to undo, None when a new decision is to be made.
    """

    kind: PlanKind
    machine: int
    other: int
    rows: tuple[Row, ...]
    matches: tuple[Row, ...]
    decision_id: int | None = None


_ROWS = """
SELECT x.*, s.public_id, s.hostname FROM machine_source x JOIN source s ON s.id = x.source_id
WHERE x.machine_id = :machine AND x.voided_at_ms IS NULL ORDER BY x.source_id, x.stay
"""
_MATCHES = """
SELECT x.*, a.code AS asset_code FROM asset_match x JOIN asset a ON a.id = x.asset_id
WHERE x.machine_id = :machine AND x.voided_at_ms IS NULL ORDER BY x.id
"""
_DECISIONS = """
SELECT * FROM machine_decision WHERE undone_at_ms IS NULL AND kind = :kind
  AND machine_id = :machine AND other_id = :other ORDER BY id DESC LIMIT 1
"""


async def plan_merge(session: Session, machine: int, other: int) -> Plan:
    """Return what merging ``other`` into ``machine`` would move. Raises CannotDecide."""
    if machine == other:
        raise CannotDecide(
            Words(
                "Một máy không gộp với chính nó được.", "A machine cannot be merged with itself."
            ),
            Words("Hãy nêu hai máy.", "Name two machines."),
        )
    rows = await session.fetch(_ROWS, machine=other)
    if not rows or not await session.fetch(_ROWS, machine=machine):
        raise _holds_nothing(machine if rows else other)
    mine = await session.fetch(_MATCHES, machine=machine)
    theirs = await session.fetch(_MATCHES, machine=other)
    for one in mine:
        for two in theirs:
            if _overlap(one, two):
                codes = f"{one['asset_code']} / {two['asset_code']}"
                raise CannotDecide(
                    Words(
                        f"Hai máy cùng lúc được ghép với tài sản: {codes}.",
                        f"Both machines are matched with an asset at once: {codes}.",
                    ),
                    Words("Hãy bỏ một ghép trước.", "End one of the two matches first."),
                )
    return Plan("merge", machine, other, tuple(rows), tuple(theirs))


async def plan_unmerge(session: Session, machine: int, other: int) -> Plan:
    """Return what undoing the last merger of ``other`` into ``machine`` moves. Raises CannotDecide."""
    decision = await session.one(_DECISIONS, kind="merge", machine=machine, other=other)
    if decision is None:
        raise CannotDecide(
            Words(
                f"Máy {other} không được gộp vào máy {machine}.",
                f"Machine {other} was not merged into machine {machine}.",
            ),
            Words("Xem: kiemke machine why.", "See: kiemke machine why."),
        )
    later = await session.one(
        "SELECT id, machine_id, other_id FROM machine_decision WHERE kind = 'merge'"
        " AND undone_at_ms IS NULL AND id > :id AND other_id = :machine ORDER BY id DESC LIMIT 1",
        id=decision["id"],
        machine=machine,
    )
    if later is not None:
        command = f"kiemke machine unmerge {later['machine_id']} {later['other_id']}"
        raise CannotDecide(
            Words(
                f"Máy {machine} sau đó đã được gộp vào máy {later['machine_id']}.",
                f"Machine {machine} was itself merged into machine {later['machine_id']} since.",
            ),
            Words(f"Hãy gỡ lần gộp sau trước: {command}", f"Undo the later one first: {command}"),
        )
    rows = await session.fetch(_ROWS, machine=machine)
    moved = json.loads(decision["moved_json"] or "{}").get("matches", [])
    placed = {new for _, new in moved}
    matches = [row for row in await session.fetch(_MATCHES, machine=machine) if row["id"] in placed]
    return Plan(
        "unmerge",
        machine,
        other,
        tuple(row for row in rows if row["decision_id"] == decision["id"]),
        tuple(matches),
        decision["id"],
    )


def _overlap(one: Row, two: Row) -> bool:
    return (one["valid_to"] is None or as_date(one["valid_to"]) > as_date(two["valid_from"])) and (
        two["valid_to"] is None or as_date(two["valid_to"]) > as_date(one["valid_from"])
    )


def _holds_nothing(machine: int) -> CannotDecide:
    return CannotDecide(
        Words(f"Máy {machine} không có nguồn nào.", f"Machine {machine} has no source."),
        Words(
            "Có lẽ máy ấy đã được gộp vào máy khác.", "Perhaps it was merged into another already."
        ),
    )


async def apply(
    session: Session, plan: Plan, *, who: str, now_ms: int, reason: str | None = None
) -> None:
    """Write a planned merger or its undoing, with its audit entry, in the caller's transaction."""
    if plan.kind == "merge":
        moved = await _merge(session, plan, who, now_ms, reason)
    else:
        moved = await _unmerge(session, plan, who, now_ms)
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act=f"machine.{plan.kind}",
        subject=f"machine:{plan.machine}",
        before={"other": plan.other, "rows": [row["id"] for row in plan.rows]},
        after={"rows": moved, "reason": reason},
    )


async def _merge(
    session: Session, plan: Plan, who: str, now_ms: int, reason: str | None
) -> list[int]:
    decision = await _decide(session, "merge", plan.machine, plan.other, reason, who, now_ms)
    moved = [
        await replace_row(
            session,
            row,
            now_ms,
            who,
            machine_id=plan.machine,
            decided_by="merge",
            decision_id=decision,
            replaces_id=row["id"],
        )
        for row in plan.rows
    ]
    matches = [
        [row["id"], await _replace_match(session, row, now_ms, who, {"machine_id": plan.machine})]
        for row in plan.matches
    ]
    await session.execute(
        "UPDATE machine_decision SET moved_json = :moved WHERE id = :id",
        moved=json.dumps({"matches": matches}),
        id=decision,
    )
    return moved


async def _unmerge(session: Session, plan: Plan, who: str, now_ms: int) -> list[int]:
    moved = []
    for row in plan.rows:
        before = await session.one(
            "SELECT machine_id, decided_by, evidence_json, decision_id, replaces_id"
            " FROM machine_source WHERE id = :id",
            id=row["replaces_id"],
        )
        if before is None:
            raise RuntimeError(f"row {row['replaces_id']} of machine_source is gone")
        moved.append(await replace_row(session, row, now_ms, who, **before))
    for row in plan.matches:
        given = await _replace_match(session, row, now_ms, who, {"machine_id": plan.other})
        await _follow_match(session, plan, row["id"], given)
    await session.execute(
        "UPDATE machine_decision SET undone_at_ms = :now, undone_by = :who WHERE id = :id",
        now=now_ms,
        who=who,
        id=plan.decision_id,
    )
    return moved


async def _follow_match(session: Session, plan: Plan, moved: int, given: int) -> None:
    """Tell the earlier mergers that moved a match to ``other`` by which row it stands there again."""
    this = await session.one(
        "SELECT moved_json FROM machine_decision WHERE id = :id", id=plan.decision_id
    )
    pairs = json.loads(this["moved_json"] or "{}").get("matches", []) if this else []
    before = next((old for old, new in pairs if new == moved), None)
    for row in await session.fetch(
        "SELECT id, moved_json FROM machine_decision WHERE kind = 'merge'"
        " AND undone_at_ms IS NULL AND machine_id = :other",
        other=plan.other,
    ):
        told = json.loads(row["moved_json"] or "{}")
        matches = [[old, given if new == before else new] for old, new in told.get("matches", [])]
        await session.execute(
            "UPDATE machine_decision SET moved_json = :moved WHERE id = :id",
            moved=json.dumps({**told, "matches": matches}),
            id=row["id"],
        )


async def _replace_match(
    session: Session, row: Row, now_ms: int, who: str, changes: Mapping[str, Any]
) -> int:
    """Void a match and add it again with changes; return the new row's id."""
    await session.execute(
        "UPDATE asset_match SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        now=now_ms,
        who=who,
        id=row["id"],
    )
    values = {name: value for name, value in row.items() if name not in ("id", "asset_code")}
    for name in ("valid_from", "valid_to"):
        values[name] = _day(values[name])
    values |= {**changes, "recorded_at_ms": now_ms, "recorded_by": who}
    added = await session.one(
        f"INSERT INTO asset_match ({', '.join(values)})"  # noqa: S608 - names of the table
        f" VALUES ({', '.join(':' + name for name in values)}) RETURNING id",
        **values,
    )
    if added is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(added["id"])


def _day(value: date | str | None) -> date | None:
    return None if value is None else as_date(value)


async def set_apart(
    session: Session, machine: int, other: int, *, who: str, now_ms: int, reason: str | None
) -> None:
    """Say that two machines are two: nothing asks about them or joins them again."""
    for one in (machine, other):
        if machine == other or not await session.fetch(_ROWS, machine=one):
            raise _holds_nothing(one)
    await _decide(session, "apart", machine, other, reason, who, now_ms)
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="machine.apart",
        subject=f"machine:{machine}",
        after={"other": other, "reason": reason},
    )


async def _decide(
    session: Session,
    kind: str,
    machine: int,
    other: int,
    reason: str | None,
    who: str,
    now_ms: int,
) -> int:
    row = await session.one(
        "INSERT INTO machine_decision (kind, machine_id, other_id, reason, recorded_at_ms,"
        " recorded_by) VALUES (:kind, :machine, :other, :reason, :now, :who) RETURNING id",
        kind=kind,
        machine=machine,
        other=other,
        reason=reason,
        now=now_ms,
        who=who,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(row["id"])
