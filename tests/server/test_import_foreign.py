"""Sheets that are not our template: headings found, columns proposed, sections read, maps kept."""

from datetime import date

import pytest

from kiemke.server.db import Database
from kiemke.server.imports.options import Options, by_key
from kiemke.server.imports.parse import Line, Reading, read_sheets
from kiemke.server.imports.questions import open_questions
from kiemke.server.imports.result import ImportResult
from kiemke.server.imports.table import lay_out
from kiemke.server.imports.templates import TEMPLATES
from tests.support.imports import UNITS, load, load_file, told_sheet
from tests.support.ugly_sheets import (
    PROCUREMENT,
    ROSTER,
    S26_H,
    Rows,
    in_csv,
    in_ods,
    in_xls,
    in_xlsx,
    lost,
)

MERGED = ["A4:I4", "B6:C6", "F6:H6"]
YES = frozenset({"map"})


def mapped(result: ImportResult) -> dict[str | None, str | None]:
    return {one.heading: one.column for one in result.mapping}


def questions(result: ImportResult) -> list[str]:
    return [question.about for question in result.questions]


@pytest.fixture
async def units(database: Database) -> Database:
    await load(database, "units", UNITS)
    return database


@pytest.mark.parametrize(
    "data",
    [in_xlsx({"S26": S26_H}, MERGED), in_xls({"S26": S26_H}), in_ods({"S26": S26_H})],
    ids=["xlsx", "xls", "ods"],
)
async def test_a_register_is_understood_below_its_titles(units: Database, data: bytes) -> None:
    told = await load_file(units, "assets", data, Options(split=True), apply=True)

    assert told.errors == ()
    assert (questions(told), told.applied, told.new) == (["map"], False, 8)
    assert mapped(told) == {
        "Ngày ghi sổ": "valid_from",
        "Chứng từ / Số hiệu": "instrument",
        "Chứng từ / Ngày": None,
        "Tên TSCĐ, CCDC": "name",
        "ĐVT": None,
        "Ghi tăng / Số lượng": "quantity",
        "Ghi tăng / Đơn giá": "unit_price",
        "Ghi tăng / Thành tiền": "amount",
        "Ghi giảm / Lý do": None,
        None: "unit",
    }
    assert told.skipped == 7  # column numbers, two sections, the total, three rows of signatures
    assert await units.read("SELECT 1 FROM asset") == []


async def test_what_was_agreed_to_is_written_and_kept_for_the_next_file(units: Database) -> None:
    data = in_xlsx({"S26": S26_H}, MERGED)

    first = await load_file(units, "assets", data, Options(split=True, accept=YES))
    again = await load_file(units, "assets", in_ods({"Quý 2": S26_H}), Options(split=True))

    rows = await units.read(
        "SELECT a.kind, a.price_dong, v.code, c.valid_from FROM asset a"
        " JOIN custody c ON c.asset_id = a.id JOIN unit_version v ON v.unit_id = c.unit_id"
        " ORDER BY c.valid_from, a.id"
    )
    seen = [(row["kind"], row["price_dong"], row["code"], str(row["valid_from"])) for row in rows]
    assert (first.applied, first.new) == (True, 8)
    assert seen == [
        *[("desktop", 15_000_000, "TG-NV", "2021-03-15")] * 5,
        ("printer", 8_500_000, "TG-NV", "2022-04-20"),
        *[("laptop", 17_500_000, "TG-TP", "2023-12-25")] * 2,
    ]
    assert (again.applied, again.same, questions(again)) == (True, 8, [])
    assert {one.how for one in again.mapping if one.column} == {"saved"}


async def test_a_row_of_several_is_refused_until_it_may_be_split(units: Database) -> None:
    told = await load_file(units, "assets", in_xlsx({"S26": S26_H}), Options(accept=YES))

    assert [(e.row, e.message.en) for e in told.errors] == [
        (10, "one row holds 5 things"), (13, "one row holds 2 things"),
    ]  # fmt: skip
    assert "--split" in told.errors[0].remedy.en


async def test_private_columns_never_leave_the_reader(units: Database) -> None:
    """Citizen numbers, birthdays and pay are nobody's business here, by heading or by value."""
    hidden = [[*ROSTER[2][:3], "Mã số", *ROSTER[2][4:]], *ROSTER[3:]]

    for rows, dropped in ((ROSTER, "Số CCCD"), (hidden, "Mã số")):
        sheet = (await read_sheets(in_xlsx({"a": rows}), Reading("officials")))[0]
        assert set(sheet.dropped) == {"Ngày sinh", dropped, "Hệ số lương"}
        below = [line for line in sheet.lines if line.number > (sheet.heading or (0, 0))[1]]
        text = repr(below)
        assert "0311" not in text and "1980" not in text and "3,33" not in text


@pytest.mark.parametrize("encoding", ["tcvn3", "vni", "cp1258"])
async def test_a_roster_in_an_old_encoding_is_shown_side_by_side_and_asked(
    units: Database, encoding: str
) -> None:
    data = in_csv(ROSTER, encoding)
    options = Options(values={"kind": "cong_chuc"}, accept=YES)

    asked = await load_file(units, "officials", data, options)
    written = await load_file(
        units, "officials", data, Options(values=options.values, accept=YES, repair=encoding)
    )

    names = {sample for repair in asked.repairs for sample in repair.samples}
    assert (questions(asked), asked.applied) == (["repair"], False)
    assert (4, lost("Nguyễn Thị Ánh", encoding), "Nguyễn Thị Ánh") in names
    assert {repair.encoding for repair in asked.repairs} == {encoding}
    assert (written.errors, written.applied) == ((), True)
    stored = await units.read("SELECT code, name, phone FROM official ORDER BY phone")
    assert [tuple(row.values()) for row in stored] == [
        ("TG-NV-nguyenthianh", "Nguyễn Thị Ánh", "0900000011"),
        ("TG-NV-tranducdung", "Trần Đức Dũng", "0900000012"),
        ("TG-TP-levanuoc", "Lê Văn Ước", "0900000013"),
        ("TG-NV-nguyenthianh-2", "Nguyễn Thị Ánh", "0900000014"),
    ]


async def test_a_roster_read_with_the_wrong_code_page_is_repaired(units: Database) -> None:
    """UTF-8 opened as Windows-1252 and saved again: Viá»‡t."""
    broken: Rows = [[lost(c, "utf8") if isinstance(c, str) else c for c in r] for r in ROSTER]
    options = Options(values={"kind": "công chức"}, accept=YES | {"repair"})

    told = await load_file(units, "officials", in_xlsx({"a": broken}), options)

    assert (told.errors, told.applied, told.new) == ((), True, 4)
    assert {repair.encoding for repair in told.repairs} == {"utf8"}


async def test_a_repair_that_is_declined_leaves_an_error_on_each_row(units: Database) -> None:
    options = Options(values={"kind": "cong_chuc"}, accept=YES, repair="none")

    told = await load_file(units, "officials", in_csv(ROSTER, "tcvn3"), options)

    assert told.errors and not told.applied
    assert {e.message.en for e in told.errors if e.column and e.column.en == "Full name"} == {
        "text in an old or broken encoding"
    }


async def test_two_people_of_one_name_in_a_unit_are_told_and_a_roster_again_finds_them(
    units: Database,
) -> None:
    options = Options(values={"kind": "cong_chuc"}, accept=YES)
    moved = [*ROSTER[:4], [2, "Trần Đức Dũng", None, None, "Phó phòng", "Phòng Nội vụ", "0900000012"],
             *ROSTER[5:]]  # fmt: skip

    first = await load_file(units, "officials", in_xlsx({"a": ROSTER}), options)
    again = await load_file(units, "officials", in_xlsx({"a": moved}), options, apply=False)

    assert "2 people named Nguyễn Thị Ánh in TG-NV" in " ".join(n.en for n in first.notices)
    assert (again.new, again.changed, again.same) == (0, 1, 3)
    change = again.changes[0]
    assert (change.row, change.name) == (5, "Trần Đức Dũng")
    assert [
        (f.column.en, f.before and f.before.en, f.after and f.after.en) for f in change.fields
    ] == [("Post", "Trưởng phòng", "Phó phòng")]


async def test_a_procurement_list_in_thousands_with_kinds_by_name(units: Database) -> None:
    data = in_xls({"Mua sắm": PROCUREMENT})
    options = Options(values={"unit": "TG-NV"}, split=True, accept=YES)

    told = await load_file(units, "assets", data, options)

    assert told.errors == ()
    rows = await units.read("SELECT kind, manufacturer, price_dong FROM asset ORDER BY id")
    assert [tuple(row.values()) for row in rows] == [
        *[("desktop", "HP", 15_000_000)] * 3, ("ups", "Santak", 2_000_000),
    ]  # fmt: skip
    assert "is in thousand đồng" in told.notices[0].en


async def test_a_map_is_corrected_by_the_user_and_kept(units: Database) -> None:
    rows: Rows = [["Tên tài sản", "Mã", "Ghi chú", "Nhóm Z"], ["Bàn", "A1", "Phòng 2", "máy in"]]
    values = {"unit": "TG-NV"}
    columns = by_key({"Ghi chú": "place", "Nhóm Z": "kind"})

    told = await load_file(units, "assets", in_xlsx({"a": rows}), Options(columns, values))
    again = await load_file(units, "assets", in_xlsx({"b": rows}), Options({}, values))

    assert (told.applied, told.new, again.applied, again.same) == (True, 1, True, 1)
    assert mapped(again)["Nhóm Z"] == "kind"
    assert len(await units.read("SELECT 1 FROM import_map")) == 1


async def test_sheets_of_one_form_are_one_file_and_others_are_told(units: Database) -> None:
    head = ["Mã tài sản", "Tên tài sản", "Loại tài sản", "Số lượng"]
    book: dict[str, Rows] = {
        "Phòng Nội vụ": [head, ["A1", "Máy in", "máy in", 1]],
        "Phòng Tư pháp": [head, ["A1", "Máy quét", "máy quét", 1], ["A2", "X", "máy lạ", 1]],
        "Ghi chú": [["Không phải bảng"]],
    }
    good: dict[str, Rows] = {**book, "Phòng Tư pháp": [head, ["A2", "Máy quét", "máy quét", 1]]}

    wrong = await load_file(units, "assets", in_xlsx(book), Options(accept=YES))
    told = await load_file(units, "assets", in_xlsx(good), Options(accept=YES))

    assert [(e.sheet, e.row) for e in wrong.errors] == [("Phòng Tư pháp", 2), ("Phòng Tư pháp", 3)]
    assert told.errors == () and told.other_sheets == ("Ghi chú",)
    held = await units.read(
        "SELECT a.code AS asset, v.code AS unit FROM custody c JOIN asset a ON a.id = c.asset_id"
        " JOIN unit_version v ON v.unit_id = c.unit_id ORDER BY a.code"
    )
    assert [tuple(row.values()) for row in held] == [("A1", "TG-NV"), ("A2", "TG-TP")]


@pytest.mark.parametrize(
    ("cells", "days", "order", "since"),
    [
        (["05/04/2022", "25/04/2022"], None, "2022-04-05", None),
        (["05/04/2022", "04/25/2022"], None, "2022-05-04", None),
        (["05/04/2022", "06/05/2022"], None, None, ["days"]),
        (["05/04/2022", "06/05/2022"], "dmy", "2022-04-05", None),
        (["05/04/2022", "06/05/2022"], "mdy", "2022-05-04", None),
        (["13/04/2022", "04/13/2022"], None, None, ["days"]),
        ([date(2022, 4, 5), "25/04/2022"], None, None, ["days"]),
        ([date(2022, 4, 5), "25/04/2022"], "swapped", "2022-05-04", None),
        ([date(2022, 4, 5), date(2022, 4, 25)], None, "2022-04-05", None),
    ],
)  # fmt: skip
def test_day_or_month_first_is_proved_by_the_rows_or_asked(
    cells: list[str | date], days: str | None, order: str | None, since: list[str] | None
) -> None:
    lines = [
        Line(1, ("Mã tài sản", "Tên tài sản", "Loại", "Ngày mua", "Đơn vị")),
        *(Line(n, (f"A{n}", "Máy in", "máy in", cell, "TG")) for n, cell in enumerate(cells, 2)),
    ]
    options = Options(days=days, accept=YES)

    table = lay_out([told_sheet(lines, TEMPLATES["assets"])], TEMPLATES["assets"], options)

    if order is None:
        assert since == [question.about for question in open_questions(table, options)]
    else:
        assert str(table.rows[0].values["in_use_since"]) == order
        assert open_questions(table, options) == []


async def test_a_value_merged_over_rows_stands_in_each_of_them(units: Database) -> None:
    rows: Rows = [
        ["Phòng ban", "Mã tài sản", "Tên tài sản"],
        ["Phòng Nội vụ", "A1", "Máy in"], [None, "A2", "Máy quét"],
    ]  # fmt: skip

    told = await load_file(units, "assets", in_xlsx({"a": rows}, ["A2:A3"]), Options(accept=YES))

    assert (told.errors, told.new) == ((), 2)


async def test_an_asset_names_its_custodian_and_a_name_that_two_bear_is_refused(
    units: Database,
) -> None:
    await load_file(
        units, "officials", in_xlsx({"a": ROSTER}),
        Options(values={"kind": "cong_chuc"}, accept=YES),
    )  # fmt: skip
    rows: Rows = [
        ["Mã tài sản", "Tên tài sản", "Phòng ban", "Người sử dụng"],
        ["A1", "Máy in", "Phòng Nội vụ", "Trần Đức Dũng"],
        ["A2", "Máy in", "Phòng Nội vụ", "Nguyễn Thị Ánh"],
    ]

    told = await load_file(units, "assets", in_xlsx({"a": rows}), Options(accept=YES))

    assert [(e.row, e.value) for e in told.errors] == [(3, "Nguyễn Thị Ánh")]
    assert "TG-NV-nguyenthianh-2" in told.errors[0].message.en


UNIT_WAYS = [
    ["Mã", "Tên", "Loại", "Mã đơn vị cấp trên"],
    ["TG-VP", "Văn phòng HĐND-UBND", "phòng", "Huyện Thanh Giang"],
    ["TG-AH", "Xã An Hoà", "xã", "TG"],
    ["AH-VH", "Phòng Văn hoá", "phòng", "Xã An Hòa"],
    ["TG-VH", "Phòng Văn hóa", "phòng", "TG"],
]


async def _named(database: Database, *names: str) -> ImportResult:
    named = [[f"A{n}", "Máy in", name] for n, name in enumerate(names)]
    rows: Rows = [["Mã tài sản", "Tên tài sản", "Phòng ban"], *named]
    return await load_file(database, "assets", in_xlsx({"a": rows}), Options(accept=YES))


async def test_a_unit_is_known_by_its_name_however_it_is_written(units: Database) -> None:
    brought = await load(units, "units", UNIT_WAYS)
    ways = ("VĂN PHÒNG HĐND & UBND", "Văn phòng HĐND và UBND", "UBND xã An Hòa", "xã  An Hoà")

    told = await _named(units, *ways)

    assert brought.errors == () and told.errors == ()
    held = await units.read(
        "SELECT v.code FROM custody c JOIN asset a ON a.id = c.asset_id"
        " JOIN unit_version v ON v.unit_id = c.unit_id ORDER BY a.code"
    )
    assert [row["code"] for row in held] == ["TG-VP", "TG-VP", "TG-AH", "TG-AH"]


async def test_a_name_of_several_units_or_of_none_is_told_with_what_comes_near(
    units: Database,
) -> None:
    await load(units, "units", UNIT_WAYS)

    told = await _named(units, "Phòng Văn hóa", "Phòng Tư pháp huyện", "Kho bạc")

    assert [error.row for error in told.errors] == [2, 3, 4]
    assert [notice.en for notice in told.notices] == [
        "“Phòng Tư pháp huyện”: is it TG-TP Phòng Tư pháp?",
        "2 units are named “Phòng Văn hóa”: AH-VH, TG-VH; write the code",
    ]


async def test_nobody_is_told_of_a_unit_he_may_not_see(units: Database) -> None:
    await load(units, "units", UNIT_WAYS)
    mine = frozenset(
        row["unit_id"] for row in await units.read("SELECT unit_id FROM unit_version WHERE code = 'TG-VH'")
    )  # fmt: skip
    rows: Rows = [
        ["Mã tài sản", "Tên tài sản", "Phòng ban"],
        ["A1", "Máy in", "Phòng Văn hóa"],
        ["A2", "Máy in", "Phòng Tư pháp huyện"],
    ]

    told = await load_file(units, "assets", in_xlsx({"a": rows}), Options(accept=YES), within=mine)

    # One of two "Phòng Văn hóa" is his; of the other unit not even that it is like the name.
    assert [(error.row, error.value) for error in told.errors] == [(3, "Phòng Tư pháp huyện")]
    assert not [notice for notice in told.notices if "TG-TP" in notice.en]


async def test_rows_without_a_first_day_tell_from_when_they_hold(units: Database) -> None:
    rows: Rows = [
        ["Họ tên", "Mã", "Mã đơn vị", "Đối tượng", "Từ ngày"],
        ["An", "1", "TG", "công chức", None],
        ["Bình", "2", "TG", "công chức", "25/02/2020"],
    ]
    dated: Rows = [[*row[:4], "25/02/2020"] if row[1] == "1" else row for row in rows]

    told = await load_file(units, "officials", in_xlsx({"a": rows}), Options(accept=YES))
    again = await load_file(units, "officials", in_xlsx({"a": rows}), Options(accept=YES))
    said = await load_file(units, "officials", in_xlsx({"a": dated}), Options(accept=YES))

    assert told.errors == ()
    assert [notice.en.split(",")[0] for notice in told.notices] == [
        "1 rows do not say since when: they hold from today"
    ]
    assert (again.same, again.notices, said.notices) == (2, (), ())
