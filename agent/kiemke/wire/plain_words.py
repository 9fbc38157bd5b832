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
CODE = re.compile(r"[a-z]{2,3}")
REGION = re.compile(r"[-_](?:[a-z]{4}|[a-z]{2})")
REGION_LETTERS = (2, 4)
BETWEEN = " \t,;/-"
MOST_LEGAL_FORMS = 8  # one behind the other: "Sdn Bhd Co., Ltd."
ADDRESS = re.compile(r"\s*<[^>]*>")
BLANKS = re.compile(r"\s+")
EMPTY_BRACKETS = re.compile(r"[(\[][\s,;:/\-]*[)\]]")
EDGES = " \t-_–—,.;:()[]"


@dataclass(frozen=True, slots=True)
class Words:
    """The table as patterns; each matches lower-case text."""

    marks: re.Pattern[str]
    version: re.Pattern[str]
    in_bracket: tuple[str, ...]
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
        in_bracket=tuple(
            word for kind in ("architectures", "languages", "edition_words") for word in table[kind]
        ),
        architecture=re.compile(rf"(?<!\w)(?:{bits})(?!\w)(?:\s+(?:{edition})(?!\w))?"),
        language=re.compile(
            rf"\s[-–]\s+(?:{language}|[a-z]{{2}}-[a-z]{{2,4}})(?:\s+(?:{edition}))?\s*$"
        ),
        legal_end=re.compile(
            rf"[,.\s]+\(?(?:{_any(table['legal_forms'] + forms)})\)?(?=$|[,.\s)])[.,)\s]*$"
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
    text = _without_brackets(text, words)
    for noise in (words.architecture, words.version, words.language):
        text = noise.sub(" ", text)
    return _tidy(text) or _tidy(whole) or whole


def plain_publisher(publisher: str) -> str:
    """Return the publisher in lower case without marks, legal form and mail address; never empty."""
    words = _words()
    whole = _low(publisher)
    text = BLANKS.sub(" ", ADDRESS.sub("", words.marks.sub("", whole))).strip(" ,;")
    for _ in range(MOST_LEGAL_FORMS):
        shorter = words.legal_end.sub("", text)
        if shorter == text:
            break
        text = shorter
    text = words.legal_start.sub("", text)
    return _tidy(text) or _tidy(whole) or whole


def _without_brackets(text: str, words: Words) -> str:
    """Return a text without brackets that hold nothing but bits, codes of languages and the like.

    By steps, not by one pattern: how a row of letters falls into codes has more ways than a pattern
    could try.
    """
    kept, at = [], 0
    for start, letter in enumerate(text):
        if start >= at and letter in "([":
            end = _end_of_bracket(text, start + 1, words)
            if end is not None:
                kept += [text[at:start], " "]
                at = end
    return "".join((*kept, text[at:]))


def _end_of_bracket(text: str, start: int, words: Words) -> int | None:
    """Return where the longest bracket of nothing but such words ends, None when it holds others."""
    while start < len(text) and text[start].isspace():
        start += 1
    begins, behind_word, end = {start}, set[int](), None
    for at in range(start, len(text)):
        if at in behind_word:
            if text[at] in ")]":
                end = at + 1
            if text[at] in BETWEEN or text[at].isspace():
                behind_word.add(at + 1)
            begins.add(at)
        if at in begins:
            behind_word |= _ends_of_words(text, at, words)
        if at >= max(begins | behind_word):
            break
    return end


def _ends_of_words(text: str, at: int, words: Words) -> set[int]:
    """Return where words that begin here may end."""
    ends = {at + len(word) for word in words.in_bracket if text.startswith(word, at)}
    code = CODE.match(text, at)
    for behind in range(at + 2, code.end() + 1) if code else ():
        ends.add(behind)
        region = REGION.match(text, behind)
        if region:
            ends |= {behind + 1 + n for n in REGION_LETTERS if behind + 1 + n <= region.end()}
    return ends


def _low(text: str) -> str:
    return unicodedata.normalize("NFC", text[:MOST_CHARACTERS]).lower()


def _tidy(text: str) -> str:
    return BLANKS.sub(" ", EMPTY_BRACKETS.sub(" ", text)).strip(EDGES)
