"""Findings: opened once for each kind and subject, renewed while they hold, closed when they do not."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.scope import common_unit, load_parents

_SUBJECT_LENGTH, _DETAIL_LENGTH = 80, 500

_UNITS_OF_MACHINES = """
SELECT DISTINCT s.unit_id FROM machine_source y JOIN source s ON s.id = y.source_id
WHERE y.machine_id IN :[ids] AND y.voided_at_ms IS NULL AND y.valid_to IS NULL
"""
_UNITS_OF_ASSETS = """
SELECT DISTINCT unit_id FROM custody
WHERE asset_id IN :[ids] AND voided_at_ms IS NULL AND valid_to IS NULL
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What to tell: ``detail`` in English (or alike in both languages, without ``detail_vi``).

    ``units`` are all that it names something of, as ids. Only who may see all of them sees it; of
    none, or with one unknown (None), only who may see everything.
    """

    kind: str
    subject: str
    detail: str
    detail_vi: str | None = None
    units: Iterable[int | None] = ()
    evidence: Mapping[str, Any] | None = None


async def open_finding(session: Session, found: Found, now_ms: int) -> None:
    """Open a finding, or renew the open one of the same kind and subject."""
    values = {
        "detail": found.detail[:_DETAIL_LENGTH],
        "detail_vi": None if found.detail_vi is None else found.detail_vi[:_DETAIL_LENGTH],
        "unit": await _place(session, found.units, now_ms),
        "evidence": None
        if found.evidence is None
        else json.dumps(found.evidence, ensure_ascii=False),
        "now": now_ms,
    }
    known = await session.one(
        "SELECT id FROM finding WHERE kind = :kind AND subject = :subject AND closed_at_ms IS NULL",
        kind=found.kind,
        subject=found.subject[:_SUBJECT_LENGTH],
    )
    if known is None:
        await session.execute(
            "INSERT INTO finding (kind, subject, detail, detail_vi, unit_id, opened_at_ms,"
            " updated_at_ms, evidence_json)"
            " VALUES (:kind, :subject, :detail, :detail_vi, :unit, :now, :now, :evidence)",
            kind=found.kind,
            subject=found.subject[:_SUBJECT_LENGTH],
            **values,
        )
    else:
        await session.execute(
            "UPDATE finding SET detail = :detail, detail_vi = :detail_vi, unit_id = :unit,"
            " updated_at_ms = :now, evidence_json = :evidence WHERE id = :id",
            id=known["id"],
            **values,
        )


async def close_finding(session: Session, finding_id: int, now_ms: int) -> None:
    """Close a finding that holds no more."""
    await session.execute(
        "UPDATE finding SET closed_at_ms = :now, updated_at_ms = :now"
        " WHERE id = :id AND closed_at_ms IS NULL",
        now=now_ms,
        id=finding_id,
    )


async def close_about(session: Session, kind: str, subject: str, now_ms: int) -> None:
    """Close the open finding of a kind about a subject, if there is one."""
    await session.execute(
        "UPDATE finding SET closed_at_ms = :now, updated_at_ms = :now"
        " WHERE kind = :kind AND subject = :subject AND closed_at_ms IS NULL",
        now=now_ms,
        kind=kind,
        subject=subject[:_SUBJECT_LENGTH],
    )


async def units_of(
    session: Session, *, machines: Iterable[int] = (), assets: Iterable[int] = ()
) -> list[int]:
    """Return the units of machines' sources and of assets' custody, as they are now."""
    rows: list[Row] = await session.fetch(_UNITS_OF_MACHINES, ids=sorted(machines))
    rows += await session.fetch(_UNITS_OF_ASSETS, ids=sorted(assets))
    return sorted({row["unit_id"] for row in rows})


async def _place(session: Session, units: Iterable[int | None], now_ms: int) -> int | None:
    wanted = set(units)
    if len(wanted) < 2:
        return wanted.pop() if wanted else None
    installation = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
    offset = installation["utc_offset_seconds"] if installation else 0
    parents = await load_parents(session, calendar.local_day(now_ms, offset))
    return common_unit(parents, wanted)
