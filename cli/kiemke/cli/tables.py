"""Tables that never break: fixed columns whole, flexible ones cut with …, 80 columns by default."""

import csv
import io
import json
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import tzinfo

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from kiemke.cli.i18n import _
from kiemke.cli.kinds import TEXT, Kind
from kiemke.cli.records import Record, dig
from kiemke.cli.text import ELLIPSIS, inert_json, visible
from kiemke.cli.words import STYLES

ABSENT = "–"
GAP = "  "
MOST_LINES = 4  # of one cell that wraps
# Full-width signs begin a formula too; behind a ; one begins where ; separates a spreadsheet's cells.
_FORMULA_STARTS = tuple("=+-@\t\r＝＋－＠")
_FORMULA_BEHIND = re.compile(r"(;)(?=[ '\"\u00a0]*[=+\-@＝＋－＠])")


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``heading`` is a msgid (may hold a line break), ``path`` where its value lies.

    A ``flexible`` column is cut where the width does not suffice; the others never are, since a cut
    number is a wrong number. ``optional`` columns give way, empty ones and then the highest first,
    before a flexible one would be cut below its ``least`` cells. What ``wraps`` goes on in the next lines instead of being
    cut: names that differ in their tails alone. What stands ``below`` is there to be typed: without
    room for the whole of it, it is told below its row, once for rows that have it alike.
    """

    heading: str
    path: str
    kind: Kind = TEXT
    flexible: bool = False
    optional: int = 0
    least: int = 8
    wraps: bool = False
    below: bool = False


@dataclass(frozen=True, slots=True)
class Drawn:
    """A table as lines, with the headings of the columns that had no room."""

    lines: tuple[Text, ...]
    left_out: tuple[str, ...]


def cell(column: Column, record: Record, zone: tzinfo) -> str | None:
    """Return what a column shows of a record, inert, None when it is absent."""
    shown = column.kind.render(dig(record, column.path), zone)
    return None if shown is None else visible(shown)


def draw(
    columns: Sequence[Column], records: Sequence[Record], width: int | None, zone: tzinfo
) -> Drawn:
    """Lay out a table within ``width`` cells; None is as wide as it needs to be."""
    # A heading may come from the data too (the fields of an inventory section).
    headings = [[visible(part) for part in _(c.heading).split("\n")] for c in columns]
    cells = [[cell(column, record, zone) or ABSENT for column in columns] for record in records]
    natural = [
        max(cell_len(text) for text in [*heading, *(row[i] for row in cells)])
        for i, heading in enumerate(headings)
    ]
    below = _below(columns, natural, width)
    empty = {i for i in range(len(columns)) if all(row[i] == ABSENT for row in cells)}
    kept = _columns_that_fit(columns, natural, width, below, empty)
    widths = _widths([columns[i] for i in kept], [natural[i] for i in kept], width)
    depth = max((len(headings[i]) for i in kept), default=0)
    lines = []
    for level in range(depth):
        # Headings of fewer lines stand at the bottom, next to their figures.
        words = [([""] * (depth - len(headings[i])) + headings[i])[level] for i in kept]
        lines.append(_line(columns, kept, widths, words, ["bold"] * len(kept)))
    for position, (row, record) in enumerate(zip(cells, records, strict=True)):
        styles = [_style(columns[i], record) for i in kept]
        parts = [
            broken(row[i], width) if columns[i].wraps else [row[i]]
            for i, width in zip(kept, widths, strict=True)
        ]
        for level in range(max(map(len, parts), default=0)):
            texts = [part[level] if level < len(part) else "" for part in parts]
            lines.append(_line(columns, kept, widths, texts, styles))
        if below is not None and row[below] != ABSENT:
            following = cells[position + 1 : position + 2]
            if not following or following[0][below] != row[below]:
                lines.append(Text(f"    → {row[below]}"))
    shown = [*kept, below]
    gone = (i for i in range(len(columns)) if i not in shown and i not in empty)
    lost = tuple(" ".join(headings[i]) for i in gone)
    return Drawn(tuple(lines), lost)


def _below(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> int | None:
    """Return the column that goes below its rows, None when all have room or there is none."""
    found = next((i for i, column in enumerate(columns) if column.below), None)
    roomy = width is None or sum(natural) + len(GAP) * (len(natural) - 1) <= width
    return None if roomy else found


def _columns_that_fit(
    columns: Sequence[Column],
    natural: Sequence[int],
    width: int | None,
    below: int | None,
    empty: Set[int],
) -> list[int]:
    kept = [i for i in range(len(columns)) if i != below]
    while width is not None and _least(columns, natural, kept) > width:
        droppable = [i for i in kept if columns[i].optional]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda i: (i in empty, columns[i].optional)))
    return kept


def _least(columns: Sequence[Column], natural: Sequence[int], kept: Sequence[int]) -> int:
    cells = (min(natural[i], columns[i].least) if columns[i].flexible else natural[i] for i in kept)
    return sum(cells) + len(GAP) * (len(kept) - 1)


def _widths(columns: Sequence[Column], natural: Sequence[int], width: int | None) -> list[int]:
    widths = list(natural)
    if width is None:
        return widths
    over = sum(widths) + len(GAP) * (len(widths) - 1) - width
    # The widest flexible column gives first: a long name loses its tail before a short one does.
    while over > 0:
        flexible = [i for i, column in enumerate(columns) if column.flexible and widths[i] > 1]
        if not flexible:
            break
        spare = [i for i in flexible if widths[i] > columns[i].least]
        widths[max(spare or flexible, key=lambda i: widths[i])] -= 1
        over -= 1
    return widths


def _line(
    columns: Sequence[Column],
    kept: Sequence[int],
    widths: Sequence[int],
    texts: Sequence[str],
    styles: Sequence[str],
) -> Text:
    line = Text()
    for position, (i, width, text, style) in enumerate(
        zip(kept, widths, texts, styles, strict=True)
    ):
        fitted = fit(text, width)
        padding = " " * (width - cell_len(fitted))
        if position:
            line.append(GAP)
        if columns[i].kind.number:
            line.append(padding)
        line.append(fitted, style=style or None)
        if not columns[i].kind.number and position < len(kept) - 1:
            line.append(padding)
    return line


def broken(text: str, width: int) -> list[str]:
    """Return the text in lines of at most ``width`` cells, broken between words; the last may be cut."""
    lines: list[str] = []
    rest = text.split(" ")
    while rest and len(lines) < MOST_LINES - 1 and cell_len(" ".join(rest)) > width:
        taken = 1
        while taken < len(rest) and cell_len(" ".join(rest[: taken + 1])) <= width:
            taken += 1
        lines.append(fit(" ".join(rest[:taken]), width))
        rest = rest[taken:]
    return [*lines, " ".join(rest)] if rest else lines or [""]


def fit(text: str, width: int) -> str:
    """Return the text cut to this many cells, its last one … when something was lost."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, max(width - 1, 0)).rstrip() + ELLIPSIS


def _style(column: Column, record: Record) -> str:
    value = dig(record, column.path)
    return STYLES.get(value, "") if column.kind.vocabulary and isinstance(value, str) else ""


def as_json(value: object) -> str:
    """Return readable JSON with Vietnamese letters as they are and unseen characters escaped."""
    return inert_json(json.dumps(value, ensure_ascii=False, indent=2))


def as_csv(columns: Sequence[Column], records: Sequence[Record], zone: tzinfo) -> str:
    """Return CSV as a spreadsheet wants it: BOM, CRLF, no formulas, numbers ungrouped."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    # A heading may come from the data too (the fields of an inventory section).
    writer.writerow([_guarded(visible(_(c.heading).replace("\n", " "))) for c in columns])
    for record in records:
        writer.writerow([_csv_cell(column, record, zone) for column in columns])
    return "\ufeff" + out.getvalue()


def _csv_cell(column: Column, record: Record, zone: tzinfo) -> str:
    value = dig(record, column.path)
    if column.kind.number and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return _guarded(cell(column, record, zone) or "")


def _guarded(text: str) -> str:
    text = _FORMULA_BEHIND.sub(r"\1'", text)
    return f"'{text}" if text.lstrip(" '\"\u00a0").startswith(_FORMULA_STARTS) else text
