"""What fitness asks of a PC, read out of its inventory sections; what a section does not say is None.

Sections come from agents of every age: one that is absent, failed or in another form is unknown,
never "no". An empty section of a sensor that worked is a "no".
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from kiemke.server.domain.fit_rules import FitRules, Support

Rows = list[dict[str, Any]]
GIB = 2**30
SECTIONS = (
    "memory", "disks", "os", "monitors", "antivirus", "usb", "smart_cards", "printers",
)  # fmt: skip
_ON = ("on", "enabled", "is_enabled", "is_on", "real_time", "real_time_on", "active", "running")
_CURRENT = (
    "current", "is_current", "up_to_date", "is_up_to_date", "signatures_current",
    "signatures_up_to_date",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class SystemFact:
    """Which operating system runs. ``version`` is what support tables go by: Windows' build."""

    family: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Facts:
    """One source's answers; None is unknown. ``printers`` and ``tokens`` are names on the PC."""

    ram_gib: int | None = None
    ssd: bool | None = None
    system: SystemFact | None = None
    antivirus: bool | None = None
    devices: tuple[tuple[str, str, str], ...] | None = None
    printers: tuple[str, ...] | None = None
    screen_height: int | None = None


def read_rows(text: str | None, status: str) -> Rows | None:
    """Return a stored section's rows, None where its sensor did not work or nothing is readable."""
    if status not in ("ok", "absent"):
        return None
    try:
        rows = json.loads(text) if text else []
    except ValueError:
        return None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else None


def read_facts(sections: Mapping[str, Rows | None]) -> Facts:
    """Return the facts of one source's sections by name."""
    return make_facts(
        {name: read_section(name, rows) for name, rows in sections.items() if rows is not None}
    )


def read_section(name: str, rows: Rows) -> Any:
    """Return what a section says: a value that can be a key, None where it says nothing."""
    reader = _READERS.get(name)
    return None if reader is None else reader(rows)


def make_facts(told: Mapping[str, Any]) -> Facts:
    """Return the facts of what one source's sections say, by name."""
    buses = [told[name] for name in ("smart_cards", "usb") if told.get(name) is not None]
    return Facts(
        ram_gib=told.get("memory"),
        ssd=told.get("disks"),
        system=told.get("os"),
        antivirus=told.get("antivirus"),
        devices=tuple(device for bus in buses for device in bus) if buses else None,
        printers=told.get("printers"),
        screen_height=told.get("monitors"),
    )


def merge(facts: Iterable[Facts]) -> Facts:
    """Return the facts of a machine: of each the first source's that knows it."""
    told = list(facts)
    if len(told) == 1:
        return told[0]
    return Facts(
        **{
            name: next((value for each in told if (value := getattr(each, name)) is not None), None)
            for name in Facts.__dataclass_fields__
        }
    )


def _memory(rows: Rows) -> int | None:
    sizes = [row.get("size_bytes") for row in rows]
    whole = sum(size for size in sizes if isinstance(size, int) and not isinstance(size, bool))
    # Rounded: firmware keeps some of what the modules hold on a few boards.
    return round(whole / GIB) if whole > 0 else None


def _ssd(rows: Rows) -> bool | None:
    fixed = [row for row in rows if row.get("removable") is not True and row.get("bus") != "usb"]
    answers = [_is_ssd(row) for row in fixed]
    if any(answers):
        return True
    return None if not answers or None in answers else False


def _is_ssd(row: dict[str, Any]) -> bool | None:
    if row.get("bus") == "nvme" or re.search(
        r"\b(ssd|nvme)", str(row.get("model") or "").casefold()
    ):
        return True
    rotational = row.get("rotational")
    return (not rotational) if isinstance(rotational, bool) else None


def _system(rows: Rows) -> SystemFact | None:
    row = rows[0] if rows else {}
    family, name = str(row.get("family") or ""), str(row.get("name") or "")
    version = str(row.get("version") or "")
    if family == "windows":
        version = str(row.get("build") or "").rpartition("10.0.")[2].partition(".")[0]
    return SystemFact(family, name.casefold(), version.casefold()) if family and version else None


def _antivirus(rows: Rows) -> bool | None:
    """True when one product is on and current; False when every product is known not to be."""
    answers: list[bool | None] = []
    for row in rows:
        on, current = _first(row, _ON), _first(row, _CURRENT)
        if on is False or current is False:
            answers.append(False)
        else:
            answers.append(True if on and current else None)
    if True in answers:
        return True
    return None if None in answers else False


def _first(row: dict[str, Any], names: Iterable[str]) -> bool | None:
    return next((row[name] for name in names if isinstance(row.get(name), bool)), None)


def _cards(rows: Rows) -> tuple[tuple[str, str, str], ...]:
    """Return (vendor id, class, name) of readers, lower case."""
    return tuple(("", "smartcard", _text(row, "name")) for row in rows)


def _usb(rows: Rows) -> tuple[tuple[str, str, str], ...]:
    """Return the same of what is on the bus."""
    return tuple(
        (
            _vendor(row.get("vendor_id")),
            _text(row, "class", "device_class", "kind"),
            _text(row, "name", "product", "description"),
        )
        for row in rows
    )


def _vendor(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:04x}"
    return str(value).casefold().removeprefix("0x").rjust(4, "0") if value else ""


def _text(row: dict[str, Any], *names: str) -> str:
    return next((str(row[name]).casefold() for name in names if row.get(name)), "")


def _printers(rows: Rows) -> tuple[str, ...]:
    return tuple(_text(row, "name", "driver") for row in rows)


def _screen(rows: Rows) -> int | None:
    heights = []
    for row in rows:
        found = re.fullmatch(r"(\d{3,5})x(\d{3,5})", str(row.get("preferred") or ""))
        if found:
            heights.append(int(found[2]))
    return max(heights, default=None)


_READERS: dict[str, Callable[[Rows], Any]] = {
    "memory": _memory,
    "disks": _ssd,
    "os": _system,
    "antivirus": _antivirus,
    "usb": _usb,
    "smart_cards": _cards,
    "printers": _printers,
    "monitors": _screen,
}


# --- what the rules make of them ----------------------------------------------------------------


def is_supported(system: SystemFact | None, rules: FitRules, day: date) -> bool | None:
    """Whether the system is mended on the day, None where no table knows it."""
    if system is None:
        return None
    fitting = [support for support in rules.supports if _is_system(support, system)]
    named = [support for support in fitting if support.names is not None] or fitting
    # An extension beside the plain end is there to win.
    return None if not named else day <= max(support.last_day for support in named)


def _is_system(support: Support, system: SystemFact) -> bool:
    return (
        support.family == system.family
        and any(fnmatchcase(system.version, version) for version in support.versions)
        and (support.names is None or any(fnmatchcase(system.name, n) for n in support.names))
    )


def has_signature(facts: Facts, rules: FitRules, has_driver: bool) -> bool | None:
    """Whether a token or reader is there. With a driver but without a token nobody can say."""
    tokens = rules.tokens
    for vendor, class_, name in facts.devices or ():
        if (
            (vendor and vendor in tokens.vendors)
            or any(fnmatchcase(class_, glob) for glob in tokens.classes)
            or any(fnmatchcase(name, glob) for glob in tokens.names)
        ):
            return True
    return None if facts.devices is None or has_driver else False


def has_printer(facts: Facts, rules: FitRules, unit_has_one: bool) -> bool | None:
    """Whether a printer is within reach: in use in the same unit by the book, or on the PC."""
    on_pc = [
        name
        for name in facts.printers or ()
        if not any(fnmatchcase(name, glob) for glob in rules.virtual_printers)
    ]
    if unit_has_one or on_pc:
        return True
    return None if facts.printers is None else False
