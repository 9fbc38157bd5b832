"""The reform of 01/07/2025 for huyện Thanh Giang: 21 communes become 6, the district ends.

After the pattern of what was decided that day: communes are merged, one is split between two, their
codes and names are used again by those that follow, and the departments become a cluster that serves
the new communes. Part of the split commune's people and things nobody assigned: they wait.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from bench.district import District
from bench.organisation import DEPARTMENTS
from bench.thanh_giang import CITY, COMMUNES_GROUP, DISTRICT, OFFICES

DAY = date(2025, 7, 1)
PAPER = "01/NQ-SX (mẫu)"
CLUSTER = "CUM-TG"
SPLIT = "TG-X03"
ASSIGNED_EACH = 8  # of twenty people of the split commune; the other four wait

# (code, name, communes that become it): the first two also take a part of the split one. The first
# commune's code, and the name its township shared with the district, are used again; so are the split
# commune's own.
NEW = (
    ("TG-X01", "Xã Thanh Giang", ("TG-X01", "TG-X02", "TG-X04", "TG-X05")),
    ("TG-X03", "Xã Bình Đông Hải", ("TG-X06", "TG-X07", "TG-X08", "TG-X09")),
    ("TG-X10", "Xã Hồng Vân Giang", ("TG-X10", "TG-X11", "TG-X12", "TG-X13")),
    ("TG-X14", "Xã Nghĩa Thanh Giang", ("TG-X14", "TG-X15", "TG-X16")),
    ("TG-X17", "Xã Sơn Thanh Hải", ("TG-X17", "TG-X18", "TG-X19")),
    ("TG-X20", "Xã Vĩnh Hải Giang", ("TG-X20", "TG-X21")),
)


@dataclass(frozen=True, slots=True)
class Reform:
    """A decision as ``kiemke unit reorganise`` reads it, and what must come of it."""

    decision: dict[str, Any]
    people_after: dict[str, int]

    def as_toml(self) -> str:
        """Return the decision as a file."""
        lines = [
            "# Dữ liệu mẫu. kiemke unit reorganise FILE shows what it would do; --apply does it."
        ]
        lines += [f"day = {_toml(self.decision['day'])}"]
        lines += [f"instrument = {_toml(self.decision['instrument'])}"]
        for table in ("new", "changes"):
            for row in self.decision[table]:
                lines += ["", f"[[{table}]]", *(f"{k} = {_toml(v)}" for k, v in row.items())]
        return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f'"{k}" = {_toml(v)}' for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return f'"{value}"'


def make_reform(district: District) -> Reform:
    """Return the reform of a district with all or the first of its communes (at least three)."""
    there = {unit.code for unit in district.units}
    new: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    after: dict[str, int] = {}
    staff: dict[str, list[str]] = {}
    for person in district.people:
        if person.left_on is None:
            staff.setdefault(person.unit, []).append(person.code)
    for place, (code, name, olds) in enumerate(NEW):
        present = [old for old in olds if old in there]
        if not present and place > 1:
            continue
        new.append({"code": code, "name": name, "type": "xa", "parent": CITY})
        if present:
            changes.append({"kind": "merge", "units": present, "into": [code]})
        after[code] = sum(len(staff[old]) for old in present)
    parts = [code for code, _, _ in NEW[:2]]
    assign: dict[str, str] = {}
    for place, part in enumerate(parts):
        mine = staff[SPLIT][place * ASSIGNED_EACH : (place + 1) * ASSIGNED_EACH]
        assign |= {f"official:{code}": part for code in mine}
        after[part] += len(mine)
    assign |= {f"link:{n.code}": parts[1] for n in district.lines if n.unit == SPLIT}
    changes.append({"kind": "split", "units": [SPLIT], "into": parts, "assign": assign})
    after[f"{SPLIT}-CPB"] = len(staff[SPLIT]) - 2 * ASSIGNED_EACH
    departments = [code for code, _, _ in DEPARTMENTS]
    new.append({"code": CLUSTER, "name": "Cụm Thanh Giang", "type": "cum", "parent": CITY})
    ended = [*departments, OFFICES, COMMUNES_GROUP, DISTRICT]
    changes.append({"kind": "merge", "units": ended, "into": [CLUSTER]})
    after[CLUSTER] = sum(len(staff[code]) for code in departments)
    decision = {"day": DAY.isoformat(), "instrument": PAPER, "new": new, "changes": changes}
    return Reform(decision, after)
