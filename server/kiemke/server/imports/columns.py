"""Which column of a template each column of a sheet is: proposed with samples and confidence."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches

from kiemke.server.domain.text_legacy import repair
from kiemke.server.imports.cells import shown
from kiemke.server.imports.dictionary import HEADINGS, OTHER_GROUPS
from kiemke.server.imports.headings import heading_key, label_keys
from kiemke.server.imports.options import Options
from kiemke.server.imports.parse import Line, Sheet
from kiemke.server.imports.templates import Column, Template

SAMPLES = 3
_LEAST_LIKENESS, _SHORTEST_LIKE = 0.86, 5
_SURE = 100

# How a column was found, and how sure that is, in percent.
CONFIDENCE = {
    "user": _SURE, "saved": _SURE, "template": _SURE, "group": 95, "dictionary": 90, "part": 80,
    "alike": 60, "derived": 50, "none": 0,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Mapped:
    """One column of a sheet. ``column`` is None when it is left aside; ``how`` a key of CONFIDENCE.

    ``heading`` is None for a column that no sheet has and that is derived; ``samples`` are its first
    values, clean and with the encoding restored.
    """

    position: int
    heading: str | None
    column: str | None
    how: str
    samples: tuple[str, ...] = ()

    @property
    def needs_a_yes(self) -> bool:
        """Whether a person has to look at it before anything is written."""
        return self.column is not None and CONFIDENCE[self.how] < _SURE


def fingerprint(labels: Sequence[str | None]) -> str:
    """Return what tells sheets of one source: the headings in their order, however spelled."""
    keys = "\n".join(heading_key(label or "") for label in labels).strip("\n")
    return hashlib.sha256(keys.encode()).hexdigest()


def _own(template: Template) -> dict[str, str]:
    found: dict[str, str] = {}
    for column in (*template.columns, *template.more):
        for name in (column.name, column.heading.vi, column.heading.en):
            found.setdefault(heading_key(name), column.name)
    return found


def _find(label: str, own: dict[str, str], words: dict[str, str]) -> tuple[str | None, str]:
    """Return the column a label means and how that was found."""
    whole = heading_key(label)
    if whole in own:
        return own[whole], "template"
    halves = {own.get(heading_key(part)) for part in label.split("/")}
    if len(halves) == 1 and None not in halves:
        return halves.pop(), "template"
    parts = [heading_key(part) for part in label.split(" / ")]
    group, last = parts[0], parts[-1]
    if (grouped := f"{group} > {last}") in words:
        return words[grouped], "group"
    if " / " in label and group in OTHER_GROUPS:
        return None, "none"
    for key, how in ((whole, "dictionary"), (last, "dictionary")):
        if key in words:
            return words[key], how
    for key in label_keys(label):
        if key in words or key in own:
            return words.get(key) or own[key], "part"
    plain = [key for key in words if ">" not in key and len(key) >= _SHORTEST_LIKE]
    if len(last) >= _SHORTEST_LIKE and (like := get_close_matches(last, plain, 1, _LEAST_LIKENESS)):
        return words[like[0]], "alike"
    return None, "none"


def _samples(lines: Sequence[Line], position: int) -> tuple[str, ...]:
    found: list[str] = []
    for line in lines:
        cell = line.cells[position] if position < len(line.cells) else None
        if isinstance(cell, str):
            cell = repair(cell) or cell
        if (text := shown(cell)) is not None and text not in found:
            found.append(text)
        if len(found) == SAMPLES:
            break
    return tuple(found)


def propose(
    sheet: Sheet, template: Template, options: Options, saved: dict[str, str]
) -> list[Mapped]:
    """Return every column of the sheet that has a heading; private ones are not among them.

    Of several that mean one column the surest is taken, then the first; the others stand aside. Two
    of the template's own, or two that the user named, both stay: that is an error to be told.
    """
    own, words = _own(template), HEADINGS[template.name]
    end = sheet.heading[1] if sheet.heading else 0
    below = [line for line in sheet.lines if line.number > end]
    found: list[Mapped] = []
    for position, label in enumerate(sheet.labels):
        if label is None or label in sheet.dropped:
            continue
        column, how = _find(label, own, words)
        for told, name in ((saved, "saved"), (options.columns, "user")):
            for key in (heading_key(label), heading_key(label.split(" / ")[-1])):
                if key in told:
                    column, how = told[key] or None, name
                    break
        found.append(Mapped(position, label, column, how, _samples(below, position)))
    return _one_each(found)


def _one_each(found: list[Mapped]) -> list[Mapped]:
    best: dict[str, int] = {}
    for mapped in found:
        if mapped.column is not None:
            sure = CONFIDENCE[mapped.how]
            best[mapped.column] = max(best.get(mapped.column, 0), sure)
    taken: set[str] = set()
    settled = []
    for mapped in found:
        column = mapped.column
        if column is not None:
            sure = CONFIDENCE[mapped.how]
            if sure < best[column] or (column in taken and sure < _SURE):
                mapped = replace(mapped, column=None, how="none")
            else:
                taken.add(column)
        settled.append(mapped)
    return settled


def column_of(mapped: Mapped, template: Template) -> Column | None:
    """Return the template's column, None when it is left aside or the template has no such one."""
    try:
        return template.column(mapped.column) if mapped.column else None
    except KeyError:
        return None
