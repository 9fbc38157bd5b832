"""Equipment against the norms: one row for each item of each office and person."""

from collections.abc import AsyncIterator

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.money import format_dong
from kiemke.server.domain.norms import NormQuestion, load
from kiemke.server.domain.norms_judge import NormRow
from kiemke.server.domain.tables import (
    PAGE_ROWS,
    Column,
    Question,
    Report,
    Row,
    dated,
    subtree,
)
from kiemke.server.domain.text_labels import Words, say

_UNITS = dated("SELECT v.unit_id, v.code, v.name FROM unit_version v WHERE {active v}")

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("official_code", Words("Mã cán bộ", "Official code"), "code", 12),
    Column("official", Words("Họ và tên", "Name"), "text", 26),
    Column("post", Words("Chức vụ", "Post"), "text", 26),
    Column("group", Words("Nhóm định mức", "Norm group"), "code", 10),
    Column("item", Words("Thiết bị", "Item"), "choice", 22, choices=labels.NORM_ITEMS),
    Column("staff", Words("Số người tính", "Staff"), "integer", 10),
    Column("entitled", Words("Định mức", "Allowed"), "integer", 10, total=True),
    Column("has", Words("Hiện có", "Has"), "integer", 10, total=True),
    Column("lack", Words("Thiếu", "Lacks"), "integer", 10, total=True),
    Column("over", Words("Vượt", "Over"), "integer", 10, total=True),
    Column("max_price_dong", Words("Giá tối đa (đồng)", "Highest price (đồng)"), "money", 16),
    Column("over_price_dong", Words("Vượt giá (đồng)", "Over price"), "money", 16, total=True),
    Column("over_price", Words("Tài sản vượt giá", "Assets over price"), "text", 44),
    Column("finding", Words("Kết luận", "Finding"), "text", 26),
    Column("source", Words("Căn cứ", "Source"), "text", 40),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the offices and people of the subtree, by unit and given name."""
    units = await subtree(db, question)
    async with db.reading() as session:
        rows = await load(session, NormQuestion(question.day, question.known_ms, units))
    named = await db.read(_UNITS, day=question.day, known=question.known_ms)
    names = {row["unit_id"]: (row["code"], row["name"]) for row in named}
    for start in range(0, len(rows), PAGE_ROWS):
        page = enumerate(rows[start : start + PAGE_ROWS], start + 1)
        yield [_row(number, row, names.get(row.unit_id, (None, None))) for number, row in page]


def _row(number: int, row: NormRow, unit: tuple[str | None, str | None]) -> Row:
    return (
        number,
        *unit,
        row.official_code,
        row.official_name,
        row.post,
        row.group,
        row.item,
        row.staff,
        row.entitled,
        row.has,
        row.lack,
        row.over,
        row.max_dong,
        sum(thing.over_dong for thing in row.over_price) or None,
        _dear(row),
        _findings(row),
        row.source,
    )


def _dear(row: NormRow) -> Words | None:
    if not row.over_price:
        return None
    vi, en = (
        "; ".join(
            f"{thing.asset_code}: {format_dong(thing.price_dong)}"
            f" ({say(labels.NORM_DECIDERS, thing.decider, language)})"
            for thing in row.over_price
        )
        for language in ("vi", "en")
    )
    return Words(vi, en)


def _findings(row: NormRow) -> Words | None:
    if not row.findings:
        return None
    vi, en = (
        ", ".join(labels.NORM_FINDINGS[finding].say(language) for finding in row.findings)
        for language in ("vi", "en")
    )
    return Words(vi, en)


NORMS = Report(
    "norms",
    Words("Trang bị so với tiêu chuẩn, định mức", "Equipment against the norms"),
    COLUMNS,
    read,
)
