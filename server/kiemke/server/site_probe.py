"""An ordinary agent named its site's probe: where a commune has nothing else, a line's health has figures.

What it pings are the probe targets of the lines that are nearest to it, nothing else (see ``assignment``).
"""

from kiemke.server.assignment import assign_unassigned, give_targets
from kiemke.server.audit import record
from kiemke.server.db import Row, Session
from kiemke.server.enrolment import NOUN_SOURCE, release
from kiemke.server.errors import Both, Problem


async def set_probe(session: Session, source: Row, *, on: bool, who: str, now: int) -> int:
    """Name an approved agent its site's probe, or no longer; return how many targets it has now.

    Raises Problem 409 for what is no approved agent.
    """
    held = await session.one(
        "UPDATE source SET state = state WHERE id = :id RETURNING kind, state, probe_since_ms",
        id=source["id"],
    )
    if held is None or held["kind"] != "agent" or (on and held["state"] != "approved"):
        state = Both("không phải tác tử đã duyệt", "not an approved agent")
        raise Problem("state", what=NOUN_SOURCE, ref=source["public_id"], state=state)
    before = held["probe_since_ms"]
    if on != (before is not None):
        after = now if on else None
        await session.execute(
            "UPDATE source SET probe_since_ms = CAST(:since AS BIGINT) WHERE id = :id",
            since=after,
            id=source["id"],
        )
        await record(
            session,
            at_ms=now,
            who=who,
            act=f"source.probe_{'on' if on else 'off'}",
            subject=f"source:{source['public_id']}",
            before={"probe_since_ms": before},
            after={"probe_since_ms": after},
        )
        if on:
            await give_targets(session, source["id"], who=who, now_ms=now)
        else:
            await release(session, source, who, now)
            await assign_unassigned(session, who=who, now_ms=now)
    counted = await session.one(
        "SELECT COUNT(*) AS n FROM probe_target WHERE collector_id = :id AND retired_at_ms IS NULL",
        id=source["id"],
    )
    return int(counted["n"]) if counted else 0
