"""The ports of a device as its inventory needs them: IF-MIB (RFC 2863) without counters."""

from collections.abc import Mapping
from dataclasses import dataclass

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.interfaces import make_row
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.collectors.snmp.values import read_counter
from kiemke.wire.clean import clean_text

COLUMNS = (
    oids.IF_DESCR,
    oids.IF_TYPE,
    oids.IF_MTU,
    oids.IF_SPEED,
    oids.IF_PHYS_ADDRESS,
    oids.IF_ADMIN_STATUS,
    oids.IF_OPER_STATUS,
    oids.IF_NAME,
    oids.IF_HIGH_SPEED,
    oids.IF_ALIAS,
)
# RFC 2863 ifOperStatus.
OPER_STATES = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}


@dataclass(frozen=True, slots=True)
class Port:
    """One interface: ``name`` is ifName, else ifDescr; speed in bits/s, MTU in bytes; None: not told."""

    index: int
    name: str | None
    description: str | None
    alias: str | None
    type: int | None
    speed_bits_per_second: int | None
    mtu: int | None
    mac: str | None
    admin_up: bool | None
    oper_status: str | None


async def read_ports(
    reader: SnmpReader, deadline: Deadline, count: Value | None
) -> tuple[tuple[Port, ...], str | None]:
    """Return the ports in order of ifIndex, and why they are not all, None when they are.

    ``count`` is ifNumber, which spares a small device long questions. Raises PollError when nothing
    came back.
    """
    walk = await reader.walk(COLUMNS, deadline, read_counter(count))
    rows: dict[Oid, dict[str, Value]] = {}
    for column, cells in walk.cells.items():
        for suffix, value in cells.items():
            if len(suffix) == 1:
                rows.setdefault(suffix, {})[column] = value
    ports = tuple(_port(suffix[0], rows[suffix]) for suffix in sorted(rows))
    return ports, walk.problem.detail if walk.problem else None


def add_named(ports: tuple[Port, ...], names: Mapping[int, str]) -> tuple[Port, ...]:
    """Return the ports in order with those added that only a name by ifIndex is known of."""
    known = {port.index for port in ports}
    added = [
        Port(index, name, None, None, None, None, None, None, None, None)
        for index, name in names.items()
        if index not in known
    ]
    return tuple(sorted((*ports, *added), key=lambda port: port.index))


def _port(index: int, row: dict[str, Value]) -> Port:
    read = make_row(index, row)
    state = row.get(oids.IF_OPER_STATUS)
    return Port(
        index=index,
        name=_clean(read.name or read.description),
        description=_clean(read.description),
        alias=_clean(read.alias),
        type=read.type,
        speed_bits_per_second=read.speed_bits_per_second,
        mtu=read_counter(row.get(oids.IF_MTU)),
        mac=read.mac,
        admin_up=read.admin_up,
        oper_status=OPER_STATES.get(state) if isinstance(state, int) else None,
    )


def _clean(text: str | None) -> str | None:
    return clean_text(text) or None if text is not None else None
