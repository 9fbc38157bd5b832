"""What a report is: a table definition and an asynchronous source of its rows, by pages."""

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Database
from kiemke.server.domain.text_labels import Words

# Words are a sentence in both languages: the reader's is shown, both are hashed.
Value = str | int | date | Words | None
Row = tuple[Value, ...]

PAGE_ROWS = 500

# "text" and "code" are strings ("code" is kept exactly), "choice" a code of an enumeration,
# "money" integer đồng, "moment" epoch milliseconds, "mbps" bits per second, "per_million" a share.
TYPES = (
    "text", "code", "choice", "integer", "money", "date", "year", "moment", "mbps", "per_million",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column: ``width`` in characters; ``total`` sums it; ``choices`` words an enumeration."""

    name: str
    heading: Words
    type: str = "text"
    width: int = 16
    total: bool = False
    choices: dict[str, Words] | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: the state of ``day`` as known at ``known_ms``, of one unit's subtree or all.

    ``now_ms`` is when; ``language`` is "vi" or "en"; ``within`` are the units the asker may see,
    None is all.
    """

    day: date
    known_ms: int
    now_ms: int
    unit_id: int | None = None
    language: str = "vi"
    within: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A table that can be exported in every format. ``rows`` yields pages of rows, in order."""

    name: str
    title: Words
    columns: tuple[Column, ...]
    rows: Callable[[Database, Question], AsyncIterator[list[Row]]]


_ACTIVE = (
    "(X.valid_from <= :day AND (X.valid_to IS NULL OR X.valid_to > :day)"
    " AND X.recorded_at_ms <= :known AND (X.voided_at_ms IS NULL OR X.voided_at_ms > :known))"
)
_ACTIVE_MARK = re.compile(r"\{active (\w+)\}")

_SUBTREE = """
WITH RECURSIVE tree (unit_id) AS (
  SELECT CAST(:unit AS BIGINT)
  UNION
  SELECT v.unit_id FROM unit_version v JOIN tree t ON v.parent_id = t.unit_id WHERE {active v}
)
SELECT unit_id FROM tree
"""


def dated(sql: str) -> str:
    """Return SQL with each ``{active t}`` made "row t is so on :day, as known at :known"."""
    return _ACTIVE_MARK.sub(lambda match: _ACTIVE.replace("X.", f"{match[1]}."), sql)


async def subtree(db: Database, question: Question) -> list[int] | None:
    """Return the units asked about, by the tree of that day; None is every unit."""
    if question.unit_id is None:
        return None if question.within is None else sorted(question.within)
    rows = await db.read(
        dated(_SUBTREE), unit=question.unit_id, day=question.day, known=question.known_ms
    )
    ids = [row["unit_id"] for row in rows]
    return [id_ for id_ in ids if question.within is None or id_ in question.within]


def params(question: Question, units: list[int] | None) -> dict[str, Any]:
    """Return the parameters that every report's SQL names: day, known, units, all_units."""
    return {
        "day": question.day,
        "known": question.known_ms,
        "units": units or [],
        "all_units": 1 if units is None else 0,
    }
