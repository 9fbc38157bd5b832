"""Groups batches for a few milliseconds and commits each group once; what commits is acknowledged.

A group that fails is tried again batch by batch, then report by report: a report that the database
or an applier can never take is set aside with its reason and blocks nobody. A database that is away
fails the group's batches at once with ``Unavailable``; their senders keep them.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from kiemke.server.db import UNAVAILABLE, Database, Refused, Session, is_away
from kiemke.server.ingest.group import Group
from kiemke.server.ingest.incoming import IncomingBatch, Outcome

log = logging.getLogger(__name__)

# Deadlock and serialisation failures: PostgreSQL asks for the whole transaction again.
_AGAIN = ("40001", "40P01", "55P03")
_ATTEMPTS = 4


class Busy(Exception):
    """The queue is full; the sender should come back after a while (503)."""


class Unavailable(Exception):
    """The database did not take the batch; nothing was acknowledged (503)."""


@dataclass(slots=True)
class Counts:
    """What this process has taken, for its metrics."""

    batches: int = 0
    reports: int = 0
    repeated: int = 0
    rejected: int = 0
    commits: int = 0
    failures: int = 0


@dataclass(slots=True)
class _Waiting:
    batch: IncomingBatch
    answer: "asyncio.Future[Outcome]"


@dataclass(slots=True)
class Writer:
    """The one place where reports are written. ``submit`` returns after the commit."""

    db: Database
    utc_offset_seconds: int
    poll_seconds: float = 60.0
    group_milliseconds: float = 4.0
    max_group_batches: int = 256
    queue_batches: int = 2_000
    # Of inflated JSON; decoded it takes some ten times as much memory.
    queue_bytes: int = 64 * 1024 * 1024
    group_bytes: int = 8 * 1024 * 1024
    on_applied: Callable[[Counts], None] | None = None
    counts: Counts = field(default_factory=Counts)
    _queue: "asyncio.Queue[_Waiting]" = field(init=False)
    _task: "asyncio.Task[None] | None" = None
    _held_bytes: int = 0

    def __post_init__(self) -> None:
        self._queue = asyncio.Queue(self.queue_batches)

    async def start(self) -> None:
        """Begin to write."""
        self._task = asyncio.create_task(self._run(), name="ingest writer")

    async def stop(self) -> None:
        """Write what is queued, then end."""
        if self._task is None:
            return
        await self._queue.join()
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        self._task = None

    @property
    def queued(self) -> int:
        """How many batches wait."""
        return self._queue.qsize()

    async def submit(self, batch: IncomingBatch) -> Outcome:
        """Return what became of the batch, after its commit. Raises Busy or Unavailable."""
        if self._held_bytes and self._held_bytes + batch.size_bytes > self.queue_bytes:
            raise Busy
        waiting = _Waiting(batch, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull as error:
            raise Busy from error
        self._held_bytes += batch.size_bytes
        return await waiting.answer

    async def _run(self) -> None:
        while True:
            group = [await self._queue.get()]
            if self._queue.empty() and self.group_milliseconds:
                await asyncio.sleep(self.group_milliseconds / 1000)
            group_bytes = group[0].batch.size_bytes
            while (
                len(group) < self.max_group_batches
                and group_bytes < self.group_bytes
                and not self._queue.empty()
            ):
                group.append(self._queue.get_nowait())
                group_bytes += group[-1].batch.size_bytes
            try:
                await self._write(group)
            except Exception as error:  # without this loop nobody would ever be answered again
                log.exception("the writer failed outside a transaction")
                self._fail_all(group, error)
            finally:
                self._held_bytes -= group_bytes
                for _ in group:
                    self._queue.task_done()

    async def _write(self, group: list[_Waiting]) -> None:
        try:
            outcomes = await self._commit([w.batch for w in group])
        except Exception as error:  # the loop's one catcher: told apart below
            if len(group) == 1:
                await self._write_alone(group[0], error)
                return
            if is_away(error):
                # Asked for each batch alone it would be away as often, each time after its time-out.
                log.error("the database took no group", extra={"reason": str(error)})
                self._fail_all(group, error)
                return
            if not isinstance(error, (Refused, *UNAVAILABLE)):
                log.exception("a group of batches failed; trying each alone")
            for waiting in group:
                await self._write([waiting])
            return
        for waiting, outcome in zip(group, outcomes, strict=True):
            self._answer(waiting, outcome)

    async def _write_alone(self, waiting: _Waiting, error: Exception) -> None:
        """One batch failed alone: either the database is away, or one of its reports is poison."""
        if not isinstance(error, Refused) and isinstance(error, UNAVAILABLE):
            log.error("the database took no batch", extra={"reason": str(error)})
            self._fail_all([waiting], error)
            return
        if not isinstance(error, Refused):
            log.error("a batch failed in an applier", exc_info=error)
        try:
            outcome = await self._report_by_report(waiting.batch)
        except Exception as again:  # nothing was acknowledged; the sender keeps it
            log.exception("a batch failed report by report")
            self._fail_all([waiting], again)
            return
        self._answer(waiting, outcome)

    async def _report_by_report(self, batch: IncomingBatch) -> Outcome:
        """Commit each report in a transaction of its own; set aside the one that cannot be."""
        total = Outcome()
        for report in batch.in_order():
            single = replace(batch, reports=[report])
            try:
                outcome = (await self._commit([single]))[0]
            except UNAVAILABLE:
                raise
            except Refused as error:
                report.problem = f"the database refused it: {error}"
                outcome = (await self._commit([single]))[0]
            except Exception as error:  # a bug: the report is kept with its reason
                log.exception("a report failed in an applier", extra={"kind": report.kind})
                report.problem = f"the server could not apply it: {type(error).__name__}"
                outcome = (await self._commit([single]))[0]
            _add(total, outcome)
            if outcome.refused is not None:
                return outcome
        return total

    async def _commit(self, batches: list[IncomingBatch]) -> list[Outcome]:
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                async with self.db.transaction() as session:
                    outcomes = await self._group(session).apply(batches)
            except UNAVAILABLE as error:
                if getattr(error, "sqlstate", None) not in _AGAIN or attempt == _ATTEMPTS:
                    raise
                continue
            self.counts.commits += 1
            return outcomes
        raise AssertionError("the loop above returns or raises")

    def _group(self, session: Session) -> Group:
        return Group(session, self.utc_offset_seconds, self.poll_seconds)

    def _answer(self, waiting: _Waiting, outcome: Outcome) -> None:
        self.counts.batches += 1
        self.counts.reports += outcome.applied
        self.counts.repeated += outcome.repeated
        self.counts.rejected += len(outcome.rejected)
        if self.on_applied is not None:
            self.on_applied(self.counts)
        if not waiting.answer.done():
            waiting.answer.set_result(outcome)

    def _fail_all(self, group: list[_Waiting], error: Exception) -> None:
        """Tell the senders to keep what they sent."""
        for waiting in group:
            if not waiting.answer.done():
                self.counts.failures += 1
                waiting.answer.set_exception(Unavailable(str(error)))


def _add(total: Outcome, one: Outcome) -> None:
    total.ack.update(one.ack)
    total.rejected += one.rejected
    total.need = sorted({*total.need, *one.need})
    total.aside = one.aside
    total.applied += one.applied
    total.repeated += one.repeated
