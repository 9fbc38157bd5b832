"""The child process that reads a foreign file: limits itself first, then speaks JSON lines.

Run as ``python -I -m kiemke.server.imports.child`` with the file on standard input. Each line out is
one row, a list of cells: text, number, true/false, null, or {"day": "2022-04-05"}. The last line is
{"end": row count}, or {"error": code, "detail": text} when the file is refused.
"""

import csv
import io
import json
import re
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Any, BinaryIO

from python_calamine import CalamineError, CalamineWorkbook

MEMORY_BYTES = 512 * 2**20
CPU_SECONDS = 30
MOST_FILE_BYTES = 20 * 2**20
MOST_PARTS = 2_000
MOST_INFLATED_BYTES = 200 * 2**20
MOST_ROWS, MOST_COLUMNS, MOST_CELLS = 200_000, 256, 4_000_000
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
        if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
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
        if not any(part.filename == "xl/workbook.xml" for part in parts):
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


def read_workbook(data: bytes) -> Iterator[list[Any]]:
    """Yield the rows of the first sheet of an XLSX file. Raises Unreadable."""
    try:
        _check_workbook(data)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise Unreadable("not_xlsx", str(error)) from error
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(data))
        if not workbook.sheet_names:
            raise Unreadable("empty")
        sheet = workbook.get_sheet_by_index(0)
        for _ in range(sheet.start[0] if sheet.start else 0):
            yield []  # so that row numbers are those the user sees
        left = sheet.start[1] if sheet.start else 0
        for row in sheet.to_python(skip_empty_area=True):
            yield [None] * left + [_cell(value) for value in row]
    except CalamineError as error:
        raise Unreadable("not_xlsx", str(error)) from error


def read_csv(data: bytes) -> Iterator[list[Any]]:
    """Yield the rows of a CSV file: UTF-8 (or UTF-16 with its mark), separated by comma, ; or tab."""
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16")
        else:
            text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("encoding", str(error)) from error
    if "\0" in text:
        raise Unreadable("not_table")
    unquoted = re.sub(r'"(?:[^"]|"")*"', "", text[:20_000]).lstrip("\r\n")
    first_line = re.split(r"[\r\n]", unquoted, maxsplit=1)[0]
    delimiter = max(",;\t", key=first_line.count)
    csv.field_size_limit(100_000)
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True):
            yield [_cell(value) for value in row]
    except csv.Error as error:
        raise Unreadable("not_table", str(error)) from error


def read(data: bytes) -> Iterable[list[Any]]:
    """Return the rows of a file, told by its first bytes and not by its name. Raises Unreadable."""
    if len(data) > MOST_FILE_BYTES:
        raise Unreadable("size")
    if data[:4] == b"PK\x03\x04":
        return read_workbook(data)
    if data[:4] == b"\xd0\xcf\x11\xe0":
        raise Unreadable("old_xls")
    return read_csv(data)


def main() -> None:
    """Read standard input, write rows, end with one closing line."""
    limit_process()
    out, count = sys.stdout, 0
    try:
        for row in read(sys.stdin.buffer.read(MOST_FILE_BYTES + 1)):
            count += 1
            if count > MOST_ROWS or len(row) > MOST_COLUMNS:
                raise Unreadable("dimensions", f"{count} × {len(row)}")
            out.write(json.dumps(row) + "\n")
        closing: dict[str, Any] = {"end": count}
    except Unreadable as error:
        closing = {"error": error.code, "detail": error.detail[:200]}
    except MemoryError:
        closing = {"error": "memory", "detail": ""}
    out.write(json.dumps(closing) + "\n")
    out.flush()


if __name__ == "__main__":
    main()
