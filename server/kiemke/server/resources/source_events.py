"""What a source told of itself: the last events of one."""

import json
from dataclasses import dataclass

from kiemke.server.context import rfc3339
from kiemke.server.db import Database

EVENTS_SHOWN = 20
_EVENTS = """
SELECT at_ms, name, detail_json FROM source_event
WHERE source_id = :source AND at_ms <= :known AND name <> 'session' ORDER BY at_ms DESC, id DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """One event: "boot", "shutdown", "outbox", "update" ...; ``detail`` is the source's own word by key."""

    at: str | None
    name: str
    detail: dict[str, str]


async def read_events(db: Database, source: int, known_ms: int) -> list[SourceEvent]:
    """Return a source's last events as of a moment, newest first.

    Who came to the seat and went is not among them: that is stored for coverage, not to be looked over.
    """
    rows = await db.read(_EVENTS, source=source, known=known_ms, most=EVENTS_SHOWN)
    return [
        SourceEvent(rfc3339(row["at_ms"]), row["name"], json.loads(row["detail_json"]))
        for row in rows
    ]
