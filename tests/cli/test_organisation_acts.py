"""Acts on places, officials and units: what is sent, what is shown, nothing written unasked."""

import json

from tests.cli.conftest import Run
from tests.support.rest_server import RestServer

DESK = {"code": "TL-MC", "name": "Bộ phận Một cửa", "kind": "one_stop_desk",
        "unit": {"code": "TL", "name": "Xã Tiên Lãng"}}  # fmt: skip
PAPER = ("--ngay", "01/07/2025", "--so", "5/QĐ")


def test_a_place_is_made_by_a_paper_and_rehearsed_first(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/places", {"before": None, "after": DESK, "applied": False})

    ran = run("noi", "tao", "TL-MC", "--ten", "Bộ phận Một cửa", "--unit", "TL", *PAPER)

    assert ran.code == 0, ran.err
    assert "Bộ phận Một cửa" in ran.out
    assert "Chưa ghi gì" in ran.out
    asked = signed_in.asked[0]
    assert asked.query == {"apply": "false"}
    assert json.loads(asked.body) == {
        "code": "TL-MC",
        "name": "Bộ phận Một cửa",
        "kind": "one_stop_desk",
        "unit": "TL",
        "day": "2025-07-01",
        "instrument": "5/QĐ",
    }


def test_a_change_shows_what_was_and_what_becomes(signed_in: RestServer, run: Run) -> None:
    after = DESK | {"unit": {"code": "TM", "name": "Xã Tân Minh"}}
    signed_in.on("PATCH", "/places/TL-MC", {"before": DESK, "after": after, "applied": True})

    ran = run("place", "change", "TL-MC", "--unit", "TM", *PAPER, "--apply")

    assert "Xã Tiên Lãng → Xã Tân Minh" in ran.out
    assert ran.out.splitlines()[-1] == "Đã ghi."
    assert signed_in.asked[0].query == {"apply": "true"}


def test_an_end_and_a_change_of_nothing(signed_in: RestServer, run: Run) -> None:
    signed_in.on("PATCH", "/places/TL-MC", {"before": DESK, "after": None, "applied": False})

    ended = run("noi", "ket-thuc", "TL-MC", *PAPER)
    nothing = run("place", "change", "TL-MC", *PAPER)

    assert "Kết thúc vào ngày đó." in ended.out
    assert nothing.code == 2
    assert len(signed_in.asked) == 1
