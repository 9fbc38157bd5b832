"""One's own second step: a secret for the phone, its first code, and taking it away."""

from dataclasses import dataclass

from litestar import delete, post
from litestar.params import FromPath, JSONBody

from kiemke.server.auth import AppRequest
from kiemke.server.auth_totp import begin, check_code, confirm, remove
from kiemke.server.context import services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.users import find_managed


@dataclass(frozen=True, slots=True)
class TotpBeginning:
    """The secret (base32) and the address a QR code holds; they are shown this once."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class TotpCode:
    """Six digits, or a recovery code where one may stand in."""

    code: str


@dataclass(frozen=True, slots=True)
class RecoveryCodes:
    """Codes that each stand in once for a lost phone; they are shown this once."""

    recovery_codes: list[str]


def _check_person(request: AppRequest) -> None:
    if request.user.kind != "session":
        raise Problem("forbidden", role="token", needed=Both("đăng nhập", "signed in"))


@post("/api/v1/me/totp", status_code=200, opt={"role": "any", "unproved": True}, tags=["session"])
async def begin_totp(request: AppRequest) -> TotpBeginning:
    """Make a secret; it counts once a code of it was sent to /me/totp/confirm."""
    _check_person(request)
    services = services_of(request)
    async with services.db.transaction() as session:
        made = await begin(services, session, request.user.user_id, request.user.name)
    return TotpBeginning(made.secret, made.uri)


@post(
    "/api/v1/me/totp/confirm",
    status_code=200,
    opt={"role": "any", "unproved": True},
    tags=["session"],
)
async def confirm_totp(request: AppRequest, data: JSONBody[TotpCode]) -> RecoveryCodes:
    """Put the second step in force: every sign-in asks for a code from now on."""
    _check_person(request)
    services = services_of(request)
    user = request.user
    async with services.db.transaction() as session:
        codes = await confirm(services, session, user.user_id, user.name, data.code)
    return RecoveryCodes(codes)


@post("/api/v1/me/totp/remove", status_code=200, opt={"role": "any"}, tags=["session"])
async def remove_totp(request: AppRequest, data: JSONBody[TotpCode]) -> None:
    """Take one's own second step away, by a code of it."""
    _check_person(request)
    services, user = services_of(request), request.user
    await check_code(services, user.user_id, data.code)
    async with services.db.transaction() as session:
        await remove(session, user.user_id, user.name, user.name, services.clock())


@delete("/api/v1/users/{name:str}/totp", opt={"role": "admin"}, tags=["users"])
async def reset_totp(request: AppRequest, name: FromPath[str]) -> None:
    """Take away the second step of a user whose phone and recovery codes are lost."""
    services = services_of(request)
    async with services.db.transaction() as session:
        user = await find_managed(services, session, request.user, name)
        await remove(session, user["id"], name, request.user.name, services.clock())


HANDLERS = (begin_totp, confirm_totp, remove_totp, reset_totp)
