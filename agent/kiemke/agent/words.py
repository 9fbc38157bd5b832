"""Sentences for the person at the terminal, in Vietnamese and English."""

import sys
from typing import NamedTuple

from kiemke.wire.settings import language

# What starts the service anew, with its new settings.
RESTART = (
    "net stop kiemke-agent && net start kiemke-agent"
    if sys.platform == "win32"
    else "systemctl restart kiemke-agent"
)


class Both(NamedTuple):
    """One sentence in both languages, with the same {fields}."""

    vi: str
    en: str


def speak(sentence: Both, **fields: object) -> str:
    """Return the sentence in the language of this terminal."""
    return getattr(sentence, language()).format(**fields)  # type: ignore[no-any-return]


def span(seconds: float) -> str:
    """Return a time span in the largest unit that fits twice or more, else in seconds."""
    size = abs(seconds)
    for unit, words in (
        (86_400, Both("{n} ngày", "{n} days")),
        (3600, Both("{n} giờ", "{n} hours")),
        (60, Both("{n} phút", "{n} minutes")),
    ):
        if size >= 2 * unit:
            return speak(words, n=int(size // unit))
    return speak(Both("{n} giây", "{n} seconds"), n=int(size))
