"""Text in an old or broken encoding, recognised so that a person can be asked: TCVN3, mojibake."""

import re
import unicodedata

# What the bytes A1-FF mean in TCVN 5712:1993 (VN1), the encoding of the .VnTime fonts. In a file of
# today they arrive as the Latin-1 characters of the same numbers. "?" are its combining tones.
_TCVN3 = (
    "ĂÂÊÔƠƯĐăâêôơưđẰ?????àảãáạẲằẳẵắẴẮẦẨẪẤỀặầẩẫấậèỂẻẽé"
    "ẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_FROM_TCVN3 = {0xA1 + position: letter for position, letter in enumerate(_TCVN3) if letter != "?"}

# Signs that stand inside no word of any language that is written in Latin-1, or only at its end.
_SIGNS = "¡¢£¤¥¦§¨ª«¬¯µ¶·¸¹»¼½¾¿×÷Þþðß"
_INSIDE_WORD = re.compile(
    rf"[A-Za-z][{_SIGNS}]|[{_SIGNS}©®][A-Za-z\u00c0-\u00ff]|[a-z][\u00c0-\u00d6\u00d8-\u00de]"
)
_MOJIBAKE = re.compile("[ÃÄÆÂ][\u0080-\u00bf\u0152-\u2122]|á[º»]")


def _has_vietnamese_letter(text: str) -> bool:
    return any(c in "ăĂđĐơƠưƯ" or "\u1ea0" <= c <= "\u1ef9" for c in text)


def repair(text: str) -> str | None:
    """Return what ``text`` probably was before its encoding was lost; None when it looks sound.

    TCVN3 lost its capitals in capital fonts, so the answer is a question to a person, never a value.
    """
    if text.isascii() or _has_vietnamese_letter(text):
        return None
    if _MOJIBAKE.search(text):
        try:
            decoded = text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            decoded = text
        if decoded != text:
            return unicodedata.normalize("NFC", decoded)
    if _INSIDE_WORD.search(text):
        return text.translate(_FROM_TCVN3)
    return None
