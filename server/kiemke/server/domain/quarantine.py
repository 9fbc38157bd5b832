"""Setting a source aside without being asked, and letting it in again: each tells the audit log."""

from collections.abc import Iterable, Sequence

from kiemke.server.audit import record
from kiemke.server.db import Session

ADMITTED = ("pending", "approved")
COPIED_REASON = "another machine under the same secret: the disk was copied"
SAME_EVIDENCE = "same evidence"
ONE_HOST = "agents on one PC: "
ONE_INSTALL = "one install on machines "
_REASON_LENGTH = 300

_THESE = """
SELECT id, public_id, state FROM source WHERE id IN :[ids] AND state IN :[states.text] ORDER BY id
"""


def aside_word(state: str, reason: str | None) -> str | None:
    """Return why a source is set aside as its sender is told it (ASIDE_WORDS), None when it is not."""
    if state != "quarantined":
        return None
    told = reason or ""
    if told == COPIED_REASON or told.startswith(ONE_INSTALL):
        return "copied_disk"
    if told.startswith(SAME_EVIDENCE):
        return "same_parts"
    return "one_host" if ONE_HOST in told else "other"


async def set_aside(
    session: Session,
    sources: Iterable[int],
    reason: str,
    who: str,
    now_ms: int,
    states: Sequence[str] = ADMITTED,
) -> list[int]:
    """Quarantine those of ``sources`` (ids) that are in ``states``; return their ids.

    ``who`` is the part of the server that decided ("ingest", "identity").
    """
    rows = await session.fetch(_THESE, ids=sorted(sources), states=list(states))
    reason = reason[:_REASON_LENGTH]
    for row in rows:
        await session.execute(
            "UPDATE source SET state = 'quarantined', state_reason = :reason WHERE id = :id"
            " AND state = :state",
            reason=reason,
            id=row["id"],
            state=row["state"],
        )
        await record(
            session,
            at_ms=now_ms,
            who=who,
            act="source.quarantine",
            subject=f"source:{row['public_id']}",
            before={"state": row["state"]},
            after={"state": "quarantined", "reason": reason},
        )
    return [row["id"] for row in rows]


async def let_in(
    session: Session, source: int, state: str, reason: str, who: str, now_ms: int
) -> None:
    """Give a source that was set aside by mistake, for what begins as ``reason``, the state it had."""
    row = await session.one(
        "UPDATE source SET state = :state, state_reason = NULL WHERE id = :id"
        " AND state = 'quarantined' AND state_reason LIKE :reason RETURNING public_id",
        state=state,
        reason=f"{reason}%",
        id=source,
    )
    if row is None:
        return
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="source.release",
        subject=f"source:{row['public_id']}",
        before={"state": "quarantined"},
        after={"state": state},
    )
