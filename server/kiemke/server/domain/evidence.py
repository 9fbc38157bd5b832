"""What a source's inventory says about which machine it runs on: sane values by kind; pure functions.

Kinds: ``uuid``, ``system``, ``board`` and ``chassis`` are strings in firmware, which can be copied;
``mac`` (burned into a built-in adapter), ``disk`` and ``memory`` are parts, which can be moved;
``monitor`` is what stands beside it, ``model`` the board's make. A host name is no evidence: PCs are renamed and images share one.
"""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiemke.server.domain.bogus import sane_mac, sane_serial, sane_uuid

KINDS = ("uuid", "system", "board", "chassis", "mac", "disk", "memory", "monitor", "model")
# The MAC of an adapter on a USB port: never evidence, but it may be one that many share.
PLUGGED = "plugged"
SECTIONS = ("system", "board", "chassis", "disks", "adapters", "memory", "monitors")

Key = tuple[str, str]
Values = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Sane values by kind (a kind without any is absent), and the serials an asset may bear."""

    values: Values
    serials: frozenset[str]

    @property
    def keys(self) -> frozenset[Key]:
        """Return every (kind, value)."""
        return frozenset((kind, value) for kind, found in self.values.items() for value in found)


def read_evidence(sections: Mapping[str, str]) -> Evidence:
    """Return the evidence in a source's sections (name to JSON rows); unreadable rows say nothing."""
    found: dict[str, set[str]] = defaultdict(set)
    serials: set[str] = set()

    def add(kind: str, value: str | None) -> None:
        if value is not None:
            found[kind].add(value)

    for row in _rows(sections, "system"):
        add("uuid", sane_uuid(_text(row, "uuid")))
        serial = sane_serial(_text(row, "serial"))
        # Some makers print the model where the serial belongs.
        if serial is not None and serial != sane_serial(_text(row, "product")):
            add("system", serial)
            serials.add(serial)
    for name in ("system", "board"):  # the board's own make where it tells one
        for row in _rows(sections, name):
            if (model := _model(row)) is not None:
                found["model"] = {model}
    for row in _rows(sections, "board"):
        serial = sane_serial(_text(row, "serial"))
        if serial != sane_serial(_text(row, "product")):
            add("board", serial)
    for row in _rows(sections, "chassis"):
        serial = sane_serial(_text(row, "serial"))
        if serial is not None:
            add("chassis", serial)
            serials.add(serial)
    for row in _rows(sections, "disks"):
        if not row.get("removable") and row.get("bus") != "usb":
            add("disk", sane_serial(_text(row, "serial")))
    for row in _rows(sections, "adapters"):
        if row.get("kind") in ("ethernet", "wireless", "usb"):
            built_in = row.get("kind") != "usb"
            add("mac" if built_in else PLUGGED, sane_mac(_text(row, "permanent_mac")))
    for row in _rows(sections, "memory"):
        if row.get("size_bytes"):
            add("memory", sane_serial(_text(row, "serial")))
    for row in _rows(sections, "monitors"):
        add("monitor", sane_serial(_text(row, "serial")))
    return Evidence({kind: frozenset(v) for kind, v in found.items()}, frozenset(serials))


def _model(row: Mapping[str, object]) -> str | None:
    product = sane_serial(_text(row, "product"))
    maker = sane_serial(_text(row, "manufacturer")) or ""
    return None if product is None else f"{maker} {product}".strip()[:120]


def _rows(sections: Mapping[str, str], name: str) -> list[dict[str, Any]]:
    try:
        rows = json.loads(sections.get(name) or "[]")
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None
