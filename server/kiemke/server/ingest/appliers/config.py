"""Visits by SSH: how the last one ended, the host key shown, and the configuration when it changed."""

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

from kiemke.server.db import Row
from kiemke.server.domain import device_configs, host_keys, ssh_facts
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.subjects import unassigned_devices
from kiemke.wire.config_text import unpack

_FACTS = {"vendor": 100, "model": 200, "version": 200, "serial": 100, "name": 255}
_TOLD = (*_FACTS, "parts_json", "ports_json", "user_name", "fetched_at_ms")
# Of an account that was seen in a configuration: the three stand or fall together.
_ACCESS = ("may_configure", "administrators_json", "snmp_writers")


def _upsert() -> str:
    plain = ("device_id", "source_id", "platform", "outcome", "detail", "visited_at_ms")
    names = (*plain, *_TOLD, *_ACCESS)
    sets = [f"{name} = excluded.{name}" for name in plain[1:]]
    sets += [f"{name} = COALESCE(excluded.{name}, device_ssh.{name})" for name in _TOLD]
    sets += [
        f"{name} = CASE WHEN CAST(:has_access AS INTEGER) = 1 THEN excluded.{name}"
        f" ELSE device_ssh.{name} END"
        for name in _ACCESS
    ]
    return (
        f"INSERT INTO device_ssh ({', '.join(names)})"  # noqa: S608  # the names above
        f" VALUES ({', '.join(f':{name}' for name in names)})"
        f" ON CONFLICT (device_id) DO UPDATE SET {', '.join(sets)}"
        " WHERE device_ssh.visited_at_ms <= excluded.visited_at_ms"
    )


_UPSERT = _upsert()


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Store each visit in the order they were made; refuse devices that are not the source's."""
    hopeless = await unassigned_devices(applying, items)
    foreign = {id(item) for item, _ in hopeless}
    taken = [item for item in items if id(item) not in foreign]
    rows = await applying.session.fetch(
        "SELECT id, code, unit_id FROM device WHERE id IN :[ids]",
        ids=sorted({item.report.body.device for item in taken}),
    )
    devices = {row["id"]: row for row in rows}
    told: set[int] = set()
    for item in sorted(taken, key=lambda each: each.report.at_ms):
        body = item.report.body
        try:
            text = None if body.packed is None else unpack(body.packed)
        except ValueError as error:
            hopeless.append((item, f"configuration: {error}"))
            continue
        await applying.session.execute(_UPSERT, **_values(item, text is not None))
        await _note_key(applying, item, devices[body.device])
        if text is not None:
            await _keep(applying, item, devices[body.device], text)
        told.add(body.device)
    await ssh_facts.fill(applying.session, told, visited=True)
    return hopeless


def _values(item: Item, fetched: bool) -> dict[str, Any]:
    body, at_ms, access = item.report.body, item.report.at_ms, item.report.body.access
    admins = None if access is None else access.administrators
    return {
        "device_id": body.device,
        "source_id": item.source_id,
        "platform": body.platform[:40],
        "outcome": body.outcome,
        "detail": None if body.detail is None else body.detail[:500],
        "visited_at_ms": at_ms,
        **{name: body.facts.get(name, "")[:most] or None for name, most in _FACTS.items()},
        "parts_json": _rows_json(body.parts),
        "ports_json": _rows_json(body.ports),
        "user_name": None if access is None else access.user[:100] or None,
        "fetched_at_ms": at_ms if fetched else None,
        "has_access": int(access is not None),
        "may_configure": None if access is None else access.may_configure,
        "administrators_json": None if admins is None else json.dumps(admins, ensure_ascii=False),
        "snmp_writers": None if access is None else access.snmp_writers,
    }


def _rows_json(rows: Sequence[Any] | None) -> str | None:
    """Return rows as JSON without what they do not tell; None when they were not asked for."""
    if rows is None:
        return None
    plain = [
        {name: value for name, value in dataclasses.asdict(row).items() if value is not None}
        for row in rows
    ]
    return json.dumps(plain, ensure_ascii=False)


async def _note_key(applying: Applying, item: Item, device: Row) -> None:
    body = item.report.body
    if body.host_key is None:
        return
    shown = host_keys.Shown(
        body.device,
        device["code"],
        device["unit_id"],
        item.source_id,
        body.host_key,
        item.report.at_ms,
        refused=body.outcome == "host_key",
    )
    await host_keys.note(applying.session, shown, item.batch.received_at_ms)


async def _keep(applying: Applying, item: Item, device: Row, text: str) -> None:
    body = item.report.body
    fetched = device_configs.Fetched(
        body.device,
        device["code"],
        device["unit_id"],
        item.source_id,
        body.platform,
        body.digest,
        text,
        body.masked or 0,
        item.report.at_ms,
    )
    await device_configs.keep(applying.session, fetched, item.batch.received_at_ms)
