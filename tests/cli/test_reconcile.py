"""`kiemke reconcile`: differences in words, with what to type next; hardware settled."""

import json
from typing import Any

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer

UNIT = {"code": "TP", "name": "Phòng Tư pháp"}


def difference(kind: str, **fields: Any) -> dict[str, Any]:
    plain = dict.fromkeys(
        ("number", "asset", "asset_kind", "official", "machine", "hostname", "device", "seen_unit",
         "seen_official", "days", "section", "since", "at", "owner", "return_on"),
    )  # fmt: skip
    return {
        **plain,
        "kind": kind,
        "unit": UNIT,
        "gone": [],
        "come": [],
        "next": "kiemke …",
        **fields,
    }


ROWS = [
    difference("not_booked", machine=7, hostname="pc-7", next="kiemke match --unit TP"),
    difference(
        "hardware",
        number=12,
        hostname="pc-8",
        asset={"code": "TS-8", "name": "Máy tính"},
        gone=["8 GiB M378 S/N A1"],
        come=["4 GiB M378"],
        next="kiemke reconcile settle 12 --paper …",
    ),
]


def test_each_difference_is_told_with_what_to_type(signed_in: RestServer, run: Run) -> None:
    signed_in.items("/reconcile", *ROWS)

    ran = run("doi-chieu", "--wide")

    assert ran.code == 0
    for words in (
        "thấy được, chưa có trên sổ",
        "kiemke match --unit TP",
        "TS-8 · pc-8",
        "-8 GiB M378 S/N A1, +4 GiB M378",
        "phần cứng đã thay đổi: 1",
    ):
        assert words in ran.out


def test_a_sum_of_some_rows_says_that_it_is_of_those(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/reconcile", {"items": ROWS[:1], "total": 564, "next": None})

    ran = run("doi-chieu", "--limit", "1")

    assert "Trong các dòng hiện: thấy được, chưa có trên sổ: 1" in ran.out


def test_filters_and_days_reach_the_server_and_json_is_whole(
    signed_in: RestServer, run: Run
) -> None:
    signed_in.items("/reconcile", *ROWS)
    signed_in.on("GET", "/units/TP", {"id": 3, **UNIT})

    ran = run(
        "reconcile", "--unit", "TP", "--kind", "hardware", "--asset-kind", "desktop",
        "--as-of", "31/12/2025", "--json",
    )  # fmt: skip

    assert json.loads(ran.out)["items"] == ROWS
    query = signed_in.asked[-1].query
    assert (query["unit"], query["kind"], query["asset_kind"], query["as_of"]) == (
        "TP",
        "hardware",
        "desktop",
        "2025-12-31",
    )


def test_hardware_is_settled_by_its_number_and_a_paper(signed_in: RestServer, run: Run) -> None:
    def answer(asked: Asked) -> Answer:
        assert json.loads(asked.body) == {"instrument": "5/BB"}
        return Answer(ROWS[1])

    signed_in.answers["POST", "/api/v1/reconcile/hardware/12/settle"] = answer

    ran = run("reconcile", "settle", "12", "--paper", "5/BB", "--lang", "en")

    assert "Settled: -8 GiB M378 S/N A1, +4 GiB M378" in ran.out


def test_a_watched_device_is_matched_and_unmatched(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/devices/SW-1", {"id": 1, "code": "SW-1"})
    signed_in.on("GET", "/assets/TS-9", {"id": 9, "code": "TS-9"})
    asset = {"code": "TS-9", "name": "Switch"}
    signed_in.on("POST", "/devices/SW-1/match", {"id": 1, "device": "SW-1", "asset": asset}, 201)
    signed_in.on("DELETE", "/devices/SW-1/match", status=204, content=b"")

    made, undone = run("match", "accept-device", "SW-1", "TS-9"), run("ghep", "go-thiet-bi", "SW-1")

    assert (made.code, undone.code) == (0, 0)
    assert "TS-9" in made.out
