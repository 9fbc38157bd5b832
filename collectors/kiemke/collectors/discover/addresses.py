"""Which MAC answers for which address: ARP and IPv6 neighbour tables (IP-MIB, RFC 4293 and RFC 2011)."""

import ipaddress

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.ids import index_address, station_mac
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.wire.lan import LanAddress
from kiemke.wire.reach import is_never

MEDIA_MAC = "1.3.6.1.2.1.4.22.1.2"  # ipNetToMediaPhysAddress, by ifIndex and address
MEDIA_TYPE = "1.3.6.1.2.1.4.22.1.4"  # ipNetToMediaType
PHYSICAL_MAC = (
    "1.3.6.1.2.1.4.35.1.4"  # ipNetToPhysicalPhysAddress, by ifIndex, kind, length, address
)
PHYSICAL_TYPE = "1.3.6.1.2.1.4.35.1.6"  # ipNetToPhysicalType
INVALID, LOCAL = 2, 5  # of both types; "local" is the device itself

Columns = dict[str, dict[Oid, Value]]


async def read(reader: SnmpReader, deadline: Deadline) -> list[LanAddress]:
    """Return the rows of both tables, each address once. Raises PollError."""
    walk = await reader.walk((MEDIA_MAC, MEDIA_TYPE, PHYSICAL_MAC, PHYSICAL_TYPE), deadline, None)
    if walk.problem is not None:
        raise walk.problem
    return make(walk.cells)


def make(cells: Columns) -> list[LanAddress]:
    """Return the rows that are whole and name a station; the newer table's win."""
    found: dict[str, LanAddress] = {}
    for mac_column, type_column, skip in (
        (MEDIA_MAC, MEDIA_TYPE, 1),
        (PHYSICAL_MAC, PHYSICAL_TYPE, 3),
    ):
        for row, value in cells.get(mac_column, {}).items():
            mac = station_mac(value)
            if mac is None or cells.get(type_column, {}).get(row) in (INVALID, LOCAL):
                continue
            address = index_address(row[skip:]) if _fits(row, skip) else None
            if address is not None and not is_never(ipaddress.ip_address(address)):
                found[address] = LanAddress(address, mac, row[0])
    return list(found.values())


def _fits(row: Oid, skip: int) -> bool:
    """Say whether an index has the shape of its table; zoned addresses (kinds 3 and 4) have not."""
    if skip == 1:
        return len(row) == 5
    return len(row) > 3 and (row[1], row[2]) in ((1, 4), (2, 16))
