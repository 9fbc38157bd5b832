"""Signing in with a name and a password, signing out, and who is signed in."""

from dataclasses import dataclass

from litestar import delete, get, post
from litestar.params import JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.auth_totp import check_code
from kiemke.server.auth_users import issue_token, sign_in
from kiemke.server.context import rfc3339, services_of
from kiemke.server.resources.tree import UnitRef, unit_ref


@dataclass(frozen=True, slots=True)
class LoginInput:
    """A user's name and password, and the code of the second step where it is on (else 428)."""

    name: str
    password: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class LoginOutput:
    """The token to send from now on, until when, and what it may do."""

    token: str
    expires_at: str | None
    role: str
    unit: UnitRef | None


@dataclass(frozen=True, slots=True)
class Right:
    """A role over a unit's subtree, null is all; ``approves``: decides what waits there."""

    role: str
    unit: UnitRef | None
    approves: bool


@dataclass(frozen=True, slots=True)
class Me:
    """Who is signed in, with every right of today; ``demo`` when the data are sample data."""

    name: str
    role: str
    unit: UnitRef | None
    demo: bool
    grants: list[Right]


def client_address(request: AppRequest) -> str:
    """Return the address the connection came from, "" when the server cannot know."""
    return request.client.host if request.client else ""


@post("/api/v1/login", status_code=200, opt={"role": "public"}, tags=["session"])
async def login(request: AppRequest, data: JSONBody[LoginInput]) -> LoginOutput:
    """Sign in: give a token that lasts ``session_hours``."""
    services = services_of(request)
    user = await sign_in(services, data.name, data.password, client_address(request))
    await check_code(services, user["id"], data.code)
    now = services.clock()
    async with services.db.transaction() as session:
        # Ended sessions are of no use to anyone; tokens made by hand stay listed.
        await session.execute(
            "DELETE FROM access_token WHERE kind = 'session' AND user_id = :id"
            " AND expires_at_ms < :now",
            id=user["id"],
            now=now,
        )
        token = await issue_token(
            session,
            user_id=user["id"],
            kind="session",
            label=None,
            now_ms=now,
            hours=services.settings.session_hours,
        )
        await record(
            session, at_ms=now, who=user["name"], act="session.open", subject=f"user:{user['name']}"
        )
    return LoginOutput(
        token.token,
        rfc3339(token.expires_at_ms),
        user["role"],
        await unit_ref(services, user["unit_id"]),
    )


@delete("/api/v1/me/session", opt={"role": "any", "unproved": True}, tags=["session"])
async def logout(request: AppRequest) -> None:
    """Sign out: revoke the token this request came with."""
    services = services_of(request)
    async with services.db.transaction() as session:
        await session.execute(
            "UPDATE access_token SET revoked_at_ms = :now WHERE id = :id AND revoked_at_ms IS NULL",
            now=services.clock(),
            id=request.user.token_id,
        )
        await record(
            session,
            at_ms=services.clock(),
            who=request.user.name,
            act="session.close",
            subject=f"user:{request.user.name}",
        )


@get("/api/v1/me", opt={"role": "any", "unproved": True}, tags=["session"])
async def get_me(request: AppRequest) -> Me:
    """Return the name, role and unit of whoever is signed in."""
    services = services_of(request)
    user = request.user
    demo = services.installation is not None and services.installation.demo
    rights = [
        Right(grant.role, await unit_ref(services, grant.unit_id), grant.approves)
        for grant in user.grants
    ]
    return Me(user.name, user.role, await unit_ref(services, user.unit_id), demo, rights)


HANDLERS = (login, logout, get_me)
