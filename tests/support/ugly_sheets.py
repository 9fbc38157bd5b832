"""Registers and rosters as offices keep them: titles, merged cells, sections, totals, old encodings.

Everything is made here: XLSX by openpyxl, XLS by xlwt, ODS as LibreOffice lays it out.
"""

import io
import unicodedata
import zipfile
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from xml.sax.saxutils import escape

import openpyxl
import xlwt

from kiemke.server.domain import text_legacy

Rows = Sequence[Sequence[Any]]

TITLES: Rows = [
    ["UBND XÃ THANH GIANG", None, None, None, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"],
    ["Mã QHNS: 1012345", None, None, None, "Độc lập - Tự do - Hạnh phúc"],
    [],
]
S26_H: Rows = [
    *TITLES,
    ["SỔ THEO DÕI TSCĐ VÀ CÔNG CỤ, DỤNG CỤ TẠI NƠI SỬ DỤNG"],
    ["Mẫu số S26-H", None, None, "Đơn vị tính: đồng"],
    ["Ngày ghi sổ", "Chứng từ", None, "Tên TSCĐ, CCDC", "ĐVT", "Ghi tăng", None, None, "Ghi giảm"],
    [None, "Số hiệu", "Ngày", None, None, "Số lượng", "Đơn giá", "Thành tiền", "Lý do"],
    ["A", "B", "C", "D", 1, 2, 3, "4=2x3", "E"],
    [None, None, None, "I. Phòng Nội vụ"],
    [
        "15/03/2021",
        "HD-12",
        "14/03/2021",
        "Máy tính để bàn Dell OptiPlex",
        "Bộ",
        5,
        None,
        75_000_000,
    ],
    ["20/04/2022", "HD-15", "19/04/2022", "Máy in HP LaserJet", "Cái", 1, "8.500.000", 8_500_000],
    [None, None, None, "II. Phòng Tư pháp"],
    ["25/12/2023", "HD-31", "24/12/2023", "Máy tính xách tay Asus", "Chiếc", 2, 17_500_000, None],
    [None, None, None, "Tổng cộng", None, 8, None, 118_500_000],
    [],
    ["Người lập sổ", None, "Kế toán trưởng", None, "Thủ trưởng đơn vị"],
    ["(Ký, họ tên)", None, "(Ký, họ tên)", None, "(Ký, họ tên, đóng dấu)"],
    ["Nguyễn Thị Lan", None, "Trần Văn Hùng", None, "Phạm Đức Ơn"],
]
ROSTER: Rows = [
    ["UBND XÃ THANH GIANG"],
    ["DANH SÁCH CÁN BỘ, CÔNG CHỨC"],
    [
        "STT",
        "Họ và tên",
        "Ngày sinh",
        "Số CCCD",
        "Chức vụ",
        "Phòng ban",
        "Điện thoại",
        "Hệ số lương",
    ],
    [
        1,
        "Nguyễn Thị Ánh",
        "05/04/1980",
        "031180000001",
        "Chuyên viên",
        "Phòng Nội vụ",
        "0900000011",
        "3,33",
    ],
    [
        2,
        "Trần Đức Dũng",
        "25/12/1975",
        "031175000002",
        "Trưởng phòng",
        "Phòng Nội vụ",
        "0900000012",
        "4,98",
    ],
    [
        3,
        "Lê Văn Ước",
        "13/07/1990",
        "031190000003",
        "Văn thư",
        "Phòng Tư pháp",
        "0900000013",
        "2,67",
    ],
    [
        4,
        "Nguyễn Thị Ánh",
        "01/02/1985",
        "031185000004",
        "Kế toán",
        "Phòng Nội vụ",
        "0900000014",
        "3,00",
    ],
]
PROCUREMENT: Rows = [
    ["DANH MỤC MUA SẮM NĂM 2024"],
    [
        "TT",
        "Tên hàng hóa",
        "Hãng SX",
        "SL",
        "Đơn giá (nghìn đồng)",
        "Thành tiền (nghìn đồng)",
        "Ghi chú",
    ],
    ["I", "Thiết bị văn phòng", None, None, None, 47_000],
    [1, "Máy tính để bàn HP ProDesk", "HP", "3", "15.000", "45.000", None],
    [2, "Bộ lưu điện Santak 500VA", "Santak", "1", "2.000", "2.000", "Bảo hành 3 năm"],
    ["Cộng", None, None, 4, None, 47_000],
]


def in_xlsx(sheets: dict[str, Rows], merged: Sequence[str] = ()) -> bytes:
    """Return a workbook; ``merged`` are ranges of its first sheet."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    for place in merged:
        book.worksheets[0].merge_cells(place)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_xls(sheets: dict[str, Rows]) -> bytes:
    """Return an Excel 97 workbook, dates as real date cells."""
    book = xlwt.Workbook()
    days = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for name, rows in sheets.items():
        sheet = book.add_sheet(name)
        for number, row in enumerate(rows):
            for position, value in enumerate(row):
                if isinstance(value, date):
                    noon = datetime(value.year, value.month, value.day)  # noqa: DTZ001  # a cell has no zone
                    sheet.write(number, position, noon, days)
                elif value is not None:
                    sheet.write(number, position, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def in_ods(sheets: dict[str, Rows]) -> bytes:
    """Return what LibreOffice writes: runs of equal and empty cells as one with a count, to the edge."""
    tables = "".join(
        f'<table:table table:name="{escape(name)}">{"".join(map(_ods_row, rows))}'
        '<table:table-row table:number-rows-repeated="1048500"><table:table-cell'
        ' table:number-columns-repeated="16384"/></table:table-row></table:table>'
        for name, rows in sheets.items()
    )
    content = (
        '<?xml version="1.0" encoding="UTF-8"?><office:document-content'
        ' xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">'
        f"<office:body><office:spreadsheet>{tables}</office:spreadsheet></office:body>"
        "</office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("mimetype"), kind)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<?xml version="1.0"?><manifest:manifest'
            ' xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry'
            f' manifest:full-path="/" manifest:media-type="{kind}"/><manifest:file-entry'
            ' manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>',
        )
    return out.getvalue()


def _ods_row(row: Sequence[Any]) -> str:
    cells, empty = [], 0
    for value in row:
        if value is None:
            empty += 1
            continue
        if empty:
            cells.append(f'<table:table-cell table:number-columns-repeated="{empty}"/>')
            empty = 0
        cells.append(_ods_cell(value))
    cells.append(f'<table:table-cell table:number-columns-repeated="{16_384 - len(row)}"/>')
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def _ods_cell(value: Any) -> str:
    if isinstance(value, date):
        kind = f'office:value-type="date" office:date-value="{value.isoformat()}"'
    elif isinstance(value, int | float):
        kind = f'office:value-type="float" office:value="{value}"'
    else:
        kind = 'office:value-type="string"'
    shown = escape(str(value))
    return f"<table:table-cell {kind}><text:p>{shown}</text:p></table:table-cell>"


def in_csv(rows: Rows, encoding: str, separator: str = ";") -> bytes:
    """Return the rows as text in a Python encoding or, as they lost it, in one of ``text_legacy``."""
    lines = (separator.join("" if cell is None else str(cell) for cell in row) for row in rows)
    text = "\r\n".join(lines) + "\r\n"
    if encoding not in text_legacy.ENCODINGS or encoding == "utf8":
        return text.encode("utf-8" if encoding == "utf8" else encoding)
    return lost(text, encoding).encode("latin-1")


def lost(text: str, encoding: str) -> str:
    """Return how ``text`` looks once its encoding was lost: the inverse of ``text_legacy.decode``."""
    if encoding == "utf8":
        return "".join(_as_cp1252(byte) for byte in unicodedata.normalize("NFC", text).encode())
    return "".join(
        _LOST[encoding].get(letter, letter) for letter in unicodedata.normalize("NFC", text)
    )


def _as_cp1252(byte: int) -> str:
    return bytes([byte]).decode("cp1252", "ignore") or chr(byte)


def _tcvn3() -> dict[str, str]:
    low = {letter: chr(code) for code, letter in text_legacy._FROM_TCVN3.items()}
    # A font of small letters has no capitals with tones: people typed them in a font of capitals.
    upper = {letter.upper(): sign for letter, sign in low.items() if letter.upper() not in low}
    return {**upper, **low}


def _vni() -> dict[str, str]:
    found: dict[str, str] = {}
    alone = text_legacy._VNI_ALONE
    for sign, meaning in alone.items():
        found[meaning] = sign
        found[meaning.upper()] = sign.upper()
    for base in "aeouy":
        for sign, marks in text_legacy._VNI_SIGNS.items():
            letter = unicodedata.normalize("NFC", base + marks)
            if len(letter) == 1:
                found.setdefault(letter, base + sign)
                found.setdefault(letter.upper(), base.upper() + sign.upper())
    for base, horned in (("ô", "ơ"), ("ö", "ư")):
        for sign in "ùøûõï":
            letter = unicodedata.normalize("NFC", horned + text_legacy._VNI_SIGNS[sign])
            found[letter] = base + sign
            found[letter.upper()] = (base + sign).upper()
    return found


def _cp1258() -> dict[str, str]:
    found: dict[str, str] = {}
    tones = text_legacy._TONES
    for code in (*range(0xC0, 0x250), *range(0x1EA0, 0x1EFA)):
        letter = chr(code)
        marks = unicodedata.normalize("NFD", letter)
        base = unicodedata.normalize("NFC", "".join(m for m in marks if m not in tones))
        text = base + "".join(m for m in marks if m in tones)
        try:
            found[letter] = text.encode("cp1258").decode("latin-1")
        except UnicodeEncodeError:
            continue
    return found


_LOST = {"tcvn3": _tcvn3(), "vni": _vni(), "cp1258": _cp1258()}
