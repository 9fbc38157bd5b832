"""The whole line with real parts: agent, collector, snmpd, ICMP, server, Prometheus, CLI, files.

One module-wide installation: the parts are started once and each test looks at one end of the line.
"""

import csv
import hashlib
import io
import json
import os
import platform
import socket
from collections.abc import Iterator
from pathlib import Path

import openpyxl
import pytest

from tests.support.peers import wait_until
from tests.support.prometheus import lint_metrics
from tests.support.whole_line import LIVE_REMAINS, PATIENCE, Line, running_line


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """The installation, with everything reported once."""
    with running_line(tmp_path_factory.mktemp("line")) as made:
        yield made


def test_this_machines_own_hardware_stands_in_the_list(line: Line) -> None:
    mine = [m for m in line.listing("machine", "list") if m["hostname"] == socket.gethostname()]

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
    )

    assert prometheus.value(f"sum(kiemke_officials{{{own}}})") == 6
    assert prometheus.value(f'kiemke_officials_by_state{{{own},state="verified"}}') == 1
    assert prometheus.value(f'kiemke_subtree_officials_by_state{{{top},state="no_pc"}}') == 1
    declared = prometheus.value(
        f'kiemke_subtree_equipment_coverage_ratio{{{top},basis="declared"}}'
    )
    assert declared == pytest.approx(5 / 6)
    assert prometheus.value('kiemke_link_contracted_bits_per_second{direction="receive"}') == 1e8


def test_the_lines_counter_moves_with_real_traffic_and_no_faster(line: Line) -> None:
    """The line's port is loopback: what we send there must come out of PromQL."""
    prometheus = line.prometheus
    wait_until(
        lambda: (prometheus.value("sum(kiemke_link_receive_bytes_total)") or 0) > 0,
        "the line has counted octets",
        150,
    )
    scraped = prometheus.value("sum(kiemke_link_receive_bytes_total)")
    counted = int(Path("/sys/class/net/lo/statistics/rx_bytes").read_text())

    assert scraped is not None
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
