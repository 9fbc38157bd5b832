"""What people and things were called on a day as known at a moment: fragments of SQL, and whose account changed.

A person's and an asset's own columns repeat what was said last; what was so on a day is in the dated rows.
Both statements find those by the key, so that a list costs a look-up a row.
"""

from datetime import date
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.tables import dated

# Of an official "o".
PERSON_NAME = (
    "COALESCE((SELECT MIN(ov.name) FROM official_version ov"
    " WHERE ov.official_id = o.id AND {active ov}), o.name)"
)
# Of an asset "a". One without facts was never called otherwise.
ASSET_NAME = (
    "COALESCE((SELECT MIN(af.name) FROM asset_fact af"
    " WHERE af.asset_id = a.id AND {active af}), a.name)"
)
# A version that stands without an end is what the official's own columns repeat.
_RENAMED = dated("""
SELECT n.official_id, LOWER(n.account) AS account FROM official_version n JOIN official o ON o.id = n.official_id
WHERE (n.valid_to IS NOT NULL OR n.voided_at_ms IS NOT NULL) AND {active n}
  AND COALESCE(LOWER(n.account), '') <> COALESCE(LOWER(o.account), '')
ORDER BY n.official_id, n.account
""")


def account_sql(alias: str) -> str:
    """Return the account that the official ``alias`` had on the day; ``:[renamed]`` are those of ``load_renamed``."""
    return (
        f"CASE WHEN {alias}.id IN :[renamed] THEN (SELECT MIN(ov.account) FROM official_version ov"  # noqa: S608  # an alias
        f" WHERE ov.official_id = {alias}.id AND {{active ov}}) ELSE {alias}.account END"
    )


async def load_renamed(session: Session, day: date, known_ms: int) -> dict[str, Any]:
    """Return the officials ``renamed`` whose account was another one on the day, and those accounts: nearly nobody.

    ``account_then`` has each one's, in small letters (None: none).
    """
    rows = await session.fetch(_RENAMED, day=day, known=known_ms)
    return {
        "account_then": {row["official_id"]: row["account"] for row in reversed(rows)},
        "renamed": sorted({row["official_id"] for row in rows}),
        "accounts_then": sorted({row["account"] for row in rows if row["account"]}),
    }
