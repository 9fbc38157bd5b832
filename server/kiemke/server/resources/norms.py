"""Equipment against the norms of the posts: what each person and office may have, has and lacks."""

from dataclasses import dataclass
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.norms import NormQuestion, load
from kiemke.server.domain.norms_judge import FINDINGS, NormRow, OverPrice
from kiemke.server.domain.text import is_found
from kiemke.server.errors import Problem
from kiemke.server.resources.assets import PersonRef
from kiemke.server.resources.listing import ListQuery, Page, language_of, page_of
from kiemke.server.resources.tree import UnitRef, load_refs

ANY = "any"


@dataclass(frozen=True, slots=True)
class DearThing:
    """An asset above the price of its norm; ``decider`` is who may still allow it."""

    asset: str
    price_dong: int
    max_dong: int
    over_dong: int
    decider: str


@dataclass(frozen=True, slots=True)
class Norm:
    """One item of a person, or of an office (``official`` null), against its norm on ``day``.

    ``item`` null: the post is in no group. ``entitled``, ``lack``, ``over`` null: the law at hand
    names no number. ``staff`` is what an office's number is reckoned from.
    """

    day: str
    unit: UnitRef
    official: PersonRef | None
    post: str | None
    group: str | None
    item: str | None
    staff: int | None
    entitled: int | None
    has: int
    lack: int | None
    over: int | None
    max_price_dong: int | None
    over_price: list[DearThing]
    without_price: int
    findings: list[str]
    source: str | None


@get("/api/v1/norms", opt={"role": "auditor"}, tags=["norms"])
async def list_norms(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    finding: Annotated[str | None, QueryParameter(description=" | ".join((*FINDINGS, ANY)))] = None,
) -> Page[Norm]:
    """List offices and people with their norms, by unit and given name; ``finding`` chooses some."""
    if finding is not None and finding not in (*FINDINGS, ANY):
        wanted = " | ".join((*FINDINGS, ANY))
        raise Problem("bad_field", field="finding", value=finding[:40], wanted=wanted)
    services = services_of(request)
    question = NormQuestion(asked.moment.day, asked.moment.known_ms, asked.units)
    async with services.db.reading() as session:
        rows = await load(session, question)
    refs = await load_refs(services, asked.moment)
    rows = [
        row
        for row in rows
        if _is_wanted(row, finding) and is_found(asked.q, _text(row, refs.get(row.unit_id)))
    ]
    page, cursor = page_of(rows, asked)
    day, language = asked.moment.day.isoformat(), language_of(request)
    return Page([_make(row, refs[row.unit_id], day, language) for row in page], len(rows), cursor)


def _is_wanted(row: NormRow, finding: str | None) -> bool:
    if finding is None:
        return True
    return bool(row.findings) if finding == ANY else finding in row.findings


def _text(row: NormRow, unit: UnitRef | None) -> str:
    names = (row.official_code, row.official_name, row.post, unit and unit.code, unit and unit.name)
    return " ".join(name for name in names if name)


def _make(row: NormRow, unit: UnitRef, day: str, language: str) -> Norm:
    person = None
    if row.official_code is not None and row.official_name is not None:
        person = PersonRef(row.official_code, row.official_name)
    return Norm(
        day=day,
        unit=unit,
        official=person,
        post=row.post,
        group=row.group,
        item=row.item,
        staff=row.staff,
        entitled=row.entitled,
        has=row.has,
        lack=row.lack,
        over=row.over,
        max_price_dong=row.max_dong,
        over_price=[_dear(thing) for thing in row.over_price],
        without_price=row.unpriced,
        findings=list(row.findings),
        source=row.source.say(language) if row.source else None,
    )


def _dear(thing: OverPrice) -> DearThing:
    return DearThing(
        thing.asset_code, thing.price_dong, thing.max_dong, thing.over_dong, thing.decider
    )


HANDLERS = (list_norms,)
