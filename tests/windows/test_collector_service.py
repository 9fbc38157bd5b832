"""The collector on Windows' own Python, under Wine: a service, polling by the one library that is there."""

import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from packages import windows_tree
from tests.support.peers import free_port, wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import WindowsPc, enrolment_token

PATIENCE = 60
STATE = r"C:\ProgramData\kiemke-collector"
# What is pure Python. gufo-snmp has no build for Windows; netmiko's cryptography asks for a library that
# Windows has and this Wine has not.
LIBRARIES = ("pysnmp", "pyasn1", "icmplib")
LOOK = """
import asyncio, json
from kiemke.collectors.discover import kernel_table
from kiemke.collectors.reachability import icmp
from kiemke.collectors.snmp.engines import HAS_GUFO
found = asyncio.run(icmp.probe(6, "127.0.0.1", 2))
print(json.dumps([HAS_GUFO, found.sent, found.received, len(kernel_table.read())]))
"""


class Collector:
    """The collector installed beside the agent of a PC."""

    def __init__(self, pc: WindowsPc) -> None:
        self.pc = pc
        self.folder = pc.drive / "ProgramData" / "kiemke-collector"
        site = pc.program / windows_tree.SITE
        windows_tree.copy_sources(site, ("collectors/kiemke/collectors",))
        for name in LIBRARIES:
            shutil.copytree(
                Path(sysconfig.get_path("purelib")) / name, site / name,
                ignore=shutil.ignore_patterns("__pycache__"),
            )  # fmt: skip

    def run(self, *words: str, text: str = "") -> "subprocess.CompletedProcess[str]":
        """Run one command."""
        program = str(self.pc.program / "python.exe")
        return self.pc.run(program, "-m", "kiemke.collectors.main", *words, text=text)

    def status(self) -> dict[str, Any]:
        """Return what the running collector last wrote, {} before it did."""
        try:
            said: dict[str, Any] = json.loads((self.folder / "status.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return said

    def log(self) -> str:
        """Return what the service printed."""
        return (self.folder / "collector.log").read_text("utf-8")


@pytest.fixture(scope="module")
def collector(pc: WindowsPc) -> Iterator[Collector]:
    """The collector's files; its service is deleted afterwards."""
    made = Collector(pc)
    yield made
    pc.run("sc", "delete", "kiemke-collector")
    shutil.rmtree(made.folder, ignore_errors=True)


def test_installed_enrolled_started_and_stopped_as_a_service(
    collector: Collector, server: ServerProcess
) -> None:
    installed = collector.run("service", "install")
    enrolled = collector.run("enroll", "-", text=enrolment_token(server, "collector"))
    started = collector.run("service", "start")
    # It asked the server, and told it something.
    wait_until(
        lambda: bool(collector.status().get("poll_seconds")), "it has its assignment", PATIENCE
    )
    stopped = collector.run("service", "stop")

    assert installed.stdout.startswith("kiemke-collector starts with Windows"), installed.stderr
    assert enrolled.stdout.startswith("enrolled as "), enrolled.stderr
    assert (started.returncode, stopped.returncode) == (0, 0), collector.log()
    assert collector.status()["trouble"] is None
    assert "Traceback" not in collector.log()
    assert "assignment" in collector.log()
    removed = collector.run("service", "uninstall")
    assert removed.stdout.startswith("kiemke-collector is no service any more"), removed.stderr


def test_a_device_is_polled_and_pinged_by_what_windows_has(collector: Collector) -> None:
    port = free_port()
    collector.folder.mkdir(parents=True, exist_ok=True)
    (collector.folder / "credentials.toml").write_text(
        '[lab]\nversion = "2c"\ncommunity = "wine-lab"\n', "utf-8"
    )
    words = ["-m", "kiemke.collectors.snmp.responder", "--community", "wine-lab", "--port"]
    with subprocess.Popen([sys.executable, *words, str(port)]) as agent:
        try:
            once = collector.run("--once", f"127.0.0.1:{port}", "--credential", "lab")
        finally:
            agent.terminate()
    looked = collector.pc.python(LOOK)

    assert once.returncode == 0, once.stderr
    reports = [json.loads(line) for line in once.stdout.splitlines()]
    ports = next(report["body"]["rows"] for report in reports if report["kind"] == "interfaces")
    assert "lo" in {row["name"] for row in ports}
    has_gufo, sent, received, rows = json.loads(looked.stdout)
    assert (has_gufo, sent, received) == (False, 2, 2), looked.stderr
    assert rows >= 0
