"""A program's name and publisher as they compare: without version, bits, edition marks and legal forms."""

import re
from dataclasses import replace

from kiemke.wire.inventory import Software

MARKS = re.compile(r"\((?:r|tm|c)\)|[®™©]", re.IGNORECASE)
BITS = re.compile(
    r"[\[(]?\b(?:32|64)[ -]?bits?\b(?: edition)?[\])]?|\((?:x64|x86|x86_64|amd64|arm64)(?: edition)?\)|"
    r"\b(?:x64|x86|x86_64|amd64)\b(?: edition\b)?",
    re.IGNORECASE,
)
LANGUAGE = re.compile(
    r"\s+-\s+[a-z]{2}-[a-z]{2}\b|\((?:[a-z]{2}|[a-z]{2}-[a-z]{2})\)", re.IGNORECASE
)
# "2.12.2.2", "v1.3", "version 10": a version wants a dot or the word, so that "Office 2019" stays.
VERSION = re.compile(
    r"[\s\-(]+(?:version|ver\.?|phiên bản)\s+v?\d[\w.\-]*\)?|[\s\-(]+v?\d+(?:\.(?:\d+|x))+[\w.\-]*\)?|"
    r"[\s\-(]+v\d+\b\)?",
    re.IGNORECASE,
)
LEGAL = re.compile(
    r"(?:[,\s]+(?:inc|incorporated|ltd|limited|llc|l\.l\.c|corp|corporation|co|company|gmbh|ag|s\.?a|"
    r"s\.?r\.?o|b\.?v|oy|ab|a/s|pty|plc|jsc|kg|e\.k)\b\.?)+\s*$",
    re.IGNORECASE,
)
ADDRESS = re.compile(r"\s*<[^>]*>")
BLANKS = re.compile(r"\s+")
EDGES = " \t-_,.;:()[]"


def plain_name(name: str, version: str | None) -> str:
    """Return the name in lower case without marks, bits, language and version; never empty."""
    text = MARKS.sub("", name)
    if version and len(version) > 2:
        said = rf"(?<!\w)(?:(?:version|ver\.?|phiên bản)\s+)?v?{re.escape(version)}(?!\w)"
        text = re.sub(said, "", text, flags=re.IGNORECASE)
    for noise in (BITS, LANGUAGE, VERSION):
        text = noise.sub(" ", text)
    return _tidy(text) or _tidy(name) or name.casefold()


def plain_publisher(publisher: str) -> str:
    """Return the publisher in lower case without marks, legal form and mail address; never empty."""
    text = LEGAL.sub("", ADDRESS.sub("", MARKS.sub("", publisher)).rstrip(" .,"))
    return _tidy(text) or _tidy(publisher) or publisher.casefold()


def _tidy(text: str) -> str:
    return BLANKS.sub(" ", text).strip(EDGES).casefold()


def with_plain_words(one: Software) -> Software:
    """Return the row with its plain words; None where the raw ones are plain already."""
    name = plain_name(one.name, one.version)
    publisher = None if one.publisher is None else plain_publisher(one.publisher)
    return replace(
        one,
        plain_name=None if name == one.name else name,
        plain_publisher=None if publisher == one.publisher else publisher,
    )
