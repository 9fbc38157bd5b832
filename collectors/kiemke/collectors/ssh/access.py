"""Who may change a device: read from its configuration once the secrets are masked, and from its prompt."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_USERS = 500


@dataclass(frozen=True, slots=True)
class AccessRules:
    """How a platform tells it; None where it does not.

    ``snmp_writers`` matches once for each SNMP community, user or group that may write,
    ``administrators`` once for each account that may configure (group ``user``), ``prompt`` the end of
    the prompt of a session that may. ``never_writes``: the platform takes no SNMP writes.
    """

    snmp_writers: re.Pattern[str] | None = None
    never_writes: bool = False
    administrators: re.Pattern[str] | None = None
    prompt: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """What was found out; None: not known. ``may_configure`` is about the account that logged in."""

    may_configure: bool | None
    administrators: tuple[str, ...] | None
    snmp_writers: int | None


def make_rules(said: Mapping[str, Any]) -> AccessRules:
    """Return the rules of a platform's file."""

    def pattern(name: str) -> re.Pattern[str] | None:
        text = said.get(name)
        return re.compile(text, re.MULTILINE) if isinstance(text, str) else None

    return AccessRules(
        pattern("snmp_writers"),
        said.get("snmp_writers") is False,
        pattern("administrators"),
        pattern("prompt"),
    )


def read_access(text: str, rules: AccessRules, user: str, prompt: str) -> Access:
    """Return what a masked configuration and the prompt tell.

    An account of which neither says that it may configure is unknown, unless the prompt denies it: its
    rights may come from a RADIUS server.
    """
    administrators = None
    if rules.administrators is not None:
        found = (match["user"] for match in rules.administrators.finditer(text))
        names = dict.fromkeys(name.strip('"') for name in found if name)
        administrators = tuple(names)[:MAX_USERS]
    writers = 0 if rules.never_writes else None
    if rules.snmp_writers is not None:
        writers = sum(1 for _ in rules.snmp_writers.finditer(text))
    may = None
    if rules.prompt is not None and prompt:
        may = rules.prompt.search(prompt.strip()) is not None
    if user in (administrators or ()):
        may = True
    return Access(may, administrators, writers)
