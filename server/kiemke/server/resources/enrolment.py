"""Enrolment: the tokens that admit sources, and the one request by which a source is admitted."""

from dataclasses import dataclass, field

from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain.tables import dated
from kiemke.server.enrolment import (
    NOUN_TOKEN,
    EnrolRequest,
    TokenQuestion,
    enrol,
    look_at_token,
    make_enrolment_token,
    revoke_enrolment_token,
)
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.session import client_address
from kiemke.server.resources.tree import (
    UnitRef,
    find_unit_id,
    now_of,
    subtree,
    visible_units,
)

LISTING = Listing(
    columns="t.id, t.public_id, t.kind, t.uses_left, t.expires_at_ms, t.revoked_at_ms, t.approves,"
    " t.created_by, v.code AS unit_code, v.name AS unit_name",
    tables="enrolment_token t LEFT JOIN unit_version v ON v.unit_id = t.unit_id AND {active v}",
    where=("t.kind <> 'one_shot'",),  # admits nobody: what surveys by hand hang on
    key="t.id",
    id="t.id",
    in_units="t.unit_id IN :[units]",
    search=("v.search_key", "t.public_id"),
)


@dataclass(frozen=True, slots=True)
class EnrolOutput:
    """The id a source sends from now on, and whether it counts already."""

    source: str
    state: str


@dataclass(frozen=True, slots=True)
class TokenLasting:
    """How many more sources a token admits, and until when."""

    uses_left: int
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class TokenInput:
    """What a token admits. ``uses`` defaults to the unit's head-count, for a collector to one.

    ``via``: addresses of relays on the way, tried before the server's own.
    """

    unit: str
    kind: str = "agent"
    uses: int | None = None
    days: int = 14
    approves: bool = False
    via: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class TokenOutput:
    """The token to paste; it is shown this once."""

    token: str
    id: str
    uses: int
    expires_at: str | None


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token without its secret."""

    id: str
    unit: UnitRef | None
    kind: str
    uses_left: int
    approves: bool
    expires_at: str | None
    revoked_at: str | None
    created_by: str | None


@post("/api/v1/enroll", opt={"role": "public"}, tags=["enrolment"])
async def enroll(request: AppRequest, data: JSONBody[EnrolRequest]) -> Response[EnrolOutput]:
    """Admit a source by a token; asked again it answers the same (200 instead of 201)."""
    enrolled = await enrol(services_of(request), data, client_address(request))
    output = EnrolOutput(enrolled.source, enrolled.state)
    return Response(output, status_code=201 if enrolled.created else 200)


@post("/api/v1/enroll/check", status_code=200, opt={"role": "public"}, tags=["enrolment"])
async def check_token(request: AppRequest, data: JSONBody[TokenQuestion]) -> TokenLasting:
    """Tell who holds a token how long it lasts; nothing is enrolled."""
    uses, expires_at_ms = await look_at_token(services_of(request), data, client_address(request))
    return TokenLasting(uses, rfc3339(expires_at_ms))


@post("/api/v1/enrolment-tokens", opt={"role": "it"}, tags=["enrolment"])
async def add_token(request: AppRequest, data: JSONBody[TokenInput]) -> TokenOutput:
    """Make a token for a unit."""
    services = services_of(request)
    moment = now_of(services)
    await visible_units(services, request.user, moment, data.unit)  # refuses a unit out of sight
    unit_id = await find_unit_id(services, data.unit, moment)
    people = await services.db.read(
        dated(
            "SELECT COUNT(*) AS n FROM membership m WHERE m.is_primary AND {active m}"
            " AND m.unit_id IN :[units]"
        ),
        units=await subtree(services, unit_id, moment),
        day=moment.day,
        known=moment.known_ms,
    )
    async with services.db.transaction() as session:
        made = await make_enrolment_token(
            session,
            services,
            unit_id=unit_id,
            head_count=people[0]["n"],
            kind=data.kind,
            uses=data.uses,
            days=data.days,
            approves=data.approves,
            who=request.user.name,
            via=tuple(data.via),
        )
    return TokenOutput(made.token, made.public_id, made.uses, rfc3339(made.expires_at_ms))


@get("/api/v1/enrolment-tokens", opt={"role": "it"}, tags=["enrolment"])
async def list_tokens(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[TokenRow]:
    """List tokens in the order they were made."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = [
        TokenRow(
            id=row["public_id"],
            unit=UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
            kind=row["kind"],
            uses_left=row["uses_left"],
            approves=bool(row["approves"]),
            expires_at=rfc3339(row["expires_at_ms"]),
            revoked_at=rfc3339(row["revoked_at_ms"]),
            created_by=row["created_by"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


@delete("/api/v1/enrolment-tokens/{ref:str}", opt={"role": "it"}, tags=["enrolment"])
async def delete_token(request: AppRequest, ref: FromPath[str]) -> None:
    """Revoke a token and every source it admitted."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN_TOKEN,
        ref=ref,
        names=("t.public_id",),
        moment=moment,
        units=units,
    )
    async with services.db.transaction() as session:
        await revoke_enrolment_token(session, row, who=request.user.name, now=services.clock())


HANDLERS = (enroll, check_token, add_token, list_tokens, delete_token)
