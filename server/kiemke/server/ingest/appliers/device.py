"""A device's system group and what it is: the last word of one source, and when it last answered."""

from typing import Any

from kiemke.server.domain import ssh_facts
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.subjects import unassigned_devices

_LIMITS = {"detail": 500, "sys_descr": 500, "sys_object_id": 200}
_TEXTS = ("detail", "sys_descr", "sys_object_id", "sys_name", "sys_location", "sys_contact")
# Column -> (field of the identity, most characters).
_IDENTITY = {
    "vendor": ("vendor", 100),
    "seen_kind": ("kind", 30),
    "model": ("model", 200),
    "version": ("version", 200),
    "serial": ("serial", 100),
    "seen_name": ("name", 255),
    "seen_location": ("location", 255),
}
_PLAIN = {
    "device_id": "device",
    "source_id": "source",
    "outcome": "outcome",
    "detail": "detail",
    "polled_at_ms": "at",
    "sys_uptime_seconds": "uptime",
    "changed_at_ms": "received",
}
# What an answer that leaves it out does not take back.
_STAYING = {"answered_at_ms": "answered", **{name: name for name in _TEXTS[1:]}}


def _upsert() -> str:
    """Return the merging upsert; a whole identity replaces every fact, half a one adds what it has."""
    values = _PLAIN | _STAYING | {name: name for name in (*_IDENTITY, "identified_at_ms")}
    sets = [f"{name} = excluded.{name}" for name in _PLAIN if not name.endswith("_id")]
    sets += [
        f"{name} = COALESCE(excluded.{name}, device_now.{name})"
        for name in (*_STAYING, "identified_at_ms")
    ]
    sets += [
        f"{name} = CASE WHEN CAST(:whole AS INTEGER) = 1 THEN excluded.{name}"
        f" ELSE COALESCE(excluded.{name}, device_now.{name}) END"
        for name in _IDENTITY
    ]
    # What SSH had filled in is replaced too, and filled in anew behind it.
    sets.append(
        "by_ssh = CASE WHEN CAST(:whole AS INTEGER) = 1 THEN NULL ELSE device_now.by_ssh END"
    )
    return (
        f"INSERT INTO device_now ({', '.join(values)})"  # noqa: S608  # the names above
        f" VALUES ({', '.join(f':{name}' for name in values.values())})"
        f" ON CONFLICT (device_id, source_id) DO UPDATE SET {', '.join(sets)}"
        " WHERE device_now.polled_at_ms <= excluded.polled_at_ms"
    )


_UPSERT = _upsert()
_READING = """
INSERT INTO device_reading_now
  (device_id, source_id, name, part, label, value, read_at_ms, changed_at_ms)
VALUES (:device, :source, :name, :part, :label, :value, :at, :received)
ON CONFLICT (device_id, source_id, name, part) DO UPDATE SET label = excluded.label,
  value = excluded.value, read_at_ms = excluded.read_at_ms, changed_at_ms = excluded.changed_at_ms
WHERE device_reading_now.read_at_ms <= excluded.read_at_ms
"""
_GONE = """
DELETE FROM device_reading_now WHERE device_id = :device AND source_id = :source AND name = :name
  AND read_at_ms < :at
"""


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Store the newest answer of each device; refuse devices that are not the source's."""
    hopeless = await unassigned_devices(applying, items)
    foreign = {id(item) for item, _ in hopeless}
    newest: dict[tuple[int, int], dict[str, Any]] = {}
    for item in items:
        if id(item) not in foreign:
            _keep_newest(newest, item)
    await applying.session.many(_UPSERT, [newest[key] for key in sorted(newest)])
    await ssh_facts.fill(applying.session, [device for device, _ in newest])
    await _store_readings(applying, [item for item in items if id(item) not in foreign])
    return hopeless


async def _store_readings(applying: Applying, items: list[Item]) -> None:
    """Store the newest readings; of a name that was read, parts that are gone are forgotten."""
    rows: dict[tuple[int, int, str, str], dict[str, Any]] = {}
    names: dict[tuple[int, int, str], dict[str, Any]] = {}
    for item in sorted(items, key=lambda each: each.report.at_ms):
        body, at_ms = item.report.body, item.report.at_ms
        for reading in body.readings or ():
            name, part = reading.name[:40], reading.part[:60]
            key = {"device": body.device, "source": item.source_id, "name": name, "at": at_ms}
            rows[body.device, item.source_id, name, part] = {
                **key,
                "part": part,
                "label": reading.label[:100] if reading.label else None,
                "value": float(reading.value),
                "received": item.batch.received_at_ms,
            }
            names[body.device, item.source_id, name] = key
    if rows:
        await applying.session.many(_READING, [rows[key] for key in sorted(rows)])
        await applying.session.many(_GONE, [names[key] for key in sorted(names)])


def _keep_newest(newest: dict[tuple[int, int], dict[str, Any]], item: Item) -> None:
    body = item.report.body
    key = (body.device, item.source_id)
    values = _values(item)
    earlier = newest.get(key)
    if earlier is not None:  # two polls in one group: what only the older one said stays said
        older, newer = sorted((earlier, values), key=lambda each: int(each["at"]))
        if earlier["at"] == values["at"]:
            older, newer = earlier, values
        for name in (*_TEXTS[1:], "answered", "identified_at_ms"):
            if newer[name] is None:
                newer[name] = older[name]
        if not newer["whole"]:
            newer["whole"] = older["whole"]
            for name in _IDENTITY:
                if newer[name] is None:
                    newer[name] = older[name]
        values = newer
    newest[key] = values


def _values(item: Item) -> dict[str, Any]:
    body, at_ms = item.report.body, item.report.at_ms
    identity = body.identity
    values: dict[str, Any] = {
        "device": body.device,
        "source": item.source_id,
        "outcome": body.outcome,
        "at": at_ms,
        "answered": at_ms if body.outcome in ("ok", "partial") else None,
        "uptime": body.sys_uptime_seconds,
        "received": item.batch.received_at_ms,
        "identified_at_ms": None if identity is None else at_ms,
        "whole": int(identity is not None and identity.complete),
    }
    for name in _TEXTS:
        text = getattr(body, name)
        values[name] = None if text is None else text[: _LIMITS.get(name, 255)]
    for column, (name, most) in _IDENTITY.items():
        text = None if identity is None else getattr(identity, name)
        values[column] = text[:most] if text else None
    return values
