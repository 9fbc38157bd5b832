"""Coverage: how many officials have a PC, and how many of those PCs were seen where the book says.

Recounted whole by one statement (``coverage_sql``); ``coverage_now`` holds the last finished day and
is touched only where a figure changed. Integers only; absent figures are None.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from kiemke.server.db import Database, Row, Session, as_date
from kiemke.server.domain import calendar, presence_blocks, rules
from kiemke.server.domain.coverage_accounts import nobody
from kiemke.server.domain.coverage_sql import figures_sql

Guard = Callable[[Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One unit's figures for one population: its own people (``own_*``) and its whole subtree's.

    ``kinds`` is a comma list of kinds of officials, "" for all. officials = no_pc + verified +
    counted + contradicted + silent + unmatched. ``shared_access`` is a part of no_pc.
    ``evidence_age_working_days`` counts the working days after the newest trusted sign of any
    verified person's PC in the subtree, None where nobody is verified. ``pcs`` are PCs booked there.
    """

    unit_id: int
    kinds: str
    day: date
    own_officials: int
    own_can_bo: int
    own_cong_chuc: int
    own_vien_chuc: int
    own_hop_dong: int
    own_no_pc: int
    own_verified: int
    own_counted: int
    own_contradicted: int
    own_silent: int
    own_unmatched: int
    own_excluded: int
    own_shared_access: int
    own_pcs: int
    officials: int
    no_pc: int
    verified: int
    counted: int
    contradicted: int
    silent: int
    unmatched: int
    excluded: int
    shared_access: int
    pcs: int
    target_thousandths: int | None
    ratio_target_thousandths: int | None
    evidence_age_working_days: int | None

    @property
    def declared(self) -> int:
        """Persons of the subtree with a PC in their personal custody."""
        return self.officials - self.no_pc

    @property
    def ratio(self) -> Fraction | None:
        """PCs booked in the subtree per person, uncapped; None without persons."""
        return Fraction(self.pcs, self.officials) if self.officials else None


_COLUMNS = tuple(field.name for field in fields(CoverageRow))


async def statement_params(session: Session, day: date, known_ms: int) -> dict[str, Any]:
    """Return what the statement of ``coverage_sql`` needs for a day as known at a moment."""
    law = await rules.load(session, day, known_ms)
    days = (await calendar.load(session, known_ms)).working_days_up_to(
        day, law.whole("coverage_evidence_working_days")
    )
    window = presence_blocks.window(days)
    return {
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
        "count_since": day - timedelta(days=law.whole("coverage_count_days")),
    }


# Until the pool takes the connection back. Compiling this statement takes longer than running it;
# its sorts and hashes fit in this memory; every join is of whole tables, so that nested loops only
# come of wrong estimates.
_POSTGRES_SETTINGS = """
SELECT set_config('jit', 'off', false), set_config('work_mem', '64MB', false),
  set_config('enable_nestloop', 'off', false)
"""


async def recount(session: Session, day: date, known_ms: int) -> list[CoverageRow]:
    """Return every unit's figures at 24:00 of ``day`` as the system knew at ``known_ms``.

    Each unit has the population of all kinds (``kinds`` "") and one for each kinds its targets name.
    """
    params = await statement_params(session, day, known_ms)
    if session.dialect == "postgres":
        await session.execute(_POSTGRES_SETTINGS)
    rows = await session.fetch(figures_sql(session.dialect, params["blocks"]), **params)
    return [_row({**row, "day": day}) for row in rows]


def _row(row: Row) -> CoverageRow:
    return CoverageRow(**{name: row[name] for name in _COLUMNS})


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
    return _row({**row, "day": as_date(row["day"])})


async def refresh_now(db: Database, now_ms: int, guard: Guard | None = None) -> int:
    """Recount the last finished day into ``coverage_now``; return how many rows changed.

    ``guard`` runs first in the writing transaction and raises when this process may not write.
    The recount itself reads outside of it, so that nobody waits for a write lock meanwhile.
    """
    async with db.reading() as session:
        installation = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installation is None:
            return 0
        day = calendar.last_finished_day(now_ms, installation["utc_offset_seconds"])
        rows = await recount(session, day, now_ms)
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
