"""What an import changes, row by row and field by field, before anything is written."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.domain.dates import format_date
from kiemke.server.domain.money import format_dong
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import CHANGED, Change, Plan
from kiemke.server.imports.templates import Column, Template

MOST_TOLD = 200

# A template's column -> the stored field that it becomes.
_STORED = {
    "unit": "unit_id", "parent": "parent_id", "official": "official_ids", "device": "device_id",
    "asset": "asset_id", "down_mbps": "down_bits_per_second", "up_mbps": "up_bits_per_second",
}  # fmt: skip
_TABLES = {
    "official_ids": "official", "device_id": "device", "asset_id": "asset",
}  # fmt: skip
_NOT_FIELDS = ("valid_from", "valid_to", "instrument")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field: what it was and what it becomes, as people write it; None for nothing."""

    column: Words
    before: Words | None
    after: Words | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One row of the file that changes something known. ``name`` tells the thing, as in the file."""

    row: int
    sheet: str | None
    code: str | None
    name: str | None
    fields: tuple[FieldChange, ...]


def _ids(changes: Iterable[Change], *names: str) -> list[int]:
    found: set[int] = set()
    for change in changes:
        for name in names:
            value = (change.before or {}).get(name)
            found.update(value if isinstance(value, tuple) else [] if value is None else [value])
    return sorted(found)


async def _codes(session: Session, changes: Sequence[Change]) -> dict[str, dict[int, str]]:
    """Return codes by id for each stored field that holds ids."""
    units = await session.fetch(
        "SELECT unit_id AS id, code FROM unit_version WHERE voided_at_ms IS NULL"
        " AND unit_id IN :[ids] ORDER BY valid_from",
        ids=_ids(changes, "unit_id", "parent_id"),
    )
    found = {"unit_id": {row["id"]: row["code"] for row in units}}
    found["parent_id"] = found["unit_id"]
    for name, table in _TABLES.items():
        rows = await session.fetch(
            f"SELECT id, code FROM {table} WHERE id IN :[ids]",  # noqa: S608  # a table's name
            ids=_ids(changes, name),
        )
        found[name] = {row["id"]: row["code"] for row in rows}
    return found


def _show(column: Column, value: Any) -> Words | None:
    """Return a value as the file would have it."""
    if value is None or value == () or value == "":
        return None
    if column.choices and isinstance(value, str) and value in column.choices:
        return column.choices[value]
    if column.type == "flag":
        return Words("có", "yes") if value else Words("không", "no")
    if isinstance(value, tuple):
        text = "; ".join(map(str, value))
    elif column.type == "money":
        text = format_dong(value)
    elif column.type in ("date", "year_or_date"):
        text = format_date(value if isinstance(value, date) else as_date(value))
    elif column.type == "mbps":
        text = f"{value / 1_000_000:g} Mbps"
    elif column.type == "percent":
        text = f"{value / 10:g} %"
    else:
        text = str(value)
    return Words(text, text)


def _before(column: Column, change: Change, codes: dict[str, dict[int, str]]) -> Any:
    stored = _STORED.get(column.name, column.name)
    value = (change.before or {}).get(stored)
    if stored in codes:
        known = codes[stored]
        if isinstance(value, tuple):
            return tuple(sorted(known.get(id_, f"#{id_}") for id_ in value))
        return None if value is None else known.get(value, f"#{value}")
    return value


async def differences(
    session: Session, plan: Plan, template: Template
) -> tuple[list[Difference], int]:
    """Return the first rows that change something known, and how many more there are."""
    changes = [c for c in plan.changes if plan.outcomes.get(c.row.key) == CHANGED]
    shown = sorted(changes, key=lambda c: (c.row.sheet or "", c.row.number))[:MOST_TOLD]
    codes = await _codes(session, shown)
    found = []
    for change in shown:
        fields = []
        for column in template.columns:
            stored = _STORED.get(column.name, column.name)
            known = stored in (change.before or {})
            if column.name in _NOT_FIELDS or column.name not in change.row.values or not known:
                continue
            after = change.row.values[column.name]
            after = tuple(sorted(after)) if isinstance(after, tuple) else after
            before_text = _show(column, _before(column, change, codes))
            after_text = _show(column, after)
            if after_text != before_text and not (after is None and column.name in _DEFAULTS):
                fields.append(FieldChange(column.heading, before_text, after_text))
        values = change.row.values
        code = values.get("code") or values.get("official") or values.get("unit")
        name = values.get("name")
        found.append(Difference(change.row.number, change.row.sheet, code, name, tuple(fields)))
    return found, len(changes) - len(shown)


# An empty cell of these keeps what is stored.
_DEFAULTS = ("status", "ownership", "port")
