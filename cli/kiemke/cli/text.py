"""Text from outside made inert, and folded for comparison without diacritics."""

import unicodedata

_INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"}
ELLIPSIS = "…"


def visible(text: str) -> str:
    r"""Return one printable line: control, bidi, zero-width and unassigned characters as escapes.

    ESC becomes the four characters ``\x1b``, RLO ``\u202e``, a newline ``\n``; nothing a terminal
    would obey is left, and nothing is silently lost.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if _is_unseen(char) else char for char in text)


def _is_unseen(char: str) -> bool:
    return unicodedata.category(char) in _INVISIBLE


def _escape(char: str) -> str:
    named = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char)
    if named:
        return named
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def inert_json(text: str) -> str:
    """Return JSON text whose strings hold no unseen character raw; its meaning is unchanged."""
    return "".join(_json_escape(char) for char in text)


def _json_escape(char: str) -> str:
    if char == "\n" or not _is_unseen(char):
        return char
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


def fold(text: str) -> str:
    """Return the text for comparison: no case, no diacritics, đ as d, spaces collapsed."""
    plain = unicodedata.normalize("NFD", text.casefold().replace("đ", "d"))
    kept = (char for char in plain if not unicodedata.combining(char))
    return " ".join("".join(kept).split())
