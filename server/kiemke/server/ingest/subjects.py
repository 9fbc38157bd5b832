"""Nobody speaks for another: a source may name only what is assigned to it.

Collectors of one unit stand in for each other, so what is assigned to one of them may be named by each; so do
they and the agents that are named their site's probes, of which nothing but rounds of echo is taken.
"""

from kiemke.server.ingest.context import Applying, Item


async def unassigned_devices(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Return the items whose ``body.device`` is not assigned to their source, with the reason."""
    return await not_assigned(applying, [(item, item.report.body.device) for item in items])


async def not_assigned(applying: Applying, named: list[tuple[Item, int]]) -> list[tuple[Item, str]]:
    """Return the items whose device is not assigned to their source, with the reason."""
    rows = await applying.session.fetch(
        "SELECT id, collector_id FROM device WHERE id IN :[ids]",
        ids=sorted({device for _, device in named}),
    )
    owner = {row["id"]: row["collector_id"] for row in rows}
    mates = await site_mates(applying, [item for item, _ in named])
    return [
        (item, f"device {device} is not assigned to this source")
        for item, device in named
        if (item.source_id, owner.get(device)) not in mates
    ]


async def site_mates(applying: Applying, items: list[Item]) -> set[tuple[int, int]]:
    """Return (source, collector) of all pairs in which the source may speak for the collector."""
    sources = sorted({item.source_id for item in items})
    rows = await applying.session.fetch(
        "SELECT me.id AS source, o.id AS mate FROM source me JOIN source o ON o.unit_id = me.unit_id"
        " WHERE me.id IN :[sources] AND (me.kind = 'collector' OR me.probe_since_ms IS NOT NULL)"
        " AND (o.kind = 'collector' OR o.probe_since_ms IS NOT NULL)"
        " AND me.state = 'approved' AND o.state = 'approved'",
        sources=sources,
    )
    return {(row["source"], row["mate"]) for row in rows} | {(each, each) for each in sources}


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
