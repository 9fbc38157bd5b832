"""Exports: any report as a file, streamed, with who took what in the audit log."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Stream

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.domain.tables import Question
from kiemke.server.errors import Both, Problem
from kiemke.server.exports.run import FORMATS, Export
from kiemke.server.reports import REPORTS
from kiemke.server.resources.listing import language_of
from kiemke.server.resources.tree import Moment, find_unit_id, visible_units

NOUN = Both("báo cáo", "report")


@dataclass(frozen=True, slots=True)
class ExportKind:
    """A report that can be had, its title in the language asked for, and its formats."""

    name: str
    title: str
    formats: list[str]


@get("/api/v1/exports", opt={"role": "auditor"}, tags=["exports"])
async def list_exports(request: AppRequest) -> list[ExportKind]:
    """List the reports."""
    language = language_of(request)
    return [
        ExportKind(report.name, report.title.say(language), list(FORMATS))
        for report in REPORTS.values()
    ]


@get("/api/v1/exports/{name:str}", opt={"role": "auditor"}, tags=["exports"])
async def get_export(
    request: AppRequest,
    name: FromPath[str],
    moment: NamedDependency[Moment],
    unit: FromQuery[str | None] = None,
    lang: FromQuery[str | None] = None,
) -> Stream:
    """Return REPORT.FORMAT as a file; its last rows give the count of rows and their SHA-256."""
    stem, _, ending = name.rpartition(".")
    if stem not in REPORTS or ending not in FORMATS:
        known = f"{', '.join(REPORTS)}; {', '.join(FORMATS)}"
        raise Problem("not_found", what=NOUN, ref=f"{name[:60]} ({known})")
    services = services_of(request)
    units = await visible_units(services, request.user, moment, unit)  # refuses one out of sight
    unit_id = None if unit is None else await find_unit_id(services, unit, moment)
    if unit is None and request.user.roots is not None and len(request.user.roots) == 1:
        unit_id = request.user.unit_id
    question = Question(
        day=moment.day,
        known_ms=moment.known_ms,
        now_ms=services.clock(),
        unit_id=unit_id,
        language=lang if lang in ("vi", "en") else language_of(request),
        within=None if units is None else frozenset(units),
    )
    export = Export(services.db, REPORTS[stem], ending, question)
    # Written before the first byte leaves: a download broken off has been read in part all the same.
    await _note(services, request.user.name, name, question, "export.begin", {})
    return Stream(
        _run(services, export, request.user.name, name, question),
        media_type=export.format.media_type,
        headers={"Content-Disposition": f'attachment; filename="{export.file_name}"'},
    )


async def _run(
    services: Services, export: Export, who: str, name: str, question: Question
) -> AsyncIterator[bytes]:
    async for piece in export.stream():
        yield piece
    if export.footer is not None:
        held = {"rows": export.footer.rows, "sha256": export.footer.sha256}
        await _note(services, who, name, question, "export.end", held)


async def _note(
    services: Services,
    who: str,
    name: str,
    question: Question,
    act: str,
    held: Mapping[str, object],
) -> None:
    async with services.db.transaction() as session:
        await record(
            session,
            at_ms=services.clock(),
            who=who,
            act=act,
            subject=f"export:{name}",
            after={
                "as_of": question.day,
                "known_at_ms": question.known_ms,
                "unit_id": question.unit_id,
                "units": None if question.within is None else len(question.within),
                **held,
            },
        )


HANDLERS = (list_exports, get_export)
