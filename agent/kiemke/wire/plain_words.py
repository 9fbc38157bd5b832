"""A program's name and publisher as they compare: without version, bits, language, marks and legal forms.

The words stand in ``plain_words.toml``. The agent sends both beside the raw ones; the server makes
those of agents that did not.
"""

import re
import tomllib
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

TABLE = "plain_words.toml"
MOST_CHARACTERS = 300
CODE = r"[a-z]{2,3}(?:[-_](?:[a-z]{2}|[a-z]{4}))?"
ADDRESS = re.compile(r"\s*<[^>]*>")
BLANKS = re.compile(r"\s+")
EMPTY_BRACKETS = re.compile(r"[(\[][\s,;:/\-]*[)\]]")
EDGES = " \t-_–—,.;:()[]"


@dataclass(frozen=True, slots=True)
class Words:
    """The table as patterns; each matches lower-case text."""

    marks: re.Pattern[str]
    version: re.Pattern[str]
    bracket: re.Pattern[str]
    architecture: re.Pattern[str]
    language: re.Pattern[str]
    legal_end: re.Pattern[str]
    legal_start: re.Pattern[str]
    version_words: str


def _any(words: list[str]) -> str:
    """Return a pattern of any of the words, the longest first."""
    return "|".join(re.escape(one) for one in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=1)
def _words() -> Words:
    table: dict[str, list[str]] = tomllib.loads(
        files("kiemke.wire").joinpath(TABLE).read_text("utf-8")
    )
    said, bits = _any(table["version_words"]), _any(table["architectures"])
    language, edition = _any(table["languages"]), _any(table["edition_words"])
    stage = rf"(?:[\s.\-]*(?:{_any(table['stages'])})[\s.\-]*\d[\w.]*)*"
    forms = [".".join(one) if len(one) < 4 else one for one in table["legal_forms"]]  # "l.l.c"
    return Words(
        marks=re.compile(_any(table["marks"])),
        # "2.12.2.2", "v1.3", "version 10", "v2": a number alone belongs to the name.
        version=re.compile(
            rf"(?:^|[\s\-(])[\s\-(]*(?:(?:{said})\.?\s*v?\d[\w.\-]*|v?\d+(?:\.(?:\d+|x))+[\w.\-]*|v\d+\b)"
            rf"{stage}\)?"
        ),
        # A bracket that holds nothing but bits, codes of languages and the like: "(x64 vi)".
        bracket=re.compile(
            rf"[(\[]\s*(?=[^)\]]*[)\]])(?:(?:{bits}|{language}|{CODE}|{edition})[\s,;/\-]*)+[)\]]"
        ),
        architecture=re.compile(rf"(?<!\w)(?:{bits})(?!\w)(?:\s+(?:{edition})(?!\w))?"),
        language=re.compile(
            rf"\s[-–]\s+(?:{language}|[a-z]{{2}}-[a-z]{{2,4}})(?:\s+(?:{edition}))?\s*$"
        ),
        legal_end=re.compile(
            rf"(?:[,.\s]+\(?(?:{_any(table['legal_forms'] + forms)})\)?(?=$|[,.\s)])[.,)\s]*)+$"
        ),
        legal_start=re.compile(rf"^(?:{_any(table['legal_starts'])})\s+"),
        version_words=said,
    )


def plain_name(name: str, version: str | None) -> str:
    """Return the name in lower case without marks, bits, language and version; never empty."""
    words = _words()
    whole = _low(name)
    text = words.marks.sub("", whole)
    if version and len(version) > 2:
        known = (
            rf"(?<![\w.])(?:(?:{words.version_words})\.?\s+)?v?{re.escape(_low(version))}(?![\w.])"
        )
        text = re.sub(known, " ", text)
    for noise in (words.bracket, words.architecture, words.version, words.language):
        text = noise.sub(" ", text)
    return _tidy(text) or _tidy(whole) or whole


def plain_publisher(publisher: str) -> str:
    """Return the publisher in lower case without marks, legal form and mail address; never empty."""
    words = _words()
    whole = _low(publisher)
    text = BLANKS.sub(" ", ADDRESS.sub("", words.marks.sub("", whole))).strip(" ,;")
    text = words.legal_start.sub("", words.legal_end.sub("", text))
    return _tidy(text) or _tidy(whole) or whole


def _low(text: str) -> str:
    return unicodedata.normalize("NFC", text[:MOST_CHARACTERS]).lower()


def _tidy(text: str) -> str:
    return BLANKS.sub(" ", EMPTY_BRACKETS.sub(" ", text)).strip(EDGES)
