"""A device's system group: the last word of one source, and when it last answered."""

from typing import Any

from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.subjects import unassigned_devices

_LIMITS = {"detail": 500, "sys_descr": 500, "sys_object_id": 200}
_TEXTS = ("detail", "sys_descr", "sys_object_id", "sys_name", "sys_location", "sys_contact")


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Store the newest answer of each device; refuse devices that are not the source's."""
    hopeless = await unassigned_devices(applying, items)
    foreign = {id(item) for item, _ in hopeless}
    newest: dict[tuple[int, int], dict[str, Any]] = {}
    for item in items:
        if id(item) not in foreign:
            _keep_newest(newest, item)
    await applying.session.many(
        "INSERT INTO device_now (device_id, source_id, outcome, detail, polled_at_ms,"
        " answered_at_ms, sys_descr, sys_object_id, sys_name, sys_location, sys_contact,"
        " sys_uptime_seconds, changed_at_ms) VALUES (:device, :source, :outcome, :detail, :at,"
        " :answered, :sys_descr, :sys_object_id, :sys_name, :sys_location, :sys_contact,"
        " :uptime, :received) ON CONFLICT (device_id, source_id) DO UPDATE SET"
        " outcome = excluded.outcome, detail = excluded.detail,"
        " polled_at_ms = excluded.polled_at_ms,"
        " answered_at_ms = COALESCE(excluded.answered_at_ms, device_now.answered_at_ms),"
        " sys_descr = COALESCE(excluded.sys_descr, device_now.sys_descr),"
        " sys_object_id = COALESCE(excluded.sys_object_id, device_now.sys_object_id),"
        " sys_name = COALESCE(excluded.sys_name, device_now.sys_name),"
        " sys_location = COALESCE(excluded.sys_location, device_now.sys_location),"
        " sys_contact = COALESCE(excluded.sys_contact, device_now.sys_contact),"
        " sys_uptime_seconds = excluded.sys_uptime_seconds,"
        " changed_at_ms = excluded.changed_at_ms"
        " WHERE device_now.polled_at_ms <= excluded.polled_at_ms",
        [newest[key] for key in sorted(newest)],
    )
    return hopeless


def _keep_newest(newest: dict[tuple[int, int], dict[str, Any]], item: Item) -> None:
    body = item.report.body
    key = (body.device, item.source_id)
    earlier = newest.get(key)
    if earlier is not None and earlier["at"] > item.report.at_ms:
        return
    answered = item.report.at_ms if body.outcome in ("ok", "partial") else None
    values: dict[str, Any] = {
        "device": body.device,
        "source": item.source_id,
        "outcome": body.outcome,
        "at": item.report.at_ms,
        "answered": answered,
        "uptime": body.sys_uptime_seconds,
        "received": item.batch.received_at_ms,
    }
    for name in _TEXTS:
        text = getattr(body, name)
        values[name] = None if text is None else text[: _LIMITS.get(name, 255)]
    if earlier is not None:  # two polls in one group: what only the older one said stays said
        for name in (*_TEXTS[1:], "answered"):
            if values[name] is None:
                values[name] = earlier[name]
    newest[key] = values
