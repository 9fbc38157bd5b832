"""The yearly wear of fixed assets: what each is charged, what has gathered, what is left."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.text import is_found
from kiemke.server.domain.wear_now import WearQuestion, WearRow, load
from kiemke.server.errors import Problem
from kiemke.server.resources.listing import (
    ListQuery,
    Page,
    day_text,
    language_of,
    page_of,
    ratio_of,
)
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, visible_units

FIRST_YEAR, YEARS_AHEAD = 2000, 20


@dataclass(frozen=True, slots=True)
class Wear:
    """One owned asset in one year, as booked by the unit that answers for it on ``day``.

    ``asset_class`` is fixed_asset, tool, or null without a price. ``rate`` is the share of the
    original cost that a full year takes. Amounts are null for a tool and where ``note`` says what
    the book lacks. ``provisional``: the year has not ended by ``day``.
    """

    year: int
    day: str
    provisional: bool
    code: str
    name: str
    kind: str
    unit: UnitRef
    price_dong: int | None
    in_use_since: str | None
    asset_class: str | None
    rate: float | None
    life_years: int | None
    wear_dong: int | None
    accumulated_dong: int | None
    residual_dong: int | None
    note: str | None
    source: str | None


@get("/api/v1/wear", opt={"role": "auditor"}, tags=["wear"])
async def list_wear(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    year: Annotated[int | None, QueryParameter(description="default: that of the day")] = None,
) -> Page[Wear]:
    """List the wear of a year by unit and code. Without ``as_of``, a past year's last day counts."""
    services = services_of(request)
    last = services.today().year + YEARS_AHEAD
    wanted = asked.moment.day.year if year is None else year
    if not FIRST_YEAR <= wanted <= last:
        raise Problem("bad_field", field="year", value=str(wanted), wanted=f"{FIRST_YEAR}-{last}")
    moment = Moment(min(asked.moment.day, date(wanted, 12, 31)), asked.moment.known_ms)
    # The tree is that of the day, so what may be seen is asked once more for it.
    unit = request.query_params.get("unit")
    units = await visible_units(services, request.user, moment, unit)
    question = WearQuestion(wanted, moment.day, moment.known_ms, units)
    async with services.db.reading() as session:
        rows = await load(session, question)
    refs = await load_refs(services, moment)
    rows = [row for row in rows if is_found(asked.q, f"{row.code} {row.name}")]
    page, cursor = page_of(rows, asked)
    language = language_of(request)
    items = [_make(row, refs[row.unit_id], moment.day, language) for row in page]
    return Page(items, len(rows), cursor)


def _make(row: WearRow, unit: UnitRef, day: date, language: str) -> Wear:
    return Wear(
        year=row.year,
        day=day.isoformat(),
        provisional=day < date(row.year, 12, 31),
        code=row.code,
        name=row.name,
        kind=row.kind,
        unit=unit,
        price_dong=row.price_dong,
        in_use_since=day_text(row.in_use_since),
        asset_class=row.asset_class,
        rate=ratio_of(row.rate_per_million),
        life_years=row.life_years,
        wear_dong=row.charged_dong,
        accumulated_dong=row.accumulated_dong,
        residual_dong=row.residual_dong,
        note=row.note,
        source=row.source.say(language) if row.source else None,
    )


HANDLERS = (list_wear,)
