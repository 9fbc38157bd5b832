"""What the collector needs of an SNMP library: read some objects, walk some columns."""

import bisect
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from kiemke.collectors.deadline import Deadline
from kiemke.collectors.errors import PollError

# Integers, counters and time ticks; octet strings and addresses; object identifiers.
Oid = tuple[int, ...]
Value = int | bytes | Oid

LACKING_SECONDS = 3600.0
MOST_PATIENCE_SECONDS = 8.0
# After silence a device is taken for a slow one so many times; then it is taken to be off.
PATIENT_POLLS = 3
# A device silent for this many polls in a row is asked in every third only: the server takes what is
# younger than three intervals for fresh.
REST_AFTER, REST_EVERY = 10, 3


@lru_cache(maxsize=512)
def parse_oid(text: str) -> Oid:
    """Return "1.3.6" as (1, 3, 6). Raises ValueError for anything that is not dotted numbers."""
    return tuple(int(part) for part in text.strip(".").split("."))


def format_oid(oid: Oid) -> str:
    """Return (1, 3, 6) as "1.3.6"."""
    return ".".join(map(str, oid))


@dataclass(slots=True)
class Walk:
    """What a walk of several columns brought: by column, the value by row suffix.

    ``reached`` is the last suffix seen in each column that did not come to its end; a column that is
    not in it is complete. ``problem`` says why the walk ended early, None when it did not.
    ``answers`` tells when a column was read, by its answers in turn: the last suffix of each, and the
    moment of it on ``time.monotonic``.
    """

    cells: dict[str, dict[Oid, Value]] = field(default_factory=dict)
    reached: dict[str, Oid] = field(default_factory=dict)
    problem: PollError | None = None
    answers: dict[str, list[tuple[Oid, float]]] = field(default_factory=dict)

    def is_row_whole(self, suffix: Oid) -> bool:
        """Say whether every column was read at least as far as this row."""
        return all(suffix <= last for last in self.reached.values())

    def read_at(self, column: str, suffix: Oid) -> float | None:
        """Return the moment of the answer that carried a cell, None when it is not known."""
        answers = self.answers.get(column, [])
        at = bisect.bisect_left(answers, suffix, key=lambda answer: answer[0])
        return answers[at][1] if at < len(answers) else None


@dataclass(slots=True)
class Tuning:
    """What was learned about one device; kept from poll to poll.

    ``max_repetitions`` is how many rows a GETBULK asks for; it halves when the device says that an
    answer is too big or does not answer a bulk at all, and grows back by one in a good walk.
    ``plain`` ends when the device once gave an answer that only the careful path may read.
    ``lacking`` are columns the device does not have, each with the wall-clock time (seconds) until
    which it is not asked for them again; so are scalars, where one that is lacking fails a request.
    ``patience_seconds`` is how long an attempt waits, None for the usual time; ``slowest_seconds`` the
    slowest answer of this poll; ``silent_polls`` how many polls in a row brought no answer at all;
    ``turns`` how many there were.
    """

    max_repetitions: int = 25
    ceiling: int = 25
    plain: bool = True
    lacking: dict[str, float] = field(default_factory=dict)
    patience_seconds: float | None = None
    slowest_seconds: float = 0.0
    silent_polls: int = 0
    turns: int = 0

    def is_resting(self) -> bool:
        """Count a turn; say whether a device that has long been silent is left alone in it."""
        self.turns += 1
        return self.silent_polls >= REST_AFTER and self.turns % REST_EVERY != 0

    def patience(self, usual_seconds: float, attempts: int) -> tuple[float, int]:
        """Return how long an attempt waits in this poll, in seconds, and how many are made.

        A device that has long been silent is asked once, but waited for as if it were a slow one.
        """
        if self.silent_polls >= REST_AFTER:
            return MOST_PATIENCE_SECONDS, 1
        return self.patience_seconds or usual_seconds, attempts

    def end_poll(self, outcome: str, usual_seconds: float) -> None:
        """Learn from a poll how long to wait: after silence twice as long, thrice its slowest answer else.

        ``outcome`` is that of the first question, ``usual_seconds`` what an attempt waits by itself.
        """
        if outcome in ("timeout", "unreachable"):
            self.silent_polls += 1
            patience = 2.0 * (self.patience_seconds or usual_seconds)
            is_slow = self.silent_polls <= PATIENT_POLLS
            self.patience_seconds = min(MOST_PATIENCE_SECONDS, patience) if is_slow else None
        else:
            self.silent_polls = 0
            needed = min(MOST_PATIENCE_SECONDS, 3.0 * self.slowest_seconds)
            self.patience_seconds = needed if needed > usual_seconds else None
        self.slowest_seconds = 0.0

    def wake(self) -> None:
        """Ask a resting device in its next turn: something about it has changed."""
        self.silent_polls, self.patience_seconds = 0, None

    def miss(self, name: str) -> None:
        """Remember that the device does not have this object."""
        self.lacking[name] = time.time() + LACKING_SECONDS

    def split(self, columns: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return the columns to ask for, and those the device is known to lack.

        Columns that all lack are asked for nonetheless: somebody wants an answer.
        """
        now = time.time()
        lacking = [name for name in columns if self.lacking.get(name, 0.0) > now]
        if len(lacking) == len(columns):
            return list(columns), []
        return [name for name in columns if name not in lacking], lacking

    def learn(self, walk: Walk) -> None:
        """Remember which columns of a walk that came to its end are empty."""
        if walk.problem is None and any(walk.cells.values()):
            until = time.time() + LACKING_SECONDS
            for name, cells in walk.cells.items():
                if cells:
                    self.lacking.pop(name, None)
                elif self.lacking.get(name, 0.0) < time.time():
                    self.lacking[name] = until

    def halve(self) -> bool:
        """Ask for half as many rows from now on. Returns False when one row is already the limit."""
        if self.max_repetitions <= 1:
            return False
        self.max_repetitions //= 2
        return True

    def grow(self) -> None:
        """Ask for one row more from now on, up to the ceiling."""
        self.max_repetitions = min(self.ceiling, self.max_repetitions + 1)


@dataclass(frozen=True, slots=True)
class Part:
    """What part of a column to walk: at most ``most`` rows, those behind the suffix ``after``."""

    most: int
    after: Oid = ()


class SnmpReader(Protocol):
    """One device to talk to. Both methods are async, bounded by the deadline and raise PollError."""

    async def get(self, oids: Sequence[str], deadline: Deadline) -> dict[str, Value]:
        """Return the value of each scalar the device has; those it lacks are left out."""

    async def walk(
        self,
        columns: Sequence[str],
        deadline: Deadline,
        rows_hint: int | None,
        part: Part | None = None,
    ) -> Walk:
        """Walk the columns side by side. Raises PollError only when nothing at all came back."""
