"""JSON lines: one object about the report, one for each row, one closing; codes and ISO dates."""

import json
from collections.abc import Iterable
from typing import Any

from kiemke.server.domain.tables import Row
from kiemke.server.exports.renderer import DEMO_MARK, Footer, Heading, plain


class JsonLinesRenderer:
    """Writes text as it comes; nothing is kept."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()

    def begin(self, heading: Heading) -> bytes:
        """Return the line that says what the rows are."""
        self._names = tuple(column.name for column in heading.report.columns)
        about: dict[str, Any] = {
            "report": heading.report.name,
            "unit": heading.unit,
            "as_of": heading.question.day.isoformat(),
            "known_at_ms": heading.question.known_ms,
            "made_at_ms": heading.question.now_ms,
            "columns": list(self._names),
        }
        if heading.demo:
            about["demo"] = DEMO_MARK
        return _line(about)

    def page(self, rows: Iterable[Row]) -> bytes:
        """Return one object a row; absent values are null."""
        return b"".join(_line(dict(zip(self._names, map(plain, row), strict=True))) for row in rows)

    def end(self, footer: Footer) -> bytes:
        """Return the closing line: {"rows", "sha256", "totals"}."""
        closing = {"rows": footer.rows, "sha256": footer.sha256, "totals": footer.totals}
        return _line(closing)

    def close(self) -> None:
        """Nothing is held."""


def _line(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"
