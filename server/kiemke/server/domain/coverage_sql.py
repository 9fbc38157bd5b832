"""The one statement behind every person: who has which PC in which state on day D.

What a recount counts by itself (``coverage_facts``, ``coverage_fold``), this tells of each, with why.

Written once with ``@active(alias)`` for "a dated row valid on :day as known at :known" and a few
fragments that SQLite and PostgreSQL spell differently. Rank of a person: 1 verified, 2 counted,
3 contradicted, 4 silent, 5 unmatched, 6 no_pc; 0 is excluded from the population.

Parameters: ``day``, ``known`` (epoch ms), ``days`` (the evidence window's working days as
``presence_blocks.window`` gives them, JSON), ``long_absence`` (days), ``foreign_days``,
``count_since`` (day), ``nobody`` (accounts that stand for no person).
``elsewhere`` are the ids of the assets that stood at
another unit's site for long enough (see ``elsewhere``), ``otherwise`` of those whose ownership, kind or reason to
carry no agent was not on the day what it is, of them ``owned_then``, ``borrowed_then`` and ``no_agent_then`` (see
``ownership``).
"""

import re
from functools import lru_cache

from kiemke.server.domain.names_then import PERSON_NAME, account_sql
from kiemke.server.domain.presence_blocks import BLOCK_DAYS

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

# Nearly all sources are approved: the few others come from the index on the state.
_NOT_APPROVED = "FROM source WHERE state < 'approved' OR state > 'approved'"
UNAPPROVED = f"SELECT id, state {_NOT_APPROVED}"

_FRAGMENTS = {
    "sqlite": {
        "@window": (
            "SELECT json_extract(value, '$.day') AS day, json_extract(value, '$.block') AS block,"
            " json_extract(value, '$.bit') AS bit FROM json_each(:days)"
        ),
        "@kept": "MATERIALIZED",  # or its planner may flatten them into quadratic joins
        "@long_absence": "(julianday(b.valid_to) - julianday(b.valid_from)) > :long_absence",
    },
    "postgres": {
        "@window": (
            "SELECT * FROM json_to_recordset(CAST(:days AS JSON))"
            " AS element(day DATE, block BIGINT, bit BIGINT)"
        ),
        "@kept": "",
        "@long_absence": "(b.valid_to - b.valid_from) > CAST(:long_absence AS BIGINT)",
    },
}

# Open-ended leave counts as long: its paper names no day of return.
_ABSENT = """
SELECT DISTINCT b.official_id FROM absence b
  WHERE @active(b)
    AND (b.reason NOT IN ('leave', 'study') OR b.valid_to IS NULL OR @long_absence)
"""
# Of an asset "a" in the custody "c", whatever its status.
_COUNTS_AS_PC = """
(a.kind IN ('desktop', 'all_in_one', 'laptop') OR a.id IN :[otherwise])
    AND CASE WHEN a.id IN :[otherwise]
      THEN a.id IN :[owned_then] OR a.id IN :[borrowed_then] AND c.instrument IS NOT NULL
      ELSE (a.ownership = 'owned' OR a.ownership = 'borrowed' AND c.instrument IS NOT NULL)
        AND (a.no_agent_reason IS NULL OR a.no_agent_reason <> 'secret') END
"""
_NEWEST_COUNT = """
SELECT asset_id, result, valid_from FROM (
    SELECT n.asset_id, n.result, n.valid_from, ROW_NUMBER() OVER (
      PARTITION BY n.asset_id ORDER BY n.valid_from DESC, n.recorded_at_ms DESC, n.id DESC) AS nth
    FROM counted_asset n
    WHERE n.valid_from <= :day AND n.recorded_at_ms <= :known
      AND (n.voided_at_ms IS NULL OR n.voided_at_ms > :known)
  ) AS counts WHERE nth = 1
"""
# Surveyed by hand: evidence of that day and of no other.
_MACHINES_SURVEYED = """
SELECT y.machine_id, MAX(z.day) AS day
  FROM one_shot z CROSS JOIN machine_source y  -- in this order: surveys are few
  WHERE y.source_id = z.source_id AND @active(y) AND z.day <= :day AND z.recorded_at_ms <= :known AND z.source_id NOT IN (@unapproved)
  GROUP BY y.machine_id
"""
_PARTS = {
    "@absent": _ABSENT,
    "@counts_as_pc": _COUNTS_AS_PC,
    "@newest_count": _NEWEST_COUNT,
    "@machines_surveyed": _MACHINES_SURVEYED,
}

_PERSONS = """
WITH RECURSIVE
working AS MATERIALIZED (@window),
tree AS (SELECT DISTINCT v.unit_id FROM unit_version v WHERE @active(v)),
closure(ancestor_id, unit_id) AS (
  SELECT unit_id, unit_id FROM tree
  UNION  -- not UNION ALL: a loop in the tree must end
  SELECT c.ancestor_id, v.unit_id
  FROM closure c JOIN unit_version v ON v.parent_id = c.unit_id AND @active(v)
),
absent AS (
  @absent
),
-- PCs that count, with the one official who answers for each (NULL when a unit or several do) and
-- what its sources saw: of each block of days those in the window (@mask). ``last_seen`` orders as the
-- newest trusted day does: the block above, below it the trusted days as bits. Walked asset by asset in
-- the order of an index.
held AS MATERIALIZED (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id, MIN(a.no_agent_reason) AS no_agent_reason,
    CASE WHEN COUNT(*) = COUNT(c.official_id) AND MIN(c.official_id) = MAX(c.official_id)
      THEN MIN(c.official_id) END AS official_id,
    MIN(x.machine_id) AS machine_id,
    -- IS NOT NULL first: NULL is not in an empty list.
    MAX(CASE WHEN y.source_id IS NOT NULL AND y.source_id NOT IN (@unapproved)
      THEN 1 ELSE 0 END) AS approved,
    MAX(CASE WHEN y.source_id IN (SELECT id FROM source WHERE state = 'quarantined')
      THEN 1 ELSE 0 END) AS quarantined,
    MAX(CASE WHEN e.trusted_days & @mask(e) <> 0
      THEN e.block * @block_code + (e.trusted_days & @mask(e)) END) AS last_seen,
    -- Looked up only where anyone but the holder was at the console.
    MAX(CASE WHEN (e.account <> COALESCE(o.account, '') OR o.id IN :[renamed])
        AND e.account <> COALESCE(LOWER(@account), '') AND e.account_days & @mask(e) <> 0 THEN (
      SELECT SUM((SELECT COUNT(*) FROM working w WHERE w.block = f.block AND f.account_days & w.bit <> 0))
      FROM presence_block f
      WHERE f.source_id = y.source_id AND f.block BETWEEN :first_block AND :last_block
        AND f.account <> '' AND f.account <> COALESCE(LOWER(@account), '')
        AND f.account NOT IN :[nobody.text]
        -- An expression on both sides: SQLite finds the index on LOWER(account) only so.
        AND (f.account IN :[accounts_then.text]
          OR (SELECT COUNT(*) FROM official k WHERE LOWER(k.account) = f.account || ''
            AND k.id NOT IN :[renamed]) > 0)
    ) END) AS foreign_days
  FROM custody c
  JOIN asset a ON a.id = c.asset_id
  LEFT JOIN official o ON o.id = c.official_id
  LEFT JOIN asset_match x ON x.asset_id = c.asset_id AND @active(x)
  LEFT JOIN machine_source y ON y.machine_id = x.machine_id AND @active(y)
  LEFT JOIN presence_block e ON e.source_id = y.source_id
    AND e.block BETWEEN :first_block AND :last_block AND y.source_id NOT IN (@unapproved)
  WHERE @active(c)
    AND @counts_as_pc
    AND EXISTS (SELECT 1 FROM asset_status t
                WHERE t.asset_id = a.id AND t.status = 'in_use' AND @active(t))
  GROUP BY c.asset_id
),
shared AS (
  SELECT c.official_id, c.unit_id FROM held h JOIN custody c ON c.asset_id = h.asset_id
  WHERE h.official_id IS NULL AND @active(c)
),
newest_count AS @kept (
  @newest_count
),
surveyed AS @kept (
  @machines_surveyed
),
pc AS @kept (
  SELECT q.asset_id, q.official_id, q.machine_id, q.approved, q.quarantined, q.last_seen,
    q.foreign_days,
    CASE WHEN g.day > k.valid_from OR k.valid_from IS NULL AND g.day IS NOT NULL
      THEN 'seen' ELSE k.result END AS count_result,
    CASE WHEN g.day > k.valid_from OR k.valid_from IS NULL THEN g.day
      ELSE k.valid_from END AS count_day,
    CASE
      WHEN k.result = 'missing' AND (g.day IS NULL OR g.day <= k.valid_from)
        OR q.foreign_days >= :foreign_days OR q.asset_id IN :[elsewhere] THEN 3
      WHEN q.approved = 1 AND q.quarantined = 0 AND q.last_seen IS NOT NULL THEN 1
      WHEN (k.result = 'seen' AND k.valid_from > :count_since OR g.day > :count_since)
        AND CASE WHEN q.asset_id IN :[otherwise] THEN q.asset_id IN :[no_agent_then]
          ELSE q.no_agent_reason IS NOT NULL END THEN 2
      WHEN q.machine_id IS NOT NULL THEN 4
      ELSE 5
    END AS place
  FROM held q
  LEFT JOIN newest_count k ON k.asset_id = q.asset_id
  LEFT JOIN surveyed g ON g.machine_id = q.machine_id
  WHERE q.official_id IS NOT NULL
),
-- Four kinds of row about one person folded by GROUP BY: no planner makes a nested loop of it. The
-- lowest standing wins: 0 absent, 1 to 5 the best PC's place, 6 shares a PC, 7 has a post.
person AS @kept (
  SELECT m.id AS membership_id, m.official_id, m.unit_id, m.kind,
    CASE WHEN f.standing = 7 THEN 6 ELSE f.standing END AS place,
    CASE WHEN f.standing = 1 THEN f.last_seen END AS last_seen,
    CASE WHEN f.standing = 6 OR f.standing = 7
          AND m.unit_id IN (SELECT unit_id FROM shared WHERE official_id IS NULL)
      THEN 1 ELSE 0 END AS has_shared
  FROM (
    SELECT MIN(membership_id) AS membership_id, MIN(standing) AS standing, MAX(last_seen) AS last_seen
    FROM (
      -- One primary membership a person; were there two, the older row stands.
      SELECT n.official_id, n.id AS membership_id, 7 AS standing, CAST(NULL AS BIGINT) AS last_seen
      FROM membership n
      WHERE @active(n) AND n.is_primary
      UNION ALL
      SELECT official_id, NULL, place, CASE WHEN place = 1 THEN last_seen END FROM pc
      UNION ALL
      SELECT official_id, NULL, 0, NULL FROM absent
      UNION ALL
      SELECT official_id, NULL, 6, NULL FROM shared WHERE official_id IS NOT NULL
    ) AS facts
    GROUP BY official_id
  ) AS f
  JOIN membership m ON m.id = f.membership_id
)
"""

COUNTS = (
    "officials", "no_pc", "verified", "counted", "contradicted", "silent", "unmatched",
    "excluded", "shared_access",
)  # fmt: skip

# A row for each person of a subtree and one for each PC that put the person where it stands. Folded by a
# window and not joined: a planner that thinks the PCs few would look all through them for each person.
_WHO = """
SELECT q.official_id, m.unit_id, m.kind, m.post, q.place, q.has_shared,
  o.code AS official_code, @person_name AS official_name, o.sort_key, v.code AS unit_code, v.name AS unit_name,
  q.asset_id, a.code AS asset_code, a.serial AS asset_serial, q.machine_id,
  (SELECT MAX(w.day) FROM working w
   WHERE w.block * @block_code + w.bit <= q.last_seen) AS last_day,
  q.foreign_days, q.approved, q.quarantined, q.count_result, q.count_day
FROM (
  SELECT f.*, MAX(f.membership) OVER mine AS membership_id, MAX(f.stands) OVER mine AS place,
    MAX(f.shares) OVER mine AS has_shared
  FROM (
    SELECT official_id, membership_id AS membership, place AS stands, has_shared AS shares,
      NULL AS asset_id, NULL AS pc_place, NULL AS machine_id, CAST(NULL AS BIGINT) AS last_seen,
      NULL AS foreign_days, NULL AS approved, NULL AS quarantined, NULL AS count_result, NULL AS count_day
    FROM person
    UNION ALL
    SELECT official_id, NULL, NULL, NULL, asset_id, place, machine_id, last_seen, foreign_days, approved,
      quarantined, count_result, count_day
    FROM pc
  ) AS f
  WINDOW mine AS (PARTITION BY f.official_id)
) AS q
JOIN membership m ON m.id = q.membership_id
JOIN official o ON o.id = q.official_id
JOIN unit_version v ON v.unit_id = m.unit_id AND @active(v)
LEFT JOIN asset a ON a.id = q.asset_id
-- IS TRUE: looked up and not joined, since nobody knows how many a recursion finds.
WHERE (m.unit_id IN (SELECT unit_id FROM closure WHERE ancestor_id = :unit)) IS TRUE
  AND (CAST(:place AS BIGINT) IS NULL OR q.place = :place) AND (q.asset_id IS NULL OR q.pc_place = q.place)
ORDER BY v.sort_key, m.unit_id, o.sort_key, q.official_id, COALESCE(q.asset_id, 0)
"""


def _mask(blocks: int) -> str:
    """Return the window's days in a row's block, as bits."""
    cases = "".join(f" WHEN :block{n} THEN CAST(:mask{n} AS BIGINT)" for n in range(blocks))
    return f"(CASE @.block{cases} END)"


def expand(text: str, dialect: str, blocks: int) -> str:
    """Return a statement with its fragments written out; ``blocks`` as for ``who_sql``."""
    for name, part in _PARTS.items():
        text = text.replace(name, part.strip())
    text = text.replace("@block_code", f"CAST({1 << BLOCK_DAYS} AS BIGINT)")
    text = text.replace("@unapproved", f"SELECT id {_NOT_APPROVED}")
    for name, then in (("@person_name", PERSON_NAME), ("@account", account_sql("o"))):
        text = text.replace(name, then.replace("{active ov}", "@active(ov)"))
    for name, fragment in _FRAGMENTS[dialect].items():
        text = text.replace(name, fragment)
    mask = _mask(blocks)
    text = re.sub(r"@mask\((\w+)\)", lambda match: mask.replace("@", match[1]), text)
    return re.sub(r"@active\((\w+)\)", lambda match: _ACTIVE.replace("@", match[1]), text)


@lru_cache(maxsize=4)
def who_sql(dialect: str, blocks: int) -> str:
    """Return the statement that lists the persons of one subtree (``unit``, ``place`` or None).

    ``dialect`` is "sqlite" or "postgres"; ``blocks`` in how many blocks of ``presence_block`` the evidence window lies.
    """
    return expand(_PERSONS + _WHO, dialect, blocks)


@lru_cache(maxsize=8)
def persons_sql(dialect: str, blocks: int, tail: str) -> str:
    """Return a statement over ``person`` and ``pc``: ``tail`` selects from them, same parameters."""
    return expand(_PERSONS + tail, dialect, blocks)
