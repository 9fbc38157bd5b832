"""The registered subnets of units: where their collectors may look, and where they never may."""

from dataclasses import dataclass
from datetime import date

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.places import find_place
from kiemke.server.domain.scope import units_above
from kiemke.server.domain.sites import (
    SubnetState,
    add,
    check,
    devices_outside,
    end,
    load_sites,
    read_subnet,
)
from kiemke.server.errors import UP_TO_TODAY, Both, Problem
from kiemke.server.resources.acts import allowed_now, told, unit_on
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.places import NOUN as NOUN_PLACE
from kiemke.server.resources.tree import UnitRef, now_of
from kiemke.wire.clean import clean_text

NOUN = Both("mạng con", "subnet")

LISTING = Listing(
    columns="s.id, s.unit_id, s.subnet, s.deny, s.note, s.valid_from, s.valid_to, s.instrument,"
    " v.code AS unit_code, v.name AS unit_name, p.code AS place",
    tables="site_subnet s LEFT JOIN unit_version v ON v.unit_id = s.unit_id AND {active v}"
    " LEFT JOIN place_version p ON p.place_id = s.place_id AND {active p}",
    where=("{active s}",),
    key="s.subnet",
    id="s.id",
    in_units="s.unit_id IN :[units]",
    search=("s.subnet", "s.note"),
)


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet of a unit, in CIDR form; ``deny``: collectors never look there."""

    id: int
    unit: UnitRef | None
    place: str | None
    subnet: str
    deny: bool
    note: str | None
    valid_from: str | None
    valid_to: str | None
    instrument: str | None


@dataclass(frozen=True, slots=True)
class SubnetAct:
    """A subnet after a change, and the codes of devices that stand outside their site's since."""

    subnet: Subnet | None
    outside: list[str]


class SubnetInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A subnet to register from a day on (today); ``unit`` and ``place`` are codes."""

    unit: str
    subnet: str
    place: str | None = None
    deny: bool = False
    note: str | None = None
    loopback: bool = False
    day: date | None = None
    instrument: str | None = None


class SubnetEnd(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """From which day on (today) a row holds no more, and by which paper, if any."""

    day: date | None = None
    instrument: str | None = None


def _make(row: Row) -> Subnet:
    return Subnet(
        row["id"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        row["place"],
        row["subnet"],
        bool(row["deny"]),
        row["note"],
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
        row["instrument"],
    )


@get("/api/v1/site-subnets", opt={"role": "viewer"}, tags=["sites"])
async def list_subnets(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Subnet]:
    """List registered subnets, those that are never looked at among them."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@post("/api/v1/site-subnets", status_code=201, opt={"role": "it"}, tags=["sites"])
async def add_subnet(request: AppRequest, data: JSONBody[SubnetInput]) -> SubnetAct:
    """Register a subnet of a unit, or with ``deny`` one that is never to be looked at."""
    services = services_of(request)
    day = _day(services, data.day)
    by = By(request.user.name, services.clock())
    seen = await allowed_now(request)
    unit_id = await unit_on(request, data.unit, day)
    with told():
        subnet = read_subnet(data.subnet, deny=data.deny, loopback=data.loopback)
        async with services.db.change() as session:
            state = SubnetState(
                unit_id,
                await _place_id(session, data.place, unit_id, day),
                await _authority(request, session, unit_id),
                subnet,
                data.deny,
                clean_text(data.note or "", 200) or None,
            )
            await check(session, state, day)
            paper = clean_text(data.instrument or "", 200)
            await add(session, state, day, paper=paper, by=by)
            outside = await _outside(session, request, seen)
            await record(
                session, at_ms=by.now_ms, who=by.who, act="site_subnet.add",
                subject=f"site_subnet:{subnet}", paper=paper or None,
                after={"unit": data.unit, "subnet": subnet, "deny": data.deny, "day": day},
            )  # fmt: skip
    rows = await services.db.read(
        "SELECT MAX(id) AS id FROM site_subnet WHERE unit_id = :unit AND subnet = :subnet",
        unit=unit_id,
        subnet=subnet,
    )
    return SubnetAct(_make(await _find(request, str(rows[0]["id"]))), outside)


@post("/api/v1/site-subnets/{ref:str}/end", status_code=200, opt={"role": "it"}, tags=["sites"])
async def end_subnet(
    request: AppRequest, ref: FromPath[str], data: JSONBody[SubnetEnd]
) -> SubnetAct:
    """End a row, by its number, from a day on."""
    services = services_of(request)
    day = _day(services, data.day)
    by = By(request.user.name, services.clock())
    row = await _find(request, ref)
    seen = await allowed_now(request)
    paper = clean_text(data.instrument or "", 200)
    async with services.db.change() as session:
        stored = await session.one(
            "SELECT * FROM site_subnet WHERE id = :id AND voided_at_ms IS NULL", id=row["id"]
        )
        if stored is None:
            raise Problem("not_found", what=NOUN, ref=ref)
        await end(session, stored, day, paper=paper, by=by)
        outside = await _outside(session, request, seen)
        await record(
            session, at_ms=by.now_ms, who=by.who, act="site_subnet.end",
            subject=f"site_subnet:{row['subnet']}", paper=paper or None,
            before={"unit": row["unit_code"], "subnet": row["subnet"], "deny": bool(row["deny"])},
            after={"day": day},
        )  # fmt: skip
    return SubnetAct(None, outside)


def _day(services: Services, day: date | None) -> date:
    today = services.today()
    if day is not None and day > today:
        raise Problem("bad_field", field="day", value=str(day), wanted=UP_TO_TODAY)
    return day or today


async def _find(request: AppRequest, ref: str) -> Row:
    services = services_of(request)
    return await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=(),
        moment=now_of(services),
        units=await allowed_now(request),
    )


async def _place_id(session: Session, code: str | None, unit_id: int, day: date) -> int | None:
    if code is None:
        return None
    found = await find_place(session, code, day)
    if found is None or found["unit_id"] != unit_id:
        raise Problem("not_found", what=NOUN_PLACE, ref=code)
    return int(found["place_id"])


async def _authority(request: AppRequest, session: Session, unit_id: int) -> int | None:
    """Return the highest unit over which the user may register subnets, None for all of them."""
    roots = request.user.roots
    if roots is None:
        return None
    above = await units_above(session, unit_id, services_of(request).today())
    whole = [root for root in roots if root in above]
    ranks = [(len(await units_above(session, root, services_of(request).today())), root)
             for root in whole]  # fmt: skip
    return min(ranks)[1] if ranks else unit_id


async def _outside(session: Session, request: AppRequest, seen: list[int] | None) -> list[str]:
    services = services_of(request)
    sites = await load_sites(session, services.today(), services.clock())
    rows = await devices_outside(session, sites)
    return [row["code"] for row in rows if seen is None or row["unit_id"] in seen]


HANDLERS = (list_subnets, add_subnet, end_subnet)
