"""Officials and their primary post on a day."""

from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row
from kiemke.server.domain.person_name import parts_of
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

NOUN = Both("cán bộ", "official")

# Who the official was on the day as known then; before the first version, as last said.
_PERSON = (
    ", ".join(
        f"CASE WHEN n.id IS NULL THEN o.{name} ELSE n.{name} END AS {name}"
        for name in ("name", "phone", "mailbox", "account")
    )
    + ", n.family_name, n.middle_name, n.given_name"
)

_POSTS = "official o JOIN membership m ON m.official_id = o.id AND m.is_primary AND {active m}"

LISTING = Listing(
    columns=f"o.id, o.code, {_PERSON}, m.kind, m.post, v.code AS unit_code, v.name AS unit_name",
    tables=f"{_POSTS} LEFT JOIN official_version n ON n.official_id = o.id AND {{active n}}"
    " LEFT JOIN unit_version v ON v.unit_id = m.unit_id AND {active v}",
    counted=_POSTS,
    key="o.sort_key",
    id="o.id",
    in_units="m.unit_id IN :[units]",
    search=("o.search_key", "o.code", "o.phone", "o.account"),
)

_DUTIES = """
SELECT m.official_id, m.post, m.duty, m.instrument, v.code, v.name FROM membership m
LEFT JOIN unit_version v ON v.unit_id = m.unit_id AND {active v}
WHERE m.official_id IN :[ids] AND NOT m.is_primary AND {active m} ORDER BY m.official_id, m.id
"""


@dataclass(frozen=True, slots=True)
class Duty:
    """Part-time duty (kiêm nhiệm): in which unit, as what, of which sort, by which paper."""

    unit: UnitRef | None
    post: str | None
    duty: str | None
    instrument: str | None


@dataclass(frozen=True, slots=True)
class Official:
    """An official with the unit, kind and post of the day asked about."""

    id: int
    code: str
    name: str
    family_name: str
    middle_name: str
    given_name: str
    unit: UnitRef | None
    kind: str
    post: str | None
    duties: list[Duty]
    phone: str | None
    mailbox: str | None
    account: str | None


async def _make_all(services: Services, rows: list[Row], moment: Moment) -> list[Official]:
    duties: dict[int, list[Duty]] = {}
    for row in await services.db.read(
        dated(_DUTIES), ids=[r["id"] for r in rows], day=moment.day, known=moment.known_ms
    ):
        unit = UnitRef(row["code"], row["name"]) if row["code"] else None
        found = Duty(unit, row["post"], row["duty"], row["instrument"])
        duties.setdefault(row["official_id"], []).append(found)
    return [_make(row, duties.get(row["id"], [])) for row in rows]


def _make(row: Row, duties: list[Duty]) -> Official:
    parts = parts_of(row)
    return Official(
        id=row["id"],
        code=row["code"],
        name=row["name"],
        family_name=parts.family,
        middle_name=parts.middle,
        given_name=parts.given,
        unit=UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        kind=row["kind"],
        post=row["post"],
        duties=duties,
        phone=row["phone"],
        mailbox=row["mailbox"],
        account=row["account"],
    )


@get("/api/v1/officials", opt={"role": "auditor"}, tags=["officials"])
async def list_officials(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Official]:
    """List officials by given name."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked)
    return Page(await _make_all(services, rows, asked.moment), total, cursor)


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
    return (await _make_all(services, [row], moment))[0]


HANDLERS = (list_officials, get_official)
