"""Nobody speaks for another: a source may name only the devices and targets assigned to it."""

from kiemke.server.ingest.context import Applying, Item


async def unassigned_devices(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Return the items whose ``body.device`` is not assigned to their source, with the reason."""
    rows = await applying.session.fetch(
        "SELECT id, collector_id FROM device WHERE id IN :[ids]",
        ids=sorted({item.report.body.device for item in items}),
    )
    owner = {row["id"]: row["collector_id"] for row in rows}
    return [
        (item, f"device {item.report.body.device} is not assigned to this source")
        for item in items
        if owner.get(item.report.body.device) != item.source_id
    ]


async def assigned_targets(applying: Applying, items: list[Item]) -> dict[int, tuple[int, int]]:
    """Return probe target -> (link, collector) of the targets these items name."""
    rows = await applying.session.fetch(
        "SELECT id, link_id, collector_id FROM probe_target WHERE id IN :[ids]",
        ids=sorted({item.report.body.target for item in items}),
    )
    return {
        row["id"]: (row["link_id"], row["collector_id"])
        for row in rows
        if row["collector_id"] is not None
    }
