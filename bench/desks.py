"""The one-stop desks of the district: made as places, their kit held against the checklist's truth."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.district import District

DESK = "Bộ phận Một cửa"
OPENED = date(2021, 1, 4)
# The checklist's items and the kinds of things that serve each, as desks.toml has them; how many of it.
CHECKLIST = {
    "pc": (("desktop", "all_in_one", "laptop"), 2),
    "printer": (("printer", "multifunction"), 1),
    "copier": (("copier", "multifunction"), 1),
    "scanner": (("scanner", "multifunction"), 1),
    "citizen_pc": (("citizen_pc",), 1),
    "kiosk": (("kiosk",), 1),
    "camera": (("camera",), 2),
}

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Desks:
    """What was seen of the desks: how many there are, have all, and what the others lack; problems."""

    desks: int
    complete: int
    lacking: Counter[str]
    problems: list[str]


def units_with_desks(district: District) -> list[str]:
    """Return the codes of the units at whose desk something stands, in order."""
    return sorted({thing.unit for thing in district.things if thing.place == DESK})


def place_of(unit: str) -> Record:
    """Return the desk of a unit as POST /places takes it."""
    return {
        "code": f"MC-{unit}", "name": DESK, "kind": "one_stop_desk", "unit": unit,
        "day": OPENED.isoformat(), "instrument": "04/QĐ-UBND (mẫu)",
    }  # fmt: skip


def true_lines(district: District) -> dict[tuple[str, str], tuple[int, int]]:
    """Return (present, lacking) by (code of the desk, item), from the things the generator planted."""
    standing = Counter((t.unit, t.kind) for t in district.things if t.place == DESK)
    lines = {}
    for unit in units_with_desks(district):
        for item, (kinds, wanted) in CHECKLIST.items():
            present = sum(standing[unit, kind] for kind in kinds)
            lines[f"MC-{unit}", item] = (present, max(wanted - present, 0))
    return lines


def compare_desks(district: District, rows: Sequence[Record]) -> Desks:
    """Compare the items of GET /desks with the truth."""
    seen = {(r["desk"]["code"], r["item"]): (r["present"], r["lack"]) for r in rows}
    true = true_lines(district)
    problems = [
        f"desk {desk}, {item}: {seen.get((desk, item))}, truly {true.get((desk, item))}"
        for desk, item in sorted(seen.keys() | true.keys())
        if seen.get((desk, item)) != true.get((desk, item))
    ]
    lacking = Counter[str]()
    short: set[str] = set()
    for (desk, item), (_, lack) in seen.items():
        if lack:
            lacking[item] += 1
            short.add(desk)
    desks = {desk for desk, _ in seen}
    return Desks(len(desks), len(desks - short), lacking, problems)
