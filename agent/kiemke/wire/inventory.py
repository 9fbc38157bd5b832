"""The rows of an inventory, one frozen class per section. Absent is None; values as firmware gives them."""

from dataclasses import dataclass

from kiemke.wire.claim import ClaimedHolder


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
    edition: str | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A physical disk; ``bus`` is "nvme", "sata", "usb", "virtio", ...; ``rotational`` None if unknown.

    ``health`` is the disk's own word: "ok" or "failing". ``wear_percent`` is how much of its rated
    writing an SSD has used (above 100 it has outlived its rating).
    """

    name: str
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    size_bytes: int | None = None
    bus: str | None = None
    rotational: bool | None = None
    removable: bool | None = None
    health: str | None = None
    wear_percent: int | None = None
    powered_hours: int | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """A mounted file system. ``encryption`` is "bitlocker", "luks", ... or "none"; None is unknown."""

    mount_point: str
    device: str | None = None
    file_system: str | None = None
    size_bytes: int | None = None
    free_bytes: int | None = None
    label: str | None = None
    encryption: str | None = None


@dataclass(frozen=True, slots=True)
class Adapter:
    """A network adapter.

    ``kind`` is "ethernet", "wireless", "usb", "bluetooth", "mobile", "vpn", "virtual" or "loopback".
    ``is_dhcp`` tells whether its IPv4 address was given by a server; ``ssid`` is the name of the
    wireless network it is in, never a key.
    """

    name: str
    mac: str | None = None
    permanent_mac: str | None = None
    kind: str | None = None
    is_up: bool | None = None
    speed_bits_per_second: int | None = None
    duplex: str | None = None
    mtu_bytes: int | None = None
    addresses: tuple[str, ...] = ()
    description: str | None = None
    is_dhcp: bool | None = None
    gateways: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    ssid: str | None = None


@dataclass(frozen=True, slots=True)
class Software:
    """An installed package or program, raw, and its name and publisher as they compare.

    ``user`` is the account of a program that is installed for it alone. ``kind`` is "component" for a
    part that Windows itself does not show among programs, "update" for an update of another program,
    None for a program.
    """

    name: str
    version: str | None = None
    publisher: str | None = None
    architecture: str | None = None
    origin: str | None = None
    installed_on: str | None = None
    user: str | None = None
    plain_name: str | None = None
    plain_publisher: str | None = None
    kind: str | None = None
    size_bytes: int | None = None


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


@dataclass(frozen=True, slots=True)
class LastUser:
    """The account that was last at the machine, and the domain or machine that knows it."""

    user: str
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Printer:
    """An installed printer. ``connection`` is "usb", "network", "local" or "virtual"."""

    name: str
    driver: str | None = None
    port: str | None = None
    connection: str | None = None
    address: str | None = None
    serial: str | None = None
    is_default: bool | None = None
    is_shared: bool | None = None


@dataclass(frozen=True, slots=True)
class Scanner:
    """An installed document scanner; ``connection`` as of printers."""

    name: str
    manufacturer: str | None = None
    connection: str | None = None
    serial: str | None = None


@dataclass(frozen=True, slots=True)
class UsbDevice:
    """A device on USB, hubs left out; ids in four hexadecimal digits, ``kind`` by its USB class.

    ``is_present`` is None where the system does not tell what is plugged in.
    """

    vendor_id: str
    product_id: str
    serial: str | None = None
    name: str | None = None
    manufacturer: str | None = None
    kind: str | None = None
    is_present: bool | None = None


@dataclass(frozen=True, slots=True)
class SmartCard:
    """A smart-card reader or digital-signature token: that it is there, nothing of what is in it."""

    name: str
    kind: str | None = None
    vendor_id: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera the system can take pictures with; never a picture."""

    name: str
    manufacturer: str | None = None
    connection: str | None = None


@dataclass(frozen=True, slots=True)
class Battery:
    """A battery; capacities in milliwatt-hours: as made, and what it holds when full now."""

    name: str | None = None
    manufacturer: str | None = None
    serial: str | None = None
    chemistry: str | None = None
    design_mwh: int | None = None
    full_mwh: int | None = None
    cycles: int | None = None


@dataclass(frozen=True, slots=True)
class Hotfix:
    """An installed update of the operating system; ``installed_on`` is YYYY-MM-DD."""

    id: str
    installed_on: str | None = None
    build: str | None = None


@dataclass(frozen=True, slots=True)
class Antivirus:
    """An anti-malware product; ``is_on`` is its real-time guard, ``is_current`` its signatures."""

    name: str
    version: str | None = None
    publisher: str | None = None
    is_on: bool | None = None
    is_current: bool | None = None
    signatures_version: str | None = None
    signatures_at: str | None = None


@dataclass(frozen=True, slots=True)
class Firewall:
    """One profile of the host's firewall."""

    profile: str
    is_on: bool | None = None


@dataclass(frozen=True, slots=True)
class RemoteTool:
    """A program by which others can control this machine; ``is_service`` when it starts with it."""

    name: str
    version: str | None = None
    is_service: bool | None = None


@dataclass(frozen=True, slots=True)
class Security:
    """Settings an auditor asks for; None where the system does not say.

    ``screen_lock_seconds`` is the longest idle time, of the users now logged in, before a screen locks
    and asks for the password; 0 is "never". ``is_autorun_off`` covers every kind of drive.
    """

    is_auto_logon: bool | None = None
    screen_lock_seconds: int | None = None
    is_autorun_off: bool | None = None
    is_reboot_pending: bool | None = None
    is_secure_boot: bool | None = None
    is_uac_on: bool | None = None


@dataclass(frozen=True, slots=True)
class TimeSource:
    """Where this machine has the time from: "ntp", "domain", "host" or "none", and the servers."""

    kind: str | None = None
    servers: tuple[str, ...] = ()
    is_synchronised: bool | None = None


Row = (
    Bios | System | Board | Chassis | Processor | MemoryModule | Monitor | OperatingSystem
    | Disk | Volume | Adapter | Software | Uptime | Session | Identity | LastUser | Printer | Scanner
    | UsbDevice | SmartCard | Camera | Battery | Hotfix | Antivirus | Firewall | RemoteTool
    | Security | TimeSource | ClaimedHolder
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
    "last_user": LastUser,
    "printers": Printer,
    "scanners": Scanner,
    "usb": UsbDevice,
    "smart_cards": SmartCard,
    "cameras": Camera,
    "batteries": Battery,
    "hotfixes": Hotfix,
    "antivirus": Antivirus,
    "firewall": Firewall,
    "remote_tools": RemoteTool,
    "security": Security,
    "time": TimeSource,
    "claimed_holder": ClaimedHolder,
}
