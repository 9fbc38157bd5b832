"""Users: who may sign in, and the right each has without an end."""

from dataclasses import dataclass

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.auth import AppRequest, Principal
from kiemke.server.auth_grants import check_may_give, check_role, manages
from kiemke.server.auth_users import NOUN_USER, add_user, change_user, find_user, hash_password
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.scope import units_below
from kiemke.server.errors import Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, find_unit_id, now_of, visible_units

USERS = Listing(
    columns="u.id, u.name, u.role, u.created_at_ms, u.disabled_at_ms, v.code AS unit_code,"
    " v.name AS unit_name",
    tables="app_user u LEFT JOIN unit_version v ON v.unit_id = u.unit_id AND {active v}",
    where=(
        "(:everyone OR ((u.role <> 'none' AND u.unit_id IN :[mine] OR u.role = 'none'"
        " AND EXISTS (SELECT 1 FROM user_grant h WHERE h.user_id = u.id AND h.voided_at_ms IS NULL"
        " AND (h.valid_to IS NULL OR h.valid_to > :day)))"
        " AND NOT EXISTS (SELECT 1 FROM user_grant g WHERE g.user_id = u.id"
        " AND g.voided_at_ms IS NULL AND (g.valid_to IS NULL OR g.valid_to > :day)"
        " AND (g.unit_id IS NULL OR g.unit_id NOT IN :[mine]))))",
    ),
    key="u.name",
    id="u.id",
    search=("u.name",),
)


@dataclass(frozen=True, slots=True)
class User:
    """A user; ``unit`` limits what is seen to that subtree, null is all."""

    name: str
    role: str
    unit: UnitRef | None
    created_at: str | None
    disabled_at: str | None


@dataclass(frozen=True, slots=True)
class UserInput:
    """A new user."""

    name: str
    password: str
    role: str
    unit: str | None = None


class UserChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What to change; fields left out stay. ``disabled`` shuts a user out without deleting."""

    password: str | msgspec.UnsetType = msgspec.UNSET
    role: str | msgspec.UnsetType = msgspec.UNSET
    unit: str | None | msgspec.UnsetType = msgspec.UNSET
    disabled: bool | msgspec.UnsetType = msgspec.UNSET


def _make(row: Row) -> User:
    return User(
        row["name"],
        row["role"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        rfc3339(row["created_at_ms"]),
        rfc3339(row["disabled_at_ms"]),
    )


async def find_managed(services: Services, session: Session, manager: Principal, name: str) -> Row:
    """Return a user the manager may change. Raises Problem 404, for one out of reach too."""
    user = await find_user(session, name)
    if not await manages(services, session, manager, user["id"]):
        raise Problem("not_found", what=NOUN_USER, ref=name)
    return user


async def find_own_unit(request: AppRequest, unit: str | None) -> int | None:
    """Return the id of a unit the asker may see, None for None. Raises Problem 404."""
    if unit is None:
        return None
    services = services_of(request)
    moment = now_of(services)
    await visible_units(services, request.user, moment, unit)
    return await find_unit_id(services, unit, moment)


async def _reach(request: AppRequest) -> tuple[tuple[int, ...] | None, list[int]]:
    """Return the roots the asker administers (None: all) and every unit below them."""
    roots = request.user.roots
    if roots is None:
        return None, []
    services = services_of(request)
    async with services.db.reading() as session:
        return roots, sorted(await units_below(session, roots, services.today()))


async def _load_user(request: AppRequest, name: str, moment: Moment) -> User:
    row = await fetch_one(
        services_of(request),
        USERS,
        noun=NOUN_USER,
        ref=name,
        names=("u.name",),
        moment=moment,
        units=None,
        everyone=True,  # whoever asks has just changed this user
        mine=[],
    )
    return _make(row)


@get("/api/v1/users", opt={"role": "admin"}, tags=["users"])
async def list_users(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[User]:
    """List users by name: those whose every right lies within what the asker administers."""
    roots, above = await _reach(request)
    rows, total, cursor = await fetch_page(
        services_of(request), USERS, asked, everyone=roots is None, mine=above
    )
    return Page([_make(row) for row in rows], total, cursor)


@post("/api/v1/users", opt={"role": "admin"}, tags=["users"])
async def create_user(request: AppRequest, data: JSONBody[UserInput]) -> User:
    """Add a user."""
    services = services_of(request)
    moment = now_of(services)
    check_role(data.role, or_none=True)
    unit_id = await find_own_unit(request, data.unit)
    password_hash = await hash_password(services, data.password)
    async with services.db.transaction() as session:
        await check_may_give(services, session, request.user, data.role, unit_id)
        await add_user(
            session,
            name=data.name,
            password_hash=password_hash,
            role=data.role,
            unit_id=unit_id,
            who=request.user.name,
            now_ms=services.clock(),
        )
    return await _load_user(request, data.name, moment)


@patch("/api/v1/users/{name:str}", opt={"role": "admin"}, tags=["users"])
async def update_user(request: AppRequest, name: FromPath[str], data: JSONBody[UserChange]) -> User:
    """Change a user; its sessions end. The last admin cannot be taken away."""
    services = services_of(request)
    moment = now_of(services)
    changes: Row = {}
    if not isinstance(data.password, msgspec.UnsetType):
        changes["password_hash"] = await hash_password(services, data.password)
    if not isinstance(data.role, msgspec.UnsetType):
        check_role(data.role, or_none=True)
        changes["role"] = data.role
    if not isinstance(data.unit, msgspec.UnsetType):
        changes["unit_id"] = await find_own_unit(request, data.unit)
    if not isinstance(data.disabled, msgspec.UnsetType):
        changes["disabled_at_ms"] = services.clock() if data.disabled else None
    async with services.db.transaction() as session:
        user = await find_managed(services, session, request.user, name)
        new = {**user, **changes}
        await check_may_give(services, session, request.user, new["role"], new["unit_id"])
        await change_user(
            session, name=name, changes=changes, who=request.user.name, now_ms=services.clock()
        )
    return await _load_user(request, name, moment)


HANDLERS = (list_users, create_user, update_user)
