"""Findings: opened once for each kind and subject, renewed while they hold, closed when they do not."""

import json
from collections.abc import Mapping
from typing import Any

from kiemke.server.db import Session

_SUBJECT_LENGTH, _DETAIL_LENGTH = 80, 500


async def open_finding(
    session: Session,
    kind: str,
    subject: str,
    detail: str,
    now_ms: int,
    evidence: Mapping[str, Any] | None = None,
) -> None:
    """Open a finding, or renew the open one of the same kind and subject."""
    values = {
        "detail": detail[:_DETAIL_LENGTH],
        "evidence": None if evidence is None else json.dumps(evidence, ensure_ascii=False),
        "now": now_ms,
    }
    found = await session.one(
        "SELECT id FROM finding WHERE kind = :kind AND subject = :subject AND closed_at_ms IS NULL",
        kind=kind,
        subject=subject[:_SUBJECT_LENGTH],
    )
    if found is None:
        await session.execute(
            "INSERT INTO finding (kind, subject, detail, opened_at_ms, updated_at_ms, evidence_json)"
            " VALUES (:kind, :subject, :detail, :now, :now, :evidence)",
            kind=kind,
            subject=subject[:_SUBJECT_LENGTH],
            **values,
        )
    else:
        await session.execute(
            "UPDATE finding SET detail = :detail, updated_at_ms = :now, evidence_json = :evidence"
            " WHERE id = :id",
            id=found["id"],
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
