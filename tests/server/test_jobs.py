"""One leader at a time, fenced; jobs that fail alone."""

import asyncio

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.server.db import Database
from kiemke.server.errors import ServerError
from kiemke.server.jobs import lease
from kiemke.server.jobs.leader import LEASE, LEASE_MS, Leader
from kiemke.server.jobs.table import Job, Turn, jobs
from tests.support.office import MOMENT_MS, Office


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now_ms = MOMENT_MS

    def __call__(self) -> int:
        return self.now_ms


async def test_a_lease_has_one_holder_until_it_runs_out(database: Database) -> None:
    first = await lease.take(database, "x", "a", 1000, 500)
    refused = await lease.take(database, "x", "b", 1499, 500)
    renewed = await lease.take(database, "x", "a", 1400, 500)
    taken = await lease.take(database, "x", "b", 1900, 500)
    back = await lease.take(database, "x", "a", 2400, 500)

    assert (first, refused, renewed, taken, back) == (1, None, 1, 2, 3)


async def test_two_processes_that_reach_at_once_get_one_lease(database: Database) -> None:
    answers = await asyncio.gather(
        *(lease.take(database, "x", holder, 1000, 500) for holder in "abcd")
    )

    assert sorted(answers, key=str) == [1, None, None, None]


async def test_a_leader_that_slept_past_its_lease_can_write_nothing(database: Database) -> None:
    """Its own clock says that it still leads; the fence in the row says otherwise."""
    fence = await lease.take(database, "x", "a", 1000, 500)
    await lease.take(database, "x", "b", 2000, 500)

    assert fence == 1
    with pytest.raises(lease.LostLease):
        async with database.transaction() as session:
            await session.execute(
                "INSERT INTO machine (created_at_ms) VALUES (:now)", now=MOMENT_MS
            )
            await lease.check(session, "x", fence)
    assert await database.read("SELECT id FROM machine") == []


async def test_a_released_lease_is_free_at_once(database: Database) -> None:
    await lease.take(database, "x", "a", 1000, 500)
    await lease.release(database, "x", "b")
    still = await lease.take(database, "x", "b", 1100, 500)
    await lease.release(database, "x", "a")

    assert still is None
    assert await lease.take(database, "x", "b", 1100, 500) == 2


async def test_a_failing_job_is_told_and_the_others_go_on(database: Database) -> None:
    seen: list[tuple[str, str, int]] = []

    async def fail(turn: Turn) -> int:
        raise ServerError("no")

    async def break_(turn: Turn) -> int:
        raise KeyError("a bug")

    async def work(turn: Turn) -> int:
        return 3

    leader = Leader(
        database,
        (Job("fails", 30, fail), Job("breaks", 30, break_), Job("works", 30, work)),
        observe=lambda name, outcome, seconds, changes: seen.append((name, outcome, changes)),
        clock=Clock(),
    )

    assert await leader.hold()
    await leader.run_due()
    await leader.run_due()

    assert seen == [("fails", "failed", 0), ("breaks", "failed", 0), ("works", "ok", 3)]


async def test_a_job_runs_again_when_its_time_has_come(database: Database) -> None:
    moments: list[int] = []
    clock = Clock()

    async def work(turn: Turn) -> int:
        moments.append(turn.now_ms - MOMENT_MS)
        return 0

    leader = Leader(database, (Job("works", 30, work),), clock=clock)
    await leader.hold()
    for _ in range(7):
        await leader.run_due()
        clock.now_ms += 10_000

    assert moments == [0, 30_000, 60_000]


async def test_a_second_process_leads_after_the_first_is_gone(database: Database) -> None:
    clock = Clock()
    first, second = Leader(database, (), clock=clock), Leader(database, (), clock=clock)

    assert (await first.hold(), await second.hold()) == (True, False)
    clock.now_ms += LEASE_MS
    assert (await second.hold(), await first.hold()) == (True, False)
    rows = await database.read("SELECT fence FROM lease WHERE name = :name", name=LEASE)
    assert rows == [{"fence": 2}]


async def test_a_job_of_a_lost_lease_stops_and_the_process_leads_no_more(
    database: Database,
) -> None:
    outcomes: list[str] = []

    async def write(turn: Turn) -> int:
        await lease.take(database, LEASE, "another", MOMENT_MS + 2 * LEASE_MS, LEASE_MS)
        async with database.transaction() as session:
            await turn.guard(session)
        return 1

    leader = Leader(
        database,
        (Job("writes", 30, write),),
        observe=lambda name, outcome, seconds, changes: outcomes.append(outcome),
        clock=Clock(),
    )
    await leader.hold()
    await leader.run_due()

    assert outcomes == ["lost"]
    assert leader.fence is None


async def test_every_job_runs_on_a_small_office(database: Database) -> None:
    office = Office()
    office.add_installation()
    unit = office.add_unit()
    office.add_verified_pc(unit, office.add_official(unit))
    await office.write_to(database)
    outcomes: dict[str, str] = {}
    leader = Leader(
        database,
        jobs(database, 60.0, Ed25519PrivateKey.generate()),
        observe=lambda name, outcome, seconds, changes: outcomes.update({name: outcome}),
        clock=Clock(),
    )

    await leader.hold()
    await leader.run_due()

    names = [job.name for job in jobs(database, 60.0, Ed25519PrivateKey.generate())]
    assert {"identity", "match", "coverage", "findings", "search", "prune"} <= set(names)
    assert outcomes == dict.fromkeys(names, "ok")
    rows = await database.read("SELECT verified FROM coverage_now WHERE unit_id = :unit", unit=unit)
    assert rows == [{"verified": 1}]


async def test_a_running_leader_works_and_lets_go(database: Database) -> None:
    ran = asyncio.Event()

    async def work(turn: Turn) -> int:
        ran.set()
        return 0

    leader = Leader(database, (Job("works", 30, work),))
    await leader.start()
    try:
        await asyncio.wait_for(ran.wait(), 15)
    finally:
        await leader.stop()

    rows = await database.read("SELECT expires_at_ms FROM lease")
    assert rows == [{"expires_at_ms": 0}]
