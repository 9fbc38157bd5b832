"""A device's neighbours, learned MACs and addresses become stays: where what was, from when to when."""

import json
from typing import Any

from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.stays import Seen, StayTable, settle
from kiemke.server.ingest.subjects import unassigned_devices
from kiemke.wire.lan import LanAddress, Neighbour, Neighbours, Station

NEIGHBOURS = StayTable(
    "neighbour_stay",
    "device_id",
    ("protocol", "port", "chassis", "far_port"),
    facts=(
        "if_index", "chassis_kind", "far_kind", "far_label", "name", "description",
        "addresses_json", "abilities", "duplex", "vlan",
    ),
    ends=True,
)  # fmt: skip
STATIONS = StayTable(
    "station_stay", "device_id", ("mac", "vlan", "port"), ("mac", "vlan"), ("if_index",)
)
ADDRESSES = StayTable("address_stay", "device_id", ("address", "mac"), ("address",), ("if_index",))
_LATEST = """
SELECT device_id, MAX(read_at_ms) AS at FROM device_tables_now WHERE device_id IN :[ids]
GROUP BY device_id
"""
_LOCK = "SELECT id FROM device WHERE id IN :[ids] ORDER BY id FOR NO KEY UPDATE"
_NOW = """
INSERT INTO device_tables_now
  (device_id, source_id, outcome, detail, read_at_ms, neighbours, stations, addresses)
VALUES (:device, :source, :outcome, :detail, :at, :neighbours, :stations, :addresses)
ON CONFLICT (device_id, source_id) DO UPDATE SET outcome = excluded.outcome,
  detail = excluded.detail, read_at_ms = excluded.read_at_ms,
  neighbours = COALESCE(excluded.neighbours, device_tables_now.neighbours),
  stations = COALESCE(excluded.stations, device_tables_now.stations),
  addresses = COALESCE(excluded.addresses, device_tables_now.addresses)
WHERE device_tables_now.read_at_ms <= excluded.read_at_ms
"""


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Bring the stays of each device in step; refuse devices that are not the source's.

    A reading older than the last one of its device, by whomever, changes no stay.
    """
    hopeless = await unassigned_devices(applying, items)
    foreign = {id(item) for item, _ in hopeless}
    taken = [item for item in items if id(item) not in foreign]
    taken.sort(key=lambda item: (item.report.body.device, item.report.at_ms))
    session = applying.session
    ids = sorted({item.report.body.device for item in taken})
    if session.dialect == "postgres":  # two collectors that read one device would open a stay twice
        await session.fetch(_LOCK, ids=ids)
    latest = {row["device_id"]: row["at"] for row in await session.fetch(_LATEST, ids=ids)}
    for item in taken:
        body, at_ms = item.report.body, item.report.at_ms
        if at_ms <= latest.get(body.device, at_ms - 1):
            continue
        latest[body.device] = at_ms
        seen = Seen(body.device, item.source_id, at_ms, item.batch.received_at_ms)
        if body.neighbours is not None:
            await settle(session, NEIGHBOURS, seen, [_neighbour(each) for each in body.neighbours])
        if body.stations is not None:
            await settle(session, STATIONS, seen, [_station(each) for each in body.stations])
        if body.addresses is not None:
            await settle(session, ADDRESSES, seen, [_address(each) for each in body.addresses])
        await session.execute(_NOW, **_now(item, body))
    return hopeless


def _now(item: Item, body: Neighbours) -> dict[str, Any]:
    return {
        "device": body.device,
        "source": item.source_id,
        "outcome": body.outcome,
        "detail": None if body.detail is None else body.detail[:500],
        "at": item.report.at_ms,
        "neighbours": None if body.neighbours is None else len(body.neighbours),
        "stations": None if body.stations is None else len(body.stations),
        "addresses": None if body.addresses is None else len(body.addresses),
    }


def _neighbour(each: Neighbour) -> dict[str, Any]:
    return {
        "protocol": each.protocol,
        "port": _cut(each.port) or "",
        "if_index": each.index,
        "chassis": _cut(each.chassis) or "",
        "chassis_kind": each.chassis_kind,
        "far_port": _cut(each.far_port) or "",
        "far_kind": each.far_kind,
        "far_label": _cut(each.far_label),
        "name": _cut(each.name),
        "description": _cut(each.description, 500),
        "addresses_json": json.dumps(each.addresses),
        "abilities": ",".join(each.abilities),
        "duplex": each.duplex,
        "vlan": each.vlan,
    }


def _station(each: Station) -> dict[str, Any]:
    return {
        "mac": each.mac, "vlan": each.vlan or 0, "port": _cut(each.port) or "",
        "if_index": each.index,
    }  # fmt: skip


def _address(each: LanAddress) -> dict[str, Any]:
    return {"address": each.address, "mac": each.mac, "if_index": each.index}


def _cut(text: str | None, most: int = 255) -> str | None:
    return None if text is None else text[:most]
