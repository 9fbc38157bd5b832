"""Serials, UUIDs and MACs that stand for no machine (``bogus.toml``), and the sane rest in one form."""

import tomllib
from functools import lru_cache
from importlib.resources import files

from kiemke.server.domain.text import serial_key

_MIN_SERIAL = 4


@lru_cache(maxsize=1)
def _values() -> dict[str, frozenset[str]]:
    text = files("kiemke.server.domain").joinpath("bogus.toml").read_text("utf-8")
    table = tomllib.loads(text)
    return {
        "serials": frozenset(key for v in table["serials"] if (key := serial_key(v))),
        "uuids": frozenset(_hex(v) for v in table["uuids"]),
        "macs": frozenset(_hex(v) for v in table["macs"]),
        "mac_prefixes": frozenset(_hex(v) for v in table["mac_prefixes"]),
    }


def _hex(text: str) -> str:
    return "".join(c for c in text.upper() if c in "0123456789ABCDEF")


def sane_serial(text: str | None) -> str | None:
    """Return a serial number's key, None for placeholders, runs of one character and very short ones."""
    key = serial_key(text) if text else None
    if key is None or len(key) < _MIN_SERIAL or len(set(key)) == 1 or set(key) <= {"0", "1"}:
        return None
    return None if key in _values()["serials"] else key


def sane_uuid(text: str | None) -> str | None:
    """Return a UUID as 32 capital hex digits, the same for both byte orders; None for placeholders.

    Firmware before SMBIOS 2.6 gave the first three fields big-endian: of the two readings the
    smaller stands for both.
    """
    key = _hex(text or "")
    if len(key) != 32 or len(set(key)) == 1 or key in _values()["uuids"]:
        return None
    fields = (key[0:8], key[8:12], key[12:16])
    swapped = "".join(_swap(field) for field in fields) + key[16:]
    return None if swapped in _values()["uuids"] else min(key, swapped)


def _swap(field: str) -> str:
    return "".join(reversed([field[n : n + 2] for n in range(0, len(field), 2)]))


def sane_mac(text: str | None) -> str | None:
    """Return a burned-in MAC as 12 capital hex digits; None for locally administered or known bad."""
    key = _hex(text or "")
    if len(key) != 12 or key in _values()["macs"]:
        return None
    if int(key[1], 16) & 0b11:  # multicast or locally administered: no maker gave it
        return None
    return None if any(key.startswith(prefix) for prefix in _values()["mac_prefixes"]) else key
