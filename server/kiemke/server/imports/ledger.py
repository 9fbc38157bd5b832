"""What every importer shares: the plan it fills, look-ups by code, dated rows read and written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Protocol

from kiemke.server.db import Session, as_date
from kiemke.server.domain.dates_timeline import Span, Timeline, from_rows
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.table import RowError, TableRow
from kiemke.server.imports.templates import Template

Rows = Timeline[frozenset[tuple[Any, ...]]]

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
    """Who imports what, when. ``today`` is the local day that an empty "valid from" means."""

    template: Template
    who: str
    now_ms: int
    today: date
    audit: Audit
    demo: bool = False


@dataclass(slots=True)
class Plan:
    """The outcome of every row, by row number, and what is wrong. Nothing is written yet."""

    outcomes: dict[int, str] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)

    def refuse(
        self, context: Context, row: TableRow, column: str | None, message: Words, remedy: Words
    ) -> None:
        """Note a problem of one row; ``column`` is a column's name or None."""
        found = context.template.column(column) if column else None
        value = row.values.get(column) if column else None
        text = "; ".join(map(str, value)) if isinstance(value, tuple) else value
        shown = None if text is None else str(text)
        heading = found.heading if found else None
        self.errors.append(RowError(row.number, heading, shown, message, remedy))

    def count(self, outcome: str) -> int:
        """Return how many rows are "new", "changed" or "same"."""
        return sum(1 for value in self.outcomes.values() if value == outcome)


class Importer(Protocol):
    """One template's importer: ``plan`` reads, ``write`` writes what ``plan`` found (once, after it)."""

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare the rows with the database."""

    async def write(self, session: Session, context: Context) -> None:
        """Write the differences in the caller's transaction."""


@dataclass(frozen=True, slots=True)
class DatedTable:
    """A table of dated rows: its subject column, its value columns, columns that are always so."""

    name: str
    subject: str
    columns: tuple[str, ...]
    constant: tuple[tuple[str, Any], ...] = ()

    async def load(self, session: Session, subjects: Iterable[int]) -> dict[int, Rows]:
        """Return the timeline of each subject, empty where the table has nothing."""
        ids = sorted(set(subjects))
        found: dict[int, list[tuple[date, date | None, tuple[Any, ...], str | None, int]]]
        found = defaultdict(list)
        only = "".join(f" AND {name} = :{name}" for name, _ in self.constant)
        rows = await session.fetch(
            f"SELECT id, {self.subject} AS subject, valid_from, valid_to, instrument,"  # noqa: S608  # names from this file's callers, no input
            f" {', '.join(self.columns)} FROM {self.name}"
            f" WHERE voided_at_ms IS NULL AND {self.subject} IN :[ids]{only} ORDER BY id",
            ids=ids,
            **dict(self.constant),
        )
        for row in rows:
            value = tuple(row[column] for column in self.columns)
            end = None if row["valid_to"] is None else as_date(row["valid_to"])
            start = as_date(row["valid_from"])
            found[row["subject"]].append((start, end, value, row["instrument"], row["id"]))
        return {subject: Timeline(from_rows(found[subject])) for subject in ids}

    async def store(
        self,
        session: Session,
        timelines: Mapping[int, Rows],
        ids: Mapping[int, int],
        context: Context,
    ) -> None:
        """Void and add what changed. ``ids`` turns the negative ids of new things into real ones."""
        void: set[int] = set()
        add: list[dict[str, Any]] = []
        for subject, timeline in timelines.items():
            gone, spans = timeline.changes()
            void |= gone
            for span in spans:
                add.extend(self._rows(ids.get(subject, subject), span, ids, context))
        if void:
            await session.execute(
                f"UPDATE {self.name} SET voided_at_ms = :now_ms, voided_by = :who"  # noqa: S608  # a table's name
                " WHERE id IN :[void]",
                now_ms=context.now_ms,
                who=context.who,
                void=sorted(void),
            )
        fixed = tuple(name for name, _ in self.constant)
        names = (
            "valid_from", "valid_to", "instrument", "recorded_at_ms", "recorded_by",
            self.subject, *self.columns, *fixed,
        )  # fmt: skip
        await session.many(
            f"INSERT INTO {self.name} ({', '.join(names)})"  # noqa: S608  # names from this file's callers
            f" VALUES ({', '.join(':' + name for name in names)})",
            add,
        )

    def _rows(
        self,
        subject: int,
        span: Span[frozenset[tuple[Any, ...]]],
        ids: Mapping[int, int],
        context: Context,
    ) -> Iterable[dict[str, Any]]:
        for value in sorted(span.value, key=repr):
            named = dict(zip(self.columns, value, strict=True))
            yield {
                "valid_from": span.valid_from,
                "valid_to": span.valid_to,
                "instrument": span.instrument,
                "recorded_at_ms": context.now_ms,
                "recorded_by": context.who,
                self.subject: subject,
                **{
                    name: ids.get(part, part) if name.endswith("_id") else part
                    for name, part in named.items()
                },
                **dict(self.constant),
            }


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
