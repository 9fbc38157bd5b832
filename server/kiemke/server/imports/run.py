"""A whole import: the file read in its child, compared, and on request written, all or nothing."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from kiemke.server.db import Database, Refused, Session
from kiemke.server.domain.text import clean_text
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import CHANGED, NEW, SAME, Audit, Context, Importer, Plan
from kiemke.server.imports.parse import FileRefused, read_lines
from kiemke.server.imports.script import Script, ledger_mark
from kiemke.server.imports.statement import insert
from kiemke.server.imports.table import RowError, Table, lay_out
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

# Any fixed number: two imports into one PostgreSQL database wait for each other here.
_ADVISORY_LOCK = 0x6B69_656D_1101
_DEFAULT_OFFSET_SECONDS = 7 * 3600
# How often a comparison is made anew because somebody changed a ledger while it was made.
_TRIES = 3
# Nobody corrects more at one go, and 200,000 wrong rows would be an answer of 75 MB.
MOST_ERRORS_TOLD = 1_000


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or (``applied`` False) would do. With ``errors`` nothing was written."""

    template: str
    rows: int
    new: int
    changed: int
    same: int
    errors: tuple[RowError, ...]
    ignored: tuple[str, ...]
    applied: bool

    def as_json(self, language: str) -> dict[str, Any]:
        """Return the shape of the REST answer, texts in ``language``; its first errors alone."""
        return {
            "template": self.template,
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "errors": [
                {
                    "row": error.row,
                    "column": error.column.say(language) if error.column else None,
                    "value": error.value,
                    "message": error.message.say(language),
                    "remedy": error.remedy.say(language),
                }
                for error in self.errors[:MOST_ERRORS_TOLD]
            ],
            "errors_left_out": max(0, len(self.errors) - MOST_ERRORS_TOLD),
            "ignored": list(self.ignored),
            "applied": self.applied,
        }


def _whole_file(template: str, error: FileRefused) -> ImportResult:
    problem = error.problem
    if error.detail:
        detail = clean_text(error.detail, 200) or ""
        problem = Words(f"{problem.vi} ({detail})", f"{problem.en} ({detail})")
    refused = RowError(0, None, None, problem, error.remedy)
    return ImportResult(template, 0, 0, 0, 0, (refused,), (), False)


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
) -> ImportResult:
    """Import ``data`` (XLSX or CSV, told by content) by ``template``; a dry run unless ``apply``.

    All or nothing: with any error nothing is written. Raises KeyError for an unknown template.
    """
    wanted = TEMPLATES[template]
    try:
        table = await asyncio.to_thread(lay_out, await read_lines(data), wanted)
    except FileRefused as error:
        return _whole_file(template, error)
    wanted_by = _Wanted(template, file_name, hashlib.sha256(data).hexdigest(), who, now_ms, audit)
    if not apply or table.errors:  # a file that is wrong already must not hold the writer up
        return await _compare(Script(db), table, wanted_by)
    try:
        for _ in range(_TRIES):
            mark = await ledger_mark(Script(db))
            script = Script(db)
            result = await _compare(script, table, wanted_by, write=True)
            if result.errors:
                return result
            async with _alone(db) as session:
                if await ledger_mark(session, mark[0]) == mark:
                    await script.play(session)
                    return _applied(result)
        async with _alone(db) as session:  # too busy a ledger: everybody waits for this one
            script = Script(db, session)
            result = await _compare(script, table, wanted_by, write=True)
            if not result.errors:
                await script.play(session)
    except Refused as error:
        return _whole_file(template, _Conflict(str(error)))
    return result if result.errors else _applied(result)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which file is imported, by whom, when."""

    template: str
    file_name: str
    file_sha256: str
    who: str
    now_ms: int
    audit: Audit


@asynccontextmanager
async def _alone(db: Database) -> AsyncIterator[Session]:
    """Give a transaction in which no other import writes."""
    async with db.transaction() as session:
        await lock(session)
        yield session


async def _compare(
    script: Script, table: Table, wanted: _Wanted, *, write: bool = False
) -> ImportResult:
    """Compare the rows with the database; with ``write`` the script then holds what to write."""
    importer = IMPORTERS[wanted.template]()
    context = await _context(script, wanted)
    result = _result(table, await importer.plan(script, table.rows, context), wanted.template)
    if write and not result.errors:
        await importer.write(script, context)
        await _note_run(script, wanted, result.rows)
    return result


async def lock(session: Session) -> None:
    """Wait until no other import is writing, till the end of the transaction."""
    if session.dialect == "postgres":  # on SQLite one writes at a time anyway
        await session.execute(
            "SELECT pg_advisory_xact_lock(CAST(:key AS BIGINT))", key=_ADVISORY_LOCK
        )


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
    return Context(template, wanted.who, wanted.now_ms, local.date(), wanted.audit, demo)


def _result(table: Table, plan: Plan, template: str) -> ImportResult:
    errors = sorted([*table.errors, *plan.errors], key=lambda error: error.row)
    rows = len({row.number for row in table.rows} | {e.row for e in table.errors if e.column})
    return ImportResult(
        template,
        rows,
        plan.count(NEW),
        plan.count(CHANGED),
        plan.count(SAME),
        tuple(errors),
        tuple(table.ignored),
        False,
    )


def _applied(result: ImportResult) -> ImportResult:
    return ImportResult(
        result.template, result.rows, result.new, result.changed, result.same, (), result.ignored,
        True,
    )  # fmt: skip


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
