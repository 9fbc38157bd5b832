"""Users and their access tokens."""

from dataclasses import dataclass

import msgspec
from litestar import delete, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import ROLES, AppRequest
from kiemke.server.auth_users import (
    NOUN_USER,
    add_user,
    change_user,
    hash_password,
    issue_token_for,
)
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, find_unit_id, now_of

NOUN_TOKEN = Both("mã truy cập", "access token")

USERS = Listing(
    columns="u.id, u.name, u.role, u.created_at_ms, u.disabled_at_ms, v.code AS unit_code,"
    " v.name AS unit_name",
    tables="app_user u LEFT JOIN unit_version v ON v.unit_id = u.unit_id AND {active v}",
    key="u.name",
    id="u.id",
    search=("u.name",),
)
TOKENS = Listing(
    columns="t.id, t.public_id, t.kind, t.label, t.created_at_ms, t.expires_at_ms,"
    " t.revoked_at_ms, u.name AS user_name",
    tables="access_token t JOIN app_user u ON u.id = t.user_id",
    where=(
        "t.kind <> 'session'",
        "(CAST(:owner AS BIGINT) IS NULL OR t.user_id = :owner)",
    ),
    key="t.id",
    id="t.id",
    search=("t.label", "u.name"),
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


@dataclass(frozen=True, slots=True)
class AccessInput:
    """A token to make. ``user`` is somebody else's name, for admins only."""

    kind: str
    label: str | None = None
    days: int = 365
    user: str | None = None


@dataclass(frozen=True, slots=True)
class AccessOutput:
    """The token; it is shown this once."""

    token: str
    id: str
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class AccessRow:
    """A token without its secret."""

    id: str
    user: str
    kind: str
    label: str | None
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None


def _check_unlimited(request: AppRequest) -> None:
    # An admin of one subtree must not make itself one of everything.
    if request.user.unit_id is not None:
        raise Problem("forbidden", role=request.user.role, needed="admin, all units")


def _make(row: Row) -> User:
    return User(
        row["name"],
        row["role"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        rfc3339(row["created_at_ms"]),
        rfc3339(row["disabled_at_ms"]),
    )


async def _load_user(request: AppRequest, name: str, moment: Moment) -> User:
    row = await fetch_one(
        services_of(request),
        USERS,
        noun=NOUN_USER,
        ref=name,
        names=("u.name",),
        moment=moment,
        units=None,
    )
    return _make(row)


@get("/api/v1/users", opt={"role": "admin"}, tags=["users"])
async def list_users(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[User]:
    """List users by name."""
    _check_unlimited(request)
    rows, total, cursor = await fetch_page(services_of(request), USERS, asked)
    return Page([_make(row) for row in rows], total, cursor)


@post("/api/v1/users", opt={"role": "admin"}, tags=["users"])
async def create_user(request: AppRequest, data: JSONBody[UserInput]) -> User:
    """Add a user."""
    _check_unlimited(request)
    services = services_of(request)
    moment = now_of(services)
    unit_id = None if data.unit is None else await find_unit_id(services, data.unit, moment)
    password_hash = await hash_password(services, data.password)
    async with services.db.transaction() as session:
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
    _check_unlimited(request)
    services = services_of(request)
    moment = now_of(services)
    changes: Row = {}
    if not isinstance(data.password, msgspec.UnsetType):
        changes["password_hash"] = await hash_password(services, data.password)
    if not isinstance(data.role, msgspec.UnsetType):
        if data.role not in ROLES:
            wanted = " | ".join(ROLES)
            raise Problem("bad_field", field="role", value=data.role[:40], wanted=wanted)
        changes["role"] = data.role
    if not isinstance(data.unit, msgspec.UnsetType):
        changes["unit_id"] = (
            None if data.unit is None else await find_unit_id(services, data.unit, moment)
        )
    if not isinstance(data.disabled, msgspec.UnsetType):
        changes["disabled_at_ms"] = services.clock() if data.disabled else None
    async with services.db.transaction() as session:
        await change_user(
            session, name=name, changes=changes, who=request.user.name, now_ms=services.clock()
        )
    return await _load_user(request, name, moment)


@get("/api/v1/tokens", opt={"role": "any"}, tags=["users"])
async def list_access(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[AccessRow]:
    """List one's own api and scrape tokens; an admin sees everybody's."""
    rows, total, cursor = await fetch_page(
        services_of(request), TOKENS, asked, owner=_owner(request)
    )
    items = [
        AccessRow(
            row["public_id"],
            row["user_name"],
            row["kind"],
            row["label"],
            rfc3339(row["created_at_ms"]),
            rfc3339(row["expires_at_ms"]),
            rfc3339(row["revoked_at_ms"]),
        )
        for row in rows
    ]
    return Page(items, total, cursor)


def _owner(request: AppRequest) -> int | None:
    everything = request.user.role == "admin" and request.user.unit_id is None
    return None if everything else request.user.user_id


@post("/api/v1/tokens", opt={"role": "any"}, tags=["users"])
async def create_access(request: AppRequest, data: JSONBody[AccessInput]) -> AccessOutput:
    """Make an api or scrape token for oneself; an admin may for others."""
    if data.kind not in ("api", "scrape"):
        raise Problem("bad_field", field="kind", value=data.kind[:40], wanted="api | scrape")
    name = data.user or request.user.name
    if name != request.user.name and _owner(request) is not None:
        raise Problem("forbidden", role=request.user.role, needed="admin")
    services = services_of(request)
    async with services.db.transaction() as session:
        made = await issue_token_for(
            session,
            name=name,
            kind=data.kind,
            label=data.label,
            days=data.days,
            who=request.user.name,
            now_ms=services.clock(),
        )
    return AccessOutput(made.token, made.public_id, rfc3339(made.expires_at_ms))


@delete("/api/v1/tokens/{ref:str}", opt={"role": "any"}, tags=["users"])
async def delete_access(request: AppRequest, ref: FromPath[str]) -> None:
    """Revoke a token: one's own, or anybody's for an admin."""
    services = services_of(request)
    row = await fetch_one(
        services,
        TOKENS,
        noun=NOUN_TOKEN,
        ref=ref,
        names=("t.public_id",),
        moment=now_of(services),
        units=None,
        owner=_owner(request),
    )
    async with services.db.transaction() as session:
        await session.execute(
            "UPDATE access_token SET revoked_at_ms = COALESCE(revoked_at_ms, :now) WHERE id = :id",
            now=services.clock(),
            id=row["id"],
        )
        await record(
            session,
            at_ms=services.clock(),
            who=request.user.name,
            act="token.revoke",
            subject=f"token:{row['public_id']}",
            before={"user": row["user_name"], "kind": row["kind"]},
        )


HANDLERS = (
    list_users,
    create_user,
    update_user,
    list_access,
    create_access,
    delete_access,
)
