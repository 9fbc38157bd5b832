"""What waits for a second person: who records a change does not approve it.

A change of a kind in KINDS is asked for with everything that is needed to make it, and made in the
very transaction in which another person says yes. What was possible when it was asked for may not be
so any more: then the yes is refused and the change goes on waiting.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from kiemke.server.audit import record
from kiemke.server.db import Row, Session
from kiemke.server.domain.text_labels import Words
from kiemke.server.errors import Both, Problem

NOUN = Both("yêu cầu duyệt", "approval")


@dataclass(frozen=True, slots=True)
class Decision:
    """Who said yes, and when (epoch ms)."""

    who: str
    now_ms: int


Make = Callable[[Session, Row, Mapping[str, Any], Decision], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of change: its name for people, and what makes it (raises Problem, writes its entry)."""

    title: Words
    make: Make


async def ask(
    session: Session,
    *,
    kind: str,
    subject: str,
    unit_id: int | None,
    payload: Mapping[str, Any],
    instrument: str,
    user_id: int,
    who: str,
    now_ms: int,
) -> int:
    """Let a change wait for a second person; return its number. Raises Problem 409 for a second one.

    ``subject`` is "asset:7"; ``unit_id`` is where it belongs, None: only who may see all decides.
    """
    waiting = await session.one(
        "SELECT id FROM approval WHERE kind = :kind AND subject = :subject AND state = 'waiting'",
        kind=kind,
        subject=subject,
    )
    if waiting:
        raise Problem("conflict", what=NOUN, ref=waiting["id"])
    row = await session.one(
        "INSERT INTO approval (kind, subject, unit_id, payload_json, instrument, state,"
        " asked_at_ms, asked_by_id) VALUES (:kind, :subject, :unit, :payload, :paper, 'waiting',"
        " :now, :user) RETURNING id",
        kind=kind,
        subject=subject,
        unit=unit_id,
        payload=json.dumps(payload, ensure_ascii=False, sort_keys=True),
        paper=instrument,
        now=now_ms,
        user=user_id,
    )
    number = int(row["id"]) if row else 0
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="approval.ask",
        subject=f"approval:{number}",
        after={"kind": kind, "of": subject, **payload},
        paper=instrument,
    )
    return number


async def decide(
    session: Session,
    approval: Row,
    state: str,
    *,
    kinds: Mapping[str, Kind],
    user_id: int,
    who: str,
    answer: str | None,
    now_ms: int,
) -> None:
    """Settle what waits: "approved" makes the change, "refused" and "withdrawn" do not.

    Raises Problem 403 for the asker's own yes or no, 409 when it is settled already, and whatever
    keeps the change from being made now; then nothing is settled.
    """
    own = approval["asked_by_id"] == user_id
    if own != (state == "withdrawn"):
        raise Problem("own_record" if own else "not_own_record", ref=approval["id"])
    taken = await session.one(
        "UPDATE approval SET state = :state, decided_at_ms = :now, decided_by_id = :user,"
        " answer = :answer WHERE id = :id AND state = 'waiting' RETURNING id",
        state=state,
        now=now_ms,
        user=user_id,
        answer=answer,
        id=approval["id"],
    )
    if taken is None:
        raise Problem("settled", ref=approval["id"])
    if state == "approved":
        payload = json.loads(approval["payload_json"])
        await kinds[approval["kind"]].make(session, approval, payload, Decision(who, now_ms))
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act=f"approval.{state}",
        subject=f"approval:{approval['id']}",
        before={"asked_by": approval["asked_by"]},
        after={"kind": approval["kind"], "of": approval["subject"], "answer": answer},
        paper=approval["instrument"],
    )
