"""The one statement behind every coverage figure: who has which PC in which state on day D.

Written once with ``@active(alias)`` for "a dated row valid on :day as known at :known" and a few
fragments that SQLite and PostgreSQL spell differently. Rank of a person: 1 verified, 2 counted,
3 contradicted, 4 silent, 5 unmatched, 6 no_pc; 0 is excluded from the population.

Parameters: ``day``, ``known`` (epoch ms), ``first`` (oldest day of the evidence window), ``days``
(JSON list of its working days), ``long_absence`` (days), ``foreign_days``, ``count_since`` (day).
"""

import re
from functools import lru_cache

RANKS = {
    "excluded": 0,
    "verified": 1,
    "counted": 2,
    "contradicted": 3,
    "silent": 4,
    "unmatched": 5,
    "no_pc": 6,
}

_ACTIVE = (
    "(@.valid_from <= :day AND (@.valid_to IS NULL OR @.valid_to > :day)"
    " AND @.recorded_at_ms <= :known AND (@.voided_at_ms IS NULL OR @.voided_at_ms > :known))"
)

_FRAGMENTS = {
    "sqlite": {
        "@window": "SELECT value AS day FROM json_each(:days)",
        "@long_absence": "(julianday(b.valid_to) - julianday(b.valid_from)) > :long_absence",
    },
    "postgres": {
        "@window": (
            "SELECT CAST(value AS DATE) AS day"
            " FROM json_array_elements_text(CAST(:days AS JSON)) AS element(value)"
        ),
        "@long_absence": "(b.valid_to - b.valid_from) > CAST(:long_absence AS BIGINT)",
    },
}

_PERSONS = """
WITH RECURSIVE
working AS (@window),
tree AS (
  SELECT v.unit_id, MIN(v.parent_id) AS parent_id FROM unit_version v
  WHERE @active(v) GROUP BY v.unit_id
),
closure(ancestor_id, unit_id) AS (
  SELECT unit_id, unit_id FROM tree
  UNION  -- not UNION ALL: a loop in the tree must end
  SELECT c.ancestor_id, t.unit_id FROM closure c JOIN tree t ON t.parent_id = c.unit_id
),
-- Open-ended leave counts as long: its paper names no day of return.
absent AS (
  SELECT DISTINCT b.official_id FROM absence b
  WHERE @active(b)
    AND (b.reason NOT IN ('leave', 'study') OR b.valid_to IS NULL OR @long_absence)
),
-- One primary membership a person; were there two, the older row stands.
member AS (
  SELECT MIN(m.id) AS id FROM membership m
  WHERE @active(m) AND m.is_primary GROUP BY m.official_id
),
-- PCs that count, with the one official who answers for each; NULL when a unit or several do.
held AS (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id, MIN(a.no_agent_reason) AS no_agent_reason,
    CASE WHEN COUNT(*) = COUNT(c.official_id) AND MIN(c.official_id) = MAX(c.official_id)
      THEN MIN(c.official_id) END AS official_id
  FROM asset a JOIN custody c ON c.asset_id = a.id
  WHERE @active(c)
    AND a.kind IN ('desktop', 'all_in_one', 'laptop')
    AND (a.ownership = 'owned' OR a.ownership = 'borrowed' AND c.instrument IS NOT NULL)
    AND (a.no_agent_reason IS NULL OR a.no_agent_reason <> 'secret')
    AND EXISTS (SELECT 1 FROM asset_status s
                WHERE s.asset_id = a.id AND s.status = 'in_use' AND @active(s))
  GROUP BY c.asset_id
),
shared AS (
  SELECT c.official_id, c.unit_id FROM held h JOIN custody c ON c.asset_id = h.asset_id
  WHERE h.official_id IS NULL AND @active(c)
),
mapped AS (SELECT LOWER(account) AS account FROM official WHERE account IS NOT NULL),
evidence AS (
  SELECT h.asset_id, MIN(x.machine_id) AS machine_id,
    MAX(CASE WHEN s.state = 'approved' THEN 1 ELSE 0 END) AS approved,
    MAX(CASE WHEN s.state = 'quarantined' THEN 1 ELSE 0 END) AS quarantined,
    MAX(CASE WHEN p.trusted_slots > 0 THEN p.day END) AS last_day,
    COUNT(DISTINCT CASE WHEN p.main_account <> COALESCE(LOWER(o.account), '')
                         AND p.main_account IN (SELECT account FROM mapped)
                   THEN p.day END) AS foreign_days
  FROM held h
  JOIN official o ON o.id = h.official_id
  JOIN asset_match x ON x.asset_id = h.asset_id AND @active(x)
  LEFT JOIN machine_source y ON y.machine_id = x.machine_id AND @active(y)
  LEFT JOIN source s ON s.id = y.source_id
  LEFT JOIN presence_day p ON p.source_id = s.id AND s.state = 'approved'
    AND p.day >= :first AND p.day <= :day
    -- CASE keeps SQLite from seeking each day of the list instead of walking the span once.
    AND CASE WHEN p.day IN (SELECT day FROM working) THEN 1 ELSE 0 END = 1
  GROUP BY h.asset_id
),
count_order AS (
  SELECT k.asset_id, k.result, k.valid_from AS day,
    ROW_NUMBER() OVER (PARTITION BY k.asset_id
                       ORDER BY k.valid_from DESC, k.recorded_at_ms DESC, k.id DESC) AS place
  FROM counted_asset k
  WHERE k.valid_from <= :day
    AND k.recorded_at_ms <= :known AND (k.voided_at_ms IS NULL OR k.voided_at_ms > :known)
),
pc AS (
  SELECT h.asset_id, h.official_id, e.machine_id, e.last_day, e.foreign_days, e.approved,
    e.quarantined, k.result AS count_result, k.day AS count_day,
    CASE
      WHEN k.result = 'missing' OR e.foreign_days >= :foreign_days THEN 3
      WHEN e.approved = 1 AND e.quarantined = 0 AND e.last_day IS NOT NULL THEN 1
      WHEN h.no_agent_reason IS NOT NULL AND k.result = 'seen' AND k.day > :count_since THEN 2
      WHEN e.asset_id IS NOT NULL THEN 4
      ELSE 5
    END AS place
  FROM held h
  LEFT JOIN evidence e ON e.asset_id = h.asset_id
  LEFT JOIN count_order k ON k.asset_id = h.asset_id AND k.place = 1
  WHERE h.official_id IS NOT NULL
),
best AS (
  SELECT official_id, MIN(place) AS place, MAX(CASE WHEN place = 1 THEN last_day END) AS last_day
  FROM pc GROUP BY official_id
),
person AS (
  SELECT m.id AS membership_id, m.official_id, m.unit_id, m.kind,
    CASE WHEN b.official_id IS NOT NULL THEN 0 ELSE COALESCE(best.place, 6) END AS place,
    CASE WHEN b.official_id IS NULL THEN best.last_day END AS last_day,
    CASE WHEN b.official_id IS NULL AND best.place IS NULL
          AND (m.official_id IN (SELECT official_id FROM shared WHERE official_id IS NOT NULL)
            OR m.unit_id IN (SELECT unit_id FROM shared WHERE official_id IS NULL))
      THEN 1 ELSE 0 END AS has_shared
  FROM member JOIN membership m ON m.id = member.id
  LEFT JOIN absent b ON b.official_id = m.official_id
  LEFT JOIN best ON best.official_id = m.official_id
)
"""

_FIGURES = """,
own AS (
  SELECT unit_id, kind,
    SUM(CASE WHEN place > 0 THEN 1 ELSE 0 END) AS officials,
    SUM(CASE WHEN place = 6 THEN 1 ELSE 0 END) AS no_pc,
    SUM(CASE WHEN place = 1 THEN 1 ELSE 0 END) AS verified,
    SUM(CASE WHEN place = 2 THEN 1 ELSE 0 END) AS counted,
    SUM(CASE WHEN place = 3 THEN 1 ELSE 0 END) AS contradicted,
    SUM(CASE WHEN place = 4 THEN 1 ELSE 0 END) AS silent,
    SUM(CASE WHEN place = 5 THEN 1 ELSE 0 END) AS unmatched,
    SUM(CASE WHEN place = 0 THEN 1 ELSE 0 END) AS excluded,
    SUM(has_shared) AS shared_access,
    MAX(last_day) AS last_day
  FROM person GROUP BY unit_id, kind
),
own_pcs AS (SELECT unit_id, COUNT(*) AS pcs FROM held GROUP BY unit_id),
subtree_pcs AS (
  SELECT c.ancestor_id AS unit_id, SUM(p.pcs) AS pcs,
    SUM(CASE WHEN c.unit_id = c.ancestor_id THEN p.pcs ELSE 0 END) AS own_pcs
  FROM closure c JOIN own_pcs p ON p.unit_id = c.unit_id GROUP BY c.ancestor_id
),
target AS (
  SELECT g.unit_id, g.kinds,
    MAX(CASE WHEN g.measure = 'coverage' THEN g.target_thousandths END) AS target_thousandths,
    MAX(CASE WHEN g.measure = 'ratio' THEN g.target_thousandths END) AS ratio_target_thousandths
  FROM coverage_target g WHERE @active(g) GROUP BY g.unit_id, g.kinds
),
wanted AS (
  SELECT unit_id, kinds FROM target WHERE unit_id IN (SELECT unit_id FROM tree)
  UNION SELECT unit_id, '' FROM tree
),
summed AS (
  SELECT w.unit_id, w.kinds,
    @sums
    MAX(o.last_day) AS last_day
  FROM wanted w
  JOIN closure c ON c.ancestor_id = w.unit_id
  LEFT JOIN own o ON o.unit_id = c.unit_id
    AND (w.kinds = '' OR ',' || w.kinds || ',' LIKE '%,' || o.kind || ',%')
  GROUP BY w.unit_id, w.kinds
)
SELECT s.*, COALESCE(p.own_pcs, 0) AS own_pcs, COALESCE(p.pcs, 0) AS pcs,
  g.target_thousandths, g.ratio_target_thousandths,
  CASE WHEN s.last_day IS NOT NULL
    THEN (SELECT COUNT(*) FROM working WHERE working.day > s.last_day) END
    AS evidence_age_working_days
FROM summed s
LEFT JOIN subtree_pcs p ON p.unit_id = s.unit_id
LEFT JOIN target g ON g.unit_id = s.unit_id AND g.kinds = s.kinds
ORDER BY s.unit_id, s.kinds
"""

_COUNTS = (
    "officials", "no_pc", "verified", "counted", "contradicted", "silent", "unmatched",
    "excluded", "shared_access",
)  # fmt: skip
_KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")

# One row per person of a subtree, with the PC that put the person where it stands.
_WHO = """
SELECT q.official_id, q.unit_id, q.kind, m.post, q.place, q.has_shared,
  o.code AS official_code, o.name AS official_name, o.sort_key, v.code AS unit_code, v.name AS unit_name,
  (SELECT MIN(b.reason) FROM absence b WHERE b.official_id = q.official_id AND @active(b))
    AS absence_reason,
  (SELECT MIN(b.instrument) FROM absence b WHERE b.official_id = q.official_id AND @active(b))
    AS absence_instrument,
  pc.asset_id, a.code AS asset_code, a.serial AS asset_serial, pc.machine_id, pc.last_day,
  pc.foreign_days, pc.approved, pc.quarantined, pc.count_result, pc.count_day
FROM person q
JOIN membership m ON m.id = q.membership_id
JOIN official o ON o.id = q.official_id
JOIN closure c ON c.unit_id = q.unit_id AND c.ancestor_id = :unit
JOIN unit_version v ON v.unit_id = q.unit_id AND @active(v)
LEFT JOIN pc ON pc.official_id = q.official_id AND pc.place = q.place
LEFT JOIN asset a ON a.id = pc.asset_id
WHERE CAST(:place AS BIGINT) IS NULL OR q.place = :place
ORDER BY v.sort_key, q.unit_id, o.sort_key, q.official_id, pc.asset_id
"""


def _sums() -> str:
    """Return the summing columns: a unit's own people and its subtree's."""
    own = [f"SUM(CASE WHEN c.unit_id = w.unit_id THEN o.{name} END)" for name in _COUNTS]
    columns = [
        f"COALESCE({sum_}, 0) AS own_{name}" for sum_, name in zip(own, _COUNTS, strict=True)
    ]
    columns += [
        f"COALESCE(SUM(CASE WHEN c.unit_id = w.unit_id AND o.kind = '{kind}' "
        f"THEN o.officials END), 0) AS own_{kind}"
        for kind in _KINDS
    ]
    columns += [f"COALESCE(SUM(o.{name}), 0) AS {name}" for name in _COUNTS]
    return "".join(f"{column},\n    " for column in columns)


def _expand(text: str, dialect: str) -> str:
    text = text.replace("@sums", _sums())
    for name, fragment in _FRAGMENTS[dialect].items():
        text = text.replace(name, fragment)
    return re.sub(r"@active\((\w+)\)", lambda match: _ACTIVE.replace("@", match[1]), text)


@lru_cache(maxsize=4)
def figures_sql(dialect: str) -> str:
    """Return the statement that recounts every unit, for "sqlite" or "postgres"."""
    return _expand(_PERSONS + _FIGURES, dialect)


@lru_cache(maxsize=4)
def who_sql(dialect: str) -> str:
    """Return the statement that lists the persons of one subtree (``unit``, ``place`` or None)."""
    return _expand(_PERSONS + _WHO, dialect)
