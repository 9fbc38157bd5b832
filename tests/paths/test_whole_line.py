"""The whole line with real parts: agent, collector, snmpd, ICMP, server, Prometheus, CLI, files.

One module-wide installation: the parts are started once and each test looks at one end of the line.
"""

import contextlib
import csv
import hashlib
import io
import json
import os
import platform
import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.support.peers import wait_until
from tests.support.prometheus import lint_metrics
from tests.support.whole_line import (
    EVERY,
    LIVE_REMAINS,
    PATIENCE,
    Line,
    running_line,
    start_collector,
)
from tests.support.whole_line_gear import PLANTED


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The installation, with everything reported once."""
    with running_line(tmp_path_factory.mktemp("line")) as made:
        yield made


def test_this_machines_own_hardware_stands_in_the_list(line: Line) -> None:
    host = socket.gethostname()
    wait_until(lambda: line.api(f"/machines?q={host}")["total"], "this machine", PATIENCE, EVERY)
    mine = [m for m in line.listing("machine", "list") if m["hostname"] == host]

    assert len(mine) == 1
    shown = json.loads(line.cli("machine", "show", str(mine[0]["id"]), "--json"))
    text = json.dumps(shown)
    assert platform.machine() in text
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert mine[0]["memory_bytes"] is None or abs(mine[0]["memory_bytes"] - total) < 0.2 * total


def test_the_snmp_device_answers_with_its_true_interfaces(line: Line) -> None:
    shown = json.loads(line.cli("device", "show", "SW1", "--json"))

    assert shown["outcome"] == "ok"
    assert shown["sys_name"] == "gateway-1"
    names = {row["name"] for row in shown["interfaces"]}
    assert {p.name for p in Path("/sys/class/net").iterdir()} <= names | {"bonding_masters"}


def test_a_switch_is_visited_by_ssh_with_the_servers_secret(line: Line) -> None:
    wait_until(
        lambda: line.api("/devices/SW1/configs")["total"], "a configuration", PATIENCE, EVERY
    )
    shown = line.api("/devices/SW1")
    text = line.cli("device", "config", "show", "SW1")

    assert shown["visit"]["outcome"] == "ok", shown["visit"]
    assert shown["serial"] == "FCW2045A1B2" and "serial" in shown["by_ssh"]
    assert "hostname SW-TANG-1" in text and "Pl4nt" not in text


def test_the_real_sshd_is_visited_with_a_private_key(line: Line) -> None:
    wait_until(
        lambda: line.api("/devices/SW2/configs")["total"], "a configuration", PATIENCE, EVERY
    )
    shown = line.api("/devices/SW2")

    assert (shown["outcome"], shown["visit"]["outcome"]) == ("ok", "ok"), shown
    assert shown["visit"]["platform"] == "linux"


def test_a_changed_host_key_is_not_logged_in_to_until_accepted(line: Line) -> None:
    played = line.gear.played
    answers, logins = played.recording.answers, played.logins
    shown = answers["show running-config"]
    answers["show running-config"] = shown.replace("Uplink VNPT", "Uplink Viettel")
    line.gear.start()
    line.keep_ssh_secret("rotate", "ssh_password")  # tried at once
    _wait_for_visit(line, "host_key")
    refused = played.logins
    findings = line.api("/findings?kind=host_key_changed")["items"]
    line.cli("device", "host-key", "accept", "SW1")
    wait_until(
        lambda: line.api("/devices/SW1/configs")["total"] == 2, "the change", PATIENCE, EVERY
    )
    diff = line.cli("device", "config", "diff", "SW1").splitlines()

    assert refused == logins
    assert [each["subject"] for each in findings] == ["device:SW1"]
    assert [each for each in diff[2:] if each[0] in "+-"] == [
        "- description Uplink VNPT",
        "+ description Uplink Viettel",
    ]
    assert line.api("/findings?kind=host_key_changed")["total"] == 0


def _wait_for_visit(line: Line, outcome: str) -> None:
    wait_until(
        lambda: line.api("/devices/SW1")["visit"]["outcome"] == outcome, outcome, PATIENCE, EVERY
    )


def test_coverage_says_of_each_person_what_proves_it(line: Line) -> None:
    rows = line.listing("coverage", "who", "--unit", "TG")
    states = {row["official"]["code"]: row["state"] for row in rows}

    assert states == {
        "CB0": "verified",
        "CB1": "silent",
        "CB2": "unmatched",
        "CB3": "unmatched",
        "CB4": "unmatched",
        "CB5": "no_pc",
    }


def test_prometheus_sees_coverage_and_the_line(line: Line) -> None:
    prometheus = line.prometheus
    units = {u["code"]: u["id"] for u in line.listing("unit", "list")}
    own = f'unit="{units["TG-NV"]}"'
    top = f'unit="{units["TG"]}"'
    wait_until(
        lambda: prometheus.value("sum(kiemke_link_up)") == 1,
        "Prometheus has scraped the line as up",
        PATIENCE,
        EVERY,
    )

    assert prometheus.soon(f"sum(kiemke_officials{{{own}}})") == 6
    assert prometheus.soon(f'kiemke_officials_by_state{{{own},state="verified"}}') == 1
    assert prometheus.soon(f'kiemke_subtree_officials_by_state{{{top},state="no_pc"}}') == 1
    declared = prometheus.soon(f'kiemke_subtree_equipment_coverage_ratio{{{top},basis="declared"}}')
    assert declared == pytest.approx(5 / 6)
    assert prometheus.soon('kiemke_link_contracted_bits_per_second{direction="receive"}') == 1e8


def test_the_lines_counter_moves_with_real_traffic_and_no_faster(line: Line) -> None:
    """The line's port is loopback: what we send there must come out of PromQL."""
    prometheus = line.prometheus
    wait_until(
        lambda: (prometheus.value("sum(kiemke_link_receive_bytes_total)") or 0) > 0,
        "the line has counted octets",
        150,
        EVERY,
    )
    scraped = prometheus.soon("sum(kiemke_link_receive_bytes_total)")
    counted = int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())

    assert 0 < scraped <= counted


def test_both_metrics_pages_pass_the_linter(line: Line) -> None:
    for path in ("/metrics", "/metrics/fleet"):
        assert lint_metrics(line.scrape(path)) == "", path


def test_the_auditors_file_carries_its_own_proof(line: Line) -> None:
    for ending in ("csv", "xlsx", "jsonl"):
        line.cli("export", "equipment", "-o", str(line.folder / f"kiem-ke.{ending}"))
    lines = (line.folder / "kiem-ke.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(text) for text in lines[1:-1]]
    canonical = "".join(
        json.dumps(list(row.values()), ensure_ascii=False, separators=(",", ":")) + "\n"
        for row in rows
    )
    proof = hashlib.sha256(canonical.encode()).hexdigest()

    assert len(rows) == 9
    assert proof in lines[-1]
    assert proof in (line.folder / "kiem-ke.csv").read_text("utf-8-sig")
    book = openpyxl.load_workbook(line.folder / "kiem-ke.xlsx")
    cells = [
        str(cell.value) for sheet in book.worksheets for row in sheet.iter_rows() for cell in row
    ]
    book.close()
    assert any(proof in value for value in cells)


def test_hostile_names_come_out_of_every_end_inert(line: Line) -> None:
    """One machine and one asset of each hostile name, looked for at every output."""
    for noun in ("machine", "asset", "source"):
        line.cli(noun, "list")
        line.cli(noun, "list", "--csv")
        line.cli(noun, "list", "--json", "--lang", "vi")
    line.cli("asset", "show", "TX0")
    line.cli("export", "equipment", "-o", str(line.folder / "h.csv"))
    line.cli("export", "equipment", "-o", str(line.folder / "h.xlsx"))
    file_text = (line.folder / "h.csv").read_text("utf-8-sig")
    texts = {
        "cli": "".join(line.outputs),
        "csv": file_text,
        "metrics": line.scrape("/metrics"),
        "fleet": line.scrape("/metrics/fleet"),
        "log": line.server.log_file.read_text("utf-8"),
        "collector log": (line.folder / "collector.log").read_text("utf-8"),
    }

    for where, text in texts.items():
        for remains in LIVE_REMAINS:
            assert remains not in text, (where, remains)
    assert "[/red][bold]" in texts["cli"]
    assert "ESC" in texts["cli"]
    for row in csv.reader(io.StringIO(file_text)):
        assert not any(cell.startswith(("=", "+", "@", "\t")) for cell in row), row
    book = openpyxl.load_workbook(line.folder / "h.xlsx")
    formulas = [
        cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.data_type == "f" or cell.hyperlink
    ]
    book.close()
    assert formulas == []


def test_the_page_of_the_api_shows_nothing_live(line: Line) -> None:
    status, page, headers = line.server.request("GET", "/api/v1/")

    assert status == 200
    assert "default-src 'none'" in headers["content-security-policy"]
    assert b"<script" not in page
    assert b"/api/v1/coverage" in page


def test_the_doctor_finds_nothing_wrong(line: Line) -> None:
    said = line.cli("doctor")

    assert "127.0.0.1" in said


def test_errors_have_one_shape_everywhere(line: Line) -> None:
    for method, path in (
        ("GET", "/nowhere"),
        ("DELETE", "/api/v1/units"),
        ("GET", "/api/v1/units"),
        ("POST", "/api/v1/enroll"),
        ("GET", "/metrics"),
    ):
        status, body, headers = line.server.request(method, path)
        problem = json.loads(body)

        assert headers["content-type"].startswith("application/problem+json"), path
        assert problem["status"] == status
        assert problem["detail"] and problem["remedy"], path


def test_a_killed_collector_is_stood_in_for_and_nothing_counts_twice(line: Line) -> None:
    """Two intervals of 10 s after the last poll, by the clock of tests/server/test_takeover.py."""
    first, second = line.collectors[0], start_collector(line, "collector-2")
    wait_until(
        lambda: (second.state / "assignment.json").exists(), "its first question", PATIENCE, EVERY
    )
    before = line.api("/devices/SW1")
    first.process.send_signal(signal.SIGKILL)
    first.process.wait(20)
    killed_ms = _clock_ms()
    wait_until(
        lambda: second.source in _polled_since(line, killed_ms), "the stand-in", PATIENCE, EVERY
    )
    at_once = _octets(line)
    wait_until(lambda: _octets(line) > at_once, "the line counts on", PATIENCE, EVERY)
    total = _octets(line)
    counted = int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())
    now = line.api("/devices/SW1")

    assert (before["collector"], now["collector"]) == (first.source, first.source)
    assert now["outcome"] == "ok" and now["polled_at"] > before["polled_at"]
    assert first.source not in _polled_since(line, killed_ms + 10_000)
    assert 0 < total <= counted


def _clock_ms() -> int:
    return round(time.time() * 1000)


def _polled_since(line: Line, moment_ms: int) -> set[str]:
    """Return the collectors whose readings of the device are younger than a moment."""
    path = line.folder / "data" / "kiemke.sqlite"
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
        rows = database.execute(
            "SELECT s.public_id FROM device_now n JOIN source s ON s.id = n.source_id"
            " JOIN device d ON d.id = n.device_id"
            " WHERE d.code = 'SW1' AND n.polled_at_ms > ? AND n.outcome = 'ok'",
            (moment_ms,),
        )
        return {row[0] for row in rows}


def _octets(line: Line) -> float:
    text = line.scrape("/metrics/fleet")
    rows = [r for r in text.split("\n") if r.startswith("kiemke_link_receive_bytes_total{")]
    return sum(float(row.rpartition(" ")[2]) for row in rows)


def test_no_secret_stands_anywhere_in_plain_text(line: Line) -> None:
    """Database, logs, outboxes, status, exports, audit, answers, errors, process lists: all searched."""
    line.keep_ssh_secret("rotate", "wrong_password")
    _wait_for_visit(line, "auth")
    line.cli("device", "show", "SW1")
    admin = {"Authorization": f"Bearer {line.tokens[0]}"}
    line.cli("secret", "add", "half", "--unit", "TG", "--kind", "snmp", "--authentication",
             "SHA256", text=f"{PLANTED['auth_key']}\n", code=1)  # fmt: skip
    paths = ("/audit?limit=1000", "/devices/SW1", "/devices", "/secrets", "/findings", "/tokens")
    answers = [line.api(path) for path in paths]
    for report in ("links", "equipment", "reconciliation"):
        address = f"/api/v1/exports/{report}.jsonl"
        status, body, _ = line.server.request("GET", address, b"", admin)
        assert status == 200, body
        answers.append(body.decode())
    said = "".join([*line.outputs, json.dumps(answers), line.scrape("/metrics"),
                    line.scrape("/metrics/fleet")])  # fmt: skip
    commands = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # a process that ended meanwhile
            commands += path.read_bytes()
    files = {
        str(path.relative_to(line.folder)): path.read_bytes()
        for path in line.folder.rglob("*")
        if path.is_file() and not {"snmpd", "sshd"} & set(path.parts)  # the devices' own files
    }

    assert "secret.rotate" in said and "collector.log" in files
    # The search finds what there is to find.
    kept = {f"{collector.state.name}/secrets.json" for collector in line.collectors}
    assert any(PLANTED["community"].encode() in files.get(name, b"") for name in kept)
    private_key = (line.folder / "sshd" / "user").read_text().splitlines()[2]
    others = {"private_key": private_key, "a configuration's": "Pl4nt"}
    for name, value in (PLANTED | others).items():
        needle = value.encode()
        holding = {file for file, data in files.items() if needle in data}
        assert value not in said and needle not in commands, name
        assert holding <= kept, name
    for token in line.tokens:
        needle = token.split(".")[-2 if token.count(".") == 3 else -1].encode()
        holding = {file for file, data in files.items() if needle in data}
        assert holding <= {"scrape-token", "prometheus/prometheus.yml"}, token[:12]
        assert needle not in commands
    for collector in line.collectors:
        assert (collector.state / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_revoking_a_collector_lists_every_secret_it_ever_held(line: Line) -> None:
    first = line.collectors[0]

    said = line.cli("source", "revoke", first.source)
    held = line.api(f"/sources/{first.source}/secrets")

    assert {(each["name"], each["kind"]) for each in held} == {
        ("default", "snmp"), ("v3", "snmp"), ("ssh", "ssh"), ("key", "ssh"),
    }  # fmt: skip
    # What was rotated since opens no door any more, and is not asked to be changed.
    due = {each["name"] for each in held if each["to_change"]}
    assert due >= {"default", "v3", "key"}
    assert all(any(name in row.split() for row in said.split("\n")) for name in due)


def test_a_revoked_collector_holds_nothing_more_and_comes_back_by_a_new_token(line: Line) -> None:
    """The running one: its disk and its memory are searched for what it polled with."""
    second = line.collectors[1]
    log = line.folder / "collector-2.log"
    remembered = second.remembered()
    line.cli("source", "revoke", second.source)
    wait_until(lambda: "waiting to be enrolled" in log.read_text(), "it is out", PATIENCE, EVERY)
    told = line.collector_status(second)
    left = second.kept() | second.remembered()
    token = line.enrolment_token("collector")
    before, came_back_ms = second.source, _clock_ms()
    line.enrol_again(second, token)
    wait_until(
        lambda: second.source in _polled_since(line, came_back_ms), "it polls", PATIENCE, EVERY
    )

    assert {"community", "auth_key", "privacy_key", "ssh_password"} <= remembered
    assert left == set()
    assert f"{before} (revoked)" in told and "deleted every credential" in told
    assert second.source != before and second.process.poll() is None
