"""Takes samples: load, memory, adapter counters, who sits there, and what the agent itself costs."""

import sys

from kiemke.agent.journal import warn
from kiemke.agent.sensors.seat import console_user
from kiemke.agent.sensors.vital import CpuTime, DiskBytes, LinkState, VitalsError
from kiemke.wire.clocks import Clock
from kiemke.wire.report import AdapterCounters, Reach, Sample, SelfCost, VolumeSpace

if sys.platform == "linux":
    from kiemke.agent.sensors import vital_linux as vitals
else:
    from kiemke.agent.sensors import vital_psutil as vitals

__all__ = ["CpuTime", "LinkState", "Sampler", "busy_ratio", "read_cost", "read_links"]


VOLUMES_SECONDS = 3600.0
MEGABYTE = 1_000_000  # memory in use changes every moment: finer it would only travel longer
WIDE_SAMPLES = 5  # every fifth sample, one a post, also tells what costs more bytes than it changes


def merge_reach(reached: list[Reach]) -> tuple[Reach, ...]:
    """Return one Reach a target: pings added up, the mean of the round trips in microseconds."""
    merged = []
    for target in dict.fromkeys(one.target for one in reached):
        own = [one for one in reached if one.target == target]
        trips = [one.rtt_seconds for one in own if one.rtt_seconds is not None]
        mean = round(sum(trips) / len(trips), 6) if trips else None
        received = sum(one.received for one in own)
        merged.append(Reach(target, sum(one.sent for one in own), received, mean))
    return tuple(merged)


def busy_ratio(before: CpuTime, after: CpuTime) -> float | None:
    """Return the busy share of the time between, 0 to 1; None when no time went by."""
    total = after.total_seconds - before.total_seconds
    if total <= 0:
        return None
    return round(min(1.0, max(0.0, (after.busy_seconds - before.busy_seconds) / total)), 3)


def read_links() -> dict[str, LinkState]:
    """Return the links of the adapters, loopback left out; empty when they cannot be read."""
    try:
        return vitals.read_links()
    except VitalsError as err:
        warn("links not read", reason=err)
        return {}


def read_cost() -> tuple[float, int]:
    """Return this process's processor seconds and resident bytes. Raises VitalsError."""
    return vitals.read_own_cost()


class Sampler:
    """Knows the previous sample, to say how much time the next one covers."""

    def __init__(self, clock: Clock) -> None:
        """Begin: the first sample covers nothing."""
        self._clock = clock
        self._previous_awake_seconds: float | None = None
        self._previous_cpu: CpuTime | None = None
        self._volumes_told: float | None = None
        self._reached: list[Reach] = []
        self._taken = 0

    def forget(self) -> None:
        """Let the next sample cover nothing: the machine slept, or nobody watched."""
        self._previous_awake_seconds = None
        self._previous_cpu = None

    def take(
        self,
        outbox_reports: int | None,
        *,
        tells_user: bool = True,
        reach: tuple[Reach, ...] | None = None,
        clock_offset_seconds: float | None = None,
    ) -> Sample:
        """Return a sample of this moment; what cannot be read is None or left out.

        ``outbox_reports`` is how many wait, None when the outbox cannot tell; ``tells_user`` whether
        the account at the seat may be named; ``reach`` what pings gave, None where none were sent;
        ``clock_offset_seconds`` how far the server's clock is ahead.
        """
        now, cpu = self._clock.awake_seconds(), _cpu()
        before, cpu_before = self._previous_awake_seconds, self._previous_cpu
        self._previous_awake_seconds, self._previous_cpu = now, cpu
        used_bytes, total_bytes = _memory()
        self._reached += reach or ()
        self._taken += 1
        is_wide = self._taken % WIDE_SAMPLES == 1
        disk = _disk_bytes() if is_wide else None
        return Sample(
            covered_seconds=0.0 if before is None else round(max(0.0, now - before), 2),
            cpu_ratio=None if cpu_before is None or cpu is None else busy_ratio(cpu_before, cpu),
            memory_used_bytes=None if used_bytes is None else used_bytes // MEGABYTE * MEGABYTE,
            memory_total_bytes=total_bytes,
            adapters=_counters(),
            user=console_user() if tells_user else None,
            cost=_cost(outbox_reports) if is_wide and outbox_reports is not None else None,
            disk_read_bytes=None if disk is None else disk.read,
            disk_written_bytes=None if disk is None else disk.written,
            volumes=self._volumes(now),
            reach=self._tally() if is_wide else None,
            clock_offset_seconds=clock_offset_seconds,
        )

    def _tally(self) -> tuple[Reach, ...] | None:
        """Return the pings since the last time, one Reach a target; None when none were sent."""
        reached, self._reached = self._reached, []
        return merge_reach(reached) or None

    def _volumes(self, now: float) -> tuple[VolumeSpace, ...] | None:
        """Return the room on the volumes once an hour, else None."""
        if self._volumes_told is not None and now - self._volumes_told < VOLUMES_SECONDS:
            return None
        self._volumes_told = now
        try:
            return tuple(vitals.read_volumes())
        except VitalsError as err:
            warn("volumes not read", reason=err)
            return None


def _cpu() -> CpuTime | None:
    """Return processor time, None when it cannot be read."""
    try:
        return vitals.read_cpu()
    except VitalsError as err:
        warn("load not read", reason=err)
        return None


def _disk_bytes() -> DiskBytes | None:
    """Return what the disks have read and written, None when it cannot be read."""
    try:
        return vitals.read_disk_bytes()
    except VitalsError as err:
        warn("disks not read", reason=err)
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
    return SelfCost(round(cpu_seconds, 2), rss_bytes, outbox_reports)
