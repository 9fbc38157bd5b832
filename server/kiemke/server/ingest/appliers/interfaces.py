"""Raw interface counters become intervals once, here: a line's port fills the line's slots."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import as_date
from kiemke.server.domain.counters import Reading, interval
from kiemke.server.domain.port_state import Course, State, follow
from kiemke.server.ingest import port_changes
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.link_days import LinkDays
from kiemke.server.ingest.subjects import unassigned_devices
from kiemke.wire.report import InterfaceReading

_EPOCH = date(1970, 1, 1)

# (device, source, ifIndex) -> the row as last read.
_Rows = dict[tuple[int, int, int], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Port:
    """A line's port over a span of days; ``probed`` lines get their state from probes instead."""

    link: int
    interface_name: str
    valid_from: int
    valid_to: int | None
    probed: bool


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Make intervals of consecutive readings; refuse devices that are not the source's.

    A reading older than the last one of its interface makes no interval: what lies between is
    covered already.
    """
    hopeless = await unassigned_devices(applying, items)
    foreign = {id(item) for item, _ in hopeless}
    taken = sorted(
        (item for item in items if id(item) not in foreign), key=lambda i: i.report.at_ms
    )
    if not taken:
        return hopeless
    rows = await _load_rows(applying, taken)
    ports = await _load_ports(applying, taken)
    days = LinkDays(applying)
    if ports:
        await _load_days(applying, days, taken, ports, rows)
    touched: set[tuple[int, int, int]] = set()
    changes: list[dict[str, Any] | None] = []
    for item in taken:
        # A name that stands twice (some switches call every port "Ethernet") tells no port.
        times = Counter(map(_name, item.report.body.rows))
        for reading in item.report.body.rows:
            unique = times[_name(reading)] == 1
            key = (item.report.body.device, item.source_id, reading.index)
            before = rows.get(key)
            _take(days, rows, touched, ports if unique else {}, item, reading)
            if before is not None and before["name"] == rows[key]["name"]:
                received = item.batch.received_at_ms
                changes.append(port_changes.change_of(before, rows[key], received))
    await port_changes.keep(applying.session, changes)
    await applying.session.many(_UPSERT, [rows[key] for key in sorted(touched)])
    if ports:
        await days.save(max(item.batch.received_at_ms for item in taken))
    return hopeless


async def _load_rows(applying: Applying, items: list[Item]) -> _Rows:
    found = await applying.session.fetch(
        f"SELECT {', '.join(_COLUMNS)} FROM interface_now"  # noqa: S608  # the names below
        " WHERE device_id IN :[devices] AND source_id IN :[sources]",
        devices=sorted({item.report.body.device for item in items}),
        sources=sorted({item.source_id for item in items}),
    )
    return {(r["device_id"], r["source_id"], r["if_index"]): r for r in found}


async def _load_ports(applying: Applying, items: list[Item]) -> dict[int, list[_Port]]:
    found = await applying.session.fetch(
        "SELECT v.link_id, v.device_id, v.interface_name, v.valid_from, v.valid_to,"
        " EXISTS (SELECT 1 FROM probe_target t WHERE t.link_id = v.link_id"
        " AND t.retired_at_ms IS NULL) AS probed FROM link_version v"
        " WHERE v.device_id IN :[devices] AND v.voided_at_ms IS NULL"
        " AND v.interface_name IS NOT NULL ORDER BY v.link_id",
        devices=sorted({item.report.body.device for item in items}),
    )
    ports: dict[int, list[_Port]] = {}
    for row in found:
        end = row["valid_to"]
        port = _Port(
            row["link_id"],
            row["interface_name"],
            (as_date(row["valid_from"]) - _EPOCH).days,
            None if end is None else (as_date(end) - _EPOCH).days,
            bool(row["probed"]),
        )
        ports.setdefault(row["device_id"], []).append(port)
    return ports


async def _load_days(
    applying: Applying,
    days: LinkDays,
    items: list[Item],
    ports: dict[int, list[_Port]],
    rows: _Rows,
) -> None:
    """Read the days from the oldest last reading's to the newest reading's.

    Only interfaces that are read now: one that is gone would pull in every day since it went.
    """
    moments = [item.report.at_ms for item in items]
    for item in items:
        body = item.report.body
        names = {port.interface_name for port in ports.get(body.device, ())}
        for reading in body.rows:
            before = rows.get((body.device, item.source_id, reading.index))
            if before is not None and _name(reading) in names:
                moments.append(before["read_at_ms"])
    await days.load(
        {port.link for device in ports.values() for port in device},
        {item.source_id for item in items},
        applying.slot_of(min(moments))[0],
        applying.slot_of(max(moments))[0],
    )


def _take(
    days: LinkDays,
    rows: _Rows,
    touched: set[tuple[int, int, int]],
    ports: dict[int, list[_Port]],
    item: Item,
    reading: InterfaceReading,
) -> None:
    body = item.report.body
    key = (body.device, item.source_id, reading.index)
    before = rows.get(key)
    at_ms, uptime = _read_at(item, reading)
    if before is not None and before["read_at_ms"] >= at_ms:
        return
    name = _name(reading)
    after = Reading(
        at_ms,
        reading.in_octets,
        reading.out_octets,
        reading.counter_bits,
        uptime,
        reading.discontinuity_seconds,
        reading.speed_bits_per_second,
        reading.last_change_seconds,
    )
    # After a reboot the number may be another interface's: its counters are not compared.
    same = before is not None and before["name"] == name
    made = interval(_reading(before), after) if before is not None and same else None
    rows[key] = _row(key, reading, name, item, made.quality if made else None)
    rows[key] |= _course(before if same else None, reading, item)
    touched.add(key)
    day, _ = days.applying.slot_of(item.report.at_ms)
    # By line: two versions of one line that overlap count an interval once.
    carried = {
        port.link: port
        for port in ports.get(body.device, ())
        if port.interface_name == name and _valid(port, day)
    }
    for port in carried.values():
        if made is not None:
            days.add_interval(port.link, item, made, at_ms)
        days.set_port(port.link, item, reading.speed_bits_per_second, reading.duplex)
        if not port.probed and reading.oper_up is not None:
            days.add_look(port.link, item, up=reading.oper_up, several=False)


def _read_at(item: Item, reading: InterfaceReading) -> tuple[int, float | None]:
    """Return when a row's octets were read (epoch milliseconds), and what sysUpTime was then.

    Not the end of the poll: a walk that lost answers took seconds, and by those a minute's rate was off.
    """
    ago, uptime = reading.octets_ago_seconds or 0.0, item.report.body.sys_uptime_seconds
    return (
        item.report.at_ms - round(ago * 1000),
        None if uptime is None else max(0.0, uptime - ago),
    )


def _name(reading: InterfaceReading) -> str | None:
    """Return ifName, or ifDescr where there is none, as stored."""
    name = reading.name or reading.description
    return name and name[:255]


def _valid(port: _Port, day: int) -> bool:
    return port.valid_from <= day and (port.valid_to is None or day < port.valid_to)


def _reading(row: dict[str, Any]) -> Reading:
    return Reading(
        row["read_at_ms"],
        None if row["in_octets"] is None else int(row["in_octets"]),
        None if row["out_octets"] is None else int(row["out_octets"]),
        row["counter_bits"],
        row["sys_uptime_seconds"],
        row["discontinuity_seconds"],
        row["speed_bits_per_second"],
        row["last_change_seconds"],
    )


def _course(before: dict[str, Any] | None, reading: InterfaceReading, item: Item) -> dict[str, Any]:
    """Return the columns of the port's state; ``before`` is its last reading, None for a new port."""
    after = State(
        item.report.at_ms,
        reading.oper_up,
        item.report.body.sys_uptime_seconds,
        reading.last_change_seconds,
    )
    then, known = None, Course(None, 0)
    if before is not None:
        up = before["oper_up"]
        then = State(
            before["read_at_ms"],
            None if up is None else bool(up),
            before["sys_uptime_seconds"],
            before["last_change_seconds"],
        )
        known = Course(before["state_at_ms"], before["state_changes"] or 0)
    course = follow(then, known, after)
    return {
        "last_change_seconds": reading.last_change_seconds,
        "state_at_ms": course.since_ms,
        "state_changes": course.changes,
    }


def _decimal(value: int | None) -> str | None:
    return None if value is None else str(value)


def _row(
    key: tuple[int, int, int],
    reading: InterfaceReading,
    name: str | None,
    item: Item,
    quality: str | None,
) -> dict[str, Any]:
    read_at_ms, uptime = _read_at(item, reading)
    return {
        "device_id": key[0],
        "source_id": key[1],
        "if_index": key[2],
        "name": name,
        "alias": reading.alias and reading.alias[:255],
        "type": reading.type,
        "mac": reading.mac and reading.mac[:40],
        "admin_up": reading.admin_up,
        "oper_up": reading.oper_up,
        "speed_bits_per_second": reading.speed_bits_per_second,
        "duplex": reading.duplex and reading.duplex[:10],
        "counter_bits": reading.counter_bits,
        "in_octets": _decimal(reading.in_octets),
        "out_octets": _decimal(reading.out_octets),
        "in_errors": _decimal(reading.in_errors),
        "out_errors": _decimal(reading.out_errors),
        "read_at_ms": read_at_ms,
        "sys_uptime_seconds": uptime,
        "discontinuity_seconds": reading.discontinuity_seconds,
        "last_quality": quality,
        "in_discards": _decimal(reading.in_discards),
        "out_discards": _decimal(reading.out_discards),
    }


_COLUMNS = (
    "device_id", "source_id", "if_index", "name", "alias", "type", "mac", "admin_up", "oper_up",
    "speed_bits_per_second", "duplex", "counter_bits", "in_octets", "out_octets", "in_errors",
    "out_errors", "read_at_ms", "sys_uptime_seconds", "discontinuity_seconds", "last_quality",
    "in_discards", "out_discards", "last_change_seconds", "state_at_ms", "state_changes",
)  # fmt: skip

_UPSERT = (
    f"INSERT INTO interface_now ({', '.join(_COLUMNS)})"  # noqa: S608  # the names above
    f" VALUES ({', '.join(f':{c}' for c in _COLUMNS)})"
    " ON CONFLICT (device_id, source_id, if_index) DO UPDATE SET "
    + ", ".join(f"{c} = excluded.{c}" for c in _COLUMNS[3:])
)
