"""The tools of a stock-take as an annex to its minutes: what is over, what is short, what can be used.

Its columns are those of the tools' count that offices use; it bears no form number.
"""

from collections.abc import Sequence
from html import escape

from kiemke.server.domain.stock_take_lines import Line
from kiemke.server.domain.stock_takes import Take
from kiemke.server.domain.text_labels import TAKE_LINES
from kiemke.server.reports.stock_take import sides
from kiemke.server.web.minutes import long_day, money

_UNIT_OF_MEASURE = "Cái"  # the book has one record a thing
_UNUSABLE = ("broken", "awaiting_disposal", "under_repair")
_SEEN = ("found", "elsewhere")
_HEADS = """<tr><th rowspan="2">Số TT</th><th rowspan="2">Tên, nhãn hiệu, quy cách</th><th rowspan="2">Mã số</th>
<th rowspan="2">ĐVT</th><th rowspan="2">Đơn giá</th><th colspan="2">Theo sổ kế toán</th>
<th colspan="2">Theo kiểm kê</th><th colspan="2">Thừa</th><th colspan="2">Thiếu</th>
<th colspan="2">Phân loại</th><th rowspan="2">Ghi chú</th></tr>
<tr><th>SL</th><th>Thành tiền</th><th>SL</th><th>Thành tiền</th><th>SL</th><th>Thành tiền</th>
<th>SL</th><th>Thành tiền</th><th>Còn dùng được</th><th>Không dùng được</th></tr>"""
# Of a line: how many and how much by the book, found, over and short; None: nobody has said yet.
_Sides = tuple[tuple[int | None, int | None], ...]


def is_tool(line: Line) -> bool:
    """Return whether a thing is counted with the tools: by its price as of the day."""
    return line.asset_class == "tool"


def tools_annex(take: Take, lines: Sequence[Line]) -> str:
    """Return the annex as a part of the minutes' page, on a sheet of its own; "" without tools."""
    tools = [line for line in lines if is_tool(line)]
    if not tools:
        return ""
    rows = "".join(_row(number, line) for number, line in enumerate(tools, 1))
    return f"""<section class="sheet"><p><i>Phụ lục kèm biên bản kiểm kê theo quyết định số
{escape(take.instrument)}</i></p>
<h1>BIÊN BẢN KIỂM KÊ CÔNG CỤ, DỤNG CỤ</h1>
<p>Thời điểm kiểm kê: {long_day(take.day)}. Đơn vị tính: đồng.</p>
<table>{_HEADS}
{rows}<tr><td colspan="5"><b>Tổng cộng</b></td>{_cells(_sums(tools))}<td></td><td></td><td></td></tr></table>
<footer><div><b>Thủ trưởng đơn vị</b><br><i>(Ý kiến giải quyết số thừa, thiếu)</i><br>
<i>(Ký, họ tên, đóng dấu)</i></div>
<div><b>Kế toán trưởng</b><br><i>(Ký, họ tên)</i></div><div><b>Thủ kho</b><br><i>(Ký, họ tên)</i></div>
<div><b>Trưởng ban kiểm kê</b><br><i>(Ký, họ tên)</i></div></footer></section>
"""


def _amounts(line: Line) -> _Sides:
    book, found, _ = sides(line)
    if found[0] is None:
        return book[:2], (None, None), (None, None), (None, None)
    over = (max(found[0] - (book[0] or 0), 0), max((found[1] or 0) - (book[1] or 0), 0))
    short = (max((book[0] or 0) - found[0], 0), max((book[1] or 0) - (found[1] or 0), 0))
    return book[:2], found[:2], over, short


def _sums(tools: Sequence[Line]) -> _Sides:
    told = [_amounts(line) for line in tools]
    return tuple(
        (sum(each[place][0] or 0 for each in told), sum(each[place][1] or 0 for each in told))
        for place in range(4)
    )


def _cells(amounts: _Sides) -> str:
    return "".join(
        f'<td class="n">{money(count)}</td><td class="n">{money(dong)}</td>'
        for count, dong in amounts
    )


def _row(number: int, line: Line) -> str:
    unusable = line.found == "broken" or (line.found in _SEEN and line.status in _UNUSABLE)
    usable = line.found in _SEEN and not unusable
    state = "" if line.state == "agrees" else TAKE_LINES[line.state].vi
    note = "; ".join(part for part in (state, line.note or "") if part)
    plain = (str(number), line.name or "", line.code or line.number or "", _UNIT_OF_MEASURE)
    return (
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in plain)
        + f'<td class="n">{money(line.price_dong)}</td>{_cells(_amounts(line))}'
        + "".join(f'<td class="n">{1 if is_so else ""}</td>' for is_so in (usable, unusable))
        + f"<td>{escape(note)}</td></tr>\n"
    )
