"""The column maps that imports keep per source of files: which there are, and forgetting one."""

import json
from dataclasses import dataclass

from litestar import delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page

NOUN = Both("bản đồ cột", "column map")
LISTING = Listing(
    columns="m.id, m.template, m.fingerprint, m.columns_json, m.file_name, m.saved_at_ms, m.saved_by",
    tables="import_map m",
    where=("m.saved_at_ms <= :known",),
    key="m.id",
    id="m.id",
    search=("m.file_name", "m.template"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class ImportMap:
    """``columns`` turns headings (folded to their keys) into a template's columns; "" is left aside.

    ``file_name`` is the file at which a person agreed to it. A key that begins with + is a column that
    no sheet had and that was derived.
    """

    id: int
    template: str
    fingerprint: str
    columns: dict[str, str]
    file_name: str
    saved_at: str | None
    saved_by: str


def _check_unlimited(request: AppRequest) -> None:
    # A map says nothing of any unit, but serves the files of all.
    if request.user.unit_id is not None:
        raise Problem(
            "forbidden", role=request.user.role, needed=Both("it, mọi đơn vị", "it, all units")
        )


@get("/api/v1/import-maps", opt={"role": "it"}, tags=["imports"])
async def list_import_maps(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[ImportMap]:
    """List the column maps, newest first."""
    _check_unlimited(request)
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = [
        ImportMap(
            row["id"],
            row["template"],
            row["fingerprint"],
            json.loads(row["columns_json"]),
            row["file_name"],
            rfc3339(row["saved_at_ms"]),
            row["saved_by"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


@delete("/api/v1/import-maps/{ref:str}", status_code=204, opt={"role": "it"}, tags=["imports"])
async def forget_import_map(request: AppRequest, ref: FromPath[str]) -> None:
    """Forget a map: the next file of that source is asked about again."""
    _check_unlimited(request)
    services = services_of(request)
    number = int(ref) if ref.isdecimal() and len(ref) < 18 else 0
    async with services.db.transaction() as session:
        row = await session.one("SELECT * FROM import_map WHERE id = :id", id=number)
        if row is None:
            raise Problem("not_found", what=NOUN, ref=ref[:40])
        await session.execute("DELETE FROM import_map WHERE id = :id", id=number)
        await record(
            session,
            at_ms=services.clock(),
            who=request.user.name,
            act="import.map.forget",
            subject=f"import_map:{row['template']}:{row['fingerprint'][:16]}",
            before=json.loads(row["columns_json"]),
        )


HANDLERS = (list_import_maps, forget_import_map)
