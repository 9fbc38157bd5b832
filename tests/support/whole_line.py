"""One installation with every real part attached: server, CLI, agent, collector, snmpd, Prometheus."""

import contextlib
import hashlib
import json
import os
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

from kiemke.wire.enrolment import parse_token
from kiemke.wire.inventory import OperatingSystem, System
from kiemke.wire.report import Inventory, Sample, Section
from tests.support.imports import as_csv
from tests.support.peers import SnmpdPeer, require_peer, wait_until
from tests.support.prometheus import PrometheusPeer
from tests.support.reporting import Sender
from tests.support.server_process import ServerProcess
from tests.support.ssh_devices import USER, Sshd, run_sshd
from tests.support.whole_line_gear import PLANTED, Collector, Gear

BIN = Path(sys.executable).parent
PATIENCE, EVERY = 60, 0.5

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
    tokens: list[str] = field(default_factory=list)
    collectors: list[Collector] = field(default_factory=list)
    gear: Gear = field(default_factory=Gear)

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
        self.tokens.append(token)
        return token

    def api(self, path: str, method: str = "GET", **fields: Any) -> Any:
        """Return the JSON that the API answers to the administrator's token."""
        headers = {"Authorization": f"Bearer {self.tokens[0]}", "Content-Type": "application/json"}
        sent = json.dumps(fields).encode() if fields else b""
        status, body, _ = self.server.request(method, f"/api/v1{path}", sent, headers)
        assert status in (200, 201), body
        return json.loads(body)

    def keep_ssh_secret(self, verb: str, password: str) -> None:
        """Give the account of the switch a password: "add" or "rotate"."""
        more = ["--unit", "TG", "--kind", "ssh"] if verb == "add" else []
        values = f"{USER}\n{PLANTED[password]}\n{PLANTED['enable_password']}\n"
        self.cli("secret", verb, "ssh", *more, "--enable", text=values)

    def collector_status(self, collector: Collector) -> str:
        """Return what a collector's own status command says."""
        program = [str(BIN / "kiemke-collector"), "--state", str(collector.state), "status"]
        done = subprocess.run(
            program, env={**os.environ, "KIEMKE_LANG": "en"}, stdout=subprocess.PIPE, timeout=60
        )
        return done.stdout.decode()

    def enrol_again(self, collector: Collector, token: str) -> None:
        """Give a collector another token; its running service is left alone."""
        program = [str(BIN / "kiemke-collector"), "--state", str(collector.state), "enroll", "-"]
        subprocess.run(program, input=token.encode(), check=True, timeout=60)

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
    """Register the snmpd (by v2c and SSH, and by v3) and the line behind its loopback port."""
    devices = [
        ["code", "name", "kind", "unit", "address", "port", "credential"],
        ["SW1", "Máy chủ SNMP", "server", "TG", "127.0.0.1", str(snmpd.port), "default"],
        ["SW2", "Máy chủ SNMP v3", "server", "TG", "127.0.0.1", str(snmpd.port), "v3"],
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


def keep_secrets(line: Line, snmpd: SnmpdPeer, sshd: Sshd) -> None:
    """Register where devices stand, and keep their secrets at the server: typed, never in arguments."""
    line.api("/site-subnets", "POST", unit="TG", subnet="127.0.0.1/32", loopback=True)
    line.cli("secret", "add", "default", "--unit", "TG", "--kind", "snmp",
             text=f"{snmpd.community}\n")  # fmt: skip
    line.cli("secret", "add", "v3", "--unit", "TG", "--kind", "snmp", "--authentication", "SHA256",
             "--privacy", "AES128", text=f"{snmpd.user}\n{snmpd.auth_key}\n{snmpd.priv_key}\n")  # fmt: skip
    line.keep_ssh_secret("add", "ssh_password")
    line.cli("secret", "add", "key", "--unit", "TG", "--kind", "ssh", "--key-file",
             str(sshd.key_file), text=f"{sshd.user}\n")  # fmt: skip
    for code, platform, secret, port in (
        ("SW1", "cisco_ios", "ssh", line.gear.played.port),
        ("SW2", "linux", "key", sshd.port),
    ):
        line.api(
            f"/devices/{code}", "PATCH", ssh_platform=platform, ssh_credential=secret, ssh_port=port
        )


def start_agent(line: Line) -> None:
    """Enrol this machine's own agent and let it report once."""
    state = str(line.folder / "agent")
    for command in (
        ["enroll", line.enrolment_token("agent"), "--state", state],
        ["run", "--once", "--state", state],
    ):
        subprocess.run([str(BIN / "kiemke-agent"), *command], check=True, timeout=60)


def start_collector(line: Line, name: str) -> Collector:
    """Enrol a collector and leave it running; its log is NAME.log."""
    state = line.folder / name
    program = [str(BIN / "kiemke-collector"), "--state", str(state)]
    token = line.enrolment_token("collector")
    subprocess.run([*program, "enroll", "-"], input=token.encode(), check=True, timeout=60)
    with (line.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen([*program, "run", "--wait"], stdout=log, stderr=log)
    line.collectors.append(Collector(state, process))
    return line.collectors[-1]


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


@contextlib.contextmanager
def running_line(folder: Path) -> Iterator[Line]:
    """Start every part, fill in the papers, let everything report."""
    server = ServerProcess(folder / "data", f"sqlite://{folder / 'data' / 'kiemke.sqlite'}")
    server.settings |= {"KIEMKE_JOBS": "true", "KIEMKE_POLL_SECONDS": "10"}
    server.data_dir.mkdir()
    server.run("migrate")
    server.run("user", "add", "an", "--role", "admin", text="mat-khau-rat-dai-1\n")
    config_dir = folder / "cli"
    with contextlib.ExitStack() as stack:
        snmpd = SnmpdPeer(
            require_peer("snmpd"), folder / "snmpd", f"sysName gateway-1\n{_loopback_speed()}",
            community=PLANTED["community"], auth_key=PLANTED["auth_key"],
            priv_key=PLANTED["privacy_key"],
        )  # fmt: skip
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
        for kind in ("api", "scrape"):
            said = made.cli("token", "add", "--kind", kind, "--json")
            made.tokens.append(json.loads(said)["token"])
        (folder / "scrape-token").write_text(made.tokens[1])
        (folder / "root.pem").write_text(server.root_pem)
        import_tables(made)
        stack.callback(made.gear.running.close)
        made.gear.start()
        import_network(made, snmpd)
        keep_secrets(made, snmpd, stack.enter_context(run_sshd(folder / "sshd")))
        stack.callback(_end_all, made.collectors)
        start_collector(made, "collector")
        play_machine(made, "PC-NV-00", "SN-0000", seen=True)
        play_machine(made, "PC-NV-01", "SN-0001", seen=False)
        for name in HOSTILE:
            play_machine(made, name, None, seen=False)
        start_agent(made)
        stack.callback(prometheus.stop)
        prometheus.start()
        try:
            wait_until(
                lambda: _settled(made), "coverage and the line's state are there", PATIENCE, EVERY
            )
        except AssertionError as error:
            raise AssertionError(f"{error}\n{_what_is_there(made)}") from error
        yield made


def _loopback_speed() -> str:
    """Let snmpd tell a speed of loopback that is one: by itself it says 10 Mbit/s.

    Beyond that a count is implausible and left out, and whatever else runs here goes through loopback too.
    """
    index = socket.if_nametoindex("lo")
    return (
        f"override 1.3.6.1.2.1.2.2.1.5.{index} uinteger 4294967295\n"  # ifSpeed, "more than fits"
        f"override 1.3.6.1.2.1.31.1.1.1.15.{index} uinteger 100000"  # ifHighSpeed, Mbit/s
    )


def _settled(line: Line) -> bool:
    text = line.scrape("/metrics/fleet")
    return 'state="verified"} 1' in text and "kiemke_link_known" in text and _up(text)


def _up(text: str) -> bool:
    return any(row.startswith("kiemke_link_up{") and row.endswith(" 1") for row in text.split("\n"))


def _what_is_there(line: Line) -> str:
    fleet = "\n".join(r for r in line.scrape("/metrics/fleet").split("\n") if r[:1] not in "#")
    logs = (line.server.log_file, line.folder / "collector.log")
    return "\n".join([fleet[-4000:], *(log.read_text("utf-8")[-2000:] for log in logs)])


def _end_all(collectors: list[Collector]) -> None:
    for collector in collectors:
        if collector.process.poll() is None:
            collector.process.terminate()
        collector.process.wait(20)


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
