"""Stock-takes: opened by a decision, listed, closed with their minutes, withdrawn."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Session
from kiemke.server.domain import stock_takes
from kiemke.server.domain.stock_take_lines import Line, count_states, load
from kiemke.server.domain.stock_takes import Member, Opening, Take, take_of
from kiemke.server.errors import Both, Problem
from kiemke.server.models.stock_takes import TAKE_REASONS, TAKE_STATES
from kiemke.server.resources.acts import allowed_now, told
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import (
    NOUN_UNIT,
    Moment,
    UnitRef,
    as_id,
    find_unit_id,
    load_refs,
    now_of,
    visible_units,
)
from kiemke.wire.clean import clean_text

NOUN = Both("đợt kiểm kê", "stock-take")
MOST_MEMBERS = 30
# A year's last day is counted by a list that is made before; things are looked for near the day.
MOST_DAYS_AWAY = 366
LISTING = Listing(
    columns=stock_takes.COLUMNS,
    tables=stock_takes.TABLES,
    where=(
        "{active v}",
        "(CAST(:state AS VARCHAR(12)) IS NULL OR v.state = :state)",
    ),
    key="s.id",
    id="s.id",
    in_units="v.unit_id IN :[units]",
    search=("s.instrument", "v.board_json"),
    descending=True,
)


class MemberInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of the board: ``role`` is "head" or "member", ``side`` whom the person stands for."""

    name: str
    post: str | None = None
    side: str | None = None
    role: str = "member"


class OpenInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which unit with all below it is counted, as of which day, by which decision and board."""

    unit: str
    day: date
    instrument: str
    reason: str = "year_end"
    board: list[MemberInput] = []


class EndInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The number of the minutes, or of the paper that withdraws a stock-take."""

    instrument: str


@dataclass(frozen=True, slots=True)
class TakeOutput:
    """A stock-take. ``unit`` answers for it, ``counted`` is whose things are counted.

    ``lines`` are how many there are in each state; null in a list.
    """

    id: int
    unit: UnitRef | None
    counted: UnitRef | None
    day: str
    reason: str
    instrument: str
    board: list[Member]
    state: str
    since: str
    opened_at: str | None
    opened_by: str
    lines: dict[str, int] | None = None
    applied: bool | None = None


@dataclass(frozen=True, slots=True)
class OpenedOutput:
    """What opening does: how many things are expected; ``id`` is null until it is written."""

    id: int | None
    counted: UnitRef | None
    day: str
    expected: int
    applied: bool
    board: list[Member] = field(default_factory=list)


def make(take: Take, refs: dict[int, UnitRef], lines: list[Line] | None = None) -> TakeOutput:
    """Return a stock-take as it is told."""
    return TakeOutput(
        take.id,
        refs.get(take.unit_id),
        refs.get(take.counted_unit_id),
        take.day.isoformat(),
        take.reason,
        take.instrument,
        list(take.board),
        take.state,
        take.since.isoformat(),
        rfc3339(take.opened_at_ms),
        take.opened_by,
        None if lines is None else dict(count_states(lines)),
    )


async def find_take(request: AppRequest, ref: str, moment: Moment) -> Take:
    """Return the stock-take of a number, if the user may see it. Raises Problem 404."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    if as_id(ref) is None:
        raise Problem("not_found", what=NOUN, ref=ref[:60])
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=(), moment=moment, units=units, state=None
    )
    return take_of(row)


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for the lines of a stock-take: the day today, his roots, and the units he sees; None is all."""

    today: date
    roots: tuple[int, ...] | None
    units: frozenset[int] | None


async def asker_of(request: AppRequest, take: Take, known_ms: int) -> Asker:
    """Return who asks. To be asked for before a reading begins: it reads by itself."""
    services = services_of(request)
    units = await visible_units(services, request.user, Moment(take.day, known_ms), None)
    seen = None if units is None else frozenset(units)
    return Asker(services.today(), request.user.roots, seen)


async def lines_of(
    session: Session, asker: Asker, take: Take, known_ms: int, *, values: bool = False
) -> tuple[list[Line], list[int]]:
    """Return the lines an asker may see, and the counted units that are others' now."""
    units, hidden = await stock_takes.units_counted(
        session, take, asker.today, known_ms, asker.roots
    )
    if take.state == "closed":
        lines = await stock_takes.closed_lines(session, take)
        gone = set(hidden)
        return [line for line in lines if line.unit_id not in gone], hidden
    mine = None if asker.units is None else {*asker.units, *units}
    lines = await load(session, take, units, known_ms, asker.today, mine=mine, values=values)
    return lines, hidden


def read_board(board: list[MemberInput]) -> tuple[Member, ...]:
    """Return a board, checked. Raises Problem 400."""
    if len(board) > MOST_MEMBERS:
        raise Problem("bad_field", field="board", value=len(board), wanted=f"<= {MOST_MEMBERS}")
    made = []
    for each in board:
        name = clean_text(each.name, 200)
        if not name:
            raise Problem("bad_field", field="board", value="", wanted=Both("tên", "a name"))
        if each.role not in ("head", "member"):
            raise Problem("bad_field", field="role", value=each.role[:40], wanted="head | member")
        post = clean_text(each.post, 200) if each.post else None
        side = clean_text(each.side, 200) if each.side else None
        made.append(Member(name, post, side, each.role))
    return tuple(made)


def read_paper(text: str) -> str:
    """Return the number of a paper. Raises Problem 400 for none."""
    paper = clean_text(text, 200)
    if not paper:
        raise Problem(
            "bad_field", field="instrument", value="", wanted=Both("số văn bản", "its number")
        )
    return paper


def demand_near(day: date, today: date) -> None:
    """Raise Problem 400 for a day too far ahead."""
    last = today + timedelta(days=MOST_DAYS_AWAY)
    if day > last:
        raise Problem("bad_field", field="day", value=str(day), wanted=f"<= {last}")


async def _opening(request: AppRequest, data: OpenInput) -> Opening:
    """Return what was asked, checked. Raises Problem 400, 404."""
    services = services_of(request)
    today = services.today()
    paper = read_paper(data.instrument)
    if data.reason not in TAKE_REASONS:
        wanted = " | ".join(TAKE_REASONS)
        raise Problem("bad_field", field="reason", value=data.reason[:40], wanted=wanted)
    demand_near(data.day, today)
    now_ms = services.clock()
    try:
        counted = await find_unit_id(services, data.unit, Moment(data.day, now_ms))
    except Problem:  # not there then: if it is now, that is what is told
        counted = await find_unit_id(services, data.unit, Moment(today, now_ms))
    async with services.db.reading() as session:
        answers = await stock_takes.heir_of(session, counted, today)
    allowed = await allowed_now(request)
    if allowed is not None and answers not in allowed:
        raise Problem("not_found", what=NOUN_UNIT, ref=data.unit)
    return Opening(counted, answers, data.day, data.reason, paper, read_board(data.board))


@post("/api/v1/stock-takes", status_code=200, opt={"role": "it"}, tags=["assets"])
async def open_stock_take(
    request: AppRequest, data: JSONBody[OpenInput], apply: FromQuery[bool] = False
) -> OpenedOutput:
    """Say how many things a stock-take expects; with ``apply``, open it."""
    services = services_of(request)
    asked = await _opening(request, data)
    now_ms, today = services.clock(), services.today()
    async with services.db.change() as session:
        with told():
            await stock_takes.demand_there(session, asked.counted_unit_id, asked.day)
            number = (
                await stock_takes.open_take(
                    session, asked, today=today, who=request.user.name, now_ms=now_ms
                )
                if apply
                else None
            )
        draft = Take(
            number or 0, asked.day, asked.reason, asked.instrument, asked.unit_id,
            asked.counted_unit_id, "open", asked.board, today, now_ms, request.user.name, now_ms,
            request.user.name, 0,
        )  # fmt: skip
        units, _ = await stock_takes.units_counted(
            session, draft, today, now_ms, request.user.roots
        )
        lines = await load(session, draft, units, now_ms, today)
        if number is not None:
            await record(
                session, at_ms=now_ms, who=request.user.name, act="stock_take.open",
                subject=f"stock_take:{number}", paper=asked.instrument,
                after={"unit_id": asked.counted_unit_id, "day": asked.day, "reason": asked.reason,
                       "board": [asdict(member) for member in asked.board]},
            )  # fmt: skip
    refs = await load_refs(services, Moment(asked.day, now_ms))
    counted = refs.get(asked.counted_unit_id)
    return OpenedOutput(
        number, counted, asked.day.isoformat(), len(lines), apply, list(asked.board)
    )


@get("/api/v1/stock-takes", opt={"role": "auditor"}, tags=["assets"])
async def list_stock_takes(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    which: Annotated[
        str | None, QueryParameter(name="state", description=" | ".join(TAKE_STATES))
    ] = None,
) -> Page[TakeOutput]:
    """List stock-takes, the last opened first."""
    if which is not None and which not in TAKE_STATES:
        wanted = " | ".join(TAKE_STATES)
        raise Problem("bad_field", field="state", value=which[:40], wanted=wanted)
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked, state=which)
    refs = await load_refs(services, asked.moment)
    return Page([make(take_of(row), refs) for row in rows], total, cursor)


@get("/api/v1/stock-takes/{ref:str}", opt={"role": "auditor"}, tags=["assets"])
async def get_stock_take(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> TakeOutput:
    """Return a stock-take, with how many lines are in each state."""
    services = services_of(request)
    take = await find_take(request, ref, moment)
    asker = await asker_of(request, take, moment.known_ms)
    async with services.db.reading() as session:
        lines, _ = await lines_of(session, asker, take, moment.known_ms)
    return make(take, await load_refs(services, moment), lines)


async def _end(
    request: AppRequest, ref: str, data: EndInput, state: str, *, apply: bool
) -> TakeOutput:
    services = services_of(request)
    paper = read_paper(data.instrument)
    async with services.db.change() as session:
        moment = now_of(services)  # not before its turn: who was before may have closed it
        take = await find_take(request, ref, moment)
        closing = state == "closed"
        asker = await asker_of(request, take, moment.known_ms)
        with told():
            await stock_takes.demand_open(session, take)
            lines, hidden = await lines_of(session, asker, take, moment.known_ms, values=closing)
            if closing:
                stock_takes.demand_answered(take, lines, hidden, moment.day)
        if apply:
            await stock_takes.end_take(
                session, take, state, lines if closing else [], instrument=paper,
                today=moment.day, who=request.user.name, now_ms=moment.known_ms,
            )  # fmt: skip
            await record(
                session, at_ms=moment.known_ms, who=request.user.name,
                act="stock_take.close" if closing else "stock_take.withdraw",
                subject=f"stock_take:{take.id}", paper=paper,
                after={"lines": dict(count_states(lines))},
            )  # fmt: skip
    made = make(take, await load_refs(services, moment), lines)
    return replace(made, state=state if apply else take.state, applied=apply)


@post("/api/v1/stock-takes/{ref:str}/close", status_code=200, opt={"role": "it"}, tags=["assets"])
async def close_stock_take(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[EndInput],
    apply: FromQuery[bool] = False,
) -> TakeOutput:
    """Say whether a stock-take can be closed; with ``apply``, close it: nothing changes it any more.

    ``instrument`` is the number of the minutes. Refused while a line is not answered.
    """
    return await _end(request, ref, data, "closed", apply=apply)


@post(
    "/api/v1/stock-takes/{ref:str}/withdraw", status_code=200, opt={"role": "it"}, tags=["assets"]
)
async def withdraw_stock_take(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[EndInput],
    apply: FromQuery[bool] = False,
) -> TakeOutput:
    """Withdraw a stock-take that was opened by mistake; what was found meanwhile stays a count."""
    return await _end(request, ref, data, "withdrawn", apply=apply)


HANDLERS = (
    open_stock_take,
    list_stock_takes,
    get_stock_take,
    close_stock_take,
    withdraw_stock_take,
)
