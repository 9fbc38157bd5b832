"""What is written in English where it arises - errors, help, reasons in the log - in the reader's language.

The sentences stand in tables (``vietnamese.toml`` of a package). They are read only where a Vietnamese
reader is told one: a running service, its log and its reports never need them.
"""

import re
from functools import lru_cache
from typing import NamedTuple

TABLE = "vietnamese.toml"
# Of reasons that a system, the server or a device gives.
WIRE = "kiemke.wire"
FIELD = re.compile(r"\{(\w+)\}")
DEEPEST = 4  # a reason in a reason in a reason


class Sentence(NamedTuple):
    """An English sentence with fields as a pattern, and the same in Vietnamese."""

    pattern: re.Pattern[str]
    vietnamese: str


def in_vietnamese(text: str, *packages: str) -> str:
    """Return an English text as the tables of these packages have it; as it is, where they have it not.

    A field of a sentence, such as the system's own reason, is looked for as well.
    """
    return _vietnamese(text, packages, DEEPEST)


def _vietnamese(text: str, packages: tuple[str, ...], depth: int) -> str:
    whole, sentences = read_tables(packages)
    if text in whole:
        return whole[text]
    for one in sentences if depth else ():
        found = one.pattern.fullmatch(text)
        if found is not None:
            told = {
                name: _vietnamese(said, packages, depth - 1)
                for name, said in found.groupdict().items()
            }
            return _filled(one.vietnamese, told)
    return text


def _filled(words: str, told: dict[str, str]) -> str:
    """Return the words with their fields; a field may hold braces of its own, so not by format()."""
    return FIELD.sub(lambda field: told[field[1]], words)


@lru_cache(maxsize=4)
def read_tables(packages: tuple[str, ...]) -> tuple[dict[str, str], tuple[Sentence, ...]]:
    """Return the sentences without fields by their English, and those with, the most telling first."""
    # Most starts tell nobody anything that stands here.
    import tomllib
    from importlib.resources import files

    told: dict[str, str] = {}
    for package in packages:
        told |= tomllib.loads(files(package).joinpath(TABLE).read_text("utf-8"))
    whole = {english: words for english, words in told.items() if not FIELD.search(english)}
    others = sorted(told.keys() - whole.keys(), key=lambda one: (-len(FIELD.sub("", one)), one))
    return whole, tuple(Sentence(_pattern(one), told[one]) for one in others)


def _pattern(english: str) -> re.Pattern[str]:
    """Return what matches a sentence; each field is as short as it can be."""
    parts = FIELD.split(english)
    named = [
        f"(?P<{part}>.+?)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    ]
    return re.compile("".join(named), re.DOTALL)
