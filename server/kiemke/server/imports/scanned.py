"""Numbers a scanner or a person wrote into a file, a line each: read by headings where it has them."""

from collections.abc import Sequence
from dataclasses import dataclass

from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.headings import Cell
from kiemke.server.imports.parse import Line, Sheet

# Headings (as search keys) of the columns; the first one that has something in a row gives its number.
_NUMBER = (
    "so tem", "tem", "tem tai san", "tag", "sticker", "barcode", "ma vach", "ma tai san", "ma so", "ma", "code",
    "asset", "so", "number", "so se-ri", "so seri", "serial", "so hieu",
)  # fmt: skip
_RESULT = ("ket qua", "result", "tinh trang", "found")
_PLACE = ("noi thay", "seen at", "noi", "noi su dung", "place", "location")
_NOTE = ("ghi chu", "note")
_SEARCHED_LINES = 30
# What people write for a result -> the code; the words of the minutes too, so that a draft may be filled in.
_RESULTS = {
    "found": ("found", "co", "co thay", "thay", "du", "ok", "x", "seen", "khop so", "as the book says",
              "dang su dung", "dang hoat dong", "thua: so khong ghi o day", "surplus: booked elsewhere or gone"),
    "elsewhere": ("elsewhere", "noi khac", "o noi khac"),
    "broken": ("broken", "hong", "hu hong", "hong hoc"),
    "missing": ("missing", "khong", "khong thay", "khong co", "thieu", "mat", "not found"),
    "surplus": ("surplus", "thua", "ngoai so", "thua: ngoai so", "surplus: not on the book"),
}  # fmt: skip
_CODES = {word: code for code, words in _RESULTS.items() for word in words}
_NOT_SAID = ("chua kiem", "not answered")


class NoNumbers(Exception):
    """The file has no number, or a result nobody knows; ``problem`` says what, ``remedy`` what to do."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem.en)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Scanned:
    """A number and what its row says of it."""

    number: str
    result: str
    place: str | None
    note: str | None


@dataclass(frozen=True, slots=True)
class _Columns:
    numbers: tuple[int, ...]
    result: int | None
    place: int | None
    note: int | None


def read_scanned(sheets: Sequence[Sheet], result: str | None) -> list[Scanned]:
    """Return every number once, in the file's order; ``result`` is of rows that do not say.

    Raises NoNumbers: also where two rows say different things of one number.
    """
    found: dict[str, tuple[Scanned, int]] = {}
    for sheet in sheets:
        columns, start = _find_columns(sheet.lines)
        for line in sheet.lines[start:]:
            scanned = _read(line, columns, result)
            if scanned is None:
                continue
            before, row = found.setdefault(scanned.number, (scanned, line.number))
            if before != scanned:
                raise NoNumbers(
                    Words(
                        f"dòng {row} và dòng {line.number} nói khác nhau về số {scanned.number[:40]}",
                        f"rows {row} and {line.number} say different things of {scanned.number[:40]}",
                    ),
                    Words("giữ một dòng", "keep one of them"),
                )
    if not found:
        raise NoNumbers(
            Words("tệp không có số nào", "the file has no numbers"),
            Words("ghi mỗi dòng một số tem", "write one number of a sticker a line"),
        )
    return [scanned for scanned, _row in found.values()]


def _read(line: Line, columns: _Columns | None, result: str | None) -> Scanned | None:
    """Return what a row says, None where it says nothing. Raises NoNumbers."""
    if columns is None:
        number, told, place, note = _first(line), None, None, None
    else:
        number = next((text for at in columns.numbers if (text := _text(line, at))), None)
        told = _text(line, columns.result)
        place, note = _text(line, columns.place), _text(line, columns.note)
    if told is not None and search_key(told) in _NOT_SAID:
        return None
    code = _code(line, told) if told is not None else result
    if number is None or number.startswith("#"):
        if told is None:
            return None
        raise NoNumbers(
            Words(
                f"dòng {line.number}: có kết quả “{told[:40]}” mà không có số",
                f"row {line.number}: a result, “{told[:40]}”, without a number",
            ),
            Words("ghi số tem hoặc mã vào dòng đó", "write the sticker or the code there"),
        )
    if code is None:
        raise NoNumbers(
            Words(
                f"dòng {line.number}: không nói kết quả của {number[:40]}",
                f"row {line.number}: no result of {number[:40]}",
            ),
            Words(
                "ghi kết quả vào cột “Kết quả”, hoặc thêm --ket-qua cho mọi dòng không ghi",
                "write it into a column “Result”, or give --result for all rows that have none",
            ),
        )
    return Scanned(number, code, place, note)


def _find_columns(lines: Sequence[Line]) -> tuple[_Columns | None, int]:
    """Return the columns by their headings, and how many lines are above the numbers."""
    for position, line in enumerate(lines[:_SEARCHED_LINES]):
        keys = [search_key(cell) if isinstance(cell, str) else "" for cell in line.cells]
        numbers = tuple(keys.index(name) for name in _NUMBER if name in keys)
        if numbers:
            others = (_place_of(keys, names) for names in (_RESULT, _PLACE, _NOTE))
            return _Columns(numbers, *others), position + 1
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


def _code(line: Line, text: str) -> str:
    """Return the code of a result as people write it. Raises NoNumbers."""
    code = _CODES.get(search_key(text))
    if code is None:
        known = ", ".join(words[0] for words in _RESULTS.values())
        raise NoNumbers(
            Words(
                f"dòng {line.number}: không rõ kết quả “{text[:40]}”",
                f"row {line.number}: result “{text[:40]}” is not known",
            ),
            Words(
                f"dùng một trong: có, ở nơi khác, hỏng, không thấy, ngoài sổ ({known})",
                f"use one of: {known}",
            ),
        )
    return code
