"""The loop that runs the jobs in the one process that holds the lease."""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable, Sequence

from kiemke.server.db import UNAVAILABLE, Database, Refused, Session
from kiemke.server.errors import ServerError
from kiemke.server.jobs import lease
from kiemke.server.jobs.table import Job, Turn

log = logging.getLogger(__name__)

LEASE = "leader"
LEASE_MS = 60_000
_BEAT_SECONDS = 1.0
_RENEW_MS = 15_000

# What a job may fail of without being a fault of its code; anything else is logged as a bug.
_EXPECTED: tuple[type[Exception], ...] = (*UNAVAILABLE, Refused, ServerError)

# name, outcome ("ok", "failed" or "lost"), duration in seconds, changes
Observer = Callable[[str, str, float, int], None]


def _ignore(name: str, outcome: str, seconds: float, changes: int) -> None:
    """Observe nothing."""


def read_clock_ms() -> int:
    """Return the wall clock in milliseconds."""
    return time.time_ns() // 1_000_000


class Leader:
    """Takes the lease, renews it, and runs due jobs one after the other while it holds."""

    def __init__(
        self,
        db: Database,
        jobs: Sequence[Job],
        *,
        observe: Observer = _ignore,
        clock: Callable[[], int] = read_clock_ms,
    ) -> None:
        self.db = db
        self.jobs = tuple(jobs)
        self.holder = uuid.uuid4().hex
        self.fence: int | None = None
        self._observe = observe
        self._clock = clock
        self._due_ms = {job.name: 0 for job in self.jobs}
        self._renewed_ms = 0
        self._task: asyncio.Task[None] | None = None
        self._renewal: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin to work beside the requests."""
        self._task = asyncio.create_task(self._run(), name="jobs")
        self._renewal = asyncio.create_task(self._renew(), name="lease")

    async def stop(self) -> None:
        """End after the statement under way, and let another process lead."""
        for task in (self._task, self._renewal):
            if task is not None:
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        if self.fence is not None:
            with contextlib.suppress(*UNAVAILABLE):
                await lease.release(self.db, LEASE, self.holder)
            self.fence = None

    async def _run(self) -> None:
        while True:
            if self.fence is not None:
                await self.run_due()
            await asyncio.sleep(_BEAT_SECONDS)

    async def _renew(self) -> None:
        # Beside the jobs, not between them: a long recount must not cost the lease.
        while True:
            await self.hold()
            await asyncio.sleep(_BEAT_SECONDS)

    async def hold(self) -> bool:
        """Take or renew the lease when that is due; return whether this process leads."""
        now_ms = self._clock()
        if self.fence is not None and now_ms - self._renewed_ms < _RENEW_MS:
            return True
        try:
            fence = await lease.take(self.db, LEASE, self.holder, now_ms, LEASE_MS)
        except _EXPECTED as error:
            log.warning("the lease could not be renewed", extra={"reason": str(error)})
            fence = None if now_ms - self._renewed_ms >= LEASE_MS else self.fence
        else:
            self._renewed_ms = now_ms
        if fence is not None and fence != self.fence:
            log.info("this process leads", extra={"fence": fence})
            self._due_ms = dict.fromkeys(self._due_ms, 0)
        self.fence = fence
        return fence is not None

    async def run_due(self) -> None:
        """Run each job whose time has come; one that fails does not stop the others."""
        for job in self.jobs:
            fence, now_ms = self.fence, self._clock()
            if fence is None or now_ms < self._due_ms[job.name]:
                continue
            self._due_ms[job.name] = now_ms + round(job.every_seconds * 1000)
            await self._run_one(job, fence, now_ms)

    async def _run_one(self, job: Job, fence: int, now_ms: int) -> None:
        async def guard(session: Session) -> None:
            await lease.check(session, LEASE, fence)

        begin = time.monotonic()
        outcome, changes = "failed", 0
        try:
            changes = await job.run(Turn(now_ms, guard))
            outcome = "ok"
        except lease.LostLease as error:
            outcome, self.fence = "lost", None
            log.warning("job stopped", extra={"job": job.name, "reason": str(error)})
        except _EXPECTED as error:
            log.warning("job failed", extra={"job": job.name, "reason": str(error)})
        except Exception:
            log.exception("job has a fault", extra={"job": job.name})
        self._observe(job.name, outcome, time.monotonic() - begin, changes)
