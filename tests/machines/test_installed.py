"""The Debian packages on a real Debian under a real systemd: installed, enrolled, run, removed, purged."""

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from packages import debian, debian_collector
from tests.support.machines import Machine, booted, chroot, debian_tree, namespace, overlay
from tests.support.peers import wait_until
from tests.support.server_process import ServerProcess
from tests.support.wine import ask, enrolment_token, events, reporting, rows, running_server

pytestmark = pytest.mark.slow

INSIDE, OUTSIDE = "198.51.100.2", "198.51.100.1"  # TEST-NET-2, RFC 5737
AGENT, COLLECTOR = "kiemke-agent", "kiemke-collector"
CAP_DAC_READ_SEARCH = 1 << 2


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packages")
    debian.build(folder / f"{AGENT}.deb")
    debian_collector.build(folder / f"{COLLECTOR}.deb")
    return folder


@pytest.fixture(scope="module")
def machine(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """A booted Debian with the packages in /packages, nothing installed yet."""
    folder = tmp_path_factory.mktemp("machine")
    with (
        overlay(debian_tree(), folder) as root,
        namespace(f"kiemke{os.getpid()}", INSIDE, OUTSIDE) as network,
    ):
        (root / "packages").mkdir()
        for file in packages.iterdir():
            (root / "packages" / file.name).write_bytes(file.read_bytes())
        with booted(root, network, folder / "console.log") as made:
            yield made


@pytest.fixture(scope="module")
def server(machine: Machine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """A real server at this machine's end of the container's only wire."""
    with running_server(tmp_path_factory.mktemp("server"), OUTSIDE) as made:
        yield made


def status_of(machine: Machine, unit: str) -> dict[str, str]:
    """Return what the kernel says of a unit's main process."""
    (pid,) = machine.shows(unit, "MainPID")
    lines = machine.run("cat", f"/proc/{pid}/status").stdout.splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def heard(server: ServerProcess, source: int) -> int:
    """Return when a source was heard last, epoch milliseconds."""
    sql = "SELECT last_received_at_ms FROM source_now WHERE source_id = ?"
    ((at_ms,),) = rows(server, sql, source)
    return int(at_ms)


def user_id(machine: Machine, name: str) -> str:
    return machine.run("id", "-u", name).stdout.strip()


def test_the_agents_whole_life_on_a_debian(machine: Machine, server: ServerProcess) -> None:
    machine.run("dpkg", "-i", f"/packages/{AGENT}.deb")
    wait_until(
        lambda: machine.shows(AGENT, "ActiveState") == ["failed"], "not enrolled, it gives up"
    )
    assert machine.shows(AGENT, "ExecMainStatus", "NRestarts", "UnitFileState") == [
        "78", "0", "enabled",
    ]  # fmt: skip

    machine.run("sh", "-c", f"echo '{enrolment_token(server)}' >/opt/token")
    machine.run(AGENT, "setup", "--token-file", "/opt/token")
    machine.run("systemctl", "restart", AGENT)
    wait_until(lambda: bool(reporting(server)), "the installed agent reports", 90)
    (source,) = reporting(server)
    said = status_of(machine, AGENT)
    me = user_id(machine, AGENT)
    assert said["Uid"].split()[0] == me != "0"
    assert int(said["CapEff"], 16) == int(said["CapBnd"], 16) == CAP_DAC_READ_SEARCH
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    assert "All is well." in machine.run(AGENT, "status").stdout
    assert machine.run("sh", "-c", "ls /opt/token", check=False).returncode != 0
    assert machine.run("find", "/var/lib/kiemke-agent", "!", "-user", AGENT).stdout == ""
    sections = dict(
        rows(server, "SELECT section, status FROM source_section WHERE source_id = ?", source)
    )
    assert {sections[name] for name in ("os", "adapters", "software", "volumes")} == {"ok"}
    (os_rows,) = rows(
        server,
        "SELECT rows_json FROM source_section WHERE source_id = ? AND section = 'os'",
        source,
    )[0]
    assert "Debian" in os_rows

    (pid,) = machine.shows(AGENT, "MainPID")
    machine.run("dpkg", "-i", f"/packages/{AGENT}.deb")  # an upgrade restarts it
    wait_until(lambda: machine.shows(AGENT, "ActiveState") == ["active"], "it runs again")
    assert machine.shows(AGENT, "MainPID") != [pid]
    wait_until(lambda: "shutdown" in events(server, source), "the orderly end was told", 60)

    machine.run("dpkg", "-r", AGENT)
    assert machine.shows(AGENT, "ActiveState", "LoadState")[0] in ("inactive", "failed")
    assert machine.run("pgrep", "-u", me, check=False).stdout == ""
    before = heard(server, source)
    machine.run("test", "-f", "/var/lib/kiemke-agent/identity.json")
    machine.run("dpkg", "-i", f"/packages/{AGENT}.deb")
    wait_until(lambda: machine.shows(AGENT, "ActiveState") == ["active"], "it is back")
    wait_until(lambda: heard(server, source) > before, "it reports again", 90)
    assert rows(server, "SELECT id FROM source WHERE kind = 'agent'") == [(source,)]
    machine.run("dpkg", "-P", AGENT)
    left = machine.run(
        "find", "/var/lib", "/usr/lib", "/lib/systemd", "/etc", "/usr/bin", "-name", "kiemke-agent*"
    ).stdout
    assert left == ""
    assert machine.run("getent", "passwd", AGENT, check=False).returncode != 0


def test_the_collectors_whole_life_on_a_debian(machine: Machine, server: ServerProcess) -> None:
    """It pings without a capability, polls, relays, under a unit that may do next to nothing."""
    machine.run("dpkg", "-i", f"/packages/{COLLECTOR}.deb")
    wait_until(
        lambda: "waiting to be enrolled" in machine.run("journalctl", "-u", COLLECTOR).stdout,
        "it waits",
    )
    assert machine.shows(COLLECTOR, "ActiveState", "UnitFileState") == ["active", "enabled"]

    ask(server, "POST", "/site-subnets", {"unit": "X1", "subnet": "198.51.100.0/30"})
    machine.run(COLLECTOR, "enroll", enrolment_token(server, "collector"))
    machine.run(COLLECTOR, "relay", "on")
    credentials = '[default]\nversion = "2c"\ncommunity = "planted"\n'
    file = "/var/lib/kiemke-collector/credentials.toml"
    machine.run("sh", "-c", f"umask 077; echo '{credentials}' >{file}")
    machine.run("chown", COLLECTOR, file)
    add_gear(server)

    def looked() -> bool:
        found = rows(server, "SELECT state FROM link_now")
        polled = rows(server, "SELECT outcome FROM device_now")
        return found == [("up",)] and polled in ([("timeout",)], [("unreachable",)])

    wait_until(looked, "a probe and a poll by the installed collector", 120)
    said = status_of(machine, COLLECTOR)
    assert said["Uid"].split()[0] == user_id(machine, COLLECTOR) != "0"
    assert int(said["CapEff"], 16) == int(said["CapBnd"], 16) == 0
    assert (said["NoNewPrivs"], said["Seccomp"]) == ("1", "2")
    shown = machine.run(COLLECTOR, "status").stdout
    assert "device:" in shown and "relay " in shown
    # Libraries that are compiled load under the unit's own bounds, too.
    machine.run(
        "systemd-run", "-q", "--wait", "--pipe", "-p", "MemoryDenyWriteExecute=yes",
        "-p", f"User={COLLECTOR}", "-p", "SystemCallFilter=@system-service",
        "python3", "-c", "import sys; sys.path.insert(0, '/usr/lib/kiemke-collector');"
        "import netmiko, paramiko, ntc_templates, gufo.snmp, pysnmp.hlapi.v3arch.asyncio;"
        "from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey as K;"
        "K.generate().sign(b'x')",
    )  # fmt: skip

    machine.run("dpkg", "-P", COLLECTOR)
    left = machine.run(
        "find", "/var/lib", "/usr/lib", "/lib/systemd", "/etc", "-name", "*kiemke-c*"
    )
    assert left.stdout == ""
    assert machine.run("getent", "passwd", COLLECTOR, check=False).returncode != 0


def add_gear(server: ServerProcess) -> None:
    """Register a silent device and a line whose probe target is this machine's end of the wire."""
    with sqlite3.connect(server.database_url.removeprefix("sqlite://")) as db:
        ((unit,),) = db.execute("SELECT unit_id FROM unit_version WHERE code = 'X1'")
        (source,) = db.execute("SELECT id FROM source WHERE kind = 'collector'").fetchone()
        db.execute(
            "INSERT INTO device (code, name, search_key, kind, unit_id, collector_id, address, port,"
            " created_at_ms) VALUES ('SW', 'SW', 'sw', 'switch', ?, ?, ?, 9, 0)",
            (unit, source, OUTSIDE),
        )
        link = db.execute("INSERT INTO link (code, created_at_ms) VALUES ('L', 0)").lastrowid
        db.execute(
            "INSERT INTO link_version (link_id, unit_id, name, kind, valid_from, recorded_at_ms)"
            " VALUES (?, ?, 'L', 'internet', '2020-01-01', 0)",
            (link, unit),
        )
        db.execute(
            "INSERT INTO probe_target (link_id, collector_id, address, purpose, echo_count)"
            " VALUES (?, ?, ?, 'gateway', 3)",
            (link, source, OUTSIDE),
        )


def test_in_an_image_that_is_prepared_they_are_installed_and_start_at_its_first_boot(
    packages: Path, tmp_path: Path
) -> None:
    """No systemd runs in a chroot: nothing may fail there, and the services must be on."""
    with overlay(debian_tree(), tmp_path) as root:
        for name in (AGENT, COLLECTOR):
            (root / "package.deb").write_bytes((packages / f"{name}.deb").read_bytes())
            chroot(root, "dpkg", "-i", "/package.deb")
            wanted = root / "etc" / "systemd" / "system" / "multi-user.target.wants"
            assert (wanted / f"{name}.service").is_symlink()
            chroot(root, "dpkg", "-P", name)
            assert not (wanted / f"{name}.service").is_symlink()
            assert not (root / "var" / "lib" / name).exists()
            assert name not in (root / "etc" / "passwd").read_text()
