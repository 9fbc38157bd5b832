"""Two switches with a cable between them, from their answers by SNMP to what `kiemke finding list` says."""

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pysnmp.proto.rfc1902 import Integer32, OctetString, TimeTicks

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.machine import SnmpValue
from kiemke.collectors.snmp.reader import Oid, parse_oid
from tests.support.imports import as_csv
from tests.support.peers import wait_until
from tests.support.snmp_agents import COMMUNITY, TableView, serving, switch
from tests.support.whole_line import EVERY, PATIENCE, Line, running_line

LLDP = "1.0.8802.1.1.2.1.4.1.1"  # LLDP-MIB lldpRemEntry
PHYSICAL = "1.3.6.1.2.1.2.2.1.6"  # IF-MIB ifPhysAddress
MAC_A, MAC_B = bytes.fromhex("02000000000a"), bytes.fromhex("02000000000b")
HALF, FULL = 2, 3  # EtherLike-MIB dot3StatsDuplexStatus
LONG = 240  # six polls of ten seconds, on a machine that is busy with other things


class Switch(TableView):
    """A switch whose port ge2 leads to the other one; with ``flaps`` that port fell just before it is asked."""

    def __init__(self, own: bytes, other: bytes, duplex: int, *, flaps: bool) -> None:
        self._flaps = flaps
        row = "0.2.1"
        super().__init__(
            {
                **switch(2),
                (*parse_oid(PHYSICAL), 1): OctetString(own),
                (*parse_oid(oids.DOT3_DUPLEX_STATUS), 2): Integer32(duplex),
                (*parse_oid(oids.IF_LAST_CHANGE), 2): TimeTicks(0),
                parse_oid(f"{LLDP}.4.{row}"): Integer32(4),
                parse_oid(f"{LLDP}.5.{row}"): OctetString(other),
                parse_oid(f"{LLDP}.6.{row}"): Integer32(5),
                parse_oid(f"{LLDP}.7.{row}"): OctetString("ge2"),
            }
        )

    def get(self, oid: Oid) -> SnmpValue | None:
        """Return an object as it is now."""
        return self._now(oid, super().get(oid))

    def next(self, oid: Oid) -> tuple[Oid, SnmpValue] | None:
        """Return the next object as it is now."""
        found = super().next(oid)
        return found and (found[0], self._now(*found))

    def _now(self, oid: Oid, value: SnmpValue | None) -> SnmpValue | None:
        ticks = 360_000 + int(time.monotonic() * 100) % 100_000_000
        if oid == parse_oid(oids.SYS_UPTIME):
            value = TimeTicks(ticks)
        elif self._flaps and oid == (*parse_oid(oids.IF_LAST_CHANGE), 2):
            value = TimeTicks(ticks - 100)
        return value


@contextlib.contextmanager
def played(*views: TableView) -> Iterator[list[int]]:
    """Serve each view; yield the ports."""
    ports: list[int] = []
    ready = threading.Event()
    ends: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        async with contextlib.AsyncExitStack() as stack:
            for view in views:
                ports.append(await stack.enter_async_context(serving(view)))
            end = asyncio.Event()
            ends.append((asyncio.get_running_loop(), end))
            ready.set()
            await end.wait()

    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    assert ready.wait(PATIENCE)
    try:
        yield ports
    finally:
        loop, end = ends[0]
        loop.call_soon_threadsafe(end.set)
        thread.join()


def register(line: Line, ports: list[int]) -> None:
    """Put both switches into the books, and their community into the vault."""
    line.cli("secret", "add", "lab", "--unit", "TG", "--kind", "snmp", text=f"{COMMUNITY}\n")
    file = line.folder / "switches.csv"
    head = ["code", "name", "kind", "unit", "address", "port", "credential"]
    rows = [
        [code, "Bộ chuyển mạch", "switch", "TG", "127.0.0.1", str(port), "lab"]
        for code, port in zip(("SW-A", "SW-B"), ports, strict=True)
    ]
    file.write_bytes(as_csv([head, *rows]))
    line.cli("import", "devices", str(file), "--apply")


@pytest.mark.slow
def test_a_duplex_that_differs_and_a_port_that_falls_again_and_again_are_told(
    tmp_path: Path,
) -> None:
    """Real collector, server and CLI. Findings about cables are looked at every five minutes, and at a start."""
    near = Switch(MAC_A, MAC_B, FULL, flaps=False)
    far = Switch(MAC_B, MAC_A, HALF, flaps=True)
    with running_line(tmp_path) as line, played(near, far) as ports:
        register(line, ports)
        wait_until(lambda: line.api("/topology")["cables"], "the cable", LONG, EVERY)
        wait_until(lambda: _changes(line) >= 10, "ten changes of a port", LONG, EVERY)
        line.server.stop()
        line.server.start()
        wait_until(lambda: line.api("/findings?kind=port_flapping")["total"], "told", LONG, EVERY)
        duplex = line.listing("finding", "list", "--kind", "duplex_mismatch")
        flapping = line.listing("finding", "list", "--kind", "port_flapping")
        shown = line.cli("finding", "list", "--kind", "duplex_mismatch")

    # Whichever end spoke first is the near one.
    ((subject, detail),) = ((each["subject"], each["detail"]) for each in duplex)
    assert subject in ("port:SW-A:ge2", "port:SW-B:ge2")
    assert "SW-A ge2 (100 Mbit/s full)" in detail and "SW-B ge2 (100 Mbit/s half)" in detail
    assert [each["subject"] for each in flapping] == ["port:SW-B:ge2"], "and no other port"
    assert "duplex differs at the two ends" in shown and "→ kiemke device show SW-" in shown


def _changes(line: Line) -> int:
    ports = line.api("/devices/SW-B")["interfaces"]
    return sum(port["state_changes"] or 0 for port in ports if port["name"] == "ge2")
