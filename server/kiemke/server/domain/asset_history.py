"""What the papers ever said of an asset: who answered for it, its condition, its name, price and owner.

Every row is told with those voided since, so that a correction shows what it corrected.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.names_then import PERSON_NAME
from kiemke.server.domain.tables import dated

_CUSTODIES = dated(
    f"""
SELECT c.*, o.code AS official_code, {PERSON_NAME} AS official_name,
  COALESCE(c.place, (SELECT MAX(p.name) FROM place_version p WHERE p.place_id = c.at_place_id
    AND p.voided_at_ms IS NULL AND p.valid_from <= c.valid_from
    AND (p.valid_to IS NULL OR p.valid_to > c.valid_from))) AS place_name
FROM custody c LEFT JOIN official o ON o.id = c.official_id
WHERE c.asset_id = :asset AND c.recorded_at_ms <= :known
ORDER BY c.valid_from, c.recorded_at_ms, c.id
"""  # noqa: S608  # a fragment of this house
)
_SAID = """
SELECT * FROM {0} WHERE asset_id = :asset AND recorded_at_ms <= :known
ORDER BY valid_from, recorded_at_ms, id
"""


@dataclass(frozen=True, slots=True)
class AssetHistory:
    """Dated rows, the oldest first: custody (with ``official_*``, ``place_name``), conditions, facts."""

    custodies: list[Row]
    statuses: list[Row]
    facts: list[Row]


async def load_history(
    session: Session, asset_id: int, day: date, known_ms: int, units: Collection[int] | None
) -> AssetHistory:
    """Return the rows as known then; people are called as on the day.

    ``units`` are those in sight, None is all: of what was so while others answered for the asset
    nothing is told.
    """
    times = {"asset": asset_id, "known": known_ms}
    custodies = await session.fetch(_CUSTODIES, day=day, **times)
    statuses = await session.fetch(_SAID.format("asset_status"), **times)
    facts = await session.fetch(_SAID.format("asset_fact"), **times)
    if units is None:
        return AssetHistory(custodies, statuses, facts)
    seen = [row for row in custodies if row["unit_id"] in units]
    return AssetHistory(seen, _during(statuses, seen), _during(facts, seen))


def _during(rows: Sequence[Row], custodies: Sequence[Row]) -> list[Row]:
    """Return the rows that hold on a day of one of these custodies, and those corrected that began then."""
    standing = [row for row in custodies if row["voided_at_ms"] is None]
    return [row for row in rows if any(_of(row, each) for each in standing)]


def _of(row: Row, custody: Row) -> bool:
    begins_in_it = not _before(row["valid_from"], custody["valid_from"])
    overlaps = _before(row["valid_from"], custody["valid_to"]) and (
        _before(custody["valid_from"], row["valid_to"])
    )
    return overlaps and (begins_in_it or row["voided_at_ms"] is None)


def _before(start: date | str, end: date | str | None) -> bool:
    return end is None or as_date(start) < as_date(end)
