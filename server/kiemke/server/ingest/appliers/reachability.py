"""ICMP rounds become a line's up and down, loss and round-trip time, slot by slot."""

from collections import Counter

from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.link_days import LinkDays
from kiemke.server.ingest.subjects import assigned_targets, site_mates


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Add each round to its line; refuse targets that are not the source's.

    A round with nothing sent says why no probe could be made: the line's state stays unknown.
    """
    targets = await assigned_targets(applying, items)
    mates = await site_mates(applying, items)
    taken: list[tuple[Item, int]] = []
    hopeless: list[tuple[Item, str]] = []
    for item in items:
        link, collector = targets.get(item.report.body.target, (0, None))
        if (item.source_id, collector) in mates:
            taken.append((item, link))
        else:
            reason = f"probe target {item.report.body.target} is not assigned to this source"
            hopeless.append((item, reason))
    if not taken:
        return hopeless
    links = {link for _, link in taken}
    siblings = await _targets_by_link(applying, links)
    days = LinkDays(applying)
    first, last = _days(applying, taken)
    await days.load(links, {item.source_id for item, _ in taken}, first, last)
    for item, link in sorted(taken, key=lambda pair: pair[0].report.at_ms):
        body = item.report.body
        if body.sent:
            days.add_echo(link, item)
            days.add_look(link, item, up=body.received > 0, several=siblings[link] > 1)
    await days.save(max(item.batch.received_at_ms for item, _ in taken))
    return hopeless


def _days(applying: Applying, taken: list[tuple[Item, int]]) -> tuple[int, int]:
    days = [applying.slot_of(item.report.at_ms)[0] for item, _ in taken]
    return min(days), max(days)


async def _targets_by_link(applying: Applying, links: set[int]) -> Counter[int]:
    rows = await applying.session.fetch(
        "SELECT link_id, count(*) AS n FROM probe_target"
        " WHERE link_id IN :[links] AND retired_at_ms IS NULL GROUP BY link_id",
        links=sorted(links),
    )
    return Counter({row["link_id"]: row["n"] for row in rows})
