"""Do ten thousand agents trample a server that comes back? (`python -m bench.stampede`)

Virtual time, the agents' own code: each agent is a real Sender (back-off, jitter, Retry-After, its batches) paced
as the courier paces it; only the outbox, the line and the server are played. The server takes so many
requests a second and answers 503 with Retry-After beyond that, as ours does when its queue is full. The same
seed gives the same figures.
"""

import argparse
import heapq
import json
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from rich.console import Console
from rich.table import Table

from kiemke.agent.courier import rest_after
from kiemke.agent.pace import Intervals
from kiemke.agent.start import SPREAD_SECONDS
from kiemke.server.ingest.endpoint import RETRY_SECONDS
from kiemke.wire.client import Attempt, Credentials, Outcome, Sender
from kiemke.wire.http1 import Reply
from kiemke.wire.link import Link, Unreachable
from kiemke.wire.outbox import Outbox
from kiemke.wire.outbox_store import Spooled
from kiemke.wire.pin import Pins
from kiemke.wire.report import Rejected

AGENTS = 10_000
BEGUN = datetime(2026, 3, 10, tzinfo=UTC)
PINS = Pins(
    "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
)  # nobody looks into it


@dataclass(slots=True)
class World:
    """What all agents share: the virtual time and the server, which is there from ``up_at_seconds`` on."""

    up_at_seconds: float
    capacity: int
    now_seconds: float = 0.0
    tried: Counter[int] = field(default_factory=Counter)
    taken: Counter[int] = field(default_factory=Counter)
    busy: int = 0

    def answer(self, stream: int) -> Reply:
        """Return what the server says to one post now. Raises Unreachable while it is away."""
        second = int(self.now_seconds)
        if self.now_seconds < self.up_at_seconds:
            raise Unreachable("connection refused")
        self.tried[second] += 1
        if self.taken[second] >= self.capacity:
            self.busy += 1
            return Reply(503, {"retry-after": str(RETRY_SECONDS)}, b"{}")
        self.taken[second] += 1
        body = {"ack": {str(stream): 1 << 40}, "rejected": [], "need": [], "settings": {}}
        return Reply(200, {}, json.dumps(body).encode())


class Clock:
    """The world's time as a sender sees it."""

    boot_id = "boot"

    def __init__(self, world: World) -> None:
        self._world = world

    def now(self) -> datetime:
        """Return the wall clock."""
        return BEGUN + timedelta(seconds=self._world.now_seconds)

    def uptime_seconds(self) -> float:
        """Return the uptime."""
        return self._world.now_seconds

    awake_seconds = uptime_seconds


class Box:
    """An outbox in which one batch waits."""

    def __init__(self, stream: int) -> None:
        self._stream = stream
        self.waits = True

    def head(self, reports: int, size: int) -> Sequence[Spooled]:
        """Return what waits."""
        return (Spooled(self._stream, 1, b"{}"),) if self.waits else ()

    def ack(self, acked: dict[int, int]) -> int:
        """Forget it."""
        self.waits = False
        return 1

    def reject(self, rejected: Sequence[Rejected]) -> int:
        """Nothing is rejected here."""
        return 0


class Line:
    """A connection to the world's server."""

    pins = PINS
    peer = None

    def __init__(self, world: World, stream: int) -> None:
        self._world = world
        self._stream = stream

    def request(self, *_: Any) -> Reply:
        """Post."""
        return self._world.answer(self._stream)

    def close(self) -> None:
        """Nothing to close."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What came of one run: requests in the worst second, seconds until all were heard, 503s."""

    agents: int
    peak_requests_a_second: int
    peak_ten_seconds: float
    all_heard_seconds: float
    half_heard_seconds: float
    busy_answers: int


def play(
    agents: int, *, up_at_seconds: float, first_within_seconds: float, capacity: int, seed: int = 1
) -> Figures:
    """Return the figures of ``agents`` that begin within a time at random and post until heard."""
    chance = random.Random(seed)
    world = World(up_at_seconds, capacity)
    interval = Intervals().post_seconds
    senders: list[Sender] = []
    queue: list[tuple[float, int]] = []
    for stream in range(1, agents + 1):
        box = Box(stream)
        sender = Sender(
            cast(Outbox, box), Credentials("s", "s", (), PINS), Clock(world), rng=chance,
            link=cast(Link, Line(world, stream)),
        )  # fmt: skip
        senders.append(sender)
        heapq.heappush(queue, (chance.uniform(0.0, first_within_seconds), stream))
    heard: list[float] = []
    while queue and len(heard) < agents:
        world.now_seconds, stream = heapq.heappop(queue)
        attempt: Attempt = senders[stream - 1].post_once()
        if attempt.outcome is Outcome.SENT:
            heard.append(world.now_seconds - up_at_seconds)
            continue
        heapq.heappush(queue, (world.now_seconds + rest_after(attempt, interval, chance), stream))
    seconds = range(min(world.tried, default=0), max(world.tried, default=0) + 1)
    ten = max((sum(world.tried[s + n] for n in range(10)) / 10 for s in seconds), default=0.0)
    return Figures(
        agents, max(world.tried.values(), default=0), ten, max(heard), heard[agents // 2],
        world.busy,
    )  # fmt: skip


# Each: what happens, up at, first contacts within, requests the server takes a second.
SCENES = (
    ("server away for an hour, comes back", 3600.0, 300.0, 2000),
    ("the same, and it takes 20 requests a second", 3600.0, 300.0, 20),
    ("server restarts for 20 seconds", 20.0, 300.0, 2000),
    ("10,000 PCs switched on by one breaker", 0.0, SPREAD_SECONDS, 2000),
    ("the same, and it takes 100 requests a second", 0.0, SPREAD_SECONDS, 100),
)


def main() -> int:
    """Play every scene and print one table; return 0."""
    parser = argparse.ArgumentParser(prog="python -m bench.stampede", description=__doc__)
    parser.add_argument("--agents", type=int, default=AGENTS, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    table = Table(
        "scene", "worst second", "worst 10 s", "half heard", "all heard", "503s", "took",
        box=None, pad_edge=False,
    )  # fmt: skip
    for name, up_at, within, capacity in SCENES:
        begun = time.monotonic()
        one = play(
            options.agents, up_at_seconds=up_at, first_within_seconds=within, capacity=capacity,
            seed=options.seed,
        )  # fmt: skip
        table.add_row(
            name, f"{one.peak_requests_a_second}/s", f"{one.peak_ten_seconds:.1f}/s",
            f"{one.half_heard_seconds:.0f} s", f"{one.all_heard_seconds:.0f} s",
            str(one.busy_answers), f"{time.monotonic() - begun:.1f} s",
        )  # fmt: skip
    Console(highlight=False, width=140).print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
