"""The real part of the demo: this machine's agent, a collector, and an SNMP agent to poll."""

import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.children import (
    Children,
    clean_environment,
    find_program,
    free_port,
    program,
    run_once,
)
from bench.district import Gear, Line

UNIT = "TG-VHTT"  # the office that keeps the district's IT
DEVICE = "MAY-NAY"
LINE = "MAY-NAY-MANG"
COMMUNITY = "kiemke-demo"
ROUTES = Path("/proc/net/route")


@dataclass(frozen=True, slots=True)
class Route:
    """The way out of this machine; ``gateway`` None when there is none."""

    interface: str
    gateway: str | None


def hostname() -> str:
    """Return this machine's name, as its agent says it."""
    return socket.gethostname()


def find_route() -> Route:
    """Return the default route, or the loopback interface where there is none (or no Linux)."""
    try:
        lines = ROUTES.read_text().splitlines()[1:]
    except OSError:
        return Route("lo", None)
    for fields in (line.split() for line in lines):
        if len(fields) > 2 and fields[1] == "00000000":
            packed = struct.pack("<I", int(fields[2], 16))
            gateway = socket.inet_ntoa(packed) if any(packed) else None
            return Route(fields[0], gateway)
    return Route("lo", None)


def may_ping() -> bool:
    """Whether this user may send ICMP echo, with or without raw sockets (icmp(7))."""
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except OSError:
            continue
        return True
    return False


def make_gear(port: int, route: Route) -> tuple[Gear, Line]:
    """Return this machine as a device, and its network as a line without a contract."""
    probes = ["domestic:127.0.0.1"]
    if route.gateway is not None:
        probes.append(f"gateway:{route.gateway}")
    line = Line(
        code=LINE, name="Mạng của máy đang chạy bản mẫu", unit=UNIT, kind="leased", provider="",
        contract="", price_dong=0, down_mbps=0, up_mbps=0, device=DEVICE,
        interface=route.interface, probes=tuple(probes), shared_by=(UNIT,),
    )  # fmt: skip
    gear = Gear(
        code=DEVICE, name="Máy đang chạy bản mẫu", kind="server", unit=UNIT, address="127.0.0.1",
        asset=None, port=port,
    )  # fmt: skip
    return gear, line


def start_snmp_agent(children: Children, folder: Path, *, use_snmpd: bool) -> tuple[int, str]:
    """Start an SNMP agent of our own on loopback; return its UDP port and what it is.

    Debian's snmpd where it is installed, else the responder that serves this machine's counters.
    """
    port = free_port(socket.SOCK_DGRAM)
    snmpd = find_program("snmpd") if use_snmpd else None
    if snmpd is None:
        command = [
            sys.executable, "-m", "kiemke.collectors.snmp.responder",
            "--port", str(port), "--community", COMMUNITY,
        ]  # fmt: skip
        children.start("snmp-responder", command, clean_environment())
        return port, "kiemke's own responder"
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "snmpd.conf"
    config.write_text(
        f"agentaddress udp:127.0.0.1:{port}\nrocommunity {COMMUNITY} 127.0.0.1\n"
        f'sysLocation "Máy đang chạy bản mẫu"\nsysName {DEVICE}\n'
    )
    command = [snmpd, "-f", "-Lo", "-C", "-c", str(config), "-p", str(folder / "snmpd.pid")]
    environment = clean_environment({"SNMP_PERSISTENT_DIR": str(folder), "MIBS": ""})
    children.start("snmpd", command, environment)
    return port, "this machine's snmpd"


def start_agent(children: Children, state: Path, token: str) -> None:
    """Enrol the real agent, let it report once, then keep it running. Raises ChildError."""
    agent, environment = program("kiemke-agent"), clean_environment()
    run_once([agent, "enroll", "--state", str(state), token], environment)
    run_once([agent, "run", "--state", str(state), "--once"], environment)
    children.start("agent", [agent, "run", "--state", str(state), "--spread", "1"], environment)


def start_collector(children: Children, state: Path, token: str) -> None:
    """Enrol the real collector and keep it running. Raises ChildError."""
    collector = [program("kiemke-collector"), "--state", str(state)]
    environment = clean_environment()
    run_once([*collector, "enroll", "-"], environment, text=f"{token}\n")
    credentials = state / "credentials.toml"
    credentials.touch(mode=0o600)
    credentials.write_text(f'[default]\nversion = "2c"\ncommunity = "{COMMUNITY}"\n')
    children.start("collector", [*collector, "run"], environment)
