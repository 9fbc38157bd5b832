"""From bodies to the outbox and on to the server: one writer task, one sending task.

Bodies are stamped with the clocks at the moment they are given, and written in groups: one sync for
what gathered while the last one ran. The blocking outbox and client run in threads.
"""

import asyncio
import logging
from collections.abc import Sequence

from kiemke.wire.client import Attempt, Outcome, Sender
from kiemke.wire.clocks import Clock
from kiemke.wire.codec import CodecError
from kiemke.wire.outbox import Outbox, OutboxError
from kiemke.wire.report import Body, Report

log = logging.getLogger(__name__)

POST_SECONDS = 5.0
FIRST_POST_SECONDS = 1.0
LAST_POST_SECONDS = 5.0
MAX_QUEUED = 5000
RETRY_WRITE_SECONDS = 5.0


class Reporter:
    """Takes bodies, keeps them, sends them. ``last`` is the last attempt to send."""

    def __init__(
        self, outbox: Outbox, sender: Sender, clock: Clock, post_seconds: float = POST_SECONDS
    ) -> None:
        self._outbox = outbox
        self._sender = sender
        self._clock = clock
        self._post_seconds = post_seconds
        self._queue: asyncio.Queue[Report] = asyncio.Queue(MAX_QUEUED)
        self.last: Attempt | None = None
        self.written = 0
        self.unencodable = 0

    async def emit(self, kind: str, body: Body) -> None:
        """Stamp a body and hand it to the writer; waits only when the disk is far behind."""
        clock = self._clock
        await self._queue.put(
            Report(0, 0, clock.boot_id, clock.now(), clock.uptime_seconds(), kind, body)
        )

    async def write(self) -> None:
        """Write what is emitted, in groups, until cancelled."""
        while True:
            group = [await self._queue.get()]
            while not self._queue.empty():
                group.append(self._queue.get_nowait())
            try:
                await self._store(group)
            finally:
                for _ in group:
                    self._queue.task_done()

    async def _store(self, group: Sequence[Report]) -> None:
        while True:
            try:
                await asyncio.to_thread(self._outbox.put_many, group)
                self.written += len(group)
                return
            except CodecError as err:
                if len(group) == 1:
                    self.unencodable += 1
                    log.error("report cannot travel", extra={"reason": str(err)})
                    return
                # One bad report must not take its neighbours with it.
                for report in group:
                    await self._store([report])
                return
            except OutboxError as err:
                log.error("outbox refuses", extra={"reason": str(err)})
                await asyncio.sleep(RETRY_WRITE_SECONDS)

    async def send(self) -> None:
        """Post what waits every ``post_seconds``, or when the server said to, until cancelled.

        The first posts follow each other faster, so that a new collector is seen at once.
        """
        pause_seconds = FIRST_POST_SECONDS
        while True:
            self.last = attempt = await asyncio.to_thread(self._sender.drain, self._post_seconds)
            if attempt.outcome not in (Outcome.IDLE, Outcome.SENT):
                log.warning(
                    "not sent", extra={"reason": attempt.detail, "outcome": attempt.outcome.value}
                )
            await asyncio.sleep(max(pause_seconds, attempt.wait_seconds))
            pause_seconds = min(self._post_seconds, pause_seconds * 2)

    async def finish(self) -> None:
        """Write what is still in hand and try once more to send it; at the end of a run."""
        left = []
        while not self._queue.empty():
            left.append(self._queue.get_nowait())
        if left:
            await self._store(left)
        self.last = await asyncio.to_thread(self._sender.drain, LAST_POST_SECONDS)
