"""`kiemke norm` and `kiemke wear`: what is asked of the server, and what a reader sees."""

import csv
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer

OFFICE = {
    "day": "2026-11-21", "unit": {"code": "TG-X03", "name": "Xã Bình Đông Hải"}, "official": None,
    "post": None, "group": None, "item": "scanner", "staff": 20, "entitled": 2, "has": 1, "lack": 1,
    "over": 0, "max_price_dong": 22_000_000, "over_price": [], "without_price": 0,
    "findings": ["lack"], "source": "QĐ 15/2025",
}  # fmt: skip
DEAR = {
    **OFFICE, "official": {"code": "CB-168", "name": "Nguyễn Thị Ước"}, "post": "Chuyên viên",
    "group": "VIII", "item": "pc", "staff": None, "entitled": 1, "has": 1, "lack": 0,
    "max_price_dong": 20_000_000, "findings": ["over_price"],
    "over_price": [{"asset": "TS-PC-0168", "price_dong": 24_000_000, "max_dong": 20_000_000,
                    "over_dong": 4_000_000, "decider": "province"}],
}  # fmt: skip
UNKNOWN = {
    **DEAR, "post": "Cộng tác viên", "group": None, "item": None, "entitled": None, "lack": None,
    "over": None, "max_price_dong": None, "over_price": [], "findings": ["unknown_post"],
    "source": None,
}  # fmt: skip
WEARS = {
    "year": 2026, "day": "2026-11-21", "provisional": True, "code": "TS-PC-0168",
    "name": "Máy vi tính Dell Vostro", "kind": "desktop", "asset_class": "fixed_asset",
    "unit": {"code": "TG-X03", "name": "Xã Bình Đông Hải"}, "price_dong": 18_900_000,
    "in_use_since": "2026-04-05", "rate": 0.1429, "life_years": 7, "wear_dong": 2_700_810,
    "accumulated_dong": 2_700_810, "residual_dong": 16_199_190, "note": None, "source": "TT 141",
}  # fmt: skip
TOOL = {
    **WEARS, "code": "TS-PC-0023", "price_dong": 9_000_000, "asset_class": "tool", "rate": None,
    "life_years": None, "wear_dong": None, "accumulated_dong": None, "residual_dong": None,
    "note": "tool",
}  # fmt: skip


@pytest.fixture
def asked(signed_in: RestServer) -> dict[str, dict[str, str]]:
    """The query of the last request of each list, which answers the rows above."""
    seen: dict[str, dict[str, str]] = {}

    def answer(rows: list[dict[str, Any]]) -> Callable[[Asked], Answer]:
        def reply(request: Asked) -> Answer:
            seen[request.path] = dict(request.query)
            return Answer({"items": rows, "total": len(rows), "next": None})

        return reply

    signed_in.answers["GET", "/api/v1/norms"] = answer([OFFICE, DEAR, UNKNOWN])
    signed_in.answers["GET", "/api/v1/wear"] = answer([WEARS, TOOL])
    return seen


def test_without_a_verb_only_what_needs_looking_at_is_asked_for(
    asked: dict[str, dict[str, str]], run: Run
) -> None:
    ran = run("dinh-muc")

    assert (ran.code, ran.err) == (0, "")
    assert asked["/api/v1/norms"]["finding"] == "any"
    lines = ran.out.splitlines()
    assert lines[0] == "Trang bị so với định mức ngày 21/11/2026"
    assert [line for line in lines if cell_len(line) > 80] == []
    assert "(dùng chung)" in ran.out and "vượt giá" in ran.out


def test_what_is_unknown_is_a_dash_and_never_a_zero(
    asked: dict[str, dict[str, str]], run: Run
) -> None:
    rows = run("norm", "list", "--wide").out.splitlines()

    (unknown,) = [line for line in rows if "chưa rõ nhóm chức danh" in line]
    assert unknown.split()[:1] == ["TG-X03"]
    assert " 0 " not in unknown and unknown.count("–") >= 5


def test_the_norms_as_csv_name_asset_and_decider(
    asked: dict[str, dict[str, str]], run: Run
) -> None:
    text = run("norm", "list", "--finding", "over_price", "--ngay", "30/06/2025", "--csv").out

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert asked["/api/v1/norms"]["as_of"] == "2025-06-30"
    assert rows[1]["Tài sản vượt giá"] == "TS-PC-0168"
    assert rows[1]["Vượt giá"] == "4000000"
    assert rows[1]["Ai quyết định được"] == "tỉnh quyết định được"


def test_wear_keeps_both_decimals_of_its_rate_and_sums_what_is_shown(
    asked: dict[str, dict[str, str]], run: Run
) -> None:
    ran = run("hao-mon", "list", "--nam", "2026")

    assert (ran.code, asked["/api/v1/wear"]["year"]) == (0, "2026")
    assert ran.out.splitlines()[0] == "Hao mòn năm 2026 (chưa hết năm)"
    assert "14,29 %" in ran.out and "2.700.810 đ" in ran.out
    assert "Tài sản cố định: 1; nguyên giá 18.900.000 đ" in ran.out
    assert [line for line in ran.out.splitlines() if cell_len(line) > 80] == []


def test_wear_without_a_verb_is_this_years_and_json_is_what_the_server_said(
    asked: dict[str, dict[str, str]], run: Run
) -> None:
    assert run("wear").code == 0
    assert "year" not in asked["/api/v1/wear"]
    assert json.loads(run("wear", "list", "--json").out)["items"] == [WEARS, TOOL]


def test_a_rule_is_sent_as_json_and_bad_json_is_not_sent(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/rules", {"changed": True, "applied": False})

    ran = run("quy-tac", "dat", "desk_count", "MC/kiosk", "--gia-tri", "0", "--ngay", "01/03/2026",
              "--so", "QĐ 9")  # fmt: skip
    bad = run("rule", "set", "x", "--value", "{", "--day", "2026-03-01", "--paper", "1")

    assert json.loads(signed_in.asked[0].body)["value"] == 0
    assert "Chưa ghi gì" in ran.out
    assert (bad.code, len(signed_in.asked)) == (1, 1)
