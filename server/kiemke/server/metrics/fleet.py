"""The whole fleet as Prometheus text, from cached blocks: a scrape remakes only what changed.

Each scrape first reads the rows that changed since its own last read, with an overlap for clocks and
transactions under way, so no process answers older than another. Rows are never removed from the
tables they come from but ``coverage_now``'s, whose count and keys are compared each time.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar, rules
from kiemke.server.metrics.families import METRICS, Group
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family

_OVERLAP_MS = 60_000

_ACTIVE = (
    "valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)"
    " AND recorded_at_ms <= :now AND (voided_at_ms IS NULL OR voided_at_ms > :now)"
)
_UNITS = (
    "SELECT unit_id, parent_id, code, name, type FROM unit_version WHERE @active"
    " ORDER BY recorded_at_ms, id"
)
_LINKS = (
    "SELECT v.link_id, l.code, v.unit_id, v.name, v.kind, v.provider, v.down_bits_per_second,"
    " v.up_bits_per_second FROM link_version v JOIN link l ON l.id = v.link_id WHERE @active"
    " ORDER BY v.recorded_at_ms, v.id"
)
_SHARES = "SELECT DISTINCT link_id, unit_id FROM link_share WHERE @active ORDER BY unit_id"
_STAMP = " UNION ALL ".join(
    f"SELECT COUNT(*) AS count, MAX(recorded_at_ms) AS recorded, MAX(voided_at_ms) AS voided FROM {t}"  # noqa: S608 - constants
    for t in ("unit_version", "link_version", "link_share")
)
_COVERAGE_KEYS = "SELECT COUNT(*) AS count, SUM(id) AS ids FROM coverage_now"
_AGENTS = "SELECT COUNT(*) AS count FROM source WHERE kind = 'agent' AND state <> 'revoked'"

_SERIES = Family("kiemke_fleet_series", "gauge", "Series in this answer.")
_DROPPED = Family(
    "kiemke_fleet_dropped_series", "gauge", "Series left out because they exceed the budget."
)


class _Cache:
    """Blocks of one group, with the rows they were made of."""

    def __init__(self, group: Group) -> None:
        self.group = group
        self.rows: dict[object, dict[object, Row]] = defaultdict(dict)
        self.fresh: dict[object, object] = {}
        self.moment: object = None
        self.blocks: dict[object, Block] = {}

    def take(self, rows: Iterable[Row]) -> set[object]:
        """Remember rows; return the subjects of those that are new or moved."""
        touched: set[object] = set()
        for row in rows:
            subject, key = self.group.subject(row), self.group.row_key(row)
            before = self.rows[subject].get(key)
            if before is None or before != row:
                self.rows[subject][key] = row
                touched.add(subject)
        return touched

    def find_stale(self, context: Context) -> set[object]:
        """Return the subjects whose freshness moved since their block was made."""
        if not self.rows:
            return set()
        freshness = self.group.freshness
        if not self.group.ROWS_AGE:
            rows_of_one = next(iter(self.rows.values()))
            # One speaks for all: a fleet has a hundred thousand sources.
            before, self.moment = self.moment, freshness(next(iter(rows_of_one.values())), context)
            return set() if self.moment == before else set(self.rows)
        return {
            subject
            for subject, rows in self.rows.items()
            if self.fresh.get(subject) != [freshness(row, context) for row in rows.values()]
        }

    def remake(self, subjects: Iterable[object], context: Context) -> None:
        """Make the blocks of subjects anew."""
        for subject in subjects:
            rows = list(self.rows[subject].values())
            self.fresh[subject] = [self.group.freshness(row, context) for row in rows]
            block = self.group.render(rows, context) if rows else None
            if block is None:
                self.blocks.pop(subject, None)
            else:
                self.blocks[subject] = block


class Fleet:
    """The cache of one process. ``render`` is what a scrape answers."""

    def __init__(self, db: Database, poll_seconds: float, clock: Callable[[], int]) -> None:
        self.db = db
        self.clock = clock
        self.context = Context(0, poll_seconds)
        self._caches = [_Cache(group) for group in METRICS]
        self._read_at_ms = 0
        self._stamp: Any = None
        self._keys: Any = None
        self._budget = (0, 0)
        self._dropped: dict[int, set[object]] = {}
        self._lock = asyncio.Lock()

    async def render(self, roots: tuple[int, ...] | None = None) -> str:
        """Return the text of what these units' subtrees may see, everything for None."""
        async with self._lock:
            await self._refresh()
            scope = None if roots is None else set().union(*map(self._subtree, roots))
            return self._join(scope)

    async def _refresh(self) -> None:
        now_ms = self.clock()
        self.context.now_ms = now_ms
        async with self.db.reading() as session:
            installation = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installation is None:
                return
            day = calendar.local_day(now_ms, installation["utc_offset_seconds"])
            renamed = await self._read_names(session, day, now_ms)
            keys = await session.one(_COVERAGE_KEYS)
            since = max(0, self._read_at_ms - _OVERLAP_MS)
            changed = False
            for cache in self._caches:
                if cache.group.NAME == "units":
                    touched = cache.take(self.context.units.values()) if renamed else set()
                else:
                    if cache.group.NAME == "officials" and keys != self._keys:
                        touched = await self._reread(session, cache)
                    else:
                        touched = cache.take(await session.fetch(cache.group.CHANGED, since=since))
                    if renamed and cache.group.NAME == "links":
                        touched |= set(cache.rows)
                touched |= cache.find_stale(self.context)
                cache.remake(touched, self.context)
                changed = changed or bool(touched)
        self._keys, self._read_at_ms = keys, now_ms
        if changed:
            self._apply_budget()

    async def _reread(self, session: Session, cache: _Cache) -> set[object]:
        """Read a table whole because rows were removed from it; forget what is gone."""
        before = set(cache.rows)
        cache.rows.clear()
        touched = cache.take(await session.fetch(cache.group.CHANGED, since=0))
        for subject in before - touched:
            cache.blocks.pop(subject, None)
            cache.fresh.pop(subject, None)
        return touched

    async def _read_names(self, session: Session, day: date, now_ms: int) -> bool:
        """Read units, lines and shares anew when a row of theirs, or the day, changed."""
        agents = await session.one(_AGENTS)
        stamp = (day, await session.fetch(_STAMP))
        if stamp == self._stamp:
            return False
        law = await rules.load(session, day, now_ms)
        count = 0 if agents is None else agents["count"]
        self.context.agent_series = count <= law.whole("machine_series_max")
        self._budget = (law.whole("fleet_series_max"), law.whole("unit_series_max"))
        params = {"day": day, "now": now_ms}
        rows = await session.fetch(_UNITS.replace("@active", _ACTIVE), **params)
        self.context.units = {row["unit_id"]: row for row in rows}
        rows = await session.fetch(_LINKS.replace("@active", _ACTIVE), **params)
        self.context.links = {row["link_id"]: row for row in rows}
        self.context.shares = {}
        for row in await session.fetch(_SHARES.replace("@active", _ACTIVE), **params):
            self.context.shares.setdefault(row["link_id"], []).append(row["unit_id"])
        self._forget_units()
        self._stamp = stamp
        return True

    def _forget_units(self) -> None:
        cache = next(cache for cache in self._caches if cache.group.NAME == "units")
        for subject in [s for s in cache.rows if s not in self.context.units]:
            for store in (cache.rows, cache.blocks, cache.fresh):
                store.pop(subject, None)

    def _apply_budget(self) -> None:
        """Choose the blocks that exceed what one unit, or all together, may have."""
        total, of_unit = 0, defaultdict[int | None, int](int)
        most, most_of_unit = self._budget
        self._dropped = {}
        for place, cache in enumerate(self._caches):
            for subject, block in cache.blocks.items():
                mine = of_unit[block.unit_id] + block.series
                if total + block.series > most or mine > most_of_unit:
                    self._dropped.setdefault(place, set()).add(subject)
                else:
                    total += block.series
                    of_unit[block.unit_id] = mine

    def _subtree(self, unit_id: int) -> set[int]:
        children: dict[int | None, list[int]] = defaultdict(list)
        for unit in self.context.units.values():
            children[unit["parent_id"]].append(unit["unit_id"])
        found, waiting = {unit_id}, [unit_id]
        while waiting:
            for child in children[waiting.pop()]:
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return found

    def _join(self, scope: set[int] | None) -> str:
        parts: list[str] = []
        series = dropped = 0
        for place, cache in enumerate(self._caches):
            refused = self._dropped.get(place, set())
            shown = [
                (subject, block)
                for subject, block in cache.blocks.items()
                if scope is None or block.unit_id in scope
            ]
            if refused:
                dropped += sum(block.series for subject, block in shown if subject in refused)
                shown = [(subject, block) for subject, block in shown if subject not in refused]
            texts = [block.texts for _, block in shown]
            series += sum(block.series for _, block in shown)
            for number, family in enumerate(cache.group.FAMILIES):
                body = "".join([text[number] for text in texts])
                if body:
                    parts += (family.header(), body)
        for family, value in ((_SERIES, series + 2), (_DROPPED, dropped)):
            parts.append(f"{family.header()}{family.name} {value}\n")
        return "".join(parts)
