"""Size, free space and encryption of each mounted disk file system. Source: psutil, sysfs, Explorer."""

from dataclasses import replace
from typing import TYPE_CHECKING

import psutil

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row, Volume

if TYPE_CHECKING:
    from kiemke.agent.windows.port import Windows

NAME = "volumes"
SECTIONS = ("volumes",)
SOURCE = (
    "mount table, dm-crypt in sysfs; Windows: volume list, System.Volume.BitLockerProtection "
    "in a guarded child"
)
RIGHTS = "any account"
# Read-only images that are full by nature.
BLOCK = "sys/class/block"
MOST_LAYERS = 8  # RAID on LVM on LUKS on a disk is four
UNKNOWN = -1
# System.Volume.BitLockerProtection -> our word; encrypting and decrypting volumes are half open.
BITLOCKER = {
    0: "none", 1: "bitlocker", 2: "none", 3: "bitlocker (encrypting)",
    4: "bitlocker (decrypting)", 5: "bitlocker (suspended)", 6: "bitlocker",
}  # fmt: skip
IMAGES = frozenset({"squashfs", "iso9660", "udf", "erofs"})


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Volume a mounted device, the shortest mount point of each; a recording has none.

    Network file systems are left out: asking a server that is gone would hang. Drives without a
    disc are left out; a volume that gives no figures has None in their place.
    """
    if not host.is_live:
        return {}
    found: dict[str, Volume] = {}
    for part in sorted(psutil.disk_partitions(all=False), key=lambda one: len(one.mountpoint)):
        if part.device in found or part.fstype in IMAGES or not part.fstype:
            continue
        size: int | None = None
        free: int | None = None
        try:
            usage = psutil.disk_usage(part.mountpoint)
            size, free = usage.total, usage.free
        except OSError:
            pass  # an encrypted volume that is locked, a card reader that is empty
        found[part.device] = Volume(part.mountpoint, part.device, part.fstype, size, free)
    volumes = sorted(found.values(), key=lambda one: one.mount_point)
    if host.windows is not None:
        return {"volumes": tuple(_windows(host.windows, volumes))}
    return {"volumes": tuple(with_encryption(host, one) for one in volumes)}


def _windows(windows: "Windows", volumes: list[Volume]) -> list[Volume]:
    """Return the volumes with labels and what Explorer shows of BitLocker."""
    told = windows.probe("bitlocker", *(one.mount_point for one in volumes))
    states = told if isinstance(told, dict) else {}
    return [
        replace(
            one,
            label=windows.label(one.mount_point),
            encryption=BITLOCKER.get(states.get(one.mount_point, UNKNOWN)),
        )
        for one in volumes
    ]


def with_encryption(host: Host, volume: Volume) -> Volume:
    """Return the volume with "luks", "crypt" or "none", by what its block device stands on in sysfs."""
    name = host.path(volume.device.lstrip("/")).resolve().name if volume.device else ""
    if not name or not host.path(BLOCK, name).exists():
        return volume
    return replace(volume, encryption=_encryption(host, name, MOST_LAYERS) or "none")


def _encryption(host: Host, name: str, layers: int) -> str | None:
    """Return how a block device or one of those below it is encrypted, None when none is."""
    kind = (host.text(BLOCK, name, "dm", "uuid") or "").split("-")  # "CRYPT-LUKS2-...", "LVM-..."
    if kind[0] == "CRYPT":
        return "luks" if len(kind) > 1 and kind[1].startswith("LUKS") else "crypt"
    if layers:
        for below in host.names(BLOCK, name, "slaves"):
            found = _encryption(host, below, layers - 1)
            if found:
                return found
    return None
