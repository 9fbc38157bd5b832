"""The collector on Windows' own Python with its own libraries, under Wine: installer, service, SNMP, SSH."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from packages import libraries, windows_msi, windows_tree
from tests.support import wine_library
from tests.support.peers import SnmpdPeer, require_peer, wait_until
from tests.support.server_process import ServerProcess
from tests.support.ssh_devices import run_sshd
from tests.support.wine import WindowsPc, enrolment_token, msi_table, windows_path

PATIENCE = 60
STATE = r"C:\ProgramData\kiemke-collector"
# What this Wine lacks of Windows (tests/support/wine_library.py has the rest): pyserial, which netmiko imports,
# looks for serial ports when it is imported.
NO_PORTS = "def comports(include_links=False):\n    return []\n"
# What SNMP takes; the other libraries are files like these.
LIBRARIES = ("pysnmp", "pyasn1", "icmplib")
CREDENTIALS = '[lab]\nversion = "2c"\ncommunity = "of-the-office"\n'
LOOK = """
import asyncio, json
from kiemke.collectors.discover import kernel_table
from kiemke.collectors.reachability import icmp
from kiemke.collectors.snmp.engines import HAS_GUFO
found = asyncio.run(icmp.probe(6, "127.0.0.1", 2))
six = asyncio.run(icmp.probe(7, "::1", 2))
print(json.dumps([HAS_GUFO, found.sent, found.received, len(kernel_table.read()), six.sent, six.detail]))
"""


class Collector:
    """The collector installed beside the agent of a PC."""

    def __init__(self, pc: WindowsPc) -> None:
        self.pc = pc
        self.folder = pc.drive / "ProgramData" / "kiemke-collector"
        site = pc.program / windows_tree.SITE
        windows_tree.copy_sources(site, ("collectors/kiemke/collectors",))
        found = libraries.collector_libraries(libraries.WINDOWS)
        shutil.copytree(
            found,
            site,
            copy_function=os.link,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns("psutil*"),
        )
        ports = site / "serial" / "tools" / "list_ports_windows.py"
        shutil.rmtree(ports.parent / "__pycache__", ignore_errors=True)
        ports.unlink()
        ports.write_text(NO_PORTS)
        wine_library.add_missing(pc.drive / "windows" / "system32")

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
        file = self.folder / "collector.log"
        return file.read_text("utf-8") if file.exists() else ""


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
    """Started first: it waits until somebody enrols it."""
    installed = collector.run("service", "install")
    started = collector.run("service", "start")
    wait_until(lambda: "waiting to be enrolled" in collector.log(), "it waits", PATIENCE)
    enrolled = collector.run("enroll", "-", text=enrolment_token(server, "collector"))
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


def test_devices_are_polled_visited_and_pinged_by_what_windows_has(
    collector: Collector, tmp_path: Path, snmpd: Callable[..., SnmpdPeer]
) -> None:
    """SNMPv3 with privacy from the real snmpd, the configuration from the real sshd, in one run."""
    collector.folder.mkdir(parents=True, exist_ok=True)
    peer = snmpd()
    with run_sshd(tmp_path / "sshd") as sshd:
        (collector.folder / "credentials.toml").write_text(
            '[lab]\nversion = "3"\n'
            f'user = "{peer.user}"\nauth_protocol = "SHA256"\nauth_key = "{peer.auth_key}"\n'
            f'privacy_protocol = "AES128"\nprivacy_key = "{peer.priv_key}"\n'
            f'[linux]\nkind = "ssh"\nuser = "{sshd.user}"\n'
            f'private_key = """\n{sshd.private_key}"""\n',
            "utf-8",
        )
        once = collector.run("--once", peer.address, "--credential", "lab")
        visit = collector.run(
            "probe", "ssh", f"127.0.0.1:{sshd.port}", "--platform", "linux", "--credential", "linux",
            "--json",
        )  # fmt: skip
    looked = collector.pc.python(LOOK)

    assert once.returncode == 0, once.stderr
    reports = [json.loads(line) for line in once.stdout.splitlines()]
    ports = next(report["body"]["rows"] for report in reports if report["kind"] == "interfaces")
    assert "lo" in {row["name"] for row in ports}
    assert visit.returncode == 0, visit.stderr
    assert json.loads(visit.stdout)["facts"]["version"], visit.stdout
    has_gufo, sent, received, rows, six_sent, six_detail = json.loads(looked.stdout)
    assert (has_gufo, sent, received) == (False, 2, 2), looked.stderr
    assert rows >= 0
    # Wine has Icmp6SendEcho2 by name alone: nothing was sent, which is not "down".
    assert six_sent == 2 or six_detail.startswith("ICMP not sent")


@pytest.mark.slow
def test_the_installer_makes_a_service_that_enrols_and_goes_without_a_trace(
    collector: Collector, server: ServerProcess, tmp_path: Path
) -> None:
    require_peer("wixl")
    shutil.rmtree(collector.folder, ignore_errors=True)
    tree = windows_tree.build_collector(tmp_path / "tree", only=LIBRARIES)
    made = windows_msi.build(tree, tmp_path / "collector.msi", program=windows_tree.COLLECTOR)
    token = enrolment_token(server, "collector")
    installed = collector.pc.run("msiexec", "/i", windows_path(made), "/qn", f"TOKEN={token}")
    wait_until(lambda: bool(collector.status().get("poll_seconds")), "it polls", PATIENCE)
    left = (collector.folder / "enrolment-token").exists()
    removed = collector.pc.run("msiexec", "/x", windows_path(made), "/qn")

    assert (installed.returncode, removed.returncode, left) == (0, 0, False)
    assert "kiemke-collector" not in collector.pc.run("sc", "query", "kiemke-collector").stdout
    assert not (collector.pc.drive / "Program Files/kiemke-collector/python.exe").exists()
    assert (collector.folder / "enrolment.json").exists(), "installed again it is the same one"
    assert "TOKEN" in msi_table(made, "Property")["MsiHiddenProperties"][0]
    assert int(msi_table(made, "CustomAction")["Prepare"][0]) & 0x2000  # HideTarget
    assert msi_table(made, "CustomAction")["Mend"][2].endswith("service setup")


@pytest.mark.slow
def test_a_whole_newer_collector_takes_the_place_of_the_one_that_runs(
    collector: Collector, server: ServerProcess, tmp_path: Path
) -> None:
    """Who it is, its secrets and what waits stay; what is no more in it goes."""
    require_peer("wixl")
    shutil.rmtree(collector.folder, ignore_errors=True)
    old = windows_tree.build_collector(tmp_path / "old", only=LIBRARIES)
    (old / windows_tree.SITE / "dropped.py").write_text("")
    new = tmp_path / "new"
    shutil.copytree(old, new, copy_function=os.link)
    (new / windows_tree.SITE / "dropped.py").unlink()
    (new / windows_tree.SITE / "added.py").write_text("")
    older = windows_msi.build(old, tmp_path / "older.msi", program=windows_tree.COLLECTOR)
    newer = windows_msi.build(new, tmp_path / "newer.msi", "99.0.0", windows_tree.COLLECTOR)
    token = enrolment_token(server, "collector")
    program = collector.pc.drive / "Program Files" / "kiemke-collector"
    site = program / windows_tree.SITE

    installed = collector.pc.run("msiexec", "/i", windows_path(older), "/qn", f"TOKEN={token}")
    wait_until(lambda: bool(collector.status().get("poll_seconds")), "it polls", PATIENCE)
    before = json.loads((collector.folder / "enrolment.json").read_text("utf-8"))
    outbox = (collector.folder / "outbox.sqlite").stat().st_ino
    (collector.folder / "credentials.toml").write_text(CREDENTIALS, "utf-8")
    first = {name: (site / f"{name}.py").exists() for name in ("dropped", "added")}
    (collector.folder / "status.json").unlink()
    upgraded = collector.pc.run("msiexec", "/i", windows_path(newer), "/qn")
    wait_until(lambda: bool(collector.status().get("poll_seconds")), "the newer polls", PATIENCE)
    second = {name: (site / f"{name}.py").exists() for name in ("dropped", "added")}
    said = collector.pc.run(
        "reg", "query", r"HKLM\SOFTWARE\kiemke\collector", "/v", "Version"
    ).stdout
    command = collector.pc.run(
        "cmd", "/c", r"C:\Program Files\kiemke-collector\kiemke-collector.cmd", "status"
    )
    after = json.loads((collector.folder / "enrolment.json").read_text("utf-8"))
    kept = (collector.folder / "credentials.toml").read_text("utf-8")
    kept_outbox = (collector.folder / "outbox.sqlite").stat().st_ino
    removed = collector.pc.run("msiexec", "/x", windows_path(newer), "/qn")

    assert (installed.returncode, upgraded.returncode, removed.returncode) == (0, 0, 0)
    assert first == {"dropped": True, "added": False}
    assert second == {"dropped": False, "added": True}
    assert "99.0.0" in said
    assert command.returncode == 0, command.stderr
    assert (after["source"], after["secret"]) == (before["source"], before["secret"])
    assert (kept, kept_outbox) == (CREDENTIALS, outbox)
    assert "Traceback" not in collector.log()
    assert not (program / "python.exe").exists() and not list(site.glob("**/*.py"))
    assert "kiemke-collector" not in collector.pc.run("sc", "query", "kiemke-collector").stdout
