"""Network devices registered for polling, and how their collector last found them."""

from dataclasses import dataclass

import msgspec
from litestar import get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.text import clean_text
from kiemke.server.enrolment import NOUN_SOURCE
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.addresses import check_address, demand_within
from kiemke.server.resources.device_events import DeviceEvent, read_events
from kiemke.server.resources.device_state import (
    Interface,
    Reading,
    Visit,
    load_interfaces,
    load_readings,
    load_visit,
)
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, now_of, visible_units
from kiemke.wire.platforms import PLATFORMS

NOUN = Both("thiết bị", "device")
CHANGEABLE = (
    "address", "port", "credential", "ssh_credential", "ssh_platform", "ssh_port",
    "ssh_visit_hours", "collector_id",
)  # fmt: skip
MOST_VISIT_HOURS = 24 * 366
# What a device's version says: the rest is of now.
DATED = ("id", "code", "name", "kind", "unit_id", "unit_code", "unit_name", "page_key", "page_id")

LISTING = Listing(
    columns="d.id, w.code, w.name, w.kind, w.unit_id, d.unit_id AS unit_now, d.address, d.port, d.credential,"
    " d.ssh_credential, d.ssh_platform, d.ssh_port, d.ssh_visit_hours,"
    " d.collector_id, COALESCE(CAST(h.holder AS BIGINT), d.collector_id) AS polled_by,"
    " s.public_id AS collector, v.code AS unit_code, v.name AS unit_name,"
    " n.outcome, n.detail, n.answered_at_ms, n.polled_at_ms, n.sys_descr, n.sys_name,"
    " n.vendor, n.seen_kind, n.model, n.version, n.serial, n.seen_name, n.seen_location,"
    " n.identified_at_ms, n.by_ssh,"
    " x.platform AS visit_platform, x.outcome AS visit_outcome, x.detail AS visit_detail,"
    " x.visited_at_ms, x.fetched_at_ms, x.user_name, x.may_configure, x.snmp_writers",
    tables="device d JOIN device_version w ON w.device_id = d.id AND {active w}"
    " LEFT JOIN unit_version v ON v.unit_id = w.unit_id AND {active v}"
    " LEFT JOIN source s ON s.id = d.collector_id"
    " LEFT JOIN device_ssh x ON x.device_id = d.id"
    " LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id"
    " LEFT JOIN device_now n ON n.device_id = d.id"
    " AND n.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id)",
    key="w.code",
    id="d.id",
    in_units="w.unit_id IN :[units]",
    search=(
        "w.search_key", "w.code", "CASE WHEN d.unit_id = w.unit_id THEN d.address END",
        "CASE WHEN d.unit_id = w.unit_id THEN n.serial END",
    ),
)  # fmt: skip
# An address leads to a device of the unit that has it today: it has no date.
NAMES = ("w.code", "d.unit_id = w.unit_id AND d.address")


@dataclass(frozen=True, slots=True)
class Device:
    """A device; ``outcome`` and what follows are its collector's last word, null before the first.

    ``by_ssh`` names the facts that were told by SSH, the others came by SNMP. ``ssh_visit_hours``
    null: every day; 0: never.
    """

    id: int
    code: str
    name: str
    kind: str
    unit: UnitRef | None
    address: str | None
    port: int | None
    credential: str | None
    ssh_credential: str | None
    ssh_platform: str | None
    ssh_port: int | None
    ssh_visit_hours: int | None
    collector: str | None
    outcome: str | None
    detail: str | None
    polled_at: str | None
    answered_at: str | None
    sys_descr: str | None
    sys_name: str | None
    vendor: str | None
    seen_kind: str | None
    model: str | None
    version: str | None
    serial: str | None
    seen_name: str | None
    seen_location: str | None
    identified_at: str | None
    by_ssh: list[str]


@dataclass(frozen=True, slots=True)
class DeviceWhole(Device):
    """A device with its interfaces, what it says of its own state, the last visit by SSH, and its last events."""

    interfaces: list[Interface]
    readings: list[Reading]
    visit: Visit | None
    events: list[DeviceEvent]


class DeviceChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What to change; fields left out stay. ``collector`` is a collector's id, null takes it away."""

    address: str | None | msgspec.UnsetType = msgspec.UNSET
    port: int | msgspec.UnsetType = msgspec.UNSET
    credential: str | None | msgspec.UnsetType = msgspec.UNSET
    ssh_credential: str | None | msgspec.UnsetType = msgspec.UNSET
    ssh_platform: str | None | msgspec.UnsetType = msgspec.UNSET
    ssh_port: int | None | msgspec.UnsetType = msgspec.UNSET
    ssh_visit_hours: int | None | msgspec.UnsetType = msgspec.UNSET
    collector: str | None | msgspec.UnsetType = msgspec.UNSET


@get("/api/v1/devices", opt={"role": "auditor"}, tags=["devices"])
async def list_devices(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Device]:
    """List devices by code, as they were on the day."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    await hide_others(request, rows)
    return Page([Device(**_values(row)) for row in rows], total, cursor)


@get("/api/v1/devices/{ref:str}", opt={"role": "auditor"}, tags=["devices"])
async def get_device(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> DeviceWhole:
    """Return one device by code, address or id, with its interfaces."""
    return await _load(request, ref, moment)


@patch("/api/v1/devices/{ref:str}", opt={"role": "it"}, tags=["devices"])
async def change_device(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[DeviceChange],
) -> DeviceWhole:
    """Change where and how a device is polled."""
    services = services_of(request)
    moment = now_of(services)
    row = await find_device(request, ref, moment)
    units = await visible_units(services, request.user, moment, None)
    async with services.db.change() as session:
        changes = await _check_changes(session, data, units)
        if changes.get("address") is not None:
            sites = await load_sites(session, moment.day, moment.known_ms)
            demand_within(sites.reach(row["unit_id"]), changes["address"])
        before = {name: row[name] for name in changes}
        new = {**row, **changes}
        sets = ", ".join(f"{name} = :{name}" for name in CHANGEABLE)
        await session.execute(
            f"UPDATE device SET {sets} WHERE id = :id",  # noqa: S608  # the names above
            **{name: new[name] for name in (*CHANGEABLE, "id")},
        )
        await record(
            session,
            at_ms=services.clock(),
            who=request.user.name,
            act="device.change",
            subject=f"device:{row['code']}",
            before=before,
            after=changes,
        )
    return await _load(request, str(row["code"]), moment)


async def _check_changes(
    session: Session, data: JSONBody[DeviceChange], units: list[int] | None
) -> Row:
    changes: Row = {}
    if not isinstance(data.address, msgspec.UnsetType):
        changes["address"] = None if data.address is None else check_address(data.address)
    if not isinstance(data.port, msgspec.UnsetType):
        if not 1 <= data.port <= 65_535:
            raise Problem("bad_field", field="port", value=data.port, wanted="1-65535")
        changes["port"] = data.port
    if not isinstance(data.credential, msgspec.UnsetType):
        changes["credential"] = clean_text(data.credential or "", 60)
    if not isinstance(data.ssh_credential, msgspec.UnsetType):
        changes["ssh_credential"] = clean_text(data.ssh_credential or "", 60) or None
    _check_visits(data, changes)
    if not isinstance(data.collector, msgspec.UnsetType):
        changes["collector_id"] = None
        if data.collector is not None:
            source = await session.one(
                "SELECT id, unit_id FROM source WHERE public_id = :ref AND kind = 'collector'"
                " AND state <> 'revoked'",
                ref=data.collector,
            )
            # Another unit's collector would carry its own credentials to an address chosen here.
            if source is None or (units is not None and source["unit_id"] not in units):
                raise Problem("not_found", what=NOUN_SOURCE, ref=data.collector)
            changes["collector_id"] = source["id"]
    return changes


def _check_visits(data: JSONBody[DeviceChange], changes: Row) -> None:
    if not isinstance(data.ssh_platform, msgspec.UnsetType):
        if data.ssh_platform is not None and data.ssh_platform not in PLATFORMS:
            shown = clean_text(data.ssh_platform, 60)
            wanted = " | ".join(PLATFORMS)
            raise Problem("bad_field", field="ssh_platform", value=shown, wanted=wanted)
        changes["ssh_platform"] = data.ssh_platform
    for name, least, most in (("ssh_port", 1, 65_535), ("ssh_visit_hours", 0, MOST_VISIT_HOURS)):
        value = getattr(data, name)
        if not isinstance(value, msgspec.UnsetType):
            if value is not None and not least <= value <= most:
                raise Problem("bad_field", field=name, value=value, wanted=f"{least}-{most}")
            changes[name] = value


async def find_device(request: AppRequest, ref: str, moment: Moment | None = None) -> Row:
    """Return the device by code, address or id, of those the user sees. Raises Problem 404."""
    services = services_of(request)
    moment = moment or now_of(services)
    units = await visible_units(services, request.user, moment, None)
    return await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=NAMES, moment=moment, units=units
    )


async def hide_others(request: AppRequest, rows: list[Row]) -> None:
    """Take out of rows how a device is polled and what it says where it is another unit's today.

    That has no date: it is of now, and may be seen by who may see the device now.
    """
    services = services_of(request)
    units = await visible_units(services, request.user, now_of(services), None)
    for row in rows:
        if units is not None and row["unit_now"] not in units:
            row.update({name: None for name in row if name not in DATED})


async def _load(request: AppRequest, ref: str, moment: Moment) -> DeviceWhole:
    row = await find_device(request, ref, moment)
    services = services_of(request)
    await hide_others(request, [row])
    if row["unit_now"] is None:  # another unit's today
        return DeviceWhole(**_values(row), interfaces=[], readings=[], visit=None, events=[])
    interfaces = await load_interfaces(services, row)
    readings = await load_readings(services, row)
    visit = await load_visit(services, row)
    events = await read_events(services.db, row["id"], moment.known_ms)
    return DeviceWhole(
        **_values(row), interfaces=interfaces, readings=readings, visit=visit, events=events
    )


def _values(row: Row) -> Row:
    plain = (
        "id", "code", "name", "kind", "address", "port", "credential", "ssh_credential",
        "ssh_platform", "ssh_port", "ssh_visit_hours", "collector",
    )  # fmt: skip
    seen = (
        "outcome", "detail", "sys_descr", "sys_name", "vendor", "seen_kind", "model", "version",
        "serial", "seen_name", "seen_location",
    )  # fmt: skip
    return {
        **{name: row[name] for name in (*plain, *seen)},
        "unit": UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        "polled_at": rfc3339(row["polled_at_ms"]),
        "answered_at": rfc3339(row["answered_at_ms"]),
        "identified_at": rfc3339(row["identified_at_ms"]),
        "by_ssh": [name for name in (row["by_ssh"] or "").split(",") if name],
    }


HANDLERS = (list_devices, get_device, change_device)
