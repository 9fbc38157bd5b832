"""What waits for a second person, and that person's yes or no."""

from dataclasses import dataclass
from typing import Annotated

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from kiemke.server.approval_kinds import KINDS
from kiemke.server.auth import AppRequest, Principal
from kiemke.server.auth_grants import above_of
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.approvals import NOUN, decide
from kiemke.server.domain.audit_names import readable
from kiemke.server.domain.scope import covers
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Both, Problem
from kiemke.server.models.access import APPROVAL_STATES
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    fetch_one,
    fetch_page,
    language_of,
)
from kiemke.server.resources.tree import UnitRef, now_of, visible_units

LISTING = Listing(
    columns="p.id, p.kind, p.subject, p.unit_id, p.payload_json, p.instrument, p.state,"
    " p.asked_at_ms, p.asked_by_id, a.name AS asked_by, p.decided_at_ms, d.name AS decided_by,"
    " p.answer, v.code AS unit_code, v.name AS unit_name",
    tables="approval p JOIN app_user a ON a.id = p.asked_by_id"
    " LEFT JOIN app_user d ON d.id = p.decided_by_id"
    " LEFT JOIN unit_version v ON v.unit_id = p.unit_id AND {active v}",
    where=("(CAST(:state AS VARCHAR(20)) IS NULL OR p.state = :state)", "p.asked_at_ms <= :known"),
    key="p.id",
    id="p.id",
    in_units="p.unit_id IN :[units]",
    search=("p.subject", "p.instrument", "a.name"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    """A change somebody asked for: of what, by which paper, and who settled it how.

    ``about`` is the thing or person by code and name, null where it is elsewhere now.
    """

    id: int
    kind: str
    title: str
    subject: str
    unit: UnitRef | None
    instrument: str
    state: str
    asked_at: str | None
    asked_by: str
    decided_at: str | None
    decided_by: str | None
    answer: str | None
    about: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What the decider says, null for nothing."""

    answer: str | None = None


async def _make_all(
    request: AppRequest, rows: list[Row], units: list[int] | None
) -> list[ApprovalRow]:
    services, language = services_of(request), language_of(request)
    now = now_of(services)
    async with services.db.reading() as session:
        subjects = {row["subject"] for row in rows}
        names = await readable(session, subjects, units, now.day, now.known_ms)
    return [_make(row, language, names.get(row["subject"])) for row in rows]


def _make(row: Row, language: str, named: tuple[str, str] | None) -> ApprovalRow:
    kind = KINDS.get(row["kind"])
    return ApprovalRow(
        row["id"],
        row["kind"],
        kind.title.say(language) if kind else row["kind"],
        row["subject"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        row["instrument"],
        row["state"],
        rfc3339(row["asked_at_ms"]),
        row["asked_by"],
        rfc3339(row["decided_at_ms"]),
        row["decided_by"],
        row["answer"],
        " ".join(named) if named else None,
    )


@get("/api/v1/approvals", opt={"role": "auditor"}, tags=["approvals"])
async def list_approvals(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    in_state: Annotated[
        str | None, QueryParameter(name="state", description=" | ".join(APPROVAL_STATES))
    ] = None,
) -> Page[ApprovalRow]:
    """List what waits, or waited, for a second person, newest first."""
    if in_state is not None and in_state not in APPROVAL_STATES:
        wanted = " | ".join(APPROVAL_STATES)
        raise Problem("bad_field", field="state", value=in_state[:40], wanted=wanted)
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked, state=in_state)
    return Page(await _make_all(request, rows, asked.units), total, cursor)


async def _settle(request: AppRequest, ref: str, state: str, answer: str | None) -> ApprovalRow:
    services = services_of(request)
    user = request.user
    if user.kind != "session":  # somebody else may have made the token
        raise Problem("forbidden", role="token", needed=Both("đăng nhập", "signed in"))
    row = await _load(request, ref)
    async with services.db.change() as session:
        if state != "withdrawn" and row["asked_by_id"] != user.user_id:
            await _check_may_decide(services, session, user, row["unit_id"])
        await decide(
            session,
            row,
            state,
            kinds=KINDS,
            user_id=user.user_id,
            who=user.name,
            answer=clean_text(answer, 500) if answer else None,
            now_ms=services.clock(),
        )
    units = await visible_units(services, user, now_of(services), None)
    return (await _make_all(request, [await _load(request, str(row["id"]))], units))[0]


async def _check_may_decide(
    services: Services, session: Session, user: Principal, unit_id: int | None
) -> None:
    above = await above_of(session, unit_id, services.today())
    if not any(grant.approves and covers(grant.unit_id, above) for grant in user.grants):
        raise Problem("forbidden", role=user.role, needed=Both("duyệt", "approves"))


async def _load(request: AppRequest, ref: str) -> Row:
    services = services_of(request)
    moment = now_of(services)
    return await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=(),
        moment=moment,
        units=await visible_units(services, request.user, moment, None),
        state=None,
    )


@post(
    "/api/v1/approvals/{ref:str}/yes", status_code=200, opt={"role": "auditor"}, tags=["approvals"]
)
async def approve(request: AppRequest, ref: FromPath[str], data: JSONBody[Answer]) -> ApprovalRow:
    """Approve: the change is made now. Never by whoever asked for it."""
    return await _settle(request, ref, "approved", data.answer)


@post(
    "/api/v1/approvals/{ref:str}/no", status_code=200, opt={"role": "auditor"}, tags=["approvals"]
)
async def refuse(request: AppRequest, ref: FromPath[str], data: JSONBody[Answer]) -> ApprovalRow:
    """Refuse: the change is not made."""
    return await _settle(request, ref, "refused", data.answer)


@post(
    "/api/v1/approvals/{ref:str}/withdraw",
    status_code=200,
    opt={"role": "auditor"},
    tags=["approvals"],
)
async def withdraw(request: AppRequest, ref: FromPath[str], data: JSONBody[Answer]) -> ApprovalRow:
    """Take back what one asked for oneself."""
    return await _settle(request, ref, "withdrawn", data.answer)


HANDLERS = (list_approvals, approve, refuse, withdraw)
