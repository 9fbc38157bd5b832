"""The SQLite engine: one writer that begins IMMEDIATE and never leaves its lock behind.

Tortoise's own SQLite transaction takes its lock before a plain BEGIN: a task cancelled there holds
the lock for ever, and two processes that both begin deferred fail with "database is locked" at the
first write. Here BEGIN IMMEDIATE waits its turn (``busy_timeout``), runs shielded, and whatever
happens the transaction is rolled back and the lock released.
"""

import asyncio
import contextlib
import sqlite3
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.connection import get_connections


async def _until_done(task: "asyncio.Future[None]") -> None:
    """Wait for ``task`` however often this task is cancelled meanwhile; the caller re-raises."""
    while not task.done():
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({task})


class ImmediateWrapper(SqliteTransactionWrapper):
    """A transaction that takes the write lock at its start."""

    async def begin(self) -> None:
        """Begin, waiting for another writer up to the busy time-out."""
        await self._connection.execute("BEGIN IMMEDIATE")


class ImmediateContext(SqliteTransactionContext):
    """The context manager of a transaction: the lock is released on every way out."""

    async def __aenter__(self) -> TransactionalDBClient:
        await self._trxlock.acquire()
        begun = asyncio.ensure_future(self._begin())
        try:
            await asyncio.shield(begun)
        except asyncio.CancelledError:
            # The statement may still succeed in the driver's thread: wait for it, then undo it.
            await _until_done(begun)
            if begun.exception() is None:
                await self._undo()
            self._trxlock.release()
            raise
        except BaseException:
            self._trxlock.release()
            raise
        self.token = get_connections().set(self.connection_name, self.connection)
        return self.connection  # type: ignore[no-any-return]  # untyped attribute of the base class

    async def _begin(self) -> None:
        await self.ensure_connection()
        await self.connection.begin()

    async def _undo(self) -> None:
        raw = self.connection._connection
        if raw is not None and raw.in_transaction:
            try:
                await raw.rollback()
            except sqlite3.Error:  # the connection is beyond use; the next statement will say so
                return

    async def __aexit__(self, exc_type: Any, exc_val: Any, exc_tb: Any) -> None:
        finish = asyncio.ensure_future(self._finish(exc_type is None))
        try:
            await asyncio.shield(finish)
        except asyncio.CancelledError:
            # The lock is kept until then: the next BEGIN would be rolled back in this one's stead.
            await _until_done(finish)
            raise
        finally:
            get_connections().reset(self.token)
            self._trxlock.release()

    async def _finish(self, commit: bool) -> None:
        try:
            if commit and not self.connection._finalized:
                await self.connection.commit()
        finally:
            await self._undo()


class ImmediateClient(SqliteClient):
    """Tortoise's SQLite client with the transactions above."""

    def _in_transaction(self) -> TransactionContext:
        return ImmediateContext(ImmediateWrapper(self), self._lock)


client_class = ImmediateClient
