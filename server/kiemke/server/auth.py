"""Who is asking and what that role may: one guard before every route, default-deny.

Each route says its least role in ``opt={"role": ...}``: "public" (anyone), "source" (a source's own
secret, checked by the handler), "scrape" (a scrape token), "any" (whoever is signed in) or one of
ROLES. A route that says nothing keeps the server from starting.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from litestar import Request
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.handlers.base import BaseRouteHandler
from litestar.routes import ASGIRoute, BaseRoute, HTTPRoute

from kiemke.server.context import Services, services_of
from kiemke.server.errors import Problem, ServerError

ROLES = ("viewer", "auditor", "it", "admin")  # each may all that those before it may
ACCESS = ("public", "source", "scrape", "any", *ROLES)

_TOKEN = re.compile(r"kmk_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who is signed in. ``unit_id`` limits what is seen to that unit's subtree; None is all."""

    user_id: int
    name: str
    role: str
    unit_id: int | None
    token_id: int
    kind: str


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


def may(principal: Principal, access: str) -> bool:
    """Return whether a role and kind of token suffice for a route's ``access``."""
    if access == "scrape" or principal.kind == "scrape":
        return access == "scrape" and principal.kind == "scrape"
    if access == "any":
        return True
    return ROLES.index(principal.role) >= ROLES.index(access)


def describe(principal: Principal) -> str:
    """Return what the principal is, as an error names it."""
    return "scrape" if principal.kind == "scrape" else principal.role


def read_bearer(header: str | None) -> str | None:
    """Return the token of an Authorization header, None when there is none (RFC 6750 §2.1)."""
    scheme, _, token = (header or "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def authenticate(services: Services, headers: Any) -> Principal:
    """Return the holder of the request's bearer token. Raises Problem 401."""
    match = _TOKEN.fullmatch(read_bearer(headers.get("authorization")) or "")
    if match:
        rows = await services.db.read(
            "SELECT t.id, t.kind, t.secret_sha256, t.expires_at_ms, t.revoked_at_ms,"
            " u.id AS user_id, u.name, u.role, u.unit_id, u.disabled_at_ms"
            " FROM access_token t JOIN app_user u ON u.id = t.user_id"
            " WHERE t.public_id = :public_id",
            public_id=match[1],
        )
        for row in rows:
            valid = (
                hmac.compare_digest(row["secret_sha256"], hash_secret(match[2]))
                and row["expires_at_ms"] > services.clock()
                and row["revoked_at_ms"] is None
                and row["disabled_at_ms"] is None
                and row["role"] in ROLES
            )
            if valid:
                return Principal(
                    user_id=row["user_id"],
                    name=row["name"],
                    role=row["role"],
                    unit_id=row["unit_id"],
                    token_id=row["id"],
                    kind=row["kind"],
                )
    raise Problem("not_signed_in", headers={"WWW-Authenticate": 'Bearer realm="kiemke"'})


async def authenticate_source(services: Services, headers: Any, kind: str) -> SourcePrincipal:
    """Return the approved source of one kind that the headers prove. Raises Problem 401/403."""
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
