"""305 recorded devices of many makers, read without a socket and compared with what is known of them."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.device_poll import poll_reader
from kiemke.wire.clocks import SystemClock
from kiemke.wire.codec import encode_report
from kiemke.wire.report import Device, InterfaceReading, Interfaces, Report
from tests.support.snmp_recordings import RecordedReader, read_recording

# ifSpeed has no more bits: its highest value says "more than I can say", not how much.
IF_SPEED_FULL = 2**32 - 1


async def poll(path: Path) -> tuple[str, Device, Interfaces]:
    """Return the outcome and both reports of one recording."""
    emitted: list[Device | Interfaces] = []

    async def emit(kind: str, body: Device | Interfaces) -> None:
        emitted.append(body)

    outcome = await poll_reader(RecordedReader(read_recording(path)), 1, Deadline(60), emit)
    device, found = emitted
    assert isinstance(device, Device) and isinstance(found, Interfaces)
    return outcome, device, found


@pytest.fixture
def corpus(shared_corpora: Path) -> Path:
    """The folder of SNMP recordings."""
    folder = shared_corpora / "snmp"
    if not folder.is_dir():
        pytest.skip("no snmp recordings in ../shared/corpora")
    return folder


async def test_every_recorded_device_is_read_whole_and_can_travel(corpus: Path) -> None:
    outcomes: Counter[str] = Counter()
    clock = SystemClock.read()
    for path in sorted((corpus / "rec").glob("*.snmprec")):
        outcome, device, found = await poll(path)
        outcomes[outcome] += 1
        for kind, body in (("device", device), ("interfaces", found)):
            report = Report(1, 1, clock.boot_id, clock.now(), clock.uptime_seconds(), kind, body)
            assert encode_report(report).startswith(b"{"), path.name

    assert outcomes == {"ok": 305}


async def test_ports_are_those_that_are_known(corpus: Path) -> None:
    """Where the source of the known value is IF-MIB itself; shares, because some come from elsewhere."""
    right: Counter[str] = Counter()
    wanted: Counter[str] = Counter()
    for line in (corpus / "expected.jsonl").read_text("utf-8").splitlines():
        known = json.loads(line)
        path = corpus / "rec" / f"{known['name']}.snmprec"
        if not path.exists():
            continue
        _, _, found = await poll(path)
        rows = {row.index: row for row in found.rows}
        for port in known.get("ports") or []:
            row = rows.get(int(port["ifIndex"]))
            wanted["port"] += 1
            right["port"] += row is not None
            for field, is_right in compare(port, row).items() if row else ():
                wanted[field] += 1
                right[field] += is_right

    shares = {field: right[field] / wanted[field] for field in wanted}
    assert wanted["port"] > 4000
    assert shares["port"] >= 0.98
    assert shares["name"] >= 0.99
    assert shares["speed"] >= 0.99
    assert shares["mac"] == 1.0
    assert shares["octets"] >= 0.99
    assert shares["oper"] >= 0.99


def compare(port: dict[str, Any], row: InterfaceReading) -> dict[str, bool]:
    """Return, for each field both sides tell, whether they say the same."""
    same: dict[str, bool] = {}
    if port.get("ifName"):
        same["name"] = port["ifName"] == (row.name or row.description)
    speed = port.get("ifSpeed")
    if speed and speed < IF_SPEED_FULL:
        same["speed"] = speed == row.speed_bits_per_second
    mac = port.get("ifPhysAddress")
    if mac and mac.strip("0"):
        same["mac"] = mac == (row.mac or "").replace(":", "")
    octets = port.get("ifInOctets")
    if octets and row.in_octets is not None:
        same["octets"] = octets == row.in_octets
    if port.get("ifOperStatus") in ("up", "down"):
        same["oper"] = (port["ifOperStatus"] == "up") == row.oper_up
    return same
