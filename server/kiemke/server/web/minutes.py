"""Handover minutes as a page to print: A4, the state's title, a table, places to sign.

After form C50-HD's columns as far as the book knows them; the heading may be completed by hand.
"""

from collections.abc import Sequence
from datetime import date
from html import escape

from kiemke.server.domain.handover import Handover, Item, Party
from kiemke.server.domain.residual import say_missing
from kiemke.server.domain.text_labels import ASSET_KINDS

STYLE = """
@page { size: A4 landscape; margin: 15mm }
body { font-family: "Times New Roman", serif; font-size: 13pt; color: #000 }
header { display: flex; justify-content: space-between; text-align: center }
h1 { text-align: center; font-size: 15pt; margin: 8mm 0 4mm }
table { border-collapse: collapse; width: 100% }
th, td { border: 1px solid #000; padding: 1.5mm 2mm; vertical-align: top }
td.n { text-align: right; white-space: nowrap }
footer { display: flex; justify-content: space-around; text-align: center; margin-top: 8mm }
.sheet { page-break-before: always }
.demo { text-align: center; font-weight: bold; letter-spacing: 2mm }
"""


def money(value: int | None) -> str:
    """Return an amount with its thousands apart, "" for None."""
    return "" if value is None else f"{value:,}".replace(",", ".")


def long_day(value: date) -> str:
    """Return a day as papers write it."""
    return f"ngày {value.day:02d} tháng {value.month:02d} năm {value.year}"


def _party(party: Party) -> str:
    if party.official_name is None:
        place = f"{escape(party.place_name)}, " if party.place_name else ""
        return place + escape(party.unit_name)
    post = f", {escape(party.post)}" if party.post else ""
    return f"Ông (Bà) {escape(party.official_name)}{post}, {escape(party.unit_name)}"


def _row(number: int, item: Item) -> str:
    kind = ASSET_KINDS.get(item.kind)
    name = escape(item.name) + (f" ({escape(item.model)})" if item.model else "")
    cells = (
        str(number),
        escape(item.code),
        escape(item.tag or ""),
        name,
        escape(kind.vi if kind else item.kind),
        escape(item.serial or ""),
        str(item.in_use_since.year) if item.in_use_since else "",
    )
    plain = "".join(f"<td>{cell}</td>" for cell in cells)
    amounts = "".join(
        f'<td class="n">{money(amount)}</td>' for amount in (item.price_dong, item.residual_dong)
    )
    return f"<tr>{plain}{amounts}<td></td></tr>"


def _sum(amounts: Sequence[int | None]) -> str:
    """Return the sum of what is known, saying so where something is not; "" where nothing is."""
    known = [amount for amount in amounts if amount is not None]
    if len(known) == len(amounts):
        return money(sum(known))
    return f"{money(sum(known))} (chưa đủ)" if known else ""


def handover_minutes(asked: Handover, items: Sequence[Item], *, demo: bool) -> str:
    """Return the minutes as one HTML page without scripts or outside parts."""
    heads = (
        "Số TT", "Mã tài sản", "Số tem", "Tên, ký hiệu", "Loại", "Số sê-ri",
        "Năm đưa vào SD", "Nguyên giá (đồng)", "Giá trị còn lại (đồng)", "Ghi chú",
    )  # fmt: skip
    total = _sum([item.price_dong for item in items])
    left = _sum([item.residual_dong for item in items])
    without = say_missing(item.residual_why for item in items)
    mark = '<p class="demo">DỮ LIỆU MẪU</p>' if demo else ""
    return f"""<!doctype html>
<html lang="vi"><meta charset="utf-8"><title>Biên bản giao nhận tài sản</title>
<style>{STYLE}</style>
{mark}<header><div><b>{escape(asked.giver.unit_name)}</b><br>Số: {escape(asked.instrument)}</div>
<div><b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b><br><b>Độc lập - Tự do - Hạnh phúc</b><br>
<i>……, {long_day(asked.day)}</i></div></header>
<h1>BIÊN BẢN GIAO NHẬN TÀI SẢN</h1>
<p>Bên giao: {_party(asked.giver)}.<br>Bên nhận: {_party(asked.receiver)}.</p>
<table><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr>
{"".join(_row(number, item) for number, item in enumerate(items, start=1))}
<tr><td colspan="7"><b>Cộng: {len(items)} tài sản</b></td><td class="n"><b>{total}</b></td>
<td class="n"><b>{left}</b></td><td></td></tr></table>
<p>{escape(without) if without else ""}</p>
<footer><div><b>Bên giao</b><br><i>(Ký, họ tên)</i></div>
<div><b>Bên nhận</b><br><i>(Ký, họ tên)</i></div>
<div><b>Thủ trưởng đơn vị</b><br><i>(Ký, họ tên, đóng dấu)</i></div></footer></html>
"""
