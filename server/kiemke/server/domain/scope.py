"""Rights over the tree of units: which units stand below one now, and where one stands."""

from collections.abc import Iterable, Mapping
from datetime import date

from kiemke.server.db import Session

_PLACES = """
WITH RECURSIVE place AS (
  SELECT v.unit_id, v.parent_id, ROW_NUMBER() OVER (PARTITION BY v.unit_id ORDER BY
    CASE WHEN v.valid_from <= :today THEN 1 ELSE 0 END DESC, v.valid_from DESC, v.id DESC) AS n
  FROM unit_version v WHERE v.voided_at_ms IS NULL
)"""

_BELOW = " ".join(
    [
        _PLACES,
        """, below (unit_id) AS (
  SELECT r.id FROM unit r WHERE r.id IN :[roots]
  UNION SELECT p.unit_id FROM place p JOIN below b ON p.parent_id = b.unit_id WHERE p.n = 1
) SELECT unit_id FROM below
""",
    ]
)

_ABOVE = " ".join(
    [
        _PLACES,
        """, above (unit_id) AS (
  SELECT CAST(:unit AS BIGINT)
  UNION SELECT p.parent_id FROM place p JOIN above a ON p.unit_id = a.unit_id
  WHERE p.n = 1 AND p.parent_id IS NOT NULL
) SELECT unit_id FROM above
""",
    ]
)

_PARENTS = " ".join([_PLACES, "SELECT unit_id, parent_id FROM place WHERE n = 1"])


async def load_parents(session: Session, today: date) -> dict[int, int | None]:
    """Return what each unit stands below now, by the same tree as the rights; None for a root."""
    return {row["unit_id"]: row["parent_id"] for row in await session.fetch(_PARENTS, today=today)}


def common_unit(parents: Mapping[int, int | None], units: Iterable[int | None]) -> int | None:
    """Return the lowest unit that all ``units`` stand below (or are), None when there is none.

    A right that reaches it reaches them all. One unknown (None) among them leaves none.
    """
    common: list[int] | None = None
    for unit in set(units):
        above: list[int] = []
        while unit is not None and unit not in above:
            above.append(unit)
            unit = parents.get(unit)
        common = above if common is None else [each for each in common if each in above]
    return common[0] if common else None


async def units_below(session: Session, roots: tuple[int, ...], today: date) -> set[int]:
    """Return units and all that stand below them now; a closed unit stands where it stood last."""
    rows = await session.fetch(_BELOW, roots=roots, today=today)
    return {row["unit_id"] for row in rows}


async def units_above(session: Session, unit_id: int, today: date) -> set[int]:
    """Return a unit and all it stands below now, by the same tree."""
    rows = await session.fetch(_ABOVE, unit=unit_id, today=today)
    return {row["unit_id"] for row in rows}


def covers(root: int | None, above: set[int] | None) -> bool:
    """Return whether a right over ``root`` (None: all) reaches a place with these units above it.

    ``above`` None is everything, which only a right over everything reaches.
    """
    return root is None or (above is not None and root in above)
