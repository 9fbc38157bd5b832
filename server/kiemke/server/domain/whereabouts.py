"""On which switch port something is and was: from the stays of its MACs, each port judged as it was then.

A switch learns a PC's MAC on its port, and every other switch on the way learns it on an uplink. Uplinks
are passed over; of what is left the surest kind of port wins, and a stay ends at the latest when the MAC
begins to be seen on another such port.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace

from kiemke.server.db import Row, Session
from kiemke.server.domain.lan_names import key_of
from kiemke.server.domain.lan_ports import (
    ROLES,
    SHARED,
    UPLINK,
    Role,
    judge,
    load_rules,
    parts,
)

DAY_MS = 86_400_000

_STAYS = """
SELECT s.device_id, s.mac, s.vlan, s.port, s.if_index, s.first_seen_ms, s.last_seen_ms,
  CASE WHEN s.ended_at_ms <= :known THEN s.gone_ms END AS gone_ms
FROM station_stay s
WHERE s.mac IN :[macs.text] AND s.first_seen_ms <= :at AND s.recorded_at_ms <= :known
ORDER BY s.first_seen_ms, s.id
"""
_ON_PORTS = """
SELECT s.device_id, s.port, s.mac, s.vlan, s.first_seen_ms, s.last_seen_ms,
  CASE WHEN s.ended_at_ms <= :known THEN s.gone_ms END AS gone_ms
FROM station_stay s
WHERE s.device_id IN :[devices] AND s.port IN :[ports.text] AND s.first_seen_ms <= :at
  AND s.recorded_at_ms <= :known
ORDER BY s.id
"""
_BESIDE = """
SELECT n.device_id, n.port, n.abilities, n.chassis, n.name, n.first_seen_ms, n.last_seen_ms,
  CASE WHEN n.ended_at_ms <= :known THEN n.gone_ms END AS gone_ms
FROM neighbour_stay n
WHERE n.device_id IN :[devices] AND n.port IN :[ports.text] AND n.first_seen_ms <= :at
  AND n.recorded_at_ms <= :known
ORDER BY n.id
"""
# PCs with virtual machines say by LLDP that they are bridges: whoever runs an agent is none.
_PCS = "SELECT DISTINCT value FROM source_evidence WHERE kind = 'mac' AND value IN :[values.text]"
# The MACs of devices that are switches: they have learned somebody's MAC themselves.
_SWITCHES = """
SELECT DISTINCT i.mac, i.device_id FROM interface_now i
WHERE i.mac IS NOT NULL AND i.mac IN :[macs.text] AND EXISTS (
  SELECT 1 FROM station_stay s WHERE s.device_id = i.device_id)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """A MAC on a switch's port from ``first_ms`` to ``last_ms``; ``end_ms`` None: it is there still.

    ``with_macs`` are the other stations seen there in that time.
    """

    device_id: int
    port: str
    if_index: int | None
    vlan: int | None
    mac: str
    first_ms: int
    last_ms: int
    end_ms: int | None
    role: Role
    with_macs: tuple[str, ...] = ()


@dataclass(slots=True)
class PortTimes:
    """Everything seen on some ports up to a moment, and what each port was at any moment before it."""

    stations: dict[tuple[int, str], list[Row]]
    beside: dict[tuple[int, str], list[Row]]
    switches: dict[str, set[int]]
    pcs: set[str]

    def role(self, device_id: int, port: str, at_ms: int) -> Role:
        """Return what a port was at a moment."""
        macs = self.macs(device_id, port, at_ms)
        said = [
            parts(row["abilities"])
            for row in self.beside.get((device_id, port), ())
            if _holds(row, at_ms) and row["chassis"] not in self.pcs
        ]
        others = {mac for mac, owners in self.switches.items() if owners - {device_id}}
        return judge(macs, said, others)

    def macs(self, device_id: int, port: str, at_ms: int) -> set[str]:
        """Return the MACs seen on a port around a moment."""
        since = at_ms - load_rules().recent_days * DAY_MS
        return {
            row["mac"]
            for row in self.stations.get((device_id, port), ())
            if _holds(row, at_ms) and row["last_seen_ms"] >= since
        }


def _holds(row: Row, at_ms: int) -> bool:
    return row["first_seen_ms"] <= at_ms and (row["gone_ms"] is None or row["gone_ms"] > at_ms)


async def load_ports(
    session: Session,
    ports: Iterable[tuple[int, str]],
    at_ms: int,
    known_ms: int,
    devices: set[int] | None = None,
) -> PortTimes:
    """Return what was seen on these (device, port) up to a moment, as it was known then."""
    wanted = set(ports)
    asked = {
        "devices": sorted({device for device, _ in wanted}),
        "ports": sorted({port for _, port in wanted}),
        "at": at_ms,
        "known": known_ms,
    }
    stations: dict[tuple[int, str], list[Row]] = defaultdict(list)
    beside: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for statement, table in ((_ON_PORTS, stations), (_BESIDE, beside)):
        for row in await session.fetch(statement, **asked):
            if (row["device_id"], row["port"]) in wanted:
                table[row["device_id"], row["port"]].append(row)
    macs = sorted({row["mac"] for rows in stations.values() for row in rows})
    switches: dict[str, set[int]] = defaultdict(set)
    for row in await session.fetch(_SWITCHES, macs=macs):
        if devices is None or row["device_id"] in devices:
            switches[row["mac"]].add(row["device_id"])
    keys = {key_of(row["chassis"]): row["chassis"] for rows in beside.values() for row in rows}
    pcs = {keys[row["value"]] for row in await session.fetch(_PCS, values=sorted(keys))}
    return PortTimes(stations, beside, switches, pcs)


async def find_places(
    session: Session,
    macs: Iterable[str],
    at_ms: int,
    known_ms: int,
    devices: set[int] | None = None,
) -> list[Place]:
    """Return where these MACs were up to a moment, the newest first.

    ``devices`` are those that the asker may see, None is all; the others are as if they were not.
    """
    rows = [
        row
        for row in await session.fetch(_STAYS, macs=sorted(set(macs)), at=at_ms, known=known_ms)
        if devices is None or row["device_id"] in devices
    ]
    ports = {(row["device_id"], row["port"]) for row in rows}
    times = await load_ports(session, ports, at_ms, known_ms, devices)
    by_mac: dict[str, list[Place]] = defaultdict(list)
    for row in rows:
        place = _place(row, times, at_ms)
        if place.role.role != UPLINK:
            by_mac[row["mac"]].append(place)
    found = [place for places in by_mac.values() for place in _in_turn(places)]
    return sorted(
        found,
        key=lambda each: (
            each.end_ms is not None,
            -each.last_ms,
            each.device_id,
            each.mac,
            each.port,
        ),
    )


def _place(row: Row, times: PortTimes, at_ms: int) -> Place:
    end = row["gone_ms"] if row["gone_ms"] is not None and row["gone_ms"] <= at_ms else None
    then = min(at_ms, row["last_seen_ms"])
    device, port = row["device_id"], row["port"]
    others = times.macs(device, port, then) - {row["mac"]}
    return Place(
        device,
        port,
        row["if_index"],
        row["vlan"] or None,
        row["mac"],
        row["first_seen_ms"],
        then,
        end,
        times.role(device, port, then),
        tuple(sorted(others)),
    )


def _in_turn(places: list[Place]) -> list[Place]:
    """Return the stays of one MAC, each ended where a later one of a surer or like port begins.

    Behind an access point or a hub a MAC may be seen by several switches at once: the ones on a surer
    port are the truth as long as they last.
    """
    kept: list[Place] = []
    for place in places:
        end = place.end_ms
        for other in places:
            if other is place or (other.device_id, other.port) == (place.device_id, place.port):
                continue
            surer = ROLES.index(other.role.role) <= ROLES.index(place.role.role)
            if surer and place.last_ms <= other.first_ms:
                end = other.first_ms if end is None else min(end, other.first_ms)
        kept.append(replace(place, end_ms=end))
    sure = [place for place in kept if place.role.role != SHARED]
    return [
        place
        for place in kept
        if place.role.role != SHARED or not any(_overlap(place, other) for other in sure)
    ]


def _overlap(one: Place, other: Place) -> bool:
    return one.first_ms <= other.last_ms and other.first_ms <= one.last_ms
