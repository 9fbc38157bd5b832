"""A recorded Windows: a registry out of .reg files behind the names of winreg, and recorded drivers."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiemke.agent.host import Host
from kiemke.agent.sensors import SENSORS
from kiemke.agent.sensors.reading import read_all
from kiemke.agent.windows.registry import Registry

CORPUS = Path(__file__).resolve().parents[2].parent / "shared/corpora/windows-registry"
HIVES = ("HKEY_LOCAL_MACHINE", "HKEY_USERS", "HKEY_CURRENT_USER", "HKEY_CLASSES_ROOT")
VALUE = re.compile(r'(?:"((?:[^"\\]|\\.)*)"|(@))=(.*)', re.DOTALL)
KINDS = {1: "text", 2: "text", 3: "bytes", 4: "number", 7: "texts", 11: "number"}


class Key:
    """One key: sub-keys and values by name, found without regard to case."""

    def __init__(self) -> None:
        self.keys: dict[str, Key] = {}
        self.names: dict[str, str] = {}
        self.values: dict[str, tuple[str, object]] = {}

    def __enter__(self) -> "Key":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def open(self, path: str, *, make: bool = False) -> "Key":
        key = self
        for part in filter(None, path.split("\\")):
            folded = part.casefold()
            if folded not in key.keys:
                if not make:
                    raise FileNotFoundError(2, "no such key", path)
                key.keys[folded], key.names[folded] = Key(), part
            key = key.keys[folded]
        return key


class FakeWinreg:
    """What the agent uses of the module winreg."""

    HKEY_LOCAL_MACHINE, HKEY_USERS = "HKEY_LOCAL_MACHINE", "HKEY_USERS"
    KEY_READ, KEY_WOW64_64KEY, KEY_WOW64_32KEY = 0x20019, 0x100, 0x200

    def __init__(self, *, is_64: bool = True) -> None:
        self.roots = {hive: Key() for hive in HIVES}
        self.is_64 = is_64

    def OpenKey(self, hive: str, path: str, reserved: int = 0, access: int = 0) -> Key:
        top, _, rest = path.partition("\\")
        if self.is_64 and access & self.KEY_WOW64_32KEY and top.casefold() == "software":
            path = f"{top}\\Wow6432Node\\{rest}"
        return self.roots[hive].open(path)

    def QueryValueEx(self, key: Key, name: str) -> tuple[object, int]:
        return key.values[name.casefold()][1] if name.casefold() in key.values else _gone(name), 0

    def EnumValue(self, key: Key, index: int) -> tuple[str, object, int]:
        found = list(key.values.values())
        if index >= len(found):
            raise OSError(259, "no more data")
        return (*found[index], 0)

    def EnumKey(self, key: Key, index: int) -> str:
        found = list(key.names.values())
        if index >= len(found):
            raise OSError(259, "no more data")
        return found[index]

    def put(self, path: str, **values: object) -> None:
        """Write a key; "HKLM" and "HKU" are short for their hives."""
        hive, _, rest = path.partition("\\")
        names = {"HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS"}
        key = self.roots[names.get(hive, hive)].open(rest, make=True)
        for name, value in values.items():
            key.values[name.casefold()] = (name, value)

    def load(self, file: Path) -> None:
        """Take over what a .reg file holds (REGEDIT4 or version 5)."""
        raw = file.read_bytes()
        text = raw.decode("utf-16" if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else "cp1252")
        key: Key | None = None
        for line in _lines(text):
            if line.startswith("["):
                hive, _, rest = line.strip("[]").partition("\\")
                key = self.roots[hive].open(rest, make=True)
            elif key is not None and (found := VALUE.fullmatch(line)):
                name = re.sub(r"\\(.)", r"\1", found[1] or "")
                key.values[name.casefold()] = (name, _value(found[3]))


def _gone(name: str) -> object:
    raise FileNotFoundError(2, "no such value", name)


def _lines(text: str) -> list[str]:
    """Return the file's lines, those that go on after a backslash or inside quotes joined."""
    joined = re.sub(r"\\\r?\n\s*", "", text)
    return [line.strip() for line in joined.splitlines() if line.strip()]


def _value(text: str) -> object:
    if text.startswith('"'):
        return re.sub(r"\\(.)", r"\1", text.rstrip()[1:-1])
    kind, _, rest = text.partition(":")
    if kind == "dword":
        return int(rest, 16)
    found = re.fullmatch(r"hex(?:\(([0-9a-fA-F]+)\))?", kind)
    assert found, text
    data = bytes(int(part, 16) for part in rest.replace(" ", "").split(",") if part)
    match KINDS.get(int(found[1] or "3", 16), "bytes"):
        case "text":
            return data.decode("utf-16-le", "replace").rstrip("\0")
        case "texts":
            return [one for one in data.decode("utf-16-le", "replace").split("\0") if one]
        case "number":
            return int.from_bytes(data, "little")
    return data


@dataclass
class RecordedWindows:
    """Answers for a Windows from what a test put in; what is not there is not answered."""

    winreg: FakeWinreg = field(default_factory=FakeWinreg)
    table: bytes | None = None
    present: frozenset[str] | None = None
    drivers: Callable[[str, int, bytes], bytes | None] = lambda device, code, request: None
    labels: dict[str, str] = field(default_factory=dict)
    probes: dict[str, Any] = field(default_factory=dict)
    now: datetime = datetime(2026, 11, 26, tzinfo=UTC)

    @property
    def registry(self) -> Registry:
        return Registry(self.winreg)

    def firmware(self) -> bytes | None:
        return self.table

    def present_devices(self) -> frozenset[str] | None:
        return self.present

    def control(
        self, device: str, code: int, request: bytes, answer_bytes: int, *, reads: bool = False
    ) -> bytes | None:
        answer = self.drivers(device, code, request)
        return None if answer is None else answer[:answer_bytes]

    def label(self, mount_point: str) -> str | None:
        return self.labels.get(mount_point)

    def probe(self, name: str, *words: str) -> object:
        return self.probes.get(name)


def read_sections(windows: RecordedWindows, *modules: str) -> dict[str, tuple[Any, ...]]:
    """Return the rows by section of what these sensors find; none of them may fail."""
    sensors = [one for one in SENSORS if one.module in modules]
    readings = read_all(Host(windows=windows, now=lambda: windows.now), sensors)
    assert {name: one.detail for name, one in readings.items() if one.status == "failed"} == {}
    return {name: one.rows for name, one in readings.items() if one.rows is not None}
