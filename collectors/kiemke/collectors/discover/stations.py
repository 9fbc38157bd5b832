"""Which MAC a switch learned on which port: Q-BRIDGE-MIB (RFC 4363), else BRIDGE-MIB (RFC 4188)."""

from collections.abc import Awaitable, Callable

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.ids import index_mac
from kiemke.collectors.discover.ports import BASE_PORT_IF_INDEX, Ports
from kiemke.collectors.errors import AuthRefused, BadAnswer, PollTimeout
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.collectors.snmp.values import read_number
from kiemke.wire.lan import Station

Q_PORT = "1.3.6.1.2.1.17.7.1.2.2.1.2"  # dot1qTpFdbPort, by filtering database and MAC
Q_STATUS = "1.3.6.1.2.1.17.7.1.2.2.1.3"  # dot1qTpFdbStatus
VLAN_FDB = "1.3.6.1.2.1.17.7.1.4.2.1.3"  # dot1qVlanFdbId, by time mark and VLAN
D_PORT = "1.3.6.1.2.1.17.4.3.1.2"  # dot1dTpFdbPort, by MAC
D_STATUS = "1.3.6.1.2.1.17.4.3.1.3"  # dot1dTpFdbStatus
VTP_STATE = (
    "1.3.6.1.4.1.9.9.46.1.3.1.1.2"  # CISCO-VTP-MIB vtpVlanState, by domain and VLAN; 1 in use
)
# 3 learned, 5 set by hand (port security keeps what it learned so); not 2 invalid, 4 the switch's own.
LEARNED = (3, 5)
VLANS = range(1, 4095)
# VLANs that every Cisco switch has for protocols of the past.
OLD_VLANS = range(1002, 1006)
MAX_VLANS = 64

Columns = dict[str, dict[Oid, Value]]
# Gives a reader of one VLAN of a Cisco switch.
OfVlan = Callable[[int], Awaitable[SnmpReader]]


async def read(
    reader: SnmpReader, ports: Ports, deadline: Deadline, of_vlan: OfVlan | None = None
) -> list[Station]:
    """Return the learned MACs of a device, [] when it is no bridge or tells nothing.

    ``of_vlan`` is given for switches that show one VLAN at a time (Cisco, by community@VLAN or by the
    context vlan-VLAN; one that refuses its first VLAN is asked for what it shows without). Raises PollError
    when a table could not be read to its end.
    """
    cells = await _columns(reader, deadline, Q_PORT, Q_STATUS)
    if cells[Q_PORT]:
        cells |= await _columns(reader, deadline, VLAN_FDB)
        return make_tagged(cells, ports)
    if of_vlan is not None:
        found = await _read_vlans(reader, ports, deadline, of_vlan)
        if found:
            return found
    return make_plain(await _columns(reader, deadline, D_PORT, D_STATUS), ports)


async def _read_vlans(
    reader: SnmpReader, ports: Ports, deadline: Deadline, of_vlan: OfVlan
) -> list[Station]:
    states = (await _columns(reader, deadline, VTP_STATE))[VTP_STATE]
    vlans = sorted(
        {row[-1] for row, state in states.items() if state == 1 and row and row[-1] in VLANS}
        - set(OLD_VLANS)
    )
    found: list[Station] = []
    for vlan in vlans[:MAX_VLANS]:
        try:
            other = await of_vlan(vlan)
            cells = await _columns(other, deadline, D_PORT, D_STATUS, BASE_PORT_IF_INDEX)
        except (AuthRefused, BadAnswer, PollTimeout):
            if vlan != vlans[0]:
                raise
            return []  # it shows no VLANs so, or not to this user; some do not answer then
        bridge = {
            row[0]: index
            for row, value in cells[BASE_PORT_IF_INDEX].items()
            if len(row) == 1 and (index := read_number(value)) is not None
        }
        found += make_plain(cells, Ports(ports.names, bridge), vlan)
    return found


async def _columns(reader: SnmpReader, deadline: Deadline, *names: str) -> Columns:
    walk = await reader.walk(names, deadline, None)
    if walk.problem is not None:
        raise walk.problem
    return walk.cells


def make_tagged(cells: Columns, ports: Ports) -> list[Station]:
    """Return the stations of a VLAN-aware bridge, each once for its VLAN."""
    vlans = _vlans(cells.get(VLAN_FDB, {}))
    found: dict[tuple[str, int | None], Station] = {}
    for row, value in cells[Q_PORT].items():
        mac = index_mac(row[1:])
        number = read_number(value)
        if mac is None or not number or not _is_learned(cells[Q_STATUS].get(row)):
            continue
        vlan = vlans.get(row[0]) if vlans else row[0] if row[0] in VLANS else None
        found[mac, vlan] = Station(mac, *ports.of_bridge(number), vlan)
    return list(found.values())


def make_plain(cells: Columns, ports: Ports, vlan: int | None = None) -> list[Station]:
    """Return the stations of a bridge without VLANs, or of one VLAN."""
    found = []
    for row, value in cells[D_PORT].items():
        mac = index_mac(row)
        number = read_number(value)
        if mac is not None and number and _is_learned(cells[D_STATUS].get(row)):
            found.append(Station(mac, *ports.of_bridge(number), vlan))
    return found


def _is_learned(status: Value | None) -> bool:
    return status is None or status in LEARNED


def _vlans(column: dict[Oid, Value]) -> dict[int, int | None]:
    """Return filtering database -> VLAN; None for a database that several VLANs share."""
    found: dict[int, int | None] = {}
    for row, value in column.items():
        database, vlan = read_number(value), row[-1] if row else 0
        if database is not None and vlan in VLANS:
            found[database] = vlan if found.get(database, vlan) == vlan else None
    return found
