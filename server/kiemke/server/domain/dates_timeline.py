"""A subject's dated rows as one line of time: put a statement on it, read which rows to void and add.

Rows are append-only: whatever a new statement touches is voided and added again as it now is, so
the past as it was known stays readable. Several rows may make one value (the officials who share a
PC), therefore a span remembers the ids of all rows it rests on.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Generic, TypeVar

Value = TypeVar("Value", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Span(Generic[Value]):
    """``value`` holds from ``valid_from`` until before ``valid_to`` (None: it lasts)."""

    valid_from: date
    valid_to: date | None
    value: Value
    instrument: str | None = None
    row_ids: frozenset[int] = frozenset()


class Timeline(Generic[Value]):
    """Spans of one subject, in order, never overlapping."""

    def __init__(self, spans: Iterable[Span[Value]] = ()) -> None:
        self.spans = sorted(spans, key=lambda span: span.valid_from)
        self._stored = tuple(self.spans)

    @property
    def is_new(self) -> bool:
        """Whether the database holds nothing of this subject."""
        return not any(span.row_ids for span in self._stored)

    def at(self, day: date) -> Span[Value] | None:
        """Return the span that holds on ``day``, or None."""
        for span in self.spans:
            if span.valid_from <= day and (span.valid_to is None or day < span.valid_to):
                return span
        return None

    def last(self) -> Span[Value] | None:
        """Return the latest span, or None."""
        return self.spans[-1] if self.spans else None

    def put(
        self, valid_from: date, value: Value, instrument: str | None, valid_to: date | None = None
    ) -> bool:
        """State that ``value`` holds from ``valid_from`` until the next known change or ``valid_to``.

        Returns whether that was news. The span in force is cut where the new one begins; one that
        begins the same day is corrected; an equal value that begins later is extended backwards.
        Raises ValueError when ``valid_to`` is not after ``valid_from``.
        """
        if valid_to is not None and valid_to <= valid_from:
            raise ValueError("a row must end after it begins")
        current, following = self.at(valid_from), self._after(valid_from)
        if (
            current
            and current.value == value
            and _says_the_same(current, valid_from, valid_to, instrument)
        ):
            return False
        if current is None and following and following.value == value and valid_to is None:
            self._swap(following, replace(following, valid_from=valid_from, row_ids=frozenset()))
            return True
        end = current.valid_to if current else following.valid_from if following else None
        if valid_to is not None:
            end = min(valid_to, following.valid_from) if following else valid_to
        new = Span(valid_from, end, value, instrument)
        if current is None:
            self._swap(None, new)
        elif current.valid_from == valid_from:
            self._swap(current, new)
        elif current.value == value:
            self._swap(current, replace(current, valid_to=end, row_ids=frozenset()))
        else:
            before = replace(current, valid_to=valid_from, row_ids=frozenset())
            self._swap(current, before, new)
        return True

    def _after(self, day: date) -> Span[Value] | None:
        return next((span for span in self.spans if span.valid_from > day), None)

    def _swap(self, old: Span[Value] | None, *new: Span[Value]) -> None:
        kept = [span for span in self.spans if span is not old]
        self.spans = sorted([*kept, *new], key=lambda span: span.valid_from)

    def changes(self) -> tuple[frozenset[int], list[Span[Value]]]:
        """Return the ids of rows to void and the spans to add, in order."""
        gone = (span.row_ids for span in self._stored if span not in self.spans)
        void = frozenset[int]().union(*gone)
        kept = {span.row_ids for span in self.spans}
        while torn := [ids for ids in kept if ids & void]:
            # A row under two spans, one of which is gone: void it and say the other one again.
            void = void.union(*torn)
            kept -= set(torn)
        return void, [span for span in self.spans if not span.row_ids or span.row_ids & void]


def _says_the_same(
    current: Span[Value], valid_from: date, valid_to: date | None, instrument: str | None
) -> bool:
    """Tell whether a statement with the value in force adds nothing: no other end, no other paper."""
    other_paper = valid_from == current.valid_from and instrument not in (None, current.instrument)
    return valid_to in (None, current.valid_to) and not other_paper


def from_rows(
    rows: Iterable[tuple[date, date | None, Value, str | None, int]],
) -> list[Span[frozenset[Value]]]:
    """Return spans whose value is the set of all values that hold together.

    A row is (valid_from, valid_to, value, instrument, row id); rows may overlap at will.
    """
    held = list(rows)
    edges = sorted({row[0] for row in held} | {row[1] for row in held if row[1] is not None})
    spans: list[Span[frozenset[Value]]] = []
    for position, start in enumerate(edges):
        active = [r for r in held if r[0] <= start and (r[1] is None or start < r[1])]
        if not active:
            continue
        end = edges[position + 1] if position + 1 < len(edges) else None
        values, ids = frozenset(r[2] for r in active), frozenset(r[4] for r in active)
        spans.append(Span(start, end, values, active[0][3], ids))
    return spans
