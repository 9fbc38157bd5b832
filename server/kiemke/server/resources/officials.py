"""Officials and their primary post on a day."""

from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row
from kiemke.server.errors import Both
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

NOUN = Both("cán bộ", "official")

LISTING = Listing(
    columns="o.id, o.code, o.name, o.phone, o.mailbox, o.account, m.kind, m.post,"
    " v.code AS unit_code, v.name AS unit_name",
    tables="official o JOIN membership m ON m.official_id = o.id AND m.is_primary AND {active m}"
    " LEFT JOIN unit_version v ON v.unit_id = m.unit_id AND {active v}",
    key="o.sort_key",
    id="o.id",
    in_units="m.unit_id IN :[units]",
    search=("o.search_key", "o.code", "o.phone", "o.account"),
)


@dataclass(frozen=True, slots=True)
class Official:
    """An official with the unit, kind and post of the day asked about."""

    id: int
    code: str
    name: str
    unit: UnitRef | None
    kind: str
    post: str | None
    phone: str | None
    mailbox: str | None
    account: str | None


def _make(row: Row) -> Official:
    unit = UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None
    return Official(
        row["id"],
        row["code"],
        row["name"],
        unit,
        row["kind"],
        row["post"],
        row["phone"],
        row["mailbox"],
        row["account"],
    )


@get("/api/v1/officials", opt={"role": "auditor"}, tags=["officials"])
async def list_officials(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Official]:
    """List officials by given name."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/officials/{ref:str}", opt={"role": "auditor"}, tags=["officials"])
async def get_official(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Official:
    """Return one official by code, phone or id."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=("o.code", "o.phone"),
        moment=moment,
        units=units,
    )
    return _make(row)


HANDLERS = (list_officials, get_official)
