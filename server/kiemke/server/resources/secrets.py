"""Secrets by unit and name: what there is, never what it says. Values go in and do not come out here."""

from dataclasses import dataclass

import msgspec
from litestar import Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest, authenticate_source
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Refused, Row
from kiemke.server.domain import secrets as kept
from kiemke.server.domain.collecting import read_duties
from kiemke.server.domain.takeover import stand_ins
from kiemke.server.errors import Both, Problem
from kiemke.server.models.sites import SECRET_KINDS
from kiemke.server.resources.acts import allowed_now, unit_on
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, now_of, visible_units
from kiemke.server.vault import open_vault
from kiemke.wire.clean import clean_text
from kiemke.wire.credential import FieldError, check_fields

NOUN = Both("bí mật", "secret")

LISTING = Listing(
    columns="s.id, s.unit_id, s.name, s.kind, s.version, s.can_change, s.well_known,"
    " s.created_at_ms, s.changed_at_ms, v.code AS unit_code, v.name AS unit_name,"
    " (SELECT COUNT(DISTINCT h.source_id) FROM secret_handout h WHERE h.secret_id = s.id"
    " AND h.first_at_ms <= :known) AS holders",
    tables="secret s LEFT JOIN unit_version v ON v.unit_id = s.unit_id AND {active v}",
    where=("s.created_at_ms <= :known AND (s.removed_at_ms IS NULL OR s.removed_at_ms > :known)",),
    key="s.name",
    id="s.id",
    in_units="s.unit_id IN :[units]",
    search=("s.name",),
)


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """A secret without its value. ``holders`` counts the collectors that were ever given it."""

    id: int
    name: str
    kind: str
    unit: UnitRef | None
    version: int
    can_change: bool | None
    well_known: bool
    holders: int
    created_at: str | None
    changed_at: str | None


class SecretInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A secret of a unit to keep: ``values`` by field name (see docs); ``can_change`` null: unknown."""

    name: str
    unit: str
    kind: str
    values: dict[str, str]
    can_change: bool | None = None


class SecretValues(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The new values of a secret."""

    values: dict[str, str]
    can_change: bool | None = None


def _make(row: Row) -> SecretInfo:
    return SecretInfo(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        unit=UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        version=row["version"],
        can_change=None if row["can_change"] is None else bool(row["can_change"]),
        well_known=bool(row["well_known"]),
        holders=row["holders"],
        created_at=rfc3339(row["created_at_ms"]),
        changed_at=rfc3339(row["changed_at_ms"]),
    )


@get("/api/v1/secrets", opt={"role": "it"}, tags=["sites"])
async def list_secrets(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[SecretInfo]:
    """List secrets by name, without their values."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/secrets/{ref:str}", opt={"role": "it"}, tags=["sites"])
async def get_secret(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> SecretInfo:
    """Return one secret by name or number, without its values."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=("s.name",), moment=moment, units=units
    )
    return _make(row)


@post("/api/v1/secrets", status_code=201, opt={"role": "it"}, tags=["sites"])
async def add_secret(request: AppRequest, data: JSONBody[SecretInput]) -> SecretInfo:
    """Keep a secret of a unit, sealed."""
    services = services_of(request)
    name = clean_text(data.name, 60)
    if not name:
        raise Problem("bad_field", field="name", value="", wanted=Both("một tên", "a name"))
    if data.kind not in SECRET_KINDS:
        wanted = " | ".join(SECRET_KINDS)
        raise Problem("bad_field", field="kind", value=clean_text(data.kind, 60), wanted=wanted)
    fields = _checked(data.kind, data.values)
    unit_id = await unit_on(request, data.unit, services.today())
    vault = open_vault(services.settings)
    try:
        async with services.db.transaction() as session:
            made = await kept.add(
                session, vault, unit_id=unit_id, kind=data.kind, name=name, fields=fields,
                can_change=data.can_change, now_ms=services.clock(),
            )  # fmt: skip
            await record(
                session, at_ms=services.clock(), who=request.user.name, act="secret.add",
                subject=f"secret:{made}", after={"name": name, "unit": data.unit, "kind": data.kind},
            )  # fmt: skip
    except Refused as error:
        raise Problem("conflict", what=NOUN, ref=name) from error
    return _make(await _find(request, str(made)))


@post("/api/v1/secrets/{ref:str}/rotate", status_code=200, opt={"role": "it"}, tags=["sites"])
async def rotate_secret(
    request: AppRequest, ref: FromPath[str], data: JSONBody[SecretValues]
) -> SecretInfo:
    """Give a secret another value; collectors fetch it within a minute."""
    services = services_of(request)
    row = await _find(request, ref)
    fields = _checked(row["kind"], data.values)
    async with services.db.transaction() as session:
        version = await kept.rotate(
            session, open_vault(services.settings), row, fields, data.can_change, services.clock()
        )
        await record(
            session, at_ms=services.clock(), who=request.user.name, act="secret.rotate",
            subject=f"secret:{row['id']}", before={"version": row["version"]},
            after={"version": version},
        )  # fmt: skip
    return _make(await _find(request, str(row["id"])))


@delete("/api/v1/secrets/{ref:str}", status_code=204, opt={"role": "it"}, tags=["sites"])
async def remove_secret(request: AppRequest, ref: FromPath[str]) -> None:
    """Forget a secret's value; that collectors held it stays known."""
    services = services_of(request)
    row = await _find(request, ref)
    async with services.db.transaction() as session:
        await kept.remove(session, row["id"], services.clock())
        await record(
            session, at_ms=services.clock(), who=request.user.name, act="secret.remove",
            subject=f"secret:{row['id']}", before={"name": row["name"], "kind": row["kind"]},
        )  # fmt: skip


@get("/api/v1/collector-secrets", opt={"role": "source"}, tags=["enrolment"])
async def get_collector_secrets(request: AppRequest) -> Response[bytes]:
    """Return, to an approved collector alone, the secrets of the devices it is to ask."""
    services = services_of(request)
    source = await authenticate_source(services, request.headers, "collector")
    given: list[kept.Given] = []
    lost: list[str] = []
    if source.state == "approved":
        vault = open_vault(services.settings)
        async with services.db.transaction() as session:
            homes = [
                home for home, by in (await stand_ins(session)).items() if by == source.source_id
            ]
            duties = await read_duties(
                session, [source.source_id, *homes], [], services.today(), services.clock()
            )
            wanted = [key for key, _ in duties.secrets]
            given, lost = await kept.hand_out(
                session, vault, source.source_id, wanted, services.clock()
            )
    body = {
        "secrets": [
            {"id": each.id, "version": each.version, "kind": each.kind, "name": each.name,
             "values": each.fields}
            for each in given
        ],
        "unreadable": lost,
    }  # fmt: skip
    return Response(msgspec.json.encode(body), media_type="application/json")


def _checked(kind: str, values: dict[str, str]) -> dict[str, str]:
    """Return the values when they make a credential. The Problem shows none of them."""
    try:
        return check_fields(kind, values)
    except FieldError as error:
        wanted = Both(f"một {kind} đầy đủ ({error})", f"a whole {kind} credential: it {error}")
        raise Problem("bad_field", field="values", value="***", wanted=wanted) from None


async def _find(request: AppRequest, ref: str) -> Row:
    services = services_of(request)
    return await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=("s.name",),
        moment=now_of(services),
        units=await allowed_now(request),
    )


HANDLERS = (
    list_secrets,
    get_secret,
    add_secret,
    rotate_secret,
    remove_secret,
    get_collector_secrets,
)
