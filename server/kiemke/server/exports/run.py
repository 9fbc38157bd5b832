"""An export under way: rows read page by page, rendered in a thread, handed on as bytes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from kiemke.server.db import Database
from kiemke.server.domain.tables import Question, Report, Row, Value, dated
from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.exports.csv_format import CsvRenderer
from kiemke.server.exports.jsonl_format import JsonLinesRenderer
from kiemke.server.exports.renderer import Footer, Heading, Renderer, Tally
from kiemke.server.exports.xlsx_format import XlsxRenderer

CHUNK_BYTES = 256 * 1024
_DEFAULT_OFFSET_SECONDS = 7 * 3600
_MOST_TEXT = 4_000


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write any report: its name is the file's ending."""

    name: str
    media_type: str
    renderer: Callable[[], Renderer]


FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("csv", "text/csv", CsvRenderer),
        Format(
            "xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            XlsxRenderer,
        ),
        Format("jsonl", "application/jsonl; charset=utf-8", JsonLinesRenderer),
    )
}

_UNIT_NAME = dated("SELECT v.name FROM unit_version v WHERE v.unit_id = :unit AND {active v}")


def _cleaned(row: Row) -> Row:
    """Return a row whose texts are safe whatever door they once came in by."""
    return tuple(map(_clean, row))


def _clean(value: Value) -> Value:
    if isinstance(value, Words):
        return Words(clean_text(value.vi, _MOST_TEXT) or "", clean_text(value.en, _MOST_TEXT) or "")
    return clean_text(value, _MOST_TEXT) if isinstance(value, str) else value


class Export:
    """One report in one format. After ``stream`` has ended, ``footer`` tells what it held."""

    def __init__(self, db: Database, report: Report, format_: str, question: Question) -> None:
        """Prepare; nothing is read yet. Raises KeyError for an unknown format."""
        self._db = db
        self._report = report
        self._question = question
        self.format = FORMATS[format_]
        self.footer: Footer | None = None

    @property
    def file_name(self) -> str:
        """A name in plain ASCII letters, safe in a header."""
        title = search_key(self._report.title.say(self._question.language))
        stem = "-".join("".join(c if c.isalnum() else " " for c in title).split())
        return f"{stem}-{self._question.day:%Y%m%d}.{self.format.name}"

    async def stream(self) -> AsyncIterator[bytes]:
        """Yield the file, piece by piece. Rendering never holds the event loop."""
        heading = await self._heading()
        renderer = await asyncio.to_thread(self.format.renderer)
        tally = Tally(self._report.columns)
        try:
            if ready := await asyncio.to_thread(renderer.begin, heading):
                yield ready
            async for page in self._report.rows(self._db, self._question):
                rows = [_cleaned(row) for row in page]
                tally.add(rows)
                if ready := await asyncio.to_thread(renderer.page, rows):
                    yield ready
            self.footer = tally.footer()
            rest = await asyncio.to_thread(renderer.end, self.footer)
            for start in range(0, len(rest), CHUNK_BYTES):
                yield rest[start : start + CHUNK_BYTES]
        finally:
            renderer.close()

    async def _heading(self) -> Heading:
        facts = await self._db.read(
            "SELECT utc_offset_seconds, demo FROM installation WHERE id = 1"
        )
        unit = None
        if self._question.unit_id is not None:
            names = await self._db.read(
                _UNIT_NAME,
                unit=self._question.unit_id,
                day=self._question.day,
                known=self._question.known_ms,
            )
            unit = names[0]["name"] if names else str(self._question.unit_id)
        offset = facts[0]["utc_offset_seconds"] if facts else _DEFAULT_OFFSET_SECONDS
        demo = bool(facts[0]["demo"]) if facts else False
        return Heading(self._report, self._question, unit, demo, offset)
