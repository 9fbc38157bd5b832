"""The tree of units at a day as known at a time: subtrees, names, and what a user may see of it."""

from dataclasses import dataclass
from datetime import date

from kiemke.server.auth import Principal
from kiemke.server.context import Services
from kiemke.server.domain.scope import units_below
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both, Problem

NOUN_UNIT = Both("đơn vị", "unit")


@dataclass(frozen=True, slots=True)
class UnitRef:
    """A unit as other things name it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """The two times of a question: the local day asked about, and what was known when (epoch ms)."""

    day: date
    known_ms: int


async def load_refs(services: Services, moment: Moment) -> dict[int, UnitRef]:
    """Return every unit's code and name by id: at the day, else as last known before or after it."""
    rows = await services.db.read(
        "SELECT v.unit_id, v.code, v.name FROM unit_version v"
        " WHERE v.recorded_at_ms <= :known AND (v.voided_at_ms IS NULL OR v.voided_at_ms > :known)"
        " ORDER BY CASE WHEN v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)"
        " THEN 1 ELSE 0 END, v.valid_from, v.id",
        day=moment.day,
        known=moment.known_ms,
    )
    return {row["unit_id"]: UnitRef(row["code"], row["name"]) for row in rows}


async def unit_ref(services: Services, unit_id: int | None) -> UnitRef | None:
    """Return one unit's code and name today, None for None."""
    if unit_id is None:
        return None
    rows = await services.db.read(
        "SELECT code, name FROM unit_version WHERE unit_id = :id AND voided_at_ms IS NULL"
        " ORDER BY valid_from DESC, id DESC LIMIT 1",
        id=unit_id,
    )
    return UnitRef(rows[0]["code"], rows[0]["name"]) if rows else None


async def subtree(services: Services, root_id: int, moment: Moment) -> list[int]:
    """Return the ids of a unit and all below it in the tree of the day."""
    rows = await services.db.read(
        dated(
            "WITH RECURSIVE below (unit_id) AS (SELECT CAST(:root AS BIGINT) UNION"
            " SELECT v.unit_id FROM unit_version v JOIN below b ON v.parent_id = b.unit_id"
            " WHERE {active v}) SELECT unit_id FROM below ORDER BY unit_id"
        ),
        root=root_id,
        day=moment.day,
        known=moment.known_ms,
    )
    return [row["unit_id"] for row in rows]


def now_of(services: Services) -> Moment:
    """Return today and now: what every change is checked against, whatever the query says."""
    return Moment(services.today(), services.clock())


async def find_unit_id(services: Services, ref: str, moment: Moment) -> int:
    """Return the id of the unit a code (at the day) or an id names. Raises Problem 404."""
    rows = await services.db.read(
        dated(
            "SELECT v.unit_id FROM unit_version v WHERE v.code = :ref AND {active v}"
            " ORDER BY v.unit_id"
        ),
        ref=ref,
        day=moment.day,
        known=moment.known_ms,
    )
    if rows:
        return int(rows[0]["unit_id"])
    number = as_id(ref)
    if number is not None and await services.db.read(
        "SELECT id FROM unit WHERE id = :id", id=number
    ):
        return number
    raise Problem("not_found", what=NOUN_UNIT, ref=ref)


def as_id(ref: str) -> int | None:
    """Return a reference as a database id, None when it cannot be one."""
    if ref.isascii() and ref.isdecimal() and len(ref) <= 18:
        return int(ref)
    return None


async def visible_units(
    services: Services, principal: Principal, moment: Moment, unit: str | None
) -> list[int] | None:
    """Return the unit ids a listing may show; None is all. Raises Problem 404 for a unit outside.

    That is the user's own subtrees, cut to the subtree of ``unit`` when one is asked for. Only units
    that are the user's now count: asking about a day on which a unit still stood here, or about a
    time when it was thought to, must not open what went to others since.
    """
    allowed = None
    if principal.roots is not None:
        async with services.db.reading() as session:
            mine = await units_below(session, principal.roots, services.today())
        then: set[int] = set()
        for root in principal.roots:
            then.update(await subtree(services, root, moment))
        allowed = sorted(then & mine)
    if unit is None:
        return allowed
    asked_id = await find_unit_id(services, unit, moment)
    if allowed is not None and asked_id not in allowed:
        raise Problem("not_found", what=NOUN_UNIT, ref=unit)
    asked = await subtree(services, asked_id, moment)
    if allowed is None:
        return asked
    kept = set(allowed)
    return [unit_id for unit_id in asked if unit_id in kept]
