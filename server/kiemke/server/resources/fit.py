"""Whose PC is fit for the work of their posts, and what is wanting."""

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.fit import FITNESS, FitRow, find, load, load_officials
from kiemke.server.domain.text import is_found
from kiemke.server.errors import Problem
from kiemke.server.resources.assets import PersonRef
from kiemke.server.resources.listing import ListQuery, Page, page_of
from kiemke.server.resources.tree import Moment, UnitRef


@dataclass(frozen=True, slots=True)
class Fit:
    """One verified person at 24:00 of ``day``. ``fitness`` is fit, unfit or fit_unknown.

    ``needs`` is what the posts ask by need (a number where one measures it), ``has`` what the PC has
    of those; ``missing`` needs are not met, ``unknown`` ones nobody can tell.
    """

    day: str
    official: PersonRef
    unit: UnitRef
    post: str | None
    asset: str
    machine: int | None
    fitness: str
    needs: dict[str, int]
    has: dict[str, int]
    missing: list[str]
    unknown: list[str]
    next: str | None


@get("/api/v1/coverage/fit", opt={"role": "auditor"}, tags=["coverage"])
async def list_fit(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    fitness: Annotated[str | None, QueryParameter(description=" | ".join(FITNESS))] = None,
) -> Page[Fit]:
    """List the verified persons, by unit and given name, with what their PC lacks for the work."""
    if fitness is not None and fitness not in FITNESS:
        wanted = " | ".join(FITNESS)
        raise Problem("bad_field", field="fitness", value=fitness[:40], wanted=wanted)
    services = services_of(request)
    day = min(asked.moment.day, services.today() - timedelta(days=1))
    moment = Moment(day, asked.moment.known_ms)
    until_ms = _until_ms(services, moment)
    keep = partial(is_found, asked.q) if asked.q else None
    async with services.db.reading() as session:
        if fitness is None:
            # Only those on the page are judged: what a whole country's PCs told is a gigabyte.
            found = await find(session, day, moment.known_ms, asked.units, keep)
            officials, cursor = page_of(found, asked)
            page = await load_officials(session, day, moment.known_ms, until_ms, officials)
            return Page([_make(row, day.isoformat()) for row in page], len(found), cursor)
        rows = await load(session, day, moment.known_ms, until_ms, asked.units)
    rows = [row for row in rows if row.fitness == fitness and (keep is None or keep(row.words))]
    page, cursor = page_of(rows, asked)
    return Page([_make(row, day.isoformat()) for row in page], len(rows), cursor)


def _until_ms(services: Services, moment: Moment) -> int:
    """Return up to when a section's content speaks of the day: of yesterday, what is known now.

    Inventories are kept as they are; what changed since an older day is not known of it.
    """
    if moment.day >= services.today() - timedelta(days=1):
        return moment.known_ms
    offset = services.installation.utc_offset_seconds if services.installation else 0
    return min(moment.known_ms, day_start_ms(moment.day + timedelta(days=1), offset))


def _make(row: FitRow, day: str) -> Fit:
    needs_work = row.fitness != "fit" and row.machine_id is not None
    return Fit(
        day=day,
        official=PersonRef(row.official_code, row.official_name),
        unit=UnitRef(row.unit_code, row.unit_name),
        post=row.post,
        asset=row.asset_code,
        machine=row.machine_id,
        fitness=row.fitness,
        needs=row.needs,
        has=row.has,
        missing=list(row.missing),
        unknown=list(row.unknown),
        next=f"kiemke machine show {row.machine_id}" if needs_work else None,
    )


HANDLERS = (list_fit,)
