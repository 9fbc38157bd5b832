"""What a simulated PC says it is: the sections of its inventory, in the agent's own row classes."""

import hashlib
from dataclasses import asdict

from bench.district import Pc
from kiemke.wire import inventory as rows
from kiemke.wire.report import Inventory, Section

GIB = 2**30
# (name, version, publisher): what office PCs of the district carry.
SOFTWARE = (
    ("UniKey", "4.3 RC5", "Phạm Kim Long"),
    ("Google Chrome", "131.0.6778.86", "Google LLC"),
    ("Microsoft Office Standard 2019", "16.0.10394", "Microsoft Corporation"),
    ("VGCA Sign Service", "1.0.8", "Ban Cơ yếu Chính phủ"),
    ("7-Zip 23.01 (x64)", "23.01", "Igor Pavlov"),
)
ANTIVIRUS = {
    "current": ("Kaspersky Endpoint Security", "12.6.0", "AO Kaspersky Lab"),
    "expired": ("Kaspersky Endpoint Security (hết hạn 31/12/2024)", "11.1.0", "AO Kaspersky Lab"),
}


def make_inventory(pc: Pc, booted_at: str, boot_id: str) -> Inventory:
    """Return every section with its rows; a token is a hash of them, as the agent makes it."""
    sections: dict[str, tuple[rows.Row, ...]] = {
        "identity": (rows.Identity("0.1.0", pc.install_id, "3.12.8"),),
        "system": (rows.System(pc.manufacturer, pc.product, serial=pc.serial, uuid=pc.uuid),),
        "bios": (rows.Bios("American Megatrends", "F.22", "03/15/2021"),),
        "board": (rows.Board(pc.manufacturer, pc.product, pc.board_serial),),
        "chassis": (rows.Chassis(pc.manufacturer, pc.chassis, pc.serial),),
        "processors": (rows.Processor("Intel(R) Core(TM) i5-10400 CPU @ 2.90GHz", 6, 12, 4300),),
        "memory": (
            rows.MemoryModule(
                "DIMM1", pc.memory_gib * GIB, "DIMM", "DDR4", 2666, "Kingston", pc.mac[-8:]
            ),
        ),
        "monitors": (rows.Monitor("DEL", "41337", "DELL E2020H", pc.disk_serial[-6:], 2021, 12),),
        "os": (
            rows.OperatingSystem(
                "windows", "Windows 10 Pro", "10.0", "19045", "x86_64", pc.hostname
            ),
        ),
        "disks": (
            rows.Disk(
                "PhysicalDrive0", "Samsung SSD 870", pc.disk_serial, "SVT01", 256 * GIB, "sata"
            ),
        ),
        "volumes": (rows.Volume("C:\\", "C:", "NTFS", 255 * GIB, 120 * GIB),),
        "adapters": (
            rows.Adapter("Ethernet", pc.mac, pc.mac, "ethernet", True, 1_000_000_000, "full"),
            *((rows.Adapter("Dock", pc.dock, pc.dock, "usb", True),) if pc.dock else ()),
        ),
        "software": tuple(rows.Software(*title) for title in (*SOFTWARE, ANTIVIRUS[pc.antivirus])),
        "uptime": (rows.Uptime(booted_at, boot_id),),
        "sessions": (rows.Session(pc.account, True, booted_at),),
    }
    return Inventory(
        {name: Section("ok", _token(found), found) for name, found in sections.items()}
    )


def _token(found: tuple[rows.Row, ...]) -> str:
    words = repr([asdict(row) for row in found])
    return hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:16]
