"""What an import will write, prepared beforehand: its own transaction then only plays it back.

While a transaction writes, SQLite lets nobody else write. Comparing and encoding a province's book
takes many seconds, playing the finished statements back takes few: ingest waits for those alone.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from kiemke.server.db import Database, Row, Session

_ROWS_AT_A_STRETCH = 2_000


class Script(Session):
    """A session that reads at once and keeps what is to be written for ``play``.

    Equal statements in a row become one for many rows. What returns rows cannot be kept, so the ids
    of new rows are reserved beforehand. Without ``session`` each read and each reservation is short
    and by itself, so that nobody waits for a long comparison.
    """

    def __init__(self, db: Database, session: Session | None = None) -> None:
        self._db = db
        self._session = session
        self.dialect = db.dialect
        self._steps: list[tuple[str, list[Mapping[str, Any]]]] = []
        self._free_ids: dict[str, list[int]] = {}
        # Audit entries wait for the commit of the transaction that plays this.
        self.before_commit = []
        self.touched_before = None

    async def reserve(self, table: str, count: int) -> None:
        """Have ``count`` ids ready: one short transaction instead of one a row."""
        if self._session is not None:
            found = await reserve_ids(self._session, table, count)
        else:
            async with self._db.transaction() as session:
                found = await reserve_ids(session, table, count)
        self._free_ids[table] = found[::-1]

    async def new_id(self, table: str) -> int:
        """Return an id for a new row of ``table``."""
        if not self._free_ids.get(table):
            await self.reserve(table, 1)
        return self._free_ids[table].pop()

    async def fetch(self, sql: str, **params: Any) -> list[Row]:
        """Read now. Raises TypeError for a statement that writes and would return rows."""
        if not sql.lstrip().startswith(("SELECT", "WITH")) or "RETURNING" in sql:
            raise TypeError(f"an import's script cannot return what it will write: {sql[:60]}")
        if self._session is not None:
            return await self._session.fetch(sql, **params)
        return await self._db.read(sql, **params)

    async def execute(self, sql: str, **params: Any) -> None:
        """Keep a statement."""
        await self.many(sql, [params])

    async def many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Keep a statement for each row."""
        if self._steps and self._steps[-1][0] == sql:
            self._steps[-1][1].extend(rows)
        elif rows:
            self._steps.append((sql, list(rows)))

    async def play(self, session: Session) -> None:
        """Write it all, in order, in the caller's transaction."""
        session.before_commit.extend(self.before_commit)
        for sql, rows in self._steps:
            for first in range(0, len(rows), _ROWS_AT_A_STRETCH):
                await session.many(sql, rows[first : first + _ROWS_AT_A_STRETCH])


async def reserve_ids(session: Session, table: str, count: int) -> list[int]:
    """Return ``count`` ids of ``table`` that no other row will get; a short write of its own.

    Ids of an import that fails afterwards are never used: a gap harms nobody.
    """
    if not count:
        return []
    if session.dialect == "postgres":
        rows = await session.fetch(
            "SELECT nextval(pg_get_serial_sequence(CAST(:table AS TEXT), 'id')) AS id"
            " FROM generate_series(1, CAST(:count AS INTEGER))",
            table=table,
            count=count,
        )
        return [row["id"] for row in rows]
    last = await session.one("SELECT seq FROM sqlite_sequence WHERE name = :table", table=table)
    if last is None:
        await session.execute(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (:table, 0)", table=table
        )
    await session.execute(
        "UPDATE sqlite_sequence SET seq = seq + :count WHERE name = :table",
        table=table,
        count=count,
    )
    first = (last["seq"] if last else 0) + 1
    return list(range(first, first + count))


async def breathe(position: int, *, every: int = 100) -> None:
    """Let other requests in between once every so many rows of a long loop."""
    if position % every == 0:
        await asyncio.sleep(0)


# As many audit entries as may be under way at once in other transactions when one is written.
_OVERLAP = 1_000


async def ledger_mark(session: Session, since: int | None = None) -> tuple[int, int]:
    """Return a mark that differs once anybody has changed a ledger: each change has an audit entry.

    It is (the lowest entry looked at, how many stand after it); pass the first to compare again. It
    counts instead of taking the last entry's id, as PostgreSQL may commit a lower id later.
    """
    if since is None:
        row = await session.one("SELECT COALESCE(MAX(id), 0) AS last FROM audit_entry")
        since = max(0, (row["last"] if row else 0) - _OVERLAP)
    row = await session.one("SELECT COUNT(*) AS n FROM audit_entry WHERE id > :since", since=since)
    return since, row["n"] if row else 0
