"""A device's own ports: the number that LLDP or a bridge gives one, and what the device calls it."""

from dataclasses import dataclass, field

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.discover.ids import PORT_KINDS, label, name_of
from kiemke.collectors.errors import PollError
from kiemke.collectors.snmp import oids
from kiemke.collectors.snmp.reader import Oid, SnmpReader, Value
from kiemke.collectors.snmp.values import read_mac, read_number, read_text

BASE_PORT_IF_INDEX = "1.3.6.1.2.1.17.1.4.1.2"  # BRIDGE-MIB dot1dBasePortIfIndex, by bridge port
LOC_PORT_KIND = "1.0.8802.1.1.2.1.3.7.1.2"  # LLDP-MIB lldpLocPortIdSubtype, by LLDP port
LOC_PORT_ID = "1.0.8802.1.1.2.1.3.7.1.3"  # lldpLocPortId
LOC_PORT_DESC = "1.0.8802.1.1.2.1.3.7.1.4"  # lldpLocPortDesc

Cells = dict[str, dict[Oid, Value]]


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports of one device. ``names`` by ifIndex; ``bridge`` bridge port -> ifIndex."""

    names: dict[int, str] = field(default_factory=dict)
    bridge: dict[int, int] = field(default_factory=dict)
    lldp: dict[int, int] = field(default_factory=dict)
    lldp_names: dict[int, str] = field(default_factory=dict)

    def of_index(self, index: int) -> tuple[str | None, int | None]:
        """Return (name, ifIndex) of an interface."""
        return self.names.get(index), index

    def of_bridge(self, number: int) -> tuple[str | None, int | None]:
        """Return (name, ifIndex) of a bridge port.

        Without a table the numbers are often the same; some switches give ifIndex despite the table.
        """
        index = self.bridge.get(number)
        if index is None and number in (self.bridge.values() if self.bridge else self.names):
            index = number
        return (str(number), None) if index is None else self.of_index(index)

    def of_lldp(self, number: int) -> tuple[str | None, int | None]:
        """Return (name, ifIndex) of an LLDP port."""
        index = self.lldp.get(number)
        if index is None and not self.lldp_names:
            index = self.bridge.get(number, number)
            if index not in self.names:
                index = None
        if index is None:
            return self.lldp_names.get(number, str(number)), None
        return self.names.get(index) or self.lldp_names.get(number), index


async def read(reader: SnmpReader, deadline: Deadline) -> Ports:
    """Return the ports of a device, as far as it tells. Raises PollError when it does not answer."""
    walk = await reader.walk(
        (oids.IF_DESCR, oids.IF_NAME, oids.IF_ALIAS, oids.IF_PHYS_ADDRESS), deadline, None
    )
    try:
        more = await reader.walk(
            (BASE_PORT_IF_INDEX, LOC_PORT_KIND, LOC_PORT_ID, LOC_PORT_DESC), deadline, None
        )
    except PollError:
        return make(walk.cells)
    return make({**walk.cells, **more.cells})


def make(cells: Cells) -> Ports:
    """Return the ports that columns tell; a row that does not fit is passed over."""
    names: dict[int, str] = {}
    for column in (oids.IF_DESCR, oids.IF_NAME):
        for row, value in cells.get(column, {}).items():
            text = read_text(value)
            if len(row) == 1 and text:
                names[row[0]] = text[:255]
    bridge = {
        row[0]: index
        for row, value in cells.get(BASE_PORT_IF_INDEX, {}).items()
        if len(row) == 1 and (index := read_number(value)) is not None and index > 0
    }
    ports = Ports(names, bridge)
    _match_lldp(ports, cells)
    return ports


def _match_lldp(ports: Ports, cells: Cells) -> None:
    """Find each LLDP port's ifIndex by its name, label, MAC or number, the surest first."""
    known = _Known(ports, cells)
    rows = {row for row in cells.get(LOC_PORT_ID, {}) if len(row) == 1}
    rows |= {row for row in cells.get(LOC_PORT_DESC, {}) if len(row) == 1}
    for row in rows:
        kind, text = name_of(
            PORT_KINDS,
            cells.get(LOC_PORT_KIND, {}).get(row),
            cells.get(LOC_PORT_ID, {}).get(row),
        )
        told = label(cells.get(LOC_PORT_DESC, {}).get(row))
        shown = told if kind == "mac" or text is None else text
        if shown is not None:
            ports.lldp_names[row[0]] = shown
        index = known.find(row[0], kind, text, told)
        if index is not None:
            ports.lldp[row[0]] = index


class _Known:
    """What names an interface: each of its texts that no other interface has."""

    def __init__(self, ports: Ports, cells: Cells) -> None:
        self._ports = ports
        self._texts: dict[str, int | None] = {}
        self._macs: dict[str, int | None] = {}
        for column in (oids.IF_NAME, oids.IF_DESCR, oids.IF_ALIAS):
            seen: dict[str, int | None] = {}
            for row, value in cells.get(column, {}).items():
                text = read_text(value)
                if len(row) == 1 and text:
                    seen[text] = None if text in seen else row[0]
            self._texts = {**seen, **self._texts}
        for row, value in cells.get(oids.IF_PHYS_ADDRESS, {}).items():
            mac = read_mac(value)
            if len(row) == 1 and mac:
                self._macs[mac] = None if mac in self._macs else row[0]

    def find(self, number: int, kind: str | None, text: str | None, told: str | None) -> int | None:
        for name in (text, told):
            index = self._texts.get(name or "")
            if index is not None:
                return index
        if kind == "mac" and self._macs.get(text or "") is not None:
            return self._macs[text or ""]
        if kind == "local" and text and text.isascii() and text.isdigit() and len(text) < 10:
            if int(text) in self._ports.names:
                return int(text)
        index = self._ports.bridge.get(number)
        if index is not None:
            return index
        return number if number in self._ports.names else None
