"""What a collector is to poll and to probe."""

from dataclasses import dataclass
from hashlib import sha256

import msgspec
from litestar import Response, get

from kiemke.server.auth import AppRequest, authenticate_source
from kiemke.server.context import services_of


@dataclass(frozen=True, slots=True)
class DeviceTask:
    """A device to poll by SNMP; ``credential`` is a name in the collector's own file."""

    device: int
    address: str
    port: int
    credential: str


@dataclass(frozen=True, slots=True)
class ProbeTask:
    """An address to send ``count`` ICMP echoes to."""

    target: int
    address: str
    count: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """All tasks of one collector, every ``poll_seconds``."""

    poll_seconds: int
    devices: list[DeviceTask]
    probes: list[ProbeTask]


DEFAULT_CREDENTIAL = "default"


@get("/api/v1/assignment", opt={"role": "source"}, tags=["enrolment"])
async def get_assignment(request: AppRequest) -> Response[bytes]:
    """Return a collector's tasks; 304 when they are those of If-None-Match. Pending: none yet."""
    services = services_of(request)
    source = await authenticate_source(services, request.headers, "collector")
    approved = source.state == "approved"
    devices = await services.db.read(
        "SELECT id, address, port, credential FROM device WHERE collector_id = :id"
        " AND retired_at_ms IS NULL AND address IS NOT NULL ORDER BY id",
        id=source.source_id if approved else 0,
    )
    probes = await services.db.read(
        "SELECT p.id, p.address, p.echo_count FROM probe_target p WHERE p.collector_id = :id"
        " AND p.retired_at_ms IS NULL AND NOT EXISTS (SELECT 1 FROM link_version v"
        " WHERE v.link_id = p.link_id AND v.voided_at_ms IS NULL AND v.valid_to IS NULL"
        " AND v.kind = 'police') ORDER BY p.id",
        id=source.source_id if approved else 0,
    )
    assignment = Assignment(
        poll_seconds=services.settings.poll_seconds,
        devices=[
            DeviceTask(
                row["id"], row["address"], row["port"], row["credential"] or DEFAULT_CREDENTIAL
            )
            for row in devices
        ],
        probes=[ProbeTask(row["id"], row["address"], row["echo_count"]) for row in probes],
    )
    body = msgspec.json.encode(assignment)
    etag = f'"{sha256(body).hexdigest()[:32]}"'
    if request.headers.get("if-none-match") == etag:
        return Response(b"", status_code=304, headers={"ETag": etag})
    return Response(body, media_type="application/json", headers={"ETag": etag})


HANDLERS = (get_assignment,)
