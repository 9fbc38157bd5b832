"""Which units have which equipment: one row a unit, one column an item, as surveys ask for it."""

from collections.abc import AsyncIterator

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.equipment import NAMES, load
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row, subtree
from kiemke.server.domain.text_labels import Words

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 32),
    Column("type", Words("Loại", "Type"), "choice", 14, choices=labels.UNIT_TYPES),
    *(Column(item, labels.EQUIPMENT_ITEMS[item], "integer", 12) for item in NAMES),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the units of the subtree in alphabetical order; each counts all below it."""
    units = await subtree(db, question)
    if units is None and question.within is not None:
        units = sorted(question.within)
    async with db.reading() as session:
        rows = await load(session, question.day, question.known_ms, units)
    for start in range(0, len(rows), PAGE_ROWS):
        page = enumerate(rows[start : start + PAGE_ROWS], start + 1)
        yield [
            (number, row.code, row.name, row.type, *(row.counts[item] for item in NAMES))
            for number, row in page
        ]


PRESENCE = Report(
    "presence",
    Words("Đơn vị có thiết bị nào", "Which units have which equipment"),
    COLUMNS,
    read,
)
