"""A secret sealed for the account that runs, by Windows itself. Source: CryptProtectData (dpapi.h)."""

import base64
import binascii
import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char, c_uint32, c_void_p, c_wchar_p

UI_FORBIDDEN = 0x1  # a service has nobody to ask


class Blob(Structure):
    """DATA_BLOB."""

    _fields_ = (("size", c_uint32), ("data", POINTER(c_char)))


def seal(secret: str) -> str:
    """Return ``secret`` sealed for this account on this PC, base64. Raises OSError. Windows only."""
    return base64.b64encode(_call("CryptProtectData", secret.encode())).decode("ascii")


def open_sealed(text: str) -> str:
    """Return what was sealed. Raises OSError, also for another account's and on other systems."""
    try:
        return _call("CryptUnprotectData", base64.b64decode(text, validate=True)).decode()
    except (binascii.Error, UnicodeDecodeError) as err:
        raise OSError("what is sealed is damaged") from err


def _call(name: str, data: bytes) -> bytes:
    """Return what one of the pair makes of ``data``. Raises OSError."""
    if sys.platform != "win32":
        raise OSError("only Windows seals by account")
    crypt32 = ctypes.WinDLL("crypt32", use_last_error=True)
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.LocalFree.argtypes = [c_void_p]
    held = ctypes.create_string_buffer(data, len(data))
    given, made = Blob(len(data), ctypes.cast(held, POINTER(c_char))), Blob()
    described = c_wchar_p("kiemke-agent") if name == "CryptProtectData" else None
    if not getattr(crypt32, name)(
        byref(given), described, None, None, None, c_uint32(UI_FORBIDDEN), byref(made)
    ):
        raise ctypes.WinError(ctypes.get_last_error())
    try:
        return ctypes.string_at(made.data, made.size)
    finally:
        kernel32.LocalFree(ctypes.cast(made.data, c_void_p))
