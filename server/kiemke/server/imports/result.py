"""What an import did or would do, as the REST API tells it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.domain.text import clean_text
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.columns import CONFIDENCE, Mapped
from kiemke.server.imports.days import Evidence
from kiemke.server.imports.differences import Difference
from kiemke.server.imports.ledger import CHANGED, NEW, SAME, Plan
from kiemke.server.imports.mending import Repair
from kiemke.server.imports.parse import FileRefused
from kiemke.server.imports.questions import Question
from kiemke.server.imports.table import RowError, Table
from kiemke.server.imports.templates import Template

# Nobody corrects more at one go, and 200,000 wrong rows would be an answer of 75 MB.
MOST_ERRORS_TOLD = 1_000
MOST_NOTICES_TOLD = 100


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or (``applied`` False) would do.

    With ``errors`` or open ``questions`` nothing was written.
    """

    template: str
    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    errors: tuple[RowError, ...] = ()
    ignored: tuple[str, ...] = ()
    applied: bool = False
    mapping: tuple[Mapped, ...] = ()
    repairs: tuple[Repair, ...] = ()
    days: tuple[tuple[str, Evidence], ...] = ()
    dropped: tuple[str, ...] = ()
    sheets: tuple[str, ...] = ()
    other_sheets: tuple[str, ...] = ()
    skipped: int = 0
    notices: tuple[Words, ...] = ()
    questions: tuple[Question, ...] = ()
    changes: tuple[Difference, ...] = ()
    changes_left_out: int = 0
    titles: dict[str, Words] = field(default_factory=dict)

    def as_json(self, language: str) -> dict[str, Any]:
        """Return the shape of the REST answer, texts in ``language``; its first errors alone."""
        return {
            "template": self.template,
            "rows": self.rows,
            "new": self.new,
            "changed": self.changed,
            "same": self.same,
            "errors": [_error(error, language) for error in self.errors[:MOST_ERRORS_TOLD]],
            "errors_left_out": max(0, len(self.errors) - MOST_ERRORS_TOLD),
            "ignored": list(self.ignored),
            "applied": self.applied,
            "mapping": [self._mapped(mapped, language) for mapped in self.mapping],
            "repairs": [_repair(repair) for repair in self.repairs],
            "days": [_days(heading, evidence) for heading, evidence in self.days],
            "dropped": list(self.dropped),
            "sheets": list(self.sheets),
            "other_sheets": list(self.other_sheets),
            "skipped": self.skipped,
            "notices": [notice.say(language) for notice in self.notices[:MOST_NOTICES_TOLD]],
            "questions": [_question(question, language) for question in self.questions],
            "changes": [_change(change, language) for change in self.changes],
            "changes_left_out": self.changes_left_out,
        }

    def _mapped(self, mapped: Mapped, language: str) -> dict[str, Any]:
        title = self.titles.get(mapped.column or "")
        return {
            "heading": mapped.heading,
            "column": mapped.column,
            "title": title.say(language) if title else None,
            "how": mapped.how,
            "confidence": CONFIDENCE[mapped.how] if mapped.column else 0,
            "samples": list(mapped.samples),
        }


def _say(words: Words | None, language: str) -> str | None:
    return words.say(language) if words else None


def _error(error: RowError, language: str) -> dict[str, Any]:
    return {
        "row": error.row,
        "column": _say(error.column, language),
        "value": error.value,
        "message": error.message.say(language),
        "remedy": error.remedy.say(language),
        "sheet": error.sheet,
    }


def _repair(repair: Repair) -> dict[str, Any]:
    samples = [{"row": row, "before": was, "after": now} for row, was, now in repair.samples]
    return {
        "heading": repair.heading,
        "encoding": repair.encoding,
        "cells": repair.cells,
        "samples": samples,
    }


def _days(heading: str, evidence: Evidence) -> dict[str, Any]:
    return {
        "heading": heading,
        "order": evidence.order,
        "day_first": evidence.day_first,
        "month_first": evidence.month_first,
        "both": evidence.both,
        "samples": list(evidence.samples),
    }


def _question(question: Question, language: str) -> dict[str, Any]:
    return {
        "about": question.about,
        "message": question.message.say(language),
        "answers": list(question.answers),
    }


def _change(change: Difference, language: str) -> dict[str, Any]:
    fields = [
        {
            "column": one.column.say(language),
            "before": _say(one.before, language),
            "after": _say(one.after, language),
        }
        for one in change.fields
    ]
    return {
        "row": change.row,
        "sheet": change.sheet,
        "code": change.code,
        "name": change.name,
        "fields": fields,
    }


def refused(template: str, error: FileRefused) -> ImportResult:
    """Return the answer for a file that is no table at all: an error of row 0."""
    problem = error.problem
    if error.detail:
        detail = clean_text(error.detail, 200) or ""
        problem = Words(f"{problem.vi} ({detail})", f"{problem.en} ({detail})")
    return ImportResult(template, errors=(RowError(0, None, None, problem, error.remedy),))


def result_of(
    table: Table,
    plan: Plan,
    template: Template,
    questions: Sequence[Question],
    notices: Sequence[Words],
    told: tuple[list[Difference], int],
) -> ImportResult:
    """Put together what reading and comparing found. ``rows`` counts things, split ones each."""
    errors = sorted([*table.errors, *plan.errors], key=lambda e: (e.sheet or "", e.row))
    wrong = {(error.sheet, error.row, 0) for error in table.errors if error.column}
    return ImportResult(
        template.name,
        rows=len({row.key for row in table.rows} | wrong),
        new=plan.count(NEW),
        changed=plan.count(CHANGED),
        same=plan.count(SAME),
        errors=tuple(errors),
        ignored=tuple(table.ignored),
        mapping=tuple(table.mapping),
        repairs=tuple(table.repairs),
        days=tuple(table.days),
        dropped=tuple(table.dropped),
        sheets=tuple(name for name in table.sheets if name),
        other_sheets=tuple(table.other_sheets),
        skipped=table.skipped,
        notices=(*table.notices, *notices),
        questions=tuple(questions),
        changes=tuple(told[0]),
        changes_left_out=told[1],
        titles={column.name: column.heading for column in (*template.columns, *template.more)},
    )
