"""This machine's own system group and interface counters, as SNMP objects (Linux).

Sources: uname(2), CLOCK_BOOTTIME, /proc/net/dev, /sys/class/net. sysUpTime is the machine's uptime,
because that is how long the kernel has been counting.
"""

import bisect
import os
import socket
import time
from pathlib import Path

from pysnmp.proto.rfc1902 import (
    Counter32,
    Counter64,
    Gauge32,
    Integer32,
    ObjectIdentifier,
    OctetString,
    TimeTicks,
)

from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, parse_oid

# A pysnmp value; the library ships no types.
SnmpValue = object
Objects = list[tuple[Oid, SnmpValue]]

FRESH_SECONDS = 0.5
TICKS_WRAP = 2**32
ETHERNET, LOOPBACK, OTHER = 6, 24, 1  # IANAifType
ARPHRD_ETHER, ARPHRD_LOOPBACK = 1, 772  # linux/if_arp.h
IFF_UP = 0x1  # linux/if.h
OPER_STATES = {"up": 1, "down": 2, "testing": 3, "dormant": 5, "notpresent": 6, "lowerlayerdown": 7}
DUPLEX = {"half": 2, "full": 3}


class MachineView:
    """The objects of this machine in order; read anew when older than half a second."""

    def __init__(self) -> None:
        self._objects: Objects = []
        self._names: list[Oid] = []
        self._read_at = -FRESH_SECONDS

    def get(self, oid: Oid) -> SnmpValue | None:
        """Return the object's value, None when this machine has no such object."""
        self._refresh()
        at = bisect.bisect_left(self._names, oid)
        return self._objects[at][1] if at < len(self._names) and self._names[at] == oid else None

    def next(self, oid: Oid) -> tuple[Oid, SnmpValue] | None:
        """Return the first object after ``oid``, None at the end."""
        self._refresh()
        at = bisect.bisect_right(self._names, oid)
        return self._objects[at] if at < len(self._objects) else None

    def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at >= FRESH_SECONDS:
            self._objects = sorted(read_machine(), key=lambda pair: pair[0])
            self._names = [oid for oid, _ in self._objects]
            self._read_at = now


def read_machine() -> Objects:
    """Return every object of this machine. An interface that vanishes amid reading is left out."""
    machine = os.uname()
    ticks = int(time.clock_gettime(time.CLOCK_BOOTTIME) * 100) % TICKS_WRAP
    description = f"{machine.sysname} {machine.release} {machine.machine} (kiemke responder)"
    counters = read_counters(Path("/proc/net/dev").read_text("ascii"))
    objects: Objects = [
        (parse_oid(oids.SYS_DESCR), OctetString(description)),
        (parse_oid(oids.SYS_OBJECT_ID), ObjectIdentifier("0.0")),
        (parse_oid(oids.SYS_UPTIME), TimeTicks(ticks)),
        (parse_oid(oids.SYS_CONTACT), OctetString("")),
        (parse_oid(oids.SYS_NAME), OctetString(socket.gethostname())),
        (parse_oid(oids.SYS_LOCATION), OctetString("")),
    ]
    count = 0
    for name, row in counters.items():
        try:
            objects += _interface_objects(name, row)
        except FileNotFoundError:
            continue
        count += 1
    objects.append((parse_oid(oids.IF_NUMBER), Integer32(count)))
    return objects


def read_counters(text: str) -> dict[str, tuple[int, ...]]:
    """Return the 16 counters of each interface in /proc/net/dev, receive first (proc(5))."""
    found: dict[str, tuple[int, ...]] = {}
    for line in text.splitlines():
        name, colon, figures = line.partition(":")
        if colon:
            found[name.strip()] = tuple(int(figure) for figure in figures.split())
    return found


def _interface_objects(name: str, row: tuple[int, ...]) -> Objects:
    folder = Path("/sys/class/net") / name
    index = int((folder / "ifindex").read_text())
    link_type = int((folder / "type").read_text())
    speed_megabits = max(0, _number(folder / "speed") or 0)
    address = bytes.fromhex((folder / "address").read_text().strip().replace(":", ""))
    is_up = bool(int((folder / "flags").read_text(), 16) & IFF_UP)
    oper = OPER_STATES.get((folder / "operstate").read_text().strip(), 4)
    if link_type == ARPHRD_LOOPBACK and is_up:
        oper = 1  # the kernel calls the loopback's state "unknown"
    kind = {ARPHRD_ETHER: ETHERNET, ARPHRD_LOOPBACK: LOOPBACK}.get(link_type, OTHER)
    received, transmitted = row[0], row[8]
    values = {
        oids.IF_INDEX: Integer32(index),
        oids.IF_DESCR: OctetString(name),
        oids.IF_TYPE: Integer32(kind),
        oids.IF_MTU: Integer32(int((folder / "mtu").read_text())),
        oids.IF_SPEED: Gauge32(min(speed_megabits * 1_000_000, 2**32 - 1)),
        oids.IF_PHYS_ADDRESS: OctetString(address if kind == ETHERNET else b""),
        oids.IF_ADMIN_STATUS: Integer32(1 if is_up else 2),
        oids.IF_OPER_STATUS: Integer32(oper),
        oids.IF_IN_OCTETS: Counter32(received % 2**32),
        oids.IF_IN_DISCARDS: Counter32(row[3] % 2**32),
        oids.IF_IN_ERRORS: Counter32(row[2] % 2**32),
        oids.IF_OUT_OCTETS: Counter32(transmitted % 2**32),
        oids.IF_OUT_DISCARDS: Counter32(row[11] % 2**32),
        oids.IF_OUT_ERRORS: Counter32(row[10] % 2**32),
        oids.IF_NAME: OctetString(name),
        oids.IF_HC_IN_OCTETS: Counter64(received),
        oids.IF_HC_OUT_OCTETS: Counter64(transmitted),
        oids.IF_HIGH_SPEED: Gauge32(speed_megabits),
        oids.IF_ALIAS: OctetString((folder / "ifalias").read_text().strip()),
        oids.IF_COUNTER_DISCONTINUITY: TimeTicks(0),
    }
    duplex = DUPLEX.get(_text(folder / "duplex") or "")
    if duplex is not None:
        values[oids.DOT3_DUPLEX_STATUS] = Integer32(duplex)
    return [((*parse_oid(column), index), value) for column, value in values.items()]


def _text(path: Path) -> str | None:
    """Return a sysfs file's text; None when the driver refuses (EINVAL while the link is down)."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        raise
    except OSError:
        return None


def _number(path: Path) -> int | None:
    text = _text(path)
    return int(text) if text is not None else None
