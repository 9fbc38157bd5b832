"""kiemke audit verify and anchor: the proof in the office's words, and its exit code."""

import json
from pathlib import Path

from tests.cli.conftest import Run
from tests.support.rest_server import RestServer

HEAD = {"place": 7, "chain_sha256": "ab", "sealed_at_ms": 1, "signature": "s", "public_key": "k"}
WHOLE = {
    "is_whole": True, "checked": 7, "signed_heads": 2, "unsealed": 0, "fault_count": 0, "faults": [],
}  # fmt: skip


def test_a_whole_log_is_said_to_be_so(signed_in: RestServer, run: Run, tmp_path: Path) -> None:
    kept = tmp_path / "neo.json"
    kept.write_text(json.dumps(HEAD), "utf-8")
    signed_in.on("POST", "/audit/verify", WHOLE)

    ran = run("nhat-ky", "kiem-tra", "--neo", str(kept))

    assert ran.code == 0
    assert ran.out.splitlines() == [
        "7 bản ghi, 2 lần ký, 0 đang chờ niêm phong",
        "Mọi thứ đúng như lúc niêm phong.",
    ]
    assert json.loads(signed_in.asked[-1].body) == {"anchors": [HEAD]}


def test_faults_are_named_and_the_exit_tells(signed_in: RestServer, run: Run) -> None:
    faults = [{"place": 3, "code": "entry_gone", "what": "bản ghi \x1b[31mđã bị xóa"}]
    signed_in.on(
        "POST", "/audit/verify", WHOLE | {"is_whole": False, "fault_count": 9, "faults": faults}
    )

    ran = run("audit", "verify")

    assert ran.code == 1
    assert "3: bản ghi" in ran.out and "\x1b" not in ran.out
    assert "8" in ran.out.splitlines()[-2]
    assert ran.out.splitlines()[-1] == "Nhật ký không còn như lúc niêm phong."


def test_a_file_that_is_no_head_is_refused_before_anything_is_asked(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    other = tmp_path / "ghi-chu.txt"
    other.write_text("không phải", "utf-8")
    asked = len(signed_in.asked)

    ran = run("audit", "verify", "--anchor", str(other))

    assert (ran.code, len(signed_in.asked)) == (1, asked)
    assert str(other) in ran.err and "kiemke audit anchor" in ran.err


def test_the_newest_head_is_printed_as_it_is_kept(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/audit/anchor", HEAD)

    assert json.loads(run("nhat-ky", "neo").out) == HEAD
