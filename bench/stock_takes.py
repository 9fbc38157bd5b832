"""Two stock-takes of the demo: a department's that is closed with differences, a commune's still open.

The generator decides what its clerks find; what the server makes of it is held against that.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bench.district import PC_KINDS, District, Thing
from bench.server import Api

CLOSED_UNIT, OPEN_UNIT = "TG-NV", "TG-X01"
COUNTED_BY = "Trần Văn Đếm"
BOARD = (
    {"name": "Lê Thị Ba", "post": "Phó Chủ tịch", "side": "UBND", "role": "head"},
    {"name": COUNTED_BY, "post": "Kế toán", "side": None, "role": "member"},
)
# What stands there and is on no book: the number written on it by hand.
SURPLUS = "NV-TAY-01"

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """One stock-take: of which unit, what its clerks answer, whether it is closed, how its lines truly are."""

    unit: str
    answers: tuple[Record, ...]
    closed: bool
    true_lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TakeLine:
    """One stock-take as seen beside the truth; ``next_commands`` are those of its differences."""

    plan: Plan
    number: int
    seen: Record
    next_commands: tuple[str, ...]

    @property
    def problems(self) -> list[str]:
        """Return a sentence for what is not truly so."""
        told = {state: n for state, n in (self.seen["lines"] or {}).items() if n}
        true = {state: n for state, n in self.plan.true_lines.items() if n}
        wrong = [] if told == true else [f"stock-take of {self.plan.unit}: {told}, truly {true}"]
        state = "closed" if self.plan.closed else "open"
        if self.seen["state"] != state:
            wrong.append(f"stock-take of {self.plan.unit}: {self.seen['state']}, truly {state}")
        return wrong


def make_plans(district: District) -> tuple[Plan, Plan]:
    """Return the stock-take that is closed and the one that stays open."""
    return _closed(district), _open(district)


def _things(district: District, unit: str) -> list[Thing]:
    """Return what the book expects at a unit: not a person's own laptop."""
    inside = district.subtree(unit)
    return [t for t in district.things if t.unit in inside and t.ownership != "private"]


def _closed(district: District) -> Plan:
    """One printer is not found, one stands at another unit, one thing is on no book; the rest is there.

    Nobody's PC is missing: who has one is not what a stock-take is about here.
    """
    things = _things(district, CLOSED_UNIT)
    gone, moved = [thing for thing in things if thing.kind not in PC_KINDS][:2]
    answers: list[Record] = [
        {"number": gone.code, "result": "missing", "note": "không thấy ở phòng nào"},
        {"number": moved.tag, "result": "elsewhere", "unit": "TG-VP", "place": "Phòng họp"},
        {"number": SURPLUS, "result": "surplus", "name": "Máy hủy tài liệu", "kind": "other"},
    ]
    rest = [thing for thing in things if thing not in (gone, moved)]
    answers += [{"number": _number(thing, n), "result": "found"} for n, thing in enumerate(rest)]
    lines = {"missing": 1, "elsewhere": 1, "surplus": 1, "agrees": len(rest)}
    return Plan(CLOSED_UNIT, tuple(answers), True, lines)


def _open(district: District) -> Plan:
    """Half is answered, one thing of it broken."""
    things = _things(district, OPEN_UNIT)
    done = things[::2]
    broken = next(thing for thing in done if thing.kind not in PC_KINDS)
    answers = tuple(
        {"number": _number(thing, n), "result": "broken" if thing is broken else "found"}
        for n, thing in enumerate(done)
    )
    left = len(things) - len(done)
    return Plan(
        OPEN_UNIT, answers, False, {"broken": 1, "agrees": len(done) - 1, "unanswered": left}
    )


def _number(thing: Thing, place: int) -> str:
    """Return one of the numbers on a thing: its sticker, now and then its code in small letters."""
    return thing.tag if place % 3 else thing.code.lower()


async def hold(api: Api, plans: Sequence[Plan], utc_offset_seconds: int) -> list[int]:
    """Hold the stock-takes of today as an officer would; return their numbers. Raises ApiError."""
    today = (datetime.now(UTC) + timedelta(seconds=utc_offset_seconds)).date()
    numbers = []
    for at, plan in enumerate(plans, 1):
        opening = {
            "unit": plan.unit, "day": today.isoformat(), "instrument": f"{at}/QĐ-KK (mẫu)",
            "reason": "other", "board": list(BOARD),
        }  # fmt: skip
        number = (await api.post("/stock-takes?apply=true", opening))["id"]
        said = {"counted_by": COUNTED_BY, "items": list(plan.answers)}
        await api.post(f"/stock-takes/{number}/found?apply=true", said)
        if plan.closed:
            minutes = {"instrument": f"{at}/BB-KK (mẫu)"}
            await api.post(f"/stock-takes/{number}/close?apply=true", minutes)
        numbers.append(number)
    return numbers


async def look(api: Api, plans: Sequence[Plan], numbers: Sequence[int]) -> list[TakeLine]:
    """Ask for each stock-take and its differences."""
    found = []
    for plan, number in zip(plans, numbers, strict=True):
        seen = await api.get(f"/stock-takes/{number}")
        rows = await api.items(f"/stock-takes/{number}/lines")
        told = Counter(
            row["next"]
            for row in rows
            if row["state"] not in ("agrees", "unanswered") and row["next"]
        )
        found.append(TakeLine(plan, number, seen, tuple(told)))
    return found
