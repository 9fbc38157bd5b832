"""The serial a monitor's label bears, put together from the two that its EDID holds.

E-EDID has a binary serial number and a text one; some makers split one serial over both. Product codes
as seen in the field.
"""

# Text of these Samsungs lacks its first four characters: they stand in the binary number.
SAMSUNG_SPLIT = frozenset((
    0x0572, 0x0694, 0x06B9, 0x0833, 0x0835, 0x0978, 0x09C6, 0x09C7, 0x0B66, 0x0BC9, 0x0C7B, 0x0CA3,
    0x0CA5, 0x0D1A, 0x0E0F, 0x0E1E, 0x7096,
))  # fmt: skip
SAMSUNG_SPLIT_BACKWARDS = frozenset({0x0E5A})
SAMSUNG_BINARY = frozenset({0x0C18})
LG_PACKED = frozenset({0x4B21})
LG_DIGITS = "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
# An Acer serial has 8 + 8 + 4 characters; text of 12 is one without its middle.
ACER_TEXT, ACER_HEAD = 12, 8
PHILIPS_DIGITS = 6


def serial(maker: str, product: int, text: str | None, number: int | None) -> str | None:
    """Return the serial as on the label; ``number`` None when its maker left it unused."""
    if number is None:
        return text
    raw = number.to_bytes(4, "big")
    match maker:
        case "ACR" if text is not None and len(text) == ACER_TEXT:
            return f"{text[:ACER_HEAD]}{number:08x}{text[ACER_HEAD:]}"
        case "SAM" if product in SAMSUNG_BINARY:
            return str(number)
        case "SAM" if text is not None and product in SAMSUNG_SPLIT:
            return _letters(raw) + text
        case "SAM" if text is not None and product in SAMSUNG_SPLIT_BACKWARDS:
            return _letters(raw[::-1]) + text
        case "BNQ" if text is not None:
            letters = _letters(raw[::-1].rstrip(b"\0"))
            return letters + text if letters.isalpha() and letters.isupper() else text
        case "GSM" if product in LG_PACKED:
            return _lg(number) or text or str(number)
        case "PHL" if text is None:
            return f"{number:0{PHILIPS_DIGITS}d}"
    return text if text is not None else str(number)


def _letters(raw: bytes) -> str:
    """Return the bytes as text, empty when one of them is no letter or digit."""
    text = raw.decode("ascii", "replace")
    return text if text.isascii() and text.isalnum() else ""


def _lg(number: int) -> str | None:
    """Return a number whose thousands stand in two digits of a larger alphabet."""
    high, low = divmod(number, 1000)
    first, second = divmod(high, len(LG_DIGITS))
    if first >= len(LG_DIGITS):
        return None
    return f"{LG_DIGITS[first]}{LG_DIGITS[second]}{low:03d}"
