"""Counters of a modem that speaks no SNMP: a real miniupnpd, and gateways that mean no good."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.collectors.assignment import DeviceTask
from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_poll import DevicePoller
from kiemke.collectors.errors import PollTimeout
from kiemke.collectors.igd.client import (
    IgdClient,
    check_url,
    read_description,
    read_location,
    read_result,
)
from kiemke.collectors.igd.poll import read_counter
from kiemke.collectors.snmp.engines import Engines
from kiemke.wire.report import Device, Interfaces
from tests.support.peers import require_peer

HOME = "127.0.0.1"
WAN = "urn:schemas-upnp-org:service:WANCommonInterfaceConfig:1"
# A gateway in a network of its own: its line is one end of a pair, the other end talks to it.
STAGE = """
ip link set lo up
ip link add ext0 type veth peer name ext1
ip addr add 100.128.0.2/24 dev ext0; ip link set ext0 up; ip link set ext1 up
ip link add lan0 type veth peer name lan1
ip addr add 192.168.9.1/24 dev lan0; ip link set lan0 up; ip link set lan1 up
"$1" -d -f "$2/conf" -P "$2/pid" > "$2/log" 2>&1 &
gateway=$!
for n in $(seq 600); do grep -q 'listening on port' "$2/log" && break; sleep 0.05; done
"$3" -m kiemke.collectors.main --state "$2/state" --once 192.168.9.1 --credential upnp
grep ext0: /proc/net/dev
kill $gateway
"""
CONFIG = """ext_ifname=ext0
ext_ip=100.128.0.2
listening_ip=lan0
port=5000
enable_natpmp=no
enable_upnp=yes
bitrate_up=50000000
bitrate_down=100000000
secure_mode=yes
serial=12345678
model_number=1
"""


def test_a_real_gateway_tells_what_its_line_has_counted(tmp_path: Path) -> None:
    gateway, shell = require_peer("miniupnpd"), require_peer("unshare")
    (tmp_path / "conf").write_text(CONFIG)

    ran = subprocess.run(
        [shell, "--net", "sh", "-c", STAGE, "sh", gateway, str(tmp_path), sys.executable],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    if "Operation not permitted" in ran.stderr:
        pytest.skip("no network of its own may be made here")

    *reports, kernel = ran.stdout.splitlines()
    bodies = {report["kind"]: report["body"] for report in map(json.loads, reports)}
    device, (port,) = bodies["device"], bodies["interfaces"]["rows"]
    counted = kernel.split()
    assert (device["outcome"], device["identity"]["serial"]) == ("ok", "12345678")
    assert device["sys_descr"].startswith("UPnP: ")
    assert (port["name"], port["oper_up"], port["counter_bits"]) == ("wan", True, 32)
    assert port["speed_bits_per_second"] == 100_000_000
    assert 0 <= port["in_octets"] <= int(counted[1])
    assert 0 <= port["out_octets"] <= int(counted[9])


class Gateway:
    """A gateway as a test wants it: what it counts, where its URLs lead, what it answers."""

    def __init__(self) -> None:
        self.received, self.sent = "5000000000", "7"
        self.location = ""
        self.control = "/ctl"
        self.answer: bytes | None = None
        self.asked: list[str] = []

    def description(self) -> bytes:
        return (
            '<root xmlns="urn:schemas-upnp-org:device-1-0"><device><friendlyName>Modem</friendlyName>'
            "<manufacturer>Maker</manufacturer><modelName>H640</modelName><serviceList><service>"
            f"<serviceType>{WAN}</serviceType><controlURL>{self.control}</controlURL></service>"
            "</serviceList></device></root>"
        ).encode()

    def tell(self, action: str) -> bytes:
        told = {
            "GetTotalBytesReceived": ("NewTotalBytesReceived", self.received),
            "GetTotalBytesSent": ("NewTotalBytesSent", self.sent),
            "GetCommonLinkProperties": ("NewPhysicalLinkStatus", "Up"),
        }
        name, value = told[action]
        return f"<E><Body><R><{name}>{value}</{name}></R></Body></E>".encode()


@contextlib.contextmanager
def running(gateway: Gateway) -> Iterator[int]:
    """Serve a gateway on loopback; yields where it is searched."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            gateway.asked.append(self.path)
            self._send(gateway.description() if gateway.answer is None else gateway.answer)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self._send(gateway.tell(self.headers["SOAPAction"].strip('"').rpartition("#")[2]))

        def _send(self, data: bytes) -> None:
            self.send_response(302 if data == b"elsewhere" else 200)
            self.send_header("Location", "http://127.0.0.1:9/stolen")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer((HOME, 0), Handler)
    search = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    search.bind((HOME, 0))
    where = gateway.location or f"http://{HOME}:{server.server_address[1]}/desc.xml"

    def answer() -> None:
        while True:
            data, asker = search.recvfrom(2000)
            if not data:
                return
            search.sendto(f"HTTP/1.1 200 OK\r\nLOCATION: {where}\r\n\r\n".encode(), asker)

    threads = [
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}),
        threading.Thread(target=answer),
    ]
    for thread in threads:
        thread.start()
    try:
        yield search.getsockname()[1]
    finally:
        server.shutdown()
        server.server_close()
        search.sendto(b"", search.getsockname())
        for thread in threads:
            thread.join()
        search.close()


async def poll(gateway: Gateway, times: int = 1) -> list[Device | Interfaces]:
    """Return what polls of a gateway emit."""
    emitted: list[Device | Interfaces] = []

    async def emit(_: str, body: Device | Interfaces) -> None:
        emitted.append(body)

    engines = Engines()
    poller = DevicePoller(engines, {})
    with running(gateway) as port:
        for _ in range(times):
            await poller.poll(DeviceTask(3, HOME, port, "upnp"), 10.0, emit)
    engines.close()
    return emitted


async def test_a_counter_beyond_32_bits_does_not_wrap_there_any_more() -> None:
    gateway = Gateway()

    emitted = await poll(gateway, times=2)

    reports = [body for body in emitted if isinstance(body, Interfaces)]
    assert [(each.rows[0].counter_bits, each.rows[0].in_octets) for each in reports] == [
        (64, 5_000_000_000)
    ] * 2
    assert gateway.asked == ["/desc.xml"], "the description is read once"
    identities = [body.identity for body in emitted if isinstance(body, Device)]
    assert [each and each.model for each in identities] == ["H640", None]


@pytest.mark.parametrize("said", ["-1", "", "many", "9" * 30])
async def test_what_is_no_count_is_absent(said: str) -> None:
    gateway = Gateway()
    gateway.received = said

    _, found = await poll(gateway)

    assert isinstance(found, Interfaces)
    assert (found.rows[0].in_octets, found.rows[0].counter_bits) == (None, None)
    assert read_counter(said) is None


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"location": "http://192.0.2.1/desc.xml"}, "leads away"),
        ({"location": "http://[::1/"}, "UPnP"),
        ({"location": "file:///etc/passwd"}, "no plain http"),
        ({"control": "http://192.0.2.1/ctl"}, "leads away"),
        ({"control": "//192.0.2.1/ctl"}, "leads away"),
        ({"control": "http://user@127.0.0.1/ctl"}, "no plain http"),
        ({"answer": b"elsewhere"}, "HTTP 302"),
        ({"answer": b"x" * 300_000}, "octets"),
        ({"answer": b'<!DOCTYPE x [<!ENTITY a "b">]><x/>'}, "declarations"),
        ({"answer": b"<root/>"}, "no WANCommon"),
        ({"answer": b"\xff\xfe\x00"}, "UPnP"),
    ],
)
async def test_a_gateway_that_means_no_good_gets_an_error_and_nothing_else(
    changes: dict[str, Any], words: str
) -> None:
    gateway = Gateway()
    for name, value in changes.items():
        setattr(gateway, name, value)

    (device,) = await poll(gateway)

    assert isinstance(device, Device) and device.outcome == "error"
    assert device.detail is not None and words in device.detail


async def test_a_gateway_that_drips_its_answer_holds_nobody_beyond_the_deadline() -> None:
    """It sends something all the time and never comes to an end: one octet, then nothing but waiting."""
    with socket.create_server((HOME, 0)) as door:
        ended = threading.Event()

        def drip() -> None:
            line, _ = door.accept()
            with line, contextlib.suppress(OSError):
                line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                while not ended.wait(0.05):
                    line.sendall(b"<")

        thread = threading.Thread(target=drip)
        thread.start()
        client = IgdClient(HOME)
        try:
            async with asyncio.timeout(60):
                with pytest.raises(PollTimeout):
                    await client.describe(f"http://{HOME}:{door.getsockname()[1]}/d", Deadline(0.3))
        finally:
            ended.set()
            thread.join()


@given(st.binary(max_size=300) | st.text(alphabet="<>/ab&;!\"'=x", max_size=80).map(str.encode))
def test_answers_of_any_kind_are_read_or_refused(data: bytes) -> None:
    for read in (
        lambda: read_location(b"HTTP/1.1 200 OK\r\nLOCATION:" + data, HOME),
        lambda: read_description(data, f"http://{HOME}/", HOME),
        lambda: read_result(data),
        lambda: check_url(data.decode("latin-1"), HOME),
    ):
        with contextlib.suppress(ValueError):
            read()
