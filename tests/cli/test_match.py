"""`kiemke match`: one key a machine in a real terminal, and the same for programs."""

import json
from pathlib import Path
from typing import Any

from tests.cli.conftest import Run
from tests.support.rest_server import Answer, Asked, RestServer
from tests.support.terminal import spawn


def reason(code: str, value: str, points: int) -> dict[str, Any]:
    return {"code": code, "value": value, "points": points}


def item(number: int, *codes: str) -> dict[str, Any]:
    machine = {
        "id": number, "hostname": f"pc-{number}", "system": "Dell OptiPlex", "serial": None,
        "unit": {"code": "TP", "name": "Phòng Tư pháp"}, "last_received_at": None,
    }  # fmt: skip
    candidates = [
        {
            "asset": {"code": code, "name": "Máy tính"},
            "confidence": 92,
            "level": "sure",
            "reasons": [reason("serial", "AB12", 90), reason("kind_other", "laptop", -15)],
        }
        for code in codes
    ]
    return {"machine": machine, "candidates": candidates}


def lay_out(rest: RestServer) -> list[tuple[str, str, Any]]:
    """Answer the walk's requests; return what it changes, in order."""
    done: list[tuple[str, str, Any]] = []

    def change(asked: Asked) -> Answer:
        body: Any = json.loads(asked.body) if asked.body else None
        done.append((asked.method, asked.path.removeprefix("/api/v1"), body))
        if asked.path.endswith("/assets"):
            return Answer({"code": "NHAP-2", "after": {"name": "Dell"}, "applied": True}, 201)
        if asked.method == "DELETE":
            return Answer(status=204, content=b"")
        return Answer({"id": 17, "asset": {"code": body["asset"], "name": "Máy tính"}}, 201)

    rest.items("/matches/unmatched", item(1, "TS-1", "TS-2"), item(2), item(3, "TS-3"))
    for method, path in (("POST", "/matches"), ("DELETE", "/matches/17"), ("POST", "/assets")):
        rest.answers[method, f"/api/v1{path}"] = change
    return done


def test_one_key_accepts_undoes_books_and_skips(signed_in: RestServer, config_dir: Path) -> None:
    done = lay_out(signed_in)

    with spawn(["ghep"], config_dir, columns=100) as terminal:
        terminal.wait_for("[q]")
        terminal.type("1")
        terminal.wait_for("TS-1.")
        terminal.wait_for("2/3")
        terminal.type("u")
        terminal.wait_for("Đã gỡ")
        terminal.type("x2")  # x means nothing
        terminal.wait_for("TS-2.")
        terminal.type("b")
        terminal.wait_for("NHAP-2")
        terminal.wait_for("3/3")
        terminal.type("s")
        code = terminal.end()

    assert code == 0, terminal.text
    assert done == [
        ("POST", "/matches", {"machine": "1", "asset": "TS-1"}),
        ("DELETE", "/matches/17", None),
        ("POST", "/matches", {"machine": "1", "asset": "TS-2"}),
        ("POST", "/assets", {"machine": "2"}),
    ]
    assert "gần như chắc chắn" in terminal.text
    assert "số sê-ri AB12 (+90) · sổ ghi là máy tính xách tay (-15)" in terminal.text


def test_q_ends_and_changes_nothing(signed_in: RestServer, config_dir: Path) -> None:
    done = lay_out(signed_in)

    with spawn(["match"], config_dir, language="en") as terminal:
        terminal.wait_for("[q]")
        terminal.type("q")
        code = terminal.end()

    assert (code, done) == (0, [])


def test_where_nobody_can_be_asked_it_says_what_to_type(signed_in: RestServer, run: Run) -> None:
    lay_out(signed_in)

    ran = run("match", "--lang", "en")

    assert ran.code == 1
    assert "kiemke match accept MACHINE ASSET" in ran.err


def test_programs_list_accept_and_undo(signed_in: RestServer, run: Run) -> None:
    done = lay_out(signed_in)
    signed_in.on("GET", "/machines/1", item(1)["machine"])
    signed_in.on("GET", "/assets/TS-1", {"id": 4, "code": "TS-1"})
    signed_in.items(
        "/matches", {"id": 17, "decided_by": "serial", "reasons": [reason("serial", "AB", 0)]}
    )

    listed = json.loads(run("match", "unmatched", "--json").out)
    table = run("match", "unmatched", "--lang", "en").out
    made = json.loads(run("match", "accept", "1", "TS-1", "--json").out)
    undone = run("match", "undo", "17")
    matches = run("match", "list", "--lang", "en").out

    assert [i["machine"]["id"] for i in listed["items"]] == [1, 2, 3]
    assert "Phòng Tư pháp" in table
    assert made["id"] == 17
    assert undone.code == 0
    assert [act[:2] for act in done] == [("POST", "/matches"), ("DELETE", "/matches/17")]
    assert "serial number AB" in matches


def test_a_paper_is_shown_before_it_is_written(signed_in: RestServer, run: Run) -> None:
    sent: list[Asked] = []

    def answer(asked: Asked) -> Answer:
        sent.append(asked)
        applied = asked.query["apply"] == "true"
        before, after = {"status": "in_use"}, {"status": "broken", "day": "2026-11-05"}
        return Answer({"code": "TS-1", "before": before, "after": after, "applied": applied})

    signed_in.on("GET", "/assets/TS-1", {"id": 4, "code": "TS-1"})
    signed_in.answers["POST", "/api/v1/assets/TS-1/status"] = answer
    asked = ("asset", "status", "TS-1", "broken", "--date", "05/11/2026", "--paper", "12/BB")

    dry, done = run(*asked, "--lang", "en"), run(*asked, "--apply")

    assert "in use → broken" in dry.out
    assert "Nothing was written" in dry.out
    assert "Đã ghi" in done.out
    assert [json.loads(each.body) for each in sent] == [
        {"status": "broken", "day": "2026-11-05", "instrument": "12/BB"}
    ] * 2


def test_facts_are_sent_as_they_are_meant(signed_in: RestServer, run: Run) -> None:
    bodies: list[Any] = []

    def answer(asked: Asked) -> Answer:
        bodies.append(json.loads(asked.body))
        return Answer({"code": "TS-1", "before": {}, "after": {}, "applied": False})

    signed_in.on("GET", "/assets/TS-1", {"id": 4, "code": "TS-1"})
    signed_in.answers["POST", "/api/v1/assets/TS-1/facts"] = answer
    paper = ("--date", "05/11/2026", "--paper", "12/BB")

    run("asset", "set", "TS-1", "--price", "15.500.000", "--return-on", "31/12/2026", *paper)
    run("tai-san", "sua", "TS-1", "--price", "-", "--owner", "-", *paper)
    bad = run("asset", "set", "TS-1", "--price", "15 tỷ rưỡi", *paper, "--lang", "en")

    assert bodies == [
        {"day": "2026-11-05", "instrument": "12/BB", "price_dong": 15_500_000, "return_on": "2026-12-31"},
        {"day": "2026-11-05", "instrument": "12/BB", "price_dong": None, "owner_name": None},
    ]  # fmt: skip
    assert bad.code == 1
    assert "15.000.000" in bad.err
