"""The sweeps of a running collector: each site in its own slow rhythm, one site at a time."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from kiemke.collectors.discover.sweep import Sweeper
from kiemke.collectors.discover.task import SweepTask
from kiemke.collectors.files import write_private
from kiemke.wire.lan import Sweep

log = logging.getLogger(__name__)

FILE_NAME = "sweeps.json"
# A new site is swept soon: somebody has just registered its subnets and wants to see something.
FIRST_SECONDS = 30.0

Emit = Callable[[str, Sweep], Awaitable[None]]
Run = Callable[[SweepTask], Awaitable[Sweep]]


async def sweep_once(task: SweepTask) -> Sweep:
    """Sweep one site now."""
    return await Sweeper(task.site, task.door()).run()


class Sweeps:
    """Sweeps assigned sites when each is due; when it last did is kept over restarts.

    ``told`` is what became of the last sweep of each site, for the status.
    """

    def __init__(self, state: Path, emit: Emit, run: Run = sweep_once) -> None:
        self._path = state / FILE_NAME
        self._emit = emit
        self._run = run
        self._turn = asyncio.Lock()
        self._tasks: dict[SweepTask, asyncio.Task[None]] = {}
        self._swept = self._load()
        self.told: dict[str, str] = {}

    def assign(self, tasks: Sequence[SweepTask]) -> None:
        """Take over a new set of sites: begin with new ones, leave off those gone or changed."""
        for task in set(self._tasks) - set(tasks):
            self._tasks.pop(task).cancel()
        for task in tasks:
            if task not in self._tasks:
                self._tasks[task] = asyncio.create_task(self._keep(task), name=f"sweep {task.site}")

    async def close(self) -> None:
        """Stop every sweep, also amid its way."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, task: SweepTask) -> None:
        while True:
            await asyncio.sleep(self.wait_seconds(task, time.time()))
            async with self._turn:
                found = await self._sweep(task)
            self._swept[task.site] = time.time()
            self.told[f"sweep:{task.site}"] = f"{found.outcome}, {len(found.hosts)} found"
            self._save()
            await self._emit("sweep", found)

    def wait_seconds(self, task: SweepTask, now: float) -> float:
        """Return how long to wait for a site's next turn; a clock set back makes nobody wait longer."""
        last = self._swept.get(task.site)
        if last is None:
            return FIRST_SECONDS
        return min(task.every_seconds, max(FIRST_SECONDS, last + task.every_seconds - now))

    async def _sweep(self, task: SweepTask) -> Sweep:
        try:
            return await self._run(task)
        except Exception as err:
            # A fault of ours, or a socket the system refuses: told, and tried again in its turn.
            log.exception("sweep failed", extra={"site": task.site})
            detail = f"fault in the collector ({type(err).__name__}); its log says more"
            return Sweep(task.site, "error", (), 0, 0, 0.0, detail=detail)

    def _load(self) -> dict[int, float]:
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
            kept = json.loads(self._path.read_text("utf-8"))
            return {int(site): float(at) for site, at in kept.items()}
        return {}

    def _save(self) -> None:
        try:
            write_private(self._path, json.dumps(self._swept))
        except OSError as err:
            log.warning("time of a sweep not kept", extra={"reason": err.strerror})
