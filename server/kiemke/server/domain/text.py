"""Text from outside made safe, and the keys by which Vietnamese text is searched and sorted.

``sort_key`` and ``person_sort_key`` hold decimal digits only, so they compare alike under every
collation of both databases. Order: letters first (a ă â b c d đ e ê ... o ô ơ ... u ư ... y), tones
second (ngang, huyền, hỏi, ngã, sắc, nặng), as in the Unicode CLDR collation "vi".
"""

import unicodedata

from kiemke.wire import clean

# Blank to the eye although Unicode files them under letters and symbols.
_BLANK_LETTERS = dict.fromkeys(map(ord, "\u115f\u1160\u2800\u3164\uffa0"), " ")

_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_VOWEL_MARKS = frozenset("\u0302\u0306\u031b")  # circumflex, breve, horn: they make other letters
_ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
_LETTER_CODES = {letter: f"{20 + position}" for position, letter in enumerate(_ALPHABET)}
_END, _SPACE, _PUNCTUATION, _FIRST_DIGIT, _FOREIGN = "00", "01", "05", 10, "99"
SORT_KEY_LENGTH = 800
SEARCH_KEY_LENGTH = 400


def clean_text(text: str, max_length: int) -> str | None:
    """Return ``text`` as the wire's cleaner leaves it, cut to length; None when nothing is left.

    NFC; no control, bidi, zero-width, blank or broken characters; runs of white space as one space.
    """
    return clean.clean_text(text.translate(_BLANK_LETTERS), max_length) or None


def search_key(text: str) -> str:
    """Return ``text`` casefolded, without diacritics, đ as d, spaces collapsed, at most 400 long.

    "Hòa", "Hoà" and "HOA" have one key, so where a tone mark stands does not matter.
    """
    folded = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    bare = "".join(c for c in folded if unicodedata.category(c) != "Mn")
    return " ".join(bare.split())[:SEARCH_KEY_LENGTH]


def is_found(asked: str, text: str) -> bool:
    """Return whether what is ``asked`` (a search key) stands in a text: whole, or each word begins one of it.

    People type names as they speak them: "an nguyen" finds Nguyễn Văn An. The lists that a database
    searches go by the same rule (``resources.listing``). "" is found everywhere.
    """
    key = search_key(text)
    return asked in key or all(f" {word}" in f" {key}" for word in asked.split())


def serial_key(text: str) -> str | None:
    """Return a serial number as compared between book and firmware: letters and digits, capitals.

    None when nothing is left of it.
    """
    folded = unicodedata.normalize("NFKC", text).upper()
    return "".join(c for c in folded if c.isalnum())[:120] or None


def _code(letter: str) -> str:
    if letter in _LETTER_CODES:
        return _LETTER_CODES[letter]
    if letter == " ":
        return _SPACE
    if letter.isascii() and letter.isdigit():
        return str(_FIRST_DIGIT + int(letter))
    if unicodedata.category(letter)[0] in "LN":
        return f"{_FOREIGN}{ord(letter):07d}"
    return _PUNCTUATION


def _letters_and_tones(text: str) -> tuple[list[str], list[int]]:
    """Return the letters without tones, and one tone for each word (a syllable has one)."""
    letters: list[str] = []
    tones = [0]
    for mark in unicodedata.normalize("NFD", " ".join(text.casefold().split())):
        if mark in _TONES:
            tones[-1] = _TONES[mark]
        elif mark in _VOWEL_MARKS and letters:
            composed = unicodedata.normalize("NFC", letters[-1] + mark)
            letters[-1] = composed if composed in _LETTER_CODES else letters[-1]
        elif unicodedata.category(mark) != "Mn":
            letters.append(mark)
            if mark == " ":
                tones.append(0)
    return letters, tones


def sort_key(text: str) -> str:
    """Return the Vietnamese collation key of ``text``: digits only, at most 800 characters."""
    letters, tones = _letters_and_tones(text)
    key = "".join(map(_code, letters)) + _END + "".join(map(str, tones))
    return key[:SORT_KEY_LENGTH]


def person_sort_key(name: str) -> str:
    """Return the key by which persons stand in a list: given name (last word), then họ, then đệm."""
    words = name.split()
    if not words:
        return _END
    family, middle = (words[:1], words[1:-1]) if len(words) > 1 else ([], [])
    return parts_sort_key(" ".join(family), " ".join(middle), words[-1])


def parts_sort_key(family: str, middle: str, given: str) -> str:
    """Return the same key of a name whose parts are told (a họ or tên of two words)."""
    return _END.join(sort_key(part) for part in (given, family, middle))[:SORT_KEY_LENGTH]
