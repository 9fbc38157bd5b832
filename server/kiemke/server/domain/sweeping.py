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
SELECT id, unit_id FROM source WHERE kind = 'collector' AND state = 'approved'
  AND unit_id IN :[units] ORDER BY id
"""
_MINE = "SELECT id, unit_id FROM source WHERE id IN :[sources] ORDER BY id"
_DEVICES = """
SELECT d.collector_id, d.unit_id, COUNT(*) AS n FROM device d
JOIN source s ON s.id = d.collector_id AND s.state = 'approved'
WHERE d.retired_at_ms IS NULL AND d.unit_id IN :[units]
GROUP BY d.collector_id, d.unit_id ORDER BY d.collector_id, d.unit_id
"""
_MY_DEVICES = """
SELECT DISTINCT unit_id FROM device
WHERE collector_id IN :[sources] AND retired_at_ms IS NULL ORDER BY unit_id
"""


@dataclass(frozen=True, slots=True)
class SweepTask:
    """A site to sweep: its own subnets, and what lies within them but is never to be asked."""

    site: int
    subnets: tuple[Network, ...]
    deny: tuple[Network, ...]


async def read_tasks(session: Session, sites: Sites, sources: list[int]) -> list[SweepTask]:
    """Return the sites that these collectors sweep."""
    units = await _units_of(session, sources)
    mine = {site for unit in units if (site := sites.site_of(unit)) is not None}
    if not mine:
        return []
    around = sorted(units | mine)
    homes = await session.fetch(_HOMES, units=around)
    devices = await session.fetch(_DEVICES, units=around)
    tasks = []
    for site in sorted(mine):
        if _chosen(sites, site, homes, devices) in sources:
            own = sites.own(site)
            tasks.append(SweepTask(site, own, leave_alone(sites, site)))
    return tasks


async def sites_of(session: Session, sites: Sites, sources: Iterable[int]) -> set[int]:
    """Return the sites in which these collectors or their devices stand: they may speak of those."""
    units = await _units_of(session, sources)
    return {site for unit in units if (site := sites.site_of(unit)) is not None}


async def _units_of(session: Session, sources: Iterable[int]) -> set[int]:
    """Return the units in which these collectors or their devices stand."""
    asked = sorted(sources)
    rows = await session.fetch(_MINE, sources=asked)
    rows += await session.fetch(_MY_DEVICES, sources=asked)
    return {row["unit_id"] for row in rows}


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
    counts: dict[int, int] = {}
    for row in devices:
        if sites.site_of(row["unit_id"]) == site:
            counts[row["collector_id"]] = counts.get(row["collector_id"], 0) + row["n"]
    return min(counts, key=lambda each: (-counts[each], each), default=None)
