"""Which watched device is which asset: a person's decision, and its undoing."""

from dataclasses import dataclass

import msgspec
from litestar import delete, post
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.match_device import accept, open_match, undo
from kiemke.server.errors import Problem
from kiemke.server.resources.asset_papers import refused
from kiemke.server.resources.assets import LISTING as ASSETS
from kiemke.server.resources.assets import NOUN as ASSET
from kiemke.server.resources.assets import AssetRef
from kiemke.server.resources.devices import LISTING as DEVICES
from kiemke.server.resources.devices import NAMES
from kiemke.server.resources.devices import NOUN as DEVICE
from kiemke.server.resources.listing import fetch_one
from kiemke.server.resources.matches import NOUN
from kiemke.server.resources.tree import Moment, now_of, visible_units


class DeviceMatchInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The asset (code or sticker) that the device is."""

    asset: str


@dataclass(frozen=True, slots=True)
class DeviceMatch:
    """Which device is which asset."""

    id: int
    device: str
    asset: AssetRef


async def find_device(request: AppRequest, ref: str, moment: Moment | None = None) -> Row:
    """Return a device in sight by code, address or id. Raises Problem 404 or 409."""
    services = services_of(request)
    moment = moment or now_of(services)
    units = await visible_units(services, request.user, moment, None)
    return await fetch_one(
        services, DEVICES, noun=DEVICE, ref=ref, names=NAMES, moment=moment,
        units=units,
    )  # fmt: skip


@post("/api/v1/devices/{ref:str}/match", opt={"role": "it"}, tags=["matches"])
async def accept_device(
    request: AppRequest, ref: FromPath[str], data: JSONBody[DeviceMatchInput]
) -> DeviceMatch:
    """Decide that a watched device is an asset."""
    services = services_of(request)
    device = await find_device(request, ref)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    asset = await fetch_one(
        services, ASSETS, noun=ASSET, ref=data.asset, names=("a.code", "a.tag"), moment=moment,
        units=units,
    )  # fmt: skip
    by = By(request.user.name, services.clock())
    try:
        async with services.db.change() as session:
            made = await accept(session, asset["id"], device["id"], services.today(), by)
            await record(
                session, at_ms=by.now_ms, who=by.who, act="match.accept_device",
                subject=f"device:{device['code']}", after={"asset": asset["id"]},
            )  # fmt: skip
    except CannotSay as error:
        raise refused(error) from error
    return DeviceMatch(made, device["code"], AssetRef(asset["code"], asset["name"]))


@delete("/api/v1/devices/{ref:str}/match", opt={"role": "it"}, tags=["matches"])
async def undo_device(request: AppRequest, ref: FromPath[str]) -> None:
    """Undo the match of a device: it is on no book again."""
    services = services_of(request)
    device = await find_device(request, ref)
    by = By(request.user.name, services.clock())
    async with services.db.change() as session:
        found = await open_match(session, device["id"])
        if found is None:
            raise Problem("not_found", what=NOUN, ref=ref[:60])
        await undo(session, found["id"], by)
        await record(
            session, at_ms=by.now_ms, who=by.who, act="match.undo_device",
            subject=f"device:{device['code']}", before={"asset": found["asset_id"]},
        )  # fmt: skip


HANDLERS = (accept_device, undo_device)
