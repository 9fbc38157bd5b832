"""What ``kiemke-server`` writes in English where it arises, in the language of whoever types it.

The log stays English, and what the API answers has its two languages where it is said (``errors``).
"""

import sys
from collections.abc import Sequence
from contextvars import ContextVar
from itertools import pairwise
from typing import TextIO

from kiemke.wire.mouth import open_mouth
from kiemke.wire.settings import LANGUAGES, language
from kiemke.wire.spoken_help import SpokenParser

PACKAGES = ("kiemke.wire", "kiemke.server")
EXAMPLES = (
    ("run --config FILE", "serve, with these settings"),
    ("migrate", "after a new release"),
    ("user add lan --role admin", "asks for the password"),
    ("ca", "to be compared at sign-in"),
    ("ca next", "make the root that follows"),
    ("token add --user lan --kind scrape", "for Prometheus"),
    ("audit verify --anchor FILE", "is the log whole?"),
    ("check", "is all in order?"),
)
_asked: ContextVar[str | None] = ContextVar("asked", default=None)


def heed(arguments: Sequence[str]) -> None:
    """Speak the language that ``--lang`` names, before the words are read; else that of the surroundings."""
    named = None
    for word, following in pairwise((*arguments, "")):
        if word == "--lang":
            named = following
        elif word.startswith("--lang="):
            named = word.removeprefix("--lang=")
    _asked.set(named if named in LANGUAGES else None)


def spoken() -> str:
    """Return "vi" or "en": what ``--lang`` asked for, else by KIEMKE_LANG or the locale."""
    return _asked.get() or language()


def in_tongue(text: str) -> str:
    """Return an English text in the reader's language; as it is, where it is unknown or he reads English."""
    if spoken() != "vi":
        return text
    from kiemke.wire.tongue import in_vietnamese  # a table that English never needs

    return in_vietnamese(text, *PACKAGES)


def say(text: str, file: TextIO | None = None) -> None:
    """Print an English text in the reader's language, to standard output by default."""
    open_mouth()
    print(in_tongue(text), file=sys.stdout if file is None else file, flush=True)


def complain(text: str) -> None:
    """Print an English text in the reader's language to standard error."""
    say(text, sys.stderr)


class Parser(SpokenParser):
    """The server's command line."""

    in_tongue = staticmethod(in_tongue)
    examples = EXAMPLES
