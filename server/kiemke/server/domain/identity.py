"""Which sources are one machine: evidence from their inventories, weighed; pure functions.

Strong evidence is what a maker gives one machine: the SMBIOS UUID, the system's and the board's
serial. A value that bogus.toml knows, or that stands on many machines, weighs nothing.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from kiemke.server.domain.bogus import sane_mac, sane_serial, sane_uuid

STRONG = ("uuid", "system", "board")
WEIGHTS = {"uuid": 40, "system": 40, "board": 30, "disk": 20, "mac": 20}
SAME_MACHINE = 40
SECTIONS = ("system", "board", "chassis", "disks", "adapters")

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a source's inventory says about which machine it is, as (kind, value) pairs.

    ``serials`` are the keys by which an asset on the book may be this machine.
    """

    keys: frozenset[Key]
    serials: frozenset[str]


def read_evidence(sections: Mapping[str, str]) -> Evidence:
    """Return the evidence in a source's sections (name to JSON rows); unreadable rows say nothing."""
    keys: set[Key] = set()
    serials: set[str] = set()

    def add(kind: str, value: str | None) -> None:
        if value is not None:
            keys.add((kind, value))

    for row in _rows(sections, "system"):
        add("uuid", sane_uuid(_text(row, "uuid")))
        serial = sane_serial(_text(row, "serial"))
        # Some makers print the model where the serial belongs.
        if serial is not None and serial != sane_serial(_text(row, "product")):
            add("system", serial)
            serials.add(serial)
    for row in _rows(sections, "board"):
        add("board", sane_serial(_text(row, "serial")))
    for row in _rows(sections, "chassis"):
        serial = sane_serial(_text(row, "serial"))
        if serial is not None:
            serials.add(serial)
    for row in _rows(sections, "disks"):
        if not row.get("removable") and row.get("bus") != "usb":
            add("disk", sane_serial(_text(row, "serial")))
    for row in _rows(sections, "adapters"):
        if row.get("kind") in ("ethernet", "wireless"):
            add("mac", sane_mac(_text(row, "permanent_mac")))
    return Evidence(frozenset(keys), frozenset(serials))


def _rows(sections: Mapping[str, str], name: str) -> list[dict[str, object]]:
    try:
        rows = json.loads(sections.get(name) or "[]")
    except ValueError:
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _text(row: Mapping[str, object], name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


class Index:
    """Every source's evidence, found by key. ``learned_above`` machines make a value bogus."""

    def __init__(self, learned_above: int) -> None:
        self.learned_above = learned_above
        self.of: dict[int, Evidence] = {}
        self._holders: dict[Key, set[int]] = defaultdict(set)

    def put(self, source: int, evidence: Evidence) -> None:
        """Set one source's evidence."""
        if source in self.of:
            for key in self.of[source].keys:
                self._holders[key].discard(source)
        self.of[source] = evidence
        for key in evidence.keys:
            self._holders[key].add(source)

    def is_bogus(self, key: Key, machine_of: Mapping[int, int]) -> bool:
        """Whether a value stands on more machines than one value may."""
        holders = self._holders.get(key, set())
        return len({machine_of.get(source, -source) for source in holders}) > self.learned_above

    def likes(self, source: int, machine_of: Mapping[int, int]) -> dict[int, tuple[Key, ...]]:
        """Return the other sources that share enough evidence to be the same machine, and what."""
        shared: dict[int, list[Key]] = defaultdict(list)
        for key in sorted(self.of[source].keys):
            if not self.is_bogus(key, machine_of):
                for other in self._holders[key]:
                    if other != source:
                        shared[other].append(key)
        return {
            other: tuple(keys)
            for other, keys in sorted(shared.items())
            if weigh(keys) >= SAME_MACHINE
        }


def weigh(keys: Iterable[Key]) -> int:
    """Return the weight of shared evidence; several disks or adapters count once a kind."""
    return sum(WEIGHTS[kind] for kind in {kind for kind, _ in keys})
