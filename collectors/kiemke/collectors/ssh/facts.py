"""From a device's answers to facts and rows: templates where there are some, patterns where there are none."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiemke.collectors.ssh.login import SshError
from kiemke.collectors.ssh.platform import Facts, Platform, Table
from kiemke.wire.clean import clean_text

MAX_ROWS = 2_000
Row = dict[str, str]
Run = Callable[[str], str]


@dataclass(slots=True)
class Told:
    """What a device has told so far: facts by name, and its tables by name."""

    facts: dict[str, str] = field(default_factory=dict)
    tables: dict[str, list[Row]] = field(default_factory=dict)


def read_facts(run: Run, platform: Platform, told: Told) -> None:
    """Fill in what a device says it is, and its tables; a command it refuses gives nothing.

    The first source of a fact wins. Raises SshError when the session ends; ``told`` keeps what came.
    """
    answers: dict[str, str] = {}

    def ask(command: str) -> str:
        if command not in answers:
            try:
                answers[command] = run(command)
            except SshError as err:
                if err.outcome != "refused":
                    raise
                answers[command] = ""
        return answers[command]

    for source in platform.facts:
        if source.fields.keys() | source.patterns.keys() <= told.facts.keys():
            continue
        for name, value in _facts_of(ask(source.command), platform, source).items():
            told.facts.setdefault(name, value)
        if platform.vendor is not None and told.facts:
            told.facts.setdefault("vendor", platform.vendor)
    for table in platform.tables:
        told.tables[table.name] = _rows_of(ask(table.command), platform, table)


def _facts_of(answer: str, platform: Platform, source: Facts) -> dict[str, str]:
    found: dict[str, str] = {}
    if source.fields and answer:
        for row in _by_template(answer, platform, source.command)[:1]:
            found |= _named(row, source.fields)
    for name, pattern in source.patterns.items():
        match = pattern.search(answer)
        text = clean_text(match[1], 200) if match else ""
        if text:
            found.setdefault(name, text)
    return found


def _rows_of(answer: str, platform: Platform, table: Table) -> list[Row]:
    if not answer:
        return []
    if table.row is not None:
        rows: Iterable[Mapping[str, Any]] = (m.groupdict() for m in table.row.finditer(answer))
        return [_texts(row) for row in rows][:MAX_ROWS]
    rows = _by_template(answer, platform, table.command)
    return [_named(row, table.fields) for row in rows][:MAX_ROWS]


def _by_template(answer: str, platform: Platform, command: str) -> list[dict[str, Any]]:
    """Return what ntc-templates read out of an answer; nothing where none fits."""
    from ntc_templates.parse import ParsingException, parse_output  # 0.2 s to import
    from textfsm import TextFSMError

    try:
        return list(parse_output(platform=platform.name, command=command, data=answer))
    except (ParsingException, TextFSMError):
        return []


def _named(row: Mapping[str, Any], fields: Mapping[str, str]) -> Row:
    return _texts({name: row.get(field) for name, field in fields.items()})


def _texts(row: Mapping[str, Any]) -> Row:
    """Return the fields that say something; of a list (the members of a stack) the first."""
    out: Row = {}
    for name, value in row.items():
        first = next(iter(value), None) if isinstance(value, list) else value
        text = clean_text(str(first), 200) if first is not None else ""
        if text:
            out[name] = text
    return out
