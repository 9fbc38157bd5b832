"""What parts each PC had when last looked at; a part gone, come or swapped becomes an event.

Ingest only stores sections. The leader's job compares those that changed since with what it kept, and
where a PC was installed anew, with what its sources before had.
"""

import json
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain.hardware import SECTIONS, Part, as_parts, compare, read_parts

Guard = Callable[[Session], Awaitable[None]]

ROWS_A_TURN = 2_000
TURNS_A_RUN = 100

_DUE = """
SELECT x.source_id, x.section, x.rows_json, x.changed_at_ms, x.observed_at_ms,
  h.parts_json, h.seen_at_ms, m.machine_id
FROM source_section x
JOIN source s ON s.id = x.source_id
JOIN machine_source m ON m.source_id = x.source_id AND m.voided_at_ms IS NULL AND m.valid_to IS NULL
LEFT JOIN hardware_seen h ON h.source_id = x.source_id AND h.section = x.section
WHERE x.section IN :[sections.text] AND x.rows_json IS NOT NULL
  AND s.kind = 'agent' AND s.state IN ('pending', 'approved')
  AND (h.id IS NULL OR h.changed_at_ms <> x.changed_at_ms)
ORDER BY x.source_id, x.section LIMIT :rows
"""
_KIN = """
SELECT m.source_id, h.section, h.parts_json, h.seen_at_ms
FROM machine_source m
JOIN machine_source o ON o.machine_id = m.machine_id AND o.source_id <> m.source_id
  AND o.voided_at_ms IS NULL AND o.valid_to IS NULL
JOIN hardware_seen h ON h.source_id = o.source_id
WHERE m.source_id IN :[sources] AND m.voided_at_ms IS NULL AND m.valid_to IS NULL
ORDER BY h.seen_at_ms, h.id
"""
_KEEP = """
INSERT INTO hardware_seen (source_id, section, parts_json, seen_at_ms, changed_at_ms)
VALUES (:source, :section, :parts, :seen, :changed)
ON CONFLICT (source_id, section) DO UPDATE SET parts_json = excluded.parts_json,
  seen_at_ms = excluded.seen_at_ms, changed_at_ms = excluded.changed_at_ms
"""
_TELL = """
INSERT INTO hardware_change (source_id, section, before_json, after_json, since_ms, seen_at_ms)
VALUES (:source, :section, :before, :after, :since, :seen)
"""


async def run(db: Database, now_ms: int, guard: Guard, *, rows: int = ROWS_A_TURN) -> int:
    """Compare what changed, up to ``rows`` x TURNS_A_RUN sections; return how many events came."""
    events = 0
    for _ in range(TURNS_A_RUN):
        async with db.reading() as session:  # ingest waits for the writing alone
            due = await session.fetch(_DUE, sections=list(SECTIONS), rows=rows)
            new = [row["source_id"] for row in due if row["parts_json"] is None]
            kin = {
                (row["source_id"], row["section"]): row
                for row in await session.fetch(_KIN, sources=sorted(set(new)))
            }
        if due:
            async with db.transaction() as session:
                await guard(session)
                events += await _write(session, due, kin)
        if len(due) < rows:
            break
    return events


async def _write(session: Session, due: Iterable[Row], kin: dict[tuple[int, str], Row]) -> int:
    kept: list[dict[str, Any]] = []
    told: list[dict[str, Any]] = []
    for row in due:
        earlier = (
            row if row["parts_json"] is not None else kin.get((row["source_id"], row["section"]))
        )
        before: list[Part] = as_parts(earlier["parts_json"]) if earlier else []
        parts = read_parts(row["section"], row["rows_json"])
        # A firmware that names no part this time says nothing; neither does the first time.
        now = parts or before
        keep = {"source": row["source_id"], "section": row["section"]}
        kept.append(
            keep
            | {
                "parts": json.dumps(now, ensure_ascii=False),
                "seen": row["observed_at_ms"],
                "changed": row["changed_at_ms"],
            }
        )
        if earlier and before and any(compare(before, now)):
            told.append(
                keep
                | {
                    "before": json.dumps(before, ensure_ascii=False),
                    "after": json.dumps(now, ensure_ascii=False),
                    "since": earlier["seen_at_ms"],
                    "seen": row["observed_at_ms"],
                }
            )
    await session.many(_KEEP, kept)
    await session.many(_TELL, told)
    return len(told)
