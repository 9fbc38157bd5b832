"""What a collector is to do: the devices and probe targets that are its own, and with which secrets."""

from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Row, Session
from kiemke.server.domain.secrets import USES, load_choice
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.sweeping import SweepTask, read_tasks
from kiemke.wire.reach import Reach

_DEVICES = """
SELECT d.id, d.unit_id, d.address, d.port, d.credential, d.ssh_credential, d.ssh_platform, d.ssh_port,
  d.ssh_visit_hours, (SELECT MAX(k.host_key) FROM device_host_key k WHERE k.device_id = d.id
    AND k.pinned_at_ms IS NOT NULL AND k.ended_at_ms IS NULL) AS host_key
FROM device d
WHERE d.collector_id IN :[sources] AND d.retired_at_ms IS NULL AND d.address IS NOT NULL ORDER BY d.id
"""
# A police line is recorded, never probed.
_PROBES = """
SELECT p.id, p.address, p.echo_count, p.purpose, v.unit_id FROM probe_target p
JOIN link_version v ON v.id = (
  SELECT w.id FROM link_version w WHERE w.link_id = p.link_id AND w.voided_at_ms IS NULL
  ORDER BY w.valid_from DESC, w.id DESC LIMIT 1)
WHERE p.collector_id IN :[sources] AND p.retired_at_ms IS NULL AND NOT EXISTS (
  SELECT 1 FROM link_version k WHERE k.link_id = p.link_id AND k.voided_at_ms IS NULL
  AND k.valid_to IS NULL AND k.kind = 'police')
ORDER BY p.id
"""


@dataclass(frozen=True, slots=True)
class Duties:
    """A collector's work. ``reaches``: where the devices of each unit may stand.

    ``uses``: per device, kind of secret -> secret; ``secrets``: id and version of all of them;
    ``sweeps``: the sites to look over.
    """

    devices: list[Row]
    probes: list[Row]
    reaches: dict[int, Reach]
    uses: dict[int, dict[str, int]] = field(default_factory=dict)
    secrets: list[tuple[int, int]] = field(default_factory=list)
    sweeps: list[SweepTask] = field(default_factory=list)


async def read_duties(
    session: Session, sources: list[int], probed_for: list[int], day: date, now_ms: int
) -> Duties:
    """Return what is to be polled of the tasks of ``sources``, and probed of those of ``probed_for``.

    The first of them is who asks; its own site is described even when nothing stands there, as the
    site's agents may pass through it.
    """
    devices = await session.fetch(_DEVICES, sources=sources)
    probes = await session.fetch(_PROBES, sources=probed_for)
    sites = await load_sites(session, day, now_ms)
    choice = await load_choice(session, sites)
    uses: dict[int, dict[str, int]] = {}
    secrets: dict[int, int] = {}
    for device in devices:
        for kind in USES:
            found = choice.of(device, kind)
            if found is not None:
                uses.setdefault(device["id"], {})[kind] = found["id"]
                secrets[found["id"]] = found["version"]
    own = await session.fetch("SELECT unit_id FROM source WHERE id = :id", id=sources[0])
    units = {row["unit_id"] for row in (*devices, *probes, *own)}
    reaches = {unit: sites.reach(unit) for unit in sorted(units)}
    sweeps = await read_tasks(session, sites, sources)
    return Duties(devices, probes, reaches, uses, sorted(secrets.items()), sweeps)


async def read_probes(session: Session, sources: list[int], day: date, now_ms: int) -> list[Row]:
    """Return the probe targets of these sources that stand where they may, for an agent that probes."""
    probes = await session.fetch(_PROBES, sources=sources)
    sites = await load_sites(session, day, now_ms)
    return [
        row
        for row in probes
        if sites.reach(row["unit_id"], row["purpose"]).why_not(row["address"]) is None
    ]
