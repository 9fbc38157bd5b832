"""kiemke count: what a stock-take is asked and how its lines read."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.support.rest_server import RestServer

TAKE = {
    "id": 7, "unit": {"code": "B", "name": "Xã B"}, "counted": {"code": "A", "name": "Xã A"},
    "day": "2025-06-30", "reason": "merger", "instrument": "5/QĐ", "state": "open",
    "since": "2025-06-20", "board": [{"name": "Lê Thị Ba", "post": None, "side": "UBND", "role": "head"}],
    "lines": {"missing": 1, "agrees": 3, "unanswered": 0},
}  # fmt: skip
LINE = {
    "state": "missing", "code": "TS1", "number": None, "name": "Máy", "unit": None, "official": None,
    "seen_at": None, "counted_by": "Đếm", "next": "kiemke asset status TS1 lost --date … --paper …",
}  # fmt: skip


def test_a_stock_take_is_opened_with_its_board(signed_in: RestServer, run: Run) -> None:
    told = {
        "id": None,
        "counted": TAKE["counted"],
        "day": "2025-06-30",
        "expected": 4,
        "applied": False,
    }
    signed_in.on("POST", "/stock-takes", told)

    ran = run("kiem-ke", "mo", "A", "--ngay", "30/06/2025", "--so", "5/QĐ", "--ly-do", "merger",
              "--truong-ban", "Lê Thị Ba; ; UBND")  # fmt: skip

    assert ran.code == 0
    assert json.loads(signed_in.asked[0].body)["board"] == [
        {"name": "Lê Thị Ba", "post": None, "side": "UBND", "role": "head"}
    ]
    assert "4 tài sản trên sổ" in ran.out
    assert "Chưa ghi gì" in ran.out


def test_a_board_is_corrected_without_losing_who_stays(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/stock-takes/7", TAKE)
    signed_in.on("POST", "/stock-takes/7/correct", {**TAKE, "applied": True})

    ran = run("kiem-ke", "sua", "7", "--uy-vien", "Bùi C; Kế toán", "--so", "13/QĐ", "--ghi")
    nothing = run("count", "correct", "7", "--paper", "13/QĐ")

    assert (ran.code, nothing.code) == (0, 1)
    assert json.loads(signed_in.asked[1].body) == {
        "instrument": "13/QĐ",
        "board": [
            {"name": "Lê Thị Ba", "post": None, "side": "UBND", "role": "head"},
            {"name": "Bùi C", "post": "Kế toán", "side": None, "role": "member"},
        ],
    }


def test_a_file_of_numbers_is_sent_as_it_is(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    told = {"day": "2025-06-30", "items": [], "lines": {"unanswered": 2}, "applied": True}
    signed_in.on("POST", "/stock-takes/7/files", told)
    file = tmp_path / "tem.csv"
    file.write_text("TEM-1\n", "utf-8")

    ran = run("count", "add", "7", "--file", str(file), "--result", "found", "--by", "A", "--apply")
    neither = run("count", "add", "7", "--by", "A")

    assert (ran.code, neither.code) == (0, 2)
    assert signed_in.asked[0].body == b"TEM-1\n"
    assert len(signed_in.asked) == 1


def test_differences_are_shown_with_what_to_type(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/stock-takes/7", TAKE)
    signed_in.on("GET", "/stock-takes/7/lines", {"items": [LINE], "total": 1, "next": None})

    ran = run("kiem-ke", "xem", "7")

    assert ran.code == 0
    assert "kiemke asset status TS1 lost" in " ".join(ran.out.split())
    assert "thiếu: 1; khớp sổ: 3" in ran.out
    assert "trưởng ban: Lê Thị Ba, UBND" in ran.out
