"""The minutes of a stock-take: a page to print, and the same table in every export format."""

from collections.abc import AsyncIterator

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.domain.stock_takes import Take
from kiemke.server.domain.tables import Question
from kiemke.server.errors import Both, Problem
from kiemke.server.exports.run import FORMATS, Export
from kiemke.server.reports.stock_take import minutes_report
from kiemke.server.resources.listing import language_of
from kiemke.server.resources.stock_takes import asker_of, find_take, lines_of
from kiemke.server.resources.tree import Moment, load_refs
from kiemke.server.web.stock_take_minutes import stock_take_minutes

NOUN = Both("dạng tệp", "format")
HTML = "html"


@get(
    "/api/v1/stock-takes/{ref:str}/minutes/{kind:str}",
    opt={"role": "auditor"},
    tags=["assets"],
)
async def get_minutes(
    request: AppRequest,
    ref: FromPath[str],
    kind: FromPath[str],
    moment: NamedDependency[Moment],
    lang: FromQuery[str | None] = None,
) -> Stream | Response[str]:
    """Return the minutes of a stock-take as html, csv, xlsx or jsonl; a draft until it is closed."""
    if kind != HTML and kind not in FORMATS:
        known = ", ".join((HTML, *FORMATS))
        raise Problem("not_found", what=NOUN, ref=f"{kind[:40]} ({known})")
    services = services_of(request)
    take = await find_take(request, ref, moment)
    asker = await asker_of(request, take, moment.known_ms)
    async with services.db.reading() as session:
        lines, _ = await lines_of(session, asker, take, moment.known_ms, values=True)
        said = await session.one(
            "SELECT instrument FROM stock_take_version WHERE id = :id", id=take.version_id
        )
    number = said["instrument"] if said and take.state == "closed" else None
    await _note(services, request.user.name, take, kind, len(lines))
    if kind == HTML:
        refs = await load_refs(services, Moment(take.day, moment.known_ms))
        counted = refs.get(take.counted_unit_id)
        demo = bool(services.installation and services.installation.demo)
        name = counted.name if counted else ""
        page = stock_take_minutes(take, name, lines, number, demo=demo)
        return Response(page, media_type="text/html; charset=utf-8")
    question = Question(
        day=take.day,
        known_ms=moment.known_ms,
        now_ms=services.clock(),
        unit_id=take.counted_unit_id,
        language=lang if lang in ("vi", "en") else language_of(request),
    )
    export = Export(services.db, minutes_report(lines), kind, question)
    return Stream(
        _run(export),
        media_type=export.format.media_type,
        headers={"Content-Disposition": f'attachment; filename="{export.file_name}"'},
    )


async def _run(export: Export) -> AsyncIterator[bytes]:
    async for piece in export.stream():
        yield piece


async def _note(services: Services, who: str, take: Take, kind: str, lines: int) -> None:
    async with services.db.transaction() as session:
        await record(
            session, at_ms=services.clock(), who=who, act="stock_take.minutes",
            subject=f"stock_take:{take.id}", after={"format": kind, "lines": lines},
        )  # fmt: skip


HANDLERS = (get_minutes,)
