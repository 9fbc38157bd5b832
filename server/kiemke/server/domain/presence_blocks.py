"""Presence days folded into bits: what a coverage recount reads instead of walking the day rows.

A block is BLOCK_DAYS days on end, counted from 1970-01-01; bit n of a set is its day n. A row holds
one source's days of one block under one main account ("" for nobody): ``account_days`` are the days
it was the main one, ``trusted_days`` those of them with a trusted slot. So any window of days is read
from one or two rows a source, whatever the date. Whoever writes or deletes ``presence_day`` rows says
so to ``record`` in the same transaction; ``rebuild`` makes the whole table anew from them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date

# The number of a block and its days share one BIGINT in the recount: 15 bits and 48.
BLOCK_DAYS = 48
EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class DayFact:
    """What one day of one source says: its main account ("" for nobody) and whether it is trusted."""

    account: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One day of one source, counted from 1970-01-01, before and after; None where there is no row."""

    source_id: int
    day_number: int
    before: DayFact | None
    after: DayFact | None


@dataclass(frozen=True, slots=True)
class Window:
    """Some days as the table stores them.

    ``days`` has each with its ``block`` and ``bit``, in the order given; ``masks`` the blocks they
    lie in, in order, each with its days as bits. No days are one block with an empty set.
    """

    days: tuple[dict[str, Any], ...]
    masks: tuple[tuple[int, int], ...]


def window(days: Sequence[date]) -> Window:
    """Return where these days stand."""
    placed = []
    masks: dict[int, int] = {}
    for day in days:
        block, bit = divmod((day - EPOCH).days, BLOCK_DAYS)
        placed.append({"day": day.isoformat(), "block": block, "bit": 1 << bit})
        masks[block] = masks.get(block, 0) | 1 << bit
    return Window(tuple(placed), tuple(sorted(masks.items())) or ((0, 0),))


def code(block: int, days: int) -> int:
    """Return days of one block as one number that orders as the newest of them does."""
    return (block << BLOCK_DAYS) + days


_SET = """
INSERT INTO presence_block (source_id, block, account, account_days, trusted_days)
VALUES (:source, :block, :account, :days, :trusted)
ON CONFLICT (source_id, block, account) DO UPDATE SET
  account_days = presence_block.account_days | excluded.account_days,
  trusted_days = (presence_block.trusted_days & ~excluded.account_days) | excluded.trusted_days
"""
_CLEAR = """
UPDATE presence_block SET account_days = account_days & ~CAST(:days AS BIGINT),
  trusted_days = trusted_days & ~CAST(:days AS BIGINT)
WHERE source_id = :source AND block = :block AND account = :account
"""
_SWEEP = """
DELETE FROM presence_block
WHERE source_id = :source AND block = :block AND account = :account AND account_days = 0
"""


async def record(session: Session, changes: Iterable[Change]) -> None:
    """Write the days whose account or trust changed; the caller holds the sources' locks."""
    gone: dict[tuple[int, int, str], int] = {}
    come: dict[tuple[int, int, str], list[int]] = {}
    for change in changes:
        if change.before == change.after:
            continue
        block, bit = divmod(change.day_number, BLOCK_DAYS)
        before, after = change.before, change.after
        if before is not None and (after is None or after.account != before.account):
            key = (change.source_id, block, before.account)
            gone[key] = gone.get(key, 0) | 1 << bit
        if after is not None:
            sets = come.setdefault((change.source_id, block, after.account), [0, 0])
            sets[0] |= 1 << bit
            sets[1] |= after.trusted << bit
    left = [_key(key) | {"days": days} for key, days in sorted(gone.items())]
    await session.many(_CLEAR, left)
    await session.many(
        _SET,
        [
            _key(key) | {"days": days, "trusted": trusted}
            for key, (days, trusted) in sorted(come.items())
        ],
    )
    await session.many(_SWEEP, [_key(key) for key in sorted(gone)])


async def forget(session: Session, gone: Sequence[Row]) -> None:
    """Take out deleted day rows: ``source_id``, ``day`` and ``main_account`` of each."""
    await record(
        session,
        [
            Change(
                row["source_id"],
                (as_date(row["day"]) - EPOCH).days,
                DayFact(row["main_account"] or "", trusted=False),
                None,
            )
            for row in gone
        ],
    )


def _key(key: tuple[int, int, str]) -> dict[str, Any]:
    return dict(zip(("source", "block", "account"), key, strict=True))


_NUMBER = {
    "sqlite": "CAST(julianday(day) - 2440587.5 AS INTEGER)",
    "postgres": "(day - DATE '1970-01-01')",
}
_REBUILD = """
INSERT INTO presence_block (source_id, block, account, account_days, trusted_days)
SELECT source_id, number / @block, account, SUM(bit), SUM(CASE WHEN trusted_slots > 0 THEN bit ELSE 0 END)
FROM (
  SELECT source_id, number, COALESCE(main_account, '') AS account, trusted_slots,
    CAST(1 AS BIGINT) << (number % @block) AS bit
  FROM (SELECT source_id, main_account, trusted_slots, @number AS number FROM presence_day) AS days
) AS bits
GROUP BY source_id, number / @block, account
"""


def rebuild_sql(dialect: str) -> str:
    """Return the statement that fills the empty table from all day rows."""
    return _REBUILD.replace("@number", _NUMBER[dialect]).replace("@block", str(BLOCK_DAYS))


async def rebuild(session: Session) -> None:
    """Make the table anew from the day rows."""
    await session.execute("DELETE FROM presence_block")
    await session.execute(rebuild_sql(session.dialect))
