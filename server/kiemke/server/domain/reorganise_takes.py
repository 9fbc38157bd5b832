"""Stock-takes in a reorganisation: which are open of the units concerned, where they go, what nobody counted.

The stock-take of a unit that ends goes to who receives it, who answers for it from then on. Counted are still
the old unit's things while its day lies before the decision's: by the book of that day they are there. Of a
later day the book has them with the receiver, and what is counted is the receiver's. Law wants a count at
every merger and split: units that end without one are named.
"""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Protocol

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.reorganise_rows import EXTRA, Transfer, reopen

CARRIED, RECOUNTED, KEPT, CHANGES = "carried", "recounted", "kept", "list_changes"

_OPEN = """
SELECT s.id, COALESCE(v.day, s.day) AS day, s.instrument, v.unit_id, v.counted_unit_id FROM stock_take s
JOIN stock_take_version v ON v.stock_take_id = s.id
WHERE v.state = 'open' AND v.voided_at_ms IS NULL AND v.valid_to IS NULL ORDER BY s.id
"""
_COUNTED = """
SELECT DISTINCT v.counted_unit_id FROM stock_take s JOIN stock_take_version v ON v.stock_take_id = s.id
WHERE v.voided_at_ms IS NULL AND v.valid_to IS NULL
  AND (v.state = 'open' OR v.state = 'closed' AND s.reason = 'merger')
"""


class Planned(Protocol):
    """What of a planned unit is asked here: where it stood and stands, and whether it changes."""

    id: int
    parent_id: int | None
    row: Row | None
    ended: bool
    touched: bool


def _above(unit_id: int, units: Mapping[int, Planned], *, before: bool) -> Iterable[int]:
    """Yield a unit and all above it, in the tree before the decision or after it."""
    seen: set[int] = set()
    at: int | None = unit_id
    while at is not None and at not in seen and at in units:
        seen.add(at)
        yield at
        unit = units[at]
        at = (unit.row["parent_id"] if unit.row else None) if before else unit.parent_id


async def concerned(
    session: Session,
    units: Mapping[int, Planned],
    transfers: Iterable[Transfer],
    receivers: Iterable[int],
    day: date,
) -> list[dict[str, Any]]:
    """Return the open stock-takes of units that change, or receive, and of those above them.

    ``effect`` is "carried" (to ``to``, its list stays), "recounted" (to ``to``, whose things are its list),
    "kept" (its day lies before the decision's) or "list_changes" (it follows the tree from the day on).
    Units are ids.
    """
    changed = {unit.id for unit in units.values() if unit.touched} | set(receivers)
    near = {up for unit in changed for before in (True, False)
            for up in _above(unit, units, before=before)}  # fmt: skip
    carried = {
        t.holding.row["stock_take_id"]: t for t in transfers if t.holding.what == "stock_take"
    }
    found = []
    for row in await session.fetch(_OPEN):
        if not {row["unit_id"], row["counted_unit_id"]} & near:
            continue
        before = as_date(row["day"]) < day
        transfer = carried.get(row["id"])
        if transfer is None:
            effect = KEPT if before else CHANGES
        else:
            effect = RECOUNTED if _follows(transfer, day) else CARRIED
        found.append(
            {
                "number": row["id"],
                "unit": row["counted_unit_id"],
                "day": as_date(row["day"]).isoformat(),
                "instrument": row["instrument"],
                "effect": effect,
                "to": transfer.to_unit_id if transfer else None,
            }
        )
    return found


async def uncounted(
    session: Session, units: Mapping[int, Planned], succeeded: Iterable[int]
) -> list[int]:
    """Return the units that end in others without a stock-take of theirs or of one above them."""
    ended = [unit for unit in sorted(set(succeeded)) if units[unit].ended]
    if not ended:
        return []
    counted = {row["counted_unit_id"] for row in await session.fetch(_COUNTED)}
    return [unit for unit in ended if not counted & set(_above(unit, units, before=True))]


def _follows(transfer: Transfer, day: date) -> bool:
    """Return whether the receiver's things are counted from now on."""
    row = transfer.holding.row
    own = row["counted_unit_id"] == transfer.holding.unit_id
    return own and as_date(row["take_day"]) >= day


async def carry_take(
    session: Session, transfer: Transfer, to_unit_id: int, day: date, stamp: Mapping[str, Any]
) -> None:
    """Hand a stock-take over from the day on."""
    row = transfer.holding.row
    changes: dict[str, Any] = {"unit_id": to_unit_id}
    if _follows(transfer, day):
        changes["counted_unit_id"] = to_unit_id
    plain = {name: value for name, value in row.items() if name not in EXTRA}
    await reopen(session, "stock_take_version", plain, day, changes, **stamp)
