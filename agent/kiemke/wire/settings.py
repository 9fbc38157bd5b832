"""What the programs of a machine read from their surroundings: the language of the person at the terminal."""

import os
import sys
from collections.abc import Mapping

LANGUAGES = ("vi", "en")
VARIABLES = ("KIEMKE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
LANG_VIETNAMESE = 0x2A  # winnt.h; the lower ten bits of a language identifier
PRIMARY_LANGUAGE_BITS = 0x3FF


def language(environment: Mapping[str, str] | None = None) -> str:
    """Return "vi" or "en": by KIEMKE_LANG or the locale; on Windows by what its user chose for it.

    There it is enough that dates are written the Vietnamese way: many a PC here speaks English.
    """
    given = os.environ if environment is None else environment
    for name in VARIABLES:
        text = given.get(name, "")
        if text:
            return "vi" if text.lower().startswith("vi") else "en"
    return "vi" if _windows_is_vietnamese() else "en"


def _windows_is_vietnamese() -> bool:
    """Tell whether this user's Windows speaks or counts in Vietnamese; False on other systems."""
    if sys.platform != "win32":
        return False
    import ctypes  # a megabyte that only Windows needs

    kernel32 = ctypes.windll.kernel32
    asked = (kernel32.GetUserDefaultUILanguage(), kernel32.GetUserDefaultLCID())
    return any(number & PRIMARY_LANGUAGE_BITS == LANG_VIETNAMESE for number in asked)
