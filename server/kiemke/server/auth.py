"""Who is asking and what that role may: one guard before every route, default-deny.

Each route says its least role in ``opt={"role": ...}``: "public" (anyone), "source" (a source's own
secret, checked by the handler), "scrape" (a scrape token), "any" (whoever is signed in) or one of
ROLES. A route that says nothing keeps the server from starting.

A user holds grants: roles over subtrees. A route sees those that suffice for it and no others, so
that who is IT of one commune and auditor of another changes the first and reads both.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute

from kiemke.server.context import Services, services_of
from kiemke.server.db import Row
from kiemke.server.domain.scope import units_above
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Problem, ServerError

ROLES = ("viewer", "auditor", "it", "admin")  # each may all that those before it may
ACCESS = ("public", "source", "scrape", "any", *ROLES)

NO_ROLE = "none"  # a user who holds dated grants and nothing beside

_TOKEN = re.compile(r"kmk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Grant:
    """A role over a unit's subtree (None: all); ``approves``: may decide what waits there."""

    role: str
    unit_id: int | None
    approves: bool = False


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in, as one route sees it. ``grants`` are all the user's, narrowed by the token.

    ``roots`` are the units whose subtrees the route may see, None is all; ``unit_id`` is the first of
    them, so that a part that knows one root only shows less, never more. ``role`` is the least of
    those that let the request in: what a role shows beyond another holds for every root then.
    ``narrowed``: the token carries less than its user holds. ``proved`` is False for an admin who
    signed in without a second step.
    """

    user_id: int
    name: str
    role: str
    unit_id: int | None
    token_id: int
    kind: str
    roots: tuple[int, ...] | None = None
    grants: tuple[Grant, ...] = ()
    narrowed: bool = False
    proved: bool = True


@dataclass(frozen=True, slots=True)
class SourcePrincipal:
    """A source that proved its secret."""

    source_id: int
    public_id: str
    kind: str
    state: str


AppRequest = Request[Principal, Any, State]


class RouteWithoutRole(ServerError):
    """A route does not say who may use it."""


def hash_secret(secret: str) -> str:
    """Return the hex SHA-256 of a random secret (argon2 is for what people choose)."""
    return sha256(secret.encode("utf-8")).hexdigest()


async def authorise(
    connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
) -> None:
    """Let the request pass or raise Problem 401/403; the Principal goes to ``request.user``."""
    access = handler.opt.get("role")
    if access in ("public", "source"):
        return
    if access not in ACCESS:  # default-deny, even if a route slipped past the check at start
        raise Problem("forbidden", role="-", needed="-")
    principal = await authenticate(services_of(connection), connection.headers)
    connection.scope["user"] = principal
    if not may(principal, access):
        raise Problem("forbidden", role=describe(principal), needed=access)
    services = services_of(connection)
    unproved = services.settings.require_totp_for_admins and not principal.proved
    if unproved and not handler.opt.get("unproved"):
        raise Problem("totp_needed")
    connection.scope["user"] = narrow(principal, access)


def may(principal: Principal, access: str) -> bool:
    """Return whether a role and kind of token suffice for a route's ``access``."""
    if access == "scrape" or principal.kind == "scrape":
        return access == "scrape" and principal.kind == "scrape"
    if access == "any":
        return True
    return rank(principal.role) >= rank(access)


def rank(role: str) -> int:
    """Return a role's place in ROLES; the more it is, the more it may."""
    return ROLES.index(role)


def narrow(principal: Principal, access: str) -> Principal:
    """Return the principal with the role and roots of the grants that suffice for ``access``."""
    least = rank(access) if access in ROLES else 0
    used = [grant for grant in principal.grants if rank(grant.role) >= least]
    whole = [grant for grant in used if grant.unit_id is None]
    if whole:
        role = max((grant.role for grant in whole), key=rank)
        return replace(principal, role=role, unit_id=None, roots=None)
    role = min((grant.role for grant in used), key=rank)
    roots = tuple(dict.fromkeys(grant.unit_id for grant in used if grant.unit_id is not None))
    return replace(principal, role=role, unit_id=roots[0], roots=roots)


def describe(principal: Principal) -> str:
    """Return what the principal is, as an error names it."""
    return "scrape" if principal.kind == "scrape" else principal.role


def read_bearer(header: str | None) -> str | None:
    """Return the token of an Authorization header, None when there is none (RFC 6750 §2.1)."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


_HOLDER = dated(
    "SELECT t.id, t.kind, t.secret_sha256, t.role AS token_role, t.unit_id AS token_unit_id,"
    " u.id AS user_id, u.name, u.totp_confirmed_at_ms, g.role, g.unit_id, g.approves"
    " FROM access_token t JOIN app_user u ON u.id = t.user_id JOIN ("
    " SELECT b.id AS user_id, b.role, b.unit_id, CASE WHEN b.role = 'admin' THEN 1 ELSE 0 END"
    " AS approves FROM app_user b UNION ALL"
    " SELECT f.user_id, f.role, f.unit_id, CASE WHEN f.approves OR f.role = 'admin' THEN 1 ELSE 0"
    " END FROM user_grant f WHERE {active f}) g ON g.user_id = u.id"
    " WHERE t.public_id = :public_id AND t.expires_at_ms > :known AND t.revoked_at_ms IS NULL"
    " AND u.disabled_at_ms IS NULL"
)


async def authenticate(services: Services, headers: Any) -> Principal:
    """Return the holder of the request's bearer token. Raises Problem 401."""
    match = _TOKEN.fullmatch(read_bearer(headers.get("authorization")) or "")
    if match:
        rows = await services.db.read(
            _HOLDER, public_id=match[1], day=services.today(), known=services.clock()
        )
        secret = hash_secret(match[2])
        if rows and hmac.compare_digest(rows[0]["secret_sha256"], secret):
            grants = await _narrow_to_token(services, [_grant(row) for row in rows], rows[0])
            if grants:
                proved = rows[0]["totp_confirmed_at_ms"] is not None
                needs = rows[0]["kind"] == "session" and any(g.role == "admin" for g in grants)
                best = max(grants, key=lambda grant: rank(grant.role))
                return Principal(
                    user_id=rows[0]["user_id"],
                    name=rows[0]["name"],
                    role=best.role,
                    unit_id=best.unit_id,
                    token_id=rows[0]["id"],
                    kind=rows[0]["kind"],
                    roots=None if best.unit_id is None else (best.unit_id,),
                    grants=grants,
                    proved=proved or not needs,
                    narrowed=(rows[0]["token_role"], rows[0]["token_unit_id"]) != (None, None),
                )
    raise Problem("not_signed_in", headers={"WWW-Authenticate": 'Bearer realm="kiemke"'})


def _grant(row: Row) -> Grant:
    return Grant(row["role"], row["unit_id"], bool(row["approves"]))


async def _narrow_to_token(services: Services, held: list[Grant], token: Row) -> tuple[Grant, ...]:
    """Return what of a user's grants a token carries: its own role and unit are a ceiling."""
    grants = [grant for grant in held if grant.role in ROLES]
    role, unit_id = token["token_role"], token["token_unit_id"]
    if role is not None:
        grants = [replace(g, role=min(g.role, role, key=rank), approves=False) for g in grants]
    if unit_id is None or not grants:
        return tuple(grants)
    async with services.db.reading() as session:
        today = services.today()
        above = await units_above(session, unit_id, today)
        kept = []
        for grant in grants:
            if grant.unit_id is None or grant.unit_id in above:
                kept.append(replace(grant, unit_id=unit_id))
            elif unit_id in await units_above(session, grant.unit_id, today):
                kept.append(grant)
    return tuple(kept)


async def authenticate_source(services: Services, headers: Any, kind: str) -> SourcePrincipal:
    """Return the source of one kind, not revoked, that the headers prove. Raises Problem 401/403."""
    secret = read_bearer(headers.get("authorization"))
    public_id = headers.get("x-kiemke-source")
    if secret and public_id:
        rows = await services.db.read(
            "SELECT id, public_id, kind, state, secret_sha256 FROM source"
            " WHERE public_id = :public_id",
            public_id=public_id,
        )
        for row in rows:
            if hmac.compare_digest(row["secret_sha256"], hash_secret(secret)):
                if row["state"] == "revoked" or row["kind"] != kind:
                    raise Problem("forbidden", role=f"{row['kind']}, {row['state']}", needed=kind)
                return SourcePrincipal(row["id"], row["public_id"], row["kind"], row["state"])
    raise Problem("not_signed_in", headers={"WWW-Authenticate": 'Bearer realm="kiemke"'})


def walk_access(routes: Iterable[BaseRoute]) -> dict[tuple[str, str], str]:
    """Return (method, path) -> access of every route; raise RouteWithoutRole for a mute one.

    An ASGI route takes every method, written "*". HEAD and OPTIONS that Litestar adds are left out.
    """
    table: dict[tuple[str, str], str] = {}
    for route in routes:
        if isinstance(route, ASGIRoute):
            table[("*", route.path_format)] = _access_of(route.route_handler, route.path)
        elif isinstance(route, HTTPRoute):
            for handler in route.route_handlers:
                for method in handler.http_methods:
                    if str(method) != "OPTIONS":
                        key = (str(method), route.path_format)
                        table[key] = _access_of(handler, route.path)
    return table


def _access_of(handler: BaseRouteHandler, path: str) -> str:
    access = handler.opt.get("role")
    if access not in ACCESS:
        raise RouteWithoutRole(f'{path}: {handler} has no opt={{"role": ...}}; say one of {ACCESS}')
    return str(access)
