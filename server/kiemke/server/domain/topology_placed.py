"""Devices that tell of no neighbour, on the switch ports that learned their MACs: printers, NAS, cameras.

Only a port of its own is a cable; behind a hub or an access point nobody can tell where one ends.
"""

from collections import defaultdict

from kiemke.server.db import Session
from kiemke.server.domain.topology import Cable, End, Graph
from kiemke.server.domain.whereabouts import Place, find_places

PROTOCOL = "fdb"  # the forwarding database of the switch (BRIDGE-MIB, Q-BRIDGE-MIB)
ACCESS = "access"
# A device whose own interfaces are not read has the MAC that answers at the address it is polled at, as
# routers or a sweep of its own collector tell.
_MACS = """
SELECT i.device_id, i.mac FROM interface_now i WHERE i.device_id IN :[ids] AND i.mac IS NOT NULL
UNION
SELECT d.id, a.mac FROM device d JOIN address_stay a ON a.address = d.address
JOIN device t ON t.id = a.device_id AND t.collector_id = d.collector_id
WHERE d.id IN :[ids] AND a.first_seen_ms <= :at AND a.recorded_at_ms <= :known
  AND (a.gone_ms IS NULL OR a.gone_ms > :at OR a.ended_at_ms > :known)
UNION
SELECT d.id, h.mac FROM device d JOIN lan_host h ON h.address = d.address AND h.source_id = d.collector_id
WHERE d.id IN :[ids] AND h.mac IS NOT NULL AND h.first_seen_ms <= :at AND h.recorded_at_ms <= :known
  AND (h.gone_ms IS NULL OR h.gone_ms > :at OR h.ended_at_ms > :known)
"""
_PORTS = """
SELECT device_id, name, MAX(speed_bits_per_second) AS speed, MAX(duplex) AS duplex FROM interface_now
WHERE device_id IN :[ids] AND name IS NOT NULL GROUP BY device_id, name
"""


async def placed(
    session: Session, graph: Graph, at_ms: int, known_ms: int, seen: set[int] | None = None
) -> list[Cable]:
    """Return a cable for each device of the graph that no cable names and one switch port has alone."""
    named = {end.device for cable in graph.cables for end in (cable.near, cable.far)}
    lonely = sorted(graph.devices.keys() - named)
    if not lonely:
        return []
    owners: dict[str, set[int]] = defaultdict(set)
    for row in await session.fetch(_MACS, ids=lonely, at=at_ms, known=known_ms):
        owners[row["mac"]].add(row["device_id"])
    found: dict[int, Place] = {}
    for place in await find_places(session, owners, at_ms, known_ms, seen):
        here = owners[place.mac]
        is_its_own = place.end_ms is None and place.role.role == ACCESS and len(here) == 1
        (device,) = here if is_its_own else (None,)
        if device is not None and place.device_id in graph.devices and place.device_id != device:
            found.setdefault(device, place)  # the newest comes first
    switches = sorted({place.device_id for place in found.values()})
    facts = {
        (row["device_id"], row["name"]): row for row in await session.fetch(_PORTS, ids=switches)
    }
    return [
        Cable(
            _switch_end(place, facts.get((place.device_id, place.port), {})),
            End(device, None, f"device:{device}"),
            (PROTOCOL,),
            place.first_ms,
            place.last_ms,
        )
        for device, place in sorted(found.items())
    ]


def _switch_end(place: Place, facts: dict[str, object]) -> End:
    speed, duplex = facts.get("speed"), facts.get("duplex")
    return End(
        place.device_id,
        place.port,
        f"device:{place.device_id}",
        speed_bits_per_second=speed if isinstance(speed, int) else None,
        duplex=duplex if isinstance(duplex, str) else None,
    )
