"""What the system found beside what the generator knows: people, coverage by unit, lines."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bench.district import STATES, District, Line, Target
from bench.lines import (
    DAY_SLOTS,
    OUTAGE_SLOTS,
    SATURATED_RATIO,
    SLOT_SECONDS,
    Grid,
    LineLife,
)
from bench.site import PROBE_DAYS

# The server's seven days end a few minutes after ours, and the running slot is not over.
P95_TOLERANCE = 0.02
AVAILABILITY_TOLERANCE = 0.0005
DELIVERED_TOLERANCE = 0.02
PERCENTILE_DAYS = 7

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CoverageLine:
    """One unit: its target (percent, None without), and each state's count, true and as seen.

    ``true_pcs`` and ``seen_pcs`` are PCs booked in the subtree where the target is PCs per person,
    None where it is people with one.
    """

    code: str
    name: str
    target_percent: int | None
    true: dict[str, int]
    seen: dict[str, int] | None
    true_pcs: int | None = None
    seen_pcs: int | None = None

    @property
    def people(self) -> int:
        """Return how many people are counted."""
        return sum(self.true.values())

    @property
    def declared(self) -> int:
        """Return how many have a PC on the book, as seen; -1 when nothing was seen."""
        return -1 if self.seen is None else sum(self.seen.values()) - self.seen["no_pc"]

    @property
    def differs(self) -> bool:
        """Whether any count is not the true one."""
        return (self.seen, self.seen_pcs) != (self.true, self.true_pcs)


@dataclass(frozen=True, slots=True)
class LinkLine:
    """One line: what was planted, the verdict it deserves, what was found, what differs."""

    line: Line
    seen: Record | None
    problems: tuple[str, ...]


def compare_coverage(district: District, rows: Sequence[Record]) -> list[CoverageLine]:
    """Return one line for each unit that has a target, in the order of the units.

    ``rows`` are the items of GET /coverage; the row with the kinds of the target is the one compared.
    """
    targets = {target.unit: target for target in district.targets}
    found = {(row["unit"]["code"], _kinds(row["kinds"])): row for row in rows}
    lines: list[CoverageLine] = []
    for unit in district.units:
        target = targets.get(unit.code)
        if target is None:
            continue
        row = found.get((unit.code, frozenset(target.kinds)))
        lines.append(
            CoverageLine(
                unit.code,
                unit.name,
                target.percent,
                district.true_states(unit.code, target.kinds),
                None if row is None else _seen_states(row),
                *_pcs(district, target, row),
            )
        )
    return lines


def _pcs(district: District, target: Target, row: Record | None) -> tuple[int | None, int | None]:
    """Return PCs in the subtree, true and as seen; nothing where the target counts people."""
    if target.measure != "ratio":
        return None, None
    return district.true_pcs(target.unit), None if row is None else row["subtree"]["pcs"]


def _seen_states(row: Record) -> dict[str, int]:
    """Return each state's count of a row of GET /coverage."""
    counts = {**row["coverage"], "no_pc": row["subtree"]["no_pc"]}
    return {state: counts[state] for state in STATES}


def _kinds(kinds: str | Sequence[str]) -> frozenset[str]:
    parts = kinds.split(",") if isinstance(kinds, str) else kinds
    return frozenset(part for part in parts if part)


def compare_metrics(district: District, text: str, lines: Sequence[LinkLine]) -> list[str]:
    """Return a sentence for each figure of /metrics/fleet that is not the true one.

    Series bear opaque ids; the info series say which unit or link each one is.
    """
    series = parse_metrics(text)
    units = {labels["code"]: labels["unit"] for labels, _ in series.get("kiemke_unit_info", ())}
    links = {labels["code"]: labels["link"] for labels, _ in series.get("kiemke_link_info", ())}
    states = {
        (labels["unit"], labels["state"]): value
        for labels, value in series.get("kiemke_subtree_officials_by_state", ())
    }
    health = {
        (labels["link"], labels["state"]): value
        for labels, value in series.get("kiemke_link_health", ())
    }
    wrong: list[str] = []
    for target in district.targets:
        true = district.true_states(target.unit, target.kinds)
        seen = {state: states.get((units.get(target.unit, ""), state)) for state in true}
        if seen != true:
            wrong.append(f"metrics of {target.unit}: {seen}, truly {true}")
    for line in (one.line for one in lines):
        if health.get((links.get(line.code, ""), line.true_verdict)) != 1:
            wrong.append(f"metrics of {line.code} do not say {line.true_verdict}")
    return wrong


_SERIES = re.compile(r"^(\w+)\{(.*)\} (\S+)$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text: str) -> dict[str, list[tuple[dict[str, str], float]]]:
    """Return {name: [(labels, value)]} of Prometheus text; series without labels are left out."""
    found: dict[str, list[tuple[dict[str, str], float]]] = {}
    for line in text.splitlines():
        match = _SERIES.match(line)
        if match is not None:
            labels = dict(_LABEL.findall(match[2]))
            found.setdefault(match[1], []).append((labels, float(match[3])))
    return found


def compare_people(district: District, rows: Sequence[Record]) -> list[str]:
    """Return a sentence for each person whose state is not the true one.

    ``rows`` are the items of GET /coverage/who of the whole district.
    """
    seen = {row["official"]["code"]: row["state"] for row in rows}
    wrong = [
        f"{person.code} ({person.unit}): {seen.get(person.code, 'not listed')}, "
        f"truly {person.true_state}"
        for person in district.people
        if person.left_on is None and seen.get(person.code) != person.true_state
    ]
    wrong += [
        f"{person.code}: counted as {seen[person.code]}, but left on {person.left_on}"
        for person in district.people
        if person.left_on is not None and person.code in seen
    ]
    return wrong


def compare_links(
    district: District, rows: Sequence[Record], now: datetime, utc_offset_seconds: int
) -> list[LinkLine]:
    """Return one line for each link of the district; ``rows`` are the items of GET /links."""
    found = {row["code"]: row for row in rows}
    grid = Grid.at(now, utc_offset_seconds)
    last_slot = int(now.timestamp()) // SLOT_SECONDS - 1
    lines: list[LinkLine] = []
    for line in district.lines:
        row = found.get(line.code)
        problems = (
            ("not listed",) if row is None else tuple(_link_problems(line, row, grid, last_slot))
        )
        lines.append(LinkLine(line, row, problems))
    return lines


def _link_problems(line: Line, row: Record, grid: Grid, last_slot: int) -> list[str]:
    problems: list[str] = []

    def expect(what: str, seen: float | None, true: float, tolerance: float) -> None:
        if seen is None or abs(seen - true) > tolerance:
            problems.append(f"{what} {seen}, truly {true:.4f}")

    if row["verdict"] != line.true_verdict:
        problems.append(f"verdict {row['verdict']}, truly {line.true_verdict}")
    if line.fault == "silent_snmp":
        if row["basis"] != "probes_only":
            problems.append(f"basis {row['basis']}, truly probes_only")
    else:
        life = LineLife(line, grid)
        down, up = life.true_p95(last_slot - PERCENTILE_DAYS * DAY_SLOTS + 1, last_slot)
        expect("p95 down", row["p95_receive_ratio"], down, P95_TOLERANCE)
        expect("p95 up", row["p95_transmit_ratio"], up, P95_TOLERANCE)
    outage = OUTAGE_SLOTS / (PROBE_DAYS * DAY_SLOTS) if line.fault == "outage" else 0.0
    expect("availability", row["availability_ratio"], 1 - outage, AVAILABILITY_TOLERANCE)
    if line.fault == "slow":
        seen = row["delivered_receive_ratio"]
        expect("delivered", seen, SATURATED_RATIO, DELIVERED_TOLERANCE)
    if line.fault == "negotiated":
        negotiated = (row["negotiated_bits_per_second"], row["duplex"])
        if negotiated != (100_000_000, "half"):
            problems.append(f"negotiated {negotiated}, truly 100 Mbps half")
    return problems
