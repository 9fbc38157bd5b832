"""Coverage: how many officials have a PC, and how many of those PCs were seen where the book says.

Recounted whole from columns of facts (``coverage_facts``, ``coverage_fold``) and by a walk up the tree
(``coverage_rollup``); ``coverage_now`` holds the last finished day and is touched only where a figure
changed. Integers only; absent figures are None.
"""

import asyncio
import gc
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, fields
from datetime import date, timedelta
from operator import itemgetter
from typing import Any, TypeVar

from kiemke.server.db import Database, Row, Session, as_date
from kiemke.server.domain import calendar, presence_blocks, rules
from kiemke.server.domain.coverage_accounts import nobody
from kiemke.server.domain.coverage_facts import load_facts, load_shares
from kiemke.server.domain.coverage_fold import fold, read_book
from kiemke.server.domain.coverage_rollup import CoverageRow, Leaf, Target, roll_up
from kiemke.server.domain.elsewhere import contradicting, load_elsewhere
from kiemke.server.domain.names_then import load_renamed
from kiemke.server.domain.ownership import load_ownership
from kiemke.server.domain.tables import dated

Guard = Callable[[Session], Awaitable[None]]
_Result = TypeVar("_Result")


_COLUMNS = tuple(field.name for field in fields(CoverageRow))


async def statement_params(session: Session, day: date, known_ms: int) -> dict[str, Any]:
    """Return what the statement of ``coverage_sql`` needs for a day as known at a moment."""
    law = await rules.load(session, day, known_ms)
    days = (await calendar.load(session, known_ms)).working_days_up_to(
        day, law.whole("coverage_evidence_working_days")
    )
    window = presence_blocks.window(days)
    stood = await load_elsewhere(session, window, day, known_ms, law)
    return {
        **await load_ownership(session, day, known_ms),
        **await load_renamed(session, day, known_ms),
        "day": day,
        "known": known_ms,
        "days": json.dumps(window.days),
        "blocks": len(window.masks),
        "first_block": window.masks[0][0],
        "last_block": window.masks[-1][0],
        **{f"block{n}": block for n, (block, _) in enumerate(window.masks)},
        **{f"mask{n}": mask for n, (_, mask) in enumerate(window.masks)},
        "long_absence": law.whole("coverage_long_absence_days"),
        "foreign_days": law.whole("coverage_foreign_account_days"),
        "nobody": sorted(nobody(law)),
        "elsewhere": contradicting(stood, law),
        "stood": stood,  # for who explains it; the statement reads the line above
        "count_since": day - timedelta(days=law.whole("coverage_count_days")),
    }


# Until the pool takes the connection back. Compiling this statement takes longer than running it;
# its sorts and hashes fit in this memory; every join is of whole tables, so that nested loops only
# come of wrong estimates. Connections that share one recount are as many as its workers would be.
_POSTGRES_SETTINGS = """
SELECT set_config('jit', 'off', false), set_config('work_mem', '64MB', false),
  set_config('enable_nestloop', 'off', false),
  set_config('max_parallel_workers_per_gather', :workers, false)
"""


_TREE = "SELECT v.unit_id, v.parent_id FROM unit_version v WHERE {active v}"
_TARGETS = (
    "SELECT g.unit_id, g.kinds, g.measure, g.target_thousandths FROM coverage_target g"
    " WHERE {active g} ORDER BY g.target_thousandths"
)


async def make_ready(session: Session, workers: int = 2) -> None:
    """Make a connection ready for the statement, until it is given back."""
    if session.dialect == "postgres":
        await session.execute(_POSTGRES_SETTINGS, workers=str(workers))


async def recount(session: Session, day: date, known_ms: int) -> list[CoverageRow]:
    """Return every unit's figures at 24:00 of ``day`` as the system knew at ``known_ms``.

    Each unit has the population of all kinds (``kinds`` "") and one for each kinds its targets name.
    """
    return await recount_together([session], day, known_ms)


async def recount_together(
    sessions: Sequence[Session], day: date, known_ms: int
) -> list[CoverageRow]:
    """Recount as ``recount`` does, on connections that see the same moment, each its share of facts."""
    first = sessions[0]
    params = await statement_params(first, day, known_ms)
    parents = await load_tree(first, day, known_ms)
    targets = await load_targets(first, day, known_ms)
    leaves = await load_leaves(sessions, params)
    # In a thread: it takes a country some tenths of a second.
    return await asyncio.to_thread(
        _uncollected, roll_up, day, parents, leaves, targets, working_codes(params)
    )


async def load_tree(session: Session, day: date, known_ms: int) -> dict[int, int | None]:
    """Return the units of a day, each with the one above it."""
    rows = await session.fetch(dated(_TREE), day=day, known=known_ms)
    return {row["unit_id"]: row["parent_id"] for row in rows}


async def load_targets(session: Session, day: date, known_ms: int) -> list[Target]:
    """Return what units should reach on a day; of two for the same thing the higher."""
    found: dict[tuple[int, str], dict[str, int]] = {}
    for row in await session.fetch(dated(_TARGETS), day=day, known=known_ms):
        told = found.setdefault((row["unit_id"], row["kinds"]), {})
        told[row["measure"]] = row["target_thousandths"]
    return [
        Target(unit_id, kinds, told.get("coverage"), told.get("ratio"))
        for (unit_id, kinds), told in found.items()
    ]


async def load_leaves(sessions: Sequence[Session], params: Mapping[str, Any]) -> list[Leaf]:
    """Return what each unit has itself; ``params`` as ``statement_params`` gives them."""
    for session in sessions:
        await make_ready(session, workers=0 if len(sessions) > 1 else 2)
    facts = await load_facts(sessions, params)
    book = await asyncio.to_thread(read_book, facts)
    shares = await load_shares(sessions[0], params, book.shared)
    return await asyncio.to_thread(_uncollected, fold, facts, book, shares, params)


def _uncollected(function: Callable[..., _Result], *args: Any) -> _Result:
    """Call a function without the garbage collector.

    It would look through the whole process several times while a country's figures are made, of which
    none holds another.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return function(*args)
    finally:
        if was_on:
            gc.enable()


def working_codes(params: Mapping[str, Any]) -> list[int]:
    """Return the window's working days in the code of ``Leaf.last_seen``."""
    return [presence_blocks.code(d["block"], d["bit"]) for d in json.loads(params["days"])]


_values = itemgetter(*_COLUMNS)


def _row(row: Row) -> CoverageRow:
    return CoverageRow(*_values(row))


_READ_NOW = "SELECT * FROM coverage_now"
_SAVE = """
INSERT INTO coverage_now (@names, changed_at_ms) VALUES (@values, :changed_at_ms)
ON CONFLICT (unit_id, kinds) DO UPDATE SET @updates, changed_at_ms = excluded.changed_at_ms
"""


def _save_sql() -> str:
    updates = ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[2:])
    text = _SAVE.replace("@names", ", ".join(_COLUMNS)).replace("@updates", updates)
    return text.replace("@values", ", ".join(f":{name}" for name in _COLUMNS))


async def read_now(session: Session) -> list[CoverageRow]:
    """Return the figures of the last recount."""
    return [now_row(row) for row in await session.fetch(_READ_NOW)]


def now_row(row: Row) -> CoverageRow:
    """Return a row of ``coverage_now`` as figures; further columns are left aside."""
    row["day"] = as_date(row["day"])
    return _row(row)


async def refresh_now(db: Database, now_ms: int, guard: Guard | None = None) -> int:
    """Recount the last finished day into ``coverage_now``; return how many rows changed.

    ``guard`` runs first in the writing transaction and raises when this process may not write.
    The recount itself reads outside of it, so that nobody waits for a write lock meanwhile.
    """
    async with db.reading_together() as sessions:
        session = sessions[0]
        installation = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installation is None:
            return 0
        day = calendar.last_finished_day(now_ms, installation["utc_offset_seconds"])
        rows = await recount_together(sessions, day, now_ms)
        before = {(row.unit_id, row.kinds): row for row in await read_now(session)}
    changed = [row for row in rows if before.pop((row.unit_id, row.kinds), None) != row]
    if changed or before:
        async with db.transaction() as session:
            if guard is not None:
                await guard(session)
            await session.many(
                _save_sql(), [{**asdict(r), "changed_at_ms": now_ms} for r in changed]
            )
            await session.many(
                "DELETE FROM coverage_now WHERE unit_id = :unit_id AND kinds = :kinds",
                [{"unit_id": unit_id, "kinds": kinds} for unit_id, kinds in before],
            )
    return len(changed) + len(before)


def percent(part: int, whole: int, small_unit: int = 5) -> str | None:
    """Return "97.5 %", rounded down to 0.1, so that "100 %" is said only of all.

    None for fewer than ``small_unit`` persons: there the two numbers say it.
    """
    if whole < max(small_unit, 1):
        return None
    if part == whole:
        return "100 %"
    tenths = part * 1000 // whole
    return f"{tenths // 10}.{tenths % 10} %"
