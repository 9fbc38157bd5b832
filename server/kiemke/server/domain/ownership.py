"""Whose and what an asset was on a day, where that is not what its own columns say: nearly nowhere."""

from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.tables import dated
from kiemke.server.models.book import PC_KINDS

# What papers said of an asset "a" on the day; its own column repeats what was said last.
OWNERSHIP = (
    "COALESCE((SELECT f.ownership FROM asset_fact f WHERE f.asset_id = a.id AND {active f}),"
    " a.ownership)"
)
# Of what kind it was.
KIND = "COALESCE((SELECT f.kind FROM asset_fact f WHERE f.asset_id = a.id AND {active f}), a.kind)"
_OTHERWISE = dated("""
SELECT f.asset_id, f.ownership, COALESCE(f.kind, a.kind) AS kind, f.no_agent_reason
FROM asset_fact f JOIN asset a ON a.id = f.asset_id
WHERE {active f} AND (f.ownership <> a.ownership OR f.kind <> a.kind
  OR COALESCE(f.no_agent_reason, '') <> COALESCE(a.no_agent_reason, ''))
ORDER BY f.asset_id
""")


async def load_ownership(session: Session, day: date, known_ms: int) -> dict[str, list[int]]:
    """Return the assets that were ``otherwise`` on the day as known at a moment.

    Of them apart: the PCs that coverage counts, ``owned_then`` and ``borrowed_then``, and those that
    could carry no agent, ``no_agent_then``. Only assets of which a paper ever changed something have
    such rows.
    """
    rows = await session.fetch(_OTHERWISE, day=day, known=known_ms)
    pcs = [row for row in rows if row["kind"] in PC_KINDS and row["no_agent_reason"] != "secret"]
    return {
        "otherwise": [row["asset_id"] for row in rows],
        "owned_then": [row["asset_id"] for row in pcs if row["ownership"] == "owned"],
        "borrowed_then": [row["asset_id"] for row in pcs if row["ownership"] == "borrowed"],
        "no_agent_then": [row["asset_id"] for row in rows if row["no_agent_reason"] is not None],
    }
