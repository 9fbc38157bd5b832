"""What is connected to what, and on which switch port something stands."""

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
from kiemke.server.db import Row
from kiemke.server.domain import calendar
from kiemke.server.domain.cable_troubles import troubles_of
from kiemke.server.domain.lan_hosts import HOLDS
from kiemke.server.domain.lan_names import mac_of
from kiemke.server.domain.tables import dated
from kiemke.server.domain.topology import End, load_graph
from kiemke.server.domain.topology_placed import placed
from kiemke.server.domain.whereabouts import Place, find_places
from kiemke.server.errors import Problem
from kiemke.server.resources import devices, machines
from kiemke.server.resources.lan_owners import Names, Owner, load_names
from kiemke.server.resources.listing import fetch_one
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, now_of, visible_units

_MAC = re.compile(r"[0-9a-f]{12}")
_MOST_PLACES = 200
_OF_UNITS = dated("""
SELECT d.id FROM device d JOIN device_version w ON w.device_id = d.id AND {active w}
WHERE w.unit_id IN :[units] AND (CAST(:all AS INTEGER) = 1 OR d.unit_id IN :[mine])
""")


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


def moment_ms(services: Services, moment: Moment) -> int:
    """Return the end of the day asked about, or what was known last if that is earlier (epoch ms)."""
    offset = services.installation.utc_offset_seconds if services.installation else 0
    end = calendar.day_start_ms(moment.day + timedelta(days=1), offset) - 1
    return min(end, moment.known_ms)


async def _seen_devices(
    request: AppRequest, moment: Moment, units: list[int] | None
) -> set[int] | None:
    """Return the devices of these units on the day that the user may see today, None for all."""
    if units is None:
        return None
    services = services_of(request)
    mine = await visible_units(services, request.user, now_of(services), None)
    rows = await services.db.read(
        _OF_UNITS, units=units, all=int(mine is None), mine=mine or [],
        day=moment.day, known=moment.known_ms,
    )  # fmt: skip
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
    seen = await _seen_devices(request, moment, units)
    at_ms = moment_ms(services, moment)
    async with services.db.reading() as session:
        graph = await load_graph(session, moment.day, at_ms, moment.known_ms, seen)
        graph.cables += await placed(session, graph, at_ms, moment.known_ms, seen)
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
    seen = await _seen_devices(request, moment, units)
    async with services.db.reading() as session:
        places = await find_places(session, found.macs, at_ms, moment.known_ms, seen)
        places = places[:_MOST_PLACES]
        macs = {mac for place in places for mac in (place.mac, *place.with_macs)}
        names = await load_names(
            session, macs, at_ms, moment.day, moment.known_ms, units,
            [each.device_id for each in places],
        )  # fmt: skip
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
    asked = {
        "at": at_ms, "day": moment.day, "known": moment.known_ms,
        "units": units or [], "all": int(units is None),
    }  # fmt: skip
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
            services, devices.LISTING, noun=devices.NOUN, names=devices.NAMES, **common
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
  SELECT a.address, a.mac, d.unit_id FROM address_stay a
  JOIN device_version d ON d.device_id = a.device_id AND {dated("{active d}")}
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


HANDLERS = (get_topology, get_whereabouts)
