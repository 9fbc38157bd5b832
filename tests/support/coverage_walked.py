"""The presence of each PC as coverage first counted it, by walking every day row: the oracle."""

import ipaddress
from datetime import date

from kiemke.server.db import Session, as_date
from kiemke.server.domain import calendar, coverage_sql
from kiemke.server.domain.sites import Sites, load_sites
from kiemke.server.domain.tables import dated

_IS_FOREIGN = """p.day >= :first AND p.day <= :day
        AND CASE WHEN p.main_account IN (SELECT LOWER(account) FROM official)
                  AND p.main_account NOT IN :[nobody.text]
                  AND p.day IN (SELECT day FROM working) THEN 1 ELSE 0 END = 1"""

_OWNERSHIP = (
    "COALESCE((SELECT g.ownership FROM asset_fact g WHERE g.asset_id = a.id AND @active(g)),"
    " a.ownership)"
)

_HELD = """held AS MATERIALIZED (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id, MIN(a.no_agent_reason) AS no_agent_reason,
    CASE WHEN COUNT(*) = COUNT(c.official_id) AND MIN(c.official_id) = MAX(c.official_id)
      THEN MIN(c.official_id) END AS official_id,
    MIN(x.machine_id) AS machine_id,
    MAX(CASE WHEN s.state = 'approved' THEN 1 ELSE 0 END) AS approved,
    MAX(CASE WHEN s.state = 'quarantined' THEN 1 ELSE 0 END) AS quarantined,
    MAX(CASE WHEN s.state = 'approved' THEN (
      SELECT w.block * @block_code + w.bit FROM working w WHERE w.day = (
        SELECT p.day FROM presence_day p
        WHERE p.source_id = s.id AND p.day >= :first AND p.day <= :day AND p.trusted_slots > 0
          AND CASE WHEN p.day IN (SELECT day FROM working) THEN 1 ELSE 0 END = 1
        ORDER BY p.day DESC LIMIT 1
      )) END) AS last_seen,
    MAX(CASE WHEN s.state = 'approved' THEN (
      SELECT COUNT(*) FROM presence_day p
      WHERE p.source_id = s.id AND p.main_account < COALESCE(LOWER(o.account), '') AND @is_foreign
    ) + (
      SELECT COUNT(*) FROM presence_day p
      WHERE p.source_id = s.id AND p.main_account > COALESCE(LOWER(o.account), '') AND @is_foreign
    ) END) AS foreign_days
  FROM custody c
  JOIN asset a ON a.id = c.asset_id
  LEFT JOIN official o ON o.id = c.official_id
  LEFT JOIN asset_match x ON x.asset_id = c.asset_id AND @active(x)
  LEFT JOIN machine_source y ON y.machine_id = x.machine_id AND @active(y)
  LEFT JOIN source s ON s.id = y.source_id
  WHERE @active(c)
    AND a.kind IN ('desktop', 'all_in_one', 'laptop')
    AND (@ownership = 'owned' OR @ownership = 'borrowed' AND c.instrument IS NOT NULL)
    AND (a.no_agent_reason IS NULL OR a.no_agent_reason <> 'secret')
    AND EXISTS (SELECT 1 FROM asset_status t
                WHERE t.asset_id = a.id AND t.status = 'in_use' AND @active(t))
  GROUP BY c.asset_id
),
""".replace("@is_foreign", _IS_FOREIGN).replace("@ownership", _OWNERSHIP)

_PERSONS = " SELECT official_id, unit_id, kind, place, has_shared FROM person ORDER BY official_id"
_PCS = (
    " SELECT asset_id, official_id, machine_id, approved, quarantined, COALESCE(foreign_days, 0)"
    " AS foreign_days, place, (SELECT MAX(w.day) FROM working w WHERE w.block * @block_code + w.bit"
    " <= pc.last_seen) AS last_day FROM pc ORDER BY asset_id"
)


def _walked(text: str) -> str:
    """Return the statement with its PCs seen by the walk."""
    begin, end = text.index("held AS MATERIALIZED ("), text.index("shared AS (")
    return text[:begin] + _HELD + text[end:]


def statements(dialect: str, blocks: int) -> list[tuple[str, str]]:
    """Return pairs of (as it is, by the walk): the persons of all units, and every PC."""
    pairs = []
    for tail in (_PERSONS, _PCS):
        text = coverage_sql._PERSONS + tail
        pairs.append(
            (
                coverage_sql.expand(text, dialect, blocks),
                coverage_sql.expand(_walked(text), dialect, blocks),
            )
        )
    return pairs


async def elsewhere_walked(session: Session, day: date, known_ms: int, days: int) -> list[int]:
    """Return the assets that stood ``days`` days at another unit's site, walked stay by stay.

    Every source's every day, whatever was marked; only subnets no home router gives.
    """
    times = {"day": day, "known": known_ms}
    sites = await load_sites(session, day, known_ms)
    working = await calendar.load(session, known_ms)
    window = working.working_days_up_to(day, 10)
    stays = await session.fetch("SELECT * FROM network_stay ORDER BY id")
    seen: dict[tuple[int, date], set[str]] = {}
    for row in await session.fetch(dated(_BOOKED_DAYS), **times):
        unit, seen_on = row["unit_id"], as_date(row["day"])
        if seen_on not in window or row["state"] != "approved" or row["trusted_slots"] == 0:
            continue
        for stay in stays:
            begin, end = as_date(stay["first_day"]), as_date(stay["last_day"] or day)
            if stay["source_id"] == row["source_id"] and begin <= seen_on <= end:
                told = seen.setdefault((row["asset_id"], seen_on), set())
                told.add(_walk_place(sites, stay["addresses"], unit))
    count: dict[int, int] = {}
    for (asset, _), told in seen.items():
        count[asset] = count.get(asset, 0) + (told == {"away"})
    return sorted(asset for asset, away in count.items() if away >= days)


_BOOKED_DAYS = """
SELECT x.asset_id, y.source_id, s.state, p.day, p.trusted_slots,
  (SELECT MIN(c.unit_id) FROM custody c WHERE c.asset_id = x.asset_id AND {active c}) AS unit_id
FROM presence_day p JOIN source s ON s.id = p.source_id
JOIN machine_source y ON y.source_id = s.id AND {active y}
JOIN asset_match x ON x.machine_id = y.machine_id AND {active x}
"""


def _walk_place(sites: Sites, addresses: str, unit: int) -> str:
    nets = sites.subnets()
    owners = {
        owner
        for text in addresses.split()
        for owner, net in nets
        if ipaddress.ip_address(text) in net
    }
    if not owners or sites.site_of(unit) is None:
        return "unknown"
    home = {unit, *sites.above(unit), *(owner for owner in owners if unit in sites.above(owner))}
    return "home" if owners & home else "away"
