"""The decoders that read what others wrote, each with good examples of its input."""

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kiemke.agent.decode import edid, smbios, storage
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.sensors import antivirus, operating_system, printers, vital_linux
from kiemke.agent.sensors.errors import SensorError
from kiemke.agent.windows import adapters, monitors, security, software, usb
from kiemke.agent.windows import printers as windows_printers
from kiemke.wire import plain_words
from kiemke.wire.update import Manifest, ManifestError, Signed, manifest_text, read_signed
from tests.support import firmware
from tests.support.windows import FakeWinreg, RecordedWindows

EXPECTED = (DecodeError, SensorError, ManifestError)
ENUM = r"HKLM\SYSTEM\CurrentControlSet\Enum"
SID = r"HKU\S-1-5-21-1-2-3-1001"


@dataclass(frozen=True, slots=True)
class Target:
    """One decoder, good inputs of it, and how often it is taken against the others."""

    name: str
    decode: Callable[[bytes], object]
    examples: tuple[bytes, ...]
    weight: int = 1


def _edids() -> tuple[bytes, ...]:
    name, serial = (
        firmware.descriptor(0xFC, b"DELL P2419H\n "),
        firmware.descriptor(0xFF, b"ABC123\n"),
    )
    return (
        firmware.edid(descriptors=(firmware.timing(1920, 1080), name, serial)),
        firmware.edid(maker="ACR", serial=7, extensions=(firmware.cta_extension((16, 4, 31)),)),
        firmware.edid(extensions=(firmware.displayid_extension(bytes([3, 0, 20]) + bytes(20)),)),
    )


def _table() -> bytes:
    return (
        firmware.structure(0, bytes([1, 2, 0, 0, 3]) + bytes(16), "AMI", "F.22", "03/15/2021")
        + firmware.structure(
            1, bytes([1, 2, 0, 3]) + bytes(range(16)) + bytes([6, 0, 0]), "HP", "X", "S1"
        )
        + firmware.structure(2, bytes([1, 2, 0, 3]) + bytes(6), "HP", "B", "S2")
        + firmware.structure(3, bytes([1, 3, 0, 2, 0]) + bytes(12), "HP", "S3")
        + firmware.structure(4, bytes(12) + bytes([1]) + bytes(31), "Intel(R) Core(TM) i5")
        + firmware.structure(
            17,
            struct.pack("<HHHHHBBBBB", 0, 0, 64, 64, 8192, 9, 0, 1, 2, 26) + bytes(20),
            "DIMM1",
            "A",
        )
        + firmware.table_end()
    )


def _logins() -> bytes:
    record = (7, 1, b"tty1", b"1", b"an", b"", 0, 0, 0, 1_700_000_000, 0, b"", b"")
    return vital_linux.LOGIN_RECORD.pack(*record) * 2


# Keys the readers look at ("PART" stands for text out of the input), and the values of each.
KEYS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (rf"{ENUM}\USB\VID_04F2&PID_PART\PART", ("Class", "Service", "DeviceDesc", "FriendlyName", "Mfg", "CompatibleIDs", "HardwareID", "ContainerID",)),
    (rf"{ENUM}\USB\VID_096E&PID_0807\PART", ("ParentIdPrefix", "ContainerID", "CompatibleIDs",)),
    (rf"{ENUM}\USBPRINT\PART\7&1&0&USB001", ("DeviceDesc", "ContainerID",)),
    (rf"{ENUM}\USBPRINT\PART\7&1&0&USB001\Device Parameters", ("PortName",)),
    (rf"{ENUM}\DISPLAY\PART\1\Device Parameters", ("EDID",)),
    (rf"{ENUM}\DISPLAY\PART\1\Device Parameters\EDID_OVERRIDE", ("0", "1", "x",)),
    (rf"{windows_printers.PRINTERS}\PART", ("Name", "Port", "Attributes", "Printer Driver",)),
    (rf"{SID}\{windows_printers.CHOSEN}", ("Device",)),
    (rf"HKLM\{software.UNINSTALL}\PART", ("DisplayName", "DisplayVersion", "Publisher", "InstallDate", "VersionMajor", "VersionMinor", "SystemComponent", "ReleaseType", "EstimatedSize",)),
    (rf"{software.APPX}\PART_1_x64__8wekyb3d8bbwe", ("DisplayName",)),
    (rf"{adapters.NETWORK}\{{A}}\Connection", ("Name", "PnpInstanceID", "MediaSubType",)),
    (rf"{adapters.CLASS}\0001", ("NetCfgInstanceId", "DriverDesc", "*IfType", "ComponentId",)),
    (rf"{adapters.INTERFACES}\{{A}}", ("EnableDHCP", "DhcpIPAddress", "IPAddress", "DefaultGateway", "NameServer", "DhcpNetworkHint",)),
    (security.LOGON, ("LastLoggedOnSAMUser", "LastLoggedOnUser",)),
    (security.SESSION_MANAGER, ("PendingFileRenameOperations",)),
    (rf"{security.SERVICING}\Packages\Package_for_KB5031445~PART", ("CurrentState", "InstallTimeHigh", "InstallTimeLow",)),
    (rf"{SID}\{security.DESKTOP}", ("ScreenSaveActive", "ScreenSaverIsSecure", "ScreenSaveTimeOut",)),
    (rf"{security.TIME}\Parameters", ("Type", "NtpServer",)),
)  # fmt: skip


def registry_of(data: bytes) -> FakeWinreg:
    """Return a registry in which the bytes decide which odd values stand in the keys we read."""
    winreg, chance = FakeWinreg(), random.Random(data)
    text = data.decode("utf-16-le", "replace")
    part = text.replace("\\", "")[:30] or "X"
    odd: tuple[object, ...] = (
        text, data, None, 0, -1, 2**32 - 1, 2**64, [], [text, ""], [text] * 3, "", "{", "@x,;",
        "\0", text[:5],
    )  # fmt: skip
    for path, names in KEYS:
        values = {name: chance.choice(odd) for name in names if chance.random() < 0.9}
        winreg.put(path.replace("PART", part), **values)
    return winreg


def _registry(data: bytes) -> None:
    windows = RecordedWindows(registry_of(data))
    for read in (
        usb.read, usb.cameras, usb.scanners, windows_printers.read, software.read, adapters.read,
        monitors.read_edids, security.settings, security.firewall, security.hotfixes,
        security.time_source, security.last_user,
    ):  # fmt: skip
        read(windows)


def _os_release(data: bytes) -> None:
    operating_system.parse_release(data.decode("utf-8", "replace"))


def _words(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    plain_words.plain_name(text, text[:7])
    plain_words.plain_publisher(text)


def _texts(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    printers.parse_queues(text)
    printers.read_uri(text)
    antivirus.parse_base(text)
    adapters.network_name(text)
    vital_linux.parse_seat(text)
    vital_linux.parse_logins(data)


def _storage(data: bytes) -> None:
    storage.describe(data)
    storage.identify(data)
    storage.health(data)
    storage.health(storage.protocol_data(data, storage.HEALTH_BYTES))
    storage.geometry_bytes(data)
    storage.has_seek_penalty(data)


_TABLE = _table()


def _release() -> bytes:
    """Return a signed manifest as the one-shot with all rights reads it."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    manifest = Manifest("0.2.0", "debian-amd64", "a.deb", 9, "ab" * 32, at, at + timedelta(days=60))
    return Signed(manifest, manifest_text(manifest), bytes(64)).encode()


TARGETS = (
    Target("release", read_signed, (_release(),), 2),
    Target("edid", edid.decode, _edids(), 8),
    Target(
        "smbios_dump",
        smbios.decode_dump,
        (
            firmware.entry_point_3((3, 2), len(_TABLE)) + _TABLE,
            firmware.entry_point_2((2, 8), len(_TABLE), 7) + _TABLE,
        ),
        6,
    ),
    Target(
        "smbios_windows",
        smbios.decode_windows,
        (struct.pack("<BBBBI", 0, 3, 2, 0, len(_TABLE)) + _TABLE,),
        4,
    ),
    Target("storage", _storage, (struct.pack("<IIBBBB4II", 1, 0, 0, 0, 0, 1, 0, 40, 50, 60, 11) + bytes(4) + b"MODEL\0\0\0\0\0FW1\0\0\0\0\0\0\0SERIAL\0", bytes(512)), 3),
    Target("registry", _registry, ("UniKey 4.3 RC5".encode("utf-16-le"), b"USB\\VID_04F2&PID_B6D0"), 2),
    Target("os_release", _os_release, (b'NAME="Debian"\nVERSION_ID=\'12\'\nPRETTY_NAME=Debian\\ 12\n',), 4),
    Target("texts", _texts, (
        b"<DefaultPrinter hp>\nDeviceURI usb://HP/LaserJet?serial=VNB3\nShared Yes\n</DefaultPrinter>\n",
        b"ClamAV-VDB:16 Sep 2021 04-32 -0400:26296:1:X", b"USER=an\nCLASS=user\nREALTIME=12\n", _logins(),
        b"hp:/net/LaserJet?ip=10.1.2.3&serial=[",
    ), 4),
    Target("plain_words", _words, (b"Git version 2.12.2.2 (64-bit)", "CÔNG TY TNHH X, Ltd.".encode()), 2),
)  # fmt: skip
