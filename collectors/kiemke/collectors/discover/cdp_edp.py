"""A device's neighbours by the makers' own protocols: CDP (Cisco and others) and EDP (Extreme)."""

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.ids import cdp_words, label, packed_address, plain, station_mac
from kiemke.collectors.discover.ports import Ports
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.collectors.snmp.values import read_number
from kiemke.wire.lan import Neighbour

CDP = "1.3.6.1.4.1.9.9.23.1.2.1.1"  # CISCO-CDP-MIB cdpCacheEntry, by ifIndex and number
CDP_ADDRESS, CDP_VERSION, CDP_DEVICE, CDP_PORT = (f"{CDP}.{n}" for n in (4, 5, 6, 7))
CDP_PLATFORM, CDP_ABILITIES, CDP_VLAN, CDP_DUPLEX = (f"{CDP}.{n}" for n in (8, 9, 11, 12))
EDP = "1.3.6.1.4.1.1916.1.13.2.1"  # EXTREME-EDP-MIB extremeEdpEntry, by ifIndex and neighbour's id
EDP_NAME, EDP_VERSION, EDP_SLOT, EDP_PORT = (f"{EDP}.{n}" for n in (3, 4, 5, 6))
# The neighbour's id: two bytes of its own, then its MAC.
EDP_ID_BYTES = 8
DUPLEX = {2: "half", 3: "full"}
VLANS = range(1, 4095)
LONGEST_DESCRIPTION = 500


async def read_cdp(reader: SnmpReader, ports: Ports, deadline: Deadline) -> list[Neighbour]:
    """Return the neighbours by CDP, () without such a table. Raises PollError."""
    columns = (
        CDP_ADDRESS, CDP_VERSION, CDP_DEVICE, CDP_PORT, CDP_PLATFORM, CDP_ABILITIES, CDP_VLAN,
        CDP_DUPLEX,
    )  # fmt: skip
    cells = await _cells(reader, deadline, columns)
    rows = {row for column in cells.values() for row in column if len(row) == 2}
    made = []
    for row in sorted(rows):
        device, far_port = plain(cells[CDP_DEVICE].get(row)), plain(cells[CDP_PORT].get(row))
        if device is None and far_port is None:
            continue
        port, number = ports.of_index(row[0])
        value = cells[CDP_ADDRESS].get(row)
        address = packed_address(value) if isinstance(value, bytes) else None
        told = (label(cells[column].get(row)) for column in (CDP_PLATFORM, CDP_VERSION))
        vlan = read_number(cells[CDP_VLAN].get(row))
        made.append(
            Neighbour(
                "cdp",
                port,
                number,
                device,
                None if device is None else "local",
                far_port,
                None if far_port is None else "name",
                None,
                device,
                " · ".join(text for text in told if text)[:LONGEST_DESCRIPTION] or None,
                () if address is None else (address,),
                cdp_words(cells[CDP_ABILITIES].get(row)),
                DUPLEX.get(read_number(cells[CDP_DUPLEX].get(row)) or 0),
                vlan if vlan in VLANS else None,
            )
        )
    return made


async def read_edp(reader: SnmpReader, ports: Ports, deadline: Deadline) -> list[Neighbour]:
    """Return the neighbours by EDP; all of them are switches. Raises PollError."""
    cells = await _cells(reader, deadline, (EDP_NAME, EDP_VERSION, EDP_SLOT, EDP_PORT))
    rows = {row for column in cells.values() for row in column if len(row) == EDP_ID_BYTES + 1}
    made = []
    for row in sorted(rows):
        port, number = ports.of_index(row[0])
        mac = station_mac(bytes(row[3:])) if all(part < 256 for part in row[3:]) else None
        if mac is None:
            continue
        slot = read_number(cells[EDP_SLOT].get(row))
        far = read_number(cells[EDP_PORT].get(row))
        made.append(
            Neighbour(
                "edp",
                port,
                number,
                mac,
                "mac",
                None if far is None else f"{slot}:{far}" if slot else str(far),
                None if far is None else "name",
                None,
                label(cells[EDP_NAME].get(row)),
                None,
                abilities=("bridge",),
            )
        )
    return made


async def _cells(
    reader: SnmpReader, deadline: Deadline, columns: tuple[str, ...]
) -> dict[str, dict[Oid, Value]]:
    walk = await reader.walk(columns, deadline, None)
    if walk.problem is not None:
        raise walk.problem
    return walk.cells
