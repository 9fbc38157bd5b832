"""Fitness of every unit recounted by the leader: what PCs told is read once and kept until it changes."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.coverage_figures import store
from kiemke.server.domain.fit import (
    FitRow,
    judge,
    read_facts_of,
    read_persons,
    read_posts,
    read_setting,
)
from kiemke.server.domain.fit_facts import SECTIONS, Facts
from kiemke.server.domain.rollup import roll_up
from kiemke.server.domain.tables import dated

Guard = Callable[[Session], Awaitable[None]]
OWN, SUBTREE = "fit", "subtree_fit"
# A section's change bears the sender's time: one that came late is found by the next whole reading.
_OVERLAP_MS = 3_600_000
_WHOLE_MS = 86_400_000
_PAGE_SOURCES = 2_000

_TREE = dated("SELECT v.unit_id, v.parent_id FROM unit_version v WHERE {active v}")
_CHANGED = """
SELECT DISTINCT source_id FROM source_section
WHERE changed_at_ms >= :since AND section IN :[sections.text] ORDER BY source_id
"""


@dataclass(slots=True)
class Recounter:
    """One process's memory of what sources told; a recount reads only sections that changed."""

    db: Database
    _facts: dict[int, Facts] = field(default_factory=dict)
    _read_until_ms: int = 0
    _read_whole_ms: int = 0

    async def run(self, now_ms: int, guard: Guard | None = None) -> int:
        """Recount the last finished day; return how many figures changed."""
        async with self.db.reading() as session:
            row = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
            if row is None:
                return 0
            day = calendar.last_finished_day(now_ms, row["utc_offset_seconds"])
            await self._take(session, now_ms)
            rows = await self._judge(session, day, now_ms)
            tree = await session.fetch(_TREE, day=day, known=now_ms)
        found = count(rows, tree)
        return await store(self.db, (OWN, SUBTREE), found, now_ms, guard)

    async def _judge(self, session: Session, day: date, now_ms: int) -> list[FitRow]:
        persons = await read_persons(session, day, now_ms, None)
        posts = await read_posts(session, day, now_ms, None)
        setting = await read_setting(session, day, now_ms, self._facts)
        # A country is seconds of arithmetic: not in the event loop.
        return await asyncio.to_thread(judge, persons, posts, setting)

    async def _take(self, session: Session, now_ms: int) -> None:
        """Read what changed since last time, once a day everything."""
        since = max(0, self._read_until_ms - _OVERLAP_MS)
        if now_ms - self._read_whole_ms >= _WHOLE_MS:
            since, self._read_whole_ms = 0, now_ms
        rows = await session.fetch(_CHANGED, sections=list(SECTIONS), since=since)
        sources = [row["source_id"] for row in rows]
        for start in range(0, len(sources), _PAGE_SOURCES):
            page = sources[start : start + _PAGE_SOURCES]
            self._facts.update(await read_facts_of(session, page, now_ms))
        self._read_until_ms = now_ms


def count(rows: list[FitRow], tree: list[Row]) -> dict[tuple[str, int, str], int]:
    """Return (family, unit, fitness) -> persons: each unit's own, and those of its whole subtree."""
    parents = {row["unit_id"]: row["parent_id"] for row in tree}
    own = Counter((row.unit_id, row.fitness) for row in rows)
    found = {(OWN, unit, fitness): persons for (unit, fitness), persons in own.items()}
    for (unit, fitness), persons in roll_up(own, parents).items():
        found[SUBTREE, unit, fitness] = persons
    return found
