"""The shapes of an import's answer: what was understood, what is asked, what would change."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ImportError:
    """What is wrong with one row; row 0 is the file itself. ``sheet`` is null in a file of one."""

    row: int
    column: str | None
    value: str | None
    message: str
    remedy: str
    sheet: str | None = None


@dataclass(frozen=True, slots=True)
class MappedColumn:
    """A heading of the file and the template's column it is taken for; null is left aside.

    ``how``: user, saved, template, group, dictionary, part, alike, derived (in no sheet) or none.
    ``confidence`` in percent; below 100 it must be agreed to.
    """

    heading: str | None
    column: str | None
    title: str | None
    how: str
    confidence: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class RepairSample:
    """One cell before and after its encoding was restored."""

    row: int
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RepairedColumn:
    """A column whose encoding was lost: tcvn3, vni, cp1258 or utf8 (read as Windows-1252)."""

    heading: str
    encoding: str
    cells: int
    samples: list[RepairSample]


@dataclass(frozen=True, slots=True)
class DayColumn:
    """How many cells of a column prove which order; ``order`` is dmy, mdy or null (ask)."""

    heading: str
    order: str | None
    day_first: int
    month_first: int
    both: int
    samples: list[str]


@dataclass(frozen=True, slots=True)
class ImportQuestion:
    """What must be answered before anything is written: map, repair or days."""

    about: str
    message: str
    answers: list[str]


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One field of a known thing, before and after; null for nothing."""

    column: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class ChangedRow:
    """A row that changes something known."""

    row: int
    sheet: str | None
    code: str | None
    name: str | None
    fields: list[ChangedField]


@dataclass(frozen=True, slots=True)
class ImportOutput:
    """What the import did, or would do when ``applied`` is false.

    With errors or open questions nothing was written. ``errors_left_out`` counts those beyond the
    first thousand, ``changes_left_out`` those beyond the first 200. ``dropped`` are private columns
    that were never read; ``skipped`` counts titles, sections, totals and signatures.
    """

    template: str
    rows: int
    new: int
    changed: int
    same: int
    errors: list[ImportError]
    errors_left_out: int
    ignored: list[str]
    applied: bool
    mapping: list[MappedColumn]
    repairs: list[RepairedColumn]
    days: list[DayColumn]
    dropped: list[str]
    sheets: list[str]
    other_sheets: list[str]
    skipped: int
    notices: list[str]
    questions: list[ImportQuestion]
    changes: list[ChangedRow]
    changes_left_out: int
