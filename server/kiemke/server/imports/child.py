"""The child process that reads a foreign file: limits itself first, then speaks JSON lines.

Run as ``python -I -m kiemke.server.imports.child OPTIONS`` (JSON: ``template``, ``known`` heading keys,
``heading_row``) with the file on standard input. Each sheet begins with {"sheet": name, "heading":
[first, last] (row indices) or null, "labels": [...], "dropped": [labels]}; then one line a row, a list of
cells: text, number, true/false, null, or {"day": "2022-04-05"}. Cells of private columns are null. The
last line is {"end": row count}, or {"error": code, "detail": text} when the file is refused.
"""

import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Any, BinaryIO

from python_calamine import (
    CalamineError,
    CalamineSheet,
    CalamineWorkbook,
    PasswordError,
    SheetTypeEnum,
    SheetVisibleEnum,
)

from kiemke.server.imports.dictionary import known_keys, own_keys
from kiemke.server.imports.headings import (
    SEARCHED_ROWS,
    Heading,
    find_heading,
    private_columns,
)
from kiemke.server.imports.templates import TEMPLATES

MEMORY_BYTES = 512 * 2**20
CPU_SECONDS = 30
MOST_FILE_BYTES = 20 * 2**20
MOST_PARTS = 2_000
MOST_INFLATED_BYTES = 200 * 2**20
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 200_000, 256, 4_000_000
MOST_SHEETS, MOST_MERGED = 60, 20_000
# One more than the longest cell any template takes, so that "too long" can still be told.
MOST_CELL_CHARACTERS = 2_001

_CELL = re.compile(rb"<(?:\w+:)?c\b[^>]*?\br\s*=\s*[\"']([A-Za-z]{1,9})(\d{1,12})[\"']")
_ROW = re.compile(rb"<(?:\w+:)?row\b[^>]*?\br\s*=\s*[\"'](\d{1,12})[\"']")
_CHUNK_BYTES, _OVERLAP_BYTES = 2**20, 1_000


class Unreadable(Exception):
    """The file is refused: ``code`` is one of parse.PROBLEMS."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail


def limit_process() -> None:
    """Cap this process: memory, CPU time, no file written, no core left behind."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _check_part(part: BinaryIO, name: str, left_bytes: int) -> int:
    """Look through one XML part without building it; return its true size in bytes."""
    size, tail, last_row, last_column = 0, b"", 1, 1
    while chunk := part.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > left_bytes:
            raise Unreadable("inflates", name)
        if size == len(chunk) and (b"\0" in chunk[:4] or chunk[:2] in (b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable("not_xlsx", name)
        text = tail + chunk
        if name.startswith("META-INF/"):
            pass  # OpenOffice wrote a DOCTYPE there; nobody reads it
        elif b"<!DOCTYPE" in text or b"<!ENTITY" in text:
            raise Unreadable("entities", name)
        if "worksheets/" in name:
            for match in _CELL.finditer(text):
                last_column = max(last_column, _column_number(match[1]))
                last_row = max(last_row, int(match[2]))
            last_row = max([last_row, *(int(row) for row in _ROW.findall(text))])
            if _too_large(last_row, last_column):
                raise Unreadable("dimensions", f"{last_row} × {last_column}")
        tail = text[-_OVERLAP_BYTES:]
    return size


def _too_large(rows: int, columns: int) -> bool:
    return rows > MOST_ROWS or columns > MOST_COLUMNS or rows * columns > MOST_CELLS


def _check_workbook(data: bytes) -> None:
    """Refuse what would grow in the reader's hands. Raises Unreadable."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        parts = archive.infolist()
        if len(parts) > MOST_PARTS:
            raise Unreadable("inflates", f"{len(parts)} parts")
        if sum(part.file_size for part in parts) > MOST_INFLATED_BYTES:
            raise Unreadable("inflates")
        if not {"xl/workbook.xml", "content.xml"} & {part.filename for part in parts}:
            raise Unreadable("not_xlsx")
        left = MOST_INFLATED_BYTES
        for part in parts:
            with archive.open(part) as stream:
                left -= _check_part(stream, part.filename, left)  # type: ignore[arg-type]  # ZipExtFile reads bytes


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"day": value.date().isoformat()}
    if isinstance(value, date):
        return {"day": value.isoformat()}
    if value is None or value == "":
        return None
    if isinstance(value, bool | int | float):
        return value
    return str(value)[:MOST_CELL_CHARACTERS]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet as read: its rows of plain cells, streamed."""

    name: str
    rows: Iterator[list[Any]]


def read_workbook(data: bytes) -> Iterator[Sheet]:
    """Yield the visible sheets of an XLSX, XLS or ODS file. Raises Unreadable."""
    if data[:4] == ZIP:
        try:
            _check_workbook(data)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
            raise Unreadable("not_xlsx", str(error)) from error
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        names = [
            about.name
            for about in workbook.sheets_metadata
            if about.typ == SheetTypeEnum.WorkSheet and about.visible == SheetVisibleEnum.Visible
        ]
        if not names:
            raise Unreadable("empty")
        for name in names[:MOST_SHEETS]:
            yield Sheet(name, _sheet_rows(workbook.get_sheet_by_name(name)))
    except PasswordError as error:
        raise Unreadable("password", str(error)) from error
    except CalamineError as error:
        raise Unreadable("not_xlsx", str(error)) from error


def _sheet_rows(sheet: CalamineSheet) -> Iterator[list[Any]]:
    """Yield a sheet's rows from its first; a cell merged downwards stands in every row it covers."""
    top, left = sheet.start or (0, 0)
    for _ in range(top):
        yield []  # so that row numbers are those the user sees
    merged: dict[tuple[int, int], tuple[int, int]] = {}
    for (first_row, column), (last_row, _) in islice(sheet.merged_cell_ranges or (), MOST_MERGED):
        for covered in range(first_row + 1, min(last_row, first_row + MOST_ROWS) + 1):
            merged[covered, column] = (first_row, column)
    wanted = set(merged.values())
    kept: dict[tuple[int, int], Any] = {}
    for number, row in enumerate(sheet.to_python(skip_empty_area=True), top):
        cells = [None] * left + [_cell(value) for value in row]
        for position, cell in enumerate(cells):
            if (number, position) in wanted:
                kept[number, position] = cell
            elif cell is None and (number, position) in merged:
                cells[position] = kept.get(merged[number, position])
        yield cells


def _text_of(data: bytes) -> str:
    """Return the text of a CSV file. Bytes that are no Unicode come as Windows-1252 letters: which
    old encoding they were is a question to a person, as it is in a workbook.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise Unreadable("encoding", str(error)) from error
    if b"\0" in data:
        raise Unreadable("encoding")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "".join(map(_LETTERS.__getitem__, data))


_LETTERS = [
    bytes([byte]).decode("cp1252", "ignore") or bytes([byte]).decode("latin-1")
    for byte in range(256)
]


def _separator_of(text: str) -> str:
    """Return the separator that most lines have equally often; titles above the table have none."""
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", text[:50_000])
    lines = [line for line in re.split(r"[\r\n]+", unquoted) if line.strip()][:SEARCHED_ROWS]
    best, most = ",", 0
    for separator in ",;\t|":
        counts = Counter(count for line in lines if (count := line.count(separator)))
        if counts:
            count, seen = max(counts.items(), key=lambda item: (item[1] * item[0], item[0]))
            if count * seen > most:
                best, most = separator, count * seen
    return best


def read_csv(data: bytes) -> Iterator[list[Any]]:
    """Yield the rows of a CSV file in UTF-8, UTF-16 (with its mark) or an old 8-bit encoding."""
    text = _text_of(data)
    try:
        lines = io.StringIO(text, newline="")
        for row in csv.reader(lines, delimiter=_separator_of(text), strict=True):
            yield [_cell(value) for value in row]
    except csv.Error as error:
        raise Unreadable("not_table", str(error)) from error


ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"


def read(data: bytes) -> Iterator[Sheet]:
    """Return the sheets of a file, told by its first bytes and not by its name. Raises Unreadable."""
    if len(data) > MOST_FILE_BYTES:
        raise Unreadable("size")
    if data[:4] in (ZIP, OLE):
        return read_workbook(data)
    return iter([Sheet("", read_csv(data))])


def _heading_of(head: list[list[Any]], options: dict[str, Any]) -> Heading | None:
    template = TEMPLATES[options["template"]]
    known = known_keys(template) | frozenset(options.get("known", ()))
    given = options.get("heading_row")
    if given is None:
        return find_heading(head, known)
    found = find_heading(head[given - 1 : given + 2], known) if given <= len(head) else None
    if found is None or found.first != 0:
        return None
    return Heading(given - 1, given - 1 + found.last, found.labels, found.known)


def tell(sheet: Sheet, options: dict[str, Any], write: Callable[[Any], None]) -> int:
    """Write one sheet, its private columns blanked; return how many rows it has. Raises Unreadable."""
    rows = sheet.rows
    head = list(islice(rows, SEARCHED_ROWS))
    template = TEMPLATES[options["template"]]
    heading = _heading_of(head, options)
    drop: list[int] = []
    if heading is not None:
        people = template.name in ("officials", "absences")
        below = head[heading.last + 1 :]
        drop = private_columns(heading, below, own_keys(template), people=people)
    labels = list(heading.labels) if heading else []
    write(
        {
            "sheet": sheet.name,
            "heading": [heading.first, heading.last] if heading else None,
            "labels": labels,
            "dropped": [labels[position] or f"#{position + 1}" for position in drop],
        }
    )
    count = 0
    for source in (head, rows):
        for row in source:
            count += 1
            if len(row) > MOST_COLUMNS:
                raise Unreadable("dimensions", f"{count} × {len(row)}")
            if heading is not None and count > heading.last + 1:
                for position in drop:
                    if position < len(row):
                        row[position] = None
            write(row)
    return count


def main() -> None:
    """Read standard input, write sheets and rows, end with one closing line."""
    limit_process()
    options = json.loads(sys.argv[1])
    count = 0

    def write(said: Any) -> None:
        sys.stdout.write(json.dumps(said) + "\n")

    try:
        for sheet in read(sys.stdin.buffer.read(MOST_FILE_BYTES + 1)):
            count += tell(sheet, options, write)
            if count > MOST_ROWS:
                raise Unreadable("dimensions", str(count))
        closing: dict[str, Any] = {"end": count}
    except Unreadable as error:
        closing = {"error": error.code, "detail": error.detail[:200]}
    except MemoryError:
        closing = {"error": "memory", "detail": ""}
    write(closing)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
