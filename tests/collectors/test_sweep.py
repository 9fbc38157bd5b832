"""Sweeps: nothing is sent where nothing may be, what stands there is found, and nobody is troubled."""

import asyncio
import ipaddress
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api

from kiemke.collectors.discover import kernel_table, tcp
from kiemke.collectors.discover.door import MAX_ADDRESSES, Door, Leave, NotAllowed
from kiemke.collectors.discover.snmp_hello import Asker
from kiemke.collectors.discover.sweep import Sweeper
from kiemke.collectors.snmp import hello, oids
from kiemke.collectors.state import Enrolment, save_enrolment
from kiemke.wire.lan import LanAddress, LanHost
from kiemke.wire.pin import Address, Pins
from kiemke.wire.reach import DENIED, REASONS, Network, read_networks
from kiemke.wire.secret import Secret
from tests.collectors.test_snmpd import MakeSnmpd
from tests.support.peers import require_peer
from tests.support.tls_server import make_certificates
from tests.support.tree import ROOT


def nets(*texts: str) -> tuple[Network, ...]:
    return read_networks(texts)


def door(*subnets: str, deny: tuple[str, ...] = (), per_second: float = 1e6) -> Door:
    return Door(nets(*subnets), nets(*deny), per_second=per_second)


SITE = door(
    "10.5.9.0/24", "10.5.12.0/23", "2001:db8:5::/64", deny=("10.5.9.64/26", "10.5.9.200/32")
)
MAPPED = door("10.5.9.0/24", deny=("::ffff:10.5.9.64/122", "::ffff:10.5.9.200"))
NEVER = (
    "10.5.9.70", "10.5.9.200",  # the police's, the party's
    "10.5.10.1", "192.168.1.1", "8.8.8.8",  # another site's, nobody's
    "127.0.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "0.0.0.0", "240.0.0.1",  # noqa: S104
    "10.5.9.0", "10.5.9.255", "10.5.12.0", "10.5.13.255", "10.5.12.255", "10.5.13.0",
    "2001:db8:5::7", "fe80::1", "::1", "::ffff:10.5.9.7", "ff02::1",
    "10.5.9.07", "10.5.9", "sw-1", "", "10.5.9.7/32",
)  # fmt: skip


@pytest.mark.parametrize("address", NEVER)
async def test_the_door_lets_nothing_through_to(address: str) -> None:
    with pytest.raises(NotAllowed):
        await SITE.enter(address)


async def test_the_door_lets_through_to_what_is_registered_and_not_denied() -> None:
    assert (await SITE.enter("10.5.9.7")).address == "10.5.9.7"
    assert SITE.may_name("2001:db8:5::7") and not SITE.may_name("2001:db8:6::7")


async def test_a_site_without_subnets_opens_nothing() -> None:
    for address in ("10.0.0.1", "127.0.0.1", "192.168.1.1"):
        with pytest.raises(NotAllowed):
            await door().enter(address)
    assert list(door().addresses()) == []


def test_nobody_but_a_door_gives_leave() -> None:
    with pytest.raises(NotAllowed):
        Leave("10.5.9.7", object())


def test_what_is_denied_in_mapped_form_is_denied() -> None:
    """A subnet of IPv6 holds no address of IPv4: "::ffff:10.5.9.64/122" would shut nothing."""
    shut = {address for address in MAPPED.addresses() if MAPPED.why_not(address) == REASONS[DENIED]}

    assert shut == {f"10.5.9.{n}" for n in (*range(64, 128), 200)}
    assert nets("::/0", "2001:db8::/32") == tuple(
        map(ipaddress.ip_network, ("::/0", "2001:db8::/32"))
    )


@given(st.ip_addresses(v=4), st.lists(st.integers(8, 32), min_size=1, max_size=3), st.booleans())
def test_no_address_outside_or_denied_ever_passes(
    address: ipaddress.IPv4Address, widths: list[int], denied: bool
) -> None:
    around = [ipaddress.ip_network((address, width), strict=False) for width in widths]
    shut = Door(nets("10.0.0.0/24"), around) if denied else Door(nets("10.0.0.0/24"), ())

    assert shut.why_not(str(address)) is not None or (
        not denied and address in ipaddress.ip_network("10.0.0.0/24")
    )


async def test_packets_go_out_at_the_doors_pace() -> None:
    now, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 3))
        now[0] += seconds

    paced = Door(nets("10.0.0.0/24"), (), per_second=50, clock=lambda: now[0], sleep=sleep)
    for n in range(1, 6):
        await paced.enter(f"10.0.0.{n}", 2)

    assert slept == [0.04] * 4 and paced.passed == 10


def test_a_subnet_with_too_many_addresses_is_told_and_not_swept() -> None:
    wide = door("10.0.0.0/16", "10.9.9.0/30")

    assert [str(net) for net in wide.too_wide()] == ["10.0.0.0/16"]
    assert len(list(wide.addresses())) == 4 < MAX_ADDRESSES


# --- on the wire ------------------------------------------------------------------------------

# Two networks joined by one link: here the collector, over there a host with some addresses that
# answers, and a socket that hears every frame, asked or not.
LINK = """
ip link set lo up
ip link add near type veth peer name far
ip addr add 10.5.9.1/23 dev near
ip -6 addr add 2001:db8:5::1/64 dev near nodad
ip link set near up
unshare --net sh -e -c 'echo $$ > "$0"; exec sleep 60' "$PLACE/pid" > /dev/null 2>&1 &
while [ ! -s "$PLACE/pid" ]; do sleep 0.02; done
ip link set far netns "$(cat "$PLACE/pid")"
exec "$@"
"""
SWEEP = """
import asyncio, ctypes, dataclasses, json, os, socket, subprocess, sys, threading, time
from kiemke.collectors.discover.door import Door
from kiemke.collectors.discover.sweep import Sweeper
from kiemke.collectors.discover.tcp import Port
from kiemke.wire.reach import read_networks

place = sys.argv[1]
far = int(open(os.path.join(place, "pid")).read())
frames, ready = set(), threading.Event()

def listen():
    # This thread alone lives at the far end: it sees what really came over the link.
    assert ctypes.CDLL(None).setns(os.open(f"/proc/{far}/ns/net", os.O_RDONLY), 0x40000000) == 0
    def do(*words):
        subprocess.run(["ip", *words], check=True)
    do("link", "set", "lo", "up")
    for n in (7, 8, 70, 200):
        do("addr", "add", f"10.5.9.{n}/23", "dev", "far")
    do("link", "set", "far", "address", "02:00:00:00:00:77", "up")
    server = socket.create_server(("10.5.9.7", 8080))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    raw.bind(("far", 0))
    raw.settimeout(30)
    ready.set()
    while True:
        data, told = raw.recvfrom(2048)
        if told[2] == socket.PACKET_OUTGOING:
            continue
        kind = data[12:14]
        if kind == b"\\x08\\x00":
            frames.add(("ip", socket.inet_ntoa(data[30:34])))
        elif kind == b"\\x08\\x06":
            frames.add(("arp", socket.inet_ntoa(data[38:42])))
threading.Thread(target=listen, daemon=True).start()
assert ready.wait(20)
door = Door(read_networks(["10.5.9.0/28", "10.5.9.64/29", "10.5.9.200/32"]),
            read_networks(["10.5.9.64/29", "10.5.9.200/32"]), per_second=1000)
found = asyncio.run(Sweeper(4, door, ports=(Port(8080, "web", quiet=True),)).run())
while_swept, state = sorted(frames), os.path.join(place, "state")
frames.clear()
# The program itself, at work by an assignment that somebody has edited; its server is away.
run = subprocess.Popen([sys.executable, "-m", "kiemke.collectors.main", "--state", state, "run"])
for _ in range(1000):
    try:
        told = json.load(open(os.path.join(state, "status.json")))
    except (OSError, ValueError):
        told = {"targets": {}}
    if told["targets"] and all(one["done"] for one in told["targets"].values()):
        break
    time.sleep(0.05)
run.terminate()
run.wait(30)
print(json.dumps({"frames": while_swept, "sweep": dataclasses.asdict(found),
                  "while_polled": sorted(frames), "status": told}))
"""
ALLOWED, DENIED_ONE, DENIED_TOO, OUTSIDE = "10.5.9.7", "10.5.9.70", "10.5.9.200", "10.5.9.30"
EDITED: dict[str, Any] = {
    "poll_seconds": 10,
    "devices": [
        {"device": n, "address": address, "credential": "default", "site": 4}
        for n, address in enumerate((ALLOWED, DENIED_ONE, DENIED_TOO, OUTSIDE), 1)
    ],
    "probes": [
        {"target": n, "address": address, "count": 1, "purpose": purpose, "site": 4}
        for n, address, purpose in (
            (1, "10.5.9.8", "gateway"), (2, DENIED_ONE, "gateway"), (3, DENIED_TOO, "domestic"),
        )
    ],
    "sites": [
        {"site": 4, "allow": ["10.5.9.0/28", "10.5.9.64/29", "10.5.9.200/32"],
         "deny": ["10.5.9.64/29", "10.5.9.200/32"]}
    ],
}  # fmt: skip


def edited_state(state: Path) -> None:
    """Write the folder of a collector whose kept assignment names what its site denies."""
    state.mkdir(mode=0o700)
    pins = Pins(make_certificates(state / "ca").root_pem)
    away = (Address("127.0.0.1", 9),)
    save_enrolment(state, Enrolment("i", Secret("s"), "c-1", "approved", away, pins))
    (state / "credentials.toml").touch(mode=0o600)
    (state / "credentials.toml").write_text('[default]\nversion = "2c"\ncommunity = "ours"\n')
    (state / "assignment.json").write_text(json.dumps(EDITED))


@pytest.fixture(scope="module")
def swept(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Sweep a network with hosts behind denied and behind registered addresses; hear every frame."""
    if os.geteuid() != 0:
        pytest.skip("needs root: network namespaces are made for it")
    place = tmp_path_factory.mktemp("far")
    edited_state(place / "state")
    shell = [require_peer("unshare"), "--net", "--mount", "sh", "-e", "-c", LINK, "sh"]
    done = subprocess.run(
        [*shell, sys.executable, "-c", SWEEP, str(place)],
        capture_output=True, text=True, timeout=120, cwd=ROOT, env={**os.environ, "PLACE": str(place)},
    )  # fmt: skip
    subprocess.run(["kill", (place / "pid").read_text().strip()], check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_no_frame_at_all_leaves_for_a_denied_address(swept: dict[str, Any]) -> None:
    """Not even an ARP question: hosts stand at 10.5.9.70 and 10.5.9.200, and nobody asks for them."""
    asked = {address for _, address in swept["frames"]}

    assert "10.5.9.7" in asked
    assert asked <= {f"10.5.9.{n}" for n in range(1, 15)}
    assert swept["sweep"]["refused"] == 2 + 8 + 1


def test_a_running_collector_sends_nothing_to_what_its_site_denies(swept: dict[str, Any]) -> None:
    """Neither question nor ping nor ARP, whatever the row says; what is allowed is asked."""
    targets, refused = swept["status"]["targets"], " ".join(swept["status"]["refused"])
    asked = {address for _, address in swept["while_polled"]}

    assert set(targets) == {"device:1", "probe:1"} and all(one["done"] for one in targets.values())
    assert {ALLOWED, "10.5.9.8"} <= asked
    assert asked <= {f"10.5.9.{n}" for n in range(1, 15)}
    assert refused.count("devices[") == 3 and refused.count("probes[") == 2


def test_a_sweep_finds_what_answers_with_its_mac(swept: dict[str, Any]) -> None:
    sweep = swept["sweep"]
    hosts = {host["address"]: host for host in sweep["hosts"]}

    assert (sweep["site"], sweep["outcome"], sweep["asked"]) == (4, "ok", 14)
    assert {"10.5.9.7", "10.5.9.8"} <= set(hosts)
    assert "10.5.9.9" not in hosts
    assert hosts["10.5.9.7"]["mac"] == "02:00:00:00:00:77"
    assert hosts["10.5.9.7"]["open_ports"] == [8080]
    assert hosts["10.5.9.8"]["signs"] == ["icmp", "table", "tcp"]
    assert hosts["10.5.9.8"]["open_ports"] == []


async def test_a_real_agent_says_hello_to_everybody(snmpd: MakeSnmpd) -> None:
    """By v3, by which nothing is told but that it is there; its community is not "public"."""
    asker = Asker(snmpd().port)
    await asker.open()
    asker.ask(await door("127.0.0.0/8").enter("127.0.0.1"))
    async with asyncio.timeout(30):
        while "127.0.0.1" not in asker.answers:
            await asyncio.sleep(0.01)
    asker.close()

    assert asker.answers["127.0.0.1"].version == "3"


def test_what_everybody_may_know_is_read_of_a_v2c_answer() -> None:
    module: Any = api.PROTOCOL_MODULES[api.SNMP_VERSION_2C]
    question, _ = decoder.decode(hello.ask_v2c(77), asn1Spec=module.Message())
    answer = module.apiMessage.get_response(question)
    pdu = module.apiMessage.get_pdu(answer)
    module.apiPDU.set_varbinds(pdu, [
        (module.ObjectIdentifier(oids.SYS_DESCR), module.OctetString("Ricoh")),
        (module.ObjectIdentifier(oids.SYS_OBJECT_ID), module.ObjectIdentifier("1.3.6.1.4.1.367")),
    ])  # fmt: skip
    data = bytes(encoder.encode(answer))

    found = hello.read(data, 77)

    assert found is not None and found.version == "2c"
    assert found.values == {oids.SYS_DESCR: b"Ricoh", oids.SYS_OBJECT_ID: (1, 3, 6, 1, 4, 1, 367)}
    assert hello.read(data, 78) is None
    assert hello.read(hello.ask_v2c(77), 77) is None


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda tail: hello.ask_v3(5)[:-20] + tail)
)
def test_a_strangers_bytes_are_no_answer_and_no_harm(data: bytes) -> None:
    found = hello.read(data, 77)

    assert found is None
    rows: list[LanAddress] = []
    kernel_table.parse(data, rows)


async def test_what_the_kernel_knows_of_ipv6_is_told_of_registered_subnets_only() -> None:
    table = [
        LanAddress("2001:db8:5::7", "02:00:00:00:00:07", 2),
        LanAddress("2001:db8:6::7", "02:00:00:00:00:08", 2),
        LanAddress("fe80::7", "02:00:00:00:00:07", 2),
    ]
    sweeper = Sweeper(4, door("2001:db8:5::/64"), read_table=lambda: table)

    found = await sweeper.run()

    assert found.hosts == (LanHost("2001:db8:5::7", "02:00:00:00:00:07", ("table",)),)
    assert (found.asked, found.outcome) == (0, "ok")


def test_the_ports_knocked_at_are_few() -> None:
    ports = tcp.load_ports()

    assert len(ports) <= 12 and sum(port.quiet for port in ports) <= 3
