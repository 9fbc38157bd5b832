"""The one door to the database: open, transaction, read; the same SQL on SQLite and PostgreSQL.

SQL is written once with named parameters: ``:name``, and ``:[name]`` for a list of integers or
``:[name.text]`` for a list of strings (``WHERE id IN :[ids]``). Days go in as ``datetime.date``;
SQLite gives them back as ISO text, so readers pass them through ``as_date``.
"""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from tortoise import Tortoise
from tortoise.connection import get_connection
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from kiemke.server import postgres_driver
from kiemke.server.db_config import TOGETHER, tortoise_config
from kiemke.server.ledgers import writes_ledger
from kiemke.server.named_sql import bind, compile_named, in_powers_of_two, repeat_values

Row = dict[str, Any]

_BEGINNINGS = 50
# Any fixed number: changes of the ledgers in one PostgreSQL database wait for each other here.
_CHANGE_LOCK = 0x6B69_656D_1101


class Nested(RuntimeError):
    """A task asks for another connection while it holds the one that reads: it would wait for itself.

    SQLite has one such connection, PostgreSQL few: hand the session on that is there.
    """


class Refused(Exception):
    """The database will never take these values (SQLSTATE 22 or 23, or SQLite's like)."""


def as_date(value: date | str) -> date:
    """Return a DATE column's value as a date, whichever database it came from."""
    return date.fromisoformat(value) if isinstance(value, str) else value


class Session:
    """Statements on one connection: a transaction's, or a read-only one.

    ``before_commit`` runs when all else is done. ``touched_before`` is the newest row of
    ``audit_touched`` before this transaction first wrote into a ledger, None while it has not (SQLite;
    PostgreSQL tells its transactions apart by itself).
    """

    def __init__(self, raw: Any, dialect: str) -> None:
        self._raw = raw
        self.dialect = dialect
        self.before_commit: list[Callable[[Session], Awaitable[None]]] = []
        self.touched_before: int | None = None

    async def settle(self) -> None:
        """Do what waits for the end of the transaction."""
        for act in self.before_commit:
            await act(self)

    async def _mark(self, sql: str) -> None:
        if self.touched_before is not None or self.dialect != "sqlite" or not writes_ledger(sql):
            return
        try:
            rows = await self._raw.execute_fetchall(
                "SELECT COALESCE(MAX(id), 0) FROM audit_touched"
            )
        except sqlite3.OperationalError:  # a schema from before there was such a table
            self.touched_before = 0
        else:
            self.touched_before = int(next(iter(rows))[0])

    async def fetch(self, sql: str, **params: Any) -> list[Row]:
        """Run a statement and return its rows as dicts."""
        await self._mark(sql)
        statement = compile_named(sql, self.dialect)
        values = bind(statement, self.dialect, params)
        try:
            if self.dialect == "sqlite":
                rows = await self._raw.execute_fetchall(statement.text, values)
            else:
                rows = await self._raw.fetch(statement.text, *values)
        except _REFUSALS as error:
            raise Refused(str(error)) from error
        return [dict(row) for row in rows]

    async def columns(self, names: Sequence[str], sql: str, **params: Any) -> list[Sequence[Any]]:
        """Run a SELECT of these columns and return each as one sequence: for long, narrow tables.

        The database packs a column into one value, an array or JSON: a row at a time takes twice as long and more.
        """
        statement = compile_named(sql, self.dialect)
        values = bind(statement, self.dialect, params)
        pack = "json_group_array" if self.dialect == "sqlite" else "array_agg"
        packed = ", ".join(f"{pack}(wide.{name})" for name in names)
        text = f"SELECT {packed} FROM ({statement.text}) AS wide"  # noqa: S608  # names of the code
        if self.dialect == "sqlite":
            rows = await self._raw.execute_fetchall(text, values)
            return await asyncio.to_thread(lambda: [json.loads(column) for column in rows[0]])
        return [column or [] for column in await self._raw.fetchrow(text, *values)]

    async def one(self, sql: str, **params: Any) -> Row | None:
        """Return the first row, or None."""
        rows = await self.fetch(sql, **params)
        return rows[0] if rows else None

    async def execute(self, sql: str, **params: Any) -> None:
        """Run a statement that returns nothing of interest."""
        await self.fetch(sql, **params)

    async def many(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run a statement once per row, in the order given."""
        if not rows:
            return
        await self._mark(sql)
        statement = compile_named(sql, self.dialect)
        values = [bind(statement, self.dialect, row) for row in rows]
        try:
            await self._raw.executemany(statement.text, values)
        except _REFUSALS as error:
            raise Refused(str(error)) from error

    async def many_distinct(self, sql: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run an INSERT once per row, no two of one key: in any order, several at once.

        PostgreSQL is given a few statements of many rows: one a row costs it twice as much.
        """
        if self.dialect == "sqlite" or len(rows) == 1:
            await self.many(sql, rows)
            return
        statement = compile_named(sql, self.dialect)
        try:
            for part in in_powers_of_two(rows):
                text = repeat_values(statement, len(part))
                values = [v for row in part for v in bind(statement, self.dialect, row)]
                await self._raw.execute(text, *values)
        except _REFUSALS as error:
            raise Refused(str(error)) from error


_REFUSALS: tuple[type[Exception], ...] = (
    sqlite3.IntegrityError,
    sqlite3.DataError,
    OverflowError,
    UnicodeEncodeError,
    *postgres_driver.REFUSALS,
)

# SQLSTATE classes of a database that is away, full or shutting down, whatever was asked of it.
_AWAY_CLASSES = ("08", "53", "57", "58")
_AWAY_SQLITE = frozenset(
    {
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
    }
)  # fmt: skip


def is_away(error: BaseException) -> bool:
    """Tell whether any other transaction would have failed as well: nothing to take apart."""
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _AWAY_CLASSES
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        return code & 0xFF in _AWAY_SQLITE
    away: tuple[type[Exception], ...] = (OSError, *postgres_driver.INTERFACE)
    return isinstance(error, away) and not isinstance(error, Refused)


UNAVAILABLE: tuple[type[Exception], ...] = (
    sqlite3.OperationalError,
    sqlite3.DatabaseError,
    *postgres_driver.FAILURES,
    OperationalError,
    OSError,
)


class Database:
    """An open database. ``dialect`` is "sqlite" or "postgres"."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.dialect = "sqlite" if urlsplit(url).scheme == "sqlite" else "postgres"
        self._together = asyncio.Lock()
        self._turn = asyncio.Lock()
        self._readers: set[asyncio.Task[Any] | None] = set()

    async def open(self) -> None:
        """Connect. Raises OSError or a driver's error when the database cannot be reached."""
        config = tortoise_config(self.url)
        # With the connections it would build the queries of all models, which nobody asks for.
        await Tortoise.init(config=config, init_connections=False, _enable_global_fallback=True)
        for name in config["connections"]:
            get_connection(name)  # one made within a transaction would be that transaction's alone
        async with self.transaction():
            pass  # makes the file and its WAL before the query-only connection looks at them

    async def close(self) -> None:
        """Close every connection."""
        await Tortoise.close_connections()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Session]:
        """Commit on leaving, roll back on an exception. SQLite: one writer at a time, IMMEDIATE.

        On PostgreSQL the driver's own pool and transaction are used: a task cancelled while
        Tortoise's pooled transaction begins never gives its connection back. Raises Nested.
        """
        self._refuse_nesting()
        if self.dialect == "sqlite":
            async with in_transaction("default") as client:
                session = Session(client._connection, self.dialect)
                yield session
                await session.settle()
            return
        pool = await self._pool()
        async with pool.acquire() as raw, raw.transaction():
            session = Session(raw, self.dialect)
            yield session
            await session.settle()

    @asynccontextmanager
    async def change(self) -> AsyncIterator[Session]:
        """Give a transaction that says dated rows anew: no other such change lies between its reads and writes.

        Two that read one row at once would both void it and say it again, and the thing would stand twice on
        one day. On SQLite every transaction is alone. Never within another one: it would wait for itself.
        """
        if self.dialect == "sqlite":
            async with self.transaction() as session:
                yield session
            return
        # Who waits for this process holds no connection; who waits for another process holds one.
        async with self._turn, self.transaction() as session:
            await session.execute(f"SELECT pg_advisory_xact_lock({_CHANGE_LOCK})")
            yield session

    async def _pool(self) -> Any:
        client: Any = get_connection("default")
        async with client._pool_init_lock:
            if client._pool is None:
                await client.create_connection(with_db=True)
        return client._pool

    async def read(self, sql: str, **params: Any) -> list[Row]:
        """Run one query outside any transaction, on SQLite on the read-only connection."""
        async with self.reading() as session:
            return await session.fetch(sql, **params)

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Session]:
        """Give a connection for several reads (each sees what is committed when it runs). Raises Nested."""
        self._refuse_nesting()
        task = asyncio.current_task()
        self._readers.add(task)
        try:
            async with self._connected() as session:
                yield session
        finally:
            self._readers.discard(task)

    def _refuse_nesting(self) -> None:
        if asyncio.current_task() in self._readers:
            raise Nested("a reading is open in this task: use its session")

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Session]:
        if self.dialect == "sqlite":
            async with get_connection("reader").acquire_connection() as raw:
                yield Session(raw, self.dialect)
            return
        pool = await self._pool()
        async with pool.acquire() as raw:
            yield Session(raw, self.dialect)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Session]:
        """Give a connection for reads that all see the same moment, and hold nobody up."""
        begin = "BEGIN" if self.dialect == "sqlite" else "BEGIN ISOLATION LEVEL REPEATABLE READ"
        async with self.reading() as session:
            await session.execute(begin)
            try:
                yield session
            finally:
                await session.execute("ROLLBACK")

    @asynccontextmanager
    async def reading_together(self) -> AsyncIterator[list[Session]]:
        """Give two connections that see the same ledgers, for one long reading shared between them.

        On PostgreSQL both have one snapshot. SQLite cannot hand one on: there both are begun anew until
        no ledger's change lies between them, and one is given alone when it always does. One such
        reading at a time: two that each hold one connection and wait for another would wait for ever.
        """
        async with self._together, AsyncExitStack() as stack:
            if self.dialect == "sqlite":
                sessions = [
                    Session(await stack.enter_async_context(connection), self.dialect)
                    for connection in (
                        get_connection(name).acquire_connection() for name in TOGETHER
                    )
                ]
            else:
                sessions = [await stack.enter_async_context(self._connected()) for _ in range(2)]
            stack.push_async_callback(_end, sessions)
            if self.dialect == "postgres":
                await _begin_same(sessions)
                yield sessions
            else:
                yield sessions if await _begin_close(sessions) else sessions[:1]


async def _begin_same(sessions: Sequence[Session]) -> None:
    """Begin with the first one's snapshot on all. Source: PostgreSQL, SET TRANSACTION SNAPSHOT."""
    for session in sessions:
        await session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    row = await sessions[0].one("SELECT pg_export_snapshot() AS name")
    for session in sessions[1:]:
        await session.execute(f"SET TRANSACTION SNAPSHOT '{row['name'] if row else ''}'")


async def _begin_close(sessions: Sequence[Session]) -> bool:
    """Begin one after the other until all see the same last row that a ledger's triggers noted.

    Noted rows are taken away again; SQLite's own count of them only grows (AUTOINCREMENT). False
    when a change lay between them each time: every one sees a moment of its own.
    """
    for _ in range(_BEGINNINGS):
        await _end(sessions)
        seen = set()
        for session in sessions:
            await session.execute("BEGIN")
            row = await session.one("SELECT seq FROM sqlite_sequence WHERE name = 'audit_touched'")
            seen.add(row["seq"] if row else None)
        if len(seen) == 1:
            return True
    return False


async def _end(sessions: Sequence[Session]) -> None:
    for session in sessions:
        with suppress(*UNAVAILABLE):  # one that never began, or whose connection is gone
            await session.execute("ROLLBACK")
