"""The words a thing is found by, and what a question asks of them.

A name of n words is kept n times, each time begun at another word and gone on from the start: whatever
word is asked for, one row begins with it and holds all others ("nguyen van an", "van an nguyen",
"an nguyen van"). A number is kept without separators, whole and from each of its groups on
("mt2024001", "2024001"), and backwards behind a "~", so that its end finds it as well.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.domain.text import search_key

WORD_LENGTH = 120
MOST_WORDS, MOST_GROUPS = 16, 6
LEAST_INNER = 4  # characters of a number's middle, from which on it is looked for
HIGHEST = "\U0010ffff"  # above every character a word holds
BACKWARDS = "~"  # above every ASCII letter, and in no word


@dataclass(frozen=True, slots=True)
class Value:
    """One thing said of a subject. ``form`` is "name", "number", "whole" or "address".

    ``what`` names the field ("serial"), ``until`` is the day from which on it was so no more.
    """

    what: str
    text: str
    form: str
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A question: ``starts`` are what a word may begin with, ``tokens`` the words in any order.

    ``inner`` is a piece of a number, backwards, None where the question is too short for one.
    """

    starts: tuple[str, ...]
    tokens: tuple[str, ...]
    inner: str | None


def split(text: str) -> list[str]:
    """Return the words of a text: letters and digits, without diacritics, small."""
    return "".join(c if c.isalnum() else " " for c in search_key(text)).split()


def _compact(words: Iterable[str]) -> str:
    """Return a number without separators; +84 912 as 0912."""
    text = "".join(words)
    if text.isdigit() and text.startswith("84") and len(text) == 11:
        return f"0{text[2:]}"
    return text


def _groups(words: Sequence[str]) -> list[int]:
    """Return where the groups of a number begin: behind a separator, or at a digit beside a letter."""
    starts, at = [], 0
    for word in words:
        starts.append(at)
        for position in range(1, len(word)):
            if word[position].isdigit() != word[position - 1].isdigit():
                starts.append(at + position)
        at += len(word)
    return starts[:MOST_GROUPS]


def words_of(value: Value) -> list[str]:
    """Return the words that find a value, each at most WORD_LENGTH characters."""
    words = split(value.text)[:MOST_WORDS]
    if not words:
        return []
    if value.form == "name":
        found = [" ".join(words[n:] + words[:n]) for n in range(len(words))]
    elif value.form == "address":
        found = [" ".join(words[n:]) for n in range(len(words))]
    else:
        number = _compact(words)
        found = [number, BACKWARDS + number[::-1]]
        if value.form == "number" and number == "".join(words):
            found += [number[start:] for start in _groups(words)[1:] if len(number) - start > 1]
    return list(dict.fromkeys(word[:WORD_LENGTH] for word in found))


def ask(text: str) -> Asked | None:
    """Return what a text asks for, None where nothing of it can be looked for."""
    words = split(text)[:MOST_WORDS]
    if not words:
        return None
    number = _compact(words)
    has_digit = any(c.isdigit() for c in number)
    starts = [" ".join(words), number]
    if has_digit and len(number) > 2:
        starts.append(BACKWARDS + number[::-1])
    inner = number[::-1] if has_digit and len(number) >= LEAST_INNER else None
    tokens = tuple(dict.fromkeys(words)) if len(words) > 1 else ()
    return Asked(tuple(dict.fromkeys(start[:WORD_LENGTH] for start in starts)), tokens, inner)


def is_found(asked: Asked, value: Value) -> bool:
    """Return whether a value is what is asked for, by the rules the database goes by."""
    for word in words_of(value):
        if word.startswith(asked.starts):
            return True
        if asked.tokens and holds(asked.tokens, word):
            return True
        if asked.inner and word.startswith(BACKWARDS) and asked.inner in word:
            return True
    return False


def holds(tokens: Sequence[str], word: str) -> bool:
    """Return whether each of ``tokens`` begins a word of a name."""
    return all(word.startswith(token) or f" {token}" in word for token in tokens)


def is_whole(asked: Asked, word: str) -> bool:
    """Return whether a word is what is asked for to its end, not only begins so."""
    return any(word == start or word.startswith(f"{start} ") for start in asked.starts)
