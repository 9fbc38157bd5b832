"""When this boot began. Source: btime of /proc/stat (proc(5)); elsewhere psutil.boot_time."""

from datetime import UTC, datetime

import psutil

from kiemke.agent.host import Host
from kiemke.wire.clocks import read_boot_id
from kiemke.wire.inventory import Row, Uptime

NAME = "uptime"
SECTIONS = ("uptime",)
SOURCE = "/proc/stat, boot id; Windows: boot time"
RIGHTS = "any account"


def read(host: Host) -> dict[str, tuple[Row, ...]]:
    """Return one Uptime, by the sender's own clock."""
    booted: float | None = None
    for line in (host.text("proc/stat") or "").splitlines():
        if line.startswith("btime "):
            booted = float(line.split()[1])
    if booted is None:
        if not host.is_live:
            return {}
        booted = psutil.boot_time()
    boot_id = host.text("proc/sys/kernel/random/boot_id")
    if boot_id is None and host.is_live:
        boot_id = read_boot_id()
    at = datetime.fromtimestamp(booted, UTC).isoformat(timespec="seconds")
    return {"uptime": (Uptime(booted_at=at, boot_id=boot_id),)}
