"""What a device says now: its interfaces, readings of its own state, the last visit by SSH."""

import json
from dataclasses import dataclass

from kiemke.server.context import Services, rfc3339
from kiemke.server.db import Row


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


async def load_visit(services: Services, row: Row) -> Visit | None:
    """Return the last visit of a device's row, None where there was none."""
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


async def load_readings(services: Services, row: Row) -> list[Reading]:
    """Return what a device last said of its own state to who polls it, by name and part."""
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


async def load_interfaces(services: Services, row: Row) -> list[Interface]:
    """Return a device's interfaces as who polls it last read them, by number."""
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
