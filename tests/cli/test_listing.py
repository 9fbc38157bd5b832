"""Listings and finding one thing by name, against a real HTTPS server."""

import csv
import io
import json
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.cli.conftest import Run, sign_in
from tests.support.rest_server import Answer, Asked, RestServer
from tests.support.terminal import spawn

PEOPLE = [
    {"id": 1, "code": "CB-001", "name": "Nguyễn Văn An", "phone": "0900000001", "post": "Trưởng phòng",
     "kind": "cong_chuc", "unit": {"code": "TG-VP", "name": "Văn phòng HĐND và UBND"}},
    {"id": 2, "code": "CB-002", "name": "Nguyễn Thị Lan", "phone": "0900000002", "post": None,
     "kind": "can_bo", "unit": {"code": "TG-NV", "name": "Phòng Nội vụ"}},
    {"id": 3, "code": "CB-003", "name": "Nguyễn Thị Lan", "phone": "0900000003", "post": None,
     "kind": "can_bo", "unit": {"code": "TG-TP", "name": "Phòng Tư pháp"}},
]  # fmt: skip


@pytest.fixture
def people(signed_in: RestServer) -> RestServer:
    """Three officials; q finds by name or phone as the server does."""

    def search(asked: Asked) -> Answer:
        wanted = asked.query.get("q")
        lan = "lan" if wanted and wanted.lower() in ("lan", "nguyen thi lan") else None
        found = [
            p
            for p in PEOPLE
            if wanted is None
            or wanted in (p["phone"], p["name"])
            or (lan and "Lan" in str(p["name"]))
        ]
        return Answer({"items": found, "total": len(found), "next": None})

    signed_in.answers["GET", "/api/v1/officials"] = search
    for person in PEOPLE:
        signed_in.on("GET", f"/officials/{person['code']}", person)
    return signed_in


def test_a_listing_fits_80_columns(people: RestServer, run: Run) -> None:
    ran = run("can-bo", "list")

    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "Cán bộ"
    assert "Nguyễn Văn An" in ran.out
    assert [line for line in lines if cell_len(line) > 80] == []


def test_the_times_and_words_asked_for_reach_the_server(people: RestServer, run: Run) -> None:
    people.on("GET", "/units/TG", {"id": 9, "code": "TG", "name": "Huyện Thanh Giang"})

    run("official", "list", "--don-vi", "TG", "--tim", "lan", "--ngay", "30/06/2025",
        "--known-at", "01/07/2025 08:00")  # fmt: skip

    assert people.asked[-1].query == {
        "unit": "TG",
        "q": "lan",
        "as_of": "2025-06-30",
        "known_at": "2025-07-01T08:00:00+07:00",
        "limit": "200",
    }
    assert people.asked[-1].headers["accept-language"] == "vi"


def test_json_is_what_the_server_said_and_csv_opens_in_a_spreadsheet(
    people: RestServer, run: Run
) -> None:
    assert json.loads(run("official", "list", "--json").out) == {"items": PEOPLE, "total": 3}

    text = run("official", "list", "--csv").out
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"))))
    assert rows[0][:3] == ["Mã", "Họ và tên", "Đơn vị"]
    assert rows[1][5] == "0900000001"


def test_json_and_csv_at_once_is_a_usage_error(people: RestServer, run: Run) -> None:
    assert run("official", "list", "--csv", "--json").code == 2


def test_pages_are_followed_to_the_end_for_a_file_and_not_for_the_screen(
    signed_in: RestServer, run: Run
) -> None:
    """A file cut at some number of rows would be an inventory with things missing."""

    def page(asked: Asked) -> Answer:
        first = int(asked.query.get("after", "0"))
        last = min(first + int(asked.query["limit"]), 2500)
        rows = [{"code": f"A{n}", "name": f"n{n}"} for n in range(first, last)]
        return Answer({"items": rows, "total": 2500, "next": str(last) if last < 2500 else None})

    signed_in.answers["GET", "/api/v1/assets"] = page

    assert len(json.loads(run("asset", "list", "--json").out)["items"]) == 2500
    shown = run("asset", "list").out
    assert "200 trên 2.500 dòng; --limit 0 để xem hết" in shown
    assert len(run("asset", "list", "--limit", "7").out.splitlines()) == 1 + 1 + 7 + 1


def test_a_server_that_repeats_a_page_does_not_keep_us_for_ever(
    signed_in: RestServer, run: Run
) -> None:
    signed_in.on("GET", "/assets", {"items": [{"code": "A"}], "total": 9, "next": "same"})

    assert run("asset", "list", "--json").code == 0
    assert len(signed_in.asked) == 2


def test_a_filter_the_server_ignores_still_filters(signed_in: RestServer, run: Run) -> None:
    signed_in.items(
        "/assets", {"code": "A1", "status": "in_stock"}, {"code": "A2", "status": "in_use"}
    )

    found = json.loads(run("asset", "list", "--status", "in_stock", "--json").out)

    assert [row["code"] for row in found["items"]] == ["A1"]


@pytest.mark.parametrize("reference", ["CB-001", "0900000001", "Nguyễn Văn An"])
def test_a_person_is_found_by_code_phone_or_name(
    reference: str, people: RestServer, run: Run
) -> None:
    ran = run("can-bo", "xem", reference)

    assert ran.code == 0
    assert "Trưởng phòng" in ran.out


def test_two_of_the_same_name_are_listed_and_exit_2(people: RestServer, run: Run) -> None:
    ran = run("can-bo", "xem", "nguyen thi lan")

    assert ran.code == 2
    assert ran.out == ""
    assert "khớp với 2 mục" in ran.err
    assert "CB-002 · Nguyễn Thị Lan · Phòng Nội vụ" in ran.err
    assert "CB-003 · Nguyễn Thị Lan · Phòng Tư pháp" in ran.err


def test_in_a_terminal_a_person_picks(people: RestServer, config_dir: Path) -> None:
    with spawn(["can-bo", "xem", "lan"], config_dir) as terminal:
        terminal.wait_for("Mục nào? (số)")
        terminal.type("9\n")
        terminal.wait_for("nằm ngoài khoảng")
        terminal.type("2\n")
        code = terminal.end()

    assert code == 0
    assert "Phòng Tư pháp" in terminal.text.rpartition("Mục nào?")[2]


def test_what_nobody_knows_is_exit_1_in_the_servers_words(people: RestServer, run: Run) -> None:
    ran = run("can-bo", "xem", "khong co ai")

    assert ran.code == 1
    assert "Lỗi: Không tìm thấy" in ran.err
    assert "Cách xử lý: Xem." in ran.err
    assert f"Ở đâu: GET {people.url}/api/v1/officials/" in ran.err


def test_an_empty_name_is_not_the_whole_list(people: RestServer, run: Run) -> None:
    assert run("can-bo", "xem", " ").code == 2
    assert people.asked == []


def test_a_name_with_a_slash_stays_one_name(people: RestServer, run: Run) -> None:
    run("can-bo", "xem", "../units?x=1#y")

    assert people.asked[0].path == "/api/v1/officials/../units?x=1#y"


def test_not_allowed_is_exit_3(signed_in: RestServer, run: Run) -> None:
    signed_in.refuse("GET", "/assets", 403, "vai trò viewer không được xem", "hỏi quản trị")

    ran = run("asset", "list")

    assert ran.code == 3
    assert "vai trò viewer không được xem" in ran.err


@pytest.mark.parametrize("content", [b"<html>", b"[" * 200_000, b"\xff\xfe"])
def test_an_answer_that_is_no_json_is_said_to_be_none(
    content: bytes, signed_in: RestServer, run: Run
) -> None:
    signed_in.on("GET", "/assets", content=content)

    ran = run("asset", "list")

    assert ran.code == 1
    assert "không đọc được câu trả lời" in ran.err


def test_fictional_data_are_marked(signed_in: RestServer, run: Run, config_dir: Path) -> None:
    """By the header of the answer, or by what the server said at sign-in."""
    empty = {"items": [], "total": 0, "next": None}
    signed_in.on("GET", "/units", empty, headers={"X-Kiemke-Demo": "1"})
    signed_in.on("GET", "/assets", empty)

    assert run("unit", "list").out.splitlines()[0] == "Đơn vị  DỮ LIỆU MẪU"
    assert json.loads(run("unit", "list", "--json").out)["demo"] is True
    assert run("asset", "list").out.splitlines()[0] == "Tài sản"
    sign_in(signed_in, config_dir, demo=True)
    assert run("asset", "list", "--lang", "en").out.splitlines()[0] == "Assets  DỮ LIỆU MẪU"


COVERAGE = {
    "unit": {"code": "TG", "name": "Huyện Thanh Giang"},
    "kinds": ["cong_chuc", "can_bo"],
    "day": "2026-11-20",
    "subtree": {"officials": 420, "no_pc": 42, "excluded": 3, "shared_access": 1, "pcs": 400},
    "coverage": {"declared": 378, "verified": 300, "counted": 8, "contradicted": 2, "silent": 60,
                 "unmatched": 8},
    "ratio": 0.9523,
    "target": 0.9,
}  # fmt: skip
SMALL: dict[str, object] = {
    "unit": {"code": "TG-TT", "name": "Thanh tra"},
    "kinds": [],
    "day": "2026-11-20",
    "subtree": {"officials": 4, "no_pc": 0},
    "coverage": {"verified": 3, "contradicted": 0, "silent": 1, "unmatched": 0},
    "ratio": None,
    "target": None,
}  # fmt: skip


def test_coverage_is_counted_against_its_target(signed_in: RestServer, run: Run) -> None:
    signed_in.items("/coverage", COVERAGE, SMALL)

    out = run("ty-le").out

    lines = out.splitlines()
    assert lines[0] == "Tỷ lệ trang bị đến hết ngày 20/11/2026"
    assert [line for line in lines if cell_len(line) > 80] == []
    assert lines[3].split("  ")[0].startswith("Huyện Th")
    for figure in ("378/420 90,0 %", " 90 %", " 300 71,4 %", "60", "0,95"):
        assert figure in lines[3]
    assert "4/4 " in lines[4] + " "
    assert "%" not in lines[4]
    assert "–" in lines[4]


def test_a_target_of_pcs_per_person_is_told_as_one(signed_in: RestServer, run: Run) -> None:
    signed_in.items("/coverage", COVERAGE | {"target": None, "ratio_target": 0.8}, SMALL)

    lines = run("ty-le").out.splitlines()

    assert " 0,80 máy " in lines[3]
    assert [line for line in lines if cell_len(line) > 80] == []


@pytest.mark.parametrize(
    "line",
    [
        ("coverage", "show", "--as-of", "31/12/2025"),
        ("ty-le", "--ngay", "31/12/2025"),
        ("ty-le", "--lang", "en", "--ngay", "31/12/2025"),
        ("--lang=vi", "coverage", "--ngay=31/12/2025"),
    ],
)
def test_a_line_without_a_verb_is_the_usual_verbs(
    line: tuple[str, ...], signed_in: RestServer, run: Run
) -> None:
    nobody = {"day": "2025-12-30", "subtree": {"officials": 0, "no_pc": 0}}
    signed_in.on("GET", "/coverage", {"items": [nobody], "next": None, "total": 1})

    ran = run(*line)

    assert signed_in.asked[-1].query["as_of"] == "2025-12-31"
    assert ran.out.splitlines()[0].endswith(("30/12/2025", "2025-12-30"))
    words = ("not over yet", "Nobody") if "en" in line else ("chưa kết thúc", "chưa có ai")
    assert all(word in ran.out for word in words)


def test_two_populations_of_one_unit_are_told_apart(signed_in: RestServer, run: Run) -> None:
    """90 % of commune civil servants and 100 % of all CBCCVC are not the same figure."""
    signed_in.items("/coverage", SMALL, SMALL | {"kinds": ["can_bo"]})

    out = run("coverage", "show", "--wide").out

    assert "Thanh tra (tất cả)" in out
    assert "· cán bộ" in out


def test_two_units_of_one_name_are_told_apart_by_their_codes(
    signed_in: RestServer, run: Run
) -> None:
    other = SMALL | {"unit": {"code": "YH-TT", "name": "Thanh tra"}}
    signed_in.items("/coverage", SMALL, SMALL | {"kinds": ["can_bo"]}, other, COVERAGE)

    out = run("coverage", "show", "--wide").out

    assert "Thanh tra TG-TT (tất cả)" in out and "Thanh tra YH-TT " in out
    assert out.count("Thanh tra") == 2


def test_coverage_as_csv_has_plain_figures(signed_in: RestServer, run: Run) -> None:
    signed_in.items("/coverage", COVERAGE)

    rows = list(
        csv.reader(io.StringIO(run("coverage", "show", "--csv").out.removeprefix("\ufeff")))
    )

    named = dict(zip(rows[0], rows[1], strict=True))
    assert (named["Số người"], named["Có máy (sổ sách)"], named["Im lặng"]) == ("420", "378", "60")


def test_a_line_says_why_it_is_not_healthy(signed_in: RestServer, run: Run) -> None:
    reasons = [
        {"code": "utilization_transmit", "level": "fail", "value": 0.9345, "limit": 0.9},
        {"code": "negotiated", "level": "fail", "value": 1e8, "limit": 1.5e8},
        {"code": "round_trip", "level": "fail", "value": 0.1234, "limit": 0.05},
        {"code": "half_duplex", "level": "fail", "value": None, "limit": None},
        {"code": "tomorrows_code", "level": "warn", "value": None, "limit": None},
    ]
    signed_in.on("GET", "/links/DT-1", {"code": "DT-1", "verdict": "degraded", "reasons": reasons})

    line = next(part for part in run("link", "show", "DT-1").out.splitlines() if "Lý do" in part)

    assert line.split("  ")[-1] == (
        "tải lên gần đầy (p95): 93,4 % (ngưỡng 90,0 %); "
        "cổng chạy chậm hơn hợp đồng: 100 Mbit/s (ngưỡng 150 Mbit/s); "
        "độ trễ cao: 123,4 ms (ngưỡng 50 ms); cổng chạy bán song công; tomorrows_code"
    )


def test_who_names_the_persons_and_what_to_do(signed_in: RestServer, run: Run) -> None:
    rows = [
        {"official": {"code": "CB-1", "name": "Lê Văn Ước"}, "unit": {"code": "TT", "name": "Thanh tra"},
         "state": "silent", "asset": {"code": "PC-1", "name": "Máy"}, "why": "im 9 ngày",
         "next": "bật máy"},
        {"official": {"code": "CB-2", "name": "Vũ Thị Ơn"}, "unit": {"name": "Thanh tra"},
         "state": "no_pc", "asset": None, "why": "chưa có máy", "next": "cấp máy"},
    ]  # fmt: skip
    signed_in.items("/coverage/who", *rows)

    assert "im lặng" in run("coverage", "who", "--state", "silent", "--wide").out
    missing = run("thieu-may").out
    assert "Vũ Thị Ơn" in missing
    assert "Lê Văn Ước" not in missing


def test_units_that_have_an_item_are_told_as_a_share(signed_in: RestServer, run: Run) -> None:
    row = {"day": "2026-03-10", "item": "scanner", "units": 21, "having": 20, "things": 25,
           "without": [{"code": "X21", "name": "Xã Cuối"}]}  # fmt: skip
    signed_in.on("GET", "/equipment", {"items": [row], "total": 1, "next": None})

    ran = run("ty-le", "thiet-bi", "--loai", "xa")

    assert signed_in.asked[0].query["type"] == "xa"
    for figure in ("máy quét", "20/21 95,2 %", "25", "Xã Cuối"):
        assert figure in ran.out


def test_a_desk_is_told_line_by_line(signed_in: RestServer, run: Run) -> None:
    row = {"desk": {"code": "MC", "name": "Một cửa"}, "unit": {"code": "X1", "name": "Xã"},
           "item": "kiosk", "required": 1, "present": 0, "working": 0, "silent": 0, "unknown": 0,
           "found": 0, "lack": 1, "finding": "lack", "next": "kiemke asset list"}  # fmt: skip
    done = {**row, "item": "pc", "finding": "ok"}
    signed_in.on("GET", "/desks", {"items": [row, done], "total": 2, "next": None})

    ran = run("coverage", "desks", "--wide")

    assert "máy tra cứu" in ran.out
    assert ran.out.splitlines()[-1] == "1/2 dòng đủ"


def test_fitness_ends_with_its_sums(signed_in: RestServer, run: Run) -> None:
    rows = [
        {"official": {"code": str(n), "name": f"Người {n}"}, "unit": {"code": "X1"}, "asset": f"T{n}",
         "fitness": fitness, "missing": missing, "unknown": [], "next": None}
        for n, (fitness, missing) in enumerate((("fit", []), ("unfit", ["ram_gib", "ssd"])))
    ]  # fmt: skip
    signed_in.on("GET", "/coverage/fit", {"items": rows, "total": 2, "next": None})

    ran = run("ty-le", "dap-ung", "--wide")

    assert "bộ nhớ, ổ SSD" in ran.out
    assert ran.out.splitlines()[-1] == (
        "1 đáp ứng, 1 không đáp ứng, 0 chưa rõ, trong 2 người đã xác minh"
    )
