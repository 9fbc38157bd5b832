"""Imports of tables from files, and the empty templates for them."""

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from kiemke.server.assignment import assign_unassigned
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.imports.headings import SEARCHED_ROWS
from kiemke.server.imports.options import (
    ACCEPTABLE,
    DAY_ORDERS,
    REPAIRS,
    Options,
    by_key,
    pairs,
)
from kiemke.server.imports.run import run_import
from kiemke.server.imports.templates import TEMPLATES
from kiemke.server.imports.within import SCOPED
from kiemke.server.imports.writer import write_template
from kiemke.server.resources.import_shapes import ImportOutput
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    fetch_page,
    language_of,
)
from kiemke.server.resources.tree import now_of, visible_units
from kiemke.server.settings import LARGEST_IMPORT_BYTES

NOUN = Both("mẫu nhập", "template")
MEDIA_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LISTING = Listing(
    columns="r.id, r.template, r.file_name, r.file_sha256, r.row_count, r.applied_at_ms,"
    " r.applied_by",
    tables="import_run r",
    where=("r.applied_at_ms <= :known",),
    key="r.id",
    id="r.id",
    in_units="r.applied_by = :who",
    search=("r.file_name", "r.template"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class ImportRun:
    """One applied import; ``rows`` counts the file's rows."""

    id: int
    template: str
    file_name: str
    file_sha256: str
    rows: int
    applied_at: str | None
    applied_by: str


async def _reach(request: AppRequest, template: str) -> frozenset[int] | None:
    """Return the units a file may touch, None is all. Raises Problem for a template of all units."""
    if request.user.roots is None:
        return None
    if template not in SCOPED:
        needed = "it, all units (" + ", ".join(SCOPED) + ": it)"
        raise Problem("forbidden", role=request.user.role, needed=needed)
    services = services_of(request)
    units = await visible_units(services, request.user, now_of(services), None)
    return None if units is None else frozenset(units)


def _check_template(name: str) -> None:
    if name not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise Problem("not_found", what=NOUN, ref=f"{name[:40]} ({known})")


def _options(
    template: str,
    columns: list[str] | None,
    values: list[str] | None,
    repair: str | None,
    days: str | None,
    sheets: list[str] | None,
    heading_row: int | None,
    accept: list[str] | None,
    *,
    split: bool,
) -> Options:
    """Return the options asked for. Raises Problem for one that cannot be."""
    for name, value, allowed in (("repair", repair, REPAIRS), ("days", days, DAY_ORDERS)):
        if value is not None and value not in allowed:
            wanted = " | ".join(allowed)
            raise Problem("bad_field", field=name, value=value[:40], wanted=wanted)
    for value in accept or ():
        if value not in ACCEPTABLE:
            wanted = " | ".join(ACCEPTABLE)
            raise Problem("bad_field", field="accept", value=value[:40], wanted=wanted)
    if heading_row is not None and not 1 <= heading_row <= SEARCHED_ROWS:
        wanted = f"1–{SEARCHED_ROWS}"
        raise Problem("bad_field", field="heading_row", value=heading_row, wanted=wanted)
    known = [column.name for column in (*TEMPLATES[template].columns, *TEMPLATES[template].more)]
    try:
        mapped, given = by_key(pairs(columns or [])), pairs(values or [])
    except ValueError as error:
        wanted = "TÊN=GIÁ TRỊ | NAME=VALUE"
        raise Problem(
            "bad_field", field="map, set", value=str(error)[:40], wanted=wanted
        ) from error
    for name in (*filter(None, mapped.values()), *given):
        if name not in known:
            wanted = " | ".join(known)
            raise Problem("bad_field", field="map, set", value=name[:40], wanted=wanted)
    return Options(
        mapped,
        given,
        repair,
        days,
        split,
        tuple(sheets or ()),
        heading_row,
        frozenset(accept or ()),
    )


@get("/api/v1/templates/{name:str}", opt={"role": "it"}, tags=["imports"])
async def get_template(
    request: AppRequest,
    name: FromPath[str],
    kind: Annotated[str, QueryParameter(name="format", description="xlsx or csv")] = "xlsx",
    lang: Annotated[str | None, QueryParameter(description="vi or en")] = None,
) -> Response[bytes]:
    """Return an empty file to fill in."""
    _check_template(name)
    if kind not in MEDIA_TYPES:
        raise Problem("bad_field", field="format", value=kind[:40], wanted="xlsx | csv")
    language = lang if lang in ("vi", "en") else language_of(request)
    data = write_template(name, kind, language)
    disposition = f'attachment; filename="{name}.{kind}"'
    return Response(
        data, media_type=MEDIA_TYPES[kind], headers={"Content-Disposition": disposition}
    )


@post(
    "/api/v1/imports",
    status_code=200,
    opt={"role": "it"},
    tags=["imports"],
    request_max_body_size=LARGEST_IMPORT_BYTES,
)
async def add_import(
    request: Request[Any, Any, Any],
    template: FromQuery[str],
    apply: FromQuery[bool] = False,
    filename: FromQuery[str] = "-",
    map_: Annotated[
        list[str] | None,
        QueryParameter(name="map", description="HEADING=column, HEADING= for none"),
    ] = None,
    set_: Annotated[
        list[str] | None, QueryParameter(name="set", description="column=value for every row")
    ] = None,
    repair: FromQuery[str | None] = None,
    days: FromQuery[str | None] = None,
    split: FromQuery[bool] = False,
    sheet: FromQuery[list[str] | None] = None,
    heading_row: FromQuery[int | None] = None,
    accept: FromQuery[list[str] | None] = None,
) -> ImportOutput:
    """Check a file against a template and, with ``apply``, write it: all of it or nothing.

    A file that raises questions (columns guessed, an encoding lost, days before months) is not
    written before they are answered: by ``accept``, ``repair``, ``days``, ``map`` and ``set``.
    """
    _check_template(template)
    within = await _reach(request, template)
    options = _options(template, map_, set_, repair, days, sheet, heading_row, accept, split=split)
    services = services_of(request)
    limit = services.settings.max_import_bytes
    data = await request.body()
    if len(data) > limit:
        raise Problem("too_large", limit=limit)
    async with services.imports:
        result = await run_import(
            services.db,
            template,
            data,
            filename,
            apply=apply,
            who=request.user.name,
            now_ms=services.clock(),
            audit=record,
            options=options,
            within=within,
        )
    if result.applied and template in ("units", "devices", "links"):
        async with services.db.transaction() as session:
            await assign_unassigned(session, who=request.user.name, now_ms=services.clock())
    return msgspec.convert(result.as_json(language_of(request)), ImportOutput)


@get("/api/v1/imports", opt={"role": "auditor"}, tags=["imports"])
async def list_imports(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[ImportRun]:
    """List applied imports, newest first; of a user of some units only his own."""
    who = request.user.name
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked, who=who)
    items = [
        ImportRun(
            row["id"],
            row["template"],
            row["file_name"],
            row["file_sha256"],
            row["row_count"],
            rfc3339(row["applied_at_ms"]),
            row["applied_by"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (get_template, add_import, list_imports)
