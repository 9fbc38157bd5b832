"""Names for MACs on ports: devices and machines within the asker's sight, and desk phones."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.lan_names import load_owners
from kiemke.server.domain.lan_ports import is_phone
from kiemke.server.domain.tables import dated

_DEVICES = dated("""
SELECT w.device_id AS id, w.code, w.name FROM device_version w
WHERE w.device_id IN :[ids] AND {active w}
  AND (CAST(:all AS INTEGER) = 1 OR w.unit_id IN :[units])
""")
_MACHINES = """
SELECT x.machine_id, MAX(s.hostname) AS name FROM machine_source x JOIN source s ON s.id = x.source_id
WHERE x.machine_id IN :[ids] AND x.voided_at_ms IS NULL AND x.valid_to IS NULL
  AND (CAST(:all AS INTEGER) = 1 OR s.unit_id IN :[units])
GROUP BY x.machine_id ORDER BY x.machine_id
"""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose a MAC is: ``kind`` "device", "machine" or "phone", null where nobody within sight."""

    mac: str
    kind: str | None
    ref: str | None
    name: str | None


@dataclass(slots=True)
class Names:
    """Owners by MAC, (code, name) of devices by id, and the MACs of docks and wandering adapters."""

    owners: dict[str, Owner] = field(default_factory=dict)
    devices: dict[int, tuple[str, str]] = field(default_factory=dict)
    docks: set[str] = field(default_factory=set)

    def owner(self, mac: str) -> Owner:
        """Return whose a MAC is."""
        return self.owners.get(mac) or Owner(mac, "phone" if is_phone(mac) else None, None, None)


async def load_names(
    session: Session,
    macs: Iterable[str],
    at_ms: int,
    day: date,
    known_ms: int,
    units: list[int] | None,
    devices: Iterable[int] = (),
) -> Names:
    """Return whose these MACs are, and the names of these devices, as far as they are within sight."""
    known = await load_owners(session, macs, at_ms)
    sight = {"units": units or [], "all": int(units is None)}
    ids = {device for found in known.devices.values() for device in found} | set(devices)
    names = Names(docks=set(known.shared))
    for row in await session.fetch(_DEVICES, ids=sorted(ids), day=day, known=known_ms, **sight):
        names.devices[row["id"]] = (row["code"], row["name"])
    wanted = sorted({machine for found in known.machines.values() for machine in found})
    machines = {
        row["machine_id"]: row["name"]
        for row in await session.fetch(_MACHINES, ids=wanted, **sight)
    }
    for mac, owners in known.machines.items():
        for machine in owners:
            if machine in machines:
                names.owners[mac] = Owner(mac, "machine", str(machine), machines[machine])
    for mac, owners in known.devices.items():
        for device in owners:
            if device in names.devices:
                names.owners[mac] = Owner(mac, "device", *names.devices[device])
    return names
