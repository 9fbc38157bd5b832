"""The poll loop: bounded, spread, and nobody waits for the slow."""

import asyncio
from collections.abc import Awaitable, Callable

from kiemke.collectors.poll import Job, PollLoop, first_turns, next_turn, phase_seconds

INTERVAL = 0.05


async def no_bug(key: str, bug: BaseException) -> None:
    raise AssertionError(f"{key}: {bug}")


def job(key: str, work: Callable[[float], Awaitable[str]]) -> Job:
    """Return a job whose subject is its key."""
    return Job(key, key, work)


async def until(is_so: Callable[[], bool]) -> None:
    """Let the loop run until it is so, a minute at most."""
    async with asyncio.timeout(60):
        while not is_so():
            await asyncio.sleep(0.005)


async def test_never_more_jobs_at_once_than_allowed() -> None:
    at_work, most, done = 0, 0, 0

    async def work(budget_seconds: float) -> str:
        nonlocal at_work, most, done
        at_work += 1
        most = max(most, at_work)
        await asyncio.sleep(0.01)
        at_work -= 1
        done += 1
        return "ok"

    loop = PollLoop(no_bug, concurrency=8)
    await loop.assign({f"d{n}": job(f"d{n}", work) for n in range(60)}, INTERVAL)
    await until(lambda: done > 150)
    await loop.close()

    assert most == 6  # three quarters of 8: the rest is the lane of those that failed
    assert at_work <= 6


async def test_any_number_of_dead_targets_does_not_hold_up_a_live_one() -> None:
    """Thirty dead devices hang from their second turn on; the live one has turn after turn."""
    hanging = 0

    async def dead(budget_seconds: float) -> str:
        nonlocal hanging
        if hanging_from_now.is_set():
            hanging += 1
            await asyncio.Event().wait()
        return "timeout"

    async def live(budget_seconds: float) -> str:
        return "ok"

    hanging_from_now = asyncio.Event()
    loop = PollLoop(no_bug, concurrency=8)
    jobs = {f"dead{n}": job(f"dead{n}", dead) for n in range(30)}
    await loop.assign({**jobs, "live": job("live", live)}, INTERVAL)
    await until(lambda: all(turns.outcome is not None for turns in loop.turns.values()))
    hanging_from_now.set()
    await until(lambda: hanging == 2)
    before = loop.turns["live"].done
    await until(lambda: loop.turns["live"].done >= before + 20)
    still_hanging = hanging
    await loop.close()

    assert still_hanging == 2  # a quarter of 8, however long it goes on


async def test_a_target_that_overruns_skips_turns_and_does_not_queue_them() -> None:
    """The slow one's first turn lasts as long as five turns of its neighbour."""
    slow_done = 0

    async def slow(budget_seconds: float) -> str:
        nonlocal slow_done
        if slow_done == 0:
            await until(lambda: loop.turns["brisk"].done >= 5)
        slow_done += 1
        return "ok"

    async def brisk(budget_seconds: float) -> str:
        return "ok"

    loop = PollLoop(no_bug)
    await loop.assign({"slow": job("slow", slow), "brisk": job("brisk", brisk)}, INTERVAL)
    await until(lambda: slow_done >= 2)
    slow_turns, brisk_turns = loop.turns["slow"], loop.turns["brisk"]
    await loop.close()

    assert slow_turns.skipped >= 3
    # A machine that stood still made both skip.
    assert slow_done + slow_turns.skipped <= brisk_turns.done + brisk_turns.skipped + 2


def test_the_next_turn_keeps_its_place_in_the_interval() -> None:
    assert next_turn(100.0, 100.5, 60.0) == (160.0, 0)
    assert next_turn(100.0, 159.9, 60.0) == (160.0, 0)
    assert next_turn(100.0, 161.0, 60.0) == (220.0, 1)
    assert next_turn(100.0, 400.0, 60.0) == (460.0, 5)


def test_a_new_target_is_polled_within_seconds_and_then_in_its_own_place() -> None:
    for n in range(200):
        key = f"device:{n}"
        first, second = first_turns(key, 1000.0, 60.0)

        assert 1000.0 <= first < 1004.0
        assert 30.0 <= second - first < 90.0
        turns = (second - 1000.0 - phase_seconds(key, 60.0)) / 60.0
        assert abs(turns - round(turns)) < 1e-9


def test_targets_are_spread_over_the_interval_and_stay_where_they_are() -> None:
    places = [phase_seconds(f"device:{n}", 60.0) for n in range(1, 601)]

    assert places == [phase_seconds(f"device:{n}", 60.0) for n in range(1, 601)]
    tenths = [sum(1 for place in places if n * 6 <= place < n * 6 + 6) for n in range(10)]
    assert sum(tenths) == 600
    assert min(tenths) > 30 and max(tenths) < 90


async def test_a_bug_in_one_job_is_told_and_the_others_go_on() -> None:
    told: list[tuple[str, str]] = []
    done = 0

    async def broken(budget_seconds: float) -> str:
        raise TypeError("a bug")

    async def fine(budget_seconds: float) -> str:
        nonlocal done
        done += 1
        return "ok"

    async def tell(key: str, bug: BaseException) -> None:
        told.append((key, type(bug).__name__))

    loop = PollLoop(tell)
    await loop.assign({"a": job("a", broken), "b": job("b", fine)}, INTERVAL)
    await until(lambda: done >= 3 and len(told) >= 3)
    await loop.close()

    assert set(told) == {("a", "TypeError")}
    assert done >= 3


async def test_a_new_assignment_leaves_the_unchanged_alone_and_ends_the_gone_amid_work() -> None:
    started: list[str] = []
    cancelled: list[str] = []

    def make(key: str) -> Job:
        async def work(budget_seconds: float) -> str:
            started.append(key)
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                cancelled.append(key)
                raise
            return "ok"

        return job(key, work)

    loop = PollLoop(no_bug)
    await loop.assign({"stays": make("stays"), "goes": make("goes")}, INTERVAL)
    await until(lambda: len(started) == 2)
    await loop.assign({"stays": make("stays"), "comes": make("comes")}, INTERVAL)
    await until(lambda: "comes" in started)

    assert cancelled == ["goes"]
    assert started.count("stays") == 1
    await loop.close()
    assert sorted(cancelled) == ["comes", "goes", "stays"]


async def test_a_turn_gets_its_share_of_the_interval_and_never_more_than_half_a_minute() -> None:
    budgets: list[float] = []

    async def work(budget_seconds: float) -> str:
        budgets.append(budget_seconds)
        return "ok"

    loop = PollLoop(no_bug)
    await loop.assign({"a": job("a", work)}, INTERVAL)
    await until(lambda: bool(budgets))
    await loop.close()

    assert budgets[0] == INTERVAL * 0.8
