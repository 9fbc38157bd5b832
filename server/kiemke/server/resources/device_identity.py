"""Which hardware stood behind a watched device, what a person says of it, and the assets it may be."""

from dataclasses import dataclass
from typing import Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain import device_decide
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.match_device_now import UNMATCHED, propose
from kiemke.server.domain.match_now import Span
from kiemke.server.domain.tables import dated
from kiemke.server.resources.asset_papers import refused
from kiemke.server.resources.assets import AssetRef
from kiemke.server.resources.device_matches import find_device
from kiemke.server.resources.devices import LISTING as DEVICES
from kiemke.server.resources.listing import Listing, ListQuery, Page, day_text, fetch_page
from kiemke.server.resources.matches import CandidateOutput, candidates_of, words_of
from kiemke.server.resources.tree import Moment, UnitRef, now_of, visible_units

UNMATCHED_DEVICES = Listing(
    columns="d.id, w.code, w.name, w.kind, w.unit_id, v.code AS unit_code, v.name AS unit_name,"
    " n.vendor, n.model, n.serial",
    tables=DEVICES.tables,
    where=(UNMATCHED, "n.answered_at_ms IS NOT NULL"),
    key="w.code",
    id="d.id",
    in_units="w.unit_id IN :[units] AND d.unit_id IN :[units]",
    search=DEVICES.search,
)
_HARDWARE = dated("""
SELECT h.*, (SELECT MAX(e.code) FROM device_hardware k JOIN device e ON e.id = k.device_id
    WHERE k.hardware = h.hardware AND k.device_id <> h.device_id AND k.voided_at_ms IS NULL
      AND k.valid_to = h.valid_from
      AND (CAST(:all_units AS INTEGER) = 1 OR e.unit_id IN :[units])) AS moved_from
FROM device_hardware h
WHERE h.device_id = :device AND h.valid_from <= :day AND h.recorded_at_ms <= :known
  AND (h.voided_at_ms IS NULL OR h.voided_at_ms > :known)
ORDER BY h.valid_from, h.id
""")


@dataclass(frozen=True, slots=True)
class Hardware:
    """What stood behind a device from a day until before another; equal ``hardware`` is one thing.

    ``decided_by`` is new, moved, twin (a second device shows the same) or person; ``moved_from`` the
    device it answered as before.
    """

    hardware: int
    valid_from: str
    valid_to: str | None
    serial: str | None
    vendor: str | None
    model: str | None
    object_id: str | None
    macs: list[str]
    decided_by: str
    moved_from: str | None
    seen_at: str | None


@dataclass(frozen=True, slots=True)
class DeviceWhy:
    """A device and all the hardware that stood behind it, the oldest first."""

    device: str
    hardware: list[Hardware]


class DeviceSaid(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``same``: it is the device it was, undo what was concluded; ``other``: it is another one."""

    said: Literal["same", "other"]


@dataclass(frozen=True, slots=True)
class UnmatchedDevice:
    """A watched device on no book and the three assets it may most likely be."""

    device: str
    name: str
    kind: str
    unit: UnitRef | None
    vendor: str | None
    model: str | None
    serial: str | None
    candidates: list[CandidateOutput]


@get("/api/v1/devices/{ref:str}/why", opt={"role": "auditor"}, tags=["devices"])
async def why_device(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> DeviceWhy:
    """Tell which hardware stood behind a device, from when until when, by which evidence."""
    services = services_of(request)
    device = await find_device(request, ref, moment)
    units = await visible_units(services, request.user, moment, None)
    rows = await services.db.read(
        _HARDWARE,
        device=device["id"],
        day=moment.day,
        known=moment.known_ms,
        all_units=1 if units is None else 0,
        units=units or [],
    )
    told = [
        Hardware(
            row["hardware"], day_text(row["valid_from"]) or "", day_text(row["valid_to"]),
            row["serial"], row["vendor"], row["model"], row["object_id"], row["macs"].split(),
            row["decided_by"], row["moved_from"] if row["decided_by"] == "moved" else None,
            rfc3339(row["seen_at_ms"]),
        )
        for row in rows
    ]  # fmt: skip
    return DeviceWhy(device["code"], told)


@post("/api/v1/devices/{ref:str}/identity", opt={"role": "it"}, tags=["devices"])
async def say_device(
    request: AppRequest, ref: FromPath[str], data: JSONBody[DeviceSaid]
) -> DeviceSaid:
    """Say that a device is the one it was, or another."""
    services = services_of(request)
    device = await find_device(request, ref)
    units = await visible_units(services, request.user, now_of(services), None)
    by = By(request.user.name, services.clock())
    try:
        async with services.db.change() as session:
            before, after = await device_decide.decide(
                session, device["id"], data.said, services.today(), by, units
            )
            await record(
                session, at_ms=by.now_ms, who=by.who, act=f"device.{data.said}",
                subject=f"device:{device['code']}", before={"hardware": before},
                after={"hardware": after},
            )  # fmt: skip
    except CannotSay as error:
        raise refused(error) from error
    return data


@get("/api/v1/matches/unmatched-devices", opt={"role": "it"}, tags=["matches"])
async def list_unmatched_devices(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[UnmatchedDevice]:
    """List watched devices on no book, each with the three assets it may most likely be."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, UNMATCHED_DEVICES, asked)
    allowed = await visible_units(services, request.user, asked.moment, None)
    day = asked.moment.day
    span = Span(day, asked.moment.known_ms, day)
    async with services.db.reading() as session:
        proposals = await propose(session, [row["id"] for row in rows], span, allowed)
        found = {each.machine.id: each for each in proposals}
        ids = sorted({c.asset_id for each in proposals for c in each.candidates})
        named = await session.fetch("SELECT id, code, name FROM asset WHERE id IN :[ids]", ids=ids)
        words = await words_of(session, found.values())
    refs = {row["id"]: AssetRef(row["code"], row["name"]) for row in named}
    items = [
        UnmatchedDevice(
            row["code"], row["name"], row["kind"],
            UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
            row["vendor"], row["model"], row["serial"],
            candidates_of(found.get(row["id"]), refs, words),
        )
        for row in rows
    ]  # fmt: skip
    return Page(items, total, cursor)


HANDLERS = (why_device, say_device, list_unmatched_devices)
