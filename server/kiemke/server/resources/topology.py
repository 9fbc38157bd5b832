"""What is connected to what, on which switch port something stands, and what sweeps found."""

import ipaddress
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.cable_troubles import troubles_of
from kiemke.server.domain.lan_fixes import fix_of
from kiemke.server.domain.lan_hosts import (
    HOLDS,
    IS_BOOKED,
    IS_DEVICE,
    IS_MACHINE,
    IS_POLLED,
    IS_UNKNOWN,
)
from kiemke.server.domain.lan_names import mac_of
from kiemke.server.domain.topology import End, load_graph
from kiemke.server.domain.whereabouts import Place, find_places
from kiemke.server.errors import Problem
from kiemke.server.resources import devices, machines
from kiemke.server.resources.lan_owners import Names, Owner, load_names
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, visible_units

_MAC = re.compile(r"[0-9a-f]{12}")
_MOST_PLACES = 200

HOSTS = Listing(
    columns="h.id, h.unit_id, v.code AS unit_code, v.name AS unit_name, h.address, h.mac, h.signs,"
    " h.rtt_seconds, h.open_ports, h.snmp_version, h.sys_descr, h.sys_name, h.first_seen_ms,"
    f" h.last_seen_ms, {IS_MACHINE} AS is_machine, {IS_DEVICE} AS is_device,"
    f" {IS_BOOKED} AS is_booked, {IS_POLLED} AS is_polled",
    tables="lan_host h LEFT JOIN unit_version v ON v.unit_id = h.unit_id AND {active v}",
    where=(HOLDS, f"(CAST(:unknown AS INTEGER) = 0 OR ({IS_UNKNOWN}))"),
    key="h.address",
    id="h.id",
    in_units="h.unit_id IN :[units]",
    search=("h.address", "h.mac", "h.sys_descr", "h.sys_name"),
)


@dataclass(frozen=True, slots=True)
class TopologyDevice:
    """A device of the list."""

    code: str
    name: str
    kind: str
    unit: UnitRef | None
    address: str | None


@dataclass(frozen=True, slots=True)
class TopologyEnd:
    """One end of a cable. ``device`` null: not in the list; ``name`` is what it says it is called."""

    device: str | None
    port: str | None
    name: str | None
    description: str | None
    abilities: list[str]
    addresses: list[str]
    speed_bits_per_second: int | None
    duplex: str | None


@dataclass(frozen=True, slots=True)
class TopologyCable:
    """A cable, by which ``protocols`` it is known; ``troubles`` as in the findings."""

    near: TopologyEnd
    far: TopologyEnd
    protocols: list[str]
    since: str | None
    seen_at: str | None
    troubles: list[str]


@dataclass(frozen=True, slots=True)
class Topology:
    """The devices within sight and the cables they tell of, at a moment."""

    devices: list[TopologyDevice]
    cables: list[TopologyCable]


@dataclass(frozen=True, slots=True)
class WhereaboutsPlace:
    """A stay at a switch's port. ``role`` "access", "phone" or "shared"; ``until`` null: still there.

    ``dock``: the MAC is of a dock or an adapter that can be plugged elsewhere.
    """

    device: str
    device_name: str
    port: str
    vlan: int | None
    mac: str
    dock: bool
    role: str
    because: str
    since: str | None
    seen_at: str | None
    until: str | None
    beside: list[Owner]


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a machine, a device, a MAC or an address is and was connected, the newest first."""

    kind: str
    ref: str
    name: str | None
    macs: list[str]
    addresses: list[str]
    places: list[WhereaboutsPlace]


@dataclass(frozen=True, slots=True)
class LanHost:
    """What a sweep saw at an address; ``is_known``: a device, machine or asset of ours.

    ``fix`` is the cheapest way to see more of it (see docs/discovery.md), null where nothing is to do.
    """

    unit: UnitRef | None
    address: str
    mac: str | None
    signs: list[str]
    rtt_seconds: float | None
    open_ports: list[int]
    snmp_version: str | None
    sys_descr: str | None
    sys_name: str | None
    since: str | None
    seen_at: str | None
    is_known: bool
    fix: str | None


def moment_ms(services: Services, moment: Moment) -> int:
    """Return the end of the day asked about, or what was known last if that is earlier (epoch ms)."""
    offset = services.installation.utc_offset_seconds if services.installation else 0
    end = calendar.day_start_ms(moment.day + timedelta(days=1), offset) - 1
    return min(end, moment.known_ms)


async def _seen_devices(session: Session, units: list[int] | None) -> set[int] | None:
    if units is None:
        return None
    rows = await session.fetch("SELECT id FROM device WHERE unit_id IN :[units]", units=units)
    return {row["id"] for row in rows}


@get("/api/v1/topology", opt={"role": "auditor"}, tags=["topology"])
async def get_topology(
    request: AppRequest,
    moment: NamedDependency[Moment],
    unit: Annotated[str | None, QueryParameter(description="code of a unit: its subtree")] = None,
) -> Topology:
    """Return devices and cables; what is no device within sight is told as its neighbour tells it."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, unit)
    async with services.db.reading() as session:
        seen = await _seen_devices(session, units)
        graph = await load_graph(session, moment_ms(services, moment), moment.known_ms, seen)
    refs = await load_refs(services, moment)
    codes = {key: str(row["code"]) for key, row in graph.devices.items()}
    return Topology(
        [
            TopologyDevice(
                row["code"], row["name"], row["kind"], refs.get(row["unit_id"]), row["address"]
            )
            for row in sorted(graph.devices.values(), key=lambda each: str(each["code"]))
        ],
        [
            TopologyCable(
                _end(cable.near, codes),
                _end(cable.far, codes),
                list(cable.protocols),
                rfc3339(cable.since_ms),
                rfc3339(cable.seen_ms),
                troubles_of(cable),
            )
            for cable in graph.cables
        ],
    )


def _end(end: End, codes: dict[int, str]) -> TopologyEnd:
    return TopologyEnd(
        None if end.device is None else codes[end.device],
        end.port,
        end.name,
        end.description,
        list(end.abilities),
        list(end.addresses),
        end.speed_bits_per_second,
        end.duplex,
    )


@get("/api/v1/whereabouts/{ref:str}", opt={"role": "auditor"}, tags=["topology"])
async def get_whereabouts(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Whereabouts:
    """Tell on which switch port a MAC, an address, a device or a machine is and was."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    at_ms = moment_ms(services, moment)
    found = await _look_up(request, ref, moment, at_ms, units)
    async with services.db.reading() as session:
        seen = await _seen_devices(session, units)
        places = await find_places(session, found.macs, at_ms, moment.known_ms, seen)
        places = places[:_MOST_PLACES]
        macs = {mac for place in places for mac in (place.mac, *place.with_macs)}
        names = await load_names(session, macs, at_ms, units, [each.device_id for each in places])
    return Whereabouts(
        found.kind,
        found.ref,
        found.name,
        found.macs,
        found.addresses,
        [_place(place, names) for place in places],
    )


def _place(place: Place, names: Names) -> WhereaboutsPlace:
    code, name = names.devices[place.device_id]
    return WhereaboutsPlace(
        code,
        name,
        place.port,
        place.vlan,
        place.mac,
        place.mac in names.docks,
        place.role.role,
        place.role.because,
        rfc3339(place.first_ms),
        rfc3339(place.last_ms),
        rfc3339(place.end_ms),
        [names.owner(mac) for mac in place.with_macs],
    )


@dataclass(frozen=True, slots=True)
class _Found:
    kind: str
    ref: str
    name: str | None
    macs: list[str]
    addresses: list[str]


async def _look_up(
    request: AppRequest, ref: str, moment: Moment, at_ms: int, units: list[int] | None
) -> _Found:
    """Return what a reference means and its MACs. Raises Problem 404 or 409."""
    services = services_of(request)
    key = re.sub(r"[:.\-]", "", ref.strip().lower())
    asked = {"at": at_ms, "known": moment.known_ms, "units": units or [], "all": int(units is None)}
    if _MAC.fullmatch(key):
        mac = mac_of(key)
        rows = await services.db.read(_ADDRESSES_OF, macs=[mac], **asked)
        return _Found("mac", mac, None, [mac], [row["address"] for row in rows])
    try:
        address = str(ipaddress.ip_address(ref.strip()))
    except ValueError:
        address = None
    if address is not None:
        rows = await services.db.read(_MACS_OF, address=address, **asked)
        if rows:
            return _Found("address", address, None, [row["mac"] for row in rows], [address])
    common: dict[str, Any] = {"ref": ref, "moment": moment, "units": units}
    try:
        row = await fetch_one(
            services, devices.LISTING, noun=devices.NOUN, names=("d.code", "d.address"), **common
        )
    except Problem as problem:
        if problem.status != 404:
            raise
    else:
        return await _device(services, row, asked)
    row = await fetch_one(
        services, machines.LISTING, noun=machines.NOUN, names=machines.NAMES, **common
    )
    return await _machine(services, row, asked)


async def _device(services: Services, row: Row, asked: dict[str, Any]) -> _Found:
    told = await services.db.read(
        "SELECT DISTINCT mac FROM interface_now WHERE device_id = :id AND mac IS NOT NULL ORDER BY mac",
        id=row["id"],
    )
    if row["address"]:
        told += await services.db.read(_MACS_OF, address=row["address"], **asked)
    macs = list(dict.fromkeys(str(each["mac"]) for each in told))
    addresses = [row["address"]] if row["address"] else []
    return _Found("device", row["code"], row["name"], macs, addresses)


async def _machine(services: Services, row: Row, asked: dict[str, Any]) -> _Found:
    told = await services.db.read(_MACS_OF_MACHINE, machine=row["id"], **asked)
    macs = [mac_of(each["value"]) for each in told]
    addresses = await services.db.read(_ADDRESSES_OF, macs=macs, **asked)
    names = await services.db.read(
        "SELECT MAX(s.hostname) AS name FROM machine_source x JOIN source s ON s.id = x.source_id"
        " WHERE x.machine_id = :id AND x.voided_at_ms IS NULL",
        id=row["id"],
    )
    return _Found(
        "machine", str(row["id"]), names[0]["name"], macs, [each["address"] for each in addresses]
    )


_STANDS = """first_seen_ms <= :at AND recorded_at_ms <= :known
  AND (gone_ms IS NULL OR gone_ms > :at OR ended_at_ms > :known)"""
_TOLD = f"""SELECT t.address, t.mac FROM (
  SELECT a.address, a.mac, d.unit_id FROM address_stay a JOIN device d ON d.id = a.device_id
  WHERE {_STANDS.replace("first", "a.first").replace("recorded", "a.recorded").replace("gone", "a.gone").replace("ended", "a.ended")}
  UNION SELECT h.address, h.mac, h.unit_id FROM lan_host h WHERE h.mac IS NOT NULL AND {HOLDS}
) t WHERE (CAST(:all AS INTEGER) = 1 OR t.unit_id IN :[units])"""  # noqa: S608  # names of this file
_MACS_OF = f"SELECT DISTINCT mac FROM ({_TOLD} AND t.address = :address) x ORDER BY mac"  # noqa: S608
_ADDRESSES_OF = (
    f"SELECT DISTINCT address FROM ({_TOLD} AND t.mac IN :[macs.text]) x ORDER BY address"  # noqa: S608
)
_MACS_OF_MACHINE = """
SELECT DISTINCT e.value FROM source_evidence e
JOIN machine_source x ON x.source_id = e.source_id AND x.stay = e.stay AND x.voided_at_ms IS NULL
JOIN source s ON s.id = x.source_id
WHERE x.machine_id = :machine AND e.kind IN ('mac', 'plugged') AND e.first_seen_ms <= :at
  AND (e.gone_ms IS NULL OR e.gone_ms > :at)
  AND (CAST(:all AS INTEGER) = 1 OR s.unit_id IN :[units])
ORDER BY e.value
"""


@get("/api/v1/lan-hosts", opt={"role": "auditor"}, tags=["topology"])
async def list_hosts(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    unknown: Annotated[bool, QueryParameter(description="only what is nothing of ours")] = False,
) -> Page[LanHost]:
    """List what sweeps found in registered subnets, by address."""
    services = services_of(request)
    at_ms = moment_ms(services, asked.moment)
    rows, total, cursor = await fetch_page(services, HOSTS, asked, at=at_ms, unknown=int(unknown))
    return Page([_host(row) for row in rows], total, cursor)


def _host(row: Row) -> LanHost:
    ports = [int(each) for each in row["open_ports"].split(",") if each]
    machine, device = bool(row["is_machine"]), bool(row["is_device"])
    return LanHost(
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        row["address"],
        row["mac"],
        [sign for sign in row["signs"].split(",") if sign],
        row["rtt_seconds"],
        ports,
        row["snmp_version"],
        row["sys_descr"],
        row["sys_name"],
        rfc3339(row["first_seen_ms"]),
        rfc3339(row["last_seen_ms"]),
        machine or device or bool(row["is_booked"]),
        fix_of(
            ports,
            speaks_snmp=row["snmp_version"] is not None,
            is_device=device,
            is_machine=machine,
            is_polled=bool(row["is_polled"]),
        ),
    )


HANDLERS = (get_topology, get_whereabouts, list_hosts)
