"""Headings, columns, shares of money and lost encodings: the parts of an import without a database."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain import text_legacy
from kiemke.server.imports.columns import propose
from kiemke.server.imports.dictionary import known_keys
from kiemke.server.imports.headings import (
    Cell,
    find_heading,
    holds_private,
    is_numbering,
    is_private,
)
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import Line
from kiemke.server.imports.resolve import kind_of
from kiemke.server.imports.split import share, split_rows
from kiemke.server.imports.table import TableRow, lay_out
from kiemke.server.imports.templates import TEMPLATES
from tests.support.imports import told_sheet
from tests.support.ugly_sheets import lost

ASSETS, OFFICIALS = TEMPLATES["assets"], TEMPLATES["officials"]

C53_HD: list[tuple[Cell, ...]] = [
    ("Tên đơn vị: UBND xã Thanh Giang", None, None, None, "Mẫu số: C53-HD"),
    ("BIÊN BẢN KIỂM KÊ TÀI SẢN CỐ ĐỊNH",),
    ("Thời điểm kiểm kê: 31/12/2025",),
    ("Số TT", "Tên TSCĐ", "Mã số", "Nơi sử dụng", "Theo sổ kế toán", None, None, "Theo kiểm kê", None,
     None, "Chênh lệch", None, None, "Ghi chú"),
    (None, None, None, None, "SL", "Nguyên giá", "GTCL", "SL", "Nguyên giá", "GTCL", "SL", "Nguyên giá",
     "GTCL", None),
]  # fmt: skip
S24_H: list[tuple[Cell, ...]] = [
    ("Chứng từ ghi tăng", None, "Tên, đặc điểm, ký hiệu", "Nước SX", "Năm đưa vào SD", "Số hiệu TSCĐ",
     "Thẻ TSCĐ", "Nguyên giá", "Hao mòn", None, "Ghi giảm", None),
    ("Số hiệu", "Ngày", None, None, None, None, None, None, "Tỷ lệ %", "Số tiền", "Số hiệu", "Lý do"),
]  # fmt: skip
F04C: list[tuple[Cell, ...]] = [
    ("Tài sản", "Ký hiệu", "Nước SX", "Năm SX", "Ngày SD", "Nguyên giá", None, None, "GTCL",
     "Hiện trạng sử dụng"),
    (None, None, None, None, None, "Nguồn NS", "Nguồn khác", "Tổng cộng", None, None),
]  # fmt: skip


def columns_of(rows: list[tuple[Cell, ...]], template: str = "assets") -> dict[str, str]:
    """Return heading -> column of every column that is taken."""
    lines = [Line(number, cells) for number, cells in enumerate(rows, 1)]
    sheet = told_sheet(lines, TEMPLATES[template])
    found = propose(sheet, TEMPLATES[template], Options(), {})
    return {m.heading: m.column for m in found if m.heading and m.column}


def test_the_minutes_of_a_count_give_the_book_and_not_the_count() -> None:
    assert columns_of(C53_HD) == {
        "Tên TSCĐ": "name",
        "Mã số": "code",
        "Nơi sử dụng": "place",
        "Theo sổ kế toán / SL": "quantity",
        "Theo sổ kế toán / Nguyên giá": "price_dong",
    }


def test_a_register_gives_its_number_and_not_the_one_of_the_writing_off() -> None:
    assert columns_of(S24_H) == {
        "Chứng từ ghi tăng / Số hiệu": "instrument",
        "Tên, đặc điểm, ký hiệu": "name",
        "Năm đưa vào SD": "in_use_since",
        "Số hiệu TSCĐ": "code",
        "Nguyên giá": "price_dong",
    }


def test_a_declaration_gives_the_whole_price() -> None:
    assert columns_of(F04C) == {
        "Tài sản": "name",
        "Ký hiệu": "model",
        "Ngày SD": "in_use_since",
        "Nguyên giá / Tổng cộng": "price_dong",
        "Hiện trạng sử dụng": "status",
    }


@pytest.mark.parametrize(
    ("headings", "columns"),
    [
        (["HO VA TEN", "chuc vu", "Phong ban", "SDT"], ["name", "post", "unit", "phone"]),
        (["Full name", "Title", "Department", "Mobile"], ["name", "post", "unit", "phone"]),
        (["Hä vµ tªn", "Chøc vô", "Phßng ban"], ["name", "post", "unit"]),
        ([unicodedata.normalize("NFD", "Họ và tên"), "Chức danh"], ["name", "post"]),
        (["Họ và tên cán bộ", "Chức vụ hiện tại"], ["name", "post"]),
    ],
)
def test_headings_are_known_in_both_languages_and_every_spelling(
    headings: list[str], columns: list[str]
) -> None:
    assert list(columns_of([tuple(headings)], "officials").values()) == columns


def test_a_number_below_a_group_is_what_the_group_says_it_is() -> None:
    """Cells merged downwards stand in both rows, so that the lower one alone would do without its groups."""
    rows: list[tuple[Cell, ...]] = [
        ("SỔ THEO DÕI TSCĐ VÀ CCDC TẠI NƠI SỬ DỤNG",),
        ("Số TT", "Chứng từ", None, "Tên TSCĐ, CCDC", "ĐVT", "Ghi tăng", None, "Người SD"),
        ("Số TT", "Số hiệu", "Ngày", "Tên TSCĐ, CCDC", "ĐVT", "SL", "Đơn giá", "Người SD"),
    ]

    assert columns_of(rows, "assets") == {
        "Chứng từ / Số hiệu": "instrument",
        "Tên TSCĐ, CCDC": "name",
        "Ghi tăng / SL": "quantity",
        "Ghi tăng / Đơn giá": "unit_price",
        "Người SD": "official",
    }


def test_a_heading_that_lost_its_encoding_is_read_as_its_neighbours() -> None:
    """Each of "Ñôn vò" could be Vietnamese as it stands; beside others in VNI it is not."""
    rows: list[tuple[Cell, ...]] = [("Hoï vaø teân", "Ñôn vò", "Ñoái töôïng", "Chöùc vuï")]

    assert list(columns_of(rows, "officials").values()) == ["name", "unit", "kind", "post"]


def test_titles_and_data_rows_do_not_join_the_headings() -> None:
    rows: list[tuple[Cell, ...]] = [
        ("ỦY BAN NHÂN DÂN", None), ("Danh mục tài sản", None), ("Mã tài sản", "Tên tài sản"), ("TS1", "Máy in"),
    ]  # fmt: skip

    found = find_heading(rows, known_keys(ASSETS))

    assert found is not None and (found.first, found.last) == (2, 2)


@pytest.mark.parametrize(
    ("label", "private"),
    [
        ("Số CCCD", True), ("CMND/CCCD", True), ("Ngày sinh", True), ("Năm sinh", True), ("Lương", True),
        ("Hệ số lương", True), ("Số tài khoản ngân hàng", True), ("Quê quán", True), ("Date of birth", True),
        ("Số lượng", False), ("Chất lượng", False), ("Dung lượng", False), ("Tài khoản", False),
        ("Họ và tên", False), ("Giới thiệu", False), ("Ngày sử dụng", False),
    ],
)  # fmt: skip
def test_a_heading_of_a_person_s_own_business_is_known(label: str, private: bool) -> None:
    assert is_private(label) is private


def test_citizen_numbers_are_known_by_themselves() -> None:
    assert holds_private(["031180000001", "031175000002", None, "031190000003"])
    assert not holds_private(["0900000001", "0900000002", "0900000003"])


def test_the_numbering_under_headings_is_no_row() -> None:
    assert is_numbering(("A", "B", 1.0, 2.0, "3=1x2"))
    assert not is_numbering(("TS1", "Máy in", 1.0))


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("Máy tính xách tay Asus", "laptop"), ("Máy vi tính để bàn Dell", "desktop"),
        ("Bộ máy vi tính", "desktop"), ("Máy in HP LaserJet", "printer"), ("Bộ lưu điện Santak", "ups"),
        ("Máy photocopy Ricoh", "copier"), ("Switch TP-Link 24 port", "switch"), ("Bàn họp", None),
        ("Máy in đa năng Canon", "multifunction"), ("Máy tra cứu thông tin", "kiosk"),
    ],
)  # fmt: skip
def test_a_name_tells_its_kind(name: str, kind: str | None) -> None:
    assert kind_of(name) == kind


@given(st.integers(0, 10**15), st.integers(1, 500))
def test_shared_money_adds_up_to_the_dong(total: int, parts: int) -> None:
    shares = share(total, parts)

    assert sum(shares) == total and len(shares) == parts
    assert max(shares) - min(shares) <= 1


def row(**values: object) -> TableRow:
    return TableRow(7, {"code": "TS1", "name": "Máy tính", **values})


@pytest.mark.parametrize(
    ("values", "prices"),
    [
        ({"quantity": 5, "amount": 75_000_000}, [15_000_000] * 5),
        ({"quantity": 3, "amount": 100}, [34, 33, 33]),
        ({"quantity": 2, "unit_price": 9}, [9, 9]),
        ({"quantity": 2, "unit_price": 9, "amount": 18}, [9, 9]),
        ({"quantity": 2, "price_dong": 31}, [16, 15]),
        ({"quantity": 1, "amount": 7}, [7]),
        ({"name": "5 máy tính", "amount": 75_000_000}, [15_000_000] * 5),
        ({"name": "02 bộ máy vi tính Dell", "amount": 10}, [5, 5]),
    ],
)
def test_a_row_of_several_becomes_several(values: dict[str, object], prices: list[int]) -> None:
    rows, errors, _ = split_rows([row(**values)], ASSETS, split=True)

    assert errors == []
    assert [one.values["price_dong"] for one in rows] == prices
    assert (
        len({one.values["code"] for one in rows}) == len({one.key for one in rows}) == len(prices)
    )
    assert all(set(one.values) <= {"code", "name", "price_dong"} for one in rows)


def test_codes_serials_and_names_of_the_parts() -> None:
    several = row(quantity=2, serial="A1; B2", name="2 máy tính HP", tag="T9")

    rows, _, _ = split_rows([several], ASSETS, split=True)

    assert [(r.values["code"], r.values["serial"], r.values["tag"]) for r in rows] == [
        ("TS1-1", "A1", "T9-1"), ("TS1-2", "B2", "T9-2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "values",
    [
        {"quantity": 2, "unit_price": 9, "amount": 19},
        {"quantity": 0},
        {"quantity": 501, "amount": 1},
    ],
)
def test_a_row_that_contradicts_itself_is_refused(values: dict[str, object]) -> None:
    rows, errors, _ = split_rows([row(**values)], ASSETS, split=True)

    assert rows == [] and len(errors) == 1 and errors[0].row == 7


WORDS = (
    "Nguyễn Thị Ánh Đặng Văn Đức Phòng Nội vụ Trưởng phòng Máy vi tính xách tay Huỳnh Quỳnh Nghĩa "
    "Tường Khuyên Hoàng Thủy Ước Kỹ thuật Đường Bình Giấy Chuyên viên"
).split()


@pytest.mark.parametrize("encoding", text_legacy.ENCODINGS)
@given(words=st.lists(st.sampled_from(WORDS), min_size=6, max_size=30))
def test_a_column_that_lost_its_encoding_is_recognised_and_restored(
    encoding: str, words: list[str]
) -> None:
    text = " ".join(words).lower()
    broken = lost(text, encoding)
    if broken == text:
        return

    assert text_legacy.detect(broken.split(" ")) in (encoding, None)
    assert text_legacy.decode(broken, encoding) == text


@pytest.mark.parametrize("encoding", text_legacy.ENCODINGS)
def test_whole_words_are_told_from_each_other_by_their_encoding(encoding: str) -> None:
    assert text_legacy.detect(lost(" ".join(WORDS), encoding).split(" ")) == encoding


@given(st.lists(st.sampled_from(WORDS), max_size=20))
def test_sound_vietnamese_is_never_suspected(words: list[str]) -> None:
    assert text_legacy.detect(words) is None
    assert (
        text_legacy.detect([unicodedata.normalize("NFC", word.upper()) for word in words]) is None
    )


def test_amounts_in_thousands_are_scaled_by_the_title_above() -> None:
    lines = [
        Line(1, ("Đơn vị tính: nghìn đồng", None, None, None, None)),
        Line(2, ("Mã tài sản", "Tên tài sản", "Loại", "Nguyên giá", "Đơn vị")),
        Line(3, ("TS1", "Máy in", "máy in", "15.000", "TG")),
        Line(4, ("TS2", "Máy in", "máy in", 8500.5, "TG")),
        Line(5, ("TS3", "Máy in", "máy in", "9 triệu", "TG")),
    ]

    table = lay_out([told_sheet(lines, ASSETS)], ASSETS)

    assert [r.values["price_dong"] for r in table.rows] == [15_000_000, 8_500_500, 9_000_000]
