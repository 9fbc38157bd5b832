"""How somebody wants a file read: columns corrected, values given, questions answered beforehand."""

from dataclasses import dataclass, field

from kiemke.server.domain.text_legacy import ENCODINGS
from kiemke.server.imports.headings import heading_key

REPAIRS = (*ENCODINGS, "none")
DAY_ORDERS = ("dmy", "mdy", "swapped")
ACCEPTABLE = ("map", "repair")


@dataclass(frozen=True, slots=True)
class Options:
    """Answers given with the file; everything empty is a file that speaks for itself.

    ``columns`` turns a heading's key into a column's name, "" leaves it aside. ``values`` holds for
    every row whose cell is empty or whose sheet has no such column. ``repair`` is an encoding or
    "none"; ``days`` "dmy", "mdy", or "swapped" (dates that Excel turned round are turned back).
    ``accept`` holds "map" and "repair" when what was proposed is taken as it is.
    """

    columns: dict[str, str] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict)
    repair: str | None = None
    days: str | None = None
    split: bool = False
    sheets: tuple[str, ...] = ()
    heading_row: int | None = None
    accept: frozenset[str] = frozenset()


def pairs(given: list[str]) -> dict[str, str]:
    """Return "Tên TSCĐ=name" as {"Tên TSCĐ": "name"}. Raises ValueError naming what has no "="."""
    found = {}
    for text in given:
        left, mark, right = text.rpartition("=")
        if not mark or not left.strip():
            raise ValueError(text)
        found[left.strip()] = right.strip()
    return found


def by_key(columns: dict[str, str]) -> dict[str, str]:
    """Return a map of headings with each heading as its key."""
    return {heading_key(heading): column for heading, column in columns.items()}
