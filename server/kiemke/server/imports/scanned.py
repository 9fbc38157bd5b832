"""Numbers a scanner or a person wrote into a file, a line each: read by headings where it has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.headings import Cell
from kiemke.server.imports.parse import Line, Sheet

# Headings (as search keys) of the columns; the first one that a sheet has gives the number.
_NUMBER = (
    "so tem", "tem", "tem tai san", "tag", "sticker", "barcode", "ma vach", "ma tai san", "ma", "code", "asset",
    "so", "number", "so se-ri", "so seri", "serial", "so hieu",
)  # fmt: skip
_RESULT = ("ket qua", "result", "tinh trang", "found")
_PLACE = ("noi", "noi thay", "noi su dung", "place", "location")
_NOTE = ("ghi chu", "note")
_SEARCHED_LINES = 30
# What people write for a result -> the code.
_RESULTS = {
    "found": ("found", "co", "thay", "du", "ok", "x", "seen"),
    "elsewhere": ("elsewhere", "noi khac", "o noi khac"),
    "broken": ("broken", "hong", "hu hong", "hong hoc"),
    "missing": ("missing", "khong", "khong thay", "thieu", "mat", "not found"),
    "surplus": ("surplus", "thua", "ngoai so"),
}
_CODES = {word: code for code, words in _RESULTS.items() for word in words}


class NoNumbers(Exception):
    """The file has no number, or a result nobody knows; ``problem`` says what, ``remedy`` what to do."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem.en)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Scanned:
    """A number; ``result`` None where the file does not say."""

    number: str
    result: str | None
    place: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class _Columns:
    number: int
    result: int | None
    place: int | None
    note: int | None


def read_scanned(sheets: Sequence[Sheet]) -> list[Scanned]:
    """Return every number once, in the file's order. Raises NoNumbers."""
    found: dict[str, Scanned] = {}
    for sheet in sheets:
        columns, start = _find_columns(sheet.lines)
        for line in sheet.lines[start:]:
            number = _text(line, columns.number) if columns else _first(line)
            if number is None or number.startswith("#"):
                continue
            result = _result(line, columns.result) if columns else None
            place = _text(line, columns.place) if columns else None
            note = _text(line, columns.note) if columns else None
            found.setdefault(number, Scanned(number, result, place, note))
    if not found:
        raise NoNumbers(
            Words("tệp không có số nào", "the file has no numbers"),
            Words("ghi mỗi dòng một số tem", "write one number of a sticker a line"),
        )
    return list(found.values())


def _find_columns(lines: Sequence[Line]) -> tuple[_Columns | None, int]:
    """Return the columns by their headings, and how many lines are above the numbers."""
    for position, line in enumerate(lines[:_SEARCHED_LINES]):
        keys = [search_key(cell) if isinstance(cell, str) else "" for cell in line.cells]
        number = _place_of(keys, _NUMBER)
        if number is not None:
            others = (_place_of(keys, names) for names in (_RESULT, _PLACE, _NOTE))
            return _Columns(number, *others), position + 1
    return None, 0


def _place_of(keys: Sequence[str], names: Sequence[str]) -> int | None:
    return next((keys.index(name) for name in names if name in keys), None)


def _text(line: Line, column: int | None) -> str | None:
    if column is None or column >= len(line.cells):
        return None
    return _plain(line.cells[column])


def _plain(cell: Cell) -> str | None:
    """Return a cell as text: a sheet gives whole numbers as 42.0, a sticker says 42."""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = "" if cell is None or isinstance(cell, bool) else str(cell).strip()
    return text or None


def _first(line: Line) -> str | None:
    return next((text for cell in line.cells if (text := _plain(cell))), None)


def _result(line: Line, column: int | None) -> str | None:
    text = _text(line, column)
    if text is None:
        return None
    code = _CODES.get(search_key(text))
    if code is None:
        known = ", ".join(words[0] for words in _RESULTS.values())
        raise NoNumbers(
            Words(
                f"dòng {line.number}: không rõ kết quả “{text[:40]}”",
                f"row {line.number}: result “{text[:40]}” is not known",
            ),
            Words(f"dùng một trong: {known}", f"use one of: {known}"),
        )
    return code
