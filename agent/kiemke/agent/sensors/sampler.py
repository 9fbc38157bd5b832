"""Takes samples: load, memory, adapter counters, who sits there, and what the agent itself costs."""

import sys

from kiemke.agent.journal import warn
from kiemke.agent.sensors.seat import console_user
from kiemke.agent.sensors.vital import CpuTime, LinkState, VitalsError
from kiemke.wire.clocks import Clock
from kiemke.wire.report import AdapterCounters, Sample, SelfCost

if sys.platform == "linux":
    from kiemke.agent.sensors import vital_linux as vitals
else:
    from kiemke.agent.sensors import vital_psutil as vitals

__all__ = ["CpuTime", "LinkState", "Sampler", "busy_ratio", "read_links"]


def busy_ratio(before: CpuTime, after: CpuTime) -> float | None:
    """Return the busy share of the time between, 0 to 1; None when no time went by."""
    total = after.total_seconds - before.total_seconds
    if total <= 0:
        return None
    return min(1.0, max(0.0, (after.busy_seconds - before.busy_seconds) / total))


def read_links() -> dict[str, LinkState]:
    """Return the links of the adapters, loopback left out; empty when they cannot be read."""
    try:
        return vitals.read_links()
    except VitalsError as err:
        warn("links not read", reason=err)
        return {}


class Sampler:
    """Knows the previous sample, to say how much time the next one covers."""

    def __init__(self, clock: Clock) -> None:
        """Begin: the first sample covers nothing."""
        self._clock = clock
        self._previous_awake_seconds: float | None = None
        self._previous_cpu: CpuTime | None = None

    def forget(self) -> None:
        """Let the next sample cover nothing: the machine slept, or nobody watched."""
        self._previous_awake_seconds = None
        self._previous_cpu = None

    def take(self, outbox_reports: int | None, *, tells_user: bool = True) -> Sample:
        """Return a sample of this moment; what cannot be read is None or left out.

        ``outbox_reports`` is how many wait, None when the outbox cannot tell; ``tells_user`` whether
        the account at the seat may be named.
        """
        now, cpu = self._clock.awake_seconds(), _cpu()
        before, cpu_before = self._previous_awake_seconds, self._previous_cpu
        self._previous_awake_seconds, self._previous_cpu = now, cpu
        used_bytes, total_bytes = _memory()
        return Sample(
            covered_seconds=0.0 if before is None else max(0.0, now - before),
            cpu_ratio=None if cpu_before is None or cpu is None else busy_ratio(cpu_before, cpu),
            memory_used_bytes=used_bytes,
            memory_total_bytes=total_bytes,
            adapters=_counters(),
            user=console_user() if tells_user else None,
            cost=None if outbox_reports is None else _cost(outbox_reports),
        )


def _cpu() -> CpuTime | None:
    """Return processor time, None when it cannot be read."""
    try:
        return vitals.read_cpu()
    except VitalsError as err:
        warn("load not read", reason=err)
        return None


def _memory() -> tuple[int | None, int | None]:
    """Return bytes in use and in all, None when they cannot be read."""
    try:
        return vitals.read_memory()
    except VitalsError as err:
        warn("memory not read", reason=err)
        return None, None


def _counters() -> tuple[AdapterCounters, ...]:
    """Return the adapters' raw octet counters, loopback left out; empty when unreadable."""
    try:
        counters = vitals.read_octets()
    except VitalsError as err:
        warn("adapters not read", reason=err)
        return ()
    return tuple(
        AdapterCounters(name, one.received, one.sent) for name, one in sorted(counters.items())
    )


def _cost(outbox_reports: int) -> SelfCost | None:
    """Return what this process has used, None where the system does not tell."""
    try:
        cpu_seconds, rss_bytes = vitals.read_own_cost()
    except VitalsError as err:
        warn("own cost not read", reason=err)
        return None
    return SelfCost(cpu_seconds, rss_bytes, outbox_reports)
