"""Foreign files: read whatever honest programs write, refuse bombs with a sentence, and stay alive."""

import asyncio
import io
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from kiemke.server.imports import parse
from kiemke.server.imports.cells import CellError, read_cell
from kiemke.server.imports.parse import FileRefused, Line, read_sheets
from kiemke.server.imports.table import lay_out
from kiemke.server.imports.templates import TEMPLATES, TYPES, Column
from kiemke.server.imports.writer import FORMATS, heading, write_template
from tests.support.imports import told_sheet

CONTENT_TYPES = (
    '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
RELS = (
    '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
    'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/'
    '2006/relationships/{kind}" Target="{target}"/></Relationships>'
)
MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
WORKBOOK = (
    f'<?xml version="1.0"?><workbook {MAIN} xmlns:r="http://schemas.openxmlformats.org/officeDocument'
    '/2006/relationships"><sheets><sheet name="a" sheetId="1" r:id="rId1"/></sheets></workbook>'
)


async def read_lines(data: bytes, *, wall_seconds: float = parse.WALL_SECONDS) -> list[Line]:
    """Return the first sheet's lines."""
    return (await read_sheets(data, wall_seconds=wall_seconds))[0].lines


def workbook_of(sheet: str | bytes, *, extra: dict[str, bytes] | None = None) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr(
            "_rels/.rels", RELS.format(kind="officeDocument", target="xl/workbook.xml")
        )
        archive.writestr("xl/workbook.xml", WORKBOOK)
        rels = RELS.format(kind="worksheet", target="worksheets/sheet1.xml")
        archive.writestr("xl/_rels/workbook.xml.rels", rels)
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return out.getvalue()


def sheet_of(cells: str, prolog: str = "") -> str:
    return (
        f'<?xml version="1.0"?>{prolog}<worksheet {MAIN}><sheetData>{cells}</sheetData></worksheet>'
    )


def wide_bomb() -> bytes:
    """Two cells in opposite corners: a reader that makes a full grid needs 17 thousand million."""
    return workbook_of(sheet_of(
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    ))  # fmt: skip


def zip_bomb() -> bytes:
    """300 MB of spaces inside a valid sheet, 300 kB on disk."""
    return workbook_of(sheet_of(" " * (300 * 2**20)))


def lying_bomb() -> bytes:
    """A part whose directory entry says 10 bytes while 300 MB come out."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = compressor.compress(b" " * (300 * 2**20)) + compressor.flush()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", WORKBOOK)
    name = b"xl/worksheets/sheet1.xml"
    whole = out.getvalue()
    at = whole.index(b"PK\x01\x02")
    local = struct.pack(
        "<4sHHHHHIIIHH", b"PK\x03\x04", 20, 0, 8, 0, 0, 0, len(stream), 10, len(name), 0
    )
    central = struct.pack(
        "<4sHHHHHHIIIHHHHHII", b"PK\x01\x02", 20, 20, 0, 8, 0, 0, 0, len(stream), 10, len(name),
        0, 0, 0, 0, 0, at,
    )  # fmt: skip
    body = whole[:at] + local + name + stream
    directory = whole[at : whole.index(b"PK\x05\x06")] + central + name
    end = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, 2, 2, len(directory), len(body), 0)
    return body + directory + end


def laughing_bomb() -> bytes:
    """Entities that stand for ten of the entity before, ten times over."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
    return workbook_of(sheet_of(
        '<row r="1"><c r="A1" t="inlineStr"><is><t>&l9;</t></is></c></row>',
        f"<!DOCTYPE x [{entities}]>",
    ))  # fmt: skip


def shared_string_bomb() -> bytes:
    """Sixty thousand references to one shared string of 30 kB: 1.8 GB when each is a cell."""
    cells = "".join(f'<row r="{n}"><c t="s"><v>0</v></c></row>' for n in range(1, 60_000))
    table = f'<?xml version="1.0"?><sst {MAIN}><si><t>{"x" * 30_000}</t></si></sst>'
    rels = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/'
        'relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/'
        'officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/>'
        '<Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships/sharedStrings" Target="sharedStrings.xml"/></Relationships>'
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr(
            "_rels/.rels", RELS.format(kind="officeDocument", target="xl/workbook.xml")
        )
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", rels)
        archive.writestr("xl/worksheets/sheet1.xml", sheet_of(cells))
        archive.writestr("xl/sharedStrings.xml", table)
    return out.getvalue()


@pytest.mark.parametrize(
    ("make", "codes"),
    [
        (wide_bomb, {"dimensions"}),
        (zip_bomb, {"inflates"}),
        (lying_bomb, {"inflates", "not_xlsx"}),
        (laughing_bomb, {"entities"}),
        (shared_string_bomb, {"memory"}),
    ],
)
async def test_a_spreadsheet_bomb_is_refused_and_the_server_lives(
    make: Callable[[], bytes], codes: set[str]
) -> None:
    data = make()
    before = _memory_bytes()

    with pytest.raises(FileRefused) as caught:
        await read_lines(data, wall_seconds=120.0)

    # Not by the time it took: a slow machine is given all it needs.
    assert caught.value.code in codes and caught.value.problem.vi and caught.value.remedy.vi
    assert _memory_bytes() - before < 100 * 2**20
    assert _children() == []


def _memory_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _children() -> list[str]:
    """Return child processes of this one that read spreadsheets."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # ended between the listing and the look
        if int(status[1]) == os.getpid() and b"imports.child" in command:
            found.append(folder.name)
    return found


async def test_a_reader_that_takes_too_long_is_ended() -> None:
    """No child starts and reads 190,000 rows within 20 ms."""
    rows = "1;2\r\n" * 190_000

    with pytest.raises(FileRefused) as caught:
        await read_lines(rows.encode(), wall_seconds=0.02)

    assert caught.value.code == "time"
    assert _children() == []


async def test_a_cancelled_import_leaves_no_reader_behind() -> None:
    task = asyncio.create_task(read_lines(b"a;b\r\n" * 100_000))
    async with asyncio.timeout(30):
        while not _children():
            await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert _children() == []


async def test_a_file_over_the_limit_is_refused_before_anything_reads_it() -> None:
    with pytest.raises(FileRefused) as caught:
        await read_lines(b"x" * (parse.MOST_FILE_BYTES + 1))

    assert caught.value.code == "size"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04 not a zip", "not_xlsx"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "not_xlsx"),
        ("Mã;Tên".encode("utf-16-le"), "encoding"),
        (b'"open quote', "not_table"),
        (b"\0\0\0", "encoding"),
    ],
)
async def test_other_files_are_refused_with_their_reason(data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as caught:
        await read_lines(data)

    assert caught.value.code == code


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
async def test_csv_is_read_whatever_excel_wrote(separator: str, encoding: str) -> None:
    text = f'Mã{separator}"Tên, có; dấu"\r\n001{separator}"dòng\nhai"\r\n{separator}\r\n'

    lines = await read_lines(text.encode(encoding))

    assert lines == [Line(1, ("Mã", "Tên, có; dấu")), Line(2, ("001", "dòng\nhai"))]


async def test_xlsx_cells_keep_their_types_and_rows_their_numbers() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["B3"], sheet["C3"], sheet["D3"] = "Mã", 12, datetime(2022, 4, 5)  # noqa: DTZ001  # a cell has no zone
    sheet["B5"], sheet["C5"], sheet["D5"] = True, 1.5, "0012"
    out = io.BytesIO()
    book.save(out)

    lines = await read_lines(out.getvalue())

    assert lines == [
        Line(3, (None, "Mã", 12, date(2022, 4, 5))), Line(5, (None, True, 1.5, "0012")),
    ]  # fmt: skip


@pytest.mark.parametrize("name", list(TEMPLATES))
@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("language", ["vi", "en"])
async def test_a_written_template_is_understood_when_filled_in(
    name: str, format_: str, language: str
) -> None:
    template = TEMPLATES[name]
    written = write_template(name, format_, language)
    filled = [Line(2, tuple(column.example or None for column in template.columns))]

    headings = await read_lines(written)
    table = lay_out([told_sheet([headings[0], *filled], template)], template)

    assert len(headings) == 1 and table.errors == [] and table.ignored == []
    assert list(table.rows[0].values) == [column.name for column in template.columns]


def test_a_template_has_a_guide_lists_and_text_cells() -> None:
    book = openpyxl.load_workbook(io.BytesIO(write_template("assets")))

    rows, guide, lists = book.worksheets
    rules = {str(r.sqref): r for r in rows.data_validations.dataValidation}
    kind = rules["C2:C2001"]
    assert rows.column_dimensions["A"].number_format == "@"
    assert kind.type == "list" and kind.formula1 == f"'{lists.title}'!$C$1:$C$24"
    assert lists["C1"].value == "máy tính để bàn" and lists.sheet_state == "hidden"
    assert guide["E2"].value == TEMPLATES["assets"].columns[0].example


@pytest.mark.parametrize("template", TEMPLATES.values(), ids=lambda t: t.name)
def test_every_column_is_explained_in_both_languages(template: object) -> None:
    assert template in TEMPLATES.values()
    for column in TEMPLATES[getattr(template, "name", "")].columns:
        assert column.type in TYPES
        assert all((column.heading.vi, column.heading.en, column.help.vi, column.help.en))
        assert heading(column, "vi").startswith(column.heading.vi)
        assert (column.type in ("choice", "choices")) == (column.choices is not None)


def test_headings_may_stand_in_any_order_language_and_spelling_below_a_title() -> None:
    lines = [
        Line(1, ("DANH SÁCH ĐƠN VỊ", None)),
        Line(3, ("LOAI", "Ghi chú", "ten", "Parent Code", "mã")),
        Line(4, ("xa", "bỏ qua", "Xã Đông", None, 7.0)),
    ]

    table = lay_out([told_sheet(lines, TEMPLATES["units"])], TEMPLATES["units"])

    assert table.errors == [] and table.ignored == ["Ghi chú"]
    assert table.rows[0].number == 4
    assert table.rows[0].values == {"type": "xa", "name": "Xã Đông", "parent": None, "code": "7"}


def test_missing_and_doubled_columns_are_named() -> None:
    lines = [Line(1, ("Mã", "Code", "Tên")), Line(2, ("1", "2", "x"))]

    table = lay_out([told_sheet(lines, TEMPLATES["units"])], TEMPLATES["units"])

    told = {(e.column.vi if e.column else None, e.message.en) for e in table.errors}
    assert told == {
        ("Loại", "a required column is missing"), ("Mã", "this column stands twice"),
    }  # fmt: skip


def column(type_: str) -> Column:
    return next(c for t in TEMPLATES.values() for c in t.columns if c.type == type_)


@pytest.mark.parametrize(
    ("type_", "cell", "value"),
    [
        ("code", 12.0, "12"),
        ("code", " 0012 ", "0012"),
        ("phone", 900000001.0, "0900000001"),
        ("phone", "0900.000.001", "0900000001"),
        ("phone", "+84 900 000 001", "+84900000001"),
        ("codes", "a; b;a;\n c", ("a", "b", "c")),
        ("choices", "Công chức; can_bo", ("can_bo", "cong_chuc")),
        ("mbps", "100 Mbps", 100_000_000),
        ("mbps", "1 Gbps", 1_000_000_000),
        ("mbps", 1.5, 1_500_000),
        ("percent", "90 %", 900),
        ("percent", 0.9, 900),
        ("percent", "0,8", 800),
        ("percent", 1, 1000),
        ("percent", 90, 900),
        ("flag", "Có", True),
        ("flag", False, False),
        ("year_or_date", 2021.0, date(2021, 1, 1)),
        ("money", "15 triệu", 15_000_000),
        ("integer", 161.0, 161),
        ("addresses", "isp:2001:db8::1; router.example", (("domestic", "router.example"), ("isp", "2001:db8::1"))),
        ("addresses", None, ()),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_its_column_says(type_: str, cell: str | float, value: object) -> None:
    assert read_cell(cell, column(type_)) == value


@pytest.mark.parametrize(
    ("type_", "cell"),
    [
        ("phone", "không có"), ("choice", "linh tinh"), ("choices", "công chức; ma"),
        ("mbps", "nhanh"), ("percent", "rất cao"), ("percent", "0"), ("flag", "có thể"),
        ("addresses", "isp:300.1.1"), ("integer", 1.5), ("money", "1.234"), ("date", "31/02/2024"),
        ("date", True), ("text", "x" * 201), ("text", "c¸n bé"), ("codes", ";".join(map(str, range(201)))),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_says_why_and_what_to_do(type_: str, cell: str | float) -> None:
    with pytest.raises(CellError) as caught:
        read_cell(cell, column(type_))

    error = caught.value
    assert all((error.message.vi, error.message.en, error.remedy.vi, error.remedy.en))
