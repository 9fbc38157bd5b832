"""What is known of a platform: its TOML file, read once and checked, patterns compiled."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from kiemke.collectors.errors import ConfigError
from kiemke.collectors.ssh.access import AccessRules, make_rules
from kiemke.collectors.ssh.platforms import PLATFORMS

FACTS = ("vendor", "model", "version", "serial", "name")
TABLES = ("inventory", "interfaces")
# A command begins with one of these words and holds nothing that chains, writes or configures.
READING = ("show", "display", "get", "cat", "tail", "uname", "/export", "/system", "/interface")
_NOT_READING = re.compile(
    r"[;&`$<]|(?<!2)>|\|(?! ?(?:display set|no-more)\b)|\b(?:configure|conf t|(?<!display )set|add|remove|delete|"
    r"write|copy|save|reset|reload|reboot|erase|system-view|commit|edit)\b"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the group ``secret`` of ``pattern`` matches is one; only inside ``within`` when there is one."""

    pattern: re.Pattern[str]
    within: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Where facts stand in the answer to one command: a template's fields, or the first group of a pattern."""

    command: str
    fields: Mapping[str, str]
    patterns: Mapping[str, re.Pattern[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in the answer to one command: a template's fields, or the named groups of ``row``."""

    name: str
    command: str
    fields: Mapping[str, str]
    row: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Platform:
    """One platform. ``prepare`` is what is sent after login; ``more`` ends a page where paging stays on.

    ``config_end`` is how a whole configuration's last line looks, None where nothing marks it.
    """

    name: str
    vendor: str | None
    prepare: tuple[str, ...]
    config: str
    config_end: re.Pattern[str] | None
    more: str | None
    volatile: tuple[re.Pattern[str], ...]
    secrets: tuple[Rule, ...]
    facts: tuple[Facts, ...]
    tables: tuple[Table, ...]
    access: AccessRules

    @property
    def commands(self) -> frozenset[str]:
        """All that may ever be sent to a device of this platform, beside ``prepare``."""
        asked = {self.config} | {each.command for each in self.facts}
        return frozenset(asked | {table.command for table in self.tables})


@dataclass(frozen=True, slots=True)
class General:
    """What holds for every platform: blocks and lines that are secret, words that are not, refusals."""

    blocks: tuple[Rule, ...]
    secrets: tuple[Rule, ...]
    harmless: frozenset[str]
    refused: tuple[re.Pattern[str], ...]


@cache
def load_platform(name: str) -> Platform:
    """Return a platform by its name. Raises ConfigError naming those there are."""
    if name not in PLATFORMS:
        raise ConfigError(f'no platform "{name}"; there are: {", ".join(PLATFORMS)}')
    data = _read(name)
    end = data.get("config_end")
    found = Platform(
        name=name,
        vendor=data["vendor"] or None,
        prepare=tuple(data["prepare"]),
        config=data["config"],
        config_end=None if end is None else re.compile(end, re.MULTILINE),
        more=data.get("more"),
        volatile=tuple(re.compile(each) for each in data["volatile"]),
        secrets=tuple(_rule(each) for each in data["secrets"]),
        facts=tuple(_facts(each) for each in data["facts"]),
        tables=tuple(_table(each) for each in data["tables"]),
        access=make_rules(data["access"]),
    )
    for command in found.commands:
        if command.split()[0] not in READING or _NOT_READING.search(command):
            raise ConfigError(f"{name}.toml: {command!r} is no reading command; take it out")
    return found


@cache
def load_general() -> General:
    """Return what holds for every platform."""
    data = _read("general")
    return General(
        blocks=tuple(Rule(re.compile(each, re.DOTALL)) for each in data["blocks"]),
        secrets=tuple(_rule(each) for each in data["secrets"]),
        harmless=frozenset(data["harmless"]),
        refused=tuple(re.compile(each) for each in data["refused"]),
    )


def _read(name: str) -> dict[str, Any]:
    folder = files("kiemke.collectors.ssh.platforms")
    return tomllib.loads((folder / f"{name}.toml").read_text("utf-8"))


def _rule(said: str | Mapping[str, str]) -> Rule:
    if isinstance(said, str):
        return Rule(re.compile(said, re.MULTILINE))
    return Rule(re.compile(said["pattern"], re.MULTILINE), re.compile(said["within"]))


def _facts(said: Mapping[str, Any]) -> Facts:
    patterns = {name: re.compile(each) for name, each in said.get("patterns", {}).items()}
    fields = said["fields"] if said.get("template") else {}
    if not {*patterns, *fields} <= {*FACTS} or not (patterns or fields):
        raise ConfigError(f"facts of {said['command']!r}: known are {', '.join(FACTS)}")
    return Facts(said["command"], fields, patterns)


def _table(said: Mapping[str, Any]) -> Table:
    row = said.get("row")
    return Table(
        said["name"],
        said["command"],
        said["fields"] if said.get("template") else {},
        None if row is None else re.compile(row),
    )
