"""Network devices registered for polling, and how their collector last found them."""

import json
from dataclasses import dataclass

import msgspec
from litestar import get, patch
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.text import clean_text
from kiemke.server.enrolment import NOUN_SOURCE
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.addresses import check_address, demand_within
from kiemke.server.resources.device_events import DeviceEvent, read_events
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, now_of, visible_units
from kiemke.wire.platforms import PLATFORMS

NOUN = Both("thiết bị", "device")
CHANGEABLE = (
    "address", "port", "credential", "ssh_credential", "ssh_platform", "ssh_port",
    "ssh_visit_hours", "collector_id",
)  # fmt: skip
MOST_VISIT_HOURS = 24 * 366

LISTING = Listing(
    columns="d.id, d.code, d.name, d.kind, d.unit_id, d.address, d.port, d.credential,"
    " d.ssh_credential, d.ssh_platform, d.ssh_port, d.ssh_visit_hours,"
    " d.collector_id, COALESCE(CAST(h.holder AS BIGINT), d.collector_id) AS polled_by,"
    " s.public_id AS collector, v.code AS unit_code, v.name AS unit_name,"
    " n.outcome, n.detail, n.answered_at_ms, n.polled_at_ms, n.sys_descr, n.sys_name,"
    " n.vendor, n.seen_kind, n.model, n.version, n.serial, n.seen_name, n.seen_location,"
    " n.identified_at_ms, n.by_ssh,"
    " x.platform AS visit_platform, x.outcome AS visit_outcome, x.detail AS visit_detail,"
    " x.visited_at_ms, x.fetched_at_ms, x.user_name, x.may_configure, x.snmp_writers",
    tables="device d LEFT JOIN unit_version v ON v.unit_id = d.unit_id AND {active v}"
    " LEFT JOIN source s ON s.id = d.collector_id"
    " LEFT JOIN device_ssh x ON x.device_id = d.id"
    " LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id"
    " LEFT JOIN device_now n ON n.device_id = d.id"
    " AND n.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id)",
    where=("d.retired_at_ms IS NULL",),
    key="d.code",
    id="d.id",
    in_units="d.unit_id IN :[units]",
    search=("d.search_key", "d.code", "d.address", "n.serial"),
)


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
    port: int
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
class Interface:
    """An interface as last read; counters are unsigned decimals as text.

    ``state_at``: since when it is up or down; ``state_changes``: how often that was seen to change.
    """

    index: int
    name: str | None
    alias: str | None
    mac: str | None
    admin_up: bool | None
    oper_up: bool | None
    speed_bits_per_second: int | None
    duplex: str | None
    in_octets: str | None
    out_octets: str | None
    in_errors: str | None
    out_errors: str | None
    in_discards: str | None
    out_discards: str | None
    state_at: str | None
    state_changes: int | None
    read_at: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A figure of the device's own state; its unit stands in ``name``."""

    name: str
    part: str
    label: str | None
    value: float
    read_at: str | None


@dataclass(frozen=True, slots=True)
class Visit:
    """The last visit by SSH: how it ended, and what it told of parts and interfaces, in its words.

    ``may_configure`` is about the account ``user``, ``snmp_writers`` counts SNMP communities and users
    that may write; null where it is not known. ``config_at`` is when the configuration was last read.
    """

    platform: str
    outcome: str
    detail: str | None
    visited_at: str | None
    config_at: str | None
    user: str | None
    may_configure: bool | None
    snmp_writers: int | None
    administrators: list[str] | None
    parts: list[dict[str, str]] | None
    ports: list[dict[str, str]] | None


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
    """List devices by code."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
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
    async with services.db.transaction() as session:
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
    names = ("d.code", "d.address")
    return await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=names, moment=moment, units=units
    )


async def _load(request: AppRequest, ref: str, moment: Moment) -> DeviceWhole:
    row = await find_device(request, ref, moment)
    services = services_of(request)
    interfaces = await _load_interfaces(services, row)
    readings = await _load_readings(services, row)
    visit = await _load_visit(services, row)
    events = await read_events(services.db, row["id"], moment.known_ms)
    return DeviceWhole(
        **_values(row), interfaces=interfaces, readings=readings, visit=visit, events=events
    )


async def _load_visit(services: Services, row: Row) -> Visit | None:
    if row["visit_outcome"] is None:
        return None
    (lists,) = await services.db.read(
        "SELECT administrators_json, parts_json, ports_json FROM device_ssh WHERE device_id = :device",
        device=row["id"],
    )
    administrators, parts, ports = (
        None if text is None else json.loads(text)
        for text in (lists["administrators_json"], lists["parts_json"], lists["ports_json"])
    )
    return Visit(
        row["visit_platform"],
        row["visit_outcome"],
        row["visit_detail"],
        rfc3339(row["visited_at_ms"]),
        rfc3339(row["fetched_at_ms"]),
        row["user_name"],
        _truth(row["may_configure"]),
        row["snmp_writers"],
        administrators,
        parts,
        ports,
    )


async def _load_readings(services: Services, row: Row) -> list[Reading]:
    rows = await services.db.read(
        "SELECT name, part, label, value, read_at_ms FROM device_reading_now"
        " WHERE device_id = :device AND source_id = :source ORDER BY name, part",
        device=row["id"],
        source=row["polled_by"] or 0,
    )
    return [
        Reading(
            each["name"], each["part"], each["label"], each["value"], rfc3339(each["read_at_ms"])
        )
        for each in rows
    ]


async def _load_interfaces(services: Services, row: Row) -> list[Interface]:
    rows = await services.db.read(
        "SELECT * FROM interface_now WHERE device_id = :device AND source_id = :source"
        " ORDER BY if_index",
        device=row["id"],
        source=row["polled_by"] or 0,
    )
    return [
        Interface(
            index=each["if_index"],
            name=each["name"],
            alias=each["alias"],
            mac=each["mac"],
            admin_up=_truth(each["admin_up"]),
            oper_up=_truth(each["oper_up"]),
            speed_bits_per_second=each["speed_bits_per_second"],
            duplex=each["duplex"],
            in_octets=each["in_octets"],
            out_octets=each["out_octets"],
            in_errors=each["in_errors"],
            out_errors=each["out_errors"],
            in_discards=each["in_discards"],
            out_discards=each["out_discards"],
            state_at=rfc3339(each["state_at_ms"]),
            state_changes=each["state_changes"],
            read_at=rfc3339(each["read_at_ms"]),
        )
        for each in rows
    ]


def _truth(value: int | bool | None) -> bool | None:
    return None if value is None else bool(value)  # SQLite keeps truth as 0 and 1


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
