"""How a device is visited by SSH, and its host keys: list them, accept one that changed."""

from dataclasses import dataclass

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain import host_keys
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.devices import find_device
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page
from kiemke.wire.host_key import shown

NOUN_KEY = Both("khoá máy chủ đang chờ", "host key that waits")

LISTING = Listing(
    columns="k.id, k.host_key, k.seen_at_ms, k.seen_last_ms, k.pinned_at_ms, k.pinned_by,"
    " k.ended_at_ms",
    tables="device_host_key k JOIN device d ON d.id = k.device_id",
    where=("k.device_id = :device", "k.seen_at_ms <= :known"),
    key="k.seen_at_ms",
    id="k.id",
    in_units="d.unit_id IN :[units]",
    descending=True,
)


@dataclass(frozen=True, slots=True)
class HostKey:
    """A key a device showed, by type and fingerprint: ``state`` is "pinned", "waiting" (no login meanwhile) or "ended".

    ``pinned_by`` null: believed because it was the first.
    """

    id: int
    host_key: str
    state: str
    first_seen_at: str | None
    last_seen_at: str | None
    pinned_at: str | None
    pinned_by: str | None
    ended_at: str | None


@dataclass(frozen=True, slots=True)
class AcceptedKey:
    """A key that is believed from now on, and the one before it."""

    device: str
    host_key: str
    before: str | None


class KeyChoice(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which key to accept: its fingerprint ("SHA256:..."); null: the one that waits."""

    host_key: str | None = None


def _make(row: Row, known_ms: int) -> HostKey:
    ended = row["ended_at_ms"] is not None and row["ended_at_ms"] <= known_ms
    pinned = row["pinned_at_ms"] is not None and row["pinned_at_ms"] <= known_ms
    return HostKey(
        row["id"],
        shown(row["host_key"]),
        "ended" if ended else "pinned" if pinned else "waiting",
        rfc3339(row["seen_at_ms"]),
        rfc3339(row["seen_last_ms"]),
        rfc3339(row["pinned_at_ms"]) if pinned else None,
        row["pinned_by"] if pinned else None,
        rfc3339(row["ended_at_ms"]) if ended else None,
    )


@get("/api/v1/devices/{ref:str}/host-keys", opt={"role": "it"}, tags=["devices"])
async def list_host_keys(
    request: AppRequest, ref: FromPath[str], asked: NamedDependency[ListQuery]
) -> Page[HostKey]:
    """List the SSH host keys a device showed, the newest first."""
    device = await find_device(request, ref, asked.moment)
    rows, total, cursor = await fetch_page(
        services_of(request), LISTING, asked, device=device["id"]
    )
    return Page([_make(row, asked.moment.known_ms) for row in rows], total, cursor)


@post("/api/v1/devices/{ref:str}/host-key", status_code=200, opt={"role": "it"}, tags=["devices"])
async def accept_host_key(
    request: AppRequest, ref: FromPath[str], data: JSONBody[KeyChoice]
) -> AcceptedKey:
    """Believe the host key that waits; the collector logs in again within a minute."""
    services = services_of(request)
    device = await find_device(request, ref)
    wanted = None if data.host_key is None else clean_text(data.host_key, 120)
    now_ms = services.clock()
    async with services.db.transaction() as session:
        done = await host_keys.accept(
            session, device["id"], device["code"], wanted, who=request.user.name, now_ms=now_ms
        )
        if done is None:
            raise Problem("not_found", what=NOUN_KEY, ref=wanted or device["code"])
        await record(
            session, at_ms=now_ms, who=request.user.name, act="device.host_key",
            subject=f"device:{device['code']}", before={"host_key": done[1]},
            after={"host_key": done[0]},
        )  # fmt: skip
    return AcceptedKey(device["code"], *done)


HANDLERS = (list_host_keys, accept_host_key)
