"""`kiemke search`: hits by kind, why each was found, and what to type next."""

import json
from typing import Any

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer

UNIT = {"code": "TP", "name": "Phòng Tư pháp"}


def hit(kind: str, ref: str, name: str, **matched: Any) -> dict[str, Any]:
    field = {"until": None, **matched}
    return {
        "kind": kind, "ref": ref, "name": name, "unit": UNIT, "matched": [field],
        "next": f"kiemke {kind} show {ref}",
    }  # fmt: skip


FOUND = {
    "items": [
        hit("official", "P1", "Nguyễn Văn Đạt", what="name", value="Nguyễn Văn Tèo", until="2025-07-01"),
        hit("asset", "TS-2024-0017", "Máy tính để bàn", what="tag", value="HC/0456"),
    ],
    "counts": [
        {"kind": "official", "found": 600, "more": True},
        {"kind": "asset", "found": 1, "more": False},
    ],
    "behind": False,
}  # fmt: skip


def serve(rest: RestServer, answer: Any = FOUND) -> list[Asked]:
    asked: list[Asked] = []

    def search(request: Asked) -> Answer:
        asked.append(request)
        return Answer(answer)

    rest.answers["GET", "/api/v1/search"] = search
    return asked


def test_hits_stand_by_kind_within_the_screen(signed_in: RestServer, run: Run) -> None:
    serve(signed_in)

    ran = run("tim", "nguyen", "teo")

    assert ran.code == 0
    for words in (
        "Cán bộ: 1 trên hơn 600 (--kind official)",
        "đến 01/07/2025",
        "Tài sản: 1",
        "số dán HC/0456",
        "kiemke asset show TS-2024-0017",
    ):
        assert words in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_words_and_filters_reach_the_server_and_json_is_whole(
    signed_in: RestServer, run: Run
) -> None:
    asked = serve(signed_in)

    ran = run("search", "00:1a", "2b", "--kind", "asset", "--ngay", "30/06/2025", "--json")

    assert json.loads(ran.out) == FOUND
    assert asked[0].query["q"] == "00:1a 2b"
    assert asked[0].query["kind"] == "asset"
    assert asked[0].query["limit"] == "50"
    assert asked[0].query["as_of"] == "2025-06-30"


def test_nothing_found_and_what_is_not_in_yet_are_said(signed_in: RestServer, run: Run) -> None:
    serve(signed_in, {"items": [], "counts": [], "behind": True})

    ran = run("search", "x", "--lang", "en")

    assert "nothing found" in ran.out
    assert "search again in a minute" in ran.out
