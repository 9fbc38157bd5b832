"""What a sweep of a site found becomes stays of hosts: which address, with which MAC, from when to when."""

import json
from typing import Any

from kiemke.server.domain import calendar
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.sweeping import leave_alone, sites_of
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.stays import Seen, StayTable, settle
from kiemke.server.ingest.subjects import site_mates
from kiemke.wire.lan import LanHost, Sweep
from kiemke.wire.reach import Reach

HOSTS = StayTable(
    "lan_host",
    "unit_id",
    ("address", "mac"),
    ("address",),
    facts=(
        "signs", "rtt_seconds", "open_ports", "snmp_version", "sys_descr", "sys_object_id",
        "sys_name",
    ),
)  # fmt: skip
_LOCK = "SELECT id FROM unit WHERE id IN :[ids] ORDER BY id FOR NO KEY UPDATE"
_LATEST = "SELECT MAX(swept_at_ms) AS at FROM sweep_now WHERE unit_id = :unit"
_KNOWN = "SELECT address, mac FROM lan_host WHERE unit_id = :unit AND gone_ms IS NULL AND mac IS NOT NULL"
_NOW = """
INSERT INTO sweep_now (unit_id, source_id, outcome, detail, subnets_json, asked, refused, found,
  spent_seconds, swept_at_ms)
VALUES (:unit, :source, :outcome, :detail, :subnets, :asked, :refused, :found, :spent, :at)
ON CONFLICT (unit_id, source_id) DO UPDATE SET outcome = excluded.outcome, detail = excluded.detail,
  subnets_json = excluded.subnets_json, asked = excluded.asked, refused = excluded.refused,
  found = excluded.found, spent_seconds = excluded.spent_seconds, swept_at_ms = excluded.swept_at_ms
WHERE sweep_now.swept_at_ms <= excluded.swept_at_ms
"""


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Bring the hosts of each swept site in step; refuse sites that are not the source's.

    Hosts outside the site's registered subnets, as they are now, are passed over.
    """
    session = applying.session
    received = max(item.batch.received_at_ms for item in items)
    day = calendar.local_day(received, applying.utc_offset_seconds)
    sites = await load_sites(session, day, received)
    mates = await site_mates(applying, items)
    theirs: dict[int, set[int]] = {}
    for source in sorted({item.source_id for item in items}):
        team = [mate for one, mate in mates if one == source]
        theirs[source] = await sites_of(session, sites, team)
    hopeless: list[tuple[Item, str]] = []
    if session.dialect == "postgres":
        await session.fetch(_LOCK, ids=sorted({item.report.body.site for item in items}))
    for item in sorted(items, key=lambda each: (each.report.body.site, each.report.at_ms)):
        site = item.report.body.site
        if site not in theirs[item.source_id]:
            hopeless.append((item, f"site {site} is not one of this source"))
            continue
        reach = Reach(sites.own(site), leave_alone(sites, site))
        await _take(applying, item, reach)
    return hopeless


async def _take(applying: Applying, item: Item, reach: Reach) -> None:
    body, at_ms, session = item.report.body, item.report.at_ms, applying.session
    latest = await session.one(_LATEST, unit=body.site)
    if latest is not None and latest["at"] is not None and latest["at"] >= at_ms:
        return
    hosts = [host for host in body.hosts if reach.why_not(host.address) is None]
    known = {row["address"]: row["mac"] for row in await session.fetch(_KNOWN, unit=body.site)}
    seen = Seen(body.site, item.source_id, at_ms, item.batch.received_at_ms)
    rows = [_host(host, known) for host in hosts]
    await settle(session, HOSTS, seen, rows)
    await session.execute(_NOW, **_now(item, body, len(hosts)))


def _host(host: LanHost, known: dict[str, str]) -> dict[str, Any]:
    """Return the columns; a host whose MAC was not seen this time is still the one that was there."""
    return {
        "address": host.address,
        "mac": host.mac or known.get(host.address),
        "signs": ",".join(dict.fromkeys(host.signs)),
        "rtt_seconds": host.rtt_seconds,
        "open_ports": ",".join(map(str, host.open_ports)),
        "snmp_version": host.snmp_version,
        "sys_descr": host.sys_descr[:500] if host.sys_descr else None,
        "sys_object_id": host.sys_object_id[:200] if host.sys_object_id else None,
        "sys_name": host.sys_name[:255] if host.sys_name else None,
    }


def _now(item: Item, body: Sweep, found: int) -> dict[str, Any]:
    return {
        "unit": body.site,
        "source": item.source_id,
        "outcome": body.outcome,
        "detail": None if body.detail is None else body.detail[:500],
        "subnets": json.dumps(body.subnets),
        "asked": body.asked,
        "refused": body.refused,
        "found": found,
        "spent": body.seconds,
        "at": item.report.at_ms,
    }
