"""Text in an old or broken encoding: recognised by whether its words become Vietnamese syllables.

An encoding is guessed over all words of a column, never letter by letter, and the answer is always a
question to a person: TCVN3 lost its capitals in capital fonts, and a foreign name may look broken.
"""

import re
import unicodedata
from collections.abc import Iterable
from contextlib import suppress
from functools import lru_cache
from itertools import islice

# What the bytes A1-FF mean in TCVN 5712:1993 (VN1), the encoding of the .VnTime fonts. In a file of
# today they arrive as the Latin-1 characters of the same numbers. "?" are its combining tones.
_TCVN3 = (
    "ĂÂÊÔƠƯĐăâêôơưđẰ?????àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽé"
    "ẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_FROM_TCVN3 = {0xA1 + position: letter for position, letter in enumerate(_TCVN3) if letter != "?"}

# VNI for Windows: a letter and, behind it, a sign for its mark and tone; some letters stand alone.
_VNI_ALONE = {
    "ñ": "đ", "ö": "ư", "ô": "ơ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ",
}  # fmt: skip
_VNI_SIGNS = {
    "ù": "\u0301", "ø": "\u0300", "û": "\u0309", "õ": "\u0303", "ï": "\u0323",
    "â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309",
    "ã": "\u0302\u0303", "ä": "\u0302\u0323",
    "ê": "\u0306", "é": "\u0306\u0301", "è": "\u0306\u0300", "ú": "\u0306\u0309",
    "ü": "\u0306\u0303", "ë": "\u0306\u0323",
}  # fmt: skip
_VNI_SIGNED = frozenset("aeouyôöAEOUYÔÖ")

ENCODINGS = ("tcvn3", "vni", "cp1258", "utf8")

_WORD = re.compile(r"[A-Za-z\u0080-\uffff]+")
_TONES = frozenset("\u0300\u0309\u0303\u0301\u0323")
_TONED_CONSONANT = re.compile("[^aeiouy\u0302\u0306\u031b][\u0300\u0309\u0303\u0301\u0323]")  # ñ
_INITIALS = "ngh|ng|nh|ch|th|tr|kh|gh|gi|ph|qu|[bcdđghklmnprstvx]"
_NUCLEI = (
    "oai|oao|oay|oeo|uây|uôi|ươi|ươu|uya|uyê|uyu|uêu|iêu|yêu|uao|uai|uay|uơ|uă|"
    "oa|oă|oe|oo|uâ|uê|uy|ia|iê|ya|yê|ua|uô|ưa|ươ|ai|ao|au|ay|âu|ây|eo|êu|iu|oi|ôi|ơi|ui|ưi|ưu|ue|"
    "[aăâeêioôơuưy]"
)
_SYLLABLE = re.compile(rf"(?:{_INITIALS})?(?:{_NUCLEI})(?:ch|nh|ng|[cmnpt])?")
_NO_WORD = re.compile(r".|µ[A-Za-z]")  # a sign alone, or a unit such as µm
_MOST_WORDS = 20_000
_SURE, _DOUBTFUL = 0.7, 0.5


@lru_cache(maxsize=20_000)  # a sheet says the same words in every row
def _is_syllable(word: str) -> bool:
    marks = unicodedata.normalize("NFD", word.casefold())
    if sum(mark in _TONES for mark in marks) > 1 or _TONED_CONSONANT.search(marks):
        return False
    bare = unicodedata.normalize("NFC", "".join(mark for mark in marks if mark not in _TONES))
    return _SYLLABLE.fullmatch(bare) is not None


def _bytes_of(text: str) -> bytes | None:
    """Return the bytes that were read as Windows-1252 (or, where it has none, Latin-1)."""
    with suppress(UnicodeEncodeError):
        return text.encode("cp1252")
    found = bytearray()
    for letter in text:
        try:
            found += letter.encode("cp1252")
        except UnicodeEncodeError:
            if ord(letter) > 0xFF:
                return None
            found.append(ord(letter))
    return bytes(found)


def _from_vni(text: str) -> str:
    found: list[str] = []
    before = ""
    for letter in text:
        low = letter.lower()
        if before in _VNI_SIGNED and low in _VNI_SIGNS:
            found.append(_VNI_SIGNS[low])
            letter = ""
        elif low in _VNI_ALONE:
            alone = _VNI_ALONE[low]
            found.append(alone.upper() if letter.isupper() else alone)
        else:
            found.append(letter)
        before = letter
    return "".join(found)


def decode(text: str, encoding: str) -> str:
    """Return ``text`` as it was meant if ``encoding`` was lost; itself where it cannot have been.

    Raises KeyError for an encoding that is not one of ENCODINGS.
    """
    if encoding not in ENCODINGS:
        raise KeyError(encoding)
    raw = None if text.isascii() else _bytes_of(text)
    if raw is None:
        return text
    if encoding == "tcvn3":
        decoded = raw.decode("latin-1").translate(_FROM_TCVN3)
    elif encoding == "vni":
        decoded = _from_vni(raw.decode("latin-1"))
    else:
        try:
            decoded = raw.decode("cp1258" if encoding == "cp1258" else "utf-8")
        except UnicodeDecodeError:
            return text
    return unicodedata.normalize("NFC", decoded)


def _share(words: list[str], encoding: str | None) -> float:
    """Return the share of words that are syllables once decoded; 0 where decoding changed none."""
    decoded = words if encoding is None else [decode(word, encoding) for word in words]
    if encoding is not None and decoded == words:
        return 0.0
    good = sum(all(_is_syllable(part) for part in _WORD.findall(word)) for word in decoded)
    return good / len(words)


def _strange_words(texts: Iterable[str]) -> list[str]:
    words = (word for text in texts for word in text.split() if not word.isascii())
    letters = (re.sub(r"[\x00-\x40\[-`{-\x7f]+", "", word) for word in words)
    strange = (word for word in letters if not word.isascii() and not _NO_WORD.fullmatch(word))
    return list(islice(strange, _MOST_WORDS))


def detect(texts: Iterable[str]) -> str | None:
    """Return the encoding these texts most probably lost; None when they look sound or foreign."""
    words = _strange_words(texts)
    if not words:
        return None
    as_is = _share(words, None)
    if as_is > _DOUBTFUL:  # no share is above 1: whatever was lost, these look as sound
        return None
    shares = {encoding: _share(words, encoding) for encoding in ENCODINGS}
    best = max(ENCODINGS, key=lambda encoding: shares[encoding])
    if shares[best] < _SURE or as_is > _DOUBTFUL * shares[best]:
        return None
    return best


def restore(text: str, encoding: str) -> str:
    """Return one cell of a column that lost ``encoding``; a cell that is sound stays as it is."""
    words = _strange_words([text])
    if not words or _share(words, encoding) < _share(words, None):
        return text
    return decode(text, encoding)


def repair(text: str) -> str | None:
    """Return what one ``text`` probably was before its encoding was lost; None when it looks sound."""
    encoding = detect([text])
    return None if encoding is None else decode(text, encoding)
