"""Events are kept as they were told; one that tells of a copied disk also sets its source aside."""

import json

from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.quarantine import set_aside
from kiemke.server.ingest.context import Applying, Item
from kiemke.wire.clean import clean_text

IDENTITY = "identity"
COPIED_REASON = "another machine under the same secret: the disk was copied"
COPIED_REASON_VI = "máy khác dùng cùng mã bí mật: ổ đĩa bị sao chép"


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Store each event; nothing is refused."""
    await applying.session.many(
        "INSERT INTO source_event (source_id, at_ms, clock, name, detail_json)"
        " VALUES (:source, :at, :clock, :name, :detail)",
        [
            {
                "source": item.source_id,
                "at": item.report.at_ms,
                "clock": "sure" if item.report.sure else "unsure",
                "name": item.report.body.name,
                "detail": json.dumps(item.report.body.detail, ensure_ascii=False),
            }
            for item in items
        ],
    )
    for item in items:
        if item.report.body.name == IDENTITY:
            await _heed_copy(applying, item)
    return []


async def _heed_copy(applying: Applying, item: Item) -> None:
    """Open a finding for a copy; one that still speaks under the old secret is set aside with it.

    A copy that enrolled by itself says whose disk it was made from, and counts as its token allows.
    """
    origin = item.report.body.detail.get("copied_from")
    row = await applying.session.one("SELECT unit_id FROM source WHERE id = :id", id=item.source_id)
    units = () if row is None else (row["unit_id"],)
    now_ms = item.batch.received_at_ms
    subject = f"source:{item.source_id}"
    if origin is None:
        await set_aside(applying.session, [item.source_id], COPIED_REASON, "ingest", now_ms)
        found = Found("cloned_source", subject, COPIED_REASON, COPIED_REASON_VI, units)
    else:
        name = clean_text(origin, 40)
        detail = f"its disk is a copy of that of {name}; it enrolled anew by itself"
        detail_vi = f"ổ đĩa là bản sao của {name}; máy đã tự ghi danh lại"
        found = Found("copied_disk", subject, detail, detail_vi, units)
    await open_finding(applying.session, found, now_ms)
