"""The rows of an inventory, one frozen class per section. Absent is None; values as firmware gives them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bios:
    """SMBIOS type 0."""

    vendor: str | None = None
    version: str | None = None
    release_date: str | None = None


@dataclass(frozen=True, slots=True)
class System:
    """SMBIOS type 1. ``uuid`` as dmidecode prints it (little-endian fields from SMBIOS 2.6 on)."""

    manufacturer: str | None = None
    product: str | None = None
    version: str | None = None
    serial: str | None = None
    uuid: str | None = None
    sku: str | None = None
    family: str | None = None


@dataclass(frozen=True, slots=True)
class Board:
    """SMBIOS type 2."""

    manufacturer: str | None = None
    product: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class Chassis:
    """SMBIOS type 3; ``type`` in dmidecode's words ("Desktop", "Notebook", ...)."""

    manufacturer: str | None = None
    type: str | None = None
    serial: str | None = None
    asset_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Processor:
    """SMBIOS type 4, or the operating system's own word where there is no SMBIOS."""

    version: str | None = None
    cores: int | None = None
    threads: int | None = None
    max_mhz: int | None = None


@dataclass(frozen=True, slots=True)
class MemoryModule:
    """SMBIOS type 17; an empty slot has ``size_bytes`` 0 or None."""

    locator: str | None = None
    size_bytes: int | None = None
    form_factor: str | None = None
    type: str | None = None
    speed_mts: int | None = None
    manufacturer: str | None = None
    serial: str | None = None
    part_number: str | None = None


@dataclass(frozen=True, slots=True)
class Monitor:
    """One EDID block (VESA E-EDID 1.4). ``product_code`` in decimal; ``preferred`` as "1920x1080"."""

    manufacturer: str | None = None
    product_code: str | None = None
    name: str | None = None
    serial: str | None = None
    year: int | None = None
    week: int | None = None
    width_cm: int | None = None
    height_cm: int | None = None
    preferred: str | None = None
    digital: bool | None = None
    port: str | None = None


@dataclass(frozen=True, slots=True)
class OperatingSystem:
    """The running system. ``family`` is "linux" or "windows"; ``installed_on`` is YYYY-MM-DD."""

    family: str
    name: str | None = None
    version: str | None = None
    build: str | None = None
    architecture: str | None = None
    hostname: str | None = None
    domain: str | None = None
    installed_on: str | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A physical disk; ``bus`` is "nvme", "sata", "usb", "virtio", ...; ``rotational`` None if unknown."""

    name: str
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    size_bytes: int | None = None
    bus: str | None = None
    rotational: bool | None = None
    removable: bool | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system."""

    mount_point: str
    device: str | None = None
    file_system: str | None = None
    size_bytes: int | None = None
    free_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network adapter. ``kind`` is "ethernet", "wireless", "usb", "virtual" or "loopback"."""

    name: str
    mac: str | None = None
    permanent_mac: str | None = None
    kind: str | None = None
    is_up: bool | None = None
    speed_bits_per_second: int | None = None
    duplex: str | None = None
    mtu_bytes: int | None = None
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Software:
    """An installed package or program."""

    name: str
    version: str | None = None
    publisher: str | None = None
    architecture: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Uptime:
    """When this boot began, by the sender's clock, RFC 3339."""

    booted_at: str
    boot_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A user's session on this machine; ``console`` is the seat itself, not a remote login."""

    user: str
    console: bool | None = None
    started_at: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What this install is: the agent's version and the make-up it runs on."""

    agent_version: str
    install_id: str
    python_version: str | None = None
    virtualisation: str | None = None


Row = (
    Bios | System | Board | Chassis | Processor | MemoryModule | Monitor | OperatingSystem
    | Disk | Volume | Adapter | Software | Uptime | Session | Identity
)  # fmt: skip

# Section name -> row class. The order is the order of output.
SECTIONS: dict[str, type[Row]] = {
    "identity": Identity,
    "system": System,
    "bios": Bios,
    "board": Board,
    "chassis": Chassis,
    "processors": Processor,
    "memory": MemoryModule,
    "monitors": Monitor,
    "os": OperatingSystem,
    "disks": Disk,
    "volumes": Volume,
    "adapters": Adapter,
    "software": Software,
    "uptime": Uptime,
    "sessions": Session,
}
