"""One-stop desks against their checklist: required, present, working, one row a line."""

from collections.abc import AsyncIterator
from datetime import timedelta

from kiemke.server.db import Database
from kiemke.server.domain import calendar, desks
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row, dated, subtree
from kiemke.server.domain.text_labels import Words

_UNITS = dated("SELECT v.unit_id, v.code, v.name FROM unit_version v WHERE {active v}")

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("desk_code", Words("Mã nơi", "Place code"), "code", 12),
    Column("desk", Words("Bộ phận một cửa", "One-stop desk"), "text", 28),
    Column("item", Words("Thiết bị", "Item"), "choice", 20, choices=labels.EQUIPMENT_ITEMS),
    Column("required", Words("Cần có", "Required"), "integer", 10, total=True),
    Column("present", Words("Hiện có", "Present"), "integer", 10, total=True),
    Column("lack", Words("Thiếu", "Lacks"), "integer", 10, total=True),
    Column("working", Words("Đang hoạt động", "Working"), "integer", 12, total=True),
    Column("silent", Words("Im lặng", "Silent"), "integer", 10, total=True),
    Column("unknown", Words("Chưa rõ", "Not known"), "integer", 10, total=True),
    Column("found", Words("Đã kiểm đếm", "Counted"), "integer", 12, total=True),
    Column("finding", Words("Kết luận", "Finding"), "choice", 18, choices=labels.DESK_FINDINGS),
    Column("things", Words("Mã tài sản", "Assets"), "text", 40),
    Column("source", Words("Căn cứ", "Source"), "text", 40),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the lines of the desks of the subtree, by desk."""
    units = await subtree(db, question)
    if units is None and question.within is not None:
        units = sorted(question.within)
    day, known_ms = question.day, question.known_ms
    async with db.reading() as session:
        row = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        offset = row["utc_offset_seconds"] if row else 0
        today = calendar.local_day(question.now_ms, offset)
        now_ms = min(known_ms, question.now_ms) if day >= today - timedelta(days=1) else None
        lines = await desks.load(session, day, known_ms, now_ms, units)
        named = await session.fetch(_UNITS, day=day, known=known_ms)
    names = {row["unit_id"]: (row["code"], row["name"]) for row in named}
    for start in range(0, len(lines), PAGE_ROWS):
        yield [
            (
                number,
                *names.get(line.unit_id, (None, None)),
                line.desk_code,
                line.desk_name,
                line.item,
                line.required,
                line.present,
                line.lack,
                line.working,
                line.silent,
                line.unknown,
                line.found,
                line.finding,
                ", ".join(thing.code for thing in line.things) or None,
                line.source,
            )
            for number, line in enumerate(lines[start : start + PAGE_ROWS], start + 1)
        ]


DESKS = Report(
    "desks",
    Words("Trang thiết bị bộ phận một cửa", "Equipment of one-stop desks"),
    COLUMNS,
    read,
)
