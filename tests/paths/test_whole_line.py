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
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from kiemke.wire.enrolment import parse_token
from kiemke.wire.inventory import OperatingSystem, System
from kiemke.wire.report import Inventory, Sample, Section
from tests.support.imports import as_csv
from tests.support.peers import SnmpdPeer, require_peer, wait_until
from tests.support.prometheus import PrometheusPeer, lint_metrics
from tests.support.reporting import Sender
from tests.support.server_process import ServerProcess

BIN = Path(sys.executable).parent
PATIENCE = 60

# What a hostile or careless person may name a machine, and what must never come out of any end:
# console markup, a spreadsheet formula, a page's markup, terminal control and text reversal.
HOSTILE = (
    "[/red][bold]",
    "=cmd|' /C calc'!A0",
    "<img src=x onerror=alert(1)>",
    "\x1b[31mESC\u202eRLO\nnewline",
)
LIVE_REMAINS = ("\x1b", "\u202e", "\u200b")

UNITS = [
    ["code", "name", "type", "parent", "valid_from"],
    ["TG", "Huyện Thanh Giang", "huyen", "", "01/01/2024"],
    ["TG-NV", "Phòng Nội vụ", "phong", "TG", "01/01/2024"],
]
OFFICIALS = [
    ["code", "name", "unit", "kind", "account", "valid_from"],
    *[
        [f"CB{n}", f"Nguyễn Văn {'ABCDEF'[n]}", "TG-NV", "cong_chuc", f"user{n}", "01/01/2024"]
        for n in range(6)
    ],
]
ASSETS = [
    ["code", "kind", "name", "serial", "price_dong", "status", "unit", "official", "valid_from"],
    *[
        [f"TS{n}", "desktop", "Máy tính để bàn", f"SN-{n:04d}", "15000000", "in_use", "TG-NV",
         f"CB{n}", "01/01/2024"]
        for n in range(5)
    ],
    *[
        [f"TX{n}", "printer", name, "", "3000000", "in_use", "TG-NV", "", "01/01/2024"]
        for n, name in enumerate(HOSTILE)
    ],
]  # fmt: skip


@dataclass(slots=True)
class Line:
    """The installation with everything attached."""

    server: ServerProcess
    folder: Path
    prometheus: PrometheusPeer
    cli_env: dict[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)

    def cli(self, *arguments: str, text: str = "", code: int = 0) -> str:
        """Run ``kiemke`` and return what it printed; everything printed is kept for inspection."""
        done = subprocess.run(
            [str(BIN / "kiemke"), *arguments],
            env=self.cli_env,
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.outputs += [done.stdout, done.stderr]
        assert done.returncode == code, (arguments, done.stdout[-800:], done.stderr[-800:])
        return done.stdout

    def listing(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the items of a ``--json`` listing."""
        said = json.loads(self.cli(*arguments, "--json"))
        items: list[dict[str, Any]] = said["items"] if isinstance(said, dict) else said
        return items

    def enrolment_token(self, kind: str) -> str:
        """Make an enrolment token by the CLI."""
        said = self.cli(
            "source", "token", "--unit", "TG", "--kind", kind, "--uses", "9", "--approves", "--json"
        )
        token: str = json.loads(said)["token"]
        return token

    def scrape(self, path: str) -> str:
        """Fetch a metrics page with the scrape token."""
        token = (self.folder / "scrape-token").read_text()
        status, body, _ = self.server.request(
            "GET", path, headers={"Authorization": f"Bearer {token}"}
        )
        assert status == 200, body
        return body.decode()


def import_tables(line: Line) -> None:
    """Fill in the papers: units, people, assets, the snmpd as a device, its loopback as a line."""
    tables = {"units": UNITS, "officials": OFFICIALS, "assets": ASSETS}
    for name, rows in tables.items():
        file = line.folder / f"{name}.csv"
        file.write_bytes(as_csv(rows))
        line.cli("import", name, str(file), "--apply")


def import_network(line: Line, snmpd: SnmpdPeer) -> None:
    """Register the snmpd and the line behind its loopback port."""
    devices = [
        ["code", "name", "kind", "unit", "address", "port", "credential"],
        ["SW1", "Máy chủ SNMP", "server", "TG", "127.0.0.1", str(snmpd.port), "default"],
    ]
    links = [
        ["code", "name", "unit", "kind", "provider", "down_mbps", "up_mbps", "device",
         "interface_name", "shared_by", "probes", "valid_from"],
        ["LN1", "Đường truyền thử", "TG", "internet", "ISP", "100", "100", "SW1", "lo", "TG-NV",
         "domestic:127.0.0.1", "01/01/2024"],
    ]  # fmt: skip
    for name, rows in {"devices": devices, "links": links}.items():
        file = line.folder / f"{name}.csv"
        file.write_bytes(as_csv(rows))
        line.cli("import", name, str(file), "--apply")


def start_agent(line: Line) -> None:
    """Enrol this machine's own agent and let it report once."""
    state = str(line.folder / "agent")
    for command in (
        ["enroll", line.enrolment_token("agent"), "--state", state],
        ["run", "--once", "--state", state],
    ):
        subprocess.run([str(BIN / "kiemke-agent"), *command], check=True, timeout=60)


def start_collector(line: Line, snmpd: SnmpdPeer) -> "subprocess.Popen[bytes]":
    """Enrol a collector and leave it running."""
    state = line.folder / "collector"
    state.mkdir(mode=0o700)
    credentials = state / "credentials.toml"
    credentials.write_text(f'[default]\nversion = "2c"\ncommunity = "{snmpd.community}"\n')
    credentials.chmod(0o600)
    program = [str(BIN / "kiemke-collector"), "--state", str(state)]
    token = line.enrolment_token("collector")
    subprocess.run([*program, "enroll", token], check=True, timeout=60)
    with (line.folder / "collector.log").open("wb") as log:
        return subprocess.Popen([*program, "run"], stdout=log, stderr=log)


def enrol_simulated(line: Line, hostname: str) -> Sender:
    """Enrol one simulated PC over the real wire."""
    token = parse_token(line.enrolment_token("agent"))
    sender = Sender(source="")
    body = {
        "token": token.id,
        "token_secret": token.secret,
        "install_id": os.urandom(16).hex(),
        "secret_sha256": hashlib.sha256(sender.secret.encode()).hexdigest(),
        "hostname": hostname,
        "kind": "agent",
    }
    status, answer, _ = line.server.request(
        "POST", "/api/v1/enroll", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    assert status in (200, 201), answer
    sender.source = json.loads(answer)["source"]
    sender.booted_ms = now_ms() - 20 * 86_400_000
    return sender


def now_ms() -> int:
    return round(time.time() * 1000)


def last_working_noon_ms() -> int:
    """Noon in Việt Nam of the last finished Monday to Friday."""
    day = (datetime.now(UTC) + timedelta(hours=7)).date() - timedelta(days=1)
    while day.weekday() > 4:
        day -= timedelta(days=1)
    return round(datetime(day.year, day.month, day.day, 5, tzinfo=UTC).timestamp() * 1000)


def play_machine(line: Line, hostname: str, serial: str | None, *, seen: bool) -> None:
    """Report one PC: its inventory, and with ``seen`` an hour on the last working day."""
    sender = enrol_simulated(line, hostname)
    sections = {
        "os": Section("ok", "o", (OperatingSystem("windows", hostname, hostname=hostname),)),
        "system": Section("ok", "s", (System(manufacturer=hostname, serial=serial),)),
    }
    reports = [sender.report("inventory", Inventory(sections), now_ms() - 1000)]
    if seen:
        reports.append(sender.report("sample", Sample(3600.0), last_working_noon_ms()))
    body = sender.post(reports, now_ms())
    status, answer, _ = line.server.request("POST", "/api/v1/reports", body, sender.headers())
    assert status == 200, answer
    assert json.loads(answer)["rejected"] == []


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """Start every part, fill in the papers, let everything report."""
    folder = tmp_path_factory.mktemp("line")
    server = ServerProcess(folder / "data", f"sqlite://{folder / 'data' / 'kiemke.sqlite'}")
    server.settings |= {"KIEMKE_JOBS": "true", "KIEMKE_POLL_SECONDS": "10"}
    server.data_dir.mkdir()
    server.run("migrate")
    server.run("user", "add", "an", "--role", "admin", text="mat-khau-rat-dai-1\n")
    config_dir = folder / "cli"
    with contextlib.ExitStack() as stack:
        snmpd = SnmpdPeer(require_peer("snmpd"), folder / "snmpd", "sysName gateway-1")
        stack.callback(snmpd.stop)
        snmpd.start()
        stack.enter_context(server)
        prometheus = PrometheusPeer(
            require_peer("prometheus"), folder / "prometheus", scrape_config(server, folder)
        )
        made = Line(server, folder, prometheus)
        made.cli_env = {
            "PATH": os.environ["PATH"],
            "KIEMKE_CONFIG_DIR": str(config_dir),
            "LANG": "en_US.UTF-8",
            "COLUMNS": "80",
        }
        root_der = _der(server.root_pem)
        fingerprint = hashlib.sha256(root_der).hexdigest()
        made.cli(
            "login", f"https://127.0.0.1:{server.port}", "an", "--fingerprint", fingerprint,
            text="mat-khau-rat-dai-1\n",
        )  # fmt: skip
        token = json.loads(made.cli("token", "add", "--kind", "scrape", "--json"))["token"]
        (folder / "scrape-token").write_text(token)
        (folder / "root.pem").write_text(server.root_pem)
        import_tables(made)
        import_network(made, snmpd)
        collector = start_collector(made, snmpd)
        stack.callback(_end, collector)
        play_machine(made, "PC-NV-00", "SN-0000", seen=True)
        play_machine(made, "PC-NV-01", "SN-0001", seen=False)
        for name in HOSTILE:
            play_machine(made, name, None, seen=False)
        start_agent(made)
        stack.callback(prometheus.stop)
        prometheus.start()
        try:
            wait_until(lambda: _settled(made), "coverage and the line's state are there", PATIENCE)
        except AssertionError as error:
            pytest.fail(f"{error}\n{_what_is_there(made)}")
        yield made


def _settled(line: Line) -> bool:
    text = line.scrape("/metrics/fleet")
    return 'state="verified"} 1' in text and "kiemke_link_known" in text and _up(text)


def _up(text: str) -> bool:
    return any(row.startswith("kiemke_link_up{") and row.endswith(" 1") for row in text.split("\n"))


def _what_is_there(line: Line) -> str:
    fleet = "\n".join(r for r in line.scrape("/metrics/fleet").split("\n") if r[:1] not in "#")
    logs = (line.server.log_file, line.folder / "collector.log")
    return "\n".join([fleet[-4000:], *(log.read_text("utf-8")[-2000:] for log in logs)])


def _end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    process.wait(20)


def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem)


def scrape_config(server: ServerProcess, folder: Path) -> dict[str, Any]:
    """Return a Prometheus configuration as an administrator would write it."""
    common = {
        "scheme": "https",
        "authorization": {"credentials_file": str(folder / "scrape-token")},
        "tls_config": {
            "ca_file": str(folder / "root.pem"),
            "server_name": "server.kiemke.internal",
        },
        "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}],
    }
    return {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": "kiemke", "metrics_path": "/metrics", **common},
            {"job_name": "fleet", "metrics_path": "/metrics/fleet", **common},
        ],
    }


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
