"""Walking table columns side by side with GETBULK: the algorithm, whatever the library.

Each column has its own cursor, so a sparse column never shifts the rows of another. A column ends
when the device leaves its subtree, and is cut off when the device does not move forward (agents that
loop are real: an endless walk is the oldest SNMP bug).
"""

import time
from collections.abc import Awaitable, Callable, Sequence

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import AnswerTooBig, BadAnswer, PollError, PollTimeout
from kiemke.collectors.snmp.reader import Oid, Part, Tuning, Value, Walk, parse_oid
from kiemke.collectors.trace import Trace, no_trace

# One GETBULK without non-repeaters: the OIDs to go on from, and how many rows. None marks the end.
Bulk = Callable[[Sequence[Oid], int], Awaitable[list[tuple[Oid, Value | None]]]]

# A table with more rows than this is not an interface table; the walk is cut off.
MAX_ROWS = 20_000
# An answer of more variables than this rarely fits an Ethernet frame; agents cut it anyway.
MAX_VARIABLES = 120
WHOLE = Part(MAX_ROWS + 1)


class _Cursor:
    """Where the walk of one column stands."""

    __slots__ = ("answers", "at", "cells", "cut", "done", "most", "name", "root")

    def __init__(self, name: str, part: Part) -> None:
        self.name = name
        self.root = parse_oid(name)
        self.at = self.root + part.after
        self.most = part.most
        self.cells: dict[Oid, Value] = {}
        self.answers: list[tuple[Oid, float]] = []
        self.done = False
        self.cut = False

    def take(self, oid: Oid, value: Value | None, target: str) -> PollError | None:
        """Move on by one answer. Returns the problem when the device did not move forward."""
        if value is None or oid[: len(self.root)] != self.root:
            # A step out of the subtree to the front is a device that goes round in a circle;
            # its cells are all there, so it is an end like any other.
            self.done = True
            return None
        if oid <= self.at:
            self.cut = True
            return BadAnswer(target, f"walk of {self.name} does not move forward: cut off")
        if len(self.cells) >= MAX_ROWS:
            self.cut = True
            return BadAnswer(target, f"walk of {self.name} has over {MAX_ROWS} rows: cut off")
        self.at = oid
        self.cells[oid[len(self.root) :]] = value
        self.cut = len(self.cells) >= self.most
        return None


async def walk_columns(
    bulk: Bulk,
    columns: Sequence[str],
    deadline: Deadline,
    tuning: Tuning,
    *,
    target: str,
    rows_hint: int | None = None,
    part: Part | None = None,
    trace: Trace = no_trace,
    answered_at: Callable[[], float] = time.monotonic,
) -> Walk:
    """Walk all columns at once and return what came, with the reason when it is not everything.

    ``part`` limits the walk to some rows of each column; ending there is no problem. ``answered_at``
    tells the moment of the answer that ``bulk`` returned last.
    ``rows_hint`` (ifNumber) saves asking a small device for more rows than it has. Raises PollError
    only when the very first question got no usable answer.
    """
    cursors = [_Cursor(name, part or WHOLE) for name in columns]
    problem: PollError | None = None
    answered = False
    while active := [c for c in cursors if not (c.done or c.cut)]:
        rows = _rows_to_ask(active, tuning, rows_hint)
        try:
            if deadline.is_over():
                raise PollTimeout(target, deadline.why())
            answer = await bulk([c.at for c in active], rows)
        except (AnswerTooBig, PollTimeout) as err:
            # A device that is silent to a large bulk often answers a small one.
            if not deadline.is_over() and rows > 1:
                tuning.max_repetitions = rows
                tuning.halve()
                trace("smaller bulk", {"rows": tuning.max_repetitions, "because": err.detail})
                continue
            problem = err
            break
        except PollError as err:
            problem = err
            break
        if not answer:
            problem = BadAnswer(target, "empty answer to a bulk request")
            break
        answered = True
        problem = _spread(active, answer, target, trace) or problem
        moment = answered_at()
        for cursor in active:
            cursor.answers.append((cursor.at[len(cursor.root) :], moment))
    if problem is not None and not answered:
        raise problem
    if problem is None:
        tuning.grow()
    return Walk(
        cells={c.name: c.cells for c in cursors},
        reached={c.name: c.at[len(c.root) :] for c in cursors if not c.done},
        problem=problem,
        answers={c.name: c.answers for c in cursors},
    )


def _rows_to_ask(active: Sequence[_Cursor], tuning: Tuning, rows_hint: int | None) -> int:
    rows = min(tuning.max_repetitions, max(1, MAX_VARIABLES // len(active)))
    if rows_hint is not None:
        seen = max(len(c.cells) for c in active)
        # One more than the rows left, so that the end is seen in the same answer.
        rows = min(rows, max(2, rows_hint - seen + 1))
    return max(1, rows)


def _spread(
    active: Sequence[_Cursor],
    answer: Sequence[tuple[Oid, Value | None]],
    target: str,
    trace: Trace,
) -> PollError | None:
    """Hand the flat answer out to the cursors in turn; the last round may be cut short."""
    problem: PollError | None = None
    for position, (oid, value) in enumerate(answer):
        cursor = active[position % len(active)]
        if cursor.done or cursor.cut:
            continue
        found = cursor.take(oid, value, target)
        if found is not None:
            trace("walk cut off", {"column": cursor.name, "because": found.detail})
            problem = found
    return problem
