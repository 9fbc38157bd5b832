"""Why a machine is one: each install with the evidence that decided it, and what its values are worth."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.evidence import KINDS
from kiemke.server.domain.identity import load_weights
from kiemke.server.domain.tables import dated

_MEMBERS = """
SELECT ms.source_id, ms.stay, ms.decided_by, ms.evidence_json, ms.valid_from, ms.valid_to,
  ms.recorded_at_ms, ms.recorded_by, s.public_id, s.hostname, s.state, s.unit_id
FROM machine_source ms JOIN source s ON s.id = ms.source_id
WHERE ms.machine_id = :machine
  AND ms.recorded_at_ms <= :known AND (ms.voided_at_ms IS NULL OR ms.voided_at_ms > :known)
  AND ms.valid_from <= :day
ORDER BY ms.valid_from, ms.source_id, ms.stay
"""
_VALUES = """
SELECT e.kind, e.value, MIN(e.first_seen_ms) AS first_seen_ms,
  MAX(CASE WHEN e.gone_ms IS NULL THEN 1 ELSE 0 END) AS shown, MAX(e.gone_ms) AS gone_ms
FROM source_evidence e JOIN machine_source ms ON ms.source_id = e.source_id AND ms.stay = e.stay
WHERE ms.machine_id = :machine AND e.first_seen_ms <= :known
  AND ms.recorded_at_ms <= :known AND (ms.voided_at_ms IS NULL OR ms.voided_at_ms > :known)
GROUP BY e.kind, e.value
"""
_HOLDERS = """
SELECT e.kind, e.value, COUNT(DISTINCT ms.machine_id) AS n FROM source_evidence e
JOIN machine_source ms ON ms.source_id = e.source_id AND ms.stay = e.stay AND {active ms}
WHERE e.value IN :[values.text] AND e.gone_ms IS NULL GROUP BY e.kind, e.value
"""
_DECISIONS = """
SELECT kind, machine_id, other_id, reason, recorded_at_ms, recorded_by, undone_at_ms, undone_by
FROM machine_decision WHERE (machine_id = :machine OR other_id = :machine)
  AND recorded_at_ms <= :known ORDER BY id
"""


@dataclass(frozen=True, slots=True)
class Member:
    """One install's time on the machine. ``told`` is what decided it: score, verdict, lines."""

    source: str
    hostname: str | None
    state: str
    unit_id: int
    stay: int
    valid_from: date
    valid_to: date | None
    decided_by: str
    decided_at_ms: int
    decided_who: str | None
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the machine and what it is worth in points; ``machines`` on which it stands now.

    ``why_worthless`` is None, "shared_adapter" or "many_machines"; ``gone_ms`` None while shown.
    """

    kind: str
    value: str
    points: int
    machines: int
    first_seen_ms: int
    gone_ms: int | None
    why_worthless: str | None


@dataclass(frozen=True, slots=True)
class Why:
    """Everything that makes a machine one."""

    members: list[Member]
    values: list[Value]
    decisions: list[Row]


async def explain(session: Session, machine: int, day: date, known_ms: int) -> Why:
    """Return why a machine is one, on a day as known at a time."""
    times = {"machine": machine, "known": known_ms}
    members = [_member(row, machine) for row in await session.fetch(_MEMBERS, day=day, **times)]
    weights = await load_weights(session, day, known_ms)
    shared = {
        row["mac"]
        for row in await session.fetch(
            "SELECT mac FROM shared_adapter WHERE learned_at_ms <= :known", known=known_ms
        )
    }
    found = await session.fetch(_VALUES, **times)
    holders = {
        (row["kind"], row["value"]): int(row["n"])
        for row in await session.fetch(
            dated(_HOLDERS), values=sorted({row["value"] for row in found}), day=day, known=known_ms
        )
    }
    values = []
    for row in found:
        many = holders.get((row["kind"], row["value"]), 0)
        worthless = None
        if row["value"] in shared:
            worthless = "shared_adapter"
        elif row["kind"] != "model" and many > weights.learned_above:
            worthless = "many_machines"
        points = 0 if worthless else weights.agrees.get(row["kind"], 0)
        gone = None if row["shown"] else row["gone_ms"]
        values.append(
            Value(row["kind"], row["value"], points, many, row["first_seen_ms"], gone, worthless)
        )
    order = {kind: place for place, kind in enumerate(KINDS)}
    values.sort(key=lambda v: (v.gone_ms is not None, order.get(v.kind, 99), v.value))
    return Why(members, values, await session.fetch(_DECISIONS, **times))


def _member(row: Row, machine: int) -> Member:
    told = json.loads(row["evidence_json"] or "{}")
    return Member(
        source=row["public_id"],
        hostname=row["hostname"],
        state=row["state"],
        unit_id=row["unit_id"],
        stay=row["stay"],
        valid_from=as_date(row["valid_from"]),
        valid_to=None if row["valid_to"] is None else as_date(row["valid_to"]),
        decided_by=row["decided_by"],
        decided_at_ms=row["recorded_at_ms"],
        decided_who=row["recorded_by"],
        told=told if isinstance(told, dict) else {},
    )
