"""The dated rows and the evidence rows of machines: read once, written as the resolver decides."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain import calendar
from kiemke.server.domain.evidence import Key
from kiemke.server.domain.identity import Weights
from kiemke.server.domain.identity_index import Choice, Index, StayKey

Guard = Callable[[Session], Awaitable[None]]

# Whatever a source saw, it saw as the machine it is: its first membership has no beginning of its own.
SINCE_EVER = date(2000, 1, 1)
WHO = "identity"

# Of each stay exactly one row is not voided; it may be closed.
MEMBERSHIPS = """
SELECT source_id, stay, machine_id FROM machine_source WHERE voided_at_ms IS NULL
"""
_EVIDENCE = """
SELECT source_id, stay, kind, value, first_seen_ms, gone_ms FROM source_evidence
"""


@dataclass(frozen=True, slots=True)
class Placement:
    """What was decided of one stay at a moment; ``machine`` None when it stays where it is.

    ``left`` is the stay of the same source that ended with it.
    """

    key: StayKey
    at_ms: int
    machine: int | None
    choice: Choice | None
    left: StayKey | None = None


async def load_index(session: Session, weights: Weights) -> Index:
    """Return all evidence as stored."""
    index = Index(weights)
    values: dict[StayKey, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    seen: dict[StayKey, int] = defaultdict(int)
    began: dict[StayKey, int] = {}
    gone: list[tuple[StayKey, Key]] = []
    for row in await session.fetch(_EVIDENCE):
        key = (row["source_id"], row["stay"])
        began[key] = min(row["first_seen_ms"], began.get(key, row["first_seen_ms"]))
        if row["gone_ms"] is None:
            values[key][row["kind"]].add(row["value"])
            seen[key] = max(seen[key], row["first_seen_ms"])
        else:
            gone.append((key, (row["kind"], row["value"])))
    for key, found in values.items():
        index.put(key, {kind: frozenset(v) for kind, v in found.items()}, seen[key])
        index.stays[key].began_ms = began[key]
    for key, one in gone:
        index.showed(key, one)
    index.shared = {row["mac"] for row in await session.fetch("SELECT mac FROM shared_adapter")}
    return index


async def write_evidence(session: Session, index: Index, placements: Iterable[Placement]) -> None:
    """Store what the stays show now; what is shown no more is marked gone."""
    at_ms = {placement.key: placement.at_ms for placement in placements}
    stored: dict[StayKey, dict[tuple[str, str], int | None]] = defaultdict(dict)
    for row in await session.fetch(
        _EVIDENCE + "WHERE source_id IN :[ids]", ids=sorted({source for source, _ in at_ms})
    ):
        stored[row["source_id"], row["stay"]][row["kind"], row["value"]] = row["gone_ms"]
    shown: list[dict[str, Any]] = []
    gone: list[dict[str, Any]] = []
    for key, moment in at_ms.items():
        now = {(kind, v) for kind, found in index.stays[key].values.items() for v in found}
        before = {pair for pair, gone_ms in stored[key].items() if gone_ms is None}
        names = {"source": key[0], "stay": key[1], "at": moment}
        shown += [{**names, "kind": kind, "value": v} for kind, v in sorted(now - before)]
        gone += [{**names, "kind": kind, "value": v} for kind, v in sorted(before - now)]
    await session.many(
        "INSERT INTO source_evidence (source_id, stay, kind, value, first_seen_ms)"
        " VALUES (:source, :stay, :kind, :value, :at)"
        " ON CONFLICT (source_id, stay, kind, value) DO UPDATE SET gone_ms = NULL",
        shown,
    )
    await session.many(
        "UPDATE source_evidence SET gone_ms = :at WHERE source_id = :source AND stay = :stay"
        " AND kind = :kind AND value = :value",
        gone,
    )


async def write_placements(
    session: Session, placements: Sequence[Placement], offset_seconds: int, now_ms: int
) -> None:
    """Insert a dated row for each new stay; the one it left ends on the day it began."""
    left = [placement.left for placement in placements if placement.left and placement.machine]
    open_rows = await active_rows(session, sorted({source for source, _ in left}))
    for placement in placements:
        if placement.machine is None or placement.choice is None:
            continue
        since = SINCE_EVER
        if placement.left is not None:
            day = calendar.local_day(placement.at_ms, offset_seconds)
            row = open_rows[placement.left]
            # Half-open days: who moves twice in a day is at the second place from the next day on.
            since = max(day, as_date(row["valid_from"]) + timedelta(days=1))
            await replace_row(session, row, now_ms, WHO, valid_to=since)
        source, stay = placement.key
        await insert_row(
            session,
            {
                "machine_id": placement.machine,
                "source_id": source,
                "stay": stay,
                "decided_by": placement.choice.by,
                "evidence_json": json.dumps(_told(placement.choice)),
                "valid_from": since,
                "recorded_at_ms": now_ms,
                "recorded_by": WHO,
            },
        )


def _told(choice: Choice) -> dict[str, Any]:
    """Return what decided it, as plain data."""
    told: dict[str, Any] = {"like_machine": choice.machine}
    if choice.comparison is not None:
        told |= choice.comparison.as_json()
    if choice.doubts:
        told["doubts"] = [
            {"machine": machine, **comparison.as_json()} for machine, comparison in choice.doubts
        ]
    return told


_COLUMNS = (
    "machine_id", "source_id", "stay", "decided_by", "evidence_json", "valid_from", "valid_to",
    "instrument", "recorded_at_ms", "recorded_by", "decision_id", "replaces_id",
)  # fmt: skip


async def insert_row(session: Session, values: dict[str, Any]) -> int:
    """Insert a row of machine_source, absent columns null, and return its id."""
    row = await session.one(
        f"INSERT INTO machine_source ({', '.join(_COLUMNS)})"  # noqa: S608 - names of this file
        f" VALUES ({', '.join(':' + name for name in _COLUMNS)}) RETURNING id",
        **{name: values.get(name) for name in _COLUMNS},
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(row["id"])


async def active_rows(session: Session, sources: Sequence[int]) -> dict[StayKey, Row]:
    """Return the row of each stay of some sources."""
    rows = await session.fetch(
        "SELECT * FROM machine_source WHERE source_id IN :[ids] AND voided_at_ms IS NULL",
        ids=list(sources),
    )
    return {(row["source_id"], row["stay"]): row for row in rows}


async def replace_row(session: Session, row: Row, now_ms: int, who: str, **changes: Any) -> int:
    """Void a row and add it again with changes; return the id of the new one."""
    await session.execute(
        "UPDATE machine_source SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        now=now_ms,
        who=who,
        id=row["id"],
    )
    kept = {name: row[name] for name in _COLUMNS}
    for name in ("valid_from", "valid_to"):
        kept[name] = None if kept[name] is None else as_date(kept[name])
    return await insert_row(
        session, {**kept, "recorded_at_ms": now_ms, "recorded_by": who, **changes}
    )
