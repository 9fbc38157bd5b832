"""What a collector is to poll and to probe."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec
from litestar import Response, get

from kiemke.server.auth import AppRequest, authenticate_source
from kiemke.server.context import services_of
from kiemke.server.domain.collecting import Duties, read_duties
from kiemke.server.domain.secrets import DEFAULT_NAME
from kiemke.server.domain.takeover import take_probe_turns, take_turns
from kiemke.server.settings import Settings

DEFAULT_PORT = 22
VISIT_HOURS = 24


@dataclass(frozen=True, slots=True)
class DeviceTask:
    """A device to poll. ``site`` names an entry of ``sites``: its address must stand in there.

    ``credential`` is a name in the collector's own file, which wins; ``snmp_secret`` and ``ssh_secret``
    are the numbers of the secrets it may fetch instead, null for none. It is visited by SSH as a
    ``ssh_platform`` every ``ssh_visit_seconds`` (0: never), and only while it shows ``host_key``
    (null: whichever it shows first).
    """

    device: int
    address: str
    port: int
    credential: str
    site: int
    snmp_secret: int | None
    ssh_secret: int | None
    ssh_credential: str | None
    ssh_platform: str | None
    ssh_port: int
    ssh_visit_seconds: int
    host_key: str | None


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """An address to send ``count`` ICMP echoes to; ``purpose`` "gateway" stands within its site."""

    target: int
    address: str
    count: int
    site: int
    purpose: str


@dataclass(frozen=True, slots=True)
class Site:
    """The subnets of a site; ``allow`` null: none is registered yet, nothing is checked."""

    site: int
    allow: list[str] | None
    deny: list[str]


@dataclass(frozen=True, slots=True)
class SecretVersion:
    """A secret of this collector, by number: with another version it is fetched anew."""

    id: int
    version: int


@dataclass(frozen=True, slots=True)
class SweepTask:
    """A site whose subnets are looked over; ``deny`` within them is left alone."""

    site: int
    subnets: list[str]
    deny: list[str]
    every_seconds: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """All tasks of one collector, every ``poll_seconds``.

    ``neighbours_seconds``: how often devices' tables are read; 0 is never.
    """

    poll_seconds: int
    neighbours_seconds: int
    devices: list[DeviceTask]
    probes: list[ProbeTask]
    sites: list[Site]
    secrets: list[SecretVersion]
    sweeps: list[SweepTask]


_NONE = Duties([], [], {})


@get("/api/v1/assignment", opt={"role": "source"}, tags=["enrolment"])
async def get_assignment(request: AppRequest) -> Response[bytes]:
    """Return a collector's tasks; 304 when they are those of If-None-Match. Pending: none yet."""
    services = services_of(request)
    source = await authenticate_source(services, request.headers, "collector")
    duties = _NONE
    if source.state == "approved":
        now = services.clock()
        async with services.db.transaction() as session:
            mine, every = source.source_id, services.settings.poll_seconds
            turns = await take_turns(session, mine, now, every)
            probed_for = await take_probe_turns(session, mine, now, every)
            duties = await read_duties(session, turns, probed_for, services.today(), now)
    body = msgspec.json.encode(_make(duties, services.settings))
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers={"ETag": etag})
    return Response(body, media_type="application/json", headers={"ETag": etag})


def _make(duties: Duties, settings: Settings) -> Assignment:
    return Assignment(
        poll_seconds=settings.poll_seconds,
        neighbours_seconds=settings.neighbours_seconds,
        devices=[
            DeviceTask(
                row["id"],
                row["address"],
                row["port"],
                row["credential"] or DEFAULT_NAME,
                row["unit_id"],
                duties.uses.get(row["id"], {}).get("snmp"),
                duties.uses.get(row["id"], {}).get("ssh"),
                row["ssh_credential"],
                row["ssh_platform"],
                row["ssh_port"] or DEFAULT_PORT,
                3600 * (VISIT_HOURS if (hours := row["ssh_visit_hours"]) is None else hours),
                row["host_key"],
            )
            for row in duties.devices
        ],
        probes=[
            ProbeTask(row["id"], row["address"], row["echo_count"], row["unit_id"], row["purpose"])
            for row in duties.probes
        ],
        sites=[
            Site(
                unit,
                None if reach.allow is None else [str(net) for net in reach.allow],
                [str(net) for net in reach.deny],
            )
            for unit, reach in duties.reaches.items()
        ],
        secrets=[SecretVersion(key, version) for key, version in duties.secrets],
        sweeps=[
            SweepTask(
                task.site, [*map(str, task.subnets)], [*map(str, task.deny)], settings.sweep_seconds
            )
            for task in duties.sweeps
            if settings.sweep_seconds
        ],
    )


HANDLERS = (get_assignment,)
