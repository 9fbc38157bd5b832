"""CSV for Excel: UTF-8 with its mark, CRLF, every text cell quoted and guarded against formulas."""

import csv
import io
import re
from collections.abc import Iterable

from kiemke.server.domain.tables import Row
from kiemke.server.exports.renderer import Footer, Heading, foot_words, shown

# What begins a formula in Excel, LibreOffice and Google Sheets; full-width signs count there too.
_LIVE = tuple("=+-@\t\r＝＋－＠")


# Where ; separates lists, Excel splits lines there too, quotes or not: a formula may begin behind it.
_LIVE_BEHIND = re.compile(r"([;\t\r\n])(?=[ '\"\u00a0]*[=+\-@\t\r＝＋－＠])")  # full-width signs


def guarded(value: str | float | None) -> str | float:
    """Return a cell that no spreadsheet takes for a formula: a leading apostrophe where needed."""
    if isinstance(value, str):
        value = _LIVE_BEHIND.sub(r"\1'", value)
        return "'" + value if value.lstrip(" '\"\u00a0").startswith(_LIVE) else value
    return "" if value is None else value


class CsvRenderer:
    """Writes text as it comes; nothing is kept."""

    def __init__(self) -> None:
        self._heading: Heading | None = None

    def begin(self, heading: Heading) -> bytes:
        """Return the mark, the heading's lines and the headings of the columns."""
        self._heading = heading
        language = heading.question.language
        names = [column.heading.say(language) for column in heading.report.columns]
        lines: list[list[str | float]] = [[guarded(line)] for line in heading.lines()]
        return b"\xef\xbb\xbf" + _encode([*lines, list(names)])

    def page(self, rows: Iterable[Row]) -> bytes:
        """Return the rows as text."""
        heading = self._need_heading()
        columns = heading.report.columns
        return _encode(
            [guarded(shown(v, c, heading)) for v, c in zip(row, columns, strict=True)]
            for row in rows
        )

    def end(self, footer: Footer) -> bytes:
        """Return the totals, the number of rows and their hash."""
        heading = self._need_heading()
        rows_word, total_word = foot_words(heading.question.language)
        lines: list[list[str | float]] = []
        if footer.totals:
            cells = [footer.totals.get(column.name, "") for column in heading.report.columns]
            lines.append([total_word, *cells[1:]])
        lines += [[f"{rows_word}: {footer.rows}"], [f"SHA-256: {footer.sha256}"]]
        return _encode(lines)

    def close(self) -> None:
        """Nothing is held."""

    def _need_heading(self) -> Heading:
        if self._heading is None:
            raise RuntimeError("a page was written before the heading")
        return self._heading


def _encode(rows: Iterable[list[str | float]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("utf-8")
