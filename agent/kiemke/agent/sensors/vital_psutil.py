"""The vital figures where the system is not Linux. Source: psutil."""

import psutil

from kiemke.agent.sensors.vital import CpuTime, DiskBytes, LinkState, Login, Octets, VitalsError
from kiemke.wire.report import VolumeSpace

IDLE_FIELDS = ("idle", "iowait")
ERRORS = (psutil.Error, OSError, RuntimeError)


def read_cpu() -> CpuTime:
    """Return processor time since boot. Raises VitalsError."""
    try:
        times = psutil.cpu_times()._asdict()
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    idle = sum(times.get(name, 0.0) for name in IDLE_FIELDS)
    # Linux counts guest time in user time already (proc(5)).
    total = sum(value for name, value in times.items() if not name.startswith("guest"))
    return CpuTime(total - idle, total)


def read_memory() -> tuple[int, int]:
    """Return bytes of memory in use and in all. Raises VitalsError."""
    try:
        memory = psutil.virtual_memory()
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    return memory.total - memory.available, memory.total


def read_links() -> dict[str, LinkState]:
    """Return the links by adapter, loopback left out. Raises VitalsError."""
    try:
        stats = psutil.net_if_stats()
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    words = {int(psutil.NIC_DUPLEX_FULL): "full", int(psutil.NIC_DUPLEX_HALF): "half"}
    return {
        name: LinkState(one.isup, one.speed or None, words.get(int(one.duplex)))
        for name, one in stats.items()
        if "loopback" not in one.flags.split(",") and not _is_loopback(name)
    }


def read_octets() -> dict[str, Octets]:
    """Return the raw octet counters by adapter, loopback left out. Raises VitalsError."""
    try:
        # psutil's own mending of wraps is switched off: the server judges raw counters.
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    return {
        name: Octets(one.bytes_recv, one.bytes_sent)
        for name, one in counters.items()
        if not _is_loopback(name)
    }


def read_disk_bytes() -> DiskBytes:
    """Return what the disks have read and written. Raises VitalsError."""
    try:
        counters = psutil.disk_io_counters(perdisk=False, nowrap=False)
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    if counters is None:
        raise VitalsError("the system counts no disk traffic")
    return DiskBytes(counters.read_bytes, counters.write_bytes)


def read_volumes() -> list[VolumeSpace]:
    """Return the room on each fixed volume. Raises VitalsError."""
    found = []
    try:
        for part in psutil.disk_partitions(all=False):
            if "fixed" in part.opts.split(",") or psutil.LINUX:
                usage = psutil.disk_usage(part.mountpoint)
                found.append(VolumeSpace(part.mountpoint, usage.total, usage.free))
    except ERRORS as err:
        raise VitalsError(str(err)) from err
    return found


def _is_loopback(name: str) -> bool:
    return name == "lo" or name.startswith("Loopback")


def read_logins() -> list[Login]:
    """Return who is logged in. Raises VitalsError."""
    try:
        return [
            Login(one.name, one.terminal or None, one.host or None, one.started)
            for one in psutil.users()
        ]
    except ERRORS as err:
        raise VitalsError(str(err)) from err


def read_own_cost() -> tuple[float, int]:
    """Return this process's processor seconds and resident bytes. Raises VitalsError."""
    try:
        process = psutil.Process()
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
    except ERRORS as err:
        raise VitalsError(str(err)) from err
