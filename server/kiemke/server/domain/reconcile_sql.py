"""The statements behind the reconciliation, one a question: each gives the rows after a key, in order.

Parameters: ``day``, ``known`` (epoch ms), ``all_units`` (0 or 1) and ``units``, ``kind`` (of asset, or
None), ``day_numbers`` (working days of evidence, counted from 1970-01-01) with their ``first_block`` and
``last_block`` (see ``presence_blocks``), ``foreign_days``, ``nobody``, ``stood`` (assets
that stood at another unit's site for long enough: see ``elsewhere``).
``row_id`` is the key; every statement has ``unit_id``, where the thing belongs.
"""

import re

from kiemke.server.domain.names_then import account_sql
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.presence_blocks import BLOCK_DAYS
from kiemke.server.domain.tables import dated
from kiemke.server.models.book import PC_KINDS

NETWORK_KINDS = ("switch", "router", "firewall", "access_point", "nas")
# Kinds a collector may also watch.
WATCHED_KINDS = (*NETWORK_KINDS, "modem", "ups", "printer", "copier", "scanner", "camera")

SITE = "elsewhere_site"

# What is in use and who answers for it; several holders: the first unit, nobody in person.
_HELD = """
held AS (
  SELECT a.id AS asset_id, MIN(COALESCE(f.kind, a.kind)) AS kind,
    MIN(CASE WHEN f.id IS NULL THEN a.no_agent_reason ELSE f.no_agent_reason END) AS no_agent_reason,
    MIN(COALESCE(f.ownership, a.ownership)) AS ownership, MIN(c.unit_id) AS unit_id,
    CASE WHEN MIN(c.official_id) = MAX(c.official_id) THEN MIN(c.official_id) END AS official_id
  FROM asset a JOIN custody c ON c.asset_id = a.id AND {active c}
  LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}
  WHERE EXISTS (SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND t.status = 'in_use'
      AND {active t})
    AND (CAST(:kind AS VARCHAR(30)) IS NULL OR COALESCE(f.kind, a.kind) = :kind)
    -- Others' things are not read at all; whose one with several holders is, is judged by all of them.
    AND (CAST(:all_units AS INTEGER) = 1
      OR a.id IN (SELECT k.asset_id FROM custody k WHERE k.unit_id IN :[units]))
  GROUP BY a.id
)"""
_MINE = "(CAST(:all_units AS INTEGER) = 1 OR @unit IN :[units])"
# Of a machine with several sources the one heard last says where it is.
_NEWEST = """
newest AS (
  SELECT machine_id, source_id, unit_id, last_received_at_ms FROM (
    SELECT y.machine_id, s.id AS source_id, s.unit_id, n.last_received_at_ms, ROW_NUMBER() OVER (
      PARTITION BY y.machine_id ORDER BY n.last_received_at_ms DESC, s.id DESC) AS nth
    FROM machine_source y JOIN source s ON s.id = y.source_id
    JOIN source_now n ON n.source_id = s.id
    WHERE {active y} AND s.state IN (@states) AND n.last_received_at_ms IS NOT NULL
      -- Others' machines are not read at all: none of their sources, nor their asset, is of these units.
      AND (CAST(:all_units AS INTEGER) = 1 OR y.machine_id IN (
        SELECT i.machine_id FROM machine_source i JOIN source j ON j.id = i.source_id
        WHERE j.unit_id IN :[units]
        UNION SELECT i.machine_id FROM asset_match i JOIN custody j ON j.asset_id = i.asset_id
        WHERE j.unit_id IN :[units]))
  ) AS ranked WHERE nth = 1
)"""
_CLOSURE = """
closure(ancestor_id, unit_id) AS (
  SELECT DISTINCT v.unit_id, v.unit_id FROM unit_version v WHERE {active v}
  UNION  -- not UNION ALL: a loop in the tree must end
  SELECT c.ancestor_id, v.unit_id
  FROM closure c JOIN unit_version v ON v.parent_id = c.unit_id AND {active v}
)"""
_DEVICE_OF = (
    "(d.asset_id = @asset OR EXISTS (SELECT 1 FROM device_match z"
    " WHERE z.device_id = d.device_id AND z.asset_id = @asset AND {active z}))"
)


def _in(values: tuple[str, ...]) -> str:
    return "(" + ", ".join(f"'{value}'" for value in values) + ")"


def _expand(text: str) -> str:
    """Put the fragments in: @held, @closure, @newest('state', ...), @mine[unit], @device_of[asset]."""
    text = re.sub(r"@newest\(([^)]*)\)", lambda m: _NEWEST.replace("@states", m[1]), text)
    text = re.sub(r"@mine\[([^\]]*)\]", lambda m: _MINE.replace("@unit", m[1]), text)
    text = re.sub(r"@device_of\[([^\]]*)\]", lambda m: _DEVICE_OF.replace("@asset", m[1]), text)
    text = text.replace("@account", account_sql("o")).replace("@kind_then", KIND)
    text = text.replace("@kept", "MATERIALIZED").replace("@block_days", str(BLOCK_DAYS))
    for name, values in (
        ("@pcs", PC_KINDS),
        ("@network", NETWORK_KINDS),
        ("@watched", WATCHED_KINDS),
    ):
        text = text.replace(name, _in(values))
    return dated(text.replace("@held", _HELD).replace("@closure", _CLOSURE))


NEVER_SEEN = """
WITH @held
SELECT h.asset_id AS row_id, h.asset_id, h.unit_id, h.official_id FROM held h
WHERE h.kind IN @pcs AND h.no_agent_reason IS NULL AND h.ownership <> 'unproven'
  AND @mine[h.unit_id]
  AND NOT EXISTS (SELECT 1 FROM asset_match x JOIN machine_source y ON y.machine_id = x.machine_id
    AND {active y} JOIN source_now n ON n.source_id = y.source_id
    WHERE x.asset_id = h.asset_id AND {active x} AND n.last_received_at_ms IS NOT NULL)
"""
NEVER_SEEN_DEVICE = """
WITH @held
SELECT h.asset_id AS row_id, h.asset_id, h.unit_id, h.official_id FROM held h
WHERE h.kind IN @network AND h.ownership <> 'provider'
  AND @mine[h.unit_id]
  AND NOT EXISTS (SELECT 1 FROM device_version d JOIN device_now n ON n.device_id = d.device_id
    WHERE {active d} AND @device_of[h.asset_id]
      AND n.answered_at_ms IS NOT NULL)
"""
NOT_BOOKED = """
WITH @newest('pending', 'approved')
SELECT w.machine_id AS row_id, w.machine_id, w.unit_id, w.last_received_at_ms AS at_ms
FROM newest w
WHERE @mine[w.unit_id] AND CAST(:kind AS VARCHAR(30)) IS NULL
  AND NOT EXISTS (SELECT 1 FROM asset_match x WHERE x.machine_id = w.machine_id AND {active x})
"""
NOT_BOOKED_DEVICE = """
SELECT d.device_id AS row_id, d.device_id, d.unit_id, MAX(n.answered_at_ms) AS at_ms
FROM device_version d JOIN device_now n ON n.device_id = d.device_id
WHERE {active d} AND d.asset_id IS NULL AND n.answered_at_ms IS NOT NULL
  AND (CAST(:kind AS VARCHAR(30)) IS NULL OR d.kind = :kind) AND @mine[d.unit_id]
  AND NOT EXISTS (SELECT 1 FROM device_match z WHERE z.device_id = d.device_id AND {active z})
GROUP BY d.device_id, d.unit_id
"""
ELSEWHERE = """
WITH RECURSIVE @closure, @held, @newest('approved')
SELECT h.asset_id AS row_id, h.asset_id, h.unit_id, h.official_id, w.machine_id,
  w.unit_id AS seen_unit_id, w.last_received_at_ms AS at_ms
FROM held h JOIN asset_match x ON x.asset_id = h.asset_id AND {active x}
JOIN newest w ON w.machine_id = x.machine_id
LEFT JOIN closure up ON up.ancestor_id = h.unit_id AND up.unit_id = w.unit_id
LEFT JOIN closure down ON down.ancestor_id = w.unit_id AND down.unit_id = h.unit_id
WHERE up.unit_id IS NULL AND down.unit_id IS NULL AND @mine[h.unit_id]
"""
# By its addresses, where it reports for its own unit: which site it was stands in ``stood_at``.
ELSEWHERE_SITE = """
WITH RECURSIVE @closure, @held, @newest('approved')
SELECT h.asset_id AS row_id, h.asset_id, h.unit_id, h.official_id, w.machine_id,
  w.last_received_at_ms AS at_ms
FROM held h JOIN asset_match x ON x.asset_id = h.asset_id AND {active x}
JOIN newest w ON w.machine_id = x.machine_id
LEFT JOIN closure up ON up.ancestor_id = h.unit_id AND up.unit_id = w.unit_id
LEFT JOIN closure down ON down.ancestor_id = w.unit_id AND down.unit_id = h.unit_id
WHERE (up.unit_id IS NOT NULL OR down.unit_id IS NOT NULL) AND h.asset_id IN :[stood]
  AND @mine[h.unit_id]
"""
ELSEWHERE_DEVICE = """
WITH RECURSIVE @closure, @held
SELECT d.device_id AS row_id, h.asset_id, h.unit_id, h.official_id, d.device_id,
  d.unit_id AS seen_unit_id
FROM held h JOIN device_version d ON {active d}
  AND @device_of[h.asset_id]
LEFT JOIN closure up ON up.ancestor_id = h.unit_id AND up.unit_id = d.unit_id
LEFT JOIN closure down ON down.ancestor_id = d.unit_id AND down.unit_id = h.unit_id
WHERE up.unit_id IS NULL AND down.unit_id IS NULL AND @mine[h.unit_id]
  AND h.kind IN @watched
"""
# Nearly all blocks are the holder's own: they are left before the rest is taken apart into days.
OTHER_USER = """
WITH @held, working(number) AS (SELECT * FROM :[day_numbers] AS given),
foreign_block AS @kept (
  SELECT h.asset_id, h.unit_id, h.official_id, x.machine_id, e.block, e.account, e.account_days
  FROM held h JOIN asset_match x ON x.asset_id = h.asset_id AND {active x}
  JOIN machine_source y ON y.machine_id = x.machine_id AND {active y}
  JOIN source s ON s.id = y.source_id AND s.state = 'approved'
  JOIN presence_block e ON e.source_id = s.id AND e.block BETWEEN :first_block AND :last_block
  LEFT JOIN official o ON o.id = h.official_id
  WHERE h.official_id IS NOT NULL AND e.account <> '' AND e.account <> COALESCE(LOWER(@account), '')
    AND e.account NOT IN :[nobody.text]
), sat AS (  -- whose account it was on the day
  SELECT f.*, o.id AS sitter FROM foreign_block f JOIN official o ON LOWER(o.account) = f.account || ''
  WHERE o.id NOT IN :[renamed]
  UNION ALL
  SELECT f.*, n.official_id AS sitter FROM foreign_block f JOIN official_version n
    ON n.official_id IN :[renamed] AND LOWER(n.account) = f.account AND {active n}
  WHERE f.account IN :[accounts_then.text]
), used AS (
  SELECT f.asset_id, f.unit_id, f.official_id, f.machine_id, f.sitter AS seen_official_id,
    COUNT(DISTINCT w.number) AS days,
    ROW_NUMBER() OVER (
      PARTITION BY f.asset_id ORDER BY COUNT(DISTINCT w.number) DESC, f.sitter) AS nth
  FROM sat f
  JOIN working w ON w.number / @block_days = f.block
    AND (f.account_days >> CAST(w.number % @block_days AS INTEGER)) & 1 = 1
  WHERE f.sitter <> f.official_id
  GROUP BY f.asset_id, f.unit_id, f.official_id, f.machine_id, f.sitter
  HAVING COUNT(DISTINCT w.number) >= CAST(:foreign_days AS INTEGER)
)
SELECT asset_id AS row_id, asset_id, unit_id, official_id, machine_id, seen_official_id, days,
  (SELECT MIN(m.unit_id) FROM membership m WHERE m.official_id = seen_official_id AND {active m})
    AS seen_person_unit_id
FROM used WHERE nth = 1 AND @mine[unit_id]
"""
HARDWARE = """
SELECT g.id AS row_id, g.id AS change_id, g.section, g.before_json, g.after_json, g.since_ms,
  g.seen_at_ms AS at_ms, y.machine_id, a.id AS asset_id, COALESCE(c.unit_id, s.unit_id) AS unit_id,
  c.official_id
FROM hardware_change g JOIN source s ON s.id = g.source_id
JOIN machine_source y ON y.source_id = s.id AND {active y}
LEFT JOIN asset_match x ON x.machine_id = y.machine_id AND {active x}
LEFT JOIN asset a ON a.id = x.asset_id
LEFT JOIN (SELECT asset_id, MIN(unit_id) AS unit_id,
    CASE WHEN MIN(official_id) = MAX(official_id) THEN MIN(official_id) END AS official_id
  FROM custody k WHERE {active k} GROUP BY asset_id) c ON c.asset_id = a.id
WHERE g.seen_at_ms <= :known AND (g.settled_at_ms IS NULL OR g.settled_at_ms > :known)
  AND (CAST(:kind AS VARCHAR(30)) IS NULL OR @kind_then = :kind)
  AND @mine[COALESCE(c.unit_id, s.unit_id)]
"""
HOLDER_LEFT = """
SELECT c.id AS row_id, c.asset_id, c.unit_id, c.official_id
FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE {active c} AND c.official_id IS NOT NULL
  AND (CAST(:kind AS VARCHAR(30)) IS NULL OR @kind_then = :kind) AND @mine[c.unit_id]
  AND NOT EXISTS (SELECT 1 FROM membership m WHERE m.official_id = c.official_id AND {active m})
  AND NOT EXISTS (SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND {active t}
    AND t.status IN ('disposed', 'lost'))
"""
OVERDUE = """
SELECT f.id AS row_id, f.asset_id, f.owner_name, f.return_on, c.unit_id, c.official_id
FROM asset_fact f JOIN asset a ON a.id = f.asset_id
JOIN (SELECT asset_id, MIN(unit_id) AS unit_id,
    CASE WHEN MIN(official_id) = MAX(official_id) THEN MIN(official_id) END AS official_id
  FROM custody k WHERE {active k} GROUP BY asset_id) c ON c.asset_id = a.id
WHERE {active f} AND f.return_on < :day
  AND (CAST(:kind AS VARCHAR(30)) IS NULL OR @kind_then = :kind) AND @mine[c.unit_id]
"""

# Question -> (kind of difference, statement), in the order of the list.
QUESTIONS: dict[str, tuple[str, str]] = {
    "elsewhere": ("elsewhere", _expand(ELSEWHERE)),
    "elsewhere_device": ("elsewhere", _expand(ELSEWHERE_DEVICE)),
    SITE: ("elsewhere", _expand(ELSEWHERE_SITE)),
    "hardware": ("hardware", _expand(HARDWARE)),
    "holder_left": ("holder_left", _expand(HOLDER_LEFT)),
    "never_seen": ("never_seen", _expand(NEVER_SEEN)),
    "never_seen_device": ("never_seen", _expand(NEVER_SEEN_DEVICE)),
    "not_booked": ("not_booked", _expand(NOT_BOOKED)),
    "not_booked_device": ("not_booked", _expand(NOT_BOOKED_DEVICE)),
    "other_user": ("other_user", _expand(OTHER_USER)),
    "overdue": ("overdue", _expand(OVERDUE)),
}
KINDS = tuple(dict.fromkeys(kind for kind, _ in QUESTIONS.values()))
