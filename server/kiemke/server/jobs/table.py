"""The jobs of the leader, in the order they run when several are due."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.server.db import Database, Session
from kiemke.server.domain import (
    access_now,
    audit_chain,
    audit_units,
    clocks_now,
    coverage,
    coverage_figures,
    device_health_now,
    device_identity_now,
    elsewhere_now,
    findings_now,
    fit_now,
    hardware_now,
    identity_now,
    lan_findings,
    links_now,
    match_decide,
    match_device_now,
    one_host_now,
    pc_history,
    pc_sums,
    search_index,
)
from kiemke.server.jobs import prune

Guard = Callable[[Session], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one run of a job gets: the moment, and the guard of its writing transactions."""

    now_ms: int
    guard: Guard


@dataclass(frozen=True, slots=True)
class Job:
    """A recurring piece of work. ``run`` returns how many things it changed."""

    name: str
    every_seconds: float
    run: Callable[[Turn], Awaitable[int]]


def jobs(db: Database, poll_seconds: float, audit_key: Ed25519PrivateKey) -> tuple[Job, ...]:
    """Return the jobs on a database; ``poll_seconds`` is how often collectors look."""
    resolver = identity_now.Resolver(db)
    watcher = one_host_now.Watch(db)
    fitness = fit_now.Recounter(db)
    sums = pc_sums.PcSums(db)
    past = pc_history.PcHistory(db)

    async def identity(turn: Turn) -> int:
        outcome = await resolver.run(turn.now_ms, turn.guard)
        return outcome.resolved + outcome.matched + outcome.approved + outcome.quarantined

    async def match(turn: Turn) -> int:
        machines = await match_decide.run(db, turn.now_ms, turn.guard)
        return machines + await match_device_now.run(db, turn.now_ms, turn.guard)

    async def recount(turn: Turn) -> int:
        return await coverage.refresh_now(db, turn.now_ms, turn.guard)

    async def count(turn: Turn) -> int:
        return await coverage_figures.refresh_now(db, turn.now_ms, turn.guard)

    async def measure(turn: Turn) -> int:
        return await fitness.run(turn.now_ms, turn.guard)

    async def judge(turn: Turn) -> int:
        return await links_now.refresh_now(db, turn.now_ms, poll_seconds, turn.guard)

    async def seal(turn: Turn) -> int:
        async with db.transaction() as session:
            await turn.guard(session)
            return await audit_chain.seal(session, audit_key, turn.now_ms)

    return (
        Job("identity", 10.0, identity),
        Job("search", 5.0, lambda turn: search_index.run(db, turn.guard)),
        Job("one_host", 60.0, lambda turn: watcher.run(turn.now_ms, turn.guard)),
        Job("devices", 60.0, lambda turn: device_identity_now.run(db, turn.now_ms, turn.guard)),
        Job("match", 60.0, match),
        Job("elsewhere", 300.0, lambda turn: elsewhere_now.run(db, turn.guard)),
        Job("coverage", 30.0, recount),
        Job("unit_figures", 60.0, count),
        Job("fitness", 300.0, measure),
        Job("pc_sums", 60.0, lambda turn: sums.run(turn.now_ms, turn.guard)),
        Job("pc_history", 300.0, lambda turn: past.run(turn.now_ms, turn.guard)),
        Job("link_health", 60.0, judge),
        Job("hardware", 60.0, lambda turn: hardware_now.run(db, turn.now_ms, turn.guard)),
        Job("device_health", 60.0, lambda turn: device_health_now.run(db, turn.now_ms, turn.guard)),
        Job("lan_findings", 300.0, lambda turn: lan_findings.run(db, turn.now_ms, turn.guard)),
        Job("findings", 300.0, lambda turn: findings_now.run(db, turn.now_ms, turn.guard)),
        Job("clocks", 300.0, lambda turn: clocks_now.run(db, turn.now_ms, turn.guard)),
        Job("access", 300.0, lambda turn: access_now.run(db, turn.now_ms, turn.guard)),
        Job("seal_audit", 10.0, seal),
        Job("audit_units", 60.0, lambda turn: audit_units.run(db, turn.guard)),
        Job("prune", 3600.0, lambda turn: prune.run(db, turn.now_ms, turn.guard)),
    )
