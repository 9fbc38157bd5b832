"""A watched device matched with an asset by a person or by evidence, and undone again, as dated rows."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import Stamp
from kiemke.server.domain.text_labels import Words

_TAKEN = """
SELECT a.code FROM device d JOIN asset a ON a.id = d.asset_id
WHERE d.retired_at_ms IS NULL AND (d.id = :device OR d.asset_id = :asset)
UNION
SELECT a.code FROM device_match z JOIN asset a ON a.id = z.asset_id
WHERE (z.device_id = :device OR z.asset_id = :asset)
  AND z.voided_at_ms IS NULL AND z.valid_to IS NULL
"""


async def accept(
    session: Session,
    asset_id: int,
    device_id: int,
    today: date,
    stamp: Stamp,
    *,
    decided_by: str = "person",
    evidence: Mapping[str, Any] | None = None,
) -> int:
    """Write the match and return its id. Raises CannotSay when either side has one already."""
    if session.dialect == "postgres":  # two who decide at once: the second waits and is refused
        await session.execute("SELECT id FROM device WHERE id = :id FOR UPDATE", id=device_id)
        await session.execute("SELECT id FROM asset WHERE id = :id FOR UPDATE", id=asset_id)
    taken = await session.one(_TAKEN, device=device_id, asset=asset_id)
    if taken is not None:
        code = taken["code"]
        raise CannotSay(
            Words(
                f"Thiết bị hoặc tài sản này đã được khớp (tài sản {code}).",
                f"The device or the asset is matched already (asset {code}).",
            ),
            Words("Gỡ đối chiếu đó trước.", "Undo that match first."),
        )
    row = await session.one(
        "INSERT INTO device_match (asset_id, device_id, decided_by, evidence_json, valid_from,"
        " recorded_at_ms, recorded_by) VALUES (:asset, :device, :by, :evidence, :day, :now, :who)"
        " RETURNING id",
        asset=asset_id,
        device=device_id,
        by=decided_by,
        evidence=json.dumps(evidence or {}, ensure_ascii=False),
        day=today,
        now=stamp.now_ms,
        who=stamp.who,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(row["id"])


async def open_match(session: Session, device_id: int) -> Row | None:
    """Return the open match of a device, None without one."""
    return await session.one(
        "SELECT id, asset_id FROM device_match WHERE device_id = :device"
        " AND voided_at_ms IS NULL AND valid_to IS NULL",
        device=device_id,
    )


async def undo(session: Session, match_id: int, stamp: Stamp) -> None:
    """Void a match."""
    await session.execute(
        "UPDATE device_match SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        now=stamp.now_ms,
        who=stamp.who,
        id=match_id,
    )
