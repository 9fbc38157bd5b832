"""What Windows' drivers and registry answer, as recorded, through the sensors' true code."""

import struct
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kiemke.agent.decode import storage
from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS
from kiemke.agent.sensors.reading import read_all
from kiemke.agent.windows import adapters, antivirus, batteries, disks, firmware, system
from kiemke.agent.windows.registry import EPOCH, moment, shown
from kiemke.wire.inventory import Disk, Hotfix, System
from tests.support import firmware as made
from tests.support.windows import RecordedWindows

CURRENT = r"HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
SERVICES = r"HKLM\SYSTEM\CurrentControlSet\Services"
SID = r"HKU\S-1-5-21-1-2-3-1001"
NOW = datetime(2026, 11, 26, tzinfo=UTC)


@pytest.fixture
def windows() -> RecordedWindows:
    return RecordedWindows()


def read(windows: RecordedWindows, *modules: str) -> dict[str, tuple[Any, ...]]:
    sensors = [one for one in SENSORS if one.module in modules]
    readings = read_all(Host(windows=windows, now=lambda: NOW), sensors)
    assert {name: one.detail for name, one in readings.items() if one.status == "failed"} == {}
    return {name: one.rows for name, one in readings.items() if one.rows is not None}


def filetime(at: datetime) -> int:
    return (at - EPOCH) // timedelta(microseconds=1) * 10


def test_an_empty_registry_is_no_failure(windows: RecordedWindows) -> None:
    """Wine and stripped images lack most keys: what is not there is absent, never an error."""
    modules = [one.module for one in SENSORS if one.module not in ("volumes", "sessions", "uptime")]
    found = read(windows, *modules)

    assert found["os"][0].family == "windows"
    assert found["printers"] == found["usb"] == found["disks"] == found["hotfixes"] == ()


# --- firmware -----------------------------------------------------------------------------------


def smbios_table(*, maker: str = "HP") -> bytes:
    body = bytes([1, 2, 0, 3]) + bytes(range(16)) + bytes(3)
    table = made.structure(1, body, maker, "ProDesk 400", "SGH123") + made.table_end()
    return struct.pack("<BBBBI", 0, 2, 8, 0, len(table)) + table


def test_the_raw_table_wins_over_its_copy_and_over_the_kernels_words(
    windows: RecordedWindows,
) -> None:
    windows.table = smbios_table()
    windows.winreg.put(firmware.SMBIOS_COPY, SMBiosData=smbios_table(maker="copy"))
    windows.winreg.put(firmware.BIOS, SystemManufacturer="kernel", BIOSVendor="AMI")
    found = read(windows, "smbios")

    (row,) = found["system"]
    assert (row.manufacturer, row.product, row.serial) == ("HP", "ProDesk 400", "SGH123")
    assert row.uuid == "03020100-0504-0706-0809-0a0b0c0d0e0f"
    assert found["bios"][0].vendor == "AMI", "what the table lacks is taken from the kernel"


@pytest.mark.parametrize("table", [None, b"", b"\0" * 8, b"\xff" * 40, smbios_table()[:20]])
def test_a_table_that_is_cut_or_none_falls_back_to_the_copy(
    windows: RecordedWindows, table: bytes | None
) -> None:
    windows.table = table
    windows.winreg.put(firmware.SMBIOS_COPY, SMBiosData=smbios_table(maker="copy"))

    assert read(windows, "smbios")["system"][0].manufacturer == "copy"


def test_without_any_table_the_kernels_words_are_taken(windows: RecordedWindows) -> None:
    windows.winreg.put(firmware.BIOS, SystemManufacturer="Dell Inc.", SystemProductName="3080")

    assert read(windows, "smbios")["system"] == (System("Dell Inc.", "3080"),)


# --- monitors -----------------------------------------------------------------------------------


def test_only_present_monitors_and_an_override_over_the_own_edid(windows: RecordedWindows) -> None:
    here, gone = rf"{ENUM}\DISPLAY\DEL4123\5&1&0&UID1", rf"{ENUM}\DISPLAY\SAM0B8\5&2&0&UID2"
    own = made.edid(descriptors=(made.descriptor(0xFC, b"DELL P2419H\n "),))
    override = made.edid(descriptors=(made.descriptor(0xFC, b"RIGHT NAME\n  "),))
    for path in (here, gone):
        windows.winreg.put(path, Class="Monitor")
        windows.winreg.put(rf"{path}\Device Parameters", EDID=own)
    windows.winreg.put(rf"{here}\Device Parameters\EDID_OVERRIDE", **{"0": override, "9": b"x"})
    windows.present = frozenset({r"DISPLAY\DEL4123\5&1&0&UID1"})

    (monitor,) = read(windows, "monitors")["monitors"]
    assert (monitor.name, monitor.port) == ("RIGHT NAME", "5&1&0&UID1")


# --- disks --------------------------------------------------------------------------------------


def descriptor(bus: int, *texts: str, removable: bool = False) -> bytes:
    head = struct.pack("<IIBBBB", 1, 0, 0, 0, removable, 1)
    offsets, tail = [], b""
    for text in texts:
        offsets.append(36 + len(tail) if text else 0)
        tail += text.encode() + b"\0" if text else b""
    return head + struct.pack("<4II", *offsets, bus) + bytes(4) + tail


def protocol(data: bytes) -> bytes:
    return (
        struct.pack("<II", 48, 48) + struct.pack("<10I", 3, 1, 1, 0, 40, len(data), *[0] * 4) + data
    )


def test_a_sata_disk_is_what_its_driver_says(windows: RecordedWindows) -> None:
    def drivers(device: str, code: int, request: bytes) -> bytes | None:
        if device != r"\\.\PhysicalDrive2":  # numbers have gaps
            return None
        if code == disks.GET_GEOMETRY:
            return bytes(24) + struct.pack("<q", 500_107_862_016) + bytes(8)
        if code == disks.PREDICT_FAILURE:
            return struct.pack("<I", 1) + bytes(512)
        if request == disks.query(disks.DEVICE):
            return descriptor(11, "", "ST500DM002-1BD142", "KC45", "Z2AXXXX1")
        return (
            struct.pack("<IIB", 12, 12, 1) if request == disks.query(disks.SEEK_PENALTY) else None
        )

    windows.drivers = drivers

    assert read(windows, "disks")["disks"] == (
        Disk(
            "PhysicalDrive2", "ST500DM002-1BD142", "Z2AXXXX1", "KC45", 500_107_862_016, "sata",
            rotational=True, removable=False, health="failing",
        ),
    )  # fmt: skip


def test_an_nvme_disk_is_what_its_controller_says(windows: RecordedWindows) -> None:
    page = bytes(4) + b"S64ANX0T12345".ljust(20) + b"Samsung SSD 980 1TB".ljust(40) + b"3B4QFXO7"
    log = bytearray(512)
    log[5], log[128:130] = 7, (4321).to_bytes(2, "little")

    def drivers(device: str, code: int, request: bytes) -> bytes | None:
        if device != r"\\.\PhysicalDrive0" or code != disks.QUERY_PROPERTY:
            return None
        kind, _, _, data = struct.unpack_from("<4I", request.ljust(16, b"\0"))
        if kind == disks.DEVICE:
            return descriptor(17, "NVMe", "Samsung SSD 980", "3B4Q", "0025_3852_11B1_2345.")
        if kind == disks.ADAPTER_PROTOCOL and data == disks.IDENTIFY:
            return protocol(page.ljust(4096, b"\0"))
        return protocol(bytes(log)) if kind == disks.DEVICE_PROTOCOL else None

    windows.drivers = drivers
    (disk,) = read(windows, "disks")["disks"]

    assert (disk.model, disk.serial, disk.firmware) == (
        "Samsung SSD 980 1TB", "S64ANX0T12345", "3B4QFXO7",
    )  # fmt: skip
    assert (disk.bus, disk.rotational, disk.health) == ("nvme", False, "ok")
    assert (disk.wear_percent, disk.powered_hours) == (7, 4321)


def test_serials_that_old_drivers_give_in_hexadecimal_are_read() -> None:
    """Windows 7 gives the bytes of an ATA serial in hexadecimal, each pair swapped."""
    written = b"WD-WCC4N1234567"
    swapped = bytes(b for at in range(0, 16, 2) for b in (written.ljust(16)[at : at + 2])[::-1])
    said = storage.describe(descriptor(3, "", "WDC WD10", "01.0", swapped.hex()))

    assert said is not None and said.serial == "WD-WCC4N1234567"
    plain = storage.describe(descriptor(3, "", "X", "1", "0123456789ABCDEF"))
    assert plain is not None and plain.serial == "0123456789ABCDEF", "hexadecimal by nature"


# --- the rest of the hardware -------------------------------------------------------------------


def test_a_battery_tells_what_it_held_and_holds(windows: RecordedWindows) -> None:
    windows.winreg.put(rf"{batteries.CLASSES}\##?#ACPI#PNP0C0A#1#{{72631e54}}", x=1)
    asked = []

    def drivers(device: str, code: int, request: bytes) -> bytes | None:
        asked.append(device)
        if code == batteries.QUERY_TAG:
            return struct.pack("<I", 5)
        level = struct.unpack_from("<I", request, 4)[0]
        if level == batteries.INFORMATION:
            return batteries.BODY.pack(0x80000000, 1, b"LION", 50_000, 38_000, 0, 0, 0, 212)
        return {4: "DELL 3HWPP", 6: "BYD", 8: "1234"}[level].encode("utf-16-le")

    windows.drivers = drivers
    (one,) = read(windows, "batteries")["batteries"]

    assert asked[0] == r"\\?\ACPI#PNP0C0A#1#{72631e54}"
    assert (one.design_mwh, one.full_mwh, one.cycles) == (50_000, 38_000, 212)
    assert (one.name, one.manufacturer, one.serial, one.chemistry) == (
        "DELL 3HWPP", "BYD", "1234", "LION",
    )  # fmt: skip


def put_adapter(windows: RecordedWindows, guid: str, name: str, pnp: str, **driver: object) -> None:
    windows.winreg.put(rf"{adapters.NETWORK}\{guid}\Connection", Name=name, PnpInstanceID=pnp)
    number = len(windows.registry.names(adapters.CLASS))
    windows.winreg.put(rf"{adapters.CLASS}\{number:04d}", NetCfgInstanceId=guid, **driver)


def test_adapters_are_told_apart_and_lead_out(windows: RecordedWindows) -> None:
    put_adapter(windows, "{A}", "Ethernet", r"PCI\VEN_8086", DriverDesc="Intel I219-V")
    put_adapter(windows, "{B}", "Wi-Fi", r"PCI\VEN_8086&DEV_2723", **{"*IfType": 71})
    put_adapter(windows, "{C}", "VPN xã", r"ROOT\NET\0000", DriverDesc="TAP-Windows Adapter V9")
    put_adapter(windows, "{D}", "vEthernet", r"ROOT\VMS_MP\0000", DriverDesc="Hyper-V Virtual")
    put_adapter(windows, "{E}", "Dock", r"USB\VID_0BDA&PID_8153", DriverDesc="Realtek USB GbE")
    windows.winreg.put(
        rf"{adapters.INTERFACES}\{{A}}",
        EnableDHCP=1, DhcpIPAddress="10.1.2.3", DhcpDefaultGateway=["10.1.2.1"],
        DhcpNameServer="10.1.2.1 8.8.8.8", NameServer="",
    )  # fmt: skip
    windows.winreg.put(
        rf"{adapters.INTERFACES}\{{B}}",
        EnableDHCP=0,
        IPAddress=["::"],
        DhcpNetworkHint="5524E444D245C4",
    )
    windows.drivers = lambda device, code, request: (
        bytes.fromhex("8c04ba112233") if device == r"\\.\{A}" else None
    )
    found = {one.name: one for one in read(windows, "adapters")["adapters"]}

    assert {name: one.kind for name, one in found.items()} == {
        "Ethernet": "ethernet", "Wi-Fi": "wireless", "VPN xã": "vpn", "vEthernet": "virtual",
        "Dock": "usb",
    }  # fmt: skip
    wired = found["Ethernet"]
    assert (wired.permanent_mac, wired.is_dhcp) == ("8c:04:ba:11:22:33", True)
    assert (wired.addresses, wired.gateways) == (("10.1.2.3",), ("10.1.2.1",))
    assert wired.dns_servers == ("10.1.2.1", "8.8.8.8")
    assert (found["Wi-Fi"].ssid, found["Wi-Fi"].addresses) == ("UBND-TL", ())


def test_a_network_printer_a_pdf_writer_and_the_default_one(windows: RecordedWindows) -> None:
    root = r"HKLM\SYSTEM\CurrentControlSet\Control\Print"
    windows.winreg.put(rf"{root}\Printers\Canon 2900", Port="IP_10.1.2.9", Attributes=8)
    windows.winreg.put(
        rf"{root}\Printers\PDF", Port="PORTPROMPT:", **{"Printer Driver": "Microsoft Print To PDF"}
    )
    windows.winreg.put(
        rf"{SID}\Software\Microsoft\Windows NT\CurrentVersion\Windows",
        Device="Canon 2900,winspool,Ne01:",
    )
    windows.winreg.put(rf"{SID}\Printers\Connections\,,vp-01,Phòng tài chính", Provider="x")
    found = {one.name: one for one in read(windows, "printers")["printers"]}

    canon = found["Canon 2900"]
    assert (canon.connection, canon.address) == ("network", "10.1.2.9")
    assert (canon.is_default, canon.is_shared) == (True, True)
    assert found["PDF"].connection == "virtual"
    assert found[r"\\vp-01\Phòng tài chính"].address == "vp-01"


def test_a_signature_token_and_a_reader_are_told_by_table_and_class(
    windows: RecordedWindows,
) -> None:
    token, reader = rf"{ENUM}\USB\VID_096E&PID_0807\6&1", rf"{ENUM}\USB\VID_1111&PID_2222\6&2"
    stick = rf"{ENUM}\USB\VID_0951&PID_1666\60A44C3FACC9"
    windows.winreg.put(token, DeviceDesc="@usb.inf,%x%;ePass2003")
    windows.winreg.put(reader, CompatibleIDs=[r"USB\Class_0B&SubClass_00"], Class="SmartCardReader")
    windows.winreg.put(stick, Service="USBSTOR")
    windows.present = frozenset(
        path.removeprefix(f"{ENUM}\\") for path in (token, reader, stick, "USB\\X")
    )
    found = read(windows, "usb", "smart_cards")

    assert [one.kind for one in found["usb"]] == ["storage", None, "smartcard"]
    assert [(one.name, one.kind) for one in found["smart_cards"]] == [
        ("ePass2003", "token"), ("1111:2222", "reader"),
    ]  # fmt: skip


# --- the system and its guards ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "name"), [("19045", "Windows 10 Pro"), ("22000", "Windows 11 Pro")]
)
def test_windows_11_is_told_by_its_build(windows: RecordedWindows, build: str, name: str) -> None:
    windows.winreg.put(
        CURRENT, ProductName="Windows 10 Pro", CurrentBuild=build, UBR=3803, EditionID="Professional",
        DisplayVersion="22H2", InstallDate=1_600_000_000, DigitalProductId=b"secret",
    )  # fmt: skip
    (row,) = read(windows, "operating_system")["os"]

    assert (row.name, row.build, row.version) == (name, f"{build}.3803", "22H2")
    assert (row.edition, row.installed_on) == ("Professional", "2020-09-13")
    assert "secret" not in repr(row)


def test_a_system_that_says_nothing_of_itself_is_still_a_windows(windows: RecordedWindows) -> None:
    row = system.read(windows, is_live=False)

    assert (row.family, row.name, row.build, row.installed_on) == ("windows", None, None, None)


def test_programs_of_both_views_of_a_user_and_of_the_store(windows: RecordedWindows) -> None:
    uninstall = r"Microsoft\Windows\CurrentVersion\Uninstall"
    windows.winreg.put(
        rf"HKLM\SOFTWARE\{uninstall}\7z", DisplayName="7-Zip 23.01 (x64)", DisplayVersion="23.01"
    )
    windows.winreg.put(rf"HKLM\SOFTWARE\{uninstall}\AddressBook", NoRemove=1)
    windows.winreg.put(
        rf"HKLM\SOFTWARE\Wow6432Node\{uninstall}\U", DisplayName="UniKey", Publisher="Phạm Kim Long"
    )
    windows.winreg.put(
        rf"{SID}\SOFTWARE\{uninstall}\Zalo", DisplayName="Zalo 24.1", DisplayVersion="24.1"
    )
    windows.winreg.put(rf"{CURRENT}\ProfileList\{SID[4:]}", ProfileImagePath=r"C:\Users\an")
    windows.winreg.put(
        r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Appx\AppxAllUserStore\Applications"
        r"\Microsoft.WindowsCalculator_11.2210.0.0_x64__8wekyb3d8bbwe", Path="x",
    )  # fmt: skip
    found = {one.name: one for one in read(windows, "software")["software"]}

    assert found.keys() == {
        "7-Zip 23.01 (x64)",
        "UniKey",
        "Zalo 24.1",
        "Microsoft.WindowsCalculator",
    }
    assert found["7-Zip 23.01 (x64)"].architecture == "x86_64"
    assert found["UniKey"].architecture == "x86"
    assert (found["Zalo 24.1"].user, found["Zalo 24.1"].plain_name) == ("an", "zalo")
    assert found["Microsoft.WindowsCalculator"].version == "11.2210.0.0"


def test_updates_in_use_are_told_by_number_or_build(windows: RecordedWindows) -> None:
    root = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\Packages"
    at = filetime(datetime(2026, 11, 12, tzinfo=UTC))
    when = {"InstallTimeHigh": at >> 32, "InstallTimeLow": at & 0xFFFFFFFF}
    tail = "~31bf3856ad364e35~amd64~~"
    for name, state in (
        (f"Package_for_KB5031445{tail}19041.1.0.1", 0x70),
        (f"Package_1_for_KB5031445{tail}19041.1.0.1", 0x70),
        (f"Package_for_KB5000001{tail}1.0", 0x50),  # replaced by a later one
        (f"Package_for_RollupFix{tail}19041.3803.1.12", 0x70),
        (f"Package_for_RollupFix{tail}19041.3930.1.12", 0x70),
    ):
        windows.winreg.put(rf"{root}\{name}", CurrentState=state, **when)

    assert read(windows, "hotfixes")["hotfixes"] == (
        Hotfix("KB5031445", "2026-11-12"),
        Hotfix("cumulative", "2026-11-12", "19041.3930"),
    )


def put_defender(windows: RecordedWindows, signed: datetime) -> None:
    windows.winreg.put(rf"{SERVICES}\WinDefend", Start=2, Type=16)
    windows.winreg.put(
        rf"{antivirus.DEFENDER}\Signature Updates",
        AVSignatureVersion="1.403.1.0", SignaturesLastUpdated=filetime(signed).to_bytes(8, "little"),
    )  # fmt: skip


@pytest.mark.parametrize(("days", "current"), [(2, True), (30, False)])
def test_defender_is_judged_by_its_own_keys(
    windows: RecordedWindows, days: int, current: bool
) -> None:
    put_defender(windows, NOW - timedelta(days=days))
    (row,) = read(windows, "antivirus")["antivirus"]

    assert (row.name, row.is_on, row.is_current) == (antivirus.DEFENDER_NAME, True, current)
    assert row.signatures_version == "1.403.1.0"


def test_security_centers_word_wins_over_what_files_say(windows: RecordedWindows) -> None:
    put_defender(windows, NOW)
    windows.winreg.put(rf"{SERVICES}\AVP21.3", Start=2, Type=16)
    windows.probes["antivirus"] = [
        {"name": "Windows Defender", "state": 1, "signatures": 1},
        {"name": "Kaspersky Endpoint Security", "state": 0, "signatures": 0},
        {"name": " "}, "odd",
    ]  # fmt: skip
    rows = {one.name: one for one in read(windows, "antivirus")["antivirus"]}

    assert rows.keys() == {antivirus.DEFENDER_NAME, "Kaspersky"}
    assert (rows[antivirus.DEFENDER_NAME].is_on, rows["Kaspersky"].is_on) == (False, True)
    assert rows["Kaspersky"].is_current is False


def test_remote_tools_and_windows_own_desktop_are_flagged(windows: RecordedWindows) -> None:
    windows.winreg.put(rf"{SERVICES}\UltraViewService", Start=2, Type=16)
    windows.winreg.put(rf"{SERVICES}\TeamViewerVPN", Start=3, Type=1)  # a driver alone
    windows.winreg.put(antivirus.TERMINAL, fDenyTSConnections=0)

    assert [one.name for one in read(windows, "remote_tools")["remote_tools"]] == [
        "Remote Desktop", "UltraViewer",
    ]  # fmt: skip


def test_the_settings_an_auditor_asks_for(windows: RecordedWindows) -> None:
    policies = r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies"
    windows.winreg.put(rf"{CURRENT}\Winlogon", AutoAdminLogon="1", DefaultPassword="hunter2")
    windows.winreg.put(rf"HKLM\{policies}\Explorer", NoDriveTypeAutoRun=0xFF)
    windows.winreg.put(rf"HKLM\{policies}\System", EnableLUA=1)
    windows.winreg.put(
        rf"{SID}\Control Panel\Desktop",
        ScreenSaveActive="1", ScreenSaverIsSecure="1", ScreenSaveTimeOut="600",
    )  # fmt: skip
    windows.winreg.put(r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager", x=1)
    (row,) = read(windows, "security")["security"]

    assert (row.is_auto_logon, row.is_autorun_off, row.is_uac_on) == (True, True, True)
    assert (row.screen_lock_seconds, row.is_reboot_pending) == (600, False)
    assert "hunter2" not in repr(row)
    windows.winreg.put(rf"{SID[:-4]}1002\Control Panel\Desktop", ScreenSaveActive="0")
    assert read(windows, "security")["security"][0].screen_lock_seconds == 0, "one never locks"


def test_the_clocks_source_is_told(windows: RecordedWindows) -> None:
    path = rf"{SERVICES}\W32Time\Parameters"
    windows.winreg.put(path, Type="NTP", NtpServer="time.windows.com,0x9 vn.pool.ntp.org,0x8")

    (row,) = read(windows, "time_source")["time"]
    assert (row.kind, row.servers) == ("ntp", ("time.windows.com", "vn.pool.ntp.org"))


def test_moments_and_indirect_words_that_are_odd_say_nothing() -> None:
    assert moment(0) is None and moment(2**63 - 1) is None
    assert moment(filetime(NOW)) == NOW
    assert (shown("@a.inf,%b%;Root Hub"), shown("plain; text"), shown("@only")) == (
        "Root Hub", "plain; text", "@only",
    )  # fmt: skip
