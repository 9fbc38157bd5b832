"""Access tokens: for programs and for Prometheus, never more than their user may."""

from dataclasses import dataclass

from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.auth_grants import check_may_carry, check_role
from kiemke.server.auth_users import issue_token_for
from kiemke.server.context import rfc3339, services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import UnitRef, now_of
from kiemke.server.resources.users import find_managed, find_own_unit

NOUN_TOKEN = Both("mã truy cập", "access token")

TOKENS = Listing(
    columns="t.id, t.public_id, t.kind, t.label, t.created_at_ms, t.expires_at_ms,"
    " t.revoked_at_ms, t.role, v.code AS unit_code, v.name AS unit_name, u.name AS user_name",
    tables="access_token t JOIN app_user u ON u.id = t.user_id"
    " LEFT JOIN unit_version v ON v.unit_id = t.unit_id AND {active v}",
    where=(
        "t.kind <> 'session'",
        "(CAST(:owner AS BIGINT) IS NULL OR t.user_id = :owner)",
        "(CAST(:only AS BIGINT) IS NULL OR t.id = :only)",
    ),
    key="t.id",
    id="t.id",
    search=("t.label", "u.name"),
)


@dataclass(frozen=True, slots=True)
class AccessInput:
    """A token to make. ``user`` is somebody else's name, for admins only.

    ``role`` and ``unit`` narrow it: a token for one commune's figures should carry no more.
    """

    kind: str
    label: str | None = None
    days: int = 365
    user: str | None = None
    role: str | None = None
    unit: str | None = None


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
    role: str | None
    unit: UnitRef | None
    created_at: str | None
    expires_at: str | None
    revoked_at: str | None


@get("/api/v1/tokens", opt={"role": "any"}, tags=["users"])
async def list_access(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[AccessRow]:
    """List one's own api and scrape tokens; an admin sees everybody's."""
    rows, total, cursor = await fetch_page(
        services_of(request), TOKENS, asked, owner=_owner(request), only=_only(request)
    )
    items = [
        AccessRow(
            row["public_id"],
            row["user_name"],
            row["kind"],
            row["label"],
            row["role"],
            UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
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


def _only(request: AppRequest) -> int | None:
    """Return the one token a narrowed token may know of: itself."""
    return request.user.token_id if request.user.narrowed else None


@post("/api/v1/tokens", opt={"role": "any"}, tags=["users"])
async def create_access(request: AppRequest, data: JSONBody[AccessInput]) -> AccessOutput:
    """Make an api or scrape token for oneself; an admin may for others."""
    if data.kind not in ("api", "scrape"):
        raise Problem("bad_field", field="kind", value=data.kind[:40], wanted="api | scrape")
    name = data.user or request.user.name
    services = services_of(request)
    if request.user.narrowed:  # it would make a token that carries more than itself
        raise Problem("forbidden", role="token, narrowed", needed=request.user.role)
    if data.role is not None:
        check_role(data.role)
    unit_id = await find_own_unit(request, data.unit)
    async with services.db.transaction() as session:
        if name == request.user.name:
            await check_may_carry(services, session, request.user, data.role, unit_id)
        elif any(grant.role == "admin" for grant in request.user.grants):
            await find_managed(services, session, request.user, name)
        else:
            raise Problem("forbidden", role=request.user.role, needed="admin")
        made = await issue_token_for(
            session,
            name=name,
            kind=data.kind,
            label=data.label,
            days=data.days,
            who=request.user.name,
            now_ms=services.clock(),
            role=data.role,
            unit_id=unit_id,
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
        only=_only(request),
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


HANDLERS = (list_access, create_access, delete_access)
