"""`kiemke audit list`: who did what, what it was before and after, also of a reader of some units."""

from typing import Any

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
    assert "10.0.0.2" not in table, "what stays the same is no change"
    assert '"changed"' not in whole
    assert len(asked) == 2
    assert {name: asked[1].query.get(name) for name in ("who", "act", "subject", "since")} == {
        "who": "binh", "act": "device", "subject": "device:SW-02", "since": "2026-12-01",
    }  # fmt: skip


def test_an_entry_without_values_changed_nothing_that_is_told() -> None:
    assert changed({"before": None, "after": None}) is None
    assert changed({"before": {"a": 1}, "after": {"a": None}}) == "a: 1 → –"
