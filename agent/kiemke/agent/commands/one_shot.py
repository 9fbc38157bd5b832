"""`kiemke-agent inventory --one-shot FILE`: this PC in one file, for an office whose PCs do not report."""

from datetime import datetime
from pathlib import Path

from kiemke.agent.decode import smbios
from kiemke.agent.decode.errors import DecodeError
from kiemke.agent.files import StateError
from kiemke.agent.host import Host, open_host
from kiemke.agent.one_shot import FIRST, VERSION
from kiemke.agent.sensors import SENSORS
from kiemke.agent.sensors.monitors import DRM
from kiemke.agent.sensors.reading import read_one
from kiemke.agent.sensors.smbios import TABLES
from kiemke.agent.terminal import say
from kiemke.agent.words import Both, speak
from kiemke.wire.inventory import Adapter, Disk, OperatingSystem
from kiemke.wire.mouth import open_mouth

WRITTEN = Both(
    "{file}: {n} dòng; phía máy chủ: kiemke may nhap-may {name} --don-vi ĐƠN-VỊ",
    "{file}: {n} lines; on the server's side: kiemke machine import {name} --unit UNIT",
)
PHYSICAL = {"ethernet": "PCI", "wireless": "PCI", "usb": "USB"}


def run(root: Path, file: Path) -> int:
    """Write the file; return 0. Raises StateError when it cannot be written."""
    host = open_host(root, "", None)
    today = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M")
    lines = [f"{FIRST}|{VERSION}", f"taken|{today}", *_raw(host), *_told(host), "end"]
    try:
        file.write_text("\n".join(lines) + "\n", "utf-8")
    except OSError as err:
        raise StateError(f"{file}: {err.strerror or err}; name a file that can be written") from err
    open_mouth()
    say(speak(WRITTEN, file=file, n=len(lines), name=file.name))
    return 0


def _raw(host: Host) -> list[str]:
    """Return firmware table and EDIDs as they are; the table behind Windows' eight bytes."""
    if host.windows is not None:
        from kiemke.agent.windows import firmware, monitors

        tables = [f"smbios|{table.hex()}" for table in firmware.tables(host.windows)][:1]
        return tables + [f"edid|{data.hex()}" for _, data in monitors.read_edids(host.windows)]
    lines = []
    try:
        entry = smbios.parse_entry_point(host.path(TABLES, "smbios_entry_point").read_bytes())
        table = host.path(TABLES, "DMI").read_bytes()
    except (OSError, DecodeError):
        pass  # not root, or a machine without: disks and MACs may tell all the same
    else:
        head = bytes((0, *entry.version, 0)) + len(table).to_bytes(4, "little")
        lines.append(f"smbios|{(head + table).hex()}")
    for name in host.names(DRM):
        try:
            data = host.path(DRM, name, "edid").read_bytes()
        except OSError:
            continue
        if data:
            lines.append(f"edid|{data.hex()}")
    return lines


def _told(host: Host) -> list[str]:
    """Return the lines of what the sensors tell: system, disks, adapters of devices."""
    wanted = {"operating_system", "disks", "adapters"}
    lines = []
    for sensor in SENSORS:
        if sensor.module not in wanted:
            continue
        for reading in read_one(host, sensor).values():
            for row in reading.rows or ():
                if isinstance(row, OperatingSystem):
                    lines.append(_line("host", row.hostname))
                    lines.append(_line("os", row.name, row.version, row.architecture))
                elif isinstance(row, Disk):
                    media = "removable" if row.removable else "fixed"
                    lines.append(
                        _line("disk", row.model, row.serial, row.size_bytes, row.bus, media)
                    )
                elif isinstance(row, Adapter) and row.kind in PHYSICAL:
                    name = f"{row.description or row.name}{' (Wi-Fi)' if row.kind == 'wireless' else ''}"
                    lines.append(
                        _line(
                            "adapter", row.permanent_mac or row.mac, name, f"{PHYSICAL[row.kind]}\\"
                        )
                    )
    return lines


def _line(name: str, *fields: object) -> str:
    said = ("" if one is None else " ".join(str(one).replace("|", "/").split()) for one in fields)
    return "|".join((name, *said))
