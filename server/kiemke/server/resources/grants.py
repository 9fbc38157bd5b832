"""Grants: further roles of a user over subtrees, for spans of days, each with its paper."""

from dataclasses import dataclass
from datetime import date

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.auth import AppRequest
from kiemke.server.auth_grants import (
    NOUN_GRANT,
    GrantWish,
    add_grant,
    check_may_give,
    check_role,
    end_grant,
)
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row, as_date
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import A_PAPER, Problem
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.tree import UnitRef, now_of, visible_units
from kiemke.server.resources.users import find_managed, find_own_unit

LISTING = Listing(
    columns="g.id, g.user_id, u.name AS user_name, g.role, g.unit_id, g.approves, g.valid_from,"
    " g.valid_to, g.instrument, g.recorded_at_ms, g.recorded_by, v.code AS unit_code,"
    " v.name AS unit_name",
    tables="user_grant g JOIN app_user u ON u.id = g.user_id"
    " LEFT JOIN unit_version v ON v.unit_id = g.unit_id AND {active v}",
    where=(
        "g.recorded_at_ms <= :known AND (g.voided_at_ms IS NULL OR g.voided_at_ms > :known)"
        " AND (g.valid_to IS NULL OR g.valid_to > :day)",
    ),
    key="u.name",
    id="g.id",
    in_units="g.unit_id IN :[units]",
    search=("u.name",),
)


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A right that is, or will be, in force on the day asked about; ``unit`` null is all."""

    id: int
    user: str
    role: str
    unit: UnitRef | None
    approves: bool
    valid_from: str | None
    valid_to: str | None
    instrument: str | None
    recorded_at: str | None
    recorded_by: str | None


@dataclass(frozen=True, slots=True)
class GrantInput:
    """A right to give. ``valid_from`` null is today; ``valid_to`` is the first day without it."""

    user: str
    role: str
    instrument: str
    unit: str | None = None
    approves: bool = False
    valid_from: date | None = None
    valid_to: date | None = None


@dataclass(frozen=True, slots=True)
class GrantEnd:
    """The first day without the right (null: today), and the paper that ends it."""

    instrument: str
    day: date | None = None


def paper_of(text: str) -> str:
    """Return a paper's number cleaned. Raises Problem 400 when there is none."""
    instrument = clean_text(text, 200)
    if not instrument:
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    return instrument


def _make(row: Row) -> GrantRow:
    return GrantRow(
        row["id"],
        row["user_name"],
        row["role"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        bool(row["approves"]),
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
        row["instrument"],
        rfc3339(row["recorded_at_ms"]),
        row["recorded_by"],
    )


@get("/api/v1/grants", opt={"role": "admin"}, tags=["users"])
async def list_grants(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[GrantRow]:
    """List the grants of a day and those to come, by user."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@post("/api/v1/grants", opt={"role": "admin"}, tags=["users"])
async def create_grant(request: AppRequest, data: JSONBody[GrantInput]) -> GrantRow:
    """Give a user a further right, never beyond what the giver administers."""
    services = services_of(request)
    check_role(data.role)
    today = services.today()
    start = data.valid_from or today
    if data.valid_to is not None and data.valid_to <= start:
        raise Problem("bad_field", field="valid_to", value=data.valid_to, wanted=f"> {start}")
    unit_id = await find_own_unit(request, data.unit)
    wish = GrantWish(
        data.role, unit_id, data.approves, start, data.valid_to, paper_of(data.instrument)
    )
    async with services.db.change() as session:
        await check_may_give(services, session, request.user, data.role, unit_id)
        user = await find_managed(services, session, request.user, data.user)
        made = await add_grant(session, user, wish, who=request.user.name, now_ms=services.clock())
    return _make(await _load(request, str(made), None))


@post("/api/v1/grants/{ref:str}/end", status_code=200, opt={"role": "admin"}, tags=["users"])
async def close_grant(request: AppRequest, ref: FromPath[str], data: JSONBody[GrantEnd]) -> None:
    """End a grant on a day, by a paper; one that never began is taken back whole."""
    services = services_of(request)
    below = await visible_units(services, request.user, now_of(services), None)
    row = await _load(request, ref, below)
    day = data.day or services.today()
    async with services.db.change() as session:
        await check_may_give(services, session, request.user, row["role"], row["unit_id"])
        held = {
            **row,
            "valid_from": as_date(row["valid_from"]),
            "valid_to": None if row["valid_to"] is None else as_date(row["valid_to"]),
        }
        await end_grant(
            session,
            held,
            day=day,
            instrument=paper_of(data.instrument),
            who=request.user.name,
            now_ms=services.clock(),
        )


async def _load(request: AppRequest, ref: str, units: list[int] | None) -> Row:
    services = services_of(request)
    return await fetch_one(
        services,
        LISTING,
        noun=NOUN_GRANT,
        ref=ref,
        names=(),
        moment=now_of(services),
        units=units,
    )


HANDLERS = (list_grants, create_grant, close_grant)
