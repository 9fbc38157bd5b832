"""The physical disks. Source: /sys/block (sysfs) and udev's record of each in /run/udev/data."""

from kiemke.agent.host import Host
from kiemke.agent.sensors import health_linux
from kiemke.wire.inventory import Disk, Row

NAME = "disks"
SECTIONS = ("disks",)
SOURCE = (
    "/sys/block, udev's records, NVMe health log; Windows: IOCTL_STORAGE_QUERY_PROPERTY, NVMe"
    " pages, IOCTL_STORAGE_PREDICT_FAILURE"
)
RIGHTS = "any account; root or administrator for health"
BLOCK = "sys/block"
SECTOR_BYTES = 512  # /sys/block/*/size counts these whatever the disk's own sector is
# Devices without a body of their own: made of others, of memory or of the network.
NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd", "rbd", "drbd", "mtdblock")
# A part of the device's path in sysfs -> the bus it hangs on; the first that fits.
BUSES = (
    ("/nvme", "nvme"),
    ("/usb", "usb"),
    ("/ata", "sata"),
    ("/virtio", "virtio"),
    ("/mmc", "mmc"),
    ("/vbd-", "xen"),
    ("/vmbus", "hyperv"),
    ("VMBUS", "hyperv"),
    ("/host", "scsi"),
)


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Disk a physical disk; absent where the system shows no block devices."""
    if host.windows is not None:
        # Only Windows loads it.
        from kiemke.agent.windows import disks

        return {"disks": tuple(disks.read(host.windows))}
    if not host.path(BLOCK).is_dir():
        return {}
    names = [name for name in host.names(BLOCK) if not name.startswith(NOT_DISKS)]
    return {"disks": tuple(_disk(host, name) for name in names if _has_body(host, name))}


def _has_body(host: Host, name: str) -> bool:
    """Tell whether the disk exists as a device (multipath NVMe heads have none but are real)."""
    size = host.number(BLOCK, name, "size")
    return bool(size) and (host.path(BLOCK, name, "device").exists() or name.startswith("nvme"))


def _disk(host: Host, name: str) -> Disk:
    """Return one disk; what neither sysfs nor udev says is None."""
    udev = _udev(host, name)
    sectors = host.number(BLOCK, name, "size")
    rotational = host.number(BLOCK, name, "queue", "rotational")
    removable = host.number(BLOCK, name, "removable")
    bus = _bus(host, name)
    health, wear_percent, powered_hours = health_linux.read(host, name)
    return Disk(
        name=name,
        model=(
            host.text(BLOCK, name, "device", "model")
            or host.text(BLOCK, name, "device", "name")  # mmc
            or udev.get("ID_MODEL")
        ),
        serial=(
            host.text(BLOCK, name, "device", "serial")
            or host.text(BLOCK, name, "serial")  # virtio
            or _vpd_serial(host, name)
            or udev.get("ID_SERIAL_SHORT")
        ),
        firmware=(
            host.text(BLOCK, name, "device", "firmware_rev")
            or host.text(BLOCK, name, "device", "rev")
            or udev.get("ID_REVISION")
        ),
        size_bytes=None if sectors is None else sectors * SECTOR_BYTES,
        bus=bus,
        # A virtual disk calls itself rotational because nobody told it otherwise.
        rotational=None if rotational is None or bus in ("virtio", "xen") else bool(rotational),
        removable=None if removable is None else bool(removable),
        health=health,
        wear_percent=wear_percent,
        powered_hours=powered_hours,
    )


def _bus(host: Host, name: str) -> str | None:
    """Return the bus by the disk's place in the device tree; None when it tells nothing."""
    place = host.real_path(BLOCK, name) + host.real_path(BLOCK, name, "device")
    for mark, bus in BUSES:
        if mark in place:
            return bus
    return None


def _vpd_serial(host: Host, name: str) -> str | None:
    """Return the unit serial number page (SPC-4, VPD page 80h): four header bytes, then ASCII."""
    try:
        page = host.path(BLOCK, name, "device", "vpd_pg80").read_bytes()
    except OSError:
        return None
    return page[4:].decode("ascii", "replace").strip("\0 ") or None


def _udev(host: Host, name: str) -> dict[str, str]:
    """Return udev's properties of the disk; empty where udev does not run."""
    number = host.text(BLOCK, name, "dev")
    text = host.text("run/udev/data", f"b{number}") if number else None
    pairs = (line[2:].partition("=") for line in (text or "").splitlines() if line[:2] == "E:")
    return {key: value.strip() for key, _, value in pairs if value.strip()}
