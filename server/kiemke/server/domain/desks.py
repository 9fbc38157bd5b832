"""One-stop desks against their checklist: what is required, booked there, seen working, or found.

A thing is a desk's when its custody names the desk's code, or the desk's name in the desk's own unit.
Only things in use are present. Working is what an agent or a collector saw; a thing that nothing looks
at is unknown, never broken; a count by a person says it is there, not that it works.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain import calendar, rules, rules_dated
from kiemke.server.domain.ownership import KIND, OWNERSHIP
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, Ruling
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words

RULES_FILE = "desks.toml"
DESK = "one_stop_desk"
# A device that answered within a day is there now.
ANSWERED_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the checklist: how many things of which kinds a desk must have."""

    name: str
    order: int
    kinds: frozenset[str]
    count: int
    source: Words | None


@dataclass(frozen=True, slots=True)
class Thing:
    """A thing booked at a desk. ``working`` None: nothing looks at it. ``found`` is by a count."""

    code: str
    kind: str
    in_use: bool
    working: bool | None
    found: bool | None


@dataclass(frozen=True, slots=True)
class DeskRow:
    """One line of one desk's checklist; ``things`` are all that serve it, those not in use as well."""

    desk_code: str
    desk_name: str
    unit_id: int
    item: str
    required: int
    source: Words | None
    things: tuple[Thing, ...]

    @property
    def present(self) -> int:
        """Things on the book there, in use and not missed by a count."""
        return sum(1 for thing in self.things if thing.in_use and thing.found is not False)

    @property
    def working(self) -> int:
        """Of those present, the ones an agent or collector saw."""
        return self._present_with(True)

    @property
    def silent(self) -> int:
        """Of those present, the ones watched and not seen."""
        return self._present_with(False)

    @property
    def unknown(self) -> int:
        """Of those present, the ones nothing looks at."""
        return self._present_with(None)

    @property
    def found(self) -> int:
        """Of those present, the ones a person found within the year."""
        return sum(1 for thing in self.things if thing.in_use and thing.found is True)

    def _present_with(self, working: bool | None) -> int:
        return sum(
            1
            for thing in self.things
            if thing.in_use and thing.found is not False and thing.working is working
        )

    @property
    def lack(self) -> int:
        """How many things are wanting on the book."""
        return max(0, self.required - self.present)

    @property
    def finding(self) -> str:
        """ "lack", "not_working" (too few can be working), "unknown" or "ok"."""
        if self.lack:
            return "lack"
        if self.working + self.unknown < self.required:
            return "not_working"
        return "ok" if self.working >= self.required else "unknown"


FINDINGS = ("lack", "not_working", "unknown", "ok")

_DESKS = dated("""
SELECT p.place_id, p.code, p.name, p.unit_id, p.sort_key FROM place_version p
WHERE p.kind = :kind AND {active p} AND (CAST(:all_units AS INTEGER) = 1 OR p.unit_id IN :[units])
ORDER BY p.sort_key, p.place_id
""")
_THINGS = dated(
    """
SELECT a.id, a.code, @kind AS kind, c.unit_id, c.place, c.at_place_id,
  (SELECT MAX(t.status) FROM asset_status t WHERE t.asset_id = a.id AND {active t}) AS status
FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE {active c} AND (c.place IS NOT NULL OR c.at_place_id IS NOT NULL)
  AND @kind IN :[kinds.text] AND @ownership NOT IN ('unproven', 'private')
  AND (CAST(:all_units AS INTEGER) = 1 OR c.unit_id IN :[units])
ORDER BY a.code, a.id, c.id
""".replace("@ownership", OWNERSHIP).replace("@kind", KIND)
)
_SEEN = dated("""
SELECT x.asset_id, MAX(CASE WHEN p.day IS NULL THEN 0 ELSE 1 END) AS seen
FROM asset_match x
JOIN machine_source y ON y.machine_id = x.machine_id AND {active y}
JOIN source s ON s.id = y.source_id AND s.state = 'approved'
LEFT JOIN presence_day p ON p.source_id = s.id AND p.day >= :first AND p.day <= :day
  AND p.trusted_slots > 0
WHERE {active x} AND x.asset_id IN :[ids] GROUP BY x.asset_id
""")
_ANSWERED = dated("""
SELECT x.asset_id, MAX(CASE WHEN n.answered_at_ms >= :since THEN 1 ELSE 0 END) AS seen
FROM device_match x JOIN device_now n ON n.device_id = x.device_id
WHERE {active x} AND x.asset_id IN :[ids] GROUP BY x.asset_id
""")
_COUNTS = """
SELECT asset_id, result, valid_from FROM counted_asset
WHERE asset_id IN :[ids] AND valid_from <= :day AND valid_from > :since
  AND recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)
ORDER BY valid_from, recorded_at_ms, id
"""


async def load_items(session: Session, day: date, known_ms: int) -> tuple[list[Item], DayRules]:
    """Return the checklist of a day, in order, and its rules. Raises UnusableRule."""
    by_day = (await rules_dated.load(session, RULES_FILE)).on(day, known_ms)
    items = [_item(ruling) for ruling in by_day.subjects("desk_item")]
    return sorted(items, key=lambda item: (item.order, item.name)), by_day


def _item(ruling: Ruling) -> Item:
    value = ruling.value
    if not isinstance(value, dict) or value.keys() != {"order", "kinds", "count"}:
        raise UnusableRule(f"rule 'desk_item {ruling.subject}' must have order, kinds and count")
    kinds = value["kinds"]
    numbers = (value["order"], value["count"])
    if (
        not isinstance(kinds, list)
        or not all(isinstance(kind, str) for kind in kinds)
        or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in numbers)
    ):
        raise UnusableRule(f"rule 'desk_item {ruling.subject}': {value!r} cannot be read")
    return Item(ruling.subject, value["order"], frozenset(kinds), value["count"], ruling.source)


async def load(
    session: Session, day: date, known_ms: int, now_ms: int | None, units: list[int] | None
) -> list[DeskRow]:
    """Return every line of every desk, by desk and item; ``units`` None is all.

    Devices answer for the present alone: ``now_ms`` None asks about an older day, of which theirs
    is unknown. Raises UnusableRule.
    """
    items, by_day = await load_items(session, day, known_ms)
    asked: dict[str, Any] = {"day": day, "known": known_ms}
    scope = {"units": units or [], "all_units": 1 if units is None else 0}
    desks = await session.fetch(_DESKS, kind=DESK, **asked, **scope)
    kinds = sorted(set().union(*(item.kinds for item in items))) if items else []
    rows = await session.fetch(_THINGS, kinds=kinds, **asked, **scope)
    at_desk = _by_desk(desks, rows)
    ids = sorted({row["id"] for found in at_desk.values() for row in found})
    working = await _working(session, day, known_ms, now_ms, ids)
    found = await _found(session, day, known_ms, ids)
    lines = []
    for desk in desks:
        things = {
            row["id"]: Thing(
                row["code"],
                row["kind"],
                row["status"] == "in_use",
                working.get(row["id"]),
                found.get(row["id"]),
            )
            for row in at_desk[desk["place_id"]]
        }
        lines += [_line(desk, item, by_day, list(things.values())) for item in items]
    return [line for line in lines if line.required or line.things]


def _line(desk: Row, item: Item, by_day: DayRules, things: list[Thing]) -> DeskRow:
    required, source = item.count, item.source
    own = by_day.rulings.get(("desk_count", f"{desk['code']}/{item.name}"))
    if own is not None:
        if isinstance(own.value, bool) or not isinstance(own.value, int) or own.value < 0:
            raise UnusableRule(f"rule 'desk_count {own.subject}' must be a whole number")
        required, source = own.value, own.source
    serving = tuple(thing for thing in things if thing.kind in item.kinds)
    return DeskRow(
        desk["code"], desk["name"], desk["unit_id"], item.name, required, source, serving
    )


def _by_desk(desks: list[Row], rows: list[Row]) -> dict[int, list[Row]]:
    """Return the things of each desk, by its place's id.

    A place that custody names is it; only without one do the words of "place" tell, by code or name.
    """
    ids = {desk["place_id"] for desk in desks}
    by_code = {search_key(desk["code"]): desk["place_id"] for desk in desks}
    by_name = {(desk["unit_id"], search_key(desk["name"])): desk["place_id"] for desk in desks}
    found: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        place = row["at_place_id"]
        if place is None:
            words = search_key(row["place"])
            place = by_code.get(words) or by_name.get((row["unit_id"], words))
        if place in ids:
            found[place].append(row)
    return found


async def _working(
    session: Session, day: date, known_ms: int, now_ms: int | None, ids: list[int]
) -> dict[int, bool]:
    law = await rules.load(session, day, known_ms)
    window = (await calendar.load(session, known_ms)).working_days_up_to(
        day, law.whole("coverage_evidence_working_days")
    )
    first = window[-1] if window else day
    rows = await session.fetch(_SEEN, ids=ids, day=day, known=known_ms, first=first)
    found = {row["asset_id"]: bool(row["seen"]) for row in rows}
    if now_ms is not None:
        since = now_ms - ANSWERED_MS
        for row in await session.fetch(_ANSWERED, ids=ids, day=day, known=known_ms, since=since):
            found[row["asset_id"]] = found.get(row["asset_id"], False) or bool(row["seen"])
    return found


async def _found(session: Session, day: date, known_ms: int, ids: list[int]) -> dict[int, bool]:
    law = await rules.load(session, day, known_ms)
    since = day - timedelta(days=law.whole("coverage_count_days"))
    rows = await session.fetch(_COUNTS, ids=ids, day=day, known=known_ms, since=since)
    return {row["asset_id"]: row["result"] == "seen" for row in rows}
