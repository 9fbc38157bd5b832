"""The one door to Windows' registry: text, numbers and bytes by path; what is not there is None."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1601, 1, 1, tzinfo=UTC)  # FILETIME counts tenths of microseconds from here
HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS"}
MOST_NUMBER_BYTES = 8
NUMBER = re.compile(r"0[xX]([0-9a-fA-F]{1,16})|([0-9]{1,20})")
MOST_NAMES = 20_000  # of one key: a damaged hive must not hold the sensor for ever


def moment(filetime: int) -> datetime | None:
    """Return the moment of a FILETIME; None for 0, "never" and what no calendar holds."""
    if filetime <= 0:
        return None
    try:
        return EPOCH + timedelta(microseconds=filetime // 10)
    except OverflowError:
        return None


def shown(text: str | None) -> str | None:
    """Return the words of an indirect string ("@usb.inf,%x%;Root Hub" is "Root Hub").

    One that only says where its words stand ("@shell32.dll,-101", "@oem7.inf,%name%", "@{package?ms-resource://...}",
    "ms-resource:Name") has none: None. To look them up would load a library that anybody may have named there.
    """
    if text is None or text.startswith(("ms-resource:", "@{")):
        return None
    if text.startswith("@"):
        text = _filled(text.partition(";")[2]) if ";" in text else "" if "," in text else text
    return text.strip() or None


def _filled(words: str) -> str:
    """Return the words of an indirect string, what stands in brackets at their end put in for %1, %2, ...

    "Ports of %1 (%2);(PCI,0)" is "Ports of PCI (0)".
    """
    told, brackets, given = words.rpartition(";(")
    if not brackets or not given.endswith(")"):
        return words
    values = given[:-1].split(",")
    for number in range(len(values), 0, -1):
        told = told.replace(f"%{number}", values[number - 1])
    return told


class Registry:
    """Reads keys by paths like "HKLM\\\\SOFTWARE\\\\X"; a key that is absent or shut is empty."""

    def __init__(self, winreg: Any) -> None:
        """Read through ``winreg``: the standard library's module, or what stands in for it."""
        self._winreg = winreg

    @contextmanager
    def _open(self, path: str, *, is_32: bool) -> Iterator[Any]:
        """Yield the key's handle, None when it cannot be opened."""
        hive, _, rest = path.partition("\\")
        view = self._winreg.KEY_WOW64_32KEY if is_32 else self._winreg.KEY_WOW64_64KEY
        try:
            key = self._winreg.OpenKey(
                getattr(self._winreg, HIVES[hive]), rest, 0, self._winreg.KEY_READ | view
            )
        except OSError:
            yield None
            return
        with key:
            yield key

    def exists(self, path: str) -> bool:
        """Tell whether the key is there and may be read."""
        with self._open(path, is_32=False) as key:
            return key is not None

    def value(self, path: str, name: str, *, is_32: bool = False) -> object:
        """Return one value as the registry holds it, None when it has none of that name."""
        with self._open(path, is_32=is_32) as key:
            if key is None:
                return None
            try:
                found: object = self._winreg.QueryValueEx(key, name)[0]
            except OSError:
                return None
            return found

    def values(self, path: str, *, is_32: bool = False) -> dict[str, object]:
        """Return every value of a key by name; the key's own value has the name ""."""
        found: dict[str, object] = {}
        with self._open(path, is_32=is_32) as key:
            for index in range(MOST_NAMES if key is not None else 0):
                try:
                    name, value, _ = self._winreg.EnumValue(key, index)
                except OSError:
                    break
                found[name] = value
        return found

    def names(self, path: str, *, is_32: bool = False) -> list[str]:
        """Return the names of a key's sub-keys in the registry's own order."""
        found: list[str] = []
        with self._open(path, is_32=is_32) as key:
            for index in range(MOST_NAMES if key is not None else 0):
                try:
                    found.append(self._winreg.EnumKey(key, index))
                except OSError:
                    break
        return found

    def text(self, path: str, name: str) -> str | None:
        """Return a value as one text (see ``as_text``)."""
        return as_text(self.value(path, name))

    def number(self, path: str, name: str) -> int | None:
        """Return a value as a number (see ``as_number``)."""
        return as_number(self.value(path, name))

    def data(self, path: str, name: str) -> bytes | None:
        """Return a binary value, None when it is none or empty."""
        value = self.value(path, name)
        return bytes(value) if isinstance(value, bytes | bytearray) and value else None

    def users(self) -> list[str]:
        """Return the paths of the loaded hives of persons' accounts ("HKU\\\\S-1-5-21-...")."""
        return [
            f"HKU\\{name}"
            for name in self.names("HKU")
            if is_person(name) and not name.endswith("_Classes")
        ]


def is_person(sid: str) -> bool:
    """Tell whether a SID is a person's account: of this PC, of a domain, or of Entra ID."""
    return sid.startswith(("S-1-5-21-", "S-1-12-1-"))


def as_text(value: object) -> str | None:
    """Return a value's text without blanks around and without anything after a NUL.

    Of a list the first entry; a number in decimal; None for nothing and for bytes.
    """
    if isinstance(value, list):
        value = next((one for one in value if one), None)
    if isinstance(value, int):
        return str(value)
    return value.partition("\0")[0].strip() or None if isinstance(value, str) else None


def as_number(value: object) -> int | None:
    """Return a value's number, written as one, as decimal or "0x1f" text, or as up to eight bytes; else None."""
    if isinstance(value, int):
        return value
    if isinstance(value, bytes | bytearray):  # some installers write REG_BINARY for REG_DWORD
        return int.from_bytes(value, "little") if 0 < len(value) <= MOST_NUMBER_BYTES else None
    text = as_text(value)
    found = None if text is None else NUMBER.fullmatch(text)
    if found is None:
        return None
    return int(found[1], 16) if found[1] else int(found[2])


def as_texts(value: object) -> tuple[str, ...]:
    """Return the words of a list, or of one text that separates them by blanks or commas."""
    if isinstance(value, list):
        parts = [str(one) for one in value]
    else:
        parts = value.replace(",", " ").split() if isinstance(value, str) else []
    return tuple(part.strip() for part in parts if part.strip())
