"""Manual indicators: what no machine can measure, as actual figures beside their targets."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.domain.indicators import MILLION, Figure, IndicatorRow, load
from kiemke.server.domain.text import is_found
from kiemke.server.errors import Both, Problem
from kiemke.server.imports.ledger import Context, Plan
from kiemke.server.imports.script import Script
from kiemke.server.imports.table import TableRow
from kiemke.server.imports.tables.indicators import IndicatorImporter
from kiemke.server.imports.templates import INDICATORS
from kiemke.server.models.indicators import INDICATOR_MEASURES
from kiemke.server.resources.listing import ListQuery, Page, page_of
from kiemke.server.resources.tree import Moment, UnitRef, find_unit_id, load_refs, visible_units
from kiemke.wire.clean import clean_text


@dataclass(frozen=True, slots=True)
class FigureOutput:
    """A figure since a day: a percentage as a share of 1, anything else in its own unit."""

    amount: float
    since: str
    instrument: str | None
    source: str | None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator of one unit on ``day``; ``reached`` null where one of both is unknown."""

    code: str
    name: str
    measure: str
    more_is_better: bool
    unit: UnitRef
    day: str
    actual: FigureOutput | None
    target: FigureOutput | None
    reached: bool | None


@dataclass(frozen=True, slots=True)
class IndicatorInput:
    """A unit's figures from a day on, as a person writes them: "94 %", "5.060", "6,3 tỷ", "89,31".

    ``name`` and ``measure`` are needed once, for a new code.
    """

    code: str
    unit: str
    actual: str | None = None
    target: str | None = None
    name: str | None = None
    measure: str | None = None
    more_is_better: bool | None = None
    day: date | None = None
    source: str | None = None
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class IndicatorOutcome:
    """What the figures do: "new", "changed" or "same", and whether they were written."""

    code: str
    outcome: str
    applied: bool


@get("/api/v1/indicators", opt={"role": "viewer"}, tags=["coverage"])
async def list_indicators(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[Indicator]:
    """List what holds on the day, by code and unit."""
    services = services_of(request)
    moment = asked.moment
    async with services.db.reading() as session:
        rows = await load(session, moment.day, moment.known_ms, asked.units)
    refs = await load_refs(services, moment)
    rows = [row for row in rows if is_found(asked.q, f"{row.code} {row.name}")]
    page, cursor = page_of(rows, asked)
    day = moment.day.isoformat()
    return Page([_make(row, refs[row.unit_id], day) for row in page], len(rows), cursor)


def _make(row: IndicatorRow, unit: UnitRef, day: str) -> Indicator:
    return Indicator(
        row.code,
        row.name,
        row.measure,
        row.more_is_better,
        unit,
        day,
        _figure(row.actual),
        _figure(row.target),
        row.reached,
    )


def _figure(figure: Figure | None) -> FigureOutput | None:
    if figure is None:
        return None
    amount = figure.amount_millionths / MILLION
    return FigureOutput(amount, figure.since.isoformat(), figure.instrument, figure.source)


@post("/api/v1/indicators", status_code=200, opt={"role": "it"}, tags=["coverage"])
async def set_indicator(
    request: AppRequest, data: JSONBody[IndicatorInput], apply: FromQuery[bool] = False
) -> IndicatorOutcome:
    """Say what a figure changes; with ``apply``, write it."""
    services = services_of(request)
    values = await _values(request, services, data)
    now_ms = services.clock()
    demo = bool(services.installation and services.installation.demo)
    context = Context(INDICATORS, request.user.name, now_ms, services.today(), record, demo)
    importer, row = IndicatorImporter(), TableRow(1, values)
    async with services.db.change() as session:
        plan = await importer.plan(session, [row], context)
        _refuse(plan)
        if apply:
            script = Script(services.db, session)
            await importer.write(script, context)
            await script.play(session)
    return IndicatorOutcome(values["code"], plan.outcomes[row.key], apply)


def _refuse(plan: Plan) -> None:
    if plan.errors:
        told = plan.errors[0]
        vi, en = (
            f"{told.message.say(language)}; {told.remedy.say(language)}"
            for language in ("vi", "en")
        )
        raise Problem("unreadable", what=Both(vi, en))


async def _values(request: AppRequest, services: Services, data: IndicatorInput) -> dict[str, Any]:
    """Return the columns that were given. Raises Problem 400, or 404 for a unit out of sight."""
    if data.actual is None and data.target is None:
        raise Problem(
            "bad_field", field="actual, target", value="", wanted=Both("một trong hai", "one")
        )
    if data.measure is not None and data.measure not in INDICATOR_MEASURES:
        wanted = " | ".join(INDICATOR_MEASURES)
        raise Problem("bad_field", field="measure", value=data.measure[:40], wanted=wanted)
    now = Moment(services.today(), services.clock())
    unit_id = await find_unit_id(services, data.unit, now)
    allowed = await visible_units(services, request.user, now, None)
    if allowed is not None and unit_id not in allowed:
        raise Problem("not_found", what=Both("đơn vị", "unit"), ref=data.unit)
    lengths = {
        "code": 60, "unit": 40, "name": 200, "actual": 60, "target": 60, "source": 300,
        "instrument": 200,
    }  # fmt: skip
    values: dict[str, Any] = {}
    for name, most in lengths.items():
        given = getattr(data, name)
        if given is not None and (text := clean_text(given, most)):
            values[name] = text
    if "code" not in values:
        raise Problem("bad_field", field="code", value="", wanted=Both("mã", "a code"))
    if data.measure is not None:
        values["measure"] = data.measure
    if data.more_is_better is not None:
        values["more_is_better"] = data.more_is_better
    values["valid_from"] = data.day or services.today()
    return values


HANDLERS = (list_indicators, set_indicator)
