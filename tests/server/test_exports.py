"""Reports in every format: the same rows and hash, right types, nothing alive, as of any day."""

import csv
import hashlib
import io
import json
from datetime import date
from typing import Any

import openpyxl
import pytest

from kiemke.server.db import Database
from kiemke.server.domain.tables import PAGE_ROWS, Question
from kiemke.server.exports import FORMATS, Export
from kiemke.server.exports.csv_format import guarded
from kiemke.server.exports.renderer import percent
from kiemke.server.reports import REPORTS
from tests.support.imports import ASSETS, NOW_MS, UNITS, load, load_district

DAY = date(2025, 12, 31)
LATER_MS = NOW_MS + 1_000
HOSTILE = {
    "X1": "[/red]",
    "X2": "=cmd|' /C calc'!A0",
    "X3": "<img src=x onerror=alert(1)>",
    "X4": "\x1b[31mđỏ\u202egnp\nhai",
    "X5": "@SUM(1)",
    "X6": "http://evil.example/",
}


async def write(
    database: Database, format_: str, report: str = "equipment", **asked: Any
) -> tuple[bytes, Export]:
    question = Question(**{"day": DAY, "known_ms": LATER_MS, "now_ms": LATER_MS, **asked})
    export = Export(database, REPORTS[report], format_, question)
    return b"".join([piece async for piece in export.stream()]), export


def json_rows(data: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in data.decode().splitlines()][1:-1]


@pytest.fixture
async def district(database: Database) -> Database:
    await load_district(database)
    return database


@pytest.fixture
async def hostile(district: Database) -> Database:
    rows = [ASSETS[0]]
    rows += [[code, "", "khác", name, "0012", "", "TG", "", "", "01/01/2024"]
             for code, name in HOSTILE.items()]  # fmt: skip
    result = await load(district, "assets", rows)
    assert result.applied, result
    return district


@pytest.mark.parametrize(
    ("report", "totals"), [("equipment", {"price_dong": 24_000_000}), ("officials_coverage", {})]
)
async def test_the_hash_is_one_for_every_format_and_language(
    district: Database, report: str, totals: dict[str, int]
) -> None:
    footers = [
        (await write(district, format_, report, language=language))[1].footer
        for format_ in FORMATS
        for language in ("vi", "en")
    ]

    assert footers[0] is not None and footers[0].rows == 2
    assert footers[0].totals == totals
    assert all(footer == footers[0] for footer in footers)


@pytest.mark.parametrize("report", ["equipment", "officials_coverage"])
async def test_a_reader_can_check_the_hash_with_the_rows_alone(
    district: Database, report: str
) -> None:
    data, _ = await write(district, "jsonl", report)

    last = json.loads(data.decode().splitlines()[-1])
    told = "".join(
        json.dumps(list(row.values()), ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in json_rows(data)
    )
    assert last["rows"] == 2
    assert last["sha256"] == hashlib.sha256(told.encode()).hexdigest()


async def test_csv_opens_in_excel_with_its_zeros_and_letters(district: Database) -> None:
    data, _ = await write(district, "csv")

    assert data.startswith(b"\xef\xbb\xbf") and data.count(b"\r\n") == data.count(b"\n")
    lines = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    heading = next(line for line in lines if line[0] == "TT")
    first = dict(zip(heading, lines[lines.index(heading) + 1], strict=True))
    assert first["Loại"] == "máy tính để bàn" and first["Nguyên giá (đồng)"] == "15000000"
    assert first["Người sử dụng"] == "Nguyễn Văn An"
    assert [line[0] for line in lines[-3:-1]] == ["Cộng", "Số dòng: 2"]


async def test_xlsx_keeps_strings_strings_and_numbers_numbers(hostile: Database) -> None:
    data, _ = await write(hostile, "xlsx")

    sheet = openpyxl.load_workbook(io.BytesIO(data)).active
    assert sheet is not None
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value is not None]
    names = {str(cell.value) for cell in cells if cell.column == 4}
    assert "=cmd|' /C calc'!A0" in names and "[31mđỏgnp hai" in names
    assert {cell.data_type for cell in cells} == {"s", "n"}
    assert [cell.hyperlink for cell in cells if cell.hyperlink] == []
    assert "0012" in {cell.value for cell in cells if cell.column == 8}


async def test_hostile_names_come_out_inert_in_csv(hostile: Database) -> None:
    data, _ = await write(hostile, "csv")

    text = data.decode("utf-8-sig")
    cells = [cell for row in csv.reader(io.StringIO(text, newline="")) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
    assert "'=cmd|' /C calc'!A0" in cells and "'@SUM(1)" in cells
    assert not any(sign in text for sign in ("\x1b", "\u202e"))


async def test_hostile_names_come_out_inert_in_json_lines(hostile: Database) -> None:
    data, _ = await write(hostile, "jsonl")

    names = {row["code"]: row["name"] for row in json_rows(data)}
    assert names["X4"] == "[31mđỏgnp hai"
    assert names["X1"] == "[/red]"
    assert b"\x1b" not in data and "\u202e" not in data.decode()


@pytest.mark.parametrize("format_", list(FORMATS))
async def test_sample_data_say_so_on_every_export(district: Database, format_: str) -> None:
    async with district.transaction() as session:
        await session.execute(
            "INSERT INTO installation (id, public_id, utc_offset_seconds, demo, created_at_ms)"
            " VALUES (1, 'x', 25200, :demo, 1)",
            demo=True,
        )

    data, _ = await write(district, format_)

    if format_ == "xlsx":
        sheet = openpyxl.load_workbook(io.BytesIO(data)).active
        assert sheet is not None and sheet["A1"].value == "DỮ LIỆU MẪU"
    else:
        assert "DỮ LIỆU MẪU" in data.decode()


async def test_a_report_answers_for_the_day_and_the_subtree_asked(district: Database) -> None:
    moved = [ASSETS[0], [*ASSETS[1][:6], "TG-TP", "", "", "01/10/2025"]]
    await load(district, "assets", moved)
    units = await district.read("SELECT unit_id, code FROM unit_version")
    ids = {row["code"]: row["unit_id"] for row in units}

    async def codes(**asked: Any) -> list[str]:
        data, _ = await write(district, "jsonl", **asked)
        return [row["code"] for row in json_rows(data)]

    assert await codes(unit_id=ids["TG-TP"]) == ["TS1"]
    assert await codes(unit_id=ids["TG-TP"], day=date(2025, 9, 30)) == []
    assert await codes(unit_id=ids["TG-NV"], day=date(2025, 9, 30)) == ["TS1", "TS2"]
    assert await codes(unit_id=ids["TG"]) == ["TS2", "TS1"]
    assert await codes(day=date(2023, 12, 31)) == []
    assert await codes(known_ms=NOW_MS - 1) == []


async def test_what_was_seen_of_a_matched_pc_stands_beside_the_book(district: Database) -> None:
    await _see_machine(district)

    data, _ = await write(district, "jsonl")

    row = next(row for row in json_rows(data) if row["code"] == "TS1")
    assert (row["hostname"], row["cpu"], row["memory_bytes"]) == ("pc-1", "Core i5", 8 * 2**30)
    assert (row["last_seen"], row["match"]) == (NOW_MS, "matched")


async def test_pages_follow_each_other_without_loss_or_repeat(district: Database) -> None:
    count = PAGE_ROWS + 3
    rows = [[f"N{n:05d}", "", "khác", f"Cái {n}", "", "", "TG", "", "", "01/01/2024"]
            for n in range(count)]  # fmt: skip
    await load(district, "assets", [ASSETS[0], *rows])

    data, export = await write(district, "jsonl")

    found = json_rows(data)
    assert export.footer is not None and export.footer.rows == count + 2
    assert [row["number"] for row in found] == list(range(1, count + 3))
    assert len({row["code"] for row in found}) == count + 2


async def test_the_persons_behind_the_coverage_can_be_exported(district: Database) -> None:
    data, _ = await write(district, "jsonl", "officials_coverage")

    states = {row["code"]: (row["name"], row["state"]) for row in json_rows(data)}
    assert states == {"001": ("Nguyễn Văn An", "unmatched"), "002": ("Trần Thị Ánh", "no_pc")}


async def test_a_shared_line_is_listed_for_each_unit_that_shares_it(district: Database) -> None:
    links = [["code", "name", "unit", "kind", "down_mbps", "shared_by", "price_dong", "valid_from"],
             ["L1", "Internet", "TG", "Internet", "100", "TG-NV", "1,65 triệu", "01/01/2024"]]  # fmt: skip
    await load(district, "links", links)
    units = await district.read("SELECT unit_id, code FROM unit_version")
    ids = {row["code"]: row["unit_id"] for row in units}

    why = '[{"code": "half_duplex", "level": "fail", "value": null, "limit": null}]'
    async with district.transaction() as session:
        await session.execute(
            "INSERT INTO link_now (link_id, state, receive_octets_total, transmit_octets_total,"
            " verdict, reasons_json, basis, computed_at_ms, changed_at_ms)"
            " SELECT id, 'unknown', '0', '0', 'degraded', :why, 'counters', 0, 0 FROM link",
            why=why,
        )

    shared, export = await write(district, "jsonl", "links", unit_id=ids["TG-NV"])
    foreign, _ = await write(district, "jsonl", "links", unit_id=ids["TG-TP"])

    row = json_rows(shared)[0]
    assert (row["code"], row["down"], row["sharers"], row["verdict"]) == (
        "L1",
        10**8,
        1,
        "degraded",
    )
    assert row["reasons"] == ["cổng chạy bán song công", "the port runs at half duplex"]
    assert export.footer is not None and export.footer.totals == {"price_dong": 1_650_000}
    assert json_rows(foreign) == []


async def test_an_empty_report_is_a_whole_file(database: Database) -> None:
    await load(database, "units", UNITS)
    for format_ in FORMATS:
        data, export = await write(database, format_)

        assert data and export.footer is not None and export.footer.rows == 0


async def test_an_export_that_is_broken_off_leaves_no_files(
    district: Database, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))

    class Broken(Exception):
        """Stands for a reader that went away."""

    async def rows(*_: Any) -> Any:
        yield []
        raise Broken

    report = REPORTS["equipment"]
    broken = type(report)(report.name, report.title, report.columns, rows)
    with pytest.raises(Broken):
        [p async for p in Export(district, broken, "xlsx", Question(DAY, 1, 1)).stream()]

    assert list(tmp_path.glob("kiemke-export-*")) == []


@pytest.mark.parametrize(
    ("per_million", "text"),
    [
        (1_000_000, "100 %"),
        (999_999, "99,9 %"),
        (994_400, "99,4 %"),
        (0, "0 %"),
        (1_200_000, "120 %"),
    ],
)
def test_a_percentage_is_rounded_down_so_that_100_means_whole(per_million: int, text: str) -> None:
    assert percent(per_million, "vi") == text


def test_a_guard_hides_behind_no_space_or_quote() -> None:
    assert guarded(" =1+1") == "' =1+1"
    assert guarded("＝1") == "'＝1"
    assert guarded("a;=1+1") == "a;'=1+1" and guarded("a; ＠x") == "a;' ＠x"
    assert guarded("a;b-c") == "a;b-c"
    assert guarded("0900") == "0900" and guarded(None) == "" and guarded(-5) == -5


def test_the_file_name_is_plain() -> None:
    export = Export(Database("sqlite:///nowhere"), REPORTS["equipment"], "csv", Question(DAY, 1, 1))

    assert export.file_name == "danh-muc-thiet-bi-cong-nghe-thong-tin-20251231.csv"


async def _see_machine(database: Database) -> None:
    """Write what the ingest and the identity job would have: a matched machine with two sections."""
    async with database.transaction() as session:
        unit = await session.one("SELECT id FROM unit ORDER BY id")
        asset = await session.one("SELECT id FROM asset WHERE code = 'TS1'")
        assert unit and asset
        await session.execute(
            "INSERT INTO enrolment_token (id, public_id, secret_sha256, kind, unit_id, uses_left,"
            " expires_at_ms, approves, created_at_ms) VALUES (1, 't', 's', 'agent', :unit, 1, 1,"
            " :yes, 1)",
            unit=unit["id"], yes=True,
        )  # fmt: skip
        await session.execute(
            "INSERT INTO source (id, public_id, kind, state, install_id, secret_sha256, token_id,"
            " unit_id, hostname, created_at_ms)"
            " VALUES (1, 's', 'agent', 'approved', 'i', 's', 1, :unit, 'pc-1', 1)",
            unit=unit["id"],
        )
        await session.execute(
            "INSERT INTO source_now (source_id, last_received_at_ms, changed_at_ms)"
            " VALUES (1, :now, :now)",
            now=NOW_MS,
        )
        await session.execute("INSERT INTO machine (id, created_at_ms) VALUES (1, 1)")
        for table, columns, values in (
            ("machine_source", "machine_id, source_id, stay", "1, 1, 0"),
            ("asset_match", "asset_id, machine_id", f"{asset['id']}, 1"),
        ):
            await session.execute(
                f"INSERT INTO {table} ({columns}, valid_from, recorded_at_ms, decided_by,"  # noqa: S608  # literals above
                f" evidence_json) VALUES ({values}, :start, 1, 'serial', '{{}}')",
                start=date(2025, 1, 1),
            )
        sections = {
            "processors": [{"version": "Core i5"}],
            "memory": [{"size_bytes": 4 * 2**30}, {"size_bytes": 4 * 2**30}, {"size_bytes": None}],
        }
        for section, rows in sections.items():
            await session.execute(
                "INSERT INTO source_section (source_id, section, status, rows_json,"
                " observed_at_ms, changed_at_ms) VALUES (1, :section, 'ok', :rows, 1, 1)",
                section=section, rows=json.dumps(rows),
            )  # fmt: skip
