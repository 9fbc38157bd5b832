"""What the collector does otherwise on Windows, as far as it can be looked at elsewhere."""

import asyncio
import ipaddress
import threading
from pathlib import Path

import pytest

from kiemke.collectors.discover import windows_table
from kiemke.collectors.discover.windows_table import ROW
from kiemke.collectors.main import main
from kiemke.collectors.windows_service import Bell, entry
from kiemke.wire.lan import LanAddress

MAC = bytes.fromhex("020000000077")


def row(address: str, mac: bytes = MAC, state: int = 4, index: int = 7) -> bytes:
    """Return a MIB_IPNET_ROW2 as Windows lays it out."""
    found = ipaddress.ip_address(address)
    head = bytes(2) if found.version == 4 else bytes(6)
    family = windows_table.AF_INET if found.version == 4 else windows_table.AF_INET6
    return ROW.pack(family, head + found.packed, index, mac, len(mac), state)


def test_neighbours_of_windows_are_those_that_answered() -> None:
    assert ROW.size == 88, "sizeof(MIB_IPNET_ROW2) on 64-bit Windows"
    data = b"".join(
        [
            row("10.5.9.2"),
            row("2001:db8::7", index=12),
            row("10.5.9.3", state=0),
            row("10.5.9.4", state=1),
            row("10.5.9.5", mac=b""),
            row("224.0.0.22", mac=bytes.fromhex("01005e000016"), state=6),
            ROW.pack(99, bytes(26), 7, MAC, 6, 5),
        ]
    )

    assert windows_table.parse(data) == [
        LanAddress("10.5.9.2", "02:00:00:00:00:77", 7),
        LanAddress("2001:db8::7", "02:00:00:00:00:77", 12),
    ]


async def test_the_bell_is_heard_from_another_thread_and_when_it_rang_before() -> None:
    for early in (True, False):
        bell, stop = Bell(), asyncio.Event()
        ringer = threading.Thread(target=bell.ring, args=("service",))
        if early:
            ringer.start()
            ringer.join()
        bell.attach(stop)
        if not early:
            ringer.start()
        async with asyncio.timeout(60):
            await stop.wait()
        bell.detach()
        stop.clear()
        bell.ring("machine")
        await asyncio.sleep(0)

        assert not stop.is_set(), "a loop that has ended hears nothing any more"


def test_the_manager_starts_the_collector_with_its_folder() -> None:
    made = entry(Path("python.exe"), Path("state"))

    assert made.command == '"python.exe" -m kiemke.collectors.main --state "state" service run'
    assert made.account == r"NT SERVICE\kiemke-collector"


def test_elsewhere_it_says_what_runs_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["--state", str(tmp_path), "service", "install"]) == 2
    assert "systemctl" in capsys.readouterr().err
