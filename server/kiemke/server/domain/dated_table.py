"""A table of dated rows read as timelines and written back: what changed is voided and said again."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from kiemke.server.db import Session, as_date
from kiemke.server.domain.dates_timeline import Span, Timeline, from_rows

Rows = Timeline[frozenset[tuple[Any, ...]]]


async def _breathe(position: int) -> None:
    """Let other requests in between: a province's book has 100,000 timelines."""
    if position % 100 == 0:
        await asyncio.sleep(0)


class Stamp(Protocol):
    """Who writes, and when (epoch ms)."""

    @property
    def who(self) -> str:
        """The name of the user or part that writes."""

    @property
    def now_ms(self) -> int:
        """The moment of the writing."""


@dataclass(frozen=True, slots=True)
class By:
    """A plain stamp: ``who`` writes at ``now_ms``."""

    who: str
    now_ms: int


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
        timelines: dict[int, Rows] = {}
        for position, subject in enumerate(ids):
            await _breathe(position)
            timelines[subject] = Timeline(from_rows(found[subject]))
        return timelines

    async def store(
        self,
        session: Session,
        timelines: Mapping[int, Rows],
        ids: Mapping[int, int],
        stamp: Stamp,
    ) -> None:
        """Void and add what changed. ``ids`` turns the negative ids of new things into real ones."""
        void: set[int] = set()
        add: list[dict[str, Any]] = []
        for position, (subject, timeline) in enumerate(timelines.items()):
            await _breathe(position)
            gone, spans = timeline.changes()
            void |= gone
            for span in spans:
                add.extend(self._rows(ids.get(subject, subject), span, ids, stamp))
        if void:
            await session.execute(
                f"UPDATE {self.name} SET voided_at_ms = :now_ms, voided_by = :who"  # noqa: S608  # a table's name
                " WHERE id IN :[void]",
                now_ms=stamp.now_ms,
                who=stamp.who,
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
        stamp: Stamp,
    ) -> Iterable[dict[str, Any]]:
        for value in sorted(span.value, key=repr):
            named = dict(zip(self.columns, value, strict=True))
            yield {
                "valid_from": span.valid_from,
                "valid_to": span.valid_to,
                "instrument": span.instrument,
                "recorded_at_ms": stamp.now_ms,
                "recorded_by": stamp.who,
                self.subject: subject,
                **{
                    name: ids.get(part, part) if name.endswith("_id") else part
                    for name, part in named.items()
                },
                **dict(self.constant),
            }
