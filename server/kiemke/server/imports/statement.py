"""Parts shared by the importers: dated statements, plain fields, and the audit of what changed."""

from collections.abc import AsyncIterator, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import CHANGED, NEW, SAME, Change, Context, Plan, Rows
from kiemke.server.imports.script import Script, breathe
from kiemke.server.imports.table import TableRow

Fields = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """The differences an importer found and has not written: new ids are negative until written."""

    ids: dict[str, int] = field(default_factory=dict)
    real_ids: dict[int, int] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def admit(self, codes: Iterable[str]) -> None:
        """Give every code without an id a negative one."""
        for code in codes:
            self.ids.setdefault(code, -1 - len(self.ids))

    def real(self, id_: int) -> int:
        """Return the id in the database of what had a negative one."""
        return self.real_ids.get(id_, id_)

    async def reserve(self, session: Script, table: str) -> None:
        """Have an id ready for everything new."""
        await session.reserve(table, sum(1 for id_ in self.ids.values() if id_ < 0))

    async def audit(self, session: Session, context: Context) -> None:
        """Write one audit entry for each changed row."""
        for position, change in enumerate(self.changes):
            await breathe(position)
            await context.audit(
                session,
                at_ms=context.now_ms,
                who=context.who,
                act=f"import.{context.template.name}",
                subject=f"{change.subject}:{self.real(change.id)}",
                before=change.before,
                after=change.row.values,
                paper=change.paper,
            )


def starts(row: TableRow, context: Context) -> date:
    """Return the first day of a row: its own, or today."""
    value: date | None = row.values.get("valid_from")
    return value or context.today


def in_order(rows: Sequence[TableRow], context: Context) -> list[TableRow]:
    """Return the rows by the day they begin, so that a file may hold a history in any order."""
    return sorted(rows, key=lambda row: (starts(row, context), row.number))


async def unhurried(rows: Iterable[TableRow]) -> AsyncIterator[TableRow]:
    """Yield the rows and let other requests in between: comparing a province's book takes seconds."""
    for number, row in enumerate(rows):
        await breathe(number)
        yield row


def refuse_repeats(
    rows: Iterable[TableRow], key: Sequence[str], plan: Plan, context: Context
) -> None:
    """Refuse the second of two rows with one key and one first day."""
    first: dict[Hashable, int] = {}
    for row in rows:
        told = (*(row.values.get(name) for name in key), starts(row, context))
        if told in first:
            number = first[told]
            plan.refuse(
                context, row, key[0],
                Words(f"trùng với dòng {number}", f"the same as row {number}"),
                Words("bỏ một dòng, hoặc ghi “Từ ngày” khác nhau",
                      "remove one of them, or give different days from which they hold"),
            )  # fmt: skip
        first.setdefault(told, row.number)


def overlay(before: Mapping[str, Any] | None, row: TableRow, names: Iterable[str]) -> Fields:
    """Return the named fields: the row's where its file has the column, else as they were."""
    return {
        name: row.values[name] if name in row.values else (before or {}).get(name) for name in names
    }


def held(timeline: Rows, day: date, columns: Sequence[str]) -> Fields | None:
    """Return what held on ``day``, or else last, as fields by column; None when nothing ever did."""
    span = timeline.at(day) or timeline.last()
    if span is None:
        return None
    return dict(zip(columns, min(span.value, key=repr), strict=True))


def put(
    timeline: Rows, value: Iterable[tuple[Any, ...]], row: TableRow, context: Context, plan: Plan
) -> bool:
    """Put a row's statement on a timeline; returns whether it was news. A bad span is refused."""
    start, end = starts(row, context), row.values.get("valid_to")
    if end is not None and end <= start:
        plan.refuse(
            context, row, "valid_to",
            Words("ngày kết thúc không sau ngày bắt đầu", "it ends before it begins"),
            Words("sửa một trong hai ngày", "correct one of the two days"),
        )  # fmt: skip
        return False
    return timeline.put(start, frozenset(value), row.values.get("instrument"), end)


def outcome(is_new: bool, is_changed: bool) -> str:
    """Return the word for a row's outcome."""
    return NEW if is_new else CHANGED if is_changed else SAME


async def insert(session: Script, table: str, values: Fields) -> int:
    """Insert one row, under its own ``id`` if it has one already, and return its id."""
    fields = values if "id" in values else {"id": await session.new_id(table), **values}
    names = ", ".join(fields)
    marks = ", ".join(f":{name}" for name in fields)
    await session.execute(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608  # names from this package's own tables
        **fields,
    )
    return int(fields["id"])


async def update(session: Session, table: str, id_: int, values: Fields) -> None:
    """Set the fields of one row that is not dated."""
    pairs = ", ".join(f"{name} = :{name}" for name in values)
    await session.execute(
        f"UPDATE {table} SET {pairs} WHERE id = :row_id",  # noqa: S608  # names from this package's own tables
        row_id=id_,
        **values,
    )
