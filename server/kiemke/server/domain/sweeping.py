"""Which collector sweeps which site's subnets, and what it must leave alone there.

A site is a unit with registered subnets of its own. One collector sweeps it: one that stands in it, else
the one with the most devices there. Subnets that another unit registered within them are that unit's
own to sweep.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kiemke.server.db import Row, Session
from kiemke.server.domain.sites import Sites
from kiemke.wire.reach import Network

_HOMES = """
SELECT id, unit_id FROM source WHERE kind = 'collector' AND state = 'approved' ORDER BY id
"""
_MINE = "SELECT id, unit_id FROM source WHERE id IN :[sources] ORDER BY id"
_DEVICES = """
SELECT collector_id, unit_id, COUNT(*) AS n FROM device
WHERE collector_id IS NOT NULL AND retired_at_ms IS NULL GROUP BY collector_id, unit_id
ORDER BY collector_id, unit_id
"""
_MY_DEVICES = """
SELECT collector_id, unit_id, COUNT(*) AS n FROM device
WHERE collector_id IN :[sources] AND retired_at_ms IS NULL GROUP BY collector_id, unit_id
ORDER BY collector_id, unit_id
"""


@dataclass(frozen=True, slots=True)
class SweepTask:
    """A site to sweep: its own subnets, and what lies within them but is never to be asked."""

    site: int
    subnets: tuple[Network, ...]
    deny: tuple[Network, ...]


async def read_tasks(session: Session, sites: Sites, sources: list[int]) -> list[SweepTask]:
    """Return the sites that these collectors sweep."""
    mine = await sites_of(session, sites, sources)
    if not mine:
        return []
    homes = await session.fetch(_HOMES)
    devices = await session.fetch(_DEVICES)
    tasks = []
    for site in sorted(mine):
        if _chosen(sites, site, homes, devices) in sources:
            own = sites.own(site)
            tasks.append(SweepTask(site, own, leave_alone(sites, site)))
    return tasks


async def sites_of(session: Session, sites: Sites, sources: Iterable[int]) -> set[int]:
    """Return the sites in which these collectors or their devices stand: they may speak of those."""
    asked = sorted(sources)
    rows = await session.fetch(_MINE, sources=asked)
    rows += await session.fetch(_MY_DEVICES, sources=asked)
    found = {sites.site_of(row["unit_id"]) for row in rows}
    return {site for site in found if site is not None}


def leave_alone(sites: Sites, site: int) -> tuple[Network, ...]:
    """Return what a sweep of a site passes over: denied, or within its subnets another unit's own."""
    own = sites.own(site)
    others = [
        net
        for unit, net in sites.all_own()
        if unit != site
        and any(
            net.version == mine.version
            and net.prefixlen > mine.prefixlen
            and net.network_address in mine
            for mine in own
        )
    ]
    return tuple(dict.fromkeys([*sites.reach(site).deny, *others]))


def _chosen(sites: Sites, site: int, homes: list[Row], devices: list[Row]) -> int | None:
    home = next((row["id"] for row in homes if sites.site_of(row["unit_id"]) == site), None)
    if home is not None:
        return int(home)
    approved = {row["id"] for row in homes}
    counts: dict[int, int] = {}
    for row in devices:
        if row["collector_id"] in approved and sites.site_of(row["unit_id"]) == site:
            counts[row["collector_id"]] = counts.get(row["collector_id"], 0) + row["n"]
    return min(counts, key=lambda each: (-counts[each], each), default=None)
