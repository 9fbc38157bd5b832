"""An inventory replaces the sections that changed, and asks for those the server lacks."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiemke.server.domain import network_stays
from kiemke.server.domain.evidence import SECTIONS
from kiemke.server.domain.network_stays import Seen
from kiemke.server.ingest import software_rows
from kiemke.server.ingest.context import Applying, Item
from kiemke.server.ingest.decode import InventorySection, decode_rows
from kiemke.server.ingest.incoming import BadReport
from kiemke.wire.inventory import SECTIONS as KNOWN_SECTIONS

# A change in one of these may change which machine this is.
IDENTITY_SECTIONS = frozenset(SECTIONS)
# A newer agent may tell of more than this server knows, but not of ever new things.
MOST_UNKNOWN = 50
_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class _Stored:
    status: str
    token: str | None
    observed_at_ms: int


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Take every section's state; refuse a report in which a section's rows cannot be read."""
    stored = await _load(applying, items)
    hopeless: list[tuple[Item, str]] = []
    writes: dict[tuple[int, str], dict[str, Any]] = {}
    software: dict[int, list[dict[str, Any]]] = {}
    told: list[Seen] = []
    for item in items:
        try:
            rows = _rows(item)
            _check_room(item, stored)
        except BadReport as error:
            hopeless.append((item, str(error)))
            continue
        for name in _merge(applying, item, rows, stored, writes):
            travelled = rows[name]
            if name == network_stays.SECTION:
                told += _seen(applying, item, travelled)
            if name == "software" and travelled is not None:
                software[item.source_id] = travelled
    await _save(applying, writes)
    await software_rows.save(applying.session, software)
    await _place(applying, told, items)
    return hopeless


async def _place(applying: Applying, told: list[Seen], items: list[Item]) -> None:
    """Keep where the sources stand; ask those for their adapters of which it was never known."""
    await network_stays.record(applying.session, told)
    sources = {
        item.source_id for item in items if network_stays.SECTION in item.report.body.sections
    }
    for source in sources - await network_stays.placed(applying.session, sources):
        applying.need.setdefault(source, set()).add(network_stays.SECTION)


async def _load(applying: Applying, items: list[Item]) -> dict[tuple[int, str], _Stored]:
    rows = await applying.session.fetch(
        "SELECT source_id, section, status, token, observed_at_ms FROM source_section"
        " WHERE source_id IN :[sources]",
        sources=sorted({item.source_id for item in items}),
    )
    return {
        (r["source_id"], r["section"]): _Stored(r["status"], r["token"], r["observed_at_ms"])
        for r in rows
    }


def _rows(item: Item) -> dict[str, list[dict[str, Any]] | None]:
    """Return each section's rows, None where they did not travel."""
    out: dict[str, list[dict[str, Any]] | None] = {}
    for name, section in item.report.body.sections.items():
        travels = bytes(section.rows) not in (b"", b"null")
        out[name] = decode_rows(name, section.rows) if travels else None
    return out


def _check_room(item: Item, stored: dict[tuple[int, str], _Stored]) -> None:
    """Raise BadReport when a source would have more sections of unknown names than are kept."""
    named = {name for name in item.report.body.sections if name not in KNOWN_SECTIONS}
    if named:
        named |= {
            name
            for source, name in stored
            if source == item.source_id and name not in KNOWN_SECTIONS
        }
    if len(named) > MOST_UNKNOWN:
        raise BadReport(f"more than {MOST_UNKNOWN} sections this server does not know")


def _merge(
    applying: Applying,
    item: Item,
    rows: dict[str, list[dict[str, Any]] | None],
    stored: dict[tuple[int, str], _Stored],
    writes: dict[tuple[int, str], dict[str, Any]],
) -> list[str]:
    """Take over the sections that are news, and return their names."""
    source, at_ms = item.source_id, item.report.at_ms
    need = applying.need.setdefault(source, set())
    taken = []
    for name, section in item.report.body.sections.items():
        key = (source, name)
        known = stored.get(key)
        if known is not None and known.observed_at_ms > at_ms:
            continue  # a late inventory says nothing about today
        travelled = rows[name]
        if section.token is not None and travelled is None:
            if known is None or known.token != section.token:
                need.add(name)
                continue
        changed = known is None or known.token != section.token or known.status != section.status
        stored[key] = _Stored(section.status, section.token, at_ms)
        earlier = writes.get(key)
        writes[key] = _write(source, name, section, travelled, at_ms, changed, earlier)
        need.discard(name)
        if changed and name in IDENTITY_SECTIONS:
            applying.identity_changed_at_ms[source] = item.batch.received_at_ms
        taken.append(name)
    applying.inventory_at_ms[source] = max(at_ms, applying.inventory_at_ms.get(source, at_ms))
    return taken


def _seen(applying: Applying, item: Item, rows: list[dict[str, Any]] | None) -> list[Seen]:
    """Return where the report says the source stands; nothing when it says that all is as it was."""
    is_ok = item.report.body.sections[network_stays.SECTION].status == "ok"
    if is_ok and rows is None:
        return []
    day = _EPOCH + timedelta(days=applying.slot_of(item.report.at_ms)[0])
    return [Seen(item.source_id, day, network_stays.read_addresses(rows or ()))]


def _write(
    source: int,
    name: str,
    section: InventorySection,
    rows: list[dict[str, Any]] | None,
    at_ms: int,
    changed: bool,
    earlier: dict[str, Any] | None,
) -> dict[str, Any]:
    # Software stands in the shared catalogue; its rows would be the same text on every PC.
    keep = rows is not None and name != "software"
    text = json.dumps(rows, ensure_ascii=False, separators=(",", ":")) if keep else None
    if text is None and earlier is not None:
        text = earlier["rows"]
    return {
        "source": source,
        "section": name,
        "status": section.status,
        "token": section.token,
        "detail": (section.detail or "")[:500] or None,
        "rows": text,
        "at": at_ms,
        "changed": at_ms if changed else None,
    }


async def _save(applying: Applying, writes: dict[tuple[int, str], dict[str, Any]]) -> None:
    await applying.session.many(
        "INSERT INTO source_section (source_id, section, status, token, detail, rows_json,"
        " observed_at_ms, changed_at_ms) VALUES (:source, :section, :status, :token, :detail,"
        " :rows, :at, COALESCE(CAST(:changed AS BIGINT), :at))"
        " ON CONFLICT (source_id, section) DO UPDATE SET status = excluded.status,"
        " token = excluded.token, detail = excluded.detail,"
        # A sensor that fails today takes nothing away from what was seen: its rows stay, marked.
        " rows_json = COALESCE(excluded.rows_json, source_section.rows_json),"
        " observed_at_ms = excluded.observed_at_ms,"
        " changed_at_ms = COALESCE(CAST(:changed AS BIGINT), source_section.changed_at_ms)",
        [writes[key] for key in sorted(writes)],
    )
