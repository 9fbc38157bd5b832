"""The sheets of a file laid under a template: cells read, problems by row and column, open questions."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.cells import CellError, read_cell, shown
from kiemke.server.imports.columns import Mapped, column_of, fingerprint, propose
from kiemke.server.imports.days import Evidence
from kiemke.server.imports.headings import Cell, heading_key, is_numbering
from kiemke.server.imports.mending import Mender, Repair
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import FileRefused, Line, Sheet
from kiemke.server.imports.templates import Column, Template

# Columns that a foreign sheet may lack: they are derived, or found from its section rows.
DERIVED_MARK = "+"  # before the name of a derived column in a saved map
DERIVED = {"assets": ("code", "kind", "unit"), "officials": ("code", "unit")}

_TOTAL = re.compile(
    r"(?:tong )?cong\b.*|tong\b.*|luy ke\b.*|(?:sub)?total\b.*|mang sang.*|cong nhom.*"
)
_SIGNATURES = re.compile(
    r".*\b(?:nguoi lap|ke toan truong|thu truong|thu kho|ky ho ten|truong ban kiem ke|nguoi ghi so|"
    r"phu trach ke toan|chu tich)\b.*|.*ngay .*thang .*nam .*"
)
_ENUMERATED = re.compile(r"(?:[ivxlc]+|[a-z])[.)]?", re.IGNORECASE)
_MOST_SIGNATURE_CELLS = 4


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row cannot be imported. ``row`` counts from 1 as the file shows it; 0 is the whole file.

    ``column`` is None when the row as a whole is wrong; ``value`` is what the cell shows; ``sheet`` is
    named where the file has several.
    """

    row: int
    column: Words | None
    value: str | None
    message: Words
    remedy: Words
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row read: values by column name. Columns the file lacks are absent from ``values``.

    ``section`` is the last section row above it ("I. Phòng Nội vụ"); ``part`` counts the things one
    row of the file was split into.
    """

    number: int
    values: dict[str, Any]
    sheet: str | None = None
    section: str | None = None
    part: int = 0

    @property
    def key(self) -> tuple[str | None, int, int]:
        """What tells this row from every other of the file."""
        return self.sheet, self.number, self.part


@dataclass(slots=True)
class Table:
    """What a file holds of a template. ``ignored`` are headings that no column answers to.

    ``foreign``: at least one sheet is not the template itself. ``skipped`` counts titles, sections,
    totals and signatures among the rows; ``other_sheets`` were left aside.
    """

    rows: list[TableRow] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    mapping: list[Mapped] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    days: list[tuple[str, Evidence]] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    sheets: list[str] = field(default_factory=list)
    other_sheets: list[str] = field(default_factory=list)
    notices: list[Words] = field(default_factory=list)
    fingerprint: str = ""
    foreign: bool = False
    skipped: int = 0


def _check_headings(
    template: Template, options: Options, table: Table, row: int, saved: dict[str, str]
) -> None:
    mapping = list(table.mapping)
    named = [mapped.column for mapped in mapping if mapped.column]
    for mapped in mapping:
        if mapped.column is not None and column_of(mapped, template) is None:
            known = ", ".join(column.name for column in (*template.columns, *template.more))
            table.errors.append(RowError(
                row, None, mapped.column,
                Words("mẫu không có cột này", "the template has no such column"),
                Words(f"chọn một trong: {known}", f"choose one of: {known}"),
            ))  # fmt: skip
    for column in template.columns:
        if not column.required or column.name in named or column.name in options.values:
            continue
        if table.foreign and column.name in DERIVED.get(template.name, ()):
            how = "saved" if f"{DERIVED_MARK}{column.name}" in saved else "derived"
            table.mapping.append(Mapped(-1, None, column.name, how))
            continue
        table.errors.append(RowError(
            row, column.heading, None,
            Words("thiếu cột bắt buộc", "a required column is missing"),
            Words(f"thêm cột “{column.heading.vi}” (xem: kiemke template {template.name}), chỉ ra cột"
                  f" bằng --map \"TÊN CỘT={column.name}\" hoặc --set {column.name}=GIÁ TRỊ",
                  f"add the column “{column.heading.en}” (see: kiemke template {template.name}), name it"
                  f" with --map \"HEADING={column.name}\" or give --set {column.name}=VALUE"),
        ))  # fmt: skip
    for name in sorted({name for name in named if named.count(name) > 1}):
        twice = Words("cột xuất hiện hai lần", "this column stands twice")
        remedy = Words('bỏ một cột, hoặc --map "TÊN CỘT="', 'remove one, or --map "HEADING="')
        if any(column.name == name for column in (*template.columns, *template.more)):
            heading = template.column(name).heading
            table.errors.append(RowError(row, heading, None, twice, remedy))


def _chosen(
    sheets: Sequence[Sheet], template: Template, options: Options, saved: dict[str, dict[str, str]]
) -> list[tuple[Sheet, list[Mapped]]]:
    """Return the sheets to import: those named, or the best one and all with the same headings."""
    found = []
    for sheet in sheets:
        if options.sheets and sheet.name not in options.sheets:
            continue
        if not sheet.lines or sheet.heading is None:
            continue
        mapping = propose(sheet, template, options, saved.get(fingerprint(sheet.labels), {}))
        found.append((len({m.column for m in mapping} - {None}), sheet, mapping))
    if not found:
        return []
    best = max(count for count, _, _ in found)
    first = next(sheet for count, sheet, _ in found if count == best)
    source = fingerprint(first.labels)
    return [
        (sheet, mapping)
        for _, sheet, mapping in found
        if options.sheets or fingerprint(sheet.labels) == source
    ]


def lay_out(
    sheets: Sequence[Sheet],
    template: Template,
    options: Options | None = None,
    saved: dict[str, dict[str, str]] | None = None,
) -> Table:
    """Return the rows and every problem found in them. Raises FileRefused when there is no row.

    ``saved`` are column maps of earlier imports, by the fingerprint of their headings.
    """
    options = options or Options()
    if not any(sheet.lines for sheet in sheets):
        raise FileRefused("empty")
    table = Table()
    chosen = _chosen(sheets, template, options, saved or {})
    if not chosen:
        line = next(line for sheet in sheets for line in sheet.lines)
        _check_headings(template, Options(), table, line.number, {})
        table.ignored = [text for cell in line.cells if (text := shown(cell))]
        return table
    first, table.mapping = chosen[0]
    table.fingerprint = fingerprint(first.labels)
    table.sheets = [sheet.name for sheet, _ in chosen]
    table.other_sheets = [s.name for s in sheets if s.name not in table.sheets and s.lines]
    table.dropped = list(dict.fromkeys(name for sheet, _ in chosen for name in sheet.dropped))
    table.foreign = (first.heading or (1, 1))[0] > 1 or any(
        m.column is not None and m.how != "template" for m in table.mapping
    )
    table.ignored = [
        clean_text(m.heading, 100) or "" for m in table.mapping if m.heading and m.column is None
    ]
    row = first.heading[0] if first.heading else 1
    _check_headings(template, options, table, row, (saved or {}).get(table.fingerprint, {}))
    if table.errors:
        return table
    for sheet, mapping in chosen:
        _Reader(template, options, table, sheet, mapping, several=len(chosen) > 1).read()
    if not table.rows and not table.errors:
        raise FileRefused("empty")
    return table


class _Reader:
    """Reads the rows below one sheet's headings into the table."""

    def __init__(
        self,
        template: Template,
        options: Options,
        table: Table,
        sheet: Sheet,
        mapping: Sequence[Mapped],
        *,
        several: bool,
    ) -> None:
        self._table = table
        self._sheet = sheet
        self._name = sheet.name if several else None
        self._columns = [
            (mapped, column)
            for mapped in mapping
            if (column := column_of(mapped, template)) is not None
        ]
        self._given = options.values
        self._template = template
        self._derived = DERIVED.get(template.name, ()) if table.foreign else ()
        self._section: str | None = sheet.name if several else None
        self._mender = Mender(
            sheet,
            self._columns,
            options,
            foreign=table.foreign,
            people=template.name == "officials",
        )

    def read(self) -> None:
        end = self._sheet.heading[1] if self._sheet.heading else 0
        lines = [line for line in self._sheet.lines if line.number > end]
        if lines and is_numbering(lines[0].cells):
            lines = lines[1:]
            self._table.skipped += 1
        self._mender.learn(lines)
        self._table.repairs.extend(self._mender.repairs)
        self._table.days.extend(self._mender.days)
        self._table.notices.extend(self._mender.notices)
        for position, line in enumerate(lines):
            if self._table.foreign and self._is_signature(line):
                self._table.skipped += len(lines) - position
                break
            if self._table.foreign and self._is_no_row(line):
                self._table.skipped += 1
                continue
            self._read_row(line)

    def _texts(self, line: Line) -> list[str]:
        found = (self._mender.plain(cell) for cell in line.cells)
        return [text for text in found if text]

    def _is_signature(self, line: Line) -> bool:
        texts = self._texts(line)
        keys = [heading_key(text) for text in texts]
        return (
            0 < len(texts) <= _MOST_SIGNATURE_CELLS
            and not any(isinstance(cell, int | float) for cell in line.cells)
            and any(_SIGNATURES.fullmatch(key) for key in keys[:1])
        )

    def _is_no_row(self, line: Line) -> bool:
        """Tell whether a row is a total or a section; a section is remembered for the rows below."""
        texts = self._texts(line)
        if not texts:
            return False
        if any(_TOTAL.fullmatch(search_key(text)) for text in texts[:2]):
            return True
        filled = sum(1 for mapped, _ in self._columns if _at(line, mapped.position) is not None)
        words = [text for text in dict.fromkeys(texts) if not text[0].isdigit()]
        enumerated = _ENUMERATED.fullmatch(texts[0]) is not None and len(words) >= 2
        alone = filled <= 1 and len(self._columns) > 2 and len(set(texts)) == 1
        if enumerated and len(words) == 2:
            self._section = words[1]
        elif alone and words:
            self._section = re.sub(r"^(?:[IVXLC]+|[A-Z]|\d+)[.)]\s*", "", words[0])
        else:
            return False
        return True

    def _read_row(self, line: Line) -> None:
        if not any(shown(_at(line, mapped.position)) for mapped, _ in self._columns):
            return
        values: dict[str, Any] = {}
        found: list[RowError] = []
        for mapped, column in self._columns:
            cell = self._mender.mend(_at(line, mapped.position), mapped, column)
            if column.name in self._derived and shown(cell) is None:
                continue
            if shown(cell) is None and column.name in self._given:
                cell = self._given[column.name]
            self._take(line, column, cell, values, found)
        for name, text in self._given.items():
            if name not in values and not any(column.name == name for _, column in self._columns):
                self._take(line, self._template.column(name), text, values, found)
        self._table.errors.extend(found)
        if not found:
            self._table.rows.append(TableRow(line.number, values, self._name, self._section))

    def _take(
        self,
        line: Line,
        column: Column,
        cell: Cell,
        values: dict[str, Any],
        found: list[RowError],
    ) -> None:
        try:
            values[column.name] = read_cell(cell, column)
        except CellError as error:
            where = column.heading
            found.append(
                RowError(line.number, where, shown(cell), error.message, error.remedy, self._name)
            )


def _at(line: Line, position: int) -> Cell:
    return line.cells[position] if 0 <= position < len(line.cells) else None
