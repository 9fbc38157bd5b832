"""What a recount reads: each fact behind coverage as columns over the whole country.

The facts are those of ``coverage_sql`` without its joins: here each table is read once from end to end,
and ``coverage_fold`` puts them together. With a hundred thousand PCs that takes a third of the time.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.domain.coverage_sql import UNAPPROVED, expand

Columns = Sequence[Sequence[Any]]
# Of one PC that several answer for: the official (None: a whole unit), and the unit.
Share = tuple[int | None, int]


@dataclass(frozen=True, slots=True)
class Facts:
    """Columns by fact, each fact's of one length, as valid on the day and known at the moment.

    ``custody``: asset, unit, official (None: the unit's), whether it has a reason to carry no agent; PCs that may
    count only. ``in_use``: asset. ``matches``: asset, machine. ``machine_sources``: machine, source. ``presence``:
    source, account ("" nobody), its days in the window as bits, the newest trusted of them as ``presence_blocks.code``
    (None: none), per block of days. ``unapproved``: source, state. ``accounts``: official, account in small letters
    (None: none). ``members``: official, unit, kind; of two for one official the last row stands. ``absent``:
    official. ``counts``: asset, result, day. ``surveys``: machine, day.
    """

    custody: Columns
    in_use: Columns
    matches: Columns
    machine_sources: Columns
    presence: Columns
    unapproved: Columns
    accounts: Columns
    members: Columns
    absent: Columns
    counts: Columns
    surveys: Columns


# By fact: its columns, and where they are read. The first half and the second take about as long.
_READINGS = {
    "custody": (
        ("asset_id", "unit_id", "official_id", "no_agent"),
        """
SELECT c.asset_id, c.unit_id, c.official_id, CASE WHEN a.id IN :[otherwise]
  THEN a.id IN :[no_agent_then] ELSE a.no_agent_reason IS NOT NULL END AS no_agent
FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE @active(c) AND @counts_as_pc
""",
    ),
    "in_use": (
        ("asset_id",),
        "SELECT t.asset_id FROM asset_status t WHERE t.status = 'in_use' AND @active(t)",
    ),
    "members": (
        ("official_id", "unit_id", "kind"),
        # One primary membership a person; were there two, the older row stands.
        "SELECT n.official_id, n.unit_id, n.kind FROM membership n"
        " WHERE @active(n) AND n.is_primary ORDER BY n.id DESC",
    ),
    "absent": (("official_id",), "@absent"),
    "counts": (("asset_id", "result", "valid_from"), "@newest_count"),
    "surveys": (("machine_id", "day"), "@machines_surveyed"),
    "matches": (
        ("asset_id", "machine_id"),
        "SELECT x.asset_id, x.machine_id FROM asset_match x WHERE @active(x)",
    ),
    "machine_sources": (
        ("machine_id", "source_id"),
        "SELECT y.machine_id, y.source_id FROM machine_source y WHERE @active(y)",
    ),
    "presence": (
        ("source_id", "account", "days", "last_seen"),
        """
SELECT e.source_id, e.account, e.account_days & @mask(e) AS days,
  CASE WHEN e.trusted_days & @mask(e) <> 0
    THEN e.block * @block_code + (e.trusted_days & @mask(e)) END AS last_seen
FROM presence_block e WHERE e.block BETWEEN :first_block AND :last_block
""",
    ),
    "unapproved": (("id", "state"), UNAPPROVED),
    "accounts": (("id", "account"), "SELECT o.id, LOWER(o.account) AS account FROM official o"),
}


@lru_cache(maxsize=4)
def _statements(dialect: str, blocks: int) -> dict[str, tuple[tuple[str, ...], str]]:
    return {
        fact: (names, expand(text, dialect, blocks)) for fact, (names, text) in _READINGS.items()
    }


async def load_facts(sessions: Sequence[Session], params: Mapping[str, Any]) -> Facts:
    """Read every fact, on connections that see the same moment; ``params`` as ``statement_params`` gives them."""
    statements = list(_statements(sessions[0].dialect, params["blocks"]).items())
    share = -(-len(statements) // len(sessions))

    async def read(session: Session, part: int) -> dict[str, Columns]:
        return {
            fact: await session.columns(names, sql, **params)
            for fact, (names, sql) in statements[part * share : (part + 1) * share]
        }

    readings = [asyncio.ensure_future(read(each, n)) for n, each in enumerate(sessions)]
    try:
        # Not a TaskGroup: who asked knows the database's own errors, not groups of them.
        parts = await asyncio.gather(*readings)
    finally:
        for reading in readings:
            reading.cancel()
        await asyncio.wait(readings)
    found = {fact: columns for part in parts for fact, columns in part.items()}
    for fact in ("counts", "surveys"):
        found[fact] = [*found[fact][:-1], [as_date(day) for day in found[fact][-1]]]
    return Facts(**found)


async def load_shares(
    session: Session, params: Mapping[str, Any], assets: Sequence[int]
) -> list[Share]:
    """Return who shares these PCs: the official (None: a whole unit) and the unit of each share."""
    sql = "SELECT c.official_id, c.unit_id FROM custody c WHERE c.asset_id IN :[assets] AND @active(c)"
    found = await session.columns(
        ("official_id", "unit_id"),
        expand(sql, session.dialect, params["blocks"]),
        **{**params, "assets": list(assets)},
    )
    return list(zip(*found, strict=True))
