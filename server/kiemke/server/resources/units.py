"""Units: departments, communes, districts, as they were on a day."""

from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.tree import NOUN_UNIT, Moment, UnitRef, visible_units

LISTING = Listing(
    columns="v.unit_id AS id, v.code, v.name, v.type, v.valid_from, v.valid_to,"
    " p.code AS parent_code, p.name AS parent_name",
    tables="unit_version v LEFT JOIN unit_version p ON p.unit_id = v.parent_id AND {active p}",
    where=("{active v}",),
    key="v.sort_key",
    id="v.unit_id",
    in_units="v.unit_id IN :[units]",
    search=("v.search_key", "v.code"),
)


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit on the day asked about; ``valid_from`` and ``valid_to`` of this name and place."""

    id: int
    code: str
    name: str
    type: str
    parent: UnitRef | None
    valid_from: str | None
    valid_to: str | None


def _make(row: Row) -> Unit:
    parent = UnitRef(row["parent_code"], row["parent_name"]) if row["parent_code"] else None
    return Unit(
        row["id"],
        row["code"],
        row["name"],
        row["type"],
        parent,
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
    )


@get("/api/v1/units", opt={"role": "viewer"}, tags=["units"])
async def list_units(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Unit]:
    """List units in alphabetical order."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/units/{ref:str}", opt={"role": "viewer"}, tags=["units"])
async def get_unit(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Unit:
    """Return one unit by code or id."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services, LISTING, noun=NOUN_UNIT, ref=ref, names=("v.code",), moment=moment, units=units
    )
    return _make(row)


HANDLERS = (list_units, get_unit)
