"""Named parameters become the driver's: the same SQL for SQLite and PostgreSQL (see ``db``)."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any, TypeVar

Each = TypeVar("Each")

_PARAMETER = re.compile(r"(?<![:\w]):(?:(\w+)\b|\[(\w+)(\.text)?\])")
# A row of parameters, without brackets inside: no function in it.
_VALUES = re.compile(r"\bVALUES\s+(\([^()]*\))")
_PLACE = re.compile(r"\$(\d+)")
# Powers of two up to this: few statements to prepare, all far from the 32,767 parameters of the protocol.
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with the driver's placeholders, the names they stand for, and which of them are lists."""

    text: str
    names: tuple[str, ...]
    lists: frozenset[str]


@lru_cache(maxsize=1024)
def compile_named(sql: str, dialect: str) -> Statement:
    """Turn named parameters into the driver's positional ones."""
    names: list[str] = []
    lists: set[str] = set()

    def place(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if match[2]:
            lists.add(name)
        if dialect == "sqlite":
            names.append(name)
            return "(SELECT value FROM json_each(?))" if match[2] else "?"
        if name not in names:
            names.append(name)
        position = names.index(name) + 1
        if match[2]:
            kind = "text" if match[3] else "bigint"
            return f"(SELECT unnest(${position}::{kind}[]))"
        return f"${position}"

    return Statement(_PARAMETER.sub(place, sql), tuple(names), frozenset(lists))


@lru_cache(maxsize=256)
def repeat_values(statement: Statement, times: int) -> str:
    """Return PostgreSQL's text of an INSERT with so many rows, each with parameters of its own.

    Raises ValueError when parameters stand anywhere but in the one row of VALUES.
    """
    match = _VALUES.search(statement.text)
    rest = "" if match is None else statement.text[: match.start()] + statement.text[match.end() :]
    if match is None or "$" in rest:
        raise ValueError(f"not an INSERT of one row of parameters: {statement.text}")
    places, count = _PLACE.split(match[1]), len(statement.names)
    rows = (
        "".join(
            part if not place % 2 else f"${int(part) + row * count}"
            for place, part in enumerate(places)
        )
        for row in range(times)
    )
    return f"{statement.text[: match.start(1)]}{', '.join(rows)}{statement.text[match.end(1) :]}"


def in_powers_of_two(rows: Sequence[Each]) -> Iterator[Sequence[Each]]:
    """Yield the rows in slices whose lengths are few different ones: each is a statement to prepare."""
    done = 0
    while done < len(rows):
        size = min(_MOST_AT_ONCE, 1 << ((len(rows) - done).bit_length() - 1))
        yield rows[done : done + size]
        done += size


def _for_sqlite(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value


def bind(statement: Statement, dialect: str, params: Mapping[str, Any]) -> list[Any]:
    """Return the values in the order of the placeholders."""
    if dialect == "sqlite":
        return [
            json.dumps([_for_sqlite(v) for v in params[n]])
            if n in statement.lists
            else _for_sqlite(params[n])
            for n in statement.names
        ]
    return [list(params[n]) if n in statement.lists else params[n] for n in statement.names]
