"""Text from outside passes here once: NFC, nothing invisible, nothing that moves the reader's eye."""

MAX_TEXT = 1000

# Format characters (Cf) would hide or reorder text: bidi marks and overrides, zero-width spaces and
# joiners, the byte-order mark, tags. Cc are controls (ESC, NUL, newline), Cs lone surrogates, Co and
# Cn carry no agreed meaning.
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_SPACES = frozenset({"Zs", "Zl", "Zp"})


def clean_text(value: str, max_length: int = MAX_TEXT) -> str:
    """Return ``value`` in NFC without control, format, surrogate or unassigned characters.

    Runs of white space (tabs and newlines included) become one space, ends are stripped, and the
    result has at most ``max_length`` characters.
    """
    if value.isascii() and value.isprintable() and len(value) <= max_length:
        return " ".join(value.split())
    import unicodedata  # a megabyte that plain text does not need

    # A hostile megabyte is cut before the expensive steps; NFC never grows text by more than this.
    out: list[str] = []
    for character in unicodedata.normalize("NFC", value[: max_length * 4]):
        category = unicodedata.category(character)
        if character in "\t\n\r" or category in _SPACES:
            out.append(" ")
        elif category not in _DROPPED:
            out.append(character)
    return unicodedata.normalize("NFC", " ".join("".join(out).split()))[:max_length].strip()


def is_clean_json(data: bytes) -> bool:
    """Return whether every string in this JSON text is surely clean already: plain ASCII, no escapes.

    Raw control characters cannot stand in JSON strings, so only DEL and escapes are left to look for.
    """
    return len(data) <= MAX_TEXT and data.isascii() and b"\\" not in data and b"\x7f" not in data
