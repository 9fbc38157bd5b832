"""What a type cannot say of neighbours' tables and sweeps: shapes of MACs, addresses and words."""

import ipaddress
import re

from kiemke.server.ingest.incoming import BadReport
from kiemke.wire.lan import ABILITIES, ID_KINDS, NEIGHBOUR_PROTOCOLS, SIGNS, Neighbours, Sweep
from kiemke.wire.report import POLL_OUTCOMES

MAX_ROWS = 20_000
MAX_ADDRESSES = 64
MAX_PORTS = 32
MAX_SUBNETS = 256
MAX_INT64 = 2**63 - 1
VLANS = range(4096)

_MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def check_neighbours(body: Neighbours) -> None:
    """Refuse what could not come from a device. Raises BadReport."""
    _outcome(body.outcome)
    _number(body.device, "device")
    for rows in (body.neighbours, body.stations, body.addresses):
        if rows is not None and len(rows) > MAX_ROWS:
            raise BadReport(f"more than {MAX_ROWS} rows of a table")
    for beside in body.neighbours or ():
        _word(beside.protocol, NEIGHBOUR_PROTOCOLS, "protocol")
        for kind in (beside.chassis_kind, beside.far_kind):
            if kind is not None:
                _word(kind, ID_KINDS, "kind of a name")
        for word in beside.abilities:
            _word(word, ABILITIES, "ability")
        if beside.duplex not in (None, "half", "full"):
            raise BadReport("duplex: half or full")
        if len(beside.addresses) > MAX_ADDRESSES:
            raise BadReport(f"more than {MAX_ADDRESSES} addresses of a neighbour")
        for address in beside.addresses:
            _address(address)
        _number(beside.index, "index")
        _vlan(beside.vlan)
    for station in body.stations or ():
        _mac(station.mac)
        _number(station.index, "index")
        _vlan(station.vlan)
    for row in body.addresses or ():
        _address(row.address)
        _mac(row.mac)
        _number(row.index, "index")


def check_sweep(body: Sweep) -> None:
    """Refuse what could not come from a sweep. Raises BadReport."""
    _outcome(body.outcome)
    _number(body.site, "site")
    for value in (body.asked, body.refused):
        _number(value, "asked or refused", 2**31 - 1)
    if not 0 <= body.seconds <= 1e7:
        raise BadReport("seconds: out of range")
    if len(body.hosts) > MAX_ROWS or len(body.subnets) > MAX_SUBNETS:
        raise BadReport(f"more than {MAX_ROWS} hosts or {MAX_SUBNETS} subnets")
    if len({host.address for host in body.hosts}) != len(body.hosts):
        raise BadReport("an address stands twice")
    for text in body.subnets:
        try:
            ipaddress.ip_network(text)
        except ValueError as error:
            raise BadReport("subnets: not in CIDR form") from error
    for host in body.hosts:
        _address(host.address)
        if host.mac is not None:
            _mac(host.mac)
        for sign in host.signs:
            _word(sign, SIGNS, "sign")
        if len(host.open_ports) > MAX_PORTS or not all(0 < n < 65_536 for n in host.open_ports):
            raise BadReport(f"open_ports: up to {MAX_PORTS} of 1 to 65535")
        if host.rtt_seconds is not None and not 0 <= host.rtt_seconds <= 3600:
            raise BadReport("rtt_seconds: out of range")
        if host.snmp_version not in (None, "2c", "3"):
            raise BadReport("snmp_version: 2c or 3")


def _outcome(word: str) -> None:
    if word not in POLL_OUTCOMES:
        raise BadReport(f"unknown outcome {word!r}")


def _word(word: str, known: tuple[str, ...], what: str) -> None:
    if word not in known:
        raise BadReport(f"unknown {what} {word[:40]!r}")


def _number(value: int | None, what: str, most: int = MAX_INT64) -> None:
    if value is not None and not 0 <= value <= most:
        raise BadReport(f"{what}: out of range")


def _vlan(value: int | None) -> None:
    if value is not None and value not in VLANS:
        raise BadReport("vlan: 0 to 4095")


def _mac(text: str) -> None:
    if _MAC.fullmatch(text) is None:
        raise BadReport("mac: not like 0c:5f:4c:5a:00:01")


def _address(text: str) -> None:
    # In its shortest form: an address written in two ways would be two.
    try:
        same = len(text) <= 45 and str(ipaddress.ip_address(text)) == text
    except ValueError:
        same = False
    if not same:
        raise BadReport("address: not an IP address in its shortest form")
