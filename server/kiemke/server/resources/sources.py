"""Sources: installs of agents and collectors, their approval and revocation."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain.clocks_now import offset_of
from kiemke.server.domain.secrets import held_by
from kiemke.server.enrolment import NOUN_SOURCE, set_source_state
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.source_events import SourceEvent, read_events
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, now_of, visible_units
from kiemke.server.site_probe import set_probe

LISTING = Listing(
    columns="s.id, s.public_id, s.kind, s.state, s.state_reason, s.hostname, n.last_received_at_ms,"
    " n.last_sample_json, s.probe_since_ms, (SELECT COUNT(*) FROM probe_target p WHERE p.collector_id = s.id"
    " AND p.retired_at_ms IS NULL) AS probes,"
    " v.code AS unit_code, v.name AS unit_name,"
    " (SELECT COUNT(*) FROM rejected_report r WHERE r.source_id = s.id) AS rejected",
    tables="source s LEFT JOIN source_now n ON n.source_id = s.id"
    " LEFT JOIN unit_version v ON v.unit_id = s.unit_id AND {active v}",
    where=("(CAST(:state AS TEXT) IS NULL OR s.state = :state)",),
    key="s.id",
    id="s.id",
    in_units="s.unit_id IN :[units]",
    search=("s.hostname", "s.public_id"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One install. ``rejected`` counts reports of it that could never be applied.

    ``clock_offset_seconds``: the server's clock less the PC's when it posted last, None when it told none.

    ``probe_since``: an agent that is named its site's probe; ``probes`` counts the targets assigned to it.
    """

    id: str
    kind: str
    state: str
    state_reason: str | None
    unit: UnitRef | None
    hostname: str | None
    last_received_at: str | None
    clock_offset_seconds: float | None
    rejected: int
    probe_since: str | None
    probes: int


@dataclass(frozen=True, slots=True)
class SourceWhole(Source):
    """One install with its last events, newest first."""

    events: list[SourceEvent]


def _make(row: Row) -> Source:
    return Source(**_values(row))


def _values(row: Row) -> dict[str, Any]:
    return {
        "id": row["public_id"],
        "kind": row["kind"],
        "state": row["state"],
        "state_reason": row["state_reason"],
        "unit": UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        "hostname": row["hostname"],
        "last_received_at": rfc3339(row["last_received_at_ms"]),
        "clock_offset_seconds": offset_of(row["last_sample_json"]),
        "rejected": row["rejected"],
        "probe_since": rfc3339(row["probe_since_ms"]),
        "probes": row["probes"],
    }


async def _find(request: AppRequest, ref: str, moment: Moment) -> Row:
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    return await fetch_one(
        services,
        LISTING,
        noun=NOUN_SOURCE,
        ref=ref,
        names=("s.public_id", "s.hostname"),
        moment=moment,
        units=units,
        state=None,
    )


async def _set(request: AppRequest, ref: str, state: str) -> Source:
    services = services_of(request)
    moment = now_of(services)
    row = await _find(request, ref, moment)
    who = request.user.name
    async with services.db.transaction() as session:
        reason = None if state == "approved" else f"revoked by {who}"
        await set_source_state(
            session, row, state=state, reason=reason, who=who, now=services.clock()
        )
    return _make(await _find(request, row["public_id"], moment))


@get("/api/v1/sources", opt={"role": "it"}, tags=["sources"])
async def list_sources(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    in_state: Annotated[
        str | None, QueryParameter(name="state", description="only sources in this state")
    ] = None,
) -> Page[Source]:
    """List sources in the order they enrolled."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked, state=in_state)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/sources/{ref:str}", opt={"role": "it"}, tags=["sources"])
async def get_source(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> SourceWhole:
    """Return one source by its id or host name, with its last events."""
    row = await _find(request, ref, moment)
    events = await read_events(services_of(request).db, row["id"], moment.known_ms)
    return SourceWhole(**_values(row), events=events)


@post("/api/v1/sources/{ref:str}/approve", status_code=200, opt={"role": "it"}, tags=["sources"])
async def approve_source(request: AppRequest, ref: FromPath[str]) -> Source:
    """Let a pending or quarantined source count."""
    return await _set(request, ref, "approved")


@post("/api/v1/sources/{ref:str}/revoke", status_code=200, opt={"role": "it"}, tags=["sources"])
async def revoke_source(request: AppRequest, ref: FromPath[str]) -> Source:
    """Shut a source out for good; it must enrol again."""
    return await _set(request, ref, "revoked")


@dataclass(frozen=True, slots=True)
class ProbeInput:
    """Whether an agent is to be its site's probe."""

    on: bool


@post("/api/v1/sources/{ref:str}/probe", status_code=200, opt={"role": "it"}, tags=["sources"])
async def set_source_probe(
    request: AppRequest, ref: FromPath[str], data: JSONBody[ProbeInput]
) -> Source:
    """Name an approved agent its site's probe, or no longer: it pings the lines' targets there."""
    services = services_of(request)
    moment = now_of(services)
    row = await _find(request, ref, moment)
    async with services.db.transaction() as session:
        await set_probe(session, row, on=data.on, who=request.user.name, now=services.clock())
    return _make(await _find(request, row["public_id"], moment))


@dataclass(frozen=True, slots=True)
class HeldSecret:
    """A secret that a collector was given: the newest version it had, and whether that still opens doors.

    ``to_change``: it was neither rotated nor removed since.
    """

    id: int
    name: str
    kind: str
    unit: UnitRef | None
    version: int
    first_at: str | None
    last_at: str | None
    to_change: bool


@get("/api/v1/sources/{ref:str}/secrets", opt={"role": "it"}, tags=["sources"])
async def list_held_secrets(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> list[HeldSecret]:
    """List every secret a collector was ever given until then, to be changed when it is lost."""
    services = services_of(request)
    row = await _find(request, ref, moment)
    refs = await load_refs(services, moment)
    async with services.db.reading() as session:
        held = await held_by(session, row["id"], moment.known_ms)
    return [
        HeldSecret(
            id=each["secret_id"],
            name=each["name"],
            kind=each["kind"],
            unit=refs.get(each["unit_id"]),
            version=each["held"],
            first_at=rfc3339(each["first_at_ms"]),
            last_at=rfc3339(each["last_at_ms"]),
            to_change=each["to_change"],
        )
        for each in held
    ]


HANDLERS = (
    list_sources,
    get_source,
    approve_source,
    revoke_source,
    set_source_probe,
    list_held_secrets,
)
