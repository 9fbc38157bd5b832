"""The poll loop: every target in its own rhythm, many at once, bounded.

Each target has a stable place within the interval (a hash of its key), so load is spread and stays
spread. A target that is still busy when its next turn comes skips that turn; turns never queue up.
Targets that failed last time wait for each other in a lane of their own: any number of dead devices
never holds up a live one.
"""

import asyncio
import contextlib
import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

log = logging.getLogger(__name__)

# What a job does in its turn: it gets its share of time in seconds and returns its outcome.
Work = Callable[[float], Awaitable[str]]
# Told when a job raised what it should have caught: the job's key and the exception.
OnBug = Callable[[str, BaseException], Awaitable[None]]

MAX_BUDGET_SECONDS = 30.0
BUDGET_SHARE = 0.8
# A new assignment's targets are all polled once within this time, spread by their places; many take
# longer, so that a start is not a burst.
FIRST_ROUND_SECONDS = 4.0
FIRST_ROUND_PER_SECOND = 40.0
# A target is not given turns out of its order more often than this, whoever asks for them.
NUDGE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Job:
    """One target and what to do in its turn. Jobs that compare equal go on undisturbed.

    ``key`` names the target ("device:7"); ``subject`` is what it was made from.
    """

    key: str
    subject: object
    work: Work = field(compare=False)


@dataclass(slots=True)
class Turns:
    """What has happened to one target: turns done and skipped, and the last outcome."""

    done: int = 0
    skipped: int = 0
    outcome: str | None = None


def phase_seconds(key: str, interval_seconds: float) -> float:
    """Return a target's stable place within the interval, 0 <= place < interval."""
    digest = hashlib.sha256(key.encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2**64 * interval_seconds


def first_turns(
    key: str, now: float, interval_seconds: float, round_seconds: float = FIRST_ROUND_SECONDS
) -> tuple[float, float]:
    """Return a new target's first turn, within the first round, and its second, in its own place.

    Somebody who starts a collector wants to see something; half an interval at least lies between
    the two.
    """
    phase = phase_seconds(key, interval_seconds)
    first = now + phase * min(1.0, round_seconds / interval_seconds)
    second = now + phase
    if second - first < interval_seconds / 2:
        second += interval_seconds
    return first, second


def next_turn(due: float, now: float, interval_seconds: float) -> tuple[float, int]:
    """Return the next turn after ``due`` that is not past yet, and how many turns were skipped."""
    missed = max(0, int((now - due) // interval_seconds))
    return due + (missed + 1) * interval_seconds, missed


class PollLoop:
    """Runs jobs until cancelled, each in its turns, and once more when it is nudged. ``concurrency`` bounds the jobs at work at one moment.

    A quarter of it (at least one) is the lane of targets that failed last time.
    """

    def __init__(self, on_bug: OnBug, *, concurrency: int = 64) -> None:
        slow = max(1, concurrency // 4)
        self._lane = asyncio.Semaphore(max(1, concurrency - slow))
        self._slow_lane = asyncio.Semaphore(slow)
        self._on_bug = on_bug
        self._interval_seconds = 60.0
        self._running: dict[str, tuple[Job, asyncio.Task[None]]] = {}
        self._nudges: dict[str, asyncio.Event] = {}
        self._nudged_at: dict[str, float] = {}
        self._nudge_timers: dict[str, asyncio.TimerHandle] = {}
        self.turns: dict[str, Turns] = {}

    async def assign(self, jobs: Mapping[str, Job], interval_seconds: float) -> None:
        """Take over a new set of jobs: start new ones, stop those gone, leave the rest alone."""
        if interval_seconds != self._interval_seconds:
            await self.close()
            self._interval_seconds = interval_seconds
        gone = [key for key, (job, _) in self._running.items() if jobs.get(key) != job]
        await self._stop(gone)
        round_seconds = max(FIRST_ROUND_SECONDS, len(jobs) / FIRST_ROUND_PER_SECOND)
        for key, job in jobs.items():
            if key not in self._running:
                self.turns[key] = Turns()
                task = asyncio.create_task(self._run(job, round_seconds), name=f"poll {key}")
                self._running[key] = (job, task)

    def nudge(self, key: str) -> None:
        """Let a target have a turn at once, or soon if it had such a one just now; its own go on."""
        nudge = self._nudges.get(key)
        if nudge is None or nudge.is_set() or key in self._nudge_timers:
            return
        loop = asyncio.get_running_loop()
        wait_seconds = self._nudged_at.get(key, 0.0) + NUDGE_SECONDS - loop.time()
        if wait_seconds <= 0.0 or key not in self._nudged_at:
            self._nudged_at[key] = loop.time()
            nudge.set()
        else:
            self._nudge_timers[key] = loop.call_later(wait_seconds, self._nudge_late, key)

    def _nudge_late(self, key: str) -> None:
        self._nudge_timers.pop(key, None)
        self.nudge(key)

    async def close(self) -> None:
        """Stop every job, also amid its turn."""
        await self._stop(list(self._running))

    async def _stop(self, keys: list[str]) -> None:
        tasks = [self._running.pop(key)[1] for key in keys]
        for key in keys:
            self.turns.pop(key, None)
            self._nudges.pop(key, None)
            self._nudged_at.pop(key, None)
            timer = self._nudge_timers.pop(key, None)
            if timer is not None:
                timer.cancel()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _run(self, job: Job, round_seconds: float) -> None:
        loop = asyncio.get_running_loop()
        interval = self._interval_seconds
        turns = self.turns[job.key]
        due, following = first_turns(job.key, loop.time(), interval, round_seconds)
        nudge = self._nudges[job.key] = asyncio.Event()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, due - loop.time())):
                    await nudge.wait()
            is_early = nudge.is_set() and loop.time() < due
            nudge.clear()
            lane = self._lane if turns.outcome in (None, "ok") else self._slow_lane
            async with lane:
                turns.outcome = await self._take_turn(job, interval)
            turns.done += 1
            if is_early and loop.time() < due:
                continue  # its own turn is still to come
            due, missed = next_turn(following - interval, loop.time(), interval)
            following = due + interval
            if missed:
                turns.skipped += missed
                log.warning("turn skipped", extra={"target": job.key, "turns": missed})

    async def _take_turn(self, job: Job, interval: float) -> str:
        """Run one turn in a task of its own, so that a bug in it is one outcome and not an end."""
        budget_seconds = min(MAX_BUDGET_SECONDS, interval * BUDGET_SHARE)

        async def work() -> str:
            return await job.work(budget_seconds)

        task = asyncio.create_task(work(), name=f"turn {job.key}")
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        if task.cancelled():
            return "error"
        bug = task.exception()
        if bug is None:
            return task.result()
        log.error("bug in a turn", extra={"target": job.key}, exc_info=bug)
        await self._on_bug(job.key, bug)
        return "error"
