"""The parts of a PC that somebody could take out: memory modules, disks, the processor; pure functions.

Parts are compared by what they are, not by where they sit: a module moved to another slot is no change.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kiemke.server.domain.bogus import sane_serial

# size in bytes, maker's number or name, serial number; None for what is not known.
Part = tuple[int | None, str | None, str | None]


def _memory(row: Mapping[str, Any]) -> Part | None:
    size = row.get("size_bytes")
    return (size, _text(row, "part_number"), sane_serial(row.get("serial"))) if size else None


def _disk(row: Mapping[str, Any]) -> Part | None:
    if row.get("removable") or row.get("bus") == "usb" or not row.get("size_bytes"):
        return None  # a memory stick comes and goes
    return row["size_bytes"], _text(row, "model"), sane_serial(row.get("serial"))


def _processor(row: Mapping[str, Any]) -> Part | None:
    version = _text(row, "version")
    return (None, version, None) if version else None


def _text(row: Mapping[str, Any], name: str) -> str | None:
    value = row.get(name)
    return " ".join(value.split()) or None if isinstance(value, str) else None


SECTIONS: dict[str, Callable[[Mapping[str, Any]], Part | None]] = {
    "memory": _memory,
    "disks": _disk,
    "processors": _processor,
}


def read_parts(section: str, rows_json: str) -> list[Part]:
    """Return a section's parts, sorted; [] when it names none."""
    rows = json.loads(rows_json)
    found = (SECTIONS[section](row) for row in rows if isinstance(row, dict))
    return sorted((part for part in found if part is not None), key=repr)


def as_parts(parts_json: str) -> list[Part]:
    """Return parts as they were stored."""
    return [(part[0], part[1], part[2]) for part in json.loads(parts_json)]


def compare(before: Sequence[Part], after: Sequence[Part]) -> tuple[list[Part], list[Part]]:
    """Return what went and what came. A part that only hides its number this time stays the same."""
    gone = Counter(before) - Counter(after)
    come = Counter(after) - Counter(before)
    for part in sorted(gone.elements(), key=repr):
        twin = next((other for other in sorted(come, key=repr) if _may_be(part, other)), None)
        if twin is not None:
            gone -= Counter([part])
            come -= Counter([twin])
    return sorted(gone.elements(), key=repr), sorted(come.elements(), key=repr)


def _may_be(one: Part, other: Part) -> bool:
    """Whether nothing known of both parts differs, and one of them hides something."""
    pairs = list(zip(one, other, strict=True))
    return all(a == b or a is None or b is None for a, b in pairs) and one[0] == other[0]
