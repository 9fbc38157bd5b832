"""What a device is called, what it is and whose, by a paper and date: changed, retired, and its history."""

from dataclasses import dataclass
from datetime import date
from typing import Literal

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.assignment import assign_unassigned, leave_strangers
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.device_book import Saying, retire, say
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.acts import allowed_now, check_day, told, unit_on
from kiemke.server.resources.assets import LISTING as ASSETS
from kiemke.server.resources.assets import NOUN as ASSET
from kiemke.server.resources.devices import NOUN, find_device
from kiemke.server.resources.listing import fetch_one, written_of
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, now_of, visible_units
from kiemke.wire.clean import clean_text

Text = str | msgspec.UnsetType

_HISTORY = """
SELECT w.*, a.code AS asset FROM device_version w LEFT JOIN asset a ON a.id = w.asset_id
WHERE w.device_id = :id AND w.recorded_at_ms <= :known
  AND (CAST(:all AS INTEGER) = 1 OR w.unit_id IN :[units])
ORDER BY w.valid_from, w.recorded_at_ms, w.id
"""
_UNITS_SINCE = """
SELECT DISTINCT unit_id FROM device_version
WHERE device_id = :id AND voided_at_ms IS NULL AND (valid_to IS NULL OR valid_to > :day)
"""


class DeviceActInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """``change``: what is given is so from ``day`` (today) on; ``retire``: it ends on the day.

    ``unit`` and ``asset`` are codes, ``asset`` null: it is none of the book. ``correction``: it was so
    over the whole span in force on the day.
    """

    act: Literal["change", "retire"]
    day: date | None = None
    instrument: str | None = None
    code: Text = msgspec.UNSET
    name: Text = msgspec.UNSET
    kind: Text = msgspec.UNSET
    unit: Text = msgspec.UNSET
    asset: str | None | msgspec.UnsetType = msgspec.UNSET
    correction: bool = False


@dataclass(frozen=True, slots=True)
class DeviceSaid:
    """What a device is on a day."""

    code: str
    name: str
    kind: str
    unit: UnitRef | None
    asset: str | None


@dataclass(frozen=True, slots=True)
class DeviceAct:
    """What a device was and is after the act (null: it ends), and whether that was written."""

    before: DeviceSaid | None
    after: DeviceSaid | None
    applied: bool


@dataclass(frozen=True, slots=True)
class DeviceSpan(DeviceSaid):
    """What a device was from a day until before another, by which paper; voided: it was said once."""

    valid_from: str | None
    valid_to: str | None
    instrument: str | None
    recorded_by: str | None
    recorded_at: str | None
    voided: bool


@dataclass(frozen=True, slots=True)
class DeviceHistory:
    """The versions of a device that were within sight, the oldest first."""

    code: str
    versions: list[DeviceSpan]


class _DryRun(Exception):
    """Rolls the rehearsal of an act back."""


@get("/api/v1/devices/{ref:str}/history", opt={"role": "auditor"}, tags=["devices"])
async def device_history(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> DeviceHistory:
    """Return what a device was and is, as known then, of the units within sight."""
    services = services_of(request)
    device = await find_device(request, ref, moment)
    units = await visible_units(services, request.user, moment, None)
    rows = await services.db.read(
        _HISTORY,
        id=device["id"],
        known=moment.known_ms,
        all=int(units is None),
        units=units or [],
    )
    refs = await load_refs(services, moment)
    return DeviceHistory(device["code"], [_span(row, refs, moment.known_ms) for row in rows])


def _span(row: Row, refs: dict[int, UnitRef], known_ms: int) -> DeviceSpan:
    return DeviceSpan(
        row["code"],
        row["name"],
        row["kind"],
        refs.get(row["unit_id"]),
        row["asset"],
        *written_of(row, known_ms),
    )


@post("/api/v1/devices/{ref:str}/acts", status_code=200, opt={"role": "it"}, tags=["devices"])
async def act_on_device(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[DeviceActInput],
    apply: FromQuery[bool] = False,
) -> DeviceAct:
    """Say what would become of a device on a day; with ``apply``, write it."""
    services = services_of(request)
    day = data.day or services.today()
    check_day(request, day)
    paper = clean_text(data.instrument or "", 200)
    device = await find_device(request, ref)
    changes = await _changes(request, data, day)
    by = By(request.user.name, services.clock())
    refs = await load_refs(services, Moment(day, by.now_ms))
    allowed = await allowed_now(request)
    answer: DeviceAct | None = None
    try:
        with told():
            async with services.db.change() as session:
                await _demand_held(session, device, day, allowed, ref)
                answer = await _act(session, request, device, data, changes, (day, paper), refs)
                if not apply:
                    raise _DryRun
                answer = DeviceAct(answer.before, answer.after, applied=True)
    except _DryRun:
        pass
    if answer is None:
        raise AssertionError("the transaction ended without an answer")
    return answer


async def _act(
    session: Session,
    request: AppRequest,
    device: Row,
    data: DeviceActInput,
    changes: Row,
    said: tuple[date, str],
    refs: dict[int, UnitRef],
) -> DeviceAct:
    """Write the act and its entry in the caller's transaction."""
    services = services_of(request)
    day, paper = said
    by, today = By(request.user.name, services.clock()), services.today()
    if data.act == "retire":
        before: Row | None = await retire(session, device["id"], day, paper or None, by, today)
        after: Row | None = None
    else:
        saying = Saying(day, paper or None, changes, data.correction)
        before, after = await say(session, device["id"], saying, by, today)
        if "unit_id" in changes:
            await leave_strangers(session, device["id"])
            await assign_unassigned(session, who=by.who, now_ms=by.now_ms)
    await record(
        session,
        at_ms=by.now_ms,
        who=by.who,
        act=f"device.{'retire' if data.act == 'retire' else 'say'}",
        subject=f"device:{device['code']}",
        before=before,
        after={**(after or {}), "day": day, "correction": data.correction},
        paper=paper or None,
    )
    assets = {row["asset_id"] for row in (before, after) if row and row["asset_id"]}
    codes = await session.fetch("SELECT id, code FROM asset WHERE id IN :[ids]", ids=sorted(assets))
    named = {row["id"]: str(row["code"]) for row in codes}
    return DeviceAct(_told(before, refs, named), _told(after, refs, named), applied=False)


def _told(row: Row | None, refs: dict[int, UnitRef], assets: dict[int, str]) -> DeviceSaid | None:
    if row is None:
        return None
    unit = refs.get(row["unit_id"])
    return DeviceSaid(row["code"], row["name"], row["kind"], unit, assets.get(row["asset_id"] or 0))


async def _demand_held(
    session: Session, device: Row, day: date, allowed: list[int] | None, ref: str
) -> None:
    """Refuse an act on days on which the device was another's than the user's."""
    rows = await session.fetch(_UNITS_SINCE, id=device["id"], day=day)
    if allowed is not None and any(row["unit_id"] not in allowed for row in rows):
        raise Problem("not_found", what=NOUN, ref=ref)


async def _changes(request: AppRequest, data: DeviceActInput, day: date) -> Row:
    """Return what is said of a device, cleaned; units and assets by id. Raises Problem."""
    changes: Row = {}
    for name, cap in (("code", 60), ("name", 200), ("kind", 30)):
        value = getattr(data, name)
        if isinstance(value, msgspec.UnsetType):
            continue
        changes[name] = clean_text(value, cap)
        if not changes[name]:
            raise Problem("bad_field", field=name, value="", wanted=Both("một giá trị", "a value"))
    if not isinstance(data.unit, msgspec.UnsetType):
        changes["unit_id"] = await unit_on(request, data.unit, day)
    if not isinstance(data.asset, msgspec.UnsetType):
        changes["asset_id"] = None
        if data.asset is not None:
            services = services_of(request)
            moment = now_of(services)
            units = await visible_units(services, request.user, moment, None)
            found = await fetch_one(
                services, ASSETS, noun=ASSET, ref=data.asset, names=("a.code", "a.tag"),
                moment=moment, units=units,
            )  # fmt: skip
            changes["asset_id"] = found["id"]
    if data.act == "change" and not changes:
        wanted = Both("mã, tên, loại, đơn vị hoặc tài sản", "code, name, kind, unit or asset")
        raise Problem("bad_field", field="change", value="", wanted=wanted)
    return changes


HANDLERS = (device_history, act_on_device)
