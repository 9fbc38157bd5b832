"""The vital figures of Linux from the kernel's own files, as proc(5) and utmp(5) describe them.

Not psutil, which the sensors' child uses: it would be five megabytes of every office PC.
"""

import os
import struct
from pathlib import Path

from kiemke.agent.sensors.vital import CpuTime, DiskBytes, LinkState, Login, Octets, VitalsError
from kiemke.wire.report import VolumeSpace

PROC = Path("/proc")
NET = Path("/sys/class/net")
BLOCK = Path("/sys/block")
LOGINS = Path("/run/utmp")
SEATS = Path("/run/systemd/sessions")

SECTOR_BYTES = 512  # of /proc/diskstats, whatever the disk's own is
# Made of others, of memory or of files: their bytes are counted once already, or on no disk.
NOT_DISKS = ("loop", "ram", "zram", "dm-", "md", "sr", "fd", "nbd")
LOCAL = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "jfs", "vfat", "exfat", "ntfs3", "zfs"}
)

CPU_FIELDS = 8  # user nice system idle iowait irq softirq steal; guest time is in user already
IDLE, IOWAIT = 3, 4
ARPHRD_LOOPBACK = 772  # linux/if_arp.h
USER_PROCESS = 7  # utmp(5)
# type, pid, line, id, user, host, exit status (2), session, seconds, microseconds, address, spare
LOGIN_RECORD = struct.Struct("h2xi32s4s32s256s2hiii16s20s")
# glibc on these writes session and time in 64 bits (bits/wordsize.h: no TIME64_COMPAT32).
WIDE_LOGIN_RECORD = struct.Struct("h2xi32s4s32s256s2hqqq16s20s4x")
WIDE_MACHINES = ("aarch64", "loongarch64", "alpha", "ia64")


def read_cpu() -> CpuTime:
    """Return processor time since boot. Source: /proc/stat. Raises VitalsError."""
    try:
        words = _text(PROC / "stat").split("\n", 1)[0].split()
        ticks = [int(word) for word in words[1 : 1 + CPU_FIELDS]]
        idle, total = ticks[IDLE] + ticks[IOWAIT], sum(ticks)
    except (ValueError, IndexError) as err:
        raise VitalsError(f"{PROC}/stat: {err}") from err
    second = os.sysconf("SC_CLK_TCK")
    return CpuTime((total - idle) / second, total / second)


def read_memory() -> tuple[int, int]:
    """Return bytes of memory in use and in all. Source: /proc/meminfo. Raises VitalsError."""
    found: dict[str, int] = {}
    try:
        for line in _text(PROC / "meminfo").splitlines():
            name, _, rest = line.partition(":")
            if name in ("MemTotal", "MemAvailable"):
                found[name] = int(rest.split()[0]) * 1024
        return found["MemTotal"] - found["MemAvailable"], found["MemTotal"]
    except (ValueError, IndexError, KeyError) as err:
        raise VitalsError(f"{PROC}/meminfo: {err}") from err


def read_links() -> dict[str, LinkState]:
    """Return the links by adapter, loopback left out. Source: sysfs. Raises VitalsError."""
    try:
        names = sorted(entry.name for entry in NET.iterdir())
    except OSError as err:
        raise VitalsError(f"{NET}: {err.strerror}") from err
    return {
        name: LinkState(
            is_up=_word(NET / name / "carrier") == "1",
            speed_mbits=_speed(NET / name / "speed"),
            duplex=duplex if (duplex := _word(NET / name / "duplex")) in ("full", "half") else None,
        )
        for name in names
        # bonding_masters is a file here, no adapter
        if _word(NET / name / "type") not in (None, str(ARPHRD_LOOPBACK))
    }


def _speed(file: Path) -> int | None:
    """Return Mbit/s; None when the link is down or has none (the kernel then says -1)."""
    word = _word(file)
    return int(word) if word is not None and word.isdecimal() and word != "0" else None


def read_octets() -> dict[str, Octets]:
    """Return the raw octet counters by adapter, loopback left out.

    Source: /proc/net/dev. Raises VitalsError.
    """
    found: dict[str, Octets] = {}
    try:
        for line in _text(PROC / "net" / "dev").splitlines()[2:]:
            name, _, rest = line.rpartition(":")  # an alias has a colon in its name
            columns = rest.split()
            if name.strip() != "lo":
                found[name.strip()] = Octets(int(columns[0]), int(columns[8]))
    except (ValueError, IndexError) as err:
        raise VitalsError(f"{PROC}/net/dev: {err}") from err
    return found


def read_disk_bytes() -> DiskBytes:
    """Return what the disks have read and written. Source: /proc/diskstats. Raises VitalsError."""
    read = written = 0
    try:
        for line in _text(PROC / "diskstats").splitlines():
            columns = line.split()
            name = columns[2]
            if (
                not name.startswith(NOT_DISKS) and (BLOCK / name).exists()
            ):  # partitions are not there
                read += int(columns[5]) * SECTOR_BYTES
                written += int(columns[9]) * SECTOR_BYTES
    except (ValueError, IndexError) as err:
        raise VitalsError(f"{PROC}/diskstats: {err}") from err
    return DiskBytes(read, written)


def read_volumes() -> list[VolumeSpace]:
    """Return the room on each local volume, the shortest mount point of a device; never the network's.

    Source: /proc/self/mounts, statvfs(3). Raises VitalsError.
    """
    found: dict[str, VolumeSpace] = {}
    lines = [line.split() for line in _text(PROC / "self" / "mounts").splitlines()]
    mounts = [(one[1], one[0]) for one in lines if len(one) > 2 and one[2] in LOCAL]
    for escaped, device in sorted(mounts, key=lambda one: len(one[0])):
        # fstab(5): blanks and backslashes in octal
        place = escaped.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if device in found:
            continue
        try:
            room = os.statvfs(place)
        except OSError:
            continue
        size, free = room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize
        found[device] = VolumeSpace(place, size, free)
    return sorted(found.values(), key=lambda one: one.mount_point)


def read_logins() -> list[Login]:
    """Return who is logged in; none where the system keeps no record. Raises VitalsError.

    Source: utmp; where it is kept no more (its seconds end in 2038), the session files of logind.
    """
    try:
        data = LOGINS.read_bytes()
    except FileNotFoundError:
        return _seats()
    except OSError as err:
        raise VitalsError(f"{LOGINS}: {err.strerror}") from err
    return parse_logins(data, login_record())


def login_record() -> struct.Struct:
    """Return the form of a login on this kind of machine."""
    return WIDE_LOGIN_RECORD if os.uname().machine in WIDE_MACHINES else LOGIN_RECORD


def parse_logins(data: bytes, record: struct.Struct = LOGIN_RECORD) -> list[Login]:
    """Return the logins of a utmp file's bytes; a last record that is cut is left out."""
    found = []
    for start in range(0, len(data) - record.size + 1, record.size):
        fields = record.unpack_from(data, start)
        user = _name(fields[4])
        if fields[0] == USER_PROCESS and user is not None:
            found.append(Login(user, _name(fields[2]), _name(fields[5]), float(fields[9])))
    return found


def _name(raw: bytes) -> str | None:
    """Return a fixed field's text up to its first NUL; None when empty."""
    return raw.partition(b"\0")[0].decode("utf-8", "replace") or None


def _seats() -> list[Login]:
    """Return the logins logind knows of. Source: its files, sd-login(3) reads the same."""
    try:
        files = sorted(entry for entry in SEATS.iterdir() if entry.name.isalnum())
    except OSError:
        return []
    return [login for file in files if (login := parse_seat(_word(file) or "")) is not None]


def parse_seat(text: str) -> Login | None:
    """Return the login of one session file; None for a greeter, a service or a half-written file."""
    said = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
    begun = said.get("REALTIME", "")
    user = said.get("USER")
    if said.get("CLASS") != "user" or not user or not begun.isdecimal():
        return None
    terminal = said.get("TTY") or said.get("DISPLAY") or said.get("SEAT") or None
    remote = (said.get("REMOTE_HOST") or "remote") if said.get("REMOTE") == "1" else None
    return Login(user, terminal, remote, int(begun) / 1e6)


def read_own_cost() -> tuple[float, int]:
    """Return this process's processor seconds and resident bytes. Raises VitalsError."""
    times = os.times()
    try:
        pages = int(_text(PROC / "self" / "statm").split()[1])
    except (ValueError, IndexError) as err:
        raise VitalsError(f"{PROC}/self/statm: {err}") from err
    return times.user + times.system, pages * os.sysconf("SC_PAGE_SIZE")


def _text(file: Path) -> str:
    """Return a file's text. Raises VitalsError."""
    try:
        return file.read_text("utf-8", "replace")
    except OSError as err:
        raise VitalsError(f"{file}: {err.strerror}") from err


def _word(file: Path) -> str | None:
    """Return a file's text without its end; None when it is absent or not readable now.

    sysfs answers EINVAL for the speed and carrier of an adapter that is down.
    """
    try:
        return file.read_text("utf-8", "replace").strip() or None
    except OSError:
        return None
