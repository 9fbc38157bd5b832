"""The equipment inventory for auditors: every asset in the book beside the machine seen for it."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from typing import Any

from kiemke.server.db import Database, as_date
from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.names_then import PERSON_NAME
from kiemke.server.domain.tables import (
    PAGE_ROWS,
    Column,
    Question,
    Report,
    Row,
    dated,
    params,
    subtree,
)
from kiemke.server.domain.text_labels import Words
from kiemke.server.models.book import PC_KINDS

# The order of the whole list is found once; sorting again for every page would take its square.
_ORDER = dated("""
SELECT a.id
FROM asset a
JOIN (SELECT c.asset_id, MIN(c.unit_id) AS unit_id FROM custody c WHERE {active c}
  GROUP BY c.asset_id) k ON k.asset_id = a.id
JOIN unit_version u ON u.unit_id = k.unit_id AND {active u}
WHERE (CAST(:all_units AS INTEGER) = 1 OR u.unit_id IN :[units])
  AND NOT EXISTS (SELECT 1 FROM asset_status g
    WHERE g.asset_id = a.id AND g.status = 'disposed' AND {active g})
-- Drafts stand apart, after all that a paper speaks of.
ORDER BY CASE WHEN a.ownership = 'unproven' THEN 1 ELSE 0 END, u.sort_key, a.code, a.id
""")

_ASSETS = dated("""
SELECT a.id, a.code, COALESCE(f.name, a.name) AS name, COALESCE(f.kind, a.kind) AS kind,
  CASE WHEN f.id IS NULL THEN a.tag ELSE f.tag END AS tag, a.manufacturer, a.model, a.serial,
  CASE WHEN f.id IS NULL THEN a.price_dong ELSE f.price_dong END AS price_dong,
  CASE WHEN f.id IS NULL THEN a.in_use_since ELSE f.in_use_since END AS in_use_since,
  COALESCE(f.ownership, a.ownership) AS ownership, f.owner_name, f.return_on,
  CASE WHEN f.id IS NULL THEN a.no_agent_reason ELSE f.no_agent_reason END AS no_agent_reason,
  u.code AS unit_code, u.name AS unit_name,
  (SELECT MAX(s.status) FROM asset_status s WHERE s.asset_id = a.id AND {active s}) AS status
FROM asset a
LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}
JOIN unit_version u ON {active u} AND u.unit_id =
  (SELECT MIN(c.unit_id) FROM custody c WHERE c.asset_id = a.id AND {active c})
WHERE a.id IN :[assets]
""")

_PERSONS = dated(
    f"""
SELECT c.asset_id, COALESCE(c.place, p.name) AS place, {PERSON_NAME} AS name FROM custody c
LEFT JOIN official o ON o.id = c.official_id
LEFT JOIN place_version p ON p.place_id = c.at_place_id AND {{active p}}
WHERE c.asset_id IN :[assets] AND {{active c}} ORDER BY c.asset_id, o.sort_key, c.id
"""  # noqa: S608  # a fragment of this house
)

_SEEN = dated("""
SELECT m.asset_id, s.hostname, n.last_received_at_ms, x.section, x.rows_json
FROM asset_match m
JOIN machine_source ms ON ms.machine_id = m.machine_id AND {active ms}
JOIN source s ON s.id = ms.source_id
LEFT JOIN source_now n ON n.source_id = s.id
LEFT JOIN source_section x ON x.source_id = s.id AND x.section IN ('processors', 'memory')
WHERE m.asset_id IN :[assets] AND {active m}
ORDER BY m.asset_id, COALESCE(n.last_received_at_ms, 0), s.id
""")

COLUMNS = (
    Column("number", Words("TT", "No."), "integer", 6),
    Column("code", Words("Mã tài sản", "Code"), "code", 14),
    Column("tag", Words("Số tem", "Tag"), "code", 12),
    Column("name", Words("Tên tài sản", "Name"), "text", 32),
    Column("kind", Words("Loại", "Kind"), "choice", 20, choices=labels.ASSET_KINDS),
    Column("manufacturer", Words("Hãng", "Manufacturer"), "text", 16),
    Column("model", Words("Kiểu máy", "Model"), "text", 20),
    Column("serial", Words("Số sê-ri", "Serial"), "code", 18),
    Column("price_dong", Words("Nguyên giá (đồng)", "Price (đồng)"), "money", 18, total=True),
    Column("in_use_since", Words("Năm đưa vào SD", "In use since"), "year", 10),
    Column("status", Words("Tình trạng", "Status"), "choice", 16, choices=labels.ASSET_STATUSES),
    Column("unit_code", Words("Mã đơn vị", "Unit code"), "code", 12),
    Column("unit", Words("Đơn vị", "Unit"), "text", 28),
    Column("official", Words("Người sử dụng", "Official"), "text", 26),
    Column("place", Words("Nơi sử dụng", "Place"), "text", 18),
    Column("ownership", Words("Sở hữu", "Ownership"), "choice", 22, choices=labels.OWNERSHIPS),
    Column("owner", Words("Bên cho mượn", "Lender"), "text", 22),
    Column("return_on", Words("Hạn trả", "Due back"), "date", 12),
    Column("hostname", Words("Tên máy thấy được", "Host name seen"), "text", 20),
    Column("cpu", Words("CPU thấy được", "CPU seen"), "text", 30),
    Column("memory_bytes", Words("RAM thấy được (byte)", "Memory seen (bytes)"), "integer", 18),
    Column("last_seen", Words("Lần cuối liên lạc", "Last seen"), "moment", 18),
    Column("match", Words("Đối chiếu", "Match"), "choice", 16, choices=labels.MATCH_STATES),
)


async def read(db: Database, question: Question) -> AsyncIterator[list[Row]]:
    """Yield the assets that somebody answers for on the day, by unit and code; disposed ones not.

    What was seen is the newest known, whatever the day. Sources: book, asset_match, source_section.
    """
    order = await db.read(_ORDER, **params(question, await subtree(db, question)))
    ids = [row["id"] for row in order]
    times = {"day": question.day, "known": question.known_ms}
    for start in range(0, len(ids), PAGE_ROWS):
        wanted = ids[start : start + PAGE_ROWS]
        assets = {row["id"]: row for row in await db.read(_ASSETS, assets=wanted, **times)}
        custody = _custody(await db.read(_PERSONS, assets=wanted, **times))
        seen = _seen(await db.read(_SEEN, assets=wanted, **times))
        page = []
        for number, id_ in enumerate(wanted, start + 1):
            names, places = custody.get(id_, ((), ()))
            page.append(_row(number, assets[id_], names, places, seen.get(id_)))
        yield page


def _custody(
    rows: Iterable[dict[str, Any]],
) -> dict[int, tuple[tuple[str, ...], tuple[str, ...]]]:
    names: dict[int, dict[str, None]] = defaultdict(dict)
    places: dict[int, dict[str, None]] = defaultdict(dict)
    for row in rows:
        if row["name"] is not None:
            # Two persons of one name are two persons, but a reader sees the name.
            names[row["asset_id"]][row["name"]] = None
        if row["place"] is not None:
            places[row["asset_id"]][row["place"]] = None
    ids = names.keys() | places.keys()
    return {id_: (tuple(names[id_]), tuple(places[id_])) for id_ in ids}


def _seen(rows: Iterable[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Return what the most recently heard source of each asset's machine says."""
    found: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in rows:  # the newest source comes last and wins, section by section
        seen = found[row["asset_id"]]
        seen["hostname"] = row["hostname"]
        seen["last_seen"] = row["last_received_at_ms"]
        parts = json.loads(row["rows_json"]) if row["rows_json"] else []
        if row["section"] == "processors" and parts:
            seen["cpu"] = parts[0].get("version")
        if row["section"] == "memory":
            seen["memory_bytes"] = sum(part.get("size_bytes") or 0 for part in parts) or None
    return found


def _row(
    number: int,
    asset: dict[str, Any],
    names: tuple[str, ...],
    places: tuple[str, ...],
    seen: dict[str, Any] | None,
) -> Row:
    since = asset["in_use_since"]
    match = "matched" if seen is not None else None
    if match is None and asset["kind"] in PC_KINDS:
        match = "no_agent" if asset["no_agent_reason"] else "unmatched"
    known = seen or {}
    return (
        number,
        asset["code"],
        asset["tag"],
        asset["name"],
        asset["kind"],
        asset["manufacturer"],
        asset["model"],
        asset["serial"],
        asset["price_dong"],
        as_date(since).year if since is not None else None,
        asset["status"],
        asset["unit_code"],
        asset["unit_name"],
        "; ".join(names) or None,
        "; ".join(places) or None,
        asset["ownership"],
        asset["owner_name"],
        as_date(asset["return_on"]) if asset["return_on"] is not None else None,
        known.get("hostname"),
        known.get("cpu"),
        known.get("memory_bytes"),
        known.get("last_seen"),
        match,
    )


EQUIPMENT = Report(
    "equipment",
    Words("Danh mục thiết bị công nghệ thông tin", "Equipment inventory"),
    COLUMNS,
    read,
)
