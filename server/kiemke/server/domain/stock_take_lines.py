"""The lines of a stock-take: what the book says as of its day, what was found, what was seen lately.

Expected is what the units answer for on the day by the book as it is known: owned, borrowed and
provider's things, not those disposed of or lost, no drafts without paper and nobody's own laptop. What
agents and collectors saw stands beside a line and never answers it.
"""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from shlex import quote
from typing import Any, Protocol, Self

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain import residual
from kiemke.server.domain.names_then import PERSON_NAME
from kiemke.server.domain.tables import dated

# "unanswered" waits; "agrees" is as the book says; all others are differences.
LINE_STATES = (
    "missing", "elsewhere", "broken", "not_expected", "surplus", "unanswered", "agrees",
)  # fmt: skip
DIFFERENT = LINE_STATES[:5]
_BROKEN_ON_BOOK = ("broken", "awaiting_disposal", "under_repair")
_GONE = ("disposed", "lost")
_PAPER = "--date … --paper …"


class Counted(Protocol):
    """What of a stock-take its lines need."""

    @property
    def id(self) -> int:
        """Its number."""

    @property
    def day(self) -> date:
        """The day as of which the book is read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing. Of a surplus ``asset_id`` and all that the book would say are None.

    ``why`` tells of "not_expected" whether it is booked "elsewhere", "gone" or a "draft". Prices in
    đồng, ``residual_dong`` as of the day (None: there is none, for ``residual_why`` of NO_RESIDUAL). ``seen_at_ms`` and ``seen_as`` are what an
    agent or collector saw last.
    """

    state: str
    asset_id: int | None
    code: str | None
    tag: str | None
    name: str | None
    kind: str | None
    serial: str | None
    unit_id: int | None
    unit_code: str | None
    unit_name: str | None
    holder: str | None
    holder_code: str | None
    place: str | None
    status: str | None
    price_dong: int | None
    in_use_year: int | None
    asset_class: str | None = None
    residual_dong: int | None = None
    why: str | None = None
    found: str | None = None
    found_on: str | None = None
    found_place: str | None = None
    found_unit: str | None = None
    counted_by: str | None = None
    note: str | None = None
    number: str | None = None
    seen_at_ms: int | None = None
    seen_as: str | None = None
    residual_why: str | None = None

    def as_json(self) -> str:
        """Return the line as it is kept."""
        return json.dumps(asdict(self), ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return a kept line."""
        return cls(**json.loads(text))


_COLUMNS = """
a.id, a.code, COALESCE(f.name, a.name) AS name, COALESCE(f.kind, a.kind) AS kind,
  CASE WHEN f.id IS NULL THEN a.tag ELSE f.tag END AS tag,
  a.serial, CASE WHEN f.id IS NULL THEN a.price_dong ELSE f.price_dong END AS price_dong,
  CASE WHEN f.id IS NULL THEN a.in_use_since ELSE f.in_use_since END AS in_use_since,
  COALESCE(f.ownership, a.ownership) AS ownership, k.unit_id, u.code AS unit_code, u.name AS unit_name,
  (SELECT MAX(s.status) FROM asset_status s WHERE s.asset_id = a.id AND {active s}) AS status
FROM asset a LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}
"""
_EXPECTED = dated(
    f"""
SELECT {_COLUMNS}
JOIN (SELECT c.asset_id, MIN(c.unit_id) AS unit_id FROM custody c
  WHERE {{active c}} AND c.unit_id IN :[units] GROUP BY c.asset_id) k ON k.asset_id = a.id
LEFT JOIN unit_version u ON u.unit_id = k.unit_id AND {{active u}}
WHERE COALESCE(f.ownership, a.ownership) NOT IN ('unproven', 'private')
  AND NOT EXISTS (SELECT 1 FROM asset_status g WHERE g.asset_id = a.id
    AND g.status IN ('disposed', 'lost') AND {{active g}})
ORDER BY u.sort_key, a.code, a.id
"""  # noqa: S608  # fragments of this house
)
_OTHERS = dated(
    f"""
SELECT {_COLUMNS}
LEFT JOIN (SELECT c.asset_id, MIN(c.unit_id) AS unit_id FROM custody c
  WHERE {{active c}} AND c.asset_id IN :[assets] GROUP BY c.asset_id) k ON k.asset_id = a.id
LEFT JOIN unit_version u ON u.unit_id = k.unit_id AND {{active u}}
WHERE a.id IN :[assets] ORDER BY a.code, a.id
"""  # noqa: S608  # fragments of this house
)
_HOLDERS = dated(
    f"""
SELECT c.asset_id, o.code, {PERSON_NAME} AS name, COALESCE(c.place, p.name) AS place FROM custody c
LEFT JOIN official o ON o.id = c.official_id
LEFT JOIN place_version p ON p.place_id = c.at_place_id AND {{active p}}
WHERE c.asset_id IN :[assets] AND {{active c}} ORDER BY c.asset_id, o.sort_key, c.id
"""  # noqa: S608  # fragments of this house
)
# The times of a count are the moment it was recorded: its day may lie after the stock-take's.
_TOLD = "{0}.recorded_at_ms <= :known AND ({0}.voided_at_ms IS NULL OR {0}.voided_at_ms > :known)"
_ANSWERS = f"""
SELECT n.asset_id, n.found, n.valid_from, n.counted_by, n.place, n.note,
  (SELECT MAX(v.code) FROM unit_version v WHERE v.unit_id = n.seen_unit_id AND v.voided_at_ms IS NULL
    AND v.valid_from <= n.valid_from AND (v.valid_to IS NULL OR v.valid_to > n.valid_from)) AS unit_code
FROM counted_asset n WHERE n.stock_take_id = :take AND {_TOLD.format("n")}
ORDER BY n.valid_from, n.recorded_at_ms, n.id
"""  # noqa: S608  # fragments of this file
_SURPLUS = f"""
SELECT * FROM stock_take_surplus x WHERE x.stock_take_id = :take AND {_TOLD.format("x")}
ORDER BY x.number_key, x.id
"""  # noqa: S608  # fragments of this file
_SEEN = dated("""
SELECT x.asset_id, n.last_received_at_ms AS at_ms, s.hostname AS seen_as FROM asset_match x
JOIN machine_source y ON y.machine_id = x.machine_id AND {active y}
JOIN source s ON s.id = y.source_id AND s.state = 'approved'
JOIN source_now n ON n.source_id = s.id
WHERE x.asset_id IN :[assets] AND {active x} AND n.last_received_at_ms <= :known
UNION ALL
SELECT d.asset_id, w.answered_at_ms, d.code FROM device_version d
JOIN device_now w ON w.device_id = d.device_id
WHERE d.asset_id IN :[assets] AND {active d} AND w.answered_at_ms <= :known
""")


async def load(
    session: Session,
    take: Counted,
    units: Sequence[int],
    known_ms: int,
    today: date,
    *,
    mine: Collection[int] | None = None,
    values: bool = False,
) -> list[Line]:
    """Return the lines of a stock-take of these units' things: by unit and code, surplus last.

    Of what others hold it is told only where the asker's own units do (``mine``, None is all). With
    ``values`` each line has its class and residual value too.
    """
    times = {"day": take.day, "known": known_ms}
    expected = await session.fetch(_EXPECTED, units=units, **times)
    answers = {
        r["asset_id"]: r for r in await session.fetch(_ANSWERS, take=take.id, known=known_ms)
    }
    others = sorted(answers.keys() - {row["id"] for row in expected})
    extra = await session.fetch(_OTHERS, assets=others, **times) if others else []
    holders: dict[int, list[Row]] = defaultdict(list)
    ids = [row["id"] for row in (*expected, *extra)]
    for row in await session.fetch(_HOLDERS, assets=ids, **times):
        holders[row["asset_id"]].append(row)
    lines = [_line(row, holders[row["id"]], answers.get(row["id"]), None) for row in expected]
    for row in extra:
        if mine is not None and row["unit_id"] not in mine:
            row.update(unit_id=None, unit_code=None, unit_name=None)
            holders[row["id"]] = []
        lines.append(_line(row, holders[row["id"]], answers[row["id"]], _why(row)))
    seen = await _seen(session, ids, today, known_ms)
    lines = [replace(line, **seen.get(line.asset_id or 0, {})) for line in lines]
    if values:
        worth = await residual.load(session, take.day, known_ms, units)
        lines = [_valued(line, worth.get(line.asset_id or 0, residual.NOT_OWNED)) for line in lines]
    surplus = await session.fetch(_SURPLUS, take=take.id, known=known_ms)
    return [*lines, *(_surplus(row) for row in surplus)]


def _valued(line: Line, worth: residual.Worth) -> Line:
    return replace(
        line,
        asset_class=worth.asset_class,
        residual_dong=worth.residual_dong,
        residual_why=worth.why_none,
    )


def _why(row: Row) -> str:
    if row["ownership"] == "unproven":
        return "draft"
    return "gone" if row["status"] in _GONE else "elsewhere"


def _line(row: Row, holders: Sequence[Row], answer: Row | None, why: str | None) -> Line:
    since = row["in_use_since"]
    names = dict.fromkeys(each["name"] for each in holders if each["name"])
    codes = dict.fromkeys(each["code"] for each in holders if each["code"])
    places = dict.fromkeys(each["place"] for each in holders if each["place"])
    told = answer or {}
    return Line(
        "not_expected" if why else _state(row["status"], told.get("found")),
        row["id"],
        row["code"],
        row["tag"],
        row["name"],
        row["kind"],
        row["serial"],
        row["unit_id"],
        row["unit_code"],
        row["unit_name"],
        "; ".join(names) or None,
        next(iter(codes)) if len(codes) == 1 else None,
        "; ".join(places) or None,
        row["status"],
        row["price_dong"],
        None if since is None else as_date(since).year,
        why=why,
        found=told.get("found"),
        found_on=_day(told.get("valid_from")),
        found_place=told.get("place"),
        found_unit=told.get("unit_code"),
        counted_by=told.get("counted_by"),
        note=told.get("note"),
    )


def _day(value: date | str | None) -> str | None:
    return None if value is None else as_date(value).isoformat()


def _state(status: str | None, found: str | None) -> str:
    if found is None:
        return "unanswered"
    if found == "found" or (found == "broken" and status in _BROKEN_ON_BOOK):
        return "agrees"
    return found


def _surplus(row: Row) -> Line:
    nothing: dict[str, Any] = dict.fromkeys(
        ("asset_id", "code", "tag", "serial", "unit_id", "unit_code", "unit_name", "holder",
         "holder_code", "place", "status", "price_dong", "in_use_year")
    )  # fmt: skip
    return Line(
        state="surplus",
        name=row["name"],
        kind=row["kind"],
        **nothing,
        found="surplus",
        found_on=_day(row["valid_from"]),
        found_place=row["place"],
        counted_by=row["counted_by"],
        note=row["note"],
        number=row["number"],
    )


async def _seen(
    session: Session, ids: Sequence[int], today: date, known_ms: int
) -> dict[int, dict[str, Any]]:
    """Return when and as what agents or collectors saw these things last."""
    found: dict[int, dict[str, Any]] = {}
    for row in await session.fetch(_SEEN, assets=ids, day=today, known=known_ms):
        told = found.get(row["asset_id"])
        if told is None or told["seen_at_ms"] < row["at_ms"]:
            found[row["asset_id"]] = {"seen_at_ms": row["at_ms"], "seen_as": row["seen_as"]}
    return found


def no_residual(line: Line) -> str | None:
    """Return of NO_RESIDUAL why a line has no residual value; None where it has one.

    A stock-take closed before reasons were kept says what can still be told of its lines.
    """
    if line.residual_dong is not None:
        return None
    if line.state == "surplus":
        return "surplus"
    if line.why is not None:
        return {"elsewhere": "other_book", "draft": "no_paper"}.get(line.why, line.why)
    if line.residual_why is not None:
        return line.residual_why
    return "tool" if line.asset_class == "tool" else "unknown"


def count_states(lines: Sequence[Line]) -> Mapping[str, int]:
    """Return how many lines are in each state; 0 where none is."""
    counts = dict.fromkeys(LINE_STATES, 0)
    for line in lines:
        counts[line.state] += 1
    return counts


def next_command(take: int, line: Line, unit_code: str) -> str | None:
    """Return the command that settles a line; … stands for what only a person knows. None: none.

    ``unit_code`` is the unit that is counted.
    """
    if line.state == "unanswered":
        return f"kiemke count add {take} {line.code} --result … --by …"
    if line.state == "missing":
        return f"kiemke asset status {line.code} lost {_PAPER}"
    if line.state == "broken":
        return f"kiemke asset status {line.code} broken {_PAPER}"
    giver = f"official:{line.holder_code}" if line.holder_code else f"unit:{line.unit_code or '…'}"
    hand_over = f"kiemke asset handover {line.code} --from {giver} --to unit:"
    if line.state == "elsewhere":
        if line.found_unit in (None, line.unit_code):  # another room: who answers for it stays
            own = f"unit:{line.unit_code or '…'}"
            room = quote(line.found_place) if line.found_place else "…"
            return f"kiemke asset handover {line.code} --from {own} --to {own} --place {room} --day … --paper …"
        return f"{hand_over}{line.found_unit} --day … --paper …"
    if line.state == "surplus":
        return "kiemke template assets"
    if line.why == "draft":
        return f"kiemke asset set {line.code} --ownership owned {_PAPER}"
    if line.why == "gone":
        return f"kiemke asset status {line.code} in_use {_PAPER}"
    return f"{hand_over}{unit_code} --day … --paper …" if line.why else None
