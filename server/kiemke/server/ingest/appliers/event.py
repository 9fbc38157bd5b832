"""Events are kept as they were told: of the source itself, or of a device it polls (a proven trap).

One that tells of a copied disk also sets its source aside.
"""

import json
from typing import Any

from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.quarantine import COPIED_REASON, set_aside
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.subjects import not_assigned
from kiemke.wire.clean import clean_text

IDENTITY = "identity"
COPIED_REASON_VI = "máy khác dùng cùng mã bí mật: ổ đĩa bị sao chép"
TRAP = "trap"
_OF_DEVICE = ("device", "trap")  # they stand in columns of their own


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Store each event; refuse traps of devices that are not the source's."""
    traps = {id(item): item for item in items if item.report.body.name == TRAP}
    await applying.session.many(
        "INSERT INTO source_event (source_id, at_ms, clock, name, detail_json)"
        " VALUES (:source, :at, :clock, :name, :detail)",
        [
            {
                **_plain(item),
                "name": item.report.body.name,
                "detail": _json(item.report.body.detail),
            }
            for item in items
            if id(item) not in traps
        ],
    )
    for item in items:
        if item.report.body.name == IDENTITY:
            await _heed_copy(applying, item)
    return await _store_traps(applying, list(traps.values())) if traps else []


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


async def _store_traps(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    hopeless, devices = [], {}
    for item in items:
        told = item.report.body.detail.get("device", "")
        if told.isascii() and told.isdecimal() and int(told) < 2**63:
            devices[id(item)] = int(told)
        else:
            hopeless.append((item, "a trap that names no device"))
    named = [(item, devices[id(item)]) for item in items if id(item) in devices]
    foreign = await not_assigned(applying, named)
    refused = {id(item) for item, _ in foreign}
    await applying.session.many(
        "INSERT INTO device_event (device_id, source_id, at_ms, clock, name, detail_json)"
        " VALUES (:device, :source, :at, :clock, :name, :detail)",
        [
            {
                **_plain(item),
                "device": device,
                "name": item.report.body.detail.get("trap", TRAP)[:200],
                "detail": _json(
                    {k: v for k, v in item.report.body.detail.items() if k not in _OF_DEVICE}
                ),
            }
            for item, device in named
            if id(item) not in refused
        ],
    )
    return hopeless + foreign


def _plain(item: Item) -> dict[str, Any]:
    return {
        "source": item.source_id,
        "at": item.report.at_ms,
        "clock": "sure" if item.report.sure else "unsure",
    }


def _json(detail: dict[str, str]) -> str:
    return json.dumps(detail, ensure_ascii=False)
