"""What every importer shares: the plan it fills, look-ups by code, dated rows read and written."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from kiemke.server.db import Session
from kiemke.server.domain.dated_table import DatedTable, Rows
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.script import Script
from kiemke.server.imports.table import RowError, TableRow
from kiemke.server.imports.templates import Template

# What every importer states its rows with.
__all__ = ["DatedTable", "Rows"]

NEW, CHANGED, SAME = "new", "changed", "same"


class Audit(Protocol):
    """The caller's way to write an audit entry inside the same transaction."""

    async def __call__(
        self,
        session: Session,
        *,
        at_ms: int,
        who: str,
        act: str,
        subject: str,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
        paper: str | None,
    ) -> None:
        """Append one entry."""


@dataclass(frozen=True, slots=True)
class Context:
    """Who imports what, when. ``today`` is the local day that an empty "valid from" means.

    ``within`` are the units the file may touch, None is all.
    """

    template: Template
    who: str
    now_ms: int
    today: date
    audit: Audit
    demo: bool = False
    within: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A row that is news: ``subject`` is a kind ("unit"), ``id`` negative for what is new.

    ``before`` are the fields in force before it, None when there were none.
    """

    subject: str
    id: int
    before: Mapping[str, Any] | None
    row: TableRow
    paper: str | None


@dataclass(slots=True)
class Plan:
    """The outcome of every row, by its key, what changes, and what is wrong. Nothing is written yet."""

    outcomes: dict[tuple[str | None, int, int], str] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def refuse(
        self, context: Context, row: TableRow, column: str | None, message: Words, remedy: Words
    ) -> None:
        """Note a problem of one row; ``column`` is a column's name or None."""
        found = context.template.column(column) if column else None
        value = row.values.get(column) if column else None
        text = "; ".join(map(str, value)) if isinstance(value, tuple) else value
        shown = None if text is None else str(text)
        heading = found.heading if found else None
        self.errors.append(RowError(row.number, heading, shown, message, remedy, row.sheet))

    def count(self, outcome: str) -> int:
        """Return how many rows are "new", "changed" or "same"."""
        return sum(1 for value in self.outcomes.values() if value == outcome)


class Importer(Protocol):
    """One template's importer: ``plan`` reads, ``write`` writes what ``plan`` found (once, after it)."""

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare the rows with the database."""

    async def write(self, session: Script, context: Context) -> None:
        """Prepare the statements that write the differences."""


async def units_by_code(session: Session, codes: Iterable[str]) -> dict[str, int]:
    """Return unit ids by code: of units that had one code, the one that had it last."""
    rows = await session.fetch(
        "SELECT unit_id, code FROM unit_version"
        " WHERE voided_at_ms IS NULL AND code IN :[codes.text] ORDER BY valid_from, id",
        codes=sorted(set(codes)),
    )
    return {row["code"]: row["unit_id"] for row in rows}


async def ids_by_code(session: Session, table: str, codes: Iterable[str]) -> dict[str, int]:
    """Return ids by code of a table whose ``code`` is unique: official, asset, device or link."""
    rows = await session.fetch(
        f"SELECT id, code FROM {table} WHERE code IN :[codes.text]",  # noqa: S608  # a table's name
        codes=sorted(set(codes)),
    )
    return {row["code"]: row["id"] for row in rows}


def unknown(what: Words, template: str, code: str) -> tuple[Words, Words]:
    """Return the message and remedy for a code nobody knows."""
    return (
        Words(f"không có {what.vi} mang mã {code}", f"there is no {what.en} with the code {code}"),
        Words(f"sửa mã, hoặc nhập “{template}” trước", f"correct it, or import “{template}” first"),
    )


UNIT = Words("đơn vị", "unit")
OFFICIAL = Words("cán bộ", "official")
ASSET = Words("tài sản", "asset")
DEVICE = Words("thiết bị", "device")


def wanted(rows: Iterable[TableRow], *columns: str) -> set[str]:
    """Return every code that stands in these columns (single ones and lists)."""
    found: set[str] = set()
    for row in rows:
        for column in columns:
            value = row.values.get(column)
            if isinstance(value, tuple):
                found.update(value)
            elif value is not None:
                found.add(value)
    return found
