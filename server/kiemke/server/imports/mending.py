"""A sheet's cells as they were meant: lost encodings, months before days, amounts in thousands."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kiemke.server.domain.money import MOST_DONG
from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.domain.text_legacy import detect, repair, restore
from kiemke.server.imports.columns import Mapped
from kiemke.server.imports.days import Evidence, turned, weigh
from kiemke.server.imports.headings import Cell
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import Line, Sheet
from kiemke.server.imports.templates import Column

_MOST_SAMPLES = 5
_DATES = ("date", "year_or_date")
_THOUSAND = re.compile(r".*(?:\b(?:nghin|ngan) dong|\b1[.,]?000 ?(?:d|dong|vnd)\b|\b1[.,]000d).*")
_MILLION = re.compile(r".*(?:\btrieu dong|\btr\.? ?dong|\b1[.,]?000[.,]?000 ?d(?:ong)?\b).*")
_UNIT_OF_MEASURE = re.compile(r".*(?:don vi tinh|dvt).*")
_PLAIN_NUMBER = re.compile(r"\d{1,3}(?:[.,]\d{3})*|\d+")


@dataclass(frozen=True, slots=True)
class Repair:
    """One column that lost its encoding: what it reads as now, side by side, ``cells`` in all."""

    heading: str
    encoding: str
    cells: int
    samples: tuple[tuple[int, str, str], ...]  # (row, before, after)


class Mender:
    """Learns from all rows of a sheet what happened to each column, then mends cell by cell."""

    def __init__(
        self,
        sheet: Sheet,
        columns: Sequence[tuple[Mapped, Column]],
        options: Options,
        *,
        foreign: bool,
        people: bool,
    ) -> None:
        self._people = people
        self._sheet = sheet
        self._columns = columns
        self._options = options
        self._foreign = foreign
        self._encodings: dict[int, str] = {}
        self._orders: dict[int, str] = {}
        self._scales: dict[int, int] = {}
        self._file_encoding: str | None = None
        self.repairs: list[Repair] = []
        self.days: list[tuple[str, Evidence]] = []
        self.notices: list[Words] = []

    def learn(self, lines: Sequence[Line]) -> None:
        """Look at every cell once."""
        texts = (cell for line in lines for cell in line.cells if isinstance(cell, str))
        self._file_encoding = detect(texts)
        for mapped, column in self._columns:
            if mapped.position < 0:  # derived: the sheet has no such column
                continue
            cells = [
                (line.number, line.cells[mapped.position])
                for line in lines
                if mapped.position < len(line.cells)
            ]
            self._learn_encoding(mapped, column, cells)
            if column.type in _DATES:
                self._learn_days(mapped, [cell for _, cell in cells])
            if column.type == "money":
                self._learn_scale(mapped)

    def _learn_encoding(
        self, mapped: Mapped, column: Column, cells: Sequence[tuple[int, Cell]]
    ) -> None:
        if self._options.repair == "none":
            return
        texts = [(row, cell) for row, cell in cells if isinstance(cell, str) and not cell.isascii()]
        encoding = detect(text for _, text in texts) or self._file_encoding
        if encoding is None:
            return
        mended = ((row, text, self._restored(text, encoding, column)) for row, text in texts)
        changed = [(row, text, after) for row, text, after in mended if after != text]
        if not changed:
            return
        self._encodings[mapped.position] = encoding
        different: dict[str, tuple[int, str, str]] = {}
        for row, before, after in changed:
            different.setdefault(after, (row, before, after))
        samples = tuple(
            (row, clean_text(before, 100) or "", clean_text(after, 100) or "")
            for row, before, after in list(different.values())[:_MOST_SAMPLES]
        )
        self.repairs.append(Repair(mapped.heading or "", encoding, len(changed), samples))

    def _learn_days(self, mapped: Mapped, cells: Sequence[Cell]) -> None:
        evidence = weigh(cells)
        if self._options.days is not None:
            self._orders[mapped.position] = self._options.days
            return
        if not self._foreign:
            return  # the template says dd/MM/yyyy
        if evidence.order == "mdy":
            self._orders[mapped.position] = "mdy"
        if evidence.order != "dmy":
            self.days.append((mapped.heading or "", evidence))

    def _learn_scale(self, mapped: Mapped) -> None:
        first = self._sheet.heading[0] if self._sheet.heading else 0
        titles = [
            search_key(repair(cell) or cell)
            for line in self._sheet.lines
            if line.number < first
            for cell in line.cells
            if isinstance(cell, str)
        ]
        said = [title for title in titles if _UNIT_OF_MEASURE.fullmatch(title)]
        for text in (search_key(mapped.heading or ""), *said):
            scale = 10**6 if _MILLION.fullmatch(text) else 10**3 if _THOUSAND.fullmatch(text) else 1
            if scale == 1:
                continue
            self._scales[mapped.position] = scale
            what = Words("triệu đồng", "million đồng") if scale > 1000 else Words(
                "nghìn đồng", "thousand đồng"
            )  # fmt: skip
            self.notices.append(Words(
                f"cột “{mapped.heading}” tính bằng {what.vi}",
                f"the column “{mapped.heading}” is in {what.en}",
            ))  # fmt: skip
            return

    def plain(self, cell: Cell) -> str | None:
        """Return a cell's text, restored; None for an empty one and for what is no text."""
        if not isinstance(cell, str):
            return None
        if self._file_encoding is not None and self._options.repair != "none":
            cell = restore(cell, self._file_encoding)
        return clean_text(cell, 300)

    def mend(self, cell: Cell, mapped: Mapped, column: Column) -> Cell:
        """Return a cell as its column shows it was meant."""
        if isinstance(cell, str) and (encoding := self._encodings.get(mapped.position)):
            cell = self._restored(cell, encoding, column)
        if order := self._orders.get(mapped.position):
            cell = turned(cell, order)
        if scale := self._scales.get(mapped.position):
            cell = _scaled(cell, scale)
        return cell

    def _restored(self, text: str, encoding: str, column: Column) -> str:
        """Return a text as it was meant; a font of capitals shows small letters large, so a person's
        names begin large again.
        """
        sound = restore(text, encoding)
        if encoding == "tcvn3" and column.name == "name" and self._people and sound != text:
            return " ".join(word[:1].upper() + word[1:] for word in sound.split(" "))
        return sound


def _scaled(cell: Cell, scale: int) -> Cell:
    if isinstance(cell, bool) or cell is None:
        return cell
    if isinstance(cell, int | float):
        amount = cell * scale
        return round(amount) if abs(amount) < MOST_DONG else cell
    if isinstance(cell, str) and _PLAIN_NUMBER.fullmatch(cell.strip()):
        return int(re.sub(r"\D", "", cell)) * scale
    return cell
