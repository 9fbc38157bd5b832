"""Whose an asset was on a day, where that is not what its own column says: nearly nowhere."""

from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.tables import dated

# What papers said of an asset "a" on the day; its own column repeats what was said last.
OWNERSHIP = (
    "COALESCE((SELECT f.ownership FROM asset_fact f WHERE f.asset_id = a.id AND {active f}),"
    " a.ownership)"
)
_OTHERWISE = dated("""
SELECT f.asset_id, f.ownership FROM asset_fact f JOIN asset a ON a.id = f.asset_id
WHERE {active f} AND f.ownership <> a.ownership ORDER BY f.asset_id
""")


async def load_ownership(session: Session, day: date, known_ms: int) -> dict[str, list[int]]:
    """Return the assets that were ``otherwise`` on the day as known at a moment, two kinds of them apart.

    Only assets of which a paper ever changed price or ownership have such rows.
    """
    rows = await session.fetch(_OTHERWISE, day=day, known=known_ms)
    return {
        "otherwise": [row["asset_id"] for row in rows],
        "owned_then": [row["asset_id"] for row in rows if row["ownership"] == "owned"],
        "borrowed_then": [row["asset_id"] for row in rows if row["ownership"] == "borrowed"],
    }
