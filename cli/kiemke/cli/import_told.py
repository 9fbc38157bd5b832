"""What an import understood, asks and would change, as a person reads it."""

from collections.abc import Sequence

from kiemke.cli import figures
from kiemke.cli.app import App
from kiemke.cli.i18n import N_, _
from kiemke.cli.kinds import COUNT
from kiemke.cli.records import Record, dig, number_at, records_of, text_at
from kiemke.cli.tables import Column, draw

SURE = 100
MOST_ROWS_SHOWN = 20
MOST_ROWS_NAMED = 12
MAPPING = (
    Column(N_("Heading"), "heading", flexible=True),
    Column(N_("Taken as"), "title", flexible=True),
    Column(N_("Column"), "column"),
    Column(N_("Sure, %"), "confidence", COUNT),
    Column(N_("Samples"), "shown", flexible=True),
)
REPAIRS = (
    Column(N_("Row"), "row", COUNT),
    Column(N_("Before"), "before", flexible=True),
    Column(N_("After"), "after", flexible=True),
)
CHANGES = (
    Column(N_("Row"), "row", COUNT),
    Column(N_("Code"), "code", flexible=True),
    Column(N_("Field"), "column", flexible=True),
    Column(N_("Before"), "before", flexible=True),
    Column(N_("After"), "after", flexible=True),
)


def _words(told: object, path: str) -> list[str]:
    found = dig(told, path)
    return [str(word) for word in found] if isinstance(found, list) else []


class Teller:
    """Prints the parts of one answer; ``wide`` cuts nothing."""

    def __init__(self, app: App, told: object, *, wide: bool) -> None:
        self._app = app
        self._told = told
        self._width = None if wide else app.width()

    def _table(self, columns: Sequence[Column], records: Sequence[Record]) -> None:
        self._app.say("", *draw(columns, records, self._width, self._app.zone).lines)

    def understood(self) -> None:
        """Print the proposed columns when any of them is a guess, and what was left out."""
        mapping = records_of(dig(self._told, "mapping"))
        taken = [column for column in mapping if text_at(column, "column")]
        if any(number_at(column, "confidence") != SURE for column in taken):
            shown = [
                {
                    **column,
                    "heading": text_at(column, "heading") or _("(none: derived)"),
                    "shown": " · ".join(_words(column, "samples")),
                }
                for column in mapping
            ]
            self._table(MAPPING, shown)
            self._app.say(_('To correct it: --map "HEADING=column", or --map "HEADING=" for none'))
        for path, words in (
            ("dropped", N_("private columns, never read: {names}")),
            ("ignored", N_("columns not known, left aside: {names}")),
            ("other_sheets", N_("sheets left aside: {names}")),
        ):
            if names := _words(self._told, path):
                self._app.say(_(words).format(names=", ".join(names)))
        if skipped := number_at(self._told, "skipped"):
            self._app.say(_("{count} rows of titles, sections and totals passed over").format(
                count=figures.count(skipped)
            ))  # fmt: skip
        self._app.say(*_words(self._told, "notices"))

    def repaired(self) -> None:
        """Print text whose encoding was lost, before and after, side by side."""
        for repair in records_of(dig(self._told, "repairs")):
            self._app.say(
                "",
                _("{heading}: {cells} cells lost their encoding ({encoding})").format(
                    heading=text_at(repair, "heading"),
                    cells=figures.count(number_at(repair, "cells") or 0),
                    encoding=text_at(repair, "encoding"),
                ),
            )
            self._table(REPAIRS, records_of(dig(repair, "samples")))

    def days(self) -> None:
        """Print columns of days whose order is not plain."""
        for column in records_of(dig(self._told, "days")):
            words = (
                _("{heading}: the month stands first ({proof} rows prove it)")
                if text_at(column, "order") == "mdy"
                else _("{heading}: day or month first? for example {samples}")
            )
            self._app.say(words.format(
                heading=text_at(column, "heading"),
                proof=figures.count(number_at(column, "month_first") or 0),
                samples=", ".join(_words(column, "samples")) or "–",
            ))  # fmt: skip

    def changes(self) -> None:
        """Print each field of known things that changes, before and after."""
        fields = [
            {**field, "row": dig(row, "row"), "code": dig(row, "code")}
            for row in records_of(dig(self._told, "changes"))
            for field in records_of(dig(row, "fields"))
        ]
        if not fields:
            return
        shown = fields if self._width is None else fields[:MOST_ROWS_SHOWN]
        self._table(CHANGES, shown)
        rest = len(fields) - len(shown) + (number_at(self._told, "changes_left_out") or 0)
        if rest:
            self._app.say(_("… and {count} more").format(count=figures.count(rest)))

    def errors(self, errors: Sequence[Record]) -> list[str]:
        """Return each thing that is wrong in whole sentences, once, with the rows it is wrong in."""
        alike: dict[tuple[str | None, ...], list[str]] = {}
        for error in errors:
            row = number_at(error, "row")
            parts = ("sheet", "column", "value", "message", "remedy")
            rows = alike.setdefault(tuple(text_at(error, part) for part in parts), [])
            if row and str(row) not in rows:
                rows.append(str(row))
        lines = []
        for (sheet, column, value, message, remedy), rows in alike.items():
            where = [
                *([_("sheet {name}").format(name=sheet)] if sheet else []),
                *([_("row {rows}").format(rows=_rows(rows))] if rows else []),
                *([f"{column} “{value}”" if value else column] if column else []),
            ]
            if value and not column:
                message = f"“{value}”: {message}"
            lines.append(f"✗ {' · '.join(where)}: {message}" if where else f"✗ {message}")
            lines.append(f"    → {remedy}")
        return lines

    def questions(self) -> None:
        """Print what must be answered, and the option that answers it."""
        for question in records_of(dig(self._told, "questions")):
            self._app.say("", text_at(question, "message") or "")
            self._app.say("  " + answer_of(question))


def _rows(numbers: Sequence[str]) -> str:
    shown = ", ".join(numbers[:MOST_ROWS_NAMED])
    return shown if len(numbers) <= MOST_ROWS_NAMED else f"{shown}…"


def answer_of(question: Record) -> str:
    """Return the options that answer a question."""
    answers = _words(question, "answers")
    about = text_at(question, "about")
    if about == "map":
        return _("agree with --yes-map, or correct with --map")
    if about == "repair":
        return " | ".join(f"--repair {answer}" for answer in answers)
    return " | ".join(f"--days {answer}" for answer in answers)
