"""What registries of real PCs hold besides the tidy: each shape of a value is read for what it says."""

from pathlib import Path
from typing import Any

import pytest

from kiemke.agent import kept
from kiemke.agent.host import Host
from kiemke.agent.sensors import software
from kiemke.agent.windows.printers import NO_ADDRESS
from kiemke.agent.windows.registry import as_number, shown
from kiemke.agent.windows.software import UNINSTALL, day, of_absent_users
from kiemke.wire.inventory import Software
from tests.support.windows import RecordedWindows, read_sections

PRINTERS = r"HKLM\SYSTEM\CurrentControlSet\Control\Print\Printers"
MONITORS = r"HKLM\SYSTEM\CurrentControlSet\Control\Print\Monitors"
ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
CAMERA = "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}"


def programs(**keys: dict[str, object]) -> dict[str, Any]:
    windows = RecordedWindows()
    for key, values in keys.items():
        windows.winreg.put(f"HKLM\\{UNINSTALL}\\{key}", **{"DisplayName": key, **values})
    return {one.name: one for one in read_sections(windows, "software")["software"]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@usb.inf,%usb\\composite.devicedesc%;USB Composite Device", "USB Composite Device"),
        ("@oem5.inf,%bus%;Ports of %1 on bus %2;(PCI,3)", "Ports of PCI on bus 3"),
        ("@x.inf,%y%;Drucker; Scanner (2)", "Drucker; Scanner (2)"),
        ("@x.inf,%y%;Máy in HP;()", "Máy in HP"),
        ("@BIOS", "@BIOS"),
        ("@%SystemRoot%\\system32\\shell32.dll,-21770", None),
        ("ms-resource:AppName", None),
        ("  ", None),
    ],
)
def test_an_indirect_string_is_read_without_what_it_points_to(text: str, words: str | None) -> None:
    assert shown(text) == words


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (7, 7), ("7", 7), (" 7 ", 7), ("0x1F", 31), (b"\x01\0\0\0", 1), ("7\0junk", 7), (b"", None),
        (b"123456789", None), ("-1", None), ("sieben", None), ("٣", None), (None, None), (["1"], 1),
    ],
)  # fmt: skip
def test_a_number_is_one_however_it_was_written(value: object, number: int | None) -> None:
    assert as_number(value) == number


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("20170502", "2017-05-02"), ("2017-05-02", "2017-05-02"), ("2017/5/2", "2017-05-02"),
        ("20170502120000", "2017-05-02"), ("2017-05-02 08:30:00", "2017-05-02"),
        ("2017-05-02T08:30:00Z", "2017-05-02"), ("25.12.2019", "2019-12-25"),
        ("12/25/2019", "2019-12-25"), ("5/5/2019", "2019-05-05"), ("5/6/2019", None),
        ("13/13/2019", None), ("20171345", None), ("00000000", None), ("2017521", None),
        ("heute", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_day_is_read_where_it_can_be_one_day_only(text: str | None, found: str | None) -> None:
    assert day(text) == found


def test_dates_that_are_numbers_are_seconds_or_digits() -> None:
    found = programs(
        seconds={"InstallDate": 1_494_000_000}, digits={"InstallDate": 20_170_502}, small={"InstallDate": 7}
    )  # fmt: skip

    assert found["seconds"].installed_on == "2017-05-05"
    assert found["digits"].installed_on == "2017-05-02"
    assert found["small"].installed_on is None


def test_parts_of_a_program_are_told_from_its_updates() -> None:
    office: dict[str, object] = {"ParentKeyName": "Office14.PROPLUS"}
    windows: dict[str, object] = {"ParentKeyName": "OperatingSystem"}
    found = programs(
        proof=office | {"SystemComponent": 1},
        german=windows | {"ReleaseType": "Sicherheitsupdate"},
        french={"ReleaseType": "Update", "SystemComponent": "1"},
        hidden={"SystemComponent": b"\1\0\0\0"},
        shown={"SystemComponent": 0},
        bare=windows,
    )

    assert {name: one.kind for name, one in found.items()} == {
        "proof": "component", "german": "update", "french": "update", "hidden": "component",
        "shown": None, "bare": "update",
    }  # fmt: skip


def test_an_old_regedit_file_and_odd_values_of_a_new_one_are_read(tmp_path: Path) -> None:
    old, new = tmp_path / "old.reg", tmp_path / "new.reg"
    key = f"[HKEY_LOCAL_MACHINE\\{UNINSTALL}"
    old.write_bytes(
        f'REGEDIT4\r\n\r\n{key}\\Caf\xe9]\r\n"DisplayName"="Caf\xe9 \\"Pro\\""\r\n'
        '"DisplayVersion"="1.0\\\\b"\r\n"EstimatedSize"=dword:00000400\r\n'.encode("cp1252")
    )
    words = "%ProgramFiles%\\Kế toán\0".encode("utf-16-le").hex(",")
    new.write_text(
        f'Windows Registry Editor Version 5.00\r\n\r\n{key}\\{{B}}]\r\n"DisplayName"=hex(2):{words}\r\n'
        '"InstallDate"=hex(b):80,24,0d,59,00,00,00,00\r\n"VersionMajor"=dword:00000003\r\n',
        "utf-16",
    )
    windows = RecordedWindows()
    windows.winreg.load(old)
    windows.winreg.load(new)
    cafe, ketoan = sorted(
        read_sections(windows, "software")["software"], key=lambda one: one.size_bytes or 1 << 40
    )

    assert (cafe.name, cafe.version, cafe.size_bytes) == ('Café "Pro"', "1.0\\b", 1 << 20)
    assert ketoan.name == "%ProgramFiles%\\Kế toán"
    assert (ketoan.version, ketoan.installed_on) == ("3.0", "2017-05-06")


def test_a_device_of_a_newer_windows_is_known_by_the_number_of_its_class() -> None:
    windows = RecordedWindows()
    windows.winreg.put(
        f"{ENUM}\\USB\\VID_04F2&PID_B6D0\\200901", ClassGUID=CAMERA, DeviceDesc="HD Cam"
    )
    windows.winreg.put(
        f"{ENUM}\\USB\\VID_1234&PID_0001\\A&B7", ClassGUID="{Deadbeef-0000-0000-0000-000000000000}"
    )
    windows.winreg.put(
        r"HKLM\SYSTEM\CurrentControlSet\Control\Class\{deadbeef-0000-0000-0000-000000000000}", Class="Biometric"
    )  # fmt: skip
    windows.winreg.put(
        f"{ENUM}\\USB\\VID_1234&PID_0002\\6&2af3b1c&0&2", DeviceDesc="@x.inf,%d%;Ổ đĩa"
    )
    found = read_sections(windows, "usb", "cameras")

    assert [(one.kind, one.serial) for one in found["usb"]] == [
        ("camera", "200901"),
        ("biometric", None),  # "A&..." is how Windows begins a serial of its own
        (None, None),
    ]
    assert [one.name for one in found["cameras"]] == ["HD Cam"]


def test_a_printer_that_is_a_function_of_a_composite_device_has_the_devices_serial() -> None:
    """Windows XP has no containers: the way up goes by the prefixes, over the function to the device."""
    windows = RecordedWindows()
    whole, function = r"USB\VID_03F0&PID_4117", r"USB\VID_03F0&PID_4117&MI_01"
    windows.winreg.put(f"{ENUM}\\{whole}\\CNB9S5Q0W1", ParentIdPrefix="6&a1b2c3d&0")
    windows.winreg.put(f"{ENUM}\\{whole}\\OTHER00001", ParentIdPrefix="6&fffffff&0")
    windows.winreg.put(f"{ENUM}\\{function}\\6&a1b2c3d&0&0001", ParentIdPrefix="7&5e6f7a8&0")
    windows.winreg.put(
        f"{ENUM}\\USBPRINT\\HPLaserJet_M1120\\7&5e6f7a8&0&USB003", DeviceDesc="HP LaserJet M1120"
    )
    windows.winreg.put(f"{PRINTERS}\\M1120", Name="M1120", Port="USB002,USB003")
    (printer,) = read_sections(windows, "printers")["printers"]

    assert (printer.name, printer.connection, printer.serial) == ("M1120", "usb", "CNB9S5Q0W1")


@pytest.mark.parametrize(
    ("port", "driver", "connection", "address"),
    [
        ("IP_192.168.1.9", "HP", "network", "192.168.1.9"),
        ("192.168.1.9_1", "HP", "network", "192.168.1.9"),
        ("http://in-tang2:631/ipp/print", "IPP", "network", "in-tang2"),
        ("https://[fd00::7]:443/ipp", "IPP", "network", "fd00::7"),
        (r"\\MAYCHU\HP1020", "HP", "network", "MAYCHU"),
        ("WSD-6a1c5c9e-3c3b-4d5e-9a4e-000000000000", "Brother", "network", None),
        ("EP0A1B2C:MAY IN", "EPSON", "network", "10.0.0.7"),
        ("LPT1:", "LQ-300", "local", None),
        ("CPW2:", "CutePDF Writer", "virtual", None),
        ("XPSPort:", "Microsoft XPS Document Writer v4", "virtual", None),
        ("TS003", "Remote Desktop Easy Print", "virtual", None),
        ("C:\\out.pdf", "Adobe PDF Converter", "virtual", None),
        ("DOT4_001", "HP", "usb", None),
        ("", "HP", None, None),
    ],
)
def test_a_queues_port_tells_how_it_reaches_its_printer(
    port: str, driver: str, connection: str | None, address: str | None
) -> None:
    windows = RecordedWindows()
    windows.winreg.put(f"{PRINTERS}\\Q", **{"Name": "Q", "Port": port, "Printer Driver": driver})
    windows.winreg.put(
        f"{MONITORS}\\EpsonNet Print Port\\Ports\\EP0A1B2C:MAY IN", IPAddress="10.0.0.7"
    )
    windows.winreg.put(
        f"{MONITORS}\\Standard TCP/IP Port\\Ports\\IP_192.168.1.9", IPAddress=NO_ADDRESS
    )
    (printer,) = read_sections(windows, "printers")["printers"]

    assert (printer.connection, printer.address) == (connection, address)


def test_programs_of_a_user_who_logged_off_stay_until_his_profile_is_gone(tmp_path: Path) -> None:
    sid, folder = (
        "S-1-5-21-1-2-3-1001",
        r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList",
    )
    told: list[dict[str, Any]] = [
        {"name": "Zalo 24.5", "user": "lan", "origin": "user", "plain_name": "zalo"},
        {"name": "Cốc Cốc", "user": "gone", "origin": "user"},
        {"name": "7-Zip", "user": None, "origin": "registry"},
        {"name": "Later", "user": "lan", "origin": "user", "unknown_field": 1},
    ]
    windows = RecordedWindows()
    windows.winreg.put(f"{folder}\\{sid}", ProfileImagePath=r"C:\Users\lan")
    windows.winreg.put(f"{folder}\\S-1-5-18", ProfileImagePath=r"C:\Windows\system32")
    logged_off = of_absent_users(windows, told)
    windows.winreg.put(f"HKU\\{sid}\\{UNINSTALL}\\Zalo", DisplayName="Zalo 24.6")

    assert [(one.name, one.user, one.plain_name) for one in logged_off] == [
        ("Zalo 24.5", "lan", "zalo"), ("Later", "lan", None),
    ]  # fmt: skip
    assert of_absent_users(windows, told) == [], "he is logged in: what is there is seen"
    kept.keep(tmp_path, {"software": ("t", tuple(logged_off))})
    host = Host(windows=RecordedWindows(), folder=tmp_path)
    assert software.read(host) == {"software": ()}, "his profile is deleted"
    only_profile = RecordedWindows()
    only_profile.winreg.put(f"{folder}\\{sid}", ProfileImagePath=r"C:\Users\lan")
    now = software.read(Host(windows=only_profile, folder=tmp_path))["software"]
    assert [one.name for one in now if isinstance(one, Software)] == ["Later", "Zalo 24.5"]
