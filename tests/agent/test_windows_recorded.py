"""What Windows' drivers and registry answer, as recorded, through the sensors' true code."""

import struct
from pathlib import Path

import pytest

from kiemke.agent.decode import storage
from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS
from kiemke.agent.sensors.reading import read_one
from kiemke.agent.windows import adapters, batteries, disks, firmware
from kiemke.agent.windows.registry import shown
from kiemke.wire.inventory import Disk, Identity, System
from tests.support import firmware as made
from tests.support.windows import RecordedWindows
from tests.support.windows import read_sections as read

ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
SID = r"HKU\S-1-5-21-1-2-3-1001"


@pytest.fixture
def windows() -> RecordedWindows:
    return RecordedWindows()


def test_an_empty_registry_is_no_failure(windows: RecordedWindows) -> None:
    """Wine and stripped images lack most keys: what is not there is absent, never an error."""
    modules = [one.module for one in SENSORS if one.module not in ("volumes", "sessions", "uptime")]
    found = read(windows, *modules)

    assert found["os"][0].family == "windows"
    assert found["printers"] == found["usb"] == found["disks"] == found["hotfixes"] == ()


def test_a_windows_reads_no_file_of_linux_whatever_stands_at_its_place(
    windows: RecordedWindows, tmp_path: Path
) -> None:
    """Under Wine the root of the drive is the Linux it runs on."""
    for name in ("proc/cpuinfo", "sys/class/dmi/id/sys_vendor", "sys/hypervisor/type"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("QEMU\nflags : hypervisor\n")
    host = Host(root=tmp_path, windows=windows)

    assert host.text("proc/cpuinfo") is None and host.names("proc") == []
    sensor = next(one for one in SENSORS if one.module == "identity")
    (row,) = read_one(host, sensor)["identity"].rows or ()
    assert isinstance(row, Identity) and row.virtualisation is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("@usb.inf,%usb\\composite.devicedesc%;USB Composite Device", "USB Composite Device"),
        (r"@%SystemRoot%\System32\shell32.dll,-101", None),
        ("@oem7.inf,%name%", None),
        ("@oem7.inf,%name%; ", None),
        ("ms-resource:AppName", None),
        ("@{Microsoft.WindowsCalculator}", None),
        ("@home", "@home"),
        ("Máy in; tầng 2", "Máy in; tầng 2"),
        (None, None),
    ],
)
def test_an_indirect_string_is_its_words_and_never_a_place_to_look_them_up(
    text: str | None, words: str | None
) -> None:
    assert shown(text) == words


def test_a_program_whose_words_stand_elsewhere_is_called_by_its_key(
    windows: RecordedWindows,
) -> None:
    where = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    code = "{90160000-0011-0000-0000-0000000FF1CE}"
    windows.winreg.put(rf"{where}\VPN Client", DisplayName=r"@C:\vpn\res.dll,-12")
    windows.winreg.put(rf"{where}\{code}", DisplayName="@res.dll,-3")

    names = {one.name for one in read(windows, "software")["software"]}

    assert names == {"VPN Client", "@res.dll,-3"}, "a product code says even less"


def test_a_virtual_machine_is_told_by_its_firmware(windows: RecordedWindows) -> None:
    windows.winreg.put(
        firmware.BIOS, SystemManufacturer="innotek GmbH", SystemProductName="VirtualBox"
    )

    assert read(windows, "identity")["identity"][0].virtualisation == "virtualbox"


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
