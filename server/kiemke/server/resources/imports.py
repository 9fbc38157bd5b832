"""Imports of tables from files, and the empty templates for them."""

from dataclasses import dataclass
from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from kiemke.server.assignment import assign_unassigned
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.imports.run import run_import
from kiemke.server.imports.templates import TEMPLATES
from kiemke.server.imports.writer import write_template
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    fetch_page,
    language_of,
)
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


@dataclass(frozen=True, slots=True)
class ImportError:
    """What is wrong with one row; row 0 is the file itself."""

    row: int
    column: str | None
    value: str | None
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ImportOutput:
    """What the import did, or would do when ``applied`` is false. With errors nothing was written.

    ``errors_left_out`` counts those beyond the first thousand, which are not listed.
    """

    template: str
    rows: int
    new: int
    changed: int
    same: int
    errors: list[ImportError]
    errors_left_out: int
    ignored: list[str]
    applied: bool


def _check_unlimited(request: AppRequest) -> None:
    # A file may name any unit: only someone who may see all of them imports.
    if request.user.unit_id is not None:
        raise Problem("forbidden", role=request.user.role, needed="it, all units")


def _check_template(name: str) -> None:
    if name not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise Problem("not_found", what=NOUN, ref=f"{name[:40]} ({known})")


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
) -> ImportOutput:
    """Check a file against a template and, with ``apply``, write it: all of it or nothing."""
    _check_unlimited(request)
    _check_template(template)
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
        )
    if result.applied and template in ("units", "devices", "links"):
        async with services.db.transaction() as session:
            await assign_unassigned(session, who=request.user.name, now_ms=services.clock())
    told = result.as_json(language_of(request))
    return ImportOutput(**{**told, "errors": [ImportError(**error) for error in told["errors"]]})


@get("/api/v1/imports", opt={"role": "auditor"}, tags=["imports"])
async def list_imports(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[ImportRun]:
    """List applied imports, newest first."""
    _check_unlimited(request)
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
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
