"""Whose MAC is it: devices by their interfaces and ARP, PCs by what their agents found built in or plugged."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from kiemke.server.db import Session
from kiemke.server.domain.evidence import PLUGGED

_INTERFACES = """
SELECT DISTINCT i.mac, i.device_id FROM interface_now i JOIN device d ON d.id = i.device_id
WHERE i.mac IN :[macs.text] AND d.retired_at_ms IS NULL ORDER BY i.mac, i.device_id
"""
# A device whose own interfaces are not read is known by the address it is polled at, as ARP tells it.
_POLLED_AT = """
SELECT DISTINCT a.mac, d.id AS device_id FROM address_stay a
JOIN device t ON t.id = a.device_id
JOIN device d ON d.address = a.address AND d.collector_id = t.collector_id
WHERE a.mac IN :[macs.text] AND d.retired_at_ms IS NULL AND a.first_seen_ms <= :at
  AND (a.gone_ms IS NULL OR a.gone_ms > :at)
ORDER BY a.mac, d.id
"""
_MACHINES = """
SELECT DISTINCT e.value, e.kind, ms.machine_id FROM source_evidence e
JOIN machine_source ms ON ms.source_id = e.source_id AND ms.stay = e.stay AND ms.voided_at_ms IS NULL
  AND ms.valid_to IS NULL
WHERE e.kind IN :[kinds.text] AND e.value IN :[values.text] AND e.first_seen_ms <= :at
  AND (e.gone_ms IS NULL OR e.gone_ms > :at)
ORDER BY e.value, ms.machine_id
"""
_SHARED = "SELECT mac FROM shared_adapter WHERE mac IN :[values.text]"


@dataclass(slots=True)
class Owners:
    """By MAC: the devices and machines it belongs to; ``shared`` ones are docks and wandering adapters."""

    devices: dict[str, list[int]] = field(default_factory=dict)
    machines: dict[str, list[int]] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)

    def knows(self, mac: str) -> bool:
        """Say whether a MAC is anybody's."""
        return mac in self.devices or mac in self.machines or mac in self.shared


async def load_owners(session: Session, macs: Iterable[str], at_ms: int) -> Owners:
    """Return whose these MACs ("0c:5f:4c:5a:00:01") were at a moment."""
    wanted = sorted(set(macs))
    owners = Owners()
    if not wanted:
        return owners
    rows = await session.fetch(_INTERFACES, macs=wanted)
    rows += await session.fetch(_POLLED_AT, macs=wanted, at=at_ms)
    for row in rows:
        known = owners.devices.setdefault(row["mac"], [])
        if row["device_id"] not in known:
            known.append(row["device_id"])
    keys = {key_of(mac): mac for mac in wanted}
    for row in await session.fetch(
        _MACHINES, kinds=["mac", PLUGGED], values=sorted(keys), at=at_ms
    ):
        mac = keys[row["value"]]
        known = owners.machines.setdefault(mac, [])
        if row["machine_id"] not in known:
            known.append(row["machine_id"])
        if row["kind"] == PLUGGED:
            owners.shared.add(mac)
    for row in await session.fetch(_SHARED, values=sorted(keys)):
        owners.shared.add(keys[row["mac"]])
    return owners


def key_of(mac: str) -> str:
    """Return a MAC as evidence keeps it: twelve capital digits."""
    return mac.replace(":", "").upper()


def mac_of(key: str) -> str:
    """Return twelve digits as "0c:5f:4c:5a:00:01"."""
    text = key.lower()
    return ":".join(text[n : n + 2] for n in range(0, 12, 2))
