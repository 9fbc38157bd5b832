"""XLSX: strings are strings (never formulas or addresses), numbers numbers, rows written to disk."""

import tempfile
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import xlsxwriter

from kiemke.server.domain.tables import Column, Row, Value
from kiemke.server.exports.renderer import Footer, Heading, foot_words, shown

_MOST_CELL_CHARACTERS = 32_767  # Excel's own limit


class XlsxRenderer:
    """Writes each row to a temporary file at once; the whole workbook comes out at the end."""

    def __init__(self) -> None:
        # A random name in the system's folder of temporary files, gone with ``close``.
        self._folder = tempfile.TemporaryDirectory(prefix="kiemke-export-")
        self._path = Path(self._folder.name) / "export.xlsx"
        self._workbook = xlsxwriter.Workbook(
            str(self._path),
            {
                "constant_memory": True,
                "strings_to_formulas": False,
                "strings_to_urls": False,
                "strings_to_numbers": False,
                "tmpdir": self._folder.name,
            },
        )
        self._formats = {
            "head": self._workbook.add_format({"bold": True, "text_wrap": True, "border": 1}),
            "title": self._workbook.add_format({"bold": True, "font_size": 14}),
            "text": self._workbook.add_format({"num_format": "@"}),
            "money": self._workbook.add_format({"num_format": "#,##0"}),
            "date": self._workbook.add_format({"num_format": "dd/mm/yyyy"}),
            "plain": self._workbook.add_format(),
        }
        self._sheet = self._workbook.add_worksheet("kiemke")
        self._line = 0
        self._heading: Heading | None = None
        self._is_open = True

    def begin(self, heading: Heading) -> bytes:
        """Write title, unit, day and the headings of the columns."""
        self._heading = heading
        sheet, language = self._sheet, heading.question.language
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        for position, column in enumerate(heading.report.columns):
            sheet.set_column(position, position, column.width)
        for line in heading.lines():
            self._write_text(0, line, "title")
            self._line += 1
        for position, column in enumerate(heading.report.columns):
            self._write_text(position, column.heading.say(language), "head")
        sheet.repeat_rows(self._line)
        self._line += 1
        sheet.freeze_panes(self._line, 0)
        return b""

    def page(self, rows: Iterable[Row]) -> bytes:
        """Write rows; the workbook is not ready yet."""
        heading = self._heading
        if heading is None:
            raise RuntimeError("a page was written before the heading")
        for row in rows:
            for position, (value, column) in enumerate(
                zip(row, heading.report.columns, strict=True)
            ):
                self._write(position, value, column, heading)
            self._line += 1
        return b""

    def _write_text(self, position: int, text: str, style: str) -> None:
        cell = text[:_MOST_CELL_CHARACTERS]
        self._sheet.write_string(self._line, position, cell, self._formats[style])

    def _write(self, position: int, value: Value, column: Column, heading: Heading) -> None:
        if isinstance(value, date):
            self._sheet.write_datetime(self._line, position, value, self._formats["date"])
            return
        cell = shown(value, column, heading)
        if isinstance(cell, str):
            self._write_text(position, cell, "text")
        elif cell is not None:
            style = self._formats["money" if column.type == "money" else "plain"]
            self._sheet.write_number(self._line, position, cell, style)

    def end(self, footer: Footer) -> bytes:
        """Write totals, number of rows and hash; return the whole workbook."""
        heading = self._heading
        if heading is None:
            raise RuntimeError("the footer was written before the heading")
        rows_word, total_word = foot_words(heading.question.language)
        if footer.totals:
            self._write_text(0, total_word, "head")
            for position, column in enumerate(heading.report.columns):
                if column.name in footer.totals:
                    money, total = self._formats["money"], footer.totals[column.name]
                    self._sheet.write_number(self._line, position, total, money)
            self._line += 1
        self._write_text(0, f"{rows_word}: {footer.rows}", "plain")
        self._line += 1
        self._write_text(0, f"SHA-256: {footer.sha256}", "plain")
        self._workbook.close()
        self._is_open = False
        return self._path.read_bytes()

    def close(self) -> None:
        """Remove the temporary files."""
        if self._is_open:
            self._is_open = False
            # Nobody waits for this workbook: drop its row file unwritten, and keep the destructor quiet.
            self._sheet.row_data_fh.close()
            self._workbook.fileclosed = True
        self._folder.cleanup()
