"""Rules that change by date: versions that ship in a TOML file, and the rows of ``rule`` over them.

A file holds ``[[rule]]`` tables: name, subject (absent is everything), value, source in Vietnamese and
``source_en``, valid_from and valid_to (half-open, absent is for ever). A row of the table ``rule`` with the same name and subject
wins on the days it is valid; with the value ``null`` it takes the shipped rule away.
"""

import json
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.rules import UnknownRule, UnusableRule
from kiemke.server.domain.text_labels import Words

EVERYTHING = ""


@dataclass(frozen=True, slots=True)
class Ruling:
    """One version of a rule. ``recorded_at_ms`` 0 ships; ``source`` names the law or paper."""

    name: str
    subject: str
    value: Any
    source: Words | None
    valid_from: date
    valid_to: date | None = None
    recorded_at_ms: int = 0
    voided_at_ms: int | None = None

    def holds(self, day: date, known_ms: int) -> bool:
        """Whether it is so on ``day`` as the system said at ``known_ms``."""
        return (
            self.valid_from <= day
            and (self.valid_to is None or self.valid_to > day)
            and self.recorded_at_ms <= known_ms
            and (self.voided_at_ms is None or self.voided_at_ms > known_ms)
        )


@dataclass(frozen=True, slots=True)
class DayRules:
    """The rules of one day, by (name, subject)."""

    rulings: dict[tuple[str, str], Ruling]

    def find(self, name: str, subject: str = EVERYTHING) -> Ruling | None:
        """Return a rule for a subject, else for everything, None where neither is set."""
        return self.rulings.get((name, subject)) or self.rulings.get((name, EVERYTHING))

    def need(self, name: str, subject: str = EVERYTHING) -> Ruling:
        """Return a rule. Raises UnknownRule."""
        found = self.find(name, subject)
        if found is None:
            raise UnknownRule(f"no rule {name!r} is valid on this day; add a row to the table rule")
        return found

    def whole(self, name: str, subject: str, least: int, most: int) -> int:
        """Return a rule that is a whole number within a span. Raises UnknownRule or UnusableRule."""
        value = self.need(name, subject).value
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise UnusableRule(f"rule {name!r} must be a whole number {least}..{most}: {value!r}")
        return value

    def one_of(self, name: str, words: Sequence[str]) -> str:
        """Return a rule that is one of some words. Raises UnknownRule or UnusableRule."""
        value = self.need(name).value
        if value not in words:
            raise UnusableRule(f"rule {name!r} must be one of {', '.join(words)}: {value!r}")
        return str(value)

    def subjects(self, name: str) -> list[Ruling]:
        """Return every ruling of a name that has a subject of its own, by subject."""
        found = [r for (n, subject), r in self.rulings.items() if n == name and subject]
        return sorted(found, key=lambda ruling: ruling.subject)


@dataclass(frozen=True, slots=True)
class RuleHistory:
    """Every version of some rules, shipped ones first, rows in the order they were recorded."""

    rulings: tuple[Ruling, ...]

    def on(self, day: date, known_ms: int) -> DayRules:
        """Return the rules of a day as the system said at ``known_ms``; the last one wins."""
        found: dict[tuple[str, str], Ruling] = {}
        for ruling in self.rulings:
            if not ruling.holds(day, known_ms):
                continue
            key = (ruling.name, ruling.subject)
            if ruling.value is None:
                found.pop(key, None)
            else:
                found[key] = ruling
        return DayRules(found)


@cache
def shipped(file_name: str) -> tuple[Ruling, ...]:
    """Return the versions a file of this package ships."""
    text = files("kiemke.server.domain").joinpath(file_name).read_text("utf-8")
    return tuple(
        Ruling(
            rule["name"],
            rule.get("subject", EVERYTHING),
            rule["value"],
            Words(rule["source"], rule["source_en"]),
            rule["valid_from"],
            rule.get("valid_to"),
        )
        for rule in tomllib.loads(text)["rule"]
    )


_ROWS = """
SELECT name, subject, value_json, source_text, valid_from, valid_to, recorded_at_ms, voided_at_ms
FROM rule WHERE name IN :[names.text] ORDER BY recorded_at_ms, id
"""


async def load(session: Session, file_name: str) -> RuleHistory:
    """Return the history of every rule a file names. Raises UnusableRule on a row without JSON."""
    named = shipped(file_name)
    names = sorted({ruling.name for ruling in named})
    return RuleHistory((*named, *_read(await session.fetch(_ROWS, names=names))))


def _read(rows: Iterable[Row]) -> list[Ruling]:
    rulings = []
    for row in rows:
        try:
            value = json.loads(row["value_json"])
        except ValueError as error:
            raise UnusableRule(f"rule {row['name']!r}: {row['value_json']!r} is no JSON") from error
        end, text = row["valid_to"], row["source_text"]
        rulings.append(
            Ruling(
                row["name"],
                row["subject"],
                value,
                Words(text, text) if text else None,
                as_date(row["valid_from"]),
                None if end is None else as_date(end),
                row["recorded_at_ms"],
                row["voided_at_ms"],
            )
        )
    return rulings
