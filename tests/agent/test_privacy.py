"""What of persons is switched off does not leave the PC: not in inventories, samples or events."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest

from kiemke.agent import inventory, privacy
from kiemke.agent.commands import privacy as command
from kiemke.agent.host import Host
from kiemke.agent.loop import Agent
from kiemke.agent.sensors import SENSORS, Sensor
from kiemke.agent.sensors.reading import read_one
from kiemke.agent.state import StateFolder
from kiemke.wire.clocks import SystemClock
from kiemke.wire.inventory import Adapter, OperatingSystem, Row, Software, UsbDevice
from kiemke.wire.outbox import Outbox
from kiemke.wire.report import Sample
from tests.support.windows import FakeWinreg, RecordedWindows

SID = r"HKU\S-1-5-21-1-2-3-1001"
SECRET = "nguyenvanan"


@pytest.fixture
def told_windows() -> RecordedWindows:
    """A PC on which the person's name stands in every place an item covers."""
    winreg = FakeWinreg()
    logon = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Authentication\LogonUI"
    winreg.put(logon, LastLoggedOnSAMUser=rf".\{SECRET}")
    uninstall = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    winreg.put(rf"{SID}\{uninstall}\Game", DisplayName=f"Game of {SECRET}")
    winreg.put(rf"HKLM\{uninstall}\UniKey", DisplayName="UniKey")
    profiles = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
    winreg.put(rf"{profiles}\{SID[4:]}", ProfileImagePath=rf"C:\Users\{SECRET}")
    computer = r"HKLM\SYSTEM\CurrentControlSet\Control\ComputerName\ActiveComputerName"
    winreg.put(computer, ComputerName=f"PC-{SECRET}")
    enum = r"HKLM\SYSTEM\CurrentControlSet\Enum"
    winreg.put(rf"{enum}\USB\VID_0951&PID_1666\{SECRET}123", Service="USBSTOR")
    net = r"HKLM\SYSTEM\CurrentControlSet\Control\Network\{4D36E972-E325-11CE-BFC1-08002BE10318}"
    winreg.put(rf"{net}\{{B}}\Connection", Name="Wi-Fi", PnpInstanceID="PCI\\X", MediaSubType=2)
    interfaces = r"HKLM\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters\Interfaces"
    swapped = "".join(pair[::-1] for pair in (f"{b:02x}" for b in SECRET.encode()))
    winreg.put(
        rf"{interfaces}\{{B}}", EnableDHCP=1, DhcpIPAddress="10.9.8.7", DhcpNetworkHint=swapped
    )
    return RecordedWindows(winreg)


def read_all_of(windows: RecordedWindows, off: frozenset[str]) -> dict[str, str]:
    """Return each section as it would travel."""
    host = Host(windows=windows, off=off)
    unread = ("volumes", "sessions", "uptime", "identity")
    return {
        name: json.dumps([asdict(row) for row in reading.rows or ()], ensure_ascii=False)
        for sensor in SENSORS
        if sensor.module not in unread
        for name, reading in read_one(host, sensor).items()
    }


def test_everything_off_leaves_no_trace_of_a_person(told_windows: RecordedWindows) -> None:
    before = read_all_of(told_windows, frozenset())
    after = read_all_of(told_windows, privacy.NAMES)

    traced = {name for name, text in before.items() if SECRET in text or "10.9.8.7" in text}
    assert traced == {"last_user", "software", "os", "usb", "adapters"}
    assert [name for name, text in after.items() if SECRET in text or "10.9.8.7" in text] == []
    assert "UniKey" in after["software"] and "0951" in after["usb"], "the rest is told as before"


ROWS: dict[str, tuple[str, tuple[Row, ...], tuple[Row, ...]]] = {
    "user_software": (
        "software", (Software("A", user="an"), Software("B")), (Software("B"),),
    ),
    "wifi_name": (
        "adapters", (Adapter("w", ssid="x", mac="m"),), (Adapter("w", mac="m"),),
    ),
    "addresses": (
        "adapters", (Adapter("w", addresses=("1.2.3.4",)),), (Adapter("w"),),
    ),
    "host_name": (
        "os", (OperatingSystem("linux", hostname="pc-an"),), (OperatingSystem("linux"),),
    ),
    "usb_serials": (
        "usb", (UsbDevice("0951", "1666", "S1"),), (UsbDevice("0951", "1666"),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(privacy.NAMES - {privacy.SEAT}))
def test_each_item_alone_takes_itself_out_and_nothing_else(name: str) -> None:
    (item,) = (one for one in privacy.ITEMS if one.name == name)
    for section in item.sections:
        assert privacy.without(section, (Software("x"),), {name}) == ((), True)
    if item.fields:
        section, rows, kept = ROWS[name]
        assert privacy.without(section, rows, {name}) == (kept, False)
        assert privacy.without(section, rows, privacy.NAMES - {name, "sessions"}) != (kept, False)
    assert privacy.without("disks", (Software("x"),), {name}) == ((Software("x"),), False)


def test_the_child_that_reads_heeds_the_switches(tmp_path: Path) -> None:
    """The whole way: the file, the child process, the sections that come back."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc/hostname").write_text(f"{SECRET}-pc\n")
    privacy.save_off(tmp_path, {"host_name", "last_user"})
    sensors = (Sensor("operating_system", ("os",)), Sensor("last_user", ("last_user",)))
    body, _ = inventory.take(Host(root=root, folder=tmp_path), {}, sensors=sensors)

    assert SECRET not in repr(body)
    assert body.sections["os"].rows is not None


@pytest.mark.parametrize("text", ["{", "[]", '{"off": "seat"}', '{"off": ["no such item"]}', "{}"])
def test_switches_that_cannot_be_understood_switch_everything_off(
    tmp_path: Path, text: str
) -> None:
    (tmp_path / privacy.FILE).write_text(text)

    assert privacy.read_off(tmp_path) == privacy.NAMES


def test_without_switches_everything_is_told(tmp_path: Path) -> None:
    assert privacy.read_off(tmp_path) == frozenset() == privacy.read_off(None)


@pytest.fixture
def agent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Agent, Path]]:
    monkeypatch.setattr("kiemke.agent.sensors.sampler.console_user", lambda: SECRET)
    monkeypatch.setattr("kiemke.agent.loop.console_user", lambda: SECRET)
    folder = StateFolder(tmp_path / "state")
    folder.prepare()
    clock = SystemClock.read()
    outbox = Outbox(folder.outbox_path, clock)
    made = Agent(folder, Host(root=tmp_path / "root"), clock, outbox, None)  # type: ignore[arg-type]
    yield made, folder.path
    made.close()
    outbox.close()


def test_the_seat_is_told_until_it_is_switched_off_and_again_after(
    agent: tuple[Agent, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    running, folder = agent
    bodies: list[object] = []
    monkeypatch.setattr(running, "_spool", lambda kind, body: bodies.append(body))
    monkeypatch.setattr(running, "_sender", SimpleNamespace(clock_offset_seconds=None))

    class NoCourier:
        def hurry(self) -> None:
            return None

    def sample() -> Sample:
        bodies.clear()
        running._take_sample(NoCourier())  # type: ignore[arg-type]
        return next(one for one in bodies if isinstance(one, Sample))

    assert sample().user == SECRET
    privacy.save_off(folder, {privacy.SEAT})
    assert sample().user is None
    assert len(bodies) == 1, "not even who left is told"
    privacy.save_off(folder, ())
    assert sample().user == SECRET


def test_the_command_shows_and_switches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.run(tmp_path, ["wifi_name"], []) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == len(privacy.ITEMS) + 1, "and from when on it is heeded"
    assert [line for line in shown if line.startswith("off")][0].split()[1] == "wifi_name"
    assert privacy.read_off(tmp_path) == {"wifi_name"}
    assert command.run(tmp_path, [], ["wifi_name"]) == 0
    assert privacy.read_off(tmp_path) == frozenset()
    assert command.run(tmp_path, ["hair_colour"], []) == 2
