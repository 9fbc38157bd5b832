"""The minutes of a stock-take as a table: by class with sums, book, found and difference side by side.

The columns follow the guidance form C53-HD, with condition, holder and year besides.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence

from kiemke.server.db import Database
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.stock_take_lines import Line, no_residual
from kiemke.server.domain.tables import PAGE_ROWS, Column, Question, Report, Row
from kiemke.server.domain.text_labels import Words
from kiemke.server.models.book import ASSET_KINDS
from kiemke.server.reports.wear import roman

TITLE = Words("Biên bản kiểm kê tài sản", "Minutes of the stock-take")
COLUMNS = (
    Column("number", Words("Số TT", "No."), "text", 8),
    Column("line", Words("Dòng", "Line"), "choice", 10, choices=labels.WEAR_LINES),
    Column("kind", Words("Loại", "Class"), "choice", 22, choices=labels.ASSET_KINDS),
    Column("name", Words("Tên tài sản", "Name"), "text", 32),
    Column("code", Words("Mã số", "Code"), "code", 14),
    Column("tag", Words("Số tem", "Sticker"), "code", 12),
    Column("asset_class", Words("TSCĐ/CCDC", "Fixed/tool"), "choice", 18, choices=labels.ASSET_CLASSES),
    Column("in_use_year", Words("Năm đưa vào SD", "In use since"), "year", 10),
    Column("place", Words("Nơi sử dụng", "Place of use"), "text", 26),
    Column("holder", Words("Người sử dụng", "Official"), "text", 24),
    Column("book_count", Words("Sổ: SL", "Book: number"), "integer", 8),
    Column("book_dong", Words("Sổ: nguyên giá (đồng)", "Book: cost (đồng)"), "money", 18),
    Column("book_residual_dong", Words("Sổ: GTCL (đồng)", "Book: residual (đồng)"), "money", 18),
    Column("found_count", Words("Kiểm kê: SL", "Found: number"), "integer", 8),
    Column("found_dong", Words("Kiểm kê: nguyên giá (đồng)", "Found: cost (đồng)"), "money", 18),
    Column("found_residual_dong", Words("Kiểm kê: GTCL (đồng)", "Found: residual (đồng)"), "money", 18),
    Column("difference_count", Words("Chênh lệch: SL", "Difference: number"), "integer", 8),
    Column("difference_dong", Words("Chênh lệch: nguyên giá (đồng)", "Difference: cost (đồng)"), "money", 18),
    Column("difference_residual_dong", Words("Chênh lệch: GTCL (đồng)", "Difference: residual (đồng)"), "money", 18),
    Column("state", Words("Kết quả", "Result"), "choice", 22, choices=labels.TAKE_LINES),
    Column("status", Words("Tình trạng trên sổ", "Condition on the book"), "choice", 16, choices=labels.ASSET_STATUSES),
    Column("found_place", Words("Nơi thấy", "Seen at"), "text", 18),
    Column("counted_by", Words("Người kiểm", "Counted by"), "text", 20),
    Column("note", Words("Ghi chú", "Note"), "text", 24),
    Column("residual_why", Words("Vì sao không có GTCL", "Why no residual"), "choice", 24, choices=labels.NO_RESIDUAL),
)  # fmt: skip
# Of each line's amounts: how many, original cost and residual value; None: not known.
_Amounts = tuple[int | None, int | None, int | None]


def rows_of(lines: Sequence[Line]) -> list[Row]:
    """Return the form's rows: each class with its sum, last the sum of all."""
    classes: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        classes[line.kind or "other"].append(line)
    order = {kind: place for place, kind in enumerate(ASSET_KINDS)}
    rows: list[Row] = []
    for place, kind in enumerate(sorted(classes, key=lambda k: (order.get(k, len(order)), k)), 1):
        rows.append(_sum(roman(place), "class", kind, classes[kind]))
        rows += [_row(str(number), line) for number, line in enumerate(classes[kind], 1)]
    if lines:
        rows.append(_sum(None, "total", None, lines))
    return rows


def sides(line: Line) -> tuple[_Amounts, _Amounts, _Amounts]:
    """Return what the book says of a line, what was found, and the difference."""
    known = (1, line.price_dong, line.residual_dong)
    nothing = (0, 0, 0)
    if line.state == "surplus":
        known = (1, None, None)
    book = nothing if line.state in ("surplus", "not_expected") else known
    found: _Amounts = nothing if line.state == "missing" else known
    if line.state == "unanswered":
        found = (None, None, None)
    return book, found, tuple(map(_less, found, book))  # type: ignore[return-value]


def _less(found: int | None, book: int | None) -> int | None:
    return None if found is None or book is None else found - book


def _row(number: str, line: Line) -> Row:
    book, found, difference = sides(line)
    place = "; ".join(part for part in (line.unit_name, line.place) if part)
    where = "; ".join(part for part in (line.found_unit, line.found_place) if part)
    return (
        number, "asset", line.kind, line.name, line.code or line.number, line.tag, line.asset_class,
        line.in_use_year, place or None, line.holder, *book, *found, *difference, line.state,
        line.status, where or None, line.counted_by, line.note, no_residual(line),
    )  # fmt: skip


def _sum(number: str | None, level: str, kind: str | None, lines: Sequence[Line]) -> Row:
    told = [sides(line) for line in lines]
    sums = [_total(side[place][n] for side in told) for place in range(3) for n in range(3)]
    return (
        number, level, kind, *(None,) * 7, *sums, *(None,) * 6,
    )  # fmt: skip


def _total(amounts: Iterable[int | None]) -> int | None:
    """Return the sum of what is known, None where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known) if known else None


def minutes_report(lines: Sequence[Line]) -> Report:
    """Return the minutes of these lines as a report that every export format can write."""

    async def read(_db: Database, _question: Question) -> AsyncIterator[list[Row]]:
        rows = rows_of(lines)
        for start in range(0, len(rows), PAGE_ROWS):
            yield rows[start : start + PAGE_ROWS]

    return Report("stock_take", TITLE, COLUMNS, read)
