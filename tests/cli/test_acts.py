"""What changes something: imports, files, sources, users, tokens, devices; and the doctor."""

import json
import os
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha256
from pathlib import Path

import pytest

from kiemke.cli import session
from tests.cli.conftest import Run
from tests.support.rest_server import Answer, RestServer


def test_an_export_is_written_whole_with_its_hash(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    content = b"PK" + bytes(range(256)) * 500
    signed_in.on("GET", "/exports/equipment.xlsx", content=content)
    path = tmp_path / "kiem-ke.xlsx"

    ran = run("xuat", "equipment", "-o", str(path), "--ngay", "31/12/2025")

    assert ran.code == 0
    assert path.read_bytes() == content
    assert f"SHA-256 của cả tệp: {sha256(content).hexdigest()}" in ran.out
    assert signed_in.asked[0].query == {"as_of": "2025-12-31"}


def test_an_export_cut_short_leaves_no_file(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    """Half an inventory must never look like one."""
    signed_in.on("GET", "/exports/equipment.csv", content=b"x" * 100_000, cut=True)
    folder = tmp_path / "out"
    folder.mkdir()

    ran = run("export", "equipment", "-o", str(folder / "a.csv"))

    assert ran.code == 1
    assert list(folder.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_when_asked(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    signed_in.on("GET", "/exports/equipment.csv", content=b"new")
    path = tmp_path / "a.csv"
    path.write_text("old")

    assert run("export", "equipment", "-o", str(path)).code == 1
    assert path.read_text() == "old"
    assert run("export", "equipment", "-o", str(path), "--force").code == 0
    assert path.read_text() == "new"


def test_a_device_is_never_replaced_by_a_file(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    """As root, /dev/null replaced by an inventory would break the machine."""
    signed_in.on("GET", "/exports/equipment.csv", content=b"new")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    assert run("export", "equipment", "-o", str(pipe), "--force").code == 1
    assert pipe.is_fifo()


def test_a_link_is_replaced_and_not_followed(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    signed_in.on("GET", "/exports/equipment.csv", content=b"new")
    target, link = tmp_path / "precious", tmp_path / "a.csv"
    target.write_text("old")
    link.symlink_to(target)

    assert run("export", "equipment", "-o", str(link), "--force").code == 0
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("old", "new", False)


def test_errors_the_server_left_out_are_counted(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    told = {"rows": 9, "new": 0, "changed": 0, "same": 0, "applied": False, "errors_left_out": 6999}
    error = {"row": 2, "column": "Mã", "value": "?", "message": "m", "remedy": "r"}
    signed_in.on("POST", "/imports", {**told, "errors": [error]})
    file = tmp_path / "a.csv"
    file.write_text("x")

    ran = run("import", "units", str(file))

    assert ran.code == 1
    assert "7000" in (ran.out + ran.err).replace(".", "")


def test_without_a_report_the_reports_are_listed(signed_in: RestServer, run: Run) -> None:
    signed_in.on(
        "GET", "/exports", [{"name": "equipment", "title": "Kiểm kê", "formats": ["csv", "xlsx"]}]
    )

    assert "equipment  Kiểm kê  csv, xlsx" in run("export").out


def test_a_template_comes_in_the_language_and_format_asked_for(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    signed_in.on("GET", "/templates/officials", content=b"\xef\xbb\xbfa")

    ran = run("mau", "officials", "-o", str(tmp_path / "can-bo.csv"))

    assert ran.code == 0
    assert signed_in.asked[0].query == {"format": "csv", "lang": "vi"}
    assert "kiemke nhap officials" in ran.out


def test_a_source_is_approved_by_the_name_of_its_machine(signed_in: RestServer, run: Run) -> None:
    source = {"id": "7f3a", "kind": "agent", "state": "pending", "hostname": "TG-VP-07"}
    signed_in.on("GET", "/sources/TG-VP-07", source)
    signed_in.on("POST", "/sources/7f3a/approve", source | {"state": "approved"})

    ran = run("nguon", "duyet", "TG-VP-07")

    assert ran.out == "7f3a (TG-VP-07) nay là: đã duyệt\n"


def test_an_enrolment_token_is_one_line_to_paste(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/units/TG-VP", {"id": 1, "code": "TG-VP", "name": "Văn phòng"})
    token = "aHR0cHM6Ly8xMC4xLjAuNTo4NDQz." * 6 + "end"
    signed_in.on("POST", "/enrolment-tokens", {"token": token, "id": "t1", "expires_at": None})

    ran = run("nguon", "ma", "--don-vi", "TG-VP", "--days", "7")

    assert ran.out.splitlines()[-1] == f"kiemke-agent enroll {token}"
    body = json.loads(signed_in.asked[-1].body)
    assert body == {"unit": "TG-VP", "kind": "agent", "days": 7, "approves": False, "via": []}


def test_revoking_a_token_is_asked_before(signed_in: RestServer, run: Run) -> None:
    signed_in.on("DELETE", "/enrolment-tokens/t1", None, 204)

    assert run("source", "revoke-token", "t1", stdin="n\n").code == 130
    assert signed_in.asked == []
    assert run("source", "revoke-token", "t1", "--yes").code == 0


def test_only_what_was_said_of_a_device_changes(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/devices/SW-01", {"id": 3, "code": "SW-01", "name": "Core"})
    signed_in.on("PATCH", "/devices/SW-01", {"code": "SW-01", "name": "Core"})

    assert run("thiet-bi", "dat", "SW-01").code == 2
    assert run("device", "set", "SW-01", "--address", "10.1.0.2", "--port", "1161").code == 0
    assert json.loads(signed_in.asked[-1].body) == {"address": "10.1.0.2", "port": 1161}


def test_a_user_is_added_without_the_password_on_the_command_line(
    signed_in: RestServer, run: Run
) -> None:
    signed_in.on("POST", "/users", {"name": "binh"}, 201)

    ran = run("user", "add", "binh", "--role", "it", stdin="bí mật dài\n")

    assert ran.out == "Đã thêm: binh (cán bộ CNTT)\n"
    assert json.loads(signed_in.asked[-1].body)["password"] == "bí mật dài"
    assert run("user", "add", "binh", "--role", "it", stdin="").code == 1


def test_a_scrape_token_is_shown_once(signed_in: RestServer, run: Run) -> None:
    signed_in.on("POST", "/tokens", {"token": "kmk_9_x"}, 201)

    ran = run("token", "add", "--kind", "scrape", "--label", "prometheus")

    assert ran.out.splitlines()[-1] == "kmk_9_x"
    assert json.loads(signed_in.asked[-1].body) == {"kind": "scrape", "label": "prometheus"}


@pytest.fixture
def healthy(signed_in: RestServer) -> RestServer:
    """A server with nothing wrong."""
    now = datetime.now(UTC)
    signed_in.answers["GET", "/healthz"] = Answer({"status": "ok"})
    signed_in.on("GET", "/me", {"name": "an", "role": "it"})
    heard = now.isoformat()
    signed_in.items(
        "/sources",
        {"id": "a", "kind": "agent", "state": "approved", "last_received_at": heard},
        {"id": "c", "kind": "collector", "state": "approved", "last_received_at": heard},
    )
    return signed_in


def test_a_healthy_office_is_all_green(healthy: RestServer, run: Run) -> None:
    ran = run("kham")

    assert ran.code == 0
    marks = [line[0] for line in ran.out.splitlines()]
    assert set(marks) == {"✓"}
    assert len(marks) == 8


def test_each_fault_has_its_line_and_its_remedy(healthy: RestServer, run: Run) -> None:
    old = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    late = datetime.now(UTC) + timedelta(minutes=9)
    healthy.answers["GET", "/healthz"] = Answer({}, headers={"date": format_datetime(late)})
    healthy.items(
        "/sources",
        {"id": "a", "kind": "agent", "state": "approved", "last_received_at": old},
        {"id": "p", "kind": "agent", "state": "pending", "last_received_at": None},
    )

    ran = run("doctor")

    assert ran.code == 1
    lines = ran.out.splitlines()
    assert any(line.startswith("✗ Đồng hồ: lệch -5") for line in lines)
    assert "! Tác tử: 0 trên 1 có liên lạc trong 15 phút qua" in lines
    assert "✗ Bộ thu thập: chưa có nguồn nào được duyệt" in lines
    assert "! Nguồn: chờ duyệt: 1" in lines
    assert "    → kiemke nguon list --state pending, rồi kiemke nguon duyet" in lines


def test_a_viewer_is_told_what_it_may_not_see_without_alarm(healthy: RestServer, run: Run) -> None:
    healthy.refuse("GET", "/sources", 403, "không đủ quyền", "hỏi quản trị")

    ran = run("doctor")

    assert ran.code == 0
    assert "· Nguồn: T: không đủ quyền" in ran.out


def test_an_ended_token_and_a_readable_session_are_red(
    healthy: RestServer, run: Run, config_dir: Path
) -> None:
    healthy.refuse("GET", "/me", 401, "hết hạn", "đăng nhập lại")
    (config_dir / session.FILE_NAME).chmod(0o644)

    ran = run("doctor", "--json")

    assert ran.code == 1
    bad = [row["name"] for row in json.loads(ran.out) if row["verdict"] == "bad"]
    assert bad == ["Phiên đăng nhập", "Quyền"]


def test_not_signed_in_is_one_line(run: Run) -> None:
    ran = run("kham")

    assert ran.code == 1
    assert ran.out.splitlines() == [
        "✗ Phiên đăng nhập: bạn chưa đăng nhập",
        "    → kiemke dang-nhap https://MÁY_CHỦ:8443 TÊN",
    ]


COUNTED = {
    "day": "2026-03-09",
    "items": [{"asset": {"code": "TS1", "name": "Máy"}, "kind": "desktop", "result": "missing",
               "outcome": "new", "before_result": "seen", "before_day": "2025-03-09",
               "covers": False}],
    "applied": False,
}  # fmt: skip


def test_a_count_is_told_before_it_is_written(
    signed_in: RestServer, run: Run, tmp_path: Path
) -> None:
    signed_in.on("POST", "/counts", COUNTED)
    codes = tmp_path / "ma.txt"
    codes.write_text("# tầng 2\nTS2 máy in\n\nTS1\n", "utf-8")

    ran = run("tai-san", "kiem-dem", "TS1", "--tep", str(codes), "--ket-qua", "missing", "--ngay",
              "09/03/2026", "--nguoi", "Trần Văn Đếm", "--so", "BB 3")  # fmt: skip

    assert ran.code == 0
    assert json.loads(signed_in.asked[0].body) == {
        "items": [
            {"asset": "TS1", "result": "missing"},
            {"asset": "TS2", "result": "missing"},
        ],
        "day": "2026-03-09",
        "counted_by": "Trần Văn Đếm",
        "instrument": "BB 3",
    }
    assert "không thấy" in ran.out
    assert "Chưa ghi gì" in ran.out


def test_a_count_needs_to_say_what_was_found(signed_in: RestServer, run: Run) -> None:
    ran = run("asset", "count", "TS1", "--day", "2026-03-09", "--by", "A")

    assert ran.code == 2
    assert signed_in.asked == []


def test_a_figure_is_sent_as_it_was_written(signed_in: RestServer, run: Run) -> None:
    signed_in.on("GET", "/units/TG", {"code": "TG", "name": "Huyện"})
    signed_in.on("POST", "/indicators", {"code": "HL", "outcome": "new", "applied": True})

    ran = run("chi-tieu", "ghi-so", "HL", "--don-vi", "TG", "--ten", "Hài lòng", "--cach-do",
              "percent", "--thuc-hien", "92,5 %", "--ghi")  # fmt: skip

    asked = signed_in.asked[-1]
    sent = json.loads(asked.body)
    assert (asked.query["apply"], sent["actual"], sent["more_is_better"]) == (
        "true",
        "92,5 %",
        None,
    )
    assert ran.out.splitlines() == ["HL: mới", "Đã ghi."]


def test_how_far_a_release_is_and_what_to_do_where_it_does_not_get_on(
    signed_in: RestServer, run: Run
) -> None:
    release = {"id": 7, "version": "0.2.0", "system": "debian-amd64", "percent": 10}
    signed_in.items("/agent-releases", release)
    place = {"source": "s2", "hostname": "pc-2", "state": "rolled_back", "version": "0.1.0"}
    signed_in.on(
        "GET",
        "/agent-releases/7/progress",
        {
            "release": release,
            "states": {"running": 3, "rolled_back": 1, "silent": 0},
            "versions": {"0.2.0": 3, "0.1.0": 1},
            "amiss": [{**place, "reason": "it did not report within ten minutes"}],
        },
    )

    ran = run("cap-nhat", "xem", "0.2.0")

    assert ran.code == 0
    assert "đã lùi về bản trước" in ran.out and "pc-2" in ran.out
    assert "chưa nghe" not in ran.out, "no line for nobody"
    assert "kiemke-agent update show" in ran.out


def test_a_clock_is_told_in_words(signed_in: RestServer, run: Run) -> None:
    for name, offset in (("a", 7_500.0), ("b", -90_061.0), ("c", 0.4), ("d", None)):
        signed_in.on("GET", f"/sources/{name}", {"id": name, "clock_offset_seconds": offset})
    told = {name: run("source", "show", name).out for name in "abcd"}

    assert "chậm 2 giờ 5 phút" in told["a"]
    assert "nhanh 1 ngày 1 giờ" in told["b"]
    assert "đúng giờ" in told["c"] and "giờ" not in told["d"]
