"""Rules as data: what ships in ``rules.toml``, and the dated rows that win over it."""

import json
import tomllib
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Any

from kiemke.server.db import Session
from kiemke.server.errors import ServerError


class UnknownRule(ServerError):
    """Somebody asked for a rule that does not ship and has no row."""


class UnusableRule(ServerError):
    """A rule row's value is not of the kind its reader needs."""


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules valid on one day, by (name, subject); "" is the subject of everything."""

    values: dict[tuple[str, str], Any]

    def value(self, name: str, subject: str = "") -> Any:
        """Return a rule for a subject, else for everything. Raises UnknownRule."""
        for key in ((name, subject), (name, "")):
            if key in self.values:
                return self.values[key]
        raise UnknownRule(f"there is no rule named {name!r}; rules.toml lists those that ship")

    def number(self, name: str, subject: str = "") -> float:
        """Return a rule that is a number. Raises UnknownRule or UnusableRule."""
        value = self.value(name, subject)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise UnusableRule(f"rule {name!r} must be a number, not {value!r}")
        return float(value)

    def whole(self, name: str, subject: str = "") -> int:
        """Return a rule that is a count. Raises UnknownRule or UnusableRule."""
        return int(self.number(name, subject))


@lru_cache(maxsize=1)
def _shipped_values() -> dict[tuple[str, str], Any]:
    text = files("kiemke.server.domain").joinpath("rules.toml").read_text("utf-8")
    return {(name, ""): rule["value"] for name, rule in tomllib.loads(text).items()}


def shipped() -> Rules:
    """Return the rules as shipped, without any row."""
    return Rules(dict(_shipped_values()))


_ACTIVE = """
SELECT name, subject, value_json FROM rule
WHERE valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)
  AND recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)
ORDER BY recorded_at_ms, id
"""


async def load(session: Session, day: date, known_ms: int) -> Rules:
    """Return the rules valid on ``day`` as the system said at ``known_ms``; the last row wins.

    Raises UnusableRule when a row holds no JSON.
    """
    values = dict(_shipped_values())
    for row in await session.fetch(_ACTIVE, day=day, known=known_ms):
        try:
            values[row["name"], row["subject"]] = json.loads(row["value_json"])
        except ValueError as error:
            raise UnusableRule(f"rule {row['name']!r}: {row['value_json']!r} is no JSON") from error
    return Rules(values)
