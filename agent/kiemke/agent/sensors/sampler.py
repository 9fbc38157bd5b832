"""Takes samples: load, memory, adapter counters, who sits there, and what the agent itself costs."""

from dataclasses import dataclass

import psutil

from kiemke.agent.sensors.seat import console_user
from kiemke.wire.clocks import Clock
from kiemke.wire.report import AdapterCounters, Sample, SelfCost

IDLE_FIELDS = ("idle", "iowait")
# Linux counts guest time in user time already (proc(5)).
COUNTED_TWICE = ("guest", "guest_nice")


@dataclass(frozen=True, slots=True)
class CpuTime:
    """Seconds all processors together were busy, and in all."""

    busy_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class LinkState:
    """What one adapter's link negotiated; speed and duplex None when unknown."""

    is_up: bool
    speed_mbits: int | None
    duplex: str | None


def read_cpu() -> CpuTime:
    """Return processor time since boot. Source: psutil.cpu_times."""
    times = psutil.cpu_times()._asdict()
    total = sum(value for name, value in times.items() if name not in COUNTED_TWICE)
    return CpuTime(total - sum(times.get(name, 0.0) for name in IDLE_FIELDS), total)


def busy_ratio(before: CpuTime, after: CpuTime) -> float | None:
    """Return the busy share of the time between, 0 to 1; None when no time went by."""
    total = after.total_seconds - before.total_seconds
    if total <= 0:
        return None
    return min(1.0, max(0.0, (after.busy_seconds - before.busy_seconds) / total))


def read_links() -> dict[str, LinkState]:
    """Return the links of the physical adapters; empty when they cannot be read."""
    try:
        stats = psutil.net_if_stats()
    except (psutil.Error, OSError, RuntimeError):
        return {}
    words = {int(psutil.NIC_DUPLEX_FULL): "full", int(psutil.NIC_DUPLEX_HALF): "half"}
    return {
        name: LinkState(one.isup, one.speed or None, words.get(int(one.duplex)))
        for name, one in stats.items()
        if "loopback" not in one.flags.split(",") and name != "lo"
    }


class Sampler:
    """Knows the previous sample, to say how much time the next one covers."""

    def __init__(self, clock: Clock) -> None:
        """Begin: the first sample covers nothing."""
        self._clock = clock
        self._process = psutil.Process()
        self._previous_awake_seconds: float | None = None
        self._previous_cpu: CpuTime | None = None

    def forget(self) -> None:
        """Let the next sample cover nothing: the machine slept, or nobody watched."""
        self._previous_awake_seconds = None
        self._previous_cpu = None

    def take(self, outbox_reports: int | None) -> Sample:
        """Return a sample of this moment; what cannot be read is None or left out.

        ``outbox_reports`` is how many wait, None when the outbox cannot tell.
        """
        now, cpu = self._clock.awake_seconds(), read_cpu()
        before, cpu_before = self._previous_awake_seconds, self._previous_cpu
        self._previous_awake_seconds, self._previous_cpu = now, cpu
        memory = psutil.virtual_memory()
        return Sample(
            covered_seconds=0.0 if before is None else max(0.0, now - before),
            cpu_ratio=None if cpu_before is None else busy_ratio(cpu_before, cpu),
            memory_used_bytes=memory.total - memory.available,
            memory_total_bytes=memory.total,
            adapters=_counters(),
            user=console_user(),
            cost=None if outbox_reports is None else self._cost(outbox_reports),
        )

    def _cost(self, outbox_reports: int) -> SelfCost | None:
        """Return what this process has used, None where the system does not tell."""
        try:
            times = self._process.cpu_times()
            return SelfCost(
                cpu_seconds=times.user + times.system,
                rss_bytes=self._process.memory_info().rss,
                outbox_reports=outbox_reports,
            )
        except (psutil.Error, OSError):
            return None


def _counters() -> tuple[AdapterCounters, ...]:
    """Return the adapters' raw octet counters, loopback left out; empty when unreadable."""
    try:
        # psutil's own mending of wraps is switched off: the server judges raw counters.
        counters = psutil.net_io_counters(pernic=True, nowrap=False)
    except (psutil.Error, OSError, RuntimeError):
        return ()
    return tuple(
        AdapterCounters(name, one.bytes_recv, one.bytes_sent)
        for name, one in sorted(counters.items())
        if name != "lo" and not name.startswith("Loopback")
    )
