"""Events are kept as they were told."""

import json

from kiemke.server.ingest.context import Applying, Item


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
    return []
