"""A device's LLDP neighbours: LLDP-MIB (IEEE 802.1AB-2005), LLDP-V2-MIB (2009), LLDP-MED and dot3."""

from dataclasses import dataclass

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.ids import (
    CHASSIS_KINDS,
    PORT_KINDS,
    bit_words,
    index_address,
    label,
    mau_duplex,
    name_of,
)
from kiemke.collectors.discover.ports import Ports
from kiemke.collectors.errors import PollError
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.collectors.snmp.values import read_number
from kiemke.wire.lan import Neighbour

REM = "1.0.8802.1.1.2.1.4.1.1"  # lldpRemEntry, by time mark, local port, number
MANAGEMENT = "1.0.8802.1.1.2.1.4.2.1.3"  # lldpRemManAddrIfSubtype; the address stands in the index
REM_V2 = "1.3.111.2.802.1.1.13.1.4.1.1"  # lldpV2RemEntry, by time mark, ifIndex, group, number
MANAGEMENT_V2 = "1.3.111.2.802.1.1.13.1.4.2.1.3"  # lldpV2RemManAddrIfSubtype
MED_CLASS = "1.0.8802.1.1.2.1.5.4795.1.3.1.1.3"  # lldpXMedRemDeviceClass, 3 a phone or its like
DOT3_MAU = "1.0.8802.1.1.2.1.5.4623.1.3.1.1.4"  # lldpXdot3RemPortOperMauType
# MIKROTIK-MIB mtxrNeighborInterfaceID: RouterOS numbers its neighbours alike in both tables, and leaves
# the local port out of LLDP's.
MTXR_INTERFACE = "1.3.6.1.4.1.14988.1.1.11.1.1.8"
PHONE_CLASS = 3
LONGEST_DESCRIPTION = 500


@dataclass(frozen=True, slots=True)
class _Version:
    """Where one edition of the MIB keeps things; ``key`` arcs of an index name a neighbour."""

    entry: str
    first: int
    key: int
    management: str

    def column(self, place: int) -> str:
        """Return the column ``place`` places behind the chassis' subtype."""
        return f"{self.entry}.{self.first + place}"


_PLAIN = _Version(REM, 4, 3, MANAGEMENT)
_SECOND = _Version(REM_V2, 5, 4, MANAGEMENT_V2)
# Places: chassis subtype, chassis, port subtype, port, its label, name, description, abilities, enabled.
_PLACES = range(9)

Columns = dict[str, dict[Oid, Value]]


async def read(reader: SnmpReader, ports: Ports, deadline: Deadline) -> list[Neighbour]:
    """Return the neighbours, the newer MIB's only where the older one tells none.

    Raises PollError when a table could not be read to its end.
    """
    for version in (_PLAIN, _SECOND):
        cells = await _columns(reader, deadline, *map(version.column, _PLACES))
        rows = {row for column in cells.values() for row in column if len(row) in (1, version.key)}
        if rows:
            more = await _columns(reader, deadline, version.management)
            if version is _PLAIN:
                more |= await _extras(reader, deadline, MED_CLASS, DOT3_MAU)
                if any(not _local_port(row) for row in rows):
                    more |= await _extras(reader, deadline, MTXR_INTERFACE)
            return make(version, rows, {**cells, **more}, ports)
    return []


async def _columns(reader: SnmpReader, deadline: Deadline, *names: str) -> Columns:
    walk = await reader.walk(names, deadline, None)
    if walk.problem is not None:
        raise walk.problem
    return walk.cells


async def _extras(reader: SnmpReader, deadline: Deadline, *names: str) -> Columns:
    """Return what extensions add; many devices have none, and nothing rests on them."""
    try:
        return await _columns(reader, deadline, *names)
    except PollError:
        return {}


def _local_port(row: Oid) -> int:
    """Return the number of the local port in an index, 0 where an agent leaves it out."""
    return row[1] if len(row) > 1 else 0


def _port(
    row: Oid, version: _Version, cells: Columns, ports: Ports
) -> tuple[str | None, int | None]:
    number = _local_port(row)
    if number:
        return ports.of_lldp(number) if version is _PLAIN else ports.of_index(number)
    index = read_number(cells.get(MTXR_INTERFACE, {}).get(row[-1:]))
    return (None, None) if index is None else ports.of_index(index)


def make(version: _Version, rows: set[Oid], cells: Columns, ports: Ports) -> list[Neighbour]:
    """Return a neighbour for each row of the table, in order of the local port."""
    addresses: dict[Oid, list[str]] = {}
    for index in cells.get(version.management, {}):
        key, found = index[: version.key], _management_address(index[version.key :])
        if found is not None:
            addresses.setdefault(key, []).append(found)
    made = []
    for row in sorted(rows, key=lambda each: (_local_port(each), each)):
        at = [cells.get(version.column(place), {}).get(row) for place in _PLACES]
        chassis_kind, chassis = name_of(CHASSIS_KINDS, at[0], at[1])
        far_kind, far_port = name_of(PORT_KINDS, at[2], at[3])
        if chassis is None and far_port is None:
            continue
        port, number = _port(row, version, cells, ports)
        abilities = bit_words(at[7] if at[8] is None else at[8])
        if read_number(cells.get(MED_CLASS, {}).get(row)) == PHONE_CLASS:
            abilities = tuple(dict.fromkeys((*abilities, "telephone")))
        made.append(
            Neighbour(
                "lldp",
                port,
                number,
                chassis,
                chassis_kind,
                far_port,
                far_kind,
                label(at[4]),
                label(at[5]),
                label(at[6], LONGEST_DESCRIPTION),
                tuple(dict.fromkeys(addresses.get(row, ()))),
                abilities,
                mau_duplex(cells.get(DOT3_MAU, {}).get(row)),
            )
        )
    return list(dict.fromkeys(made))


def _management_address(index: Oid) -> str | None:
    """Return the address of subtype, length, bytes; some agents leave the length out."""
    if len(index) < 5 or index[0] not in (1, 2):
        return None
    wanted = 4 if index[0] == 1 else 16
    if index[1] == wanted and len(index) == wanted + 2:
        return index_address(index[2:])
    return index_address(index[1:]) if len(index) == wanted + 1 else None
