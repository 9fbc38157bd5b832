"""What stands on a local network: who is beside a device, what its tables hold, what a sweep found.

Names and descriptions are what others say of themselves: evidence for a reader, never an identity.
MACs are "0c:5f:4c:5a:00:01"; ``port`` is what the device calls the port (ifName, else ifDescr),
``index`` its ifIndex, None where the device does not tell.
"""

from dataclasses import dataclass

NEIGHBOUR_PROTOCOLS = ("lldp", "cdp", "edp")
# What kind of name a chassis or port goes by (IEEE 802.1AB subtypes).
ID_KINDS = ("mac", "address", "name", "alias", "component", "port", "circuit", "local")
ABILITIES = (
    "bridge", "router", "access_point", "telephone", "repeater", "docsis", "station", "other",
)  # fmt: skip
# How a host of a sweep was seen; "table": it stands in this machine's neighbour table.
SIGNS = ("icmp", "tcp", "snmp", "table")


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One row of a device's LLDP, CDP or EDP table: who says it is at the other end of ``port``.

    ``far_port`` is the other end's own port, of the kind ``far_kind``; ``duplex`` what the other end
    says of its side ("half" or "full"), ``vlan`` its native VLAN.
    """

    protocol: str
    port: str | None = None
    index: int | None = None
    chassis: str | None = None
    chassis_kind: str | None = None
    far_port: str | None = None
    far_kind: str | None = None
    far_label: str | None = None
    name: str | None = None
    description: str | None = None
    addresses: tuple[str, ...] = ()
    abilities: tuple[str, ...] = ()
    duplex: str | None = None
    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class Station:
    """A MAC that a switch learned on one of its ports (BRIDGE-MIB, Q-BRIDGE-MIB)."""

    mac: str
    port: str | None = None
    index: int | None = None
    vlan: int | None = None


@dataclass(frozen=True, slots=True)
class LanAddress:
    """A row of a device's ARP or IPv6 neighbour table (IP-MIB)."""

    address: str
    mac: str
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The tables of one device that tell what is around it, or why there are none.

    A table that could not be read whole is None; one that the device has not, or has empty, is ().
    """

    device: int
    outcome: str
    neighbours: tuple[Neighbour, ...] | None = None
    stations: tuple[Station, ...] | None = None
    addresses: tuple[LanAddress, ...] | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class LanHost:
    """An address at which something was seen, by which ``signs`` (see SIGNS), with its open ports.

    ``snmp_version`` "3" or "2c": an SNMP agent answers; the ``sys_*`` texts are what it told to
    everybody.
    """

    address: str
    mac: str | None = None
    signs: tuple[str, ...] = ()
    rtt_seconds: float | None = None
    open_ports: tuple[int, ...] = ()
    snmp_version: str | None = None
    sys_descr: str | None = None
    sys_object_id: str | None = None
    sys_name: str | None = None


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the registered subnets of a site.

    ``asked`` addresses were looked at, ``refused`` ones left alone (denied, another site's, never an
    office's). Only with outcome "ok" is an address of ``subnets`` that is not among ``hosts`` silent.
    """

    site: int
    outcome: str
    subnets: tuple[str, ...]
    asked: int
    refused: int
    seconds: float
    hosts: tuple[LanHost, ...] = ()
    detail: str | None = None
