"""Tables: 80 columns that hold, whole numbers, and nothing a terminal or a spreadsheet obeys."""

import csv
import io
import json
import unicodedata

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from kiemke.cli import i18n
from kiemke.cli.figures import zone_of
from kiemke.cli.kinds import COUNT, TEXT, THING, words
from kiemke.cli.tables import Column, as_csv, as_json, draw
from kiemke.cli.text import fold, visible

ZONE = zone_of(None)
COLUMNS = (
    Column("Code", "code"),
    Column("Name", "name", TEXT, flexible=True),
    Column("Unit", "unit", THING, flexible=True),
    Column("Number", "number", COUNT),
)
HOSTILE = ("[/red]", "=cmd|' /C calc'!A0", "<img src=x onerror=alert(1)>", "\x1b[31mred\x1b]0;x\x07",
           "\u202egnp.exe", "a\nb\r\tc", "\x9b2J", "\u200b\u2028", "\ud800")  # fmt: skip
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_a_long_name_gives_way_and_a_number_never() -> None:
    i18n.use("vi")
    row = {"code": "TG-VP", "name": "Văn phòng " * 20, "unit": {"name": "U"}, "number": 1234567}

    lines = [line.plain for line in draw(COLUMNS, [row], 40, ZONE).lines]

    assert [cell_len(line) for line in lines] == [40, 40]
    assert lines[1].startswith("TG-VP  Văn phòng")
    assert "…" in lines[1]
    assert lines[1].endswith("1.234.567")


def test_names_that_differ_in_their_tails_go_on_in_the_next_line() -> None:
    columns = (Column("Unit", "name", flexible=True, least=12, wraps=True), Column("n", "n", COUNT))
    names = ("Văn phòng Hội đồng nhân dân và Ủy ban nhân dân", "Phòng", "x" * 40)

    lines = [
        line.plain.rstrip()
        for line in draw(columns, [{"name": name, "n": 7} for name in names], 24, ZONE).lines
    ]

    assert lines[1:] == [
        "Văn phòng Hội đồng     7",
        "nhân dân và Ủy ban",
        "nhân dân",
        "Phòng                  7",
        "xxxxxxxxxxxxxxxxxxxx…  7",
    ]


def test_csv_begins_no_formula_wherever_a_spreadsheet_cuts_it() -> None:
    """Where ; separates lists, a line is cut there whatever the quotes say."""
    columns = (Column("=1+1", "code"), Column("Name", "name"))
    names = ("＝1+1", " =1+1", "a;=1+1", "a; '@x", "a;b", "-5")

    out = as_csv(columns, [{"code": "c", "name": name} for name in names], ZONE)
    rows = list(csv.reader(io.StringIO(out.removeprefix("\ufeff"), newline="")))

    assert rows[0][0] == "'=1+1"
    assert [row[1] for row in rows[1:]] == [
        "'＝1+1", "' =1+1", "a;'=1+1", "a;' '@x", "a;b", "'-5",
    ]  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "code": st.text(max_size=6),
                "name": st.one_of(st.none(), st.text(), st.sampled_from(HOSTILE)),
                "unit": st.one_of(st.none(), st.fixed_dictionaries({"name": st.text()})),
                "number": st.one_of(st.none(), st.integers(0, 10**9)),
            }
        ),
        max_size=5,
    )
)
def test_no_row_breaks_the_table_or_speaks_to_the_terminal(rows: list[dict[str, object]]) -> None:
    """Escapes make a name longer, wide letters make it wider; 120 columns hold all of it."""
    for line in draw(COLUMNS, rows, 120, ZONE).lines:
        assert cell_len(line.plain) <= 120
        assert not [char for char in line.plain if unicodedata.category(char) in UNSEEN]


def test_optional_columns_go_before_anything_is_cut_beyond_reading() -> None:
    columns = (
        Column("Code", "code"),
        Column("Name", "name", flexible=True),
        Column("Extra", "extra", optional=1),
        Column("More", "more", optional=2),
    )
    row = {"code": "A" * 10, "name": "B" * 30, "extra": "C" * 10, "more": "D" * 10}

    drawn = draw(columns, [row], 32, ZONE)

    assert drawn.left_out == ("More",)
    assert drawn.lines[1].plain == "AAAAAAAAAA  BBBBBBB…  CCCCCCCCCC"


def test_what_is_to_be_typed_is_whole_below_its_rows_where_it_has_no_room() -> None:
    columns = (Column("Code", "code"), Column("Type next", "next", below=True))
    rows: list[dict[str, object]] = [
        {"code": "PC-0001", "next": "kiemke match --unit VP"},
        {"code": "PC-0002", "next": "kiemke match --unit VP"},
        {"code": "PC-0003", "next": None},
    ]

    narrow, roomy = draw(columns, rows, 24, ZONE), draw(columns, rows, 40, ZONE)

    assert [line.plain for line in narrow.lines[1:]] == [
        "PC-0001", "PC-0002", "    → kiemke match --unit VP", "PC-0003",
    ]  # fmt: skip
    assert narrow.left_out == ()
    assert [line.plain for line in roomy.lines[1:]] == [
        "PC-0001  kiemke match --unit VP", "PC-0002  kiemke match --unit VP", "PC-0003  –",
    ]  # fmt: skip


def test_wide_cuts_nothing() -> None:
    row = {"code": "A", "name": "x" * 300, "unit": None, "number": None}

    drawn = draw(COLUMNS, [row], None, ZONE)

    assert "x" * 300 in drawn.lines[1].plain
    assert drawn.lines[1].plain.endswith("–")


def test_csv_holds_no_formula_and_plain_numbers() -> None:
    rows = [{"code": name, "name": name, "unit": None, "number": 1234567} for name in HOSTILE]

    text = as_csv(COLUMNS, rows, ZONE)

    assert text.startswith("\ufeff")
    read = list(csv.reader(io.StringIO(text[1:])))
    assert len(read) == 1 + len(HOSTILE)
    assert read[1][3] == "1234567"
    assert not [cell for row in read for cell in row if cell.startswith(("=", "+", "-", "@"))]
    body = text[1:].replace("\r\n", "")
    assert not [char for char in body if unicodedata.category(char) in UNSEEN]


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.sampled_from(HOSTILE))))
def test_json_means_the_same_and_holds_nothing_unseen(value: dict[str, str]) -> None:
    text = as_json(value)

    assert json.loads(text) == value
    assert not [c for c in text if c != "\n" and unicodedata.category(c) in UNSEEN]


def test_json_keeps_vietnamese_letters_readable() -> None:
    assert '"Tiếng Việt"' in as_json({"name": "Tiếng Việt"})


def test_unseen_characters_become_readable_escapes() -> None:
    assert visible("\x1b[31m") == "\\x1b[31m"
    assert visible("\u202ea\nb") == "\\u202ea\\nb"
    assert visible("Nguyễn Văn Đức [/red]") == "Nguyễn Văn Đức [/red]"


def test_folding_forgets_case_and_diacritics() -> None:
    assert fold("  Đặng  Thị Hòa ") == fold("dang thi hoà") == "dang thi hoa"


def test_an_unknown_code_is_shown_as_it_is() -> None:
    """A newer server may know a word this command line does not."""
    assert words("status").render("stolen_by_ufo", ZONE) == "stolen_by_ufo"
    assert words("official_kind").render("can_bo,cong_chuc", ZONE) == "cán bộ, công chức"


def test_a_column_that_nobody_fills_gives_way_before_one_that_says_something() -> None:
    i18n.use("en")
    columns = (
        Column("Code", "code"),
        Column("Duty", "duty", optional=1),
        Column("Ended", "ended", optional=2),
    )
    row = {"code": "CB-0001", "ended": "retired"}

    narrow = draw(columns, [row], 17, ZONE)

    assert narrow.lines[1].plain == "CB-0001  retired"
    assert narrow.left_out == ()
