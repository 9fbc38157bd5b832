"""A stock-take's lines: listed with the next command, answered one by one or from a file of scanned numbers."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Annotated, Any

import msgspec
from litestar import Request, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain import stock_take_findings as findings
from kiemke.server.domain.stock_take_findings import RETRACT, Finding, Item, Looking
from kiemke.server.domain.stock_take_lines import LINE_STATES, Line, count_states, next_command
from kiemke.server.domain.stock_takes import Take, demand_open
from kiemke.server.domain.text import is_found
from kiemke.server.errors import Both, Problem
from kiemke.server.imports.parse import FileRefused, Reading, read_sheets
from kiemke.server.imports.scanned import NoNumbers, Scanned, read_scanned
from kiemke.server.models.book import ASSET_KINDS
from kiemke.server.models.stock_takes import FOUND
from kiemke.server.resources.acts import allowed_now, told
from kiemke.server.resources.listing import ListQuery, Page, page_of
from kiemke.server.resources.stock_takes import MOST_DAYS_AWAY, asker_of, find_take, lines_of
from kiemke.server.resources.tree import Moment, UnitRef, find_unit_id, load_refs, now_of
from kiemke.server.settings import LARGEST_IMPORT_BYTES
from kiemke.wire.clean import clean_text

MOST_ITEMS = 5_000


class ItemInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A number and what was found; ``result`` null takes that of the whole input."""

    number: str
    result: str | None = None
    place: str | None = None
    unit: str | None = None
    note: str | None = None
    name: str | None = None
    kind: str | None = None


class FoundInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What was found, by whom, on which day (null: today)."""

    items: list[ItemInput]
    counted_by: str
    day: date | None = None
    result: str | None = None
    unknown_as_surplus: bool = False


@dataclass(frozen=True, slots=True)
class FindingOutput:
    """One number: the asset it means, null for a surplus; ``outcome`` is new, changed or same."""

    number: str
    asset: str | None
    name: str | None
    result: str
    expected: bool
    outcome: str
    before: str | None


@dataclass(frozen=True, slots=True)
class FindingsOutput:
    """What the items do, how many lines are in each state then, and whether it was written."""

    day: str
    items: list[FindingOutput]
    lines: dict[str, int]
    applied: bool


@dataclass(frozen=True, slots=True)
class LineOutput:
    """A line; ``seen_at`` and ``seen_as`` tell of agents and collectors, ``next`` the command to type."""

    state: str
    code: str | None
    tag: str | None
    number: str | None
    name: str | None
    kind: str | None
    serial: str | None
    unit: UnitRef | None
    official: str | None
    place: str | None
    status: str | None
    price_dong: int | None
    found: str | None
    found_on: str | None
    found_place: str | None
    found_unit: str | None
    counted_by: str | None
    note: str | None
    seen_at: str | None
    seen_as: str | None
    next: str | None


def _make(take: int, line: Line, counted: str) -> LineOutput:
    unit = UnitRef(line.unit_code, line.unit_name or "") if line.unit_code else None
    return LineOutput(
        line.state, line.code, line.tag, line.number, line.name, line.kind, line.serial, unit,
        line.holder, line.place, line.status, line.price_dong, line.found, line.found_on,
        line.found_place, line.found_unit, line.counted_by, line.note, rfc3339(line.seen_at_ms),
        line.seen_as, next_command(take, line, counted),
    )  # fmt: skip


@get("/api/v1/stock-takes/{ref:str}/lines", opt={"role": "auditor"}, tags=["assets"])
async def list_lines(
    request: AppRequest,
    ref: FromPath[str],
    asked: NamedDependency[ListQuery],
    which: Annotated[
        list[str] | None, QueryParameter(name="state", description=" | ".join(LINE_STATES))
    ] = None,
) -> Page[LineOutput]:
    """List what is counted, differences first, each with the next command."""
    wanted = which or list(LINE_STATES)
    for each in wanted:
        if each not in LINE_STATES:
            choices = " | ".join(LINE_STATES)
            raise Problem("bad_field", field="state", value=each[:40], wanted=choices)
    services = services_of(request)
    take = await find_take(request, ref, asked.moment)
    asker = await asker_of(request, take, asked.moment.known_ms)
    async with services.db.reading() as session:
        lines, _ = await lines_of(session, asker, take, asked.moment.known_ms)
    refs = await load_refs(services, Moment(take.day, asked.moment.known_ms))
    counted = refs.get(take.counted_unit_id)
    visible = None if asked.units is None else set(asked.units)
    chosen = [
        line
        for name in LINE_STATES
        if name in wanted
        for line in lines
        if line.state == name and _fits(line, asked.q)
    ]
    if visible is not None and request.query_params.get("unit"):
        chosen = [line for line in chosen if line.unit_id in visible]
    page, cursor = page_of(chosen, asked)
    code = counted.code if counted else "…"
    return Page([_make(take.id, line, code) for line in page], len(chosen), cursor)


def _fits(line: Line, q: str) -> bool:
    """Return whether a line has what is searched for in its number, name or holder."""
    parts = (line.code, line.tag, line.number, line.serial, line.name, line.holder)
    return is_found(q, " ".join(part for part in parts if part))


@post("/api/v1/stock-takes/{ref:str}/found", status_code=200, opt={"role": "it"}, tags=["assets"])
async def add_found(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[FoundInput],
    apply: FromQuery[bool] = False,
) -> FindingsOutput:
    """Say what recording these numbers does; with ``apply``, record them: all of them or none."""
    items = [await _item(request, each, data.result) for each in data.items]
    looking = await _looking(request, data.day, data.counted_by, data.unknown_as_surplus)
    return await _add(request, ref, items, looking, apply=apply)


@post(
    "/api/v1/stock-takes/{ref:str}/files",
    status_code=200,
    opt={"role": "it"},
    tags=["assets"],
    request_max_body_size=LARGEST_IMPORT_BYTES,
)
async def add_file(
    request: Request[Any, Any, Any],
    ref: FromPath[str],
    counted_by: FromQuery[str],
    day: FromQuery[date | None] = None,
    result: FromQuery[str | None] = None,
    unknown_as_surplus: FromQuery[bool] = False,
    apply: FromQuery[bool] = False,
) -> FindingsOutput:
    """Record the numbers of a CSV, XLSX, XLS or ODS file as a scanner writes them, as ``found`` does.

    A column of numbers is enough; with headings there may be one of results, places and notes too.
    """
    services = services_of(request)
    data = await request.body()
    if len(data) > services.settings.max_import_bytes:
        raise Problem("too_large", limit=services.settings.max_import_bytes)
    if result is not None:
        _check_result(result)
    try:
        async with services.imports:
            sheets = await read_sheets(data, Reading("assets"))
        scanned = read_scanned(sheets, result)
    except (FileRefused, NoNumbers) as error:
        what, remedy = error.problem, error.remedy
        raise Problem(
            "refused", what=Both(what.vi, what.en), remedy=Both(remedy.vi, remedy.en)
        ) from error
    items = [replace(await _item(request, _of_scan(each), None), of_file=True) for each in scanned]
    looking = await _looking(request, day, counted_by, unknown_as_surplus)
    return await _add(request, ref, items, looking, apply=apply)


def _of_scan(scanned: Scanned) -> ItemInput:
    return ItemInput(scanned.number, scanned.result, scanned.place, None, scanned.note)


async def _item(request: AppRequest, each: ItemInput, result: str | None) -> Item:
    """Return an item, cleaned. Raises Problem 400, 404."""
    services = services_of(request)
    number = clean_text(each.number, 120)
    said = each.result or result
    if not number:
        raise Problem("bad_field", field="number", value="", wanted=Both("số tem", "a number"))
    if said is None:
        missing = Both("kết quả của từng số, hoặc của cả lần ghi", "one of each number, or of all")
        raise Problem("bad_field", field="result", value="", wanted=missing)
    _check_result(said)
    if each.kind is not None and each.kind not in ASSET_KINDS:
        wanted = ", ".join(ASSET_KINDS)
        raise Problem("bad_field", field="kind", value=each.kind[:40], wanted=wanted)
    unit_id = None
    if each.unit is not None:
        # Where a thing stands is a unit that exists, the asker's or not, by its code alone.
        unit_id = await find_unit_id(services, each.unit, now_of(services))
        allowed = await allowed_now(request)
        if allowed is not None and unit_id not in allowed:
            raise Problem("not_found", what=Both("đơn vị", "unit"), ref=each.unit)
    place = clean_text(each.place, 200) if each.place else None
    note = clean_text(each.note, 400) if each.note else None
    name = clean_text(each.name, 200) if each.name else None
    return Item(number, said, place or None, unit_id, note or None, name or None, each.kind)


def _check_result(said: str) -> None:
    if said not in (*FOUND, RETRACT):
        wanted = " | ".join((*FOUND, RETRACT))
        raise Problem("bad_field", field="result", value=said[:40], wanted=wanted)


async def _looking(
    request: AppRequest, day: date | None, counted_by: str, unknown_as_surplus: bool
) -> Looking:
    today = services_of(request).today()
    if day is not None and day > today:
        raise Problem(
            "bad_field", field="day", value=str(day), wanted=Both("<= hôm nay", "<= today")
        )
    who = clean_text(counted_by, 200)
    if not who:
        wanted = Both("tên người kiểm", "the counter's name")
        raise Problem("bad_field", field="counted_by", value="", wanted=wanted)
    return Looking(0, "", day or today, who, unknown_as_surplus)


def _check_day(take: Take, day: date) -> None:
    """Refuse a day too long before the stock-take's: a year mistyped is a count for ever."""
    first = take.day - timedelta(days=MOST_DAYS_AWAY)
    if day < first:
        wanted = Both(f"từ {first:%d/%m/%Y}", f"{first} or later")
        raise Problem("bad_field", field="day", value=str(day), wanted=wanted)


async def _add(
    request: AppRequest, ref: str, items: list[Item], looking: Looking, *, apply: bool
) -> FindingsOutput:
    services = services_of(request)
    if not items or len(items) > MOST_ITEMS:
        raise Problem("bad_field", field="items", value=len(items), wanted=f"1 – {MOST_ITEMS}")
    allowed = await allowed_now(request)
    async with services.db.change() as session:
        moment = now_of(services)  # not before its turn: who was before may have closed it
        take = await find_take(request, ref, moment)
        _check_day(take, looking.day)
        looking = Looking(
            take.id, take.instrument, looking.day, looking.counted_by, looking.unknown_is_surplus
        )
        asker = await asker_of(request, take, moment.known_ms)
        with told():
            await demand_open(session, take)
            lines, _ = await lines_of(session, asker, take, moment.known_ms)
            expected = {
                line.asset_id
                for line in lines
                if line.asset_id is not None and line.state != "not_expected"
            }
            found = await findings.plan(
                session, looking, items, expected, allowed, moment.day, moment.known_ms
            )
        if apply:
            await findings.write(
                session, looking, found, who=request.user.name, now_ms=moment.known_ms
            )
            lines, _ = await lines_of(session, asker, take, moment.known_ms)
            await record(
                session, at_ms=moment.known_ms, who=request.user.name, act="stock_take.add",
                subject=f"stock_take:{take.id}", paper=take.instrument,
                after={"day": looking.day, "counted_by": looking.counted_by, "items": len(found)},
            )  # fmt: skip
    return FindingsOutput(
        looking.day.isoformat(), [_told(each) for each in found], dict(count_states(lines)), apply
    )


def _told(each: Finding) -> FindingOutput:
    # A number nobody knows that is taken for a surplus is told as one.
    surplus = each.asset_id is None and each.item.result != RETRACT
    return FindingOutput(
        each.item.number,
        each.code,
        each.name,
        "surplus" if surplus else each.item.result,
        each.expected,
        each.outcome,
        each.before,
    )


HANDLERS = (list_lines, add_found, add_file)
