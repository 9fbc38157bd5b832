"""Size and free space of each mounted disk file system. Source: psutil.disk_partitions."""

import psutil

from kiemke.agent.host import Host
from kiemke.wire.inventory import Row, Volume

NAME = "volumes"
SECTIONS = ("volumes",)
# Read-only images that are full by nature.
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
    return {"volumes": tuple(volumes)}
