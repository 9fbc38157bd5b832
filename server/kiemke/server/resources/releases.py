"""Releases of the agent: published with their maker's signature, staged, withdrawn; fetched by PCs."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest, authenticate_source
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Refused, Row, Session
from kiemke.server.domain import releases
from kiemke.server.domain.release_progress import (
    AMISS,
    Fleet,
    Progress,
    load_fleet,
    progress_of,
)
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, now_of, visible_units
from kiemke.wire.clean import clean_text
from kiemke.wire.update import LARGEST_PACKAGE_BYTES, SYSTEMS, ManifestError, Signed, read_signed

MOST_PLACES = 500
OfferAct = Literal["stage", "withdraw"]
NOUN = Both("bản phát hành của tác tử", "release of the agent")
LISTING = Listing(
    columns="r.id, r.version, r.system, r.file_name, r.size_bytes, r.sha256,"
    " CASE WHEN r.changed_at_ms <= :known THEN r.percent END AS percent,"
    " r.expires_at_ms, r.published_at_ms, r.published_by, r.changed_at_ms,"
    " CASE WHEN r.withdrawn_at_ms <= :known THEN r.withdrawn_at_ms END AS withdrawn_at_ms,"
    " CASE WHEN r.withdrawn_at_ms <= :known THEN r.withdrawn_reason END AS withdrawn_reason",
    tables="agent_release r",
    where=("r.published_at_ms <= :known",),
    key="r.published_at_ms",
    id="r.id",
    search=("r.version", "r.system"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """A release. ``percent`` of the sources are offered it; withdrawn ones are offered to none.

    What ``percent`` was before its last change is not kept: asked for then, it is null.
    Of the PCs in sight ``for_pcs`` are of its system, ``running`` run it or a newer one, and on ``amiss``
    it was taken back, was refused or does not arrive; None of a withdrawn one.
    """

    id: int
    version: str
    system: str
    file: str
    size_bytes: int
    sha256: str
    percent: int | None
    expires_at: str | None
    published_at: str | None
    published_by: str
    withdrawn_at: str | None
    reason: str | None
    for_pcs: int | None = None
    running: int | None = None
    amiss: int | None = None


@dataclass(frozen=True, slots=True)
class ReleasePlace:
    """A PC on which a release does not get on; ``reason`` is its own word."""

    source: str
    hostname: str | None
    unit: UnitRef | None
    state: str
    version: str | None
    last_received_at: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class ReleaseProgress:
    """How far a release is: PCs by state and by the version they run; ``amiss`` one by one, at most 500."""

    release: ReleaseInfo
    states: dict[str, int]
    versions: dict[str, int]
    amiss: list[ReleasePlace]


class StageInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """To how many per cent of the sources a release is offered."""

    percent: int


class WithdrawInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Why a release is withdrawn."""

    reason: str | None = None


def _make(row: Row, progress: Progress | None = None) -> ReleaseInfo:
    return ReleaseInfo(
        id=row["id"],
        version=row["version"],
        system=row["system"],
        file=row["file_name"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
        percent=row["percent"],
        expires_at=rfc3339(row["expires_at_ms"]),
        published_at=rfc3339(row["published_at_ms"]),
        published_by=row["published_by"],
        withdrawn_at=rfc3339(row["withdrawn_at_ms"]),
        reason=row["withdrawn_reason"],
        for_pcs=None if progress is None else progress.total,
        running=None if progress is None else progress.states["running"],
        amiss=None if progress is None else sum(progress.states[name] for name in AMISS),
    )


def _check_unlimited(request: AppRequest) -> None:
    # A release reaches the PCs of every unit.
    if request.user.unit_id is not None:
        raise Problem(
            "forbidden",
            role=request.user.role,
            needed=Both("admin, mọi đơn vị", "admin, all units"),
        )


def _check_percent(percent: int) -> None:
    if not 1 <= percent <= 100:
        raise Problem("bad_field", field="percent", value=percent, wanted="1-100")


@get("/api/v1/agent-releases", opt={"role": "auditor"}, tags=["sources"])
async def list_releases(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[ReleaseInfo]:
    """List releases, the last published first."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    offered = [row for row in rows if _is_offered(row)]
    if not offered:
        return Page([_make(row) for row in rows], total, cursor)
    since = min(row["published_at_ms"] for row in offered)
    fleet = await _load_fleet(request, asked.units, since, asked.moment)
    made = [_make(row, progress_of(fleet, row) if _is_offered(row) else None) for row in rows]
    return Page(made, total, cursor)


def _is_offered(row: Row) -> bool:
    """Tell whether a release was offered then, to a share that is known."""
    return row["withdrawn_at_ms"] is None and row["percent"] is not None


async def _load_fleet(
    request: AppRequest, units: list[int] | None, since_ms: int, moment: Moment
) -> Fleet:
    async with services_of(request).db.reading() as session:
        return await load_fleet(session, units, since_ms, moment.day, moment.known_ms)


@get("/api/v1/agent-releases/{ref:str}/progress", opt={"role": "auditor"}, tags=["sources"])
async def get_release_progress(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> ReleaseProgress:
    """Return how far a release is among the PCs in sight, by what they told last."""
    services = services_of(request)
    row = await _find(request, ref)
    units = await visible_units(services, request.user, moment, None)
    fleet = await _load_fleet(request, units, row["published_at_ms"], moment)
    found = progress_of(fleet, row)
    refs = await load_refs(services, moment)
    places = [
        ReleasePlace(
            source=each.source,
            hostname=each.hostname,
            unit=None if each.unit_id is None else refs.get(each.unit_id),
            state=each.state,
            version=each.version,
            last_received_at=rfc3339(each.last_received_ms),
            reason=each.reason,
        )
        for each in found.amiss[:MOST_PLACES]
    ]
    return ReleaseProgress(_make(row, found), found.states, dict(found.versions), places)


@post(
    "/api/v1/agent-releases",
    status_code=201,
    opt={"role": "admin"},
    tags=["sources"],
    request_max_body_size=LARGEST_PACKAGE_BYTES,
)
async def publish_release(
    request: Request[Any, Any, Any], signed: FromQuery[str], percent: FromQuery[int] = 1
) -> ReleaseInfo:
    """Publish a package (the body) with its signed manifest (base64url of the file)."""
    _check_unlimited(request)
    _check_percent(percent)
    services = services_of(request)
    release = _read_signed(signed)
    manifest = release.manifest
    package = await request.body()
    if len(package) != manifest.size_bytes or sha256(package).hexdigest() != manifest.sha256:
        raise Problem(
            "bad_field", field="body", value=f"{len(package)} bytes", wanted=manifest.file
        )
    if manifest.expires_at.timestamp() * 1000 <= services.clock():
        wanted = Both("một bản chưa hết hạn", "one that has not expired")
        raise Problem("bad_field", field="expires_at", value=manifest.expires_at, wanted=wanted)
    now = services.clock()
    try:
        async with services.db.transaction() as session:
            made = await releases.publish(
                session, release, package, percent=percent, who=request.user.name, now_ms=now
            )
            await record(
                session, at_ms=now, who=request.user.name, act="agent_release.publish",
                subject=f"agent_release:{made}",
                after={"version": manifest.version, "system": manifest.system,
                       "sha256": manifest.sha256, "percent": percent},
            )  # fmt: skip
    except Refused as error:
        ref = f"{manifest.version} {manifest.system}"
        raise Problem("conflict", what=NOUN, ref=ref) from error
    return _make(await _find(request, str(made)))


def _read_signed(text: str) -> Signed:
    try:
        return read_signed(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ManifestError, binascii.Error, ValueError) as error:
        wanted = Both("tệp .signed của gói", "the .signed file of the package")
        value = clean_text(str(error))[:200]
        raise Problem("bad_field", field="signed", value=value, wanted=wanted) from error


@post(
    "/api/v1/agent-releases/{ref:str}/stage",
    status_code=200,
    opt={"role": "admin"},
    tags=["sources"],
)
async def stage_release(
    request: AppRequest, ref: FromPath[str], data: JSONBody[StageInput]
) -> ReleaseInfo:
    """Offer a release to so many per cent of the sources."""
    _check_unlimited(request)
    _check_percent(data.percent)
    now = services_of(request).clock()

    async def stage(session: Session, release: int) -> bool:
        return await releases.set_percent(session, release, data.percent, now)

    return await _change(request, ref, now, stage, "stage", {"percent": data.percent})


@post(
    "/api/v1/agent-releases/{ref:str}/withdraw",
    status_code=200,
    opt={"role": "admin"},
    tags=["sources"],
)
async def withdraw_release(
    request: AppRequest, ref: FromPath[str], data: JSONBody[WithdrawInput]
) -> ReleaseInfo:
    """Offer a release to nobody any more."""
    _check_unlimited(request)
    reason = clean_text(data.reason or "")[:300] or None
    now = services_of(request).clock()

    async def withdraw(session: Session, release: int) -> bool:
        return await releases.withdraw(session, release, reason, now)

    return await _change(request, ref, now, withdraw, "withdraw", {"reason": reason})


async def _change(
    request: AppRequest,
    ref: str,
    now_ms: int,
    make: Callable[[Session, int], Awaitable[bool]],
    act: OfferAct,
    after: dict[str, Any],
) -> ReleaseInfo:
    """Change an offered release, with its entry. Raises Problem 404, or 409 for a withdrawn one."""
    row = await _find(request, ref)
    async with services_of(request).db.transaction() as session:
        if not await make(session, row["id"]):
            state = Both("đã thu hồi", "withdrawn")
            raise Problem("state", what=NOUN, ref=ref, state=state)
        await record(
            session, at_ms=now_ms, who=request.user.name, act=f"agent_release.{act}",
            subject=f"agent_release:{row['id']}", before={"percent": row["percent"]}, after=after,
        )  # fmt: skip
    return _make(await _find(request, str(row["id"])))


@get("/api/v1/agent-update", opt={"role": "source"}, tags=["enrolment"])
async def get_update(
    request: AppRequest, system: FromQuery[str], version: FromQuery[str]
) -> Response[bytes]:
    """Return to an agent the release it may take, 204 when there is none."""
    services = services_of(request)
    source = await authenticate_source(services, request.headers, "agent")
    if system not in SYSTEMS:
        wanted = " | ".join(SYSTEMS)
        raise Problem("bad_field", field="system", value=system[:40], wanted=wanted)
    try:
        async with services.db.reading() as session:
            row = await releases.find_offer(
                session, source.public_id, system, version, services.clock()
            )
    except ManifestError as error:
        raise Problem("bad_field", field="version", value=version[:40], wanted="1.4.0") from error
    if row is None:
        return Response(b"", status_code=204)
    offer = {"release": row["id"], "percent": row["percent"], "signed": row["signed"]}
    return Response(msgspec.json.encode(offer), media_type="application/json")


@get("/api/v1/agent-update/{release:int}/{number:int}", opt={"role": "source"}, tags=["enrolment"])
async def get_update_part(
    request: AppRequest, release: FromPath[int], number: FromPath[int]
) -> Response[bytes]:
    """Return a part of a release's package to an agent."""
    services = services_of(request)
    await authenticate_source(services, request.headers, "agent")
    async with services.db.reading() as session:
        data = await releases.find_part(session, release, number)
    if data is None:
        raise Problem("not_found", what=NOUN, ref=f"{release}/{number}")
    return Response(data, media_type="application/octet-stream")


async def _find(request: AppRequest, ref: str) -> Row:
    return await fetch_one(
        services_of(request),
        LISTING,
        noun=NOUN,
        ref=ref,
        names=(),
        moment=now_of(services_of(request)),
        units=None,
    )


HANDLERS = (
    list_releases,
    get_release_progress,
    publish_release,
    stage_release,
    withdraw_release,
    get_update,
    get_update_part,
)
