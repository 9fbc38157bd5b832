"""Counted figures of each unit's own things beside coverage: assets, sources, sensors, presence.

Kept in ``unit_figure_now`` as (family, unit, label); only what changed is written.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence

from kiemke.server.db import Database, Session
from kiemke.server.domain import calendar

Guard = Callable[[Session], Awaitable[None]]

# Agents post every five minutes: one heard within three of these is there now.
PRESENT_MS = 900_000

_ACTIVE = (
    "@.valid_from <= :day AND (@.valid_to IS NULL OR @.valid_to > :day)"
    " AND @.recorded_at_ms <= :now AND (@.voided_at_ms IS NULL OR @.voided_at_ms > :now)"
)

# An asset counts once, with the first of the units that hold it.
_ASSETS = """
SELECT unit_id, kind || ',' || status AS label, COUNT(*) AS value FROM (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id, MIN(a.kind) AS kind, MIN(s.status) AS status
  FROM custody c JOIN asset a ON a.id = c.asset_id JOIN asset_status s ON s.asset_id = a.id
  WHERE @active(c) AND @active(s) AND a.ownership <> 'private' GROUP BY c.asset_id
) AS held GROUP BY unit_id, kind, status
"""
_PRIVATE = """
SELECT unit_id, '' AS label, COUNT(*) AS value FROM (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id
  FROM custody c JOIN asset a ON a.id = c.asset_id JOIN asset_status s ON s.asset_id = a.id
  WHERE @active(c) AND @active(s) AND s.status = 'in_use' AND a.ownership = 'private'
    AND a.kind IN ('desktop', 'all_in_one', 'laptop')
  GROUP BY c.asset_id
) AS held GROUP BY unit_id
"""
_SOURCES = """
SELECT unit_id, kind || ',' || state AS label, COUNT(*) AS value FROM source
GROUP BY unit_id, kind, state
"""
_PRESENT = """
SELECT s.unit_id, '' AS label,
  SUM(CASE WHEN n.last_received_at_ms >= :present THEN 1 ELSE 0 END) AS value
FROM source s JOIN source_now n ON n.source_id = s.id
WHERE s.kind = 'agent' AND s.state = 'approved' GROUP BY s.unit_id
"""
_SENSORS = """
SELECT s.unit_id, x.section AS label,
  SUM(CASE WHEN x.status IN ('ok', 'absent') THEN 1 ELSE 0 END) * 1000000 / COUNT(*) AS value
FROM source_section x JOIN source s ON s.id = x.source_id
WHERE s.state = 'approved' GROUP BY s.unit_id, x.section
"""
# What people reported: of two rows of one day the one recorded last stands.
_INDICATOR = """
SELECT f.unit_id, i.code AS label, f.amount_millionths AS value
FROM indicator_figure f JOIN indicator i ON i.id = f.indicator_id
WHERE f.role = '@role' AND @active(f) ORDER BY f.recorded_at_ms, f.id
"""
FAMILIES = {
    "assets": _ASSETS,
    "private_pcs": _PRIVATE,
    "sources": _SOURCES,
    "present": _PRESENT,
    "sensor_ppm": _SENSORS,
    "indicator_actual": _INDICATOR.replace("@role", "actual"),
    "indicator_target": _INDICATOR.replace("@role", "target"),
}

_SAVE = """
INSERT INTO unit_figure_now (family, unit_id, label, value, changed_at_ms)
VALUES (:family, :unit_id, :label, :value, :now)
ON CONFLICT (family, unit_id, label)
DO UPDATE SET value = excluded.value, changed_at_ms = excluded.changed_at_ms
"""


async def refresh_now(db: Database, now_ms: int, guard: Guard | None = None) -> int:
    """Count every family anew; return how many figures changed. A figure that is no more is None."""
    async with db.reading() as session:
        row = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if row is None:
            return 0
        params = {
            "day": calendar.local_day(now_ms, row["utc_offset_seconds"]),
            "now": now_ms,
            "present": now_ms - PRESENT_MS,
        }
        found: dict[tuple[str, int, str], int | None] = {}
        for family, sql in FAMILIES.items():
            text = re.sub(r"@active\((\w)\)", lambda m: _ACTIVE.replace("@", m[1]), sql)
            for row in await session.fetch(text, **params):
                found[family, row["unit_id"], row["label"]] = int(row["value"])
    return await store(db, tuple(FAMILIES), found, now_ms, guard)


async def store(
    db: Database,
    families: Sequence[str],
    found: Mapping[tuple[str, int, str], int | None],
    now_ms: int,
    guard: Guard | None = None,
) -> int:
    """Make the figures of these families exactly ``found``; return how many changed."""
    stored = await db.read(
        "SELECT * FROM unit_figure_now WHERE family IN :[families.text]", families=list(families)
    )
    before = {(row["family"], row["unit_id"], row["label"]): row["value"] for row in stored}
    gone = dict.fromkeys(before.keys() - found.keys())
    changed = {k: v for k, v in {**found, **gone}.items() if k not in before or before[k] != v}
    if changed:
        async with db.transaction() as session:
            if guard is not None:
                await guard(session)
            await session.many(
                _SAVE,
                [
                    {
                        "family": family,
                        "unit_id": unit,
                        "label": label,
                        "value": value,
                        "now": now_ms,
                    }
                    for (family, unit, label), value in sorted(changed.items())
                ],
            )
    return len(changed)
