"""Acts on officials by a paper: create, change, move, post, part-time duty, absence, leave, retire."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.officials import Act, Stamp, create, demand_unit_lives, perform
from kiemke.server.domain.person_name import PERSON
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.acts import allowed_now, paper_of, told, unit_on
from kiemke.server.resources.listing import written_of
from kiemke.server.resources.tree import Moment, UnitRef, as_id, load_refs
from kiemke.wire.clean import clean_text

NOUN = Both("cán bộ", "official")
MOST_HELD = 200
_UNSET = msgspec.UNSET
Text = str | None | msgspec.UnsetType


class NewOfficial(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An official to make: the name whole or by its parts, the first unit, kind and post."""

    code: str
    unit: str
    kind: str
    day: date
    instrument: str
    name: Text = _UNSET
    family_name: Text = _UNSET
    middle_name: Text = _UNSET
    given_name: Text = _UNSET
    phone: Text = _UNSET
    mailbox: Text = _UNSET
    account: Text = _UNSET
    post: str | None = None


class ActInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An act on an official, see the API page; fields that are not given stay as they are."""

    act: str
    day: date
    instrument: str
    name: Text = _UNSET
    family_name: Text = _UNSET
    middle_name: Text = _UNSET
    given_name: Text = _UNSET
    phone: Text = _UNSET
    mailbox: Text = _UNSET
    account: Text = _UNSET
    unit: str | msgspec.UnsetType = _UNSET
    kind: str | msgspec.UnsetType = _UNSET
    post: Text = _UNSET
    duty: str | msgspec.UnsetType = _UNSET
    reason: str | msgspec.UnsetType = _UNSET
    until: date | msgspec.UnsetType = _UNSET
    correction: bool = False


@dataclass(frozen=True, slots=True)
class HeldOutput:
    """A thing the official answers for in person on the day."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class SpanOutput:
    """A dated row: what it says, since when, until when, by which paper, who wrote it, if it stands.

    ``recorded_at_ms`` is what version 0.1.0 answered in the place of ``recorded_at``.
    """

    says: dict[str, Any]
    valid_from: str | None
    valid_to: str | None
    instrument: str | None
    recorded_by: str | None
    recorded_at: str | None
    voided: bool
    recorded_at_ms: int


@dataclass(frozen=True, slots=True)
class OfficialHistory:
    """Who an official was, memberships and absences, oldest first; voided rows were said so once."""

    code: str
    persons: list[SpanOutput]
    memberships: list[SpanOutput]
    absences: list[SpanOutput]


@dataclass(frozen=True, slots=True)
class OfficialAct:
    """What stands after the act, what the official still holds, and whether it was written."""

    before: OfficialHistory | None
    after: OfficialHistory
    holds: list[HeldOutput] = field(default_factory=list)
    applied: bool = False


class _DryRun(Exception):
    """Rolls the rehearsal of an act back."""


_TABLES = {
    "persons": ("official_version", PERSON),
    "memberships": (
        "membership",
        ("unit_id", "kind", "post", "is_primary", "duty", "ended_as", "ended_by"),
    ),
    "absences": ("absence", ("reason",)),
}


def _said(data: NewOfficial | ActInput) -> dict[str, Any]:
    """Return the fields of a person that were given, cleaned; "" is None."""
    caps = {"name": 200, "mailbox": 200, "phone": 30}
    given = {name: getattr(data, name) for name in PERSON}
    return {
        name: clean_text(value, caps.get(name, 100)) or None if value else None
        for name, value in given.items()
        if not isinstance(value, msgspec.UnsetType)
    }


async def _history(
    session: Session, official_id: int, refs: dict[int, UnitRef], known_ms: int, *, whole: bool
) -> OfficialHistory:
    """Return the dated rows of an official as known then; ``whole`` with what was voided by then."""
    found: dict[str, list[SpanOutput]] = {}
    for name, (table, columns) in _TABLES.items():
        standing = "" if whole else " AND (voided_at_ms IS NULL OR voided_at_ms > :known)"
        rows = await session.fetch(
            f"SELECT * FROM {table} WHERE official_id = :id"  # noqa: S608  # a name above
            f" AND recorded_at_ms <= :known{standing} ORDER BY valid_from, id",
            id=official_id,
            known=known_ms,
        )
        found[name] = [_span(row, columns, refs, known_ms) for row in rows]
    code = await session.one("SELECT code FROM official WHERE id = :id", id=official_id)
    return OfficialHistory(code["code"] if code else "", **found)


def _span(
    row: Row, columns: tuple[str, ...], refs: dict[int, UnitRef], known_ms: int
) -> SpanOutput:
    says = {name: row[name] for name in columns}
    if "unit_id" in says:
        unit = refs.get(says.pop("unit_id"))
        says["unit"] = None if unit is None else {"code": unit.code, "name": unit.name}
        says["is_primary"] = bool(says["is_primary"])
    return SpanOutput(says, *written_of(row, known_ms), row["recorded_at_ms"])


async def _find(session: Session, ref: str, day: date, allowed: list[int] | None) -> int:
    """Return an official's id by code or id; the unit on the day (else the last) must be allowed."""
    rows = await session.fetch(
        "SELECT o.id, m.unit_id FROM official o LEFT JOIN membership m ON m.official_id = o.id"
        " AND m.is_primary AND m.voided_at_ms IS NULL WHERE o.code = :ref OR o.id = :id"
        " ORDER BY CASE WHEN o.code = :ref THEN 0 ELSE 1 END,"
        " CASE WHEN m.valid_from <= :day AND (m.valid_to IS NULL OR m.valid_to > :day)"
        " THEN 0 ELSE 1 END, m.valid_from DESC",
        ref=ref,
        id=as_id(ref) or 0,
        day=day,
    )
    if not rows or (allowed is not None and rows[0]["unit_id"] not in allowed):
        raise Problem("not_found", what=NOUN, ref=ref)
    return int(rows[0]["id"])


async def _held(session: Session, official_id: int, day: date) -> list[HeldOutput]:
    rows = await session.fetch(
        "SELECT DISTINCT a.code, a.name FROM custody c JOIN asset a ON a.id = c.asset_id"
        " WHERE c.official_id = :id AND c.voided_at_ms IS NULL AND c.valid_from <= :day"
        " AND (c.valid_to IS NULL OR c.valid_to > :day) ORDER BY a.code LIMIT :most",
        id=official_id,
        day=day,
        most=MOST_HELD,
    )
    return [HeldOutput(row["code"], row["name"]) for row in rows]


async def _finish(
    session: Session,
    request: AppRequest,
    official_id: int,
    before: OfficialHistory | None,
    told_as: tuple[str, str, date],
    apply: bool,
) -> OfficialAct:
    """Read what stands now and write the audit entry; a dry run is the caller's to roll back."""
    services = services_of(request)
    act, paper, day = told_as
    now = services.clock()
    refs = await load_refs(services, Moment(services.today(), now))
    after = await _history(session, official_id, refs, now, whole=False)
    if apply:
        await record(
            session,
            at_ms=now,
            who=request.user.name,
            act=f"official.{act}",
            subject=f"official:{after.code}",
            before=None if before is None else msgspec.to_builtins(before),
            after={**msgspec.to_builtins(after), "day": day},
            paper=paper,
        )
    return OfficialAct(before, after, await _held(session, official_id, day), apply)


@post("/api/v1/officials", status_code=200, opt={"role": "it"}, tags=["officials"])
async def create_official(
    request: AppRequest, data: JSONBody[NewOfficial], apply: FromQuery[bool] = False
) -> OfficialAct:
    """Say what official would be made; with ``apply``, make him or her."""
    services = services_of(request)
    paper = paper_of(request, data.day, data.instrument)
    unit_id = await unit_on(request, data.unit, data.day)
    membership = {
        "unit_id": unit_id,
        "kind": data.kind,
        "post": clean_text(data.post, 200) if data.post else None,
    }
    stamp = Stamp(paper, request.user.name, services.clock())
    answer: OfficialAct | None = None
    try:
        with told():
            async with services.db.change() as session:
                id_ = await create(
                    session, clean_text(data.code, 40), _said(data), membership, data.day, stamp
                )
                await demand_unit_lives(session, id_, unit_id)
                answer = await _finish(
                    session, request, id_, None, ("create", paper, data.day), apply
                )
                if not apply:
                    raise _DryRun
    except _DryRun:
        pass
    if answer is None:
        raise AssertionError("the transaction ended without an answer")
    return answer


@post("/api/v1/officials/{ref:str}/acts", status_code=200, opt={"role": "it"}, tags=["officials"])
async def act_on_official(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[ActInput],
    apply: FromQuery[bool] = False,
) -> OfficialAct:
    """Say what would become of an official on a day; with ``apply``, write it."""
    services = services_of(request)
    paper = paper_of(request, data.day, data.instrument)
    allowed = await allowed_now(request)
    act = Act(data.act, data.day, await _fields(request, data), data.correction)
    stamp = Stamp(paper, request.user.name, services.clock())
    refs = await load_refs(services, Moment(services.today(), services.clock()))
    answer: OfficialAct | None = None
    try:
        with told():
            async with services.db.change() as session:
                id_ = await _find(session, ref, data.day, allowed)
                before = await _history(session, id_, refs, stamp.now_ms, whole=False)
                await perform(session, id_, act, stamp, services.today())
                if "unit_id" in act.fields:
                    await demand_unit_lives(session, id_, act.fields["unit_id"])
                answer = await _finish(
                    session, request, id_, before, (act.kind, paper, data.day), apply
                )
                if not apply:
                    raise _DryRun
    except _DryRun:
        pass
    if answer is None:
        raise AssertionError("the transaction ended without an answer")
    return answer


async def _fields(request: AppRequest, data: ActInput) -> dict[str, Any]:
    """Return what the act says, by the names of its columns."""
    if data.act == "change":
        return _said(data)
    fields: dict[str, Any] = {
        name: getattr(data, name)
        for name in ("kind", "duty", "reason", "until")
        if not isinstance(getattr(data, name), msgspec.UnsetType)
    }
    if not isinstance(data.post, msgspec.UnsetType):
        fields["post"] = clean_text(data.post, 200) or None if data.post else None
    if not isinstance(data.unit, msgspec.UnsetType):
        fields["unit_id"] = await unit_on(request, data.unit, data.day)
    return fields


@get("/api/v1/officials/{ref:str}/history", opt={"role": "auditor"}, tags=["officials"])
async def official_history(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> OfficialHistory:
    """Return every version, membership and absence of an official, voided ones too."""
    services = services_of(request)
    allowed = await allowed_now(request)
    refs = await load_refs(services, moment)
    async with services.db.reading() as session:
        id_ = await _find(session, ref, moment.day, allowed)
        return await _history(session, id_, refs, moment.known_ms, whole=True)


HANDLERS = (create_official, act_on_official, official_history)
