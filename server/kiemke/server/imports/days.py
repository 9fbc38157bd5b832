"""Whether a column of days has the day or the month first: by its own rows, or by asking."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from kiemke.server.imports.headings import Cell

_NUMBERS = re.compile(r"\s*(\d{1,2})\s*([/.\-])\s*(\d{1,2})\s*[/.\-]\s*(\d{4})\s*")
_MONTHS = 12


@dataclass(frozen=True, slots=True)
class Evidence:
    """How many cells prove which order. ``both`` could be read either way, with two different days.

    ``real`` are date cells of the spreadsheet program whose day could be a month as well.
    """

    day_first: int
    month_first: int
    both: int
    real: int
    samples: tuple[str, ...]

    @property
    def order(self) -> str | None:
        """ "dmy" or "mdy" where the rows prove it; None when they do not, or prove both."""
        if self.month_first and not self.day_first:
            return "mdy"
        if self.day_first and not self.month_first:
            return None if self._may_be_swapped else "dmy"
        if not self.day_first and not self.month_first and not self.both:
            return "dmy"
        return None

    @property
    def _may_be_swapped(self) -> bool:
        """Excel with an American calendar turns 05/04 into 4 May and leaves 25/04 as text."""
        return self.real > 0 and self.both == 0


def weigh(cells: Iterable[Cell]) -> Evidence:
    """Return what a column's cells say of the order of day and month."""
    day_first = month_first = both = real = 0
    samples: list[str] = []
    all_real_small = True
    for cell in cells:
        if isinstance(cell, date):
            small = cell.day <= _MONTHS
            all_real_small &= small
            real += small and cell.day != cell.month
            continue
        match = _NUMBERS.fullmatch(cell) if isinstance(cell, str) else None
        if match is None:
            continue
        first, second = int(match[1]), int(match[3])
        day_first += first > _MONTHS >= second
        month_first += second > _MONTHS >= first
        if first <= _MONTHS and second <= _MONTHS and first != second:
            both += 1
            if len(samples) < 3:
                samples.append(match[0].strip())
    return Evidence(day_first, month_first, both, real if all_real_small else 0, tuple(samples))


def turned(cell: Cell, order: str) -> Cell:
    """Return a cell with the day first. ``order`` is "mdy" for texts, "swapped" for date cells."""
    if order == "swapped" and isinstance(cell, date) and cell.day <= _MONTHS:
        return date(cell.year, cell.day, cell.month)
    if order == "mdy" and isinstance(cell, str) and (match := _NUMBERS.fullmatch(cell)):
        return f"{match[3]}{match[2]}{match[1]}{match[2]}{match[4]}"
    return cell
