"""Collectors of one unit stand in for each other: who is silent for a turn is stood in for by another.

Each collector holds a lease on its own tasks, renewed whenever it asks for them. Once that has run out, the
next collector of the same unit that asks takes it: the lease's fence grows with each holder, so of two
that ask at once one gets it. Whose the tasks are takes them back as soon as it asks again. Both may poll
for a moment then: readings are kept by who made them, and never added up.

Probe targets have leases of their own: an agent that is named its site's probe may stand in for them, and
for nothing else.
"""

from kiemke.server.db import Row, Session

# A lease outlives a collector's pause between two questions (half an interval), and with that pause and
# the first round of polls a stand-in begins within two intervals.
LEASE_INTERVALS = 1.25

_NAME = "collector:"
_PROBES = "probes:"
_MINE = """
INSERT INTO lease (name, holder, fence, expires_at_ms) VALUES (:name, :holder, 1, :expires)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms,
  fence = CASE WHEN lease.holder = excluded.holder THEN lease.fence ELSE lease.fence + 1 END
"""
_TAKE = """
UPDATE lease SET fence = CASE WHEN holder = :holder THEN fence ELSE fence + 1 END, holder = :holder,
  expires_at_ms = :expires
WHERE name IN :[names.text] AND (holder = :holder OR expires_at_ms <= :now)
RETURNING name
"""
_NEIGHBOURS = """
SELECT o.id FROM source me JOIN source o ON o.unit_id = me.unit_id AND o.id <> me.id
WHERE me.id = :source AND o.state = 'approved'
  AND (o.kind = 'collector' OR :probes AND o.probe_since_ms IS NOT NULL) ORDER BY o.id
"""


def lease_name(source_id: int) -> str:
    """Return the name of the lease on a collector's tasks."""
    return f"{_NAME}{source_id}"


async def take_turns(
    session: Session, source_id: int, now_ms: int, interval_seconds: float
) -> list[int]:
    """Renew a collector's lease and take those of silent neighbours; return whose tasks it has.

    Its own id comes first. A neighbour that never asked is left alone: nobody polls for it yet.
    """
    return await _turns(session, _NAME, source_id, now_ms, interval_seconds)


async def take_probe_turns(
    session: Session, source_id: int, now_ms: int, interval_seconds: float
) -> list[int]:
    """Do the same for probe targets alone, among the unit's collectors and the agents that probe."""
    return await _turns(session, _PROBES, source_id, now_ms, interval_seconds)


async def _turns(
    session: Session, prefix: str, source_id: int, now_ms: int, interval_seconds: float
) -> list[int]:
    expires = now_ms + round(LEASE_INTERVALS * 1000 * interval_seconds)
    holder = str(source_id)
    await session.execute(_MINE, name=f"{prefix}{source_id}", holder=holder, expires=expires)
    rows = await session.fetch(_NEIGHBOURS, source=source_id, probes=prefix == _PROBES)
    names = [f"{prefix}{row['id']}" for row in rows]
    if not names:
        return [source_id]
    taken = await session.fetch(_TAKE, names=names, holder=holder, expires=expires, now=now_ms)
    return [source_id, *sorted(int(row["name"].removeprefix(prefix)) for row in taken)]


async def stand_ins(session: Session) -> dict[int, int]:
    """Return collector -> who stands in for it, only of those that are stood in for."""
    rows: list[Row] = await session.fetch(
        "SELECT name, holder FROM lease WHERE name LIKE 'collector:%'"
    )
    pairs = ((int(row["name"].removeprefix(_NAME)), int(row["holder"])) for row in rows)
    return {home: holder for home, holder in pairs if home != holder}
