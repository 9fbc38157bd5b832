"""Who is connected to whom: the devices of the book, the neighbours they tell of, one edge a cable.

A neighbour is a device of ours when the MAC of its chassis or port is one of the device's, or when it
says an address at which the same collector polls exactly one device. Its name makes it nobody.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Row, Session
from kiemke.server.domain.lan_ports import parts
from kiemke.server.domain.tables import dated

_DEVICES = dated("""
SELECT d.id, w.code, w.name, w.kind, w.unit_id, d.address, d.collector_id,
  COALESCE(CAST(h.holder AS BIGINT), d.collector_id) AS polled_by
FROM device d JOIN device_version w ON w.device_id = d.id AND {active w}
LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id
ORDER BY d.id
""")
_NEIGHBOURS = """
SELECT n.*, CASE WHEN n.ended_at_ms <= :known THEN n.gone_ms END AS end_ms FROM neighbour_stay n
WHERE {mine} n.first_seen_ms <= :at AND n.recorded_at_ms <= :known
  AND (n.gone_ms IS NULL OR n.gone_ms > :at OR n.ended_at_ms > :known)
ORDER BY n.device_id, n.port, n.id
"""
_PORTS = """
SELECT i.device_id, i.source_id, i.if_index, i.name, i.mac, i.oper_up, i.speed_bits_per_second, i.duplex
FROM interface_now i WHERE {mine} 1 = 1 ORDER BY i.device_id, i.if_index
"""


@dataclass(frozen=True, slots=True)
class End:
    """One end of a cable: a device of ours, or (``device`` None) what the other end says of it."""

    device: int | None
    port: str | None
    key: str
    name: str | None = None
    description: str | None = None
    abilities: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    speed_bits_per_second: int | None = None
    duplex: str | None = None


@dataclass(frozen=True, slots=True)
class Cable:
    """Two ends, who told of it by which protocols, and since when (ms)."""

    near: End
    far: End
    protocols: tuple[str, ...]
    since_ms: int
    seen_ms: int


@dataclass(slots=True)
class Graph:
    """``devices`` by id, ``cables`` each once."""

    devices: dict[int, Row]
    cables: list[Cable]


@dataclass(slots=True)
class _Known:
    """What names a device of ours."""

    devices: dict[int, Row]
    macs: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    addresses: dict[tuple[int | None, str], set[int]] = field(
        default_factory=lambda: defaultdict(set)
    )
    ports: dict[tuple[int, str], Row] = field(default_factory=dict)
    indexes: dict[tuple[int, int], Row] = field(default_factory=dict)

    def find(self, row: Row) -> int | None:
        """Return the device that a neighbour's row is about, None when nothing sure says so."""
        teller = row["device_id"]
        for kind, value in (
            (row["chassis_kind"], row["chassis"]),
            (row["far_kind"], row["far_port"]),
        ):
            owners = self.macs.get(value, set()) - {teller} if kind == "mac" else set()
            if len(owners) == 1:
                return next(iter(owners))
        collector = self.devices[teller]["collector_id"]
        said = [*json.loads(row["addresses_json"])]
        if row["chassis_kind"] == "address":
            said.append(row["chassis"])
        owners = set().union(*(self.addresses.get((collector, each), set()) for each in said))
        owners.discard(teller)
        return next(iter(owners)) if len(owners) == 1 else None

    def port_of(self, device: int, name: str | None, index: int | None) -> Row | None:
        """Return a device's interface by number or name."""
        found = self.indexes.get((device, index)) if index is not None else None
        return found or (self.ports.get((device, name)) if name else None)

    def far_port(self, device: int, row: Row) -> Row | None:
        """Return the interface that a neighbour says is its end."""
        if row["far_kind"] == "mac":
            for (owner, _), port in self.indexes.items():
                if owner == device and port["mac"] == row["far_port"]:
                    return port
        for name in (row["far_port"], row["far_label"]):
            found = self.ports.get((device, name)) if name else None
            if found is not None:
                return found
        number = row["far_port"]
        if number.isascii() and number.isdecimal() and len(number) < 10:
            return self.indexes.get((device, int(number)))
        return None


async def load_graph(
    session: Session, day: date, at_ms: int, known_ms: int, seen: set[int] | None = None
) -> Graph:
    """Return the devices of a day and the cables at a moment of it, as it was known then.

    ``seen`` are the devices that the asker may see, None is all; the others are as if they were not.
    """
    rows = await session.fetch(_DEVICES, day=day, known=known_ms)
    devices = {row["id"]: row for row in rows if seen is None or row["id"] in seen}
    known = _Known(devices)
    ids = {} if seen is None else {"ids": sorted(devices)}
    ports, neighbours = (
        sql.format(mine="" if seen is None else f"{name}.device_id IN :[ids] AND")
        for sql, name in ((_PORTS, "i"), (_NEIGHBOURS, "n"))
    )
    for row in await session.fetch(ports, **ids):
        device = devices.get(row["device_id"])
        if device is None:
            continue
        if row["mac"]:
            known.macs[row["mac"]].add(row["device_id"])
        if device["polled_by"] == row["source_id"]:
            known.indexes[row["device_id"], row["if_index"]] = row
            if row["name"]:
                known.ports.setdefault((row["device_id"], row["name"]), row)
    for device in devices.values():
        if device["address"]:
            known.addresses[device["collector_id"], device["address"]].add(device["id"])
    cables = [
        _cable(known, row)
        for row in await session.fetch(neighbours, at=at_ms, known=known_ms, **ids)
        if row["device_id"] in devices
    ]
    return Graph(devices, _merge(cables))


def _cable(known: _Known, row: Row) -> Cable:
    device = row["device_id"]
    near = known.port_of(device, row["port"], row["if_index"])
    owner = known.find(row)
    far = None if owner is None else known.far_port(owner, row)
    speed, duplex = (
        (None, None) if near is None else (near["speed_bits_per_second"], near["duplex"])
    )
    far_name = row["far_port"] or row["far_label"]
    return Cable(
        End(
            device, (near and near["name"]) or row["port"] or None, f"device:{device}",
            speed_bits_per_second=speed, duplex=duplex,
        ),
        End(
            owner,
            (far and far["name"]) or far_name or None,
            f"device:{owner}" if owner is not None else f"seen:{row['chassis'] or row['name'] or '?'}",
            row["name"],
            row["description"],
            tuple(parts(row["abilities"])),
            tuple(json.loads(row["addresses_json"])),
            None if far is None else far["speed_bits_per_second"],
            row["duplex"] or (None if far is None else far["duplex"]),
        ),
        (row["protocol"],),
        row["first_seen_ms"],
        row["last_seen_ms"],
    )  # fmt: skip


def _merge(cables: list[Cable]) -> list[Cable]:
    """Make one cable of what both ends tell of it, and of what several protocols tell."""
    merged: dict[tuple[object, ...], Cable] = {}
    for cable in cables:
        key = _key(cable)
        earlier = merged.get(key)
        merged[key] = cable if earlier is None else _join(earlier, cable)
    return list(merged.values())


def _key(cable: Cable) -> tuple[object, ...]:
    near, far = cable.near, cable.far
    if far.device is None:  # two protocols of one neighbour on one port call it by one name
        return (near.key, near.port, far.name or far.key)
    return tuple(sorted(((near.key, near.port or ""), (far.key, far.port or ""))))


def _join(one: Cable, other: Cable) -> Cable:
    """Return one cable; where the other tells it from the far end, its near end is our far one."""
    far = one.far
    if (other.near.key, other.near.port) == (far.key, far.port):
        far = End(
            far.device, far.port, far.key, far.name, far.description,
            far.abilities, far.addresses,
            other.near.speed_bits_per_second or far.speed_bits_per_second,
            other.near.duplex or far.duplex,
        )  # fmt: skip
    elif not far.abilities:
        far = other.far
    return Cable(
        one.near,
        far,
        tuple(dict.fromkeys((*one.protocols, *other.protocols))),
        min(one.since_ms, other.since_ms),
        max(one.seen_ms, other.seen_ms),
    )
