"""A whole import: the file read in its child, compared, and on request written, all or nothing."""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from kiemke.server.db import Database, Refused, Session
from kiemke.server.domain.text import clean_text
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.differences import differences
from kiemke.server.imports.ledger import CHANGED, NEW, Audit, Context, Importer, Plan
from kiemke.server.imports.maps import Maps, keep_map, load_maps
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import FileRefused, Reading, read_sheets
from kiemke.server.imports.questions import open_questions
from kiemke.server.imports.resolve import Resolved, resolve, same_names, since_today
from kiemke.server.imports.result import ImportResult, refused, result_of
from kiemke.server.imports.script import Script, ledger_mark
from kiemke.server.imports.split import split_rows
from kiemke.server.imports.statement import insert
from kiemke.server.imports.table import Table, lay_out
from kiemke.server.imports.tables.assets import AssetImporter
from kiemke.server.imports.tables.devices import DeviceImporter
from kiemke.server.imports.tables.indicators import IndicatorImporter
from kiemke.server.imports.tables.links import LinkImporter
from kiemke.server.imports.tables.officials import OfficialImporter
from kiemke.server.imports.tables.people_rules import (
    AbsenceImporter,
    HolidayImporter,
    TargetImporter,
)
from kiemke.server.imports.tables.units import UnitImporter
from kiemke.server.imports.templates import TEMPLATES
from kiemke.server.imports.within import outside

IMPORTERS: dict[str, Callable[[], Importer]] = {
    "units": UnitImporter,
    "officials": OfficialImporter,
    "absences": AbsenceImporter,
    "assets": AssetImporter,
    "devices": DeviceImporter,
    "links": LinkImporter,
    "targets": TargetImporter,
    "holidays": HolidayImporter,
    "indicators": IndicatorImporter,
}

_DEFAULT_OFFSET_SECONDS = 7 * 3600
# How often a comparison is made anew because somebody changed a ledger while it was made.
_TRIES = 3
MOST_KNOWN = 2_000  # heading keys of saved maps that the reader is told of


async def run_import(
    db: Database,
    template: str,
    data: bytes,
    file_name: str,
    *,
    apply: bool,
    who: str,
    now_ms: int,
    audit: Audit,
    options: Options | None = None,
    within: frozenset[int] | None = None,
) -> ImportResult:
    """Import ``data`` (XLSX, XLS, ODS or CSV, told by content) by ``template``; a dry run unless ``apply``.

    All or nothing: with any error, or a question that ``options`` leave open, nothing is written.
    ``within`` are the units it may touch (see ``within``), None is all.
    Raises KeyError for an unknown template.
    """
    options = options or Options()
    wanted = _Wanted(
        template, file_name, hashlib.sha256(data).hexdigest(), who, now_ms, audit, within
    )
    saved = await load_maps(Script(db), template)
    try:
        table = await _read(data, wanted, options, saved)
    except FileRefused as error:
        return refused(template, error)
    if not apply or table.errors or open_questions(table, options):
        # A file that is wrong already must not hold the writer up.
        return await _compare(Script(db), table, wanted, options, saved)
    try:
        for _ in range(_TRIES):
            mark = await ledger_mark(Script(db))
            script = Script(db)
            result = await _compare(script, table, wanted, options, saved, write=True)
            if result.errors:
                return result
            async with db.change() as session:
                if await ledger_mark(session, mark[0]) == mark:
                    await script.play(session)
                    return replace(result, applied=True)
        async with db.change() as session:  # too busy a ledger: everybody waits for this one
            script = Script(db, session)
            result = await _compare(script, table, wanted, options, saved, write=True)
            if not result.errors:
                await script.play(session)
    except Refused as error:
        return refused(template, _Conflict(str(error)))
    return result if result.errors else replace(result, applied=True)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which file is imported, by whom, when."""

    template: str
    file_name: str
    file_sha256: str
    who: str
    now_ms: int
    audit: Audit
    within: frozenset[int] | None


async def _read(data: bytes, wanted: _Wanted, options: Options, saved: Maps) -> Table:
    """Return the file's rows under the template. Raises FileRefused."""
    known = {key for columns in (*saved.values(), options.columns) for key in columns}
    how = Reading(wanted.template, tuple(sorted(known))[:MOST_KNOWN], options.heading_row)
    sheets = await read_sheets(data, how)
    template = TEMPLATES[wanted.template]
    table = await asyncio.to_thread(lay_out, sheets, template, options, saved)
    rows, errors, count = split_rows(table.rows, template, split=options.split)
    table.rows = rows
    table.errors.extend(errors)
    if count:
        parts = sum(1 for row in rows if row.part)
        table.notices.append(
            Words(
                f"{count} dòng tách thành {parts} chiếc", f"{count} rows split into {parts} things"
            )
        )
    return table


async def _compare(
    script: Script,
    table: Table,
    wanted: _Wanted,
    options: Options,
    saved: Maps,
    *,
    write: bool = False,
) -> ImportResult:
    """Compare the rows with the database; with ``write`` the script then holds what to write."""
    importer = IMPORTERS[wanted.template]()
    context = await _context(script, wanted)
    template = context.template
    found = await resolve(script, table, template, wanted.within)
    unseen = await outside(script, table.rows, found.rows, context)
    if unseen:
        found = Resolved(errors=unseen)
    plan = Plan() if found.errors else await importer.plan(script, found.rows, context)
    plan.errors.extend(found.errors)
    news = [row for row in found.rows if plan.outcomes.get(row.key) in (NEW, CHANGED)]
    notices = [
        *found.notices,
        *(same_names(found.rows) if template.name == "officials" else ()),
        *since_today(news, template, context.today),
    ]
    told = await differences(script, plan, template)
    result = result_of(table, plan, template, open_questions(table, options), notices, told)
    if write and not result.errors:
        await importer.write(script, context)
        await keep_map(script, table, saved, wanted.file_name, context)
        await _note_run(script, wanted, result.rows)
    return result


class _Conflict(FileRefused):
    """The database refused what the plan wanted to write: somebody else changed it meanwhile."""

    def __init__(self, detail: str) -> None:
        super().__init__("not_table", detail)
        self.problem = Words("cơ sở dữ liệu từ chối", "the database refused the rows")
        self.remedy = Words("chạy lại lệnh nhập", "run the import again")


async def _context(session: Session, wanted: _Wanted) -> Context:
    row = await session.one("SELECT utc_offset_seconds, demo FROM installation WHERE id = 1")
    offset = row["utc_offset_seconds"] if row else _DEFAULT_OFFSET_SECONDS
    local = datetime.fromtimestamp(wanted.now_ms / 1000, UTC) + timedelta(seconds=offset)
    demo = bool(row["demo"]) if row else False
    template = TEMPLATES[wanted.template]
    today = local.date()
    return Context(template, wanted.who, wanted.now_ms, today, wanted.audit, demo, wanted.within)


async def _note_run(script: Script, wanted: _Wanted, rows: int) -> None:
    fields = {
        "template": wanted.template,
        "file_name": clean_text(wanted.file_name, 200) or "-",
        "file_sha256": wanted.file_sha256,
        "row_count": rows,
        "applied_at_ms": wanted.now_ms,
        "applied_by": wanted.who,
    }
    await insert(script, "import_run", fields)
