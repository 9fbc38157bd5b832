"""`kiemke audit list`: who did what, what it was before and after, also of a reader of some units."""

from typing import Any

import pytest

from kiemke.cli.commands.audit import changed
from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer

ENTRY: dict[str, Any] = {
    "id": None, "at": "2026-03-10T04:00:00.000Z", "who": "lan", "act": "device.change",
    "subject": "device:SW-02", "before": {"port": 161, "address": "10.0.0.2"},
    "after": {"port": 2161, "address": "10.0.0.2", "collector_id": 3}, "paper": None,
    "origin": {"address": "10.1.1.7", "agent": "kiemke"}, "rows": [], "sha256": "ab",
}  # fmt: skip


def test_an_entry_is_told_with_before_and_after(run: Run, signed_in: RestServer) -> None:
    asked: list[Asked] = []

    def answer(request: Asked) -> Answer:
        asked.append(request)
        return Answer({"items": [ENTRY], "total": 1, "next": None})

    signed_in.answers["GET", "/api/v1/audit"] = answer
    table = run("audit", "list", "--csv").out
    asking = (
        "--ai",
        "binh",
        "--viec",
        "device",
        "--doi-tuong",
        "device:SW-02",
        "--tu",
        "01/12/2026",
    )
    whole = run("nhat-ky", "danh-sach", "--json", *asking).out

    assert "port: 161 → 2161; collector_id: 3" in table
    assert "đổi cách hỏi thiết bị" in table
    assert "device.change" not in table
    assert "10.0.0.2" not in table, "what stays the same is no change"
    assert '"changed"' not in whole
    assert '"act": "device.change"' in whole
    assert len(asked) == 2
    assert {name: asked[1].query.get(name) for name in ("who", "act", "subject", "since")} == {
        "who": "binh", "act": "device", "subject": "device:SW-02", "since": "2026-12-01",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "asked_for"),
    [
        ("duyệt nguồn", "source.approve"),
        ("Duyet nguon", "source.approve"),
        ("source approved", "source.approve"),
        ("niêm bí mật", "secrets_key.rotate"),
        ("source.approve", "source.approve"),
        ("source", "source"),
        ("newer.act", "newer.act"),
    ],
)
def test_an_act_is_asked_for_as_the_list_tells_it_or_by_its_code(
    run: Run, signed_in: RestServer, typed: str, asked_for: str
) -> None:
    signed_in.on("GET", "/audit", {"items": [], "total": 0, "next": None})

    ran = run("audit", "list", "--act", typed)

    assert ran.code == 0, ran.err
    assert signed_in.asked[0].query["act"] == asked_for


def test_a_word_that_is_no_act_is_answered_with_those_near(run: Run, signed_in: RestServer) -> None:
    near = run("audit", "list", "--act", "ghi danh nguon nao")
    several = run("audit", "list", "--act", "ghép thiết bị")
    plain = run("audit", "list", "--act", "duyet")

    assert (near.code, several.code, plain.code, signed_in.asked) == (2, 2, 2, [])
    assert "duyệt nguồn (source.approve)" in " ".join(plain.err.split())
    assert "kiemke nhat-ky danh-sach" in near.err
    assert "ghép thiết bị với tài sản (match.accept_device)" in " ".join(several.err.split())
    assert "(match.undo_device)" in several.err


def test_an_entry_without_values_changed_nothing_that_is_told() -> None:
    assert changed({"before": None, "after": None}) is None
    assert changed({"before": {"a": 1}, "after": {"a": None}}) == "a: 1 → –"
