"""The presence of each PC as coverage first counted it, by walking every day row: the oracle."""

from kiemke.server.domain import coverage_sql

_IS_FOREIGN = """p.day >= :first AND p.day <= :day
        AND CASE WHEN p.main_account IN (SELECT LOWER(account) FROM official)
                  AND p.main_account NOT IN :[nobody.text]
                  AND p.day IN (SELECT day FROM working) THEN 1 ELSE 0 END = 1"""

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
    AND (a.ownership = 'owned' OR a.ownership = 'borrowed' AND c.instrument IS NOT NULL)
    AND (a.no_agent_reason IS NULL OR a.no_agent_reason <> 'secret')
    AND EXISTS (SELECT 1 FROM asset_status t
                WHERE t.asset_id = a.id AND t.status = 'in_use' AND @active(t))
  GROUP BY c.asset_id
),
""".replace("@is_foreign", _IS_FOREIGN)

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
    """Return pairs of (as it is, by the walk): the figures of all units, and every PC."""
    pairs = []
    for tail in (coverage_sql._LEAVES, _PCS):
        text = coverage_sql._PERSONS + tail
        pairs.append(
            (
                coverage_sql._expand(text, dialect, blocks),
                coverage_sql._expand(_walked(text), dialect, blocks),
            )
        )
    return pairs
