"""The wear of a year as offices compute it: fixed assets by class, a sum for each class and for all.

The columns follow the guidance form C55a-HD; the year is that of the day asked about.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row, dated, subtree
from kiemke.server.domain.text_labels import Words
from kiemke.server.domain.wear_now import WearQuestion, WearRow, load
from kiemke.server.models.book import ASSET_KINDS

_UNITS = dated("SELECT v.unit_id, v.code FROM unit_version v WHERE {active v}")
_ROMAN = ((10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))

COLUMNS = (
    Column("number", Words("Số TT", "No."), "text", 8),
    Column("line", Words("Dòng", "Line"), "choice", 10, choices=labels.WEAR_LINES),
    Column("kind", Words("Loại TSCĐ", "Class"), "choice", 22, choices=labels.ASSET_KINDS),
    Column("code", Words("Mã tài sản", "Code"), "code", 14),
    Column("name", Words("Tên tài sản", "Name"), "text", 32),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("in_use_since", Words("Ngày đưa vào SD", "In use since"), "date", 12),
    Column("price_dong", Words("Nguyên giá (đồng)", "Original cost (đồng)"), "money", 18),
    Column("rate", Words("Tỷ lệ %", "Rate %"), "text", 10),
    Column("year", Words("Năm", "Year"), "year", 8),
    Column("wear_dong", Words("Số hao mòn năm (đồng)", "Wear of the year"), "money", 18),
    Column("accumulated_dong", Words("Hao mòn lũy kế (đồng)", "Accumulated"), "money", 18),
    Column("residual_dong", Words("Giá trị còn lại (đồng)", "Residual value"), "money", 18),
    Column("note", Words("Ghi chú", "Note"), "choice", 24, choices=labels.WEAR_NOTES),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield each class with its sums, then its assets; last the sums of all. Tools are left out.

    An asset without price or day of first use stands in its class with empty amounts and the reason.
    """
    units = await subtree(db, question)
    asked = WearQuestion(question.day.year, question.day, question.known_ms, units)
    async with db.reading() as session:
        found = await load(session, asked)
    named = await db.read(_UNITS, day=question.day, known=question.known_ms)
    codes = {row["unit_id"]: row["code"] for row in named}
    assets = [row for row in found if row.asset_class != "tool"]
    rows = lines(assets, codes, question.day.year)
    for start in range(0, len(rows), PAGE_ROWS):
        yield rows[start : start + PAGE_ROWS]


def lines(assets: list[WearRow], codes: dict[int, str], year: int) -> list[Row]:
    """Return the form's rows; none where there is no asset."""
    classes: dict[str, list[WearRow]] = defaultdict(list)
    for asset in assets:
        classes[asset.kind].append(asset)
    rows: list[Row] = []
    order = {kind: place for place, kind in enumerate(ASSET_KINDS)}
    kinds = sorted(classes, key=lambda kind: (order.get(kind, len(order)), kind))
    for place, kind in enumerate(kinds, 1):
        rows.append(_sum(roman(place), "class", kind, classes[kind], year))
        rows += [
            _asset(str(number), asset, codes.get(asset.unit_id))
            for number, asset in enumerate(classes[kind], 1)
        ]
    if assets:
        rows.append(_sum(None, "total", None, assets, year))
    return rows


def roman(number: int) -> str:
    """Return a number from 1 to 39 in Roman numerals, as forms number their classes."""
    text = ""
    for value, letters in _ROMAN:
        text += letters * (number // value)
        number %= value
    return text


def _sum(number: str | None, line: str, kind: str | None, assets: list[WearRow], year: int) -> Row:
    price = _total(row.price_dong for row in assets)
    charged = _total(row.charged_dong for row in assets)
    accumulated = _total(row.accumulated_dong for row in assets)
    residual = _total(row.residual_dong for row in assets)
    rates = {row.rate_per_million for row in assets}
    rate = rates.pop() if line == "class" and len(rates) == 1 else None
    return (
        number, line, kind, None, None, None, None,
        price, _percent(rate), year, charged, accumulated, residual, None,
    )  # fmt: skip


def _total(amounts: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def _percent(per_million: int | None) -> Words | None:
    """Return a rate with its two decimals: 14,29."""
    if per_million is None:
        return None
    whole, hundredths = divmod(per_million // 100, 100)
    return Words(f"{whole},{hundredths:02d}", f"{whole}.{hundredths:02d}")


def _asset(number: str, row: WearRow, unit_code: str | None) -> Row:
    return (
        number,
        "asset",
        row.kind,
        row.code,
        row.name,
        unit_code,
        row.in_use_since,
        row.price_dong,
        _percent(row.rate_per_million),
        row.year,
        row.charged_dong,
        row.accumulated_dong,
        row.residual_dong,
        row.note,
    )


WEAR = Report(
    "wear",
    Words("Bảng tính hao mòn tài sản cố định", "Yearly wear of fixed assets"),
    COLUMNS,
    read,
)
