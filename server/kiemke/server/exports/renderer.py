"""What every export format is told: a heading, pages of rows, and the footer that proves them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from kiemke.server.domain.dates import format_date
from kiemke.server.domain.tables import Column, Question, Report, Row, Value
from kiemke.server.domain.text_labels import Words, say

DEMO_MARK = "DỮ LIỆU MẪU"


@dataclass(frozen=True, slots=True)
class Heading:
    """What stands above the rows. ``unit`` is the unit's name, None for all; ``demo`` marks samples."""

    report: Report
    question: Question
    unit: str | None
    demo: bool
    utc_offset_seconds: int

    def lines(self) -> list[str]:
        """Return the heading's lines in the reader's language, the demo mark first."""
        language = self.question.language
        made = local_time(self.question.now_ms, self.utc_offset_seconds)
        whole = Words("toàn bộ", "all").say(language)
        lines = [DEMO_MARK] if self.demo else []
        return [
            *lines,
            self.report.title.say(language),
            f"{Words('Đơn vị', 'Unit').say(language)}: {self.unit or whole}",
            f"{Words('Ngày số liệu', 'As of').say(language)}: {format_date(self.question.day)}",
            f"{Words('Lập lúc', 'Made at').say(language)}: {made}",
        ]


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands below the rows: their number, their SHA-256, the totals by column name."""

    rows: int
    sha256: str
    totals: dict[str, int]


class Renderer(Protocol):
    """One file being written. Each call returns the bytes that are ready so far, perhaps none."""

    def begin(self, heading: Heading) -> bytes:
        """Write what stands above the rows."""

    def page(self, rows: Iterable[Row]) -> bytes:
        """Write rows."""

    def end(self, footer: Footer) -> bytes:
        """Write what stands below; a format that must be whole to be read returns all of it here."""

    def close(self) -> None:
        """Let go of files; safe to call at any time, twice too."""


class Tally:
    """Counts, sums and hashes the rows as they pass.

    The hash is SHA-256 over each data row as a JSON array (UTF-8, no spaces, no escapes of letters,
    days as YYYY-MM-DD, enumerations as codes, sentences as [vi, en], absent as null) and a line feed after each. It is the
    same for every format and language, because it is taken before any of them sees the rows.
    """

    def __init__(self, columns: tuple[Column, ...]) -> None:
        self._hash = hashlib.sha256()
        self._rows = 0
        self._totals = {position: 0 for position, column in enumerate(columns) if column.total}
        self._columns = columns

    def add(self, rows: Iterable[Row]) -> None:
        """Take in rows."""
        for row in rows:
            self._hash.update(canonical(row))
            self._rows += 1
            for position in self._totals:
                value = row[position]
                self._totals[position] += value if isinstance(value, int) else 0

    def footer(self) -> Footer:
        """Return the footer of the rows so far."""
        totals = {self._columns[position].name: sum_ for position, sum_ in self._totals.items()}
        return Footer(self._rows, self._hash.hexdigest(), totals)


def canonical(row: Row) -> bytes:
    """Return the bytes of one row that are hashed."""
    return (
        json.dumps([plain(v) for v in row], ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n"
    )


def plain(value: Value) -> str | int | list[str] | None:
    """Return a value as JSON has it: days as YYYY-MM-DD, a sentence as [Vietnamese, English]."""
    if isinstance(value, Words):
        return [value.vi, value.en]
    return value.isoformat() if isinstance(value, date) else value


def local_time(moment_ms: int, utc_offset_seconds: int) -> str:
    """Return a moment as dd/MM/yyyy HH:mm at the installation's offset."""
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC) + timedelta(seconds=utc_offset_seconds)
    return f"{format_date(moment.date())} {moment:%H:%M}"


def shown(value: Value, column: Column, heading: Heading) -> str | int | float | None:
    """Return what a reader sees in a cell: words for codes, dd/MM/yyyy, Mbps, percent."""
    if value is None:
        return None
    if isinstance(value, Words):
        return value.say(heading.question.language)
    if isinstance(value, date):
        return format_date(value)
    if column.type == "choice":
        return say(column.choices or {}, str(value), heading.question.language)
    if isinstance(value, int):
        if column.type == "moment":
            return local_time(value, heading.utc_offset_seconds)
        if column.type == "mbps":
            return value // 1_000_000 if value % 1_000_000 == 0 else value / 1_000_000
        if column.type == "per_million":
            return percent(value, heading.question.language)
    return value


def percent(per_million: int, language: str) -> str:
    """Return a share of a million as a percentage, rounded down to 0.1; 100 only for the whole."""
    tenths = (
        min(per_million, 1_000_000) // 1_000 if per_million <= 1_000_000 else per_million // 1_000
    )
    whole, tenth = divmod(tenths, 10)
    mark = "." if language == "en" else ","
    return f"{whole} %" if tenth == 0 else f"{whole}{mark}{tenth} %"


def foot_words(language: str) -> tuple[str, str]:
    """Return the words for "rows" and "total"."""
    return Words("Số dòng", "Rows").say(language), Words("Cộng", "Total").say(language)
