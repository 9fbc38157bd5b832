"""Stays: what was seen where, from when to when; one row while it stays, another when it moves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from kiemke.server.db import Row, Session

# A device whose table is flooded with made-up MACs must not fill the database.
MOST_OPEN = 20_000


@dataclass(frozen=True, slots=True)
class StayTable:
    """A table of stays. Rows with equal ``same`` are one stay; of one ``key`` there is one at a time.

    ``key`` () means that any number may be there at once. ``facts`` are renewed when it is seen again.
    With ``ends`` a stay that a whole reading leaves out has ended; else it ends only when the same key
    is seen at another place.
    """

    name: str
    owner: str
    same: tuple[str, ...]
    key: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    ends: bool = False

    def of(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return what makes a row the stay it is."""
        return tuple(row[name] for name in self.same)


@dataclass(frozen=True, slots=True)
class Seen:
    """One reading: whose (``owner`` column's value), by which source, when, and when it came (ms)."""

    owner: int
    source: int
    at_ms: int
    received_at_ms: int


@cache
def _statements(table: StayTable) -> dict[str, str]:
    columns = (*table.same, *table.facts)
    names = (
        table.owner, "source_id", *columns, "first_seen_ms", "last_seen_ms", "recorded_at_ms",
    )  # fmt: skip
    values = (":owner", ":source", *(f":{name}" for name in columns), ":at", ":at", ":received")
    facts = "".join(f", {name} = :{name}" for name in table.facts)
    return {
        "open": f"SELECT id, last_seen_ms, {', '.join(columns)} FROM {table.name}"  # noqa: S608  # names of tables
        f" WHERE {table.owner} = :owner AND gone_ms IS NULL ORDER BY id",
        "add": f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({', '.join(values)})",  # noqa: S608
        "touch": f"UPDATE {table.name} SET last_seen_ms = :at, source_id = :source"  # noqa: S608
        " WHERE id IN :[ids]",
        "renew": f"UPDATE {table.name} SET last_seen_ms = :at, source_id = :source{facts}"  # noqa: S608
        " WHERE id = :id",
        "end": f"UPDATE {table.name} SET gone_ms = :at, ended_at_ms = :received"  # noqa: S608
        " WHERE id IN :[ids]",
    }


async def settle(
    session: Session, table: StayTable, seen: Seen, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Bring an owner's open stays in step with one reading of it."""
    sql = _statements(table)
    common = {"source": seen.source, "at": seen.at_ms}
    opened = await session.fetch(sql["open"], owner=seen.owner)
    wanted = {table.of(row): row for row in rows}
    stays: dict[tuple[Any, ...], Row] = {table.of(row): row for row in opened}
    touched = [row for key, row in stays.items() if key in wanted]
    plain = [row["id"] for row in touched if not _is_news(table, row, wanted[table.of(row)])]
    if plain:
        await session.execute(sql["touch"], ids=plain, **common)
    renewed = [
        {name: wanted[table.of(row)][name] for name in table.facts} | {"id": row["id"], **common}
        for row in touched
        if row["id"] not in set(plain)
    ]
    await session.many(sql["renew"], renewed)
    ended = _ended(table, stays, wanted)
    fresh = [row for key, row in wanted.items() if key not in stays][:MOST_OPEN]
    ended += _pushed_out(stays, wanted, ended, len(fresh))
    if ended:
        await session.execute(sql["end"], ids=ended, at=seen.at_ms, received=seen.received_at_ms)
    await session.many(
        sql["add"],
        [
            {name: row[name] for name in (*table.same, *table.facts)}
            | {"owner": seen.owner, "received": seen.received_at_ms, **common}
            for row in fresh
        ],
    )


def _pushed_out(
    stays: Mapping[tuple[Any, ...], Row],
    wanted: Mapping[tuple[Any, ...], Mapping[str, Any]],
    ended: list[int],
    fresh: int,
) -> list[int]:
    """Return the ids of the stays longest not seen that make room for fresh ones.

    Where they stayed, a flood of a minute would keep out for ever what is really there.
    """
    excess = len(stays) - len(ended) + fresh - MOST_OPEN
    if excess <= 0:
        return []
    over = set(ended)
    unseen = [row for key, row in stays.items() if key not in wanted and row["id"] not in over]
    unseen.sort(key=lambda row: (row["last_seen_ms"], row["id"]))
    return [row["id"] for row in unseen[:excess]]


def _is_news(table: StayTable, before: Row, now: Mapping[str, Any]) -> bool:
    return any(before[name] != now[name] for name in table.facts)


def _ended(
    table: StayTable,
    stays: Mapping[tuple[Any, ...], Row],
    wanted: Mapping[tuple[Any, ...], Mapping[str, Any]],
) -> list[int]:
    """Return the ids of stays that a reading ends."""
    if table.ends:
        return sorted(row["id"] for key, row in stays.items() if key not in wanted)
    elsewhere = {tuple(row[name] for name in table.key) for row in wanted.values()}
    return sorted(
        row["id"]
        for key, row in stays.items()
        if key not in wanted and tuple(row[name] for name in table.key) in elsewhere
    )
