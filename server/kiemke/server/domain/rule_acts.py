"""Rules changed by people: a row from a day on, by a paper, read by its own reader before it stands."""

import json
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.domain import (
    desks,
    fit_rules,
    identity,
    norms,
    norms_rules,
    rules,
    rules_dated,
)
from kiemke.server.domain.dates_timeline import Timeline, from_rows
from kiemke.server.domain.norms_posts import PostGroups
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, Ruling
from kiemke.server.domain.text_labels import Words

DATED_FILES = (
    fit_rules.FIT_FILE, fit_rules.SUPPORT_FILE, desks.RULES_FILE, norms_rules.RULES_FILE,
    "wear.toml", identity.RULES,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleState:
    """A rule as it holds on a day. ``is_shipped`` False: a row says so, ``recorded_by`` wrote it."""

    name: str
    subject: str
    value: Any
    source: Words | None
    since: date | None
    until: date | None
    is_shipped: bool


@dataclass(frozen=True, slots=True)
class RuleChange:
    """What is asked: ``value`` None takes the rule away; ``until`` None lasts."""

    name: str
    subject: str
    value: Any
    since: date
    until: date | None
    instrument: str
    source: str | None


@cache
def shipped_examples() -> dict[str, Any]:
    """Return a shipped value of every rule by name: a row's value has the same JSON type."""
    found: dict[str, Any] = {}
    for file_name in DATED_FILES:
        for ruling in rules_dated.shipped(file_name):
            found.setdefault(ruling.name, ruling.value)
    return {**{name: value for (name, _), value in rules.shipped().values.items()}, **found}


async def load(session: Session, day: date, known_ms: int) -> list[RuleState]:
    """Return every rule that holds on a day, by name and subject."""
    states: dict[tuple[str, str], RuleState] = {}
    for file_name in DATED_FILES:
        history = await rules_dated.load(session, file_name)
        for key, ruling in history.on(day, known_ms).rulings.items():
            states[key] = _state(ruling)
    plain = await rules.load(session, day, known_ms)
    shipped = rules.shipped().values
    for (name, subject), value in plain.values.items():
        if (name, subject) not in states and name in {key for key, _ in shipped}:
            is_shipped = shipped.get((name, subject)) == value
            states[name, subject] = RuleState(name, subject, value, None, None, None, is_shipped)
    return [states[key] for key in sorted(states)]


def _state(ruling: Ruling) -> RuleState:
    return RuleState(
        ruling.name,
        ruling.subject,
        ruling.value,
        ruling.source,
        ruling.valid_from,
        ruling.valid_to,
        ruling.recorded_at_ms == 0,
    )


_ROWS = """
SELECT id, valid_from, valid_to, value_json, source_text, instrument FROM rule
WHERE name = :name AND subject = :subject AND voided_at_ms IS NULL ORDER BY id
"""


async def put(session: Session, change: RuleChange, *, who: str, now_ms: int) -> bool:
    """Write a rule in the caller's transaction; return whether it was news.

    Raises UnknownRule for a name nobody reads, UnusableRule for a value its reader cannot use.
    """
    example = shipped_examples().get(change.name)
    if example is None:
        raise rules.UnknownRule(f"there is no rule named {change.name!r}")
    if change.value is not None and not _is_like(change.value, example):
        shown = json.dumps(example, ensure_ascii=False)[:120]
        raise UnusableRule(f"rule {change.name!r} must look like {shown}")
    rows = await session.fetch(_ROWS, name=change.name, subject=change.subject)
    spans = from_rows(
        (
            as_date(row["valid_from"]),
            None if row["valid_to"] is None else as_date(row["valid_to"]),
            (row["value_json"], row["source_text"]),
            row["instrument"],
            row["id"],
        )
        for row in rows
    )
    timeline = Timeline(spans)
    text = json.dumps(change.value, ensure_ascii=False, sort_keys=True)
    value = frozenset({(text, change.source or change.instrument)})
    if not timeline.put(change.since, value, change.instrument, change.until):
        return False
    void, added = timeline.changes()
    await session.many(
        "UPDATE rule SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        [{"now": now_ms, "who": who, "id": id_} for id_ in sorted(void)],
    )
    await session.many(
        "INSERT INTO rule (name, subject, value_json, source_text, valid_from, valid_to,"
        " instrument, recorded_at_ms, recorded_by) VALUES (:name, :subject, :value, :source,"
        " :since, :until, :instrument, :now, :who)",
        [
            {
                "name": change.name,
                "subject": change.subject,
                "value": value_text,
                "source": source,
                "since": span.valid_from,
                "until": span.valid_to,
                "instrument": span.instrument,
                "now": now_ms,
                "who": who,
            }
            for span in added
            for value_text, source in span.value
        ],
    )
    await _check(session, change.since, now_ms)
    return True


def _is_like(value: Any, example: Any) -> bool:
    if isinstance(example, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(example, bool)
    if isinstance(example, int | float):
        return isinstance(value, int | float)
    return isinstance(value, type(example))


def _read_norms(by_day: DayRules) -> None:
    groups = norms_rules.read_rules(by_day).groups
    PostGroups(by_day, groups, {})


async def _check(session: Session, day: date, known_ms: int) -> None:
    """Read the rules as their readers will. Raises UnusableRule or UnknownRule."""
    await fit_rules.load(session, day, known_ms)
    await identity.load_weights(session, day, known_ms)
    await desks.load_items(session, day, known_ms)
    if day >= norms.EARLIEST:
        history = await rules_dated.load(session, norms_rules.RULES_FILE)
        _read_norms(history.on(day, known_ms))
