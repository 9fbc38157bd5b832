"""Handovers: everything a person or unit holds changes hands in one act, with minutes to sign."""

from dataclasses import dataclass, field
from datetime import date

from litestar import post
from litestar.params import FromQuery, JSONBody

from kiemke.server.approval_kinds import refused
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain import residual
from kiemke.server.domain.handover import (
    CannotHandOver,
    Handover,
    Item,
    Party,
    find_party,
    items,
    keep,
    plan,
    unknown_party,
)
from kiemke.server.domain.handover import (
    apply as write,
)
from kiemke.server.errors import A_PAPER, UP_TO_TODAY, Both, Problem
from kiemke.server.resources.tree import Moment, visible_units
from kiemke.server.web.minutes import handover_minutes
from kiemke.wire.clean import clean_text


@dataclass(frozen=True, slots=True)
class PartyInput:
    """An official's code, or a unit's, or a place's."""

    official: str | None = None
    unit: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True)
class HandoverInput:
    """From whom to whom, since when, by which paper; without ``assets`` everything held."""

    giver: PartyInput
    receiver: PartyInput
    day: date
    instrument: str
    assets: list[str] = field(default_factory=list)
    place: str | None = None


@dataclass(frozen=True, slots=True)
class ItemOutput:
    """One thing that changes hands; ``residual_why``: why it has no residual value."""

    code: str
    tag: str | None
    name: str
    kind: str
    serial: str | None
    price_dong: int | None
    residual_dong: int | None
    residual_why: str | None


@dataclass(frozen=True, slots=True)
class HandoverOutput:
    """What changes hands, the minutes as a page to print, and whether it was written."""

    giver: str
    receiver: str
    items: list[ItemOutput]
    minutes_html: str
    applied: bool
    number: int | None = None


async def _party(
    session: Session, given: PartyInput, day: date, allowed: list[int] | None
) -> Party:
    if sum(code is not None for code in (given.official, given.unit, given.place)) != 1:
        wanted = "official | unit | place"
        raise Problem("bad_field", field="giver, receiver", value="", wanted=wanted)
    party = await find_party(
        session, day, official=given.official, unit=given.unit, place=given.place
    )
    if allowed is not None and party.unit_id not in allowed:
        if given.official is not None:
            raise unknown_party("cán bộ", "official", given.official)
        if given.place is not None:
            raise unknown_party("nơi", "place", given.place)
        raise unknown_party("đơn vị", "unit", given.unit or "")
    return party


async def _plan(
    session: Session, request: AppRequest, data: HandoverInput, allowed: list[int] | None
) -> tuple[Handover, list[Row]]:
    """Return what is asked and the rows it moves. Raises Problem 403, CannotHandOver."""
    asked = Handover(
        await _party(session, data.giver, data.day, allowed),
        await _party(session, data.receiver, data.day, allowed),
        data.day,
        clean_text(data.instrument, 200),
        tuple(data.assets),
        clean_text(data.place, 200) if data.place else None,
    )
    rows = await plan(session, asked)
    if allowed is not None and any(row["unit_id"] not in allowed for row in rows):
        raise Problem(
            "forbidden", role=request.user.role, needed=Both("it, cả hai đơn vị", "it, both units")
        )
    return asked, rows


async def _write(
    session: Session, asked: Handover, rows: list[Row], listed: list[Item], who: str, now_ms: int
) -> int:
    await write(session, asked, rows, who=who, now_ms=now_ms)
    number = await keep(session, asked, listed, who, now_ms)
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="asset.handover",
        subject=f"unit:{asked.receiver.unit_id}",
        before={"giver": [asked.giver.unit_id, asked.giver.official_id]},
        after={
            "receiver": [asked.receiver.unit_id, asked.receiver.official_id],
            "assets": [item.code for item in listed],
            "day": asked.day,
        },
        paper=asked.instrument,
    )
    return number


@post("/api/v1/handovers", status_code=200, opt={"role": "it"}, tags=["assets"])
async def hand_over(
    request: AppRequest, data: JSONBody[HandoverInput], apply: FromQuery[bool] = False
) -> HandoverOutput:
    """Say what would change hands, with the minutes; with ``apply``, write it."""
    services = services_of(request)
    if not clean_text(data.instrument, 200):
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    if data.day > services.today():
        raise Problem("bad_field", field="day", value=str(data.day), wanted=UP_TO_TODAY)
    # Rights are those of today: a paper of last year gives nobody the units of last year.
    today = Moment(services.today(), services.clock())
    allowed = await visible_units(services, request.user, today, None)
    number = None
    try:
        async with services.db.change() as session:
            asked, rows = await _plan(session, request, data, allowed)
            units = sorted({row["unit_id"] for row in rows})
            worth = await residual.load(session, asked.day, services.clock(), units)
            listed = items(rows, worth)
            if apply:
                who, now_ms = request.user.name, services.clock()
                number = await _write(session, asked, rows, listed, who, now_ms)
    except CannotHandOver as error:
        raise refused(error) from error
    demo = bool(services.installation and services.installation.demo)
    return HandoverOutput(
        asked.giver.name,
        asked.receiver.name,
        [
            ItemOutput(
                i.code,
                i.tag,
                i.name,
                i.kind,
                i.serial,
                i.price_dong,
                i.residual_dong,
                i.residual_why,
            )
            for i in listed
        ],  # fmt: skip
        handover_minutes(asked, listed, demo=demo),
        apply,
        number,
    )


HANDLERS = (hand_over,)
