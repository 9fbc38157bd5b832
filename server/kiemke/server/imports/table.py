"""The lines of a file laid under a template: headings found, cells read, problems by row and column."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.cells import CellError, read_cell, shown
from kiemke.server.imports.parse import FileRefused, Line
from kiemke.server.imports.templates import Column, Template

_HEADING_WITHIN_LINES = 15
_IN_BRACKETS = re.compile(r"\s*[(\[].*?[)\]]")


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be imported. ``row`` counts from 1 as the file shows it; 0 is the whole file.

    ``column`` is None when the row as a whole is wrong; ``value`` is what the cell shows.
    """

    row: int
    column: Words | None
    value: str | None
    message: Words
    remedy: Words


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row read: values by column name. Columns the file lacks are absent from ``values``."""

    number: int
    values: dict[str, Any]


@dataclass(slots=True)
class Table:
    """What a file holds of a template. ``ignored`` are headings that no column answers to."""

    rows: list[TableRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)


def _heading_key(text: str) -> str:
    return re.sub(r"[^0-9a-z]+", " ", search_key(_IN_BRACKETS.sub("", text))).strip()


def heading_keys(column: Column) -> set[str]:
    """Return every key by which a heading may name this column: its name, either language."""
    return {
        _heading_key(column.name),
        _heading_key(column.heading.vi),
        _heading_key(column.heading.en),
    }


def _match(heading: str, template: Template) -> Column | None:
    """Return the column a heading names; "Mã / Code" is matched by either half."""
    parts = [heading, *heading.split("/"), heading.split("(")[0]]
    wanted = {key for part in parts if (key := _heading_key(part))}
    exact = [c for c in template.columns if _heading_key(heading) in heading_keys(c)]
    found = exact or [c for c in template.columns if heading_keys(c) & wanted]
    return found[0] if len(found) == 1 or exact else None


def _find_headings(lines: Sequence[Line], template: Template) -> tuple[int, list[Column | None]]:
    """Return where the headings stand (index into lines) and which column each one names."""
    best: tuple[int, int, list[Column | None]] = (0, 0, [])
    for index, line in enumerate(lines[:_HEADING_WITHIN_LINES]):
        columns = [_match(text, template) if (text := shown(cell)) else None for cell in line.cells]
        known = len({column.name for column in columns if column})
        if known > best[0]:
            best = (known, index, columns)
    return best[1], best[2]


def _check_headings(columns: list[Column | None], template: Template, row: int) -> list[RowError]:
    named = [column.name for column in columns if column]
    errors = [
        RowError(
            row, column.heading, None,
            Words("thiếu cột bắt buộc", "a required column is missing"),
            Words(f"thêm cột “{column.heading.vi}” (xem: kiemke template {template.name})",
                  f"add the column “{column.heading.en}” (see: kiemke template {template.name})"),
        )
        for column in template.columns
        if column.required and column.name not in named
    ]  # fmt: skip
    for name in sorted({name for name in named if named.count(name) > 1}):
        heading = template.column(name).heading
        twice = Words("cột xuất hiện hai lần", "this column stands twice")
        errors.append(
            RowError(row, heading, None, twice, Words("bỏ một cột", "remove one of them"))
        )
    return errors


def lay_out(lines: Sequence[Line], template: Template) -> Table:
    """Return the rows and every problem found in them. Raises FileRefused when there is no row."""
    if not lines:
        raise FileRefused("empty")
    at, columns = _find_headings(lines, template)
    table = Table(errors=_check_headings(columns, template, lines[at].number))
    heading_cells = lines[at].cells
    table.ignored = [
        clean_text(text, 100) or ""
        for cell, column in zip(heading_cells, columns, strict=True)
        if column is None and (text := shown(cell))
    ]
    if table.errors:
        return table
    for line in lines[at + 1 :]:
        _read_row(line, columns, table)
    if not table.rows and not table.errors:
        raise FileRefused("empty")
    return table


def _read_row(line: Line, columns: list[Column | None], table: Table) -> None:
    values: dict[str, Any] = {}
    found: list[RowError] = []
    padded = [*line.cells, *([None] * (len(columns) - len(line.cells)))]
    if not any(shown(cell) for cell, column in zip(padded, columns, strict=False) if column):
        return
    for cell, column in zip(padded, columns, strict=False):
        if column is None:
            continue
        try:
            values[column.name] = read_cell(cell, column)
        except CellError as error:
            where = column.heading
            found.append(RowError(line.number, where, shown(cell), error.message, error.remedy))
    table.errors.extend(found)
    if not found:
        table.rows.append(TableRow(line.number, values))
