"""Minutes of a stock-take as a page to print, after form C53-HD: board, classes with sums, signatures.

Tools stand in an annex of their own.
"""

from collections.abc import Sequence
from html import escape

from kiemke.server.domain.residual import say_missing
from kiemke.server.domain.stock_take_lines import Line, no_residual
from kiemke.server.domain.stock_takes import Take
from kiemke.server.domain.tables import Row
from kiemke.server.domain.text_labels import ASSET_KINDS, TAKE_LINES
from kiemke.server.reports.stock_take import COLUMNS, rows_of
from kiemke.server.web.minutes import STYLE, long_day, money
from kiemke.server.web.tools_minutes import is_tool, tools_annex

_ROLES = {"head": "Trưởng ban", "member": "Ủy viên"}
_AT = {column.name: place for place, column in enumerate(COLUMNS)}
_AMOUNTS = tuple(
    f"{side}_{what}"
    for side in ("book", "found", "difference")
    for what in ("count", "dong", "residual_dong")
)
_HEADS = """<tr><th rowspan="2">Số TT</th><th rowspan="2">Tên tài sản</th><th rowspan="2">Mã số</th>
<th rowspan="2">Nơi sử dụng</th><th colspan="3">Theo sổ kế toán</th><th colspan="3">Thực tế kiểm kê</th>
<th colspan="3">Chênh lệch</th><th rowspan="2">Ghi chú</th></tr>
<tr><th>SL</th><th>Nguyên giá</th><th>GTCL</th><th>SL</th><th>Nguyên giá</th><th>GTCL</th>
<th>SL</th><th>Nguyên giá</th><th>GTCL</th></tr>"""


def stock_take_minutes(
    take: Take, unit_name: str, lines: Sequence[Line], minutes: str | None, *, demo: bool
) -> str:
    """Return the minutes as one HTML page; ``minutes`` is their number, None while it is a draft."""
    mark = '<p class="demo">DỮ LIỆU MẪU</p>' if demo else ""
    draft = "" if minutes else '<p class="demo">BẢN NHÁP, CHƯA KHÓA</p>'
    board = "".join(
        f"<br>{_member(each.name, each.post, each.side, each.role)}" for each in take.board
    )
    ending = long_day(take.since) if minutes else "ngày …… tháng …… năm ……"
    assets = [line for line in lines if not is_tool(line)]
    without = say_missing(no_residual(line) for line in assets)
    annex = tools_annex(take, lines)
    apart = "<br>Công cụ, dụng cụ: xem phụ lục." if annex else ""
    return f"""<!doctype html>
<html lang="vi"><meta charset="utf-8"><title>Biên bản kiểm kê tài sản</title>
<style>{STYLE}</style>
{mark}{draft}<header><div><b>{escape(unit_name)}</b><br>Mã QHNS: …………<br>Số: {escape(minutes or "……")}</div>
<div><b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b><br><b>Độc lập - Tự do - Hạnh phúc</b><br>
<i>……, {ending}</i></div></header>
<h1>BIÊN BẢN KIỂM KÊ TÀI SẢN</h1>
<p>Thời điểm kiểm kê: {long_day(take.day)}. Theo quyết định số {escape(take.instrument)}.
<br>Ban kiểm kê gồm:{board or "<br>……"}</p>
<p>Đơn vị tính: đồng.</p>
<table>{_HEADS}
{"".join(_row(row) for row in rows_of(assets))}</table>
<p>{escape(without) if without else ""}{apart}</p>
<footer><div><b>Thủ trưởng đơn vị</b><br><i>(Ý kiến giải quyết số chênh lệch)</i><br>
<i>(Ký, họ tên, đóng dấu)</i></div>
<div><b>Kế toán trưởng</b><br><i>(Ký, họ tên)</i></div>
<div><b>Trưởng ban kiểm kê</b><br><i>(Ký, họ tên)</i></div></footer>{annex}</html>
"""


def _member(name: str, post: str | None, side: str | None, role: str) -> str:
    parts = [f"Ông (Bà) {escape(name)}"]
    parts += [f"chức vụ: {escape(post)}"] if post else []
    parts += [f"đại diện: {escape(side)}"] if side else []
    return " – ".join((*parts, _ROLES[role]))


def _row(row: Row) -> str:
    level, kind = row[_AT["line"]], row[_AT["kind"]]
    amounts = "".join(f'<td class="n">{_amount(row[_AT[name]])}</td>' for name in _AMOUNTS)
    if level == "asset":
        name, code, place = (_text(row[_AT[part]]) for part in ("name", "code", "place"))
        holder = _text(row[_AT["holder"]])
        where = ", ".join(part for part in (place, holder) if part)
        state = TAKE_LINES[str(row[_AT["state"]])].vi
        remarks = [state if row[_AT["state"]] != "agrees" else "", _text(row[_AT["note"]])]
        note = "; ".join(part for part in remarks if part)
        return (
            f"<tr><td>{_text(row[0])}</td><td>{name}</td><td>{code}</td><td>{where}</td>"
            f"{amounts}<td>{note}</td></tr>\n"
        )
    words = ASSET_KINDS.get(str(kind))
    title = f"Cộng: {escape(words.vi if words else str(kind))}" if level == "class" else "Tổng cộng"
    return (
        f'<tr><td>{_text(row[0])}</td><td colspan="3"><b>{title}</b></td>{amounts}<td></td></tr>\n'
    )


def _text(value: object) -> str:
    return "" if value is None else escape(str(value))


def _amount(value: object) -> str:
    return money(value) if isinstance(value, int) else ""
