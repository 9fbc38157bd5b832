"""A PC that was seen and is on no book, booked as a draft: no paper, so it counts nowhere yet."""

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.bogus import sane_mac, sane_serial
from kiemke.server.domain.dated_table import Stamp
from kiemke.server.domain.text import clean_text, search_key, serial_key
from kiemke.server.domain.text_labels import Words

_PORTABLE = ("notebook", "laptop", "portable", "sub notebook", "convertible", "detachable")
_SOURCE = """
SELECT s.id, s.unit_id, s.hostname FROM machine_source x JOIN source s ON s.id = x.source_id
LEFT JOIN source_now n ON n.source_id = s.id
WHERE x.machine_id = :machine AND x.voided_at_ms IS NULL AND x.valid_to IS NULL
ORDER BY COALESCE(n.last_received_at_ms, 0) DESC, s.id LIMIT 1
"""
_MATCHED = """
SELECT a.code FROM asset_match x JOIN asset a ON a.id = x.asset_id
WHERE x.machine_id = :machine AND x.voided_at_ms IS NULL AND x.valid_to IS NULL
"""
_SECTIONS = """
SELECT section, rows_json FROM source_section
WHERE source_id = :source AND section IN ('system', 'chassis', 'adapters') AND rows_json IS NOT NULL
"""


def chassis_kind(chassis_type: str | None) -> str | None:
    """Return what kind of PC a chassis is ("desktop", "laptop", "all_in_one"), None if unknown."""
    word = (chassis_type or "").casefold()
    if word in _PORTABLE:
        return "laptop"
    if word == "all in one":
        return "all_in_one"
    return "desktop" if word and word not in ("other", "unknown") else None


def first_rows(texts: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return the first row of each section; {} where it has none."""
    found: dict[str, dict[str, Any]] = {}
    for name, text in texts.items():
        rows = json.loads(text)
        found[name] = rows[0] if rows and isinstance(rows[0], dict) else {}
    return found


def built_in_mac(text: str | None) -> str | None:
    """Return the key of the first built-in adapter's MAC in a section of adapters, None without."""
    for row in json.loads(text or "[]"):
        key = sane_mac(row.get("permanent_mac"))
        if row.get("kind") in ("ethernet", "wireless") and key is not None:
            return key
    return None


async def book(
    session: Session, machine_id: int, code: str | None, today: date, stamp: Stamp
) -> dict[str, Any]:
    """Write the draft, its custody by the unit of its source, and the match. Raises CannotSay.

    Return what was written. It is "unproven": no paper says whose it is.
    """
    taken = await session.one(_MATCHED, machine=machine_id)
    source = await session.one(_SOURCE, machine=machine_id)
    if taken is not None or source is None:
        known = taken["code"] if taken else "?"
        raise CannotSay(
            Words(f"Máy này đã là tài sản {known}.", f"This machine is the asset {known} already."),
            Words("Gỡ đối chiếu trước nếu sai.", "Undo the match first if that is wrong."),
        )
    code = code or f"NHAP-{machine_id}"
    if await session.one("SELECT id FROM asset WHERE code = :code", code=code):
        raise CannotSay(
            Words(f"Mã {code} đã có.", f"The code {code} exists already."),
            Words("Chọn mã khác.", "Choose another code."),
        )
    texts = {
        r["section"]: r["rows_json"] for r in await session.fetch(_SECTIONS, source=source["id"])
    }
    asset = _asset(code, source["hostname"], texts, stamp)
    names = ", ".join(asset)
    marks = ", ".join(f":{name}" for name in asset)
    row = await session.one(
        f"INSERT INTO asset ({names}) VALUES ({marks}) RETURNING id",  # noqa: S608  # names above
        **asset,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    fixed = {"asset": row["id"], "day": today, "now": stamp.now_ms, "who": stamp.who}
    await session.execute(_STATUS, **fixed)
    await session.execute(_CUSTODY, unit=source["unit_id"], **fixed)
    await session.execute(_MATCH, machine=machine_id, **fixed)
    shown = {name: asset[name] for name in ("code", "name", "kind", "serial", "ownership")}
    return {"id": row["id"], **shown, "unit_id": source["unit_id"], "machine_id": machine_id}


_DATED = "valid_from, recorded_at_ms, recorded_by) VALUES"
_STATUS = (
    f"INSERT INTO asset_status (asset_id, status, {_DATED} (:asset, 'in_use', :day, :now, :who)"
)
_CUSTODY = f"INSERT INTO custody (asset_id, unit_id, {_DATED} (:asset, :unit, :day, :now, :who)"
_MATCH = (
    f"INSERT INTO asset_match (asset_id, machine_id, decided_by, evidence_json, {_DATED}"
    " (:asset, :machine, 'draft', '{}', :day, :now, :who)"
)


def _asset(
    code: str, hostname: str | None, texts: Mapping[str, str], stamp: Stamp
) -> dict[str, Any]:
    rows = first_rows(texts)
    system, chassis = rows.get("system", {}), rows.get("chassis", {})
    maker = clean_text(system.get("manufacturer") or "", 120)
    model = clean_text(system.get("product") or "", 120)
    name = " ".join(part for part in (maker, model) if part) or hostname or code
    serial = next(
        (s for s in (system.get("serial"), chassis.get("serial")) if sane_serial(s)), None
    )
    return {
        "code": code,
        "kind": chassis_kind(chassis.get("type")) or "desktop",
        "name": name[:200],
        "search_key": search_key(f"{name} {hostname or ''}"),
        "manufacturer": maker,
        "model": model,
        "serial": clean_text(serial or "", 120),
        "serial_key": serial_key(serial) if serial else None,
        "mac_key": built_in_mac(texts.get("adapters")),
        "ownership": "unproven",
        "created_at_ms": stamp.now_ms,
    }
