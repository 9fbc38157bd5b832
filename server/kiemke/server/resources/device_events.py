"""What devices said by themselves and proved: the last events of one."""

import json
from dataclasses import dataclass

from kiemke.server.context import rfc3339
from kiemke.server.db import Database

EVENTS_SHOWN = 20
_EVENTS = """
SELECT at_ms, name, detail_json FROM device_event
WHERE device_id = :device AND at_ms <= :known ORDER BY at_ms DESC, id DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class DeviceEvent:
    """One event: "linkDown", or a trap's number; ``detail`` tells of a port by key."""

    at: str | None
    name: str
    detail: dict[str, str]


async def read_events(db: Database, device: int, known_ms: int) -> list[DeviceEvent]:
    """Return a device's last events as of a moment, newest first."""
    rows = await db.read(_EVENTS, device=device, known=known_ms, most=EVENTS_SHOWN)
    return [
        DeviceEvent(rfc3339(row["at_ms"]), row["name"], json.loads(row["detail_json"]))
        for row in rows
    ]
