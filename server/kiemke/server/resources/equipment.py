"""Which units have which equipment, and one-stop desks against their checklist."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain import desks
from kiemke.server.domain.desks import FINDINGS, DeskRow
from kiemke.server.domain.equipment import UnitEquipment, load, summarise
from kiemke.server.domain.text import is_found
from kiemke.server.errors import Problem
from kiemke.server.models.organisation import UNIT_TYPES
from kiemke.server.resources.listing import ListQuery, Page, language_of, page_of
from kiemke.server.resources.tree import UnitRef, load_refs

MOST_WITHOUT = 50
_TYPES = QueryParameter(name="type", description="comma list of unit types; default all")


@dataclass(frozen=True, slots=True)
class EquipmentItem:
    """Of ``units`` units, ``having`` have at least one; ``without`` names the first fifty others."""

    day: str
    item: str
    units: int
    having: int
    things: int
    without: list[UnitRef]


@dataclass(frozen=True, slots=True)
class EquipmentOfUnit:
    """What a unit and all below it have in use, things by item."""

    day: str
    unit: UnitRef
    type: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class DeskThing:
    """A thing that serves a line: ``working`` null where nothing looks at it."""

    code: str
    kind: str
    in_use: bool
    working: bool | None
    found: bool | None


@dataclass(frozen=True, slots=True)
class DeskLine:
    """One line of a desk's checklist. present = working + silent + unknown; ``found`` by a count."""

    day: str
    desk: UnitRef
    unit: UnitRef
    item: str
    required: int
    present: int
    lack: int
    working: int
    silent: int
    unknown: int
    found: int
    finding: str
    source: str | None
    things: list[DeskThing]
    next: str | None


def _read_types(text: str | None) -> frozenset[str] | None:
    if text is None:
        return None
    types = frozenset(part.strip() for part in text.split(",") if part.strip())
    if not types or not types <= set(UNIT_TYPES):
        raise Problem("bad_field", field="type", value=text[:60], wanted=" | ".join(UNIT_TYPES))
    return types


async def _rows(
    request: AppRequest, asked: ListQuery, types: str | None
) -> tuple[list[UnitEquipment], list[UnitEquipment]]:
    """Return every unit in sight, and those of the types asked for."""
    wanted = _read_types(types)
    async with services_of(request).db.reading() as session:
        rows = await load(session, asked.moment.day, asked.moment.known_ms, asked.units)
    return rows, [row for row in rows if wanted is None or row.type in wanted]


@get("/api/v1/equipment", opt={"role": "viewer"}, tags=["coverage"])
async def list_equipment(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    types: Annotated[str | None, _TYPES] = None,
) -> Page[EquipmentItem]:
    """List each item: how many of the units have at least one, and how many things there are."""
    rows, chosen = await _rows(request, asked, types)
    found = summarise(rows, chosen)
    page, cursor = page_of(found, asked)
    day = asked.moment.day.isoformat()
    items = [
        EquipmentItem(
            day,
            row.item,
            row.units,
            row.having,
            row.things,
            [UnitRef(unit.code, unit.name) for unit in row.without[:MOST_WITHOUT]],
        )
        for row in page
    ]
    return Page(items, len(found), cursor)


@get("/api/v1/equipment/units", opt={"role": "viewer"}, tags=["coverage"])
async def list_equipment_of_units(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    types: Annotated[str | None, _TYPES] = None,
) -> Page[EquipmentOfUnit]:
    """List units with the number of things they and all below them have of each item."""
    _all, chosen = await _rows(request, asked, types)
    chosen = [row for row in chosen if is_found(asked.q, f"{row.code} {row.name}")]
    page, cursor = page_of(chosen, asked)
    day = asked.moment.day.isoformat()
    items = [EquipmentOfUnit(day, UnitRef(r.code, r.name), r.type, r.counts) for r in page]
    return Page(items, len(chosen), cursor)


@get("/api/v1/desks", opt={"role": "viewer"}, tags=["coverage"])
async def list_desks(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    finding: Annotated[str | None, QueryParameter(description=" | ".join(FINDINGS))] = None,
) -> Page[DeskLine]:
    """List every line of every one-stop desk's checklist, by desk."""
    if finding is not None and finding not in FINDINGS:
        wanted = " | ".join(FINDINGS)
        raise Problem("bad_field", field="finding", value=finding[:40], wanted=wanted)
    services = services_of(request)
    moment = asked.moment
    is_now = moment.day >= services.today() - timedelta(days=1)
    now_ms = min(moment.known_ms, services.clock()) if is_now else None
    async with services.db.reading() as session:
        rows = await desks.load(session, moment.day, moment.known_ms, now_ms, asked.units)
    refs = await load_refs(services, moment)
    rows = [
        row
        for row in rows
        if finding in (None, row.finding) and is_found(asked.q, f"{row.desk_code} {row.desk_name}")
    ]
    page, cursor = page_of(rows, asked)
    language, day = language_of(request), moment.day.isoformat()
    return Page([_line(row, refs[row.unit_id], day, language) for row in page], len(rows), cursor)


def _line(row: DeskRow, unit: UnitRef, day: str, language: str) -> DeskLine:
    return DeskLine(
        day=day,
        desk=UnitRef(row.desk_code, row.desk_name),
        unit=unit,
        item=row.item,
        required=row.required,
        present=row.present,
        lack=row.lack,
        working=row.working,
        silent=row.silent,
        unknown=row.unknown,
        found=row.found,
        finding=row.finding,
        source=row.source.say(language) if row.source else None,
        things=[
            DeskThing(thing.code, thing.kind, thing.in_use, thing.working, thing.found)
            for thing in row.things
        ],
        next=_next(row, unit),
    )


def _next(row: DeskRow, unit: UnitRef) -> str | None:
    if row.finding == "lack":
        return f"kiemke asset list --unit {unit.code} --status in_stock"
    silent = next((thing.code for thing in row.things if thing.working is False), None)
    if row.finding == "not_working" and silent is not None:
        return f"kiemke asset show {silent}"
    unseen = [thing.code for thing in row.things if thing.working is None and not thing.found]
    if row.finding == "unknown" and unseen:
        return f"kiemke asset count {' '.join(unseen)} --result seen --day … --by …"
    return None


HANDLERS = (list_equipment, list_equipment_of_units, list_desks)
