"""The life of a simulated PC: on in office hours of its working days, somebody at it, then asleep.

It keeps one boot (it sleeps at night), so that its late reports have a sure time.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256

from bench.district import Pc
from bench.hardware import GIB, make_inventory
from bench.source import Source
from kiemke.wire.report import AdapterCounters, Event, Sample, SelfCost

# (local time, seconds covered): the first sample after waking covers nothing.
SAMPLES = (
    (time(7, 30), 0.0),
    (time(9, 30), 7200.0),
    (time(11, 30), 7200.0),
    (time(13, 0), 0.0),
    (time(15, 0), 7200.0),
    (time(17, 0), 7200.0),
)
OCTETS_A_SAMPLE = 40_000_000


def working_days_before(today: date, count: int) -> list[date]:
    """Return the last ``count`` Mondays to Fridays before ``today``, newest first."""
    found: list[date] = []
    day = today
    while len(found) < count:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            found.append(day)
    return found


def local_moment(day: date, at: time, utc_offset_seconds: int) -> datetime:
    """Return the UTC moment of a local time of day."""
    return datetime.combine(day, at, UTC) - timedelta(seconds=utc_offset_seconds)


def past_reports(pc: Pc, source: Source, today: date, utc_offset_seconds: int) -> Iterator[bytes]:
    """Yield the encoded reports of the PC's days, oldest first: inventory, boot, samples."""
    days = working_days_before(today, pc.first_working_day)[pc.last_working_day - 1 :]
    octets = octets_at_first(pc)
    for number, day in enumerate(reversed(days)):
        for at, covered_seconds in SAMPLES:
            moment = local_moment(day, at, utc_offset_seconds)
            if number == 0 and at == SAMPLES[0][0]:
                booted_at = source.booted_at.isoformat()
                inventory = make_inventory(pc, booted_at, source.boot_id)
                yield source.encode(moment, "inventory", inventory)
                yield source.encode(moment, "event", Event("boot"))
            octets += OCTETS_A_SAMPLE if covered_seconds else 0
            yield source.encode(moment, "sample", make_sample(pc, covered_seconds, octets))


def octets_at_first(pc: Pc) -> int:
    """Return what a PC's adapter had counted before: its own figure, the host's for a made-up one."""
    return spread_of(pc) % 9_000_000_000


def octets_live(pc: Pc, seconds: int) -> int:
    """Return what it has counted so many seconds after its past: every PC still its own figure.

    A large sum common to all would make them look like one PC.
    """
    past = pc.first_working_day * len(SAMPLES) * OCTETS_A_SAMPLE
    return octets_at_first(pc) + past + max(seconds, 0) * 10_000


def spread_of(pc: Pc) -> int:
    """Return a number that is a PC's own, or that of the one on which it is made up."""
    return int(sha256((pc.host or pc.install_id).encode()).hexdigest()[:12], 16)


def make_sample(pc: Pc, covered_seconds: float, octets: int) -> Sample:
    """Return a sample with the PC's user at its console."""
    return Sample(
        covered_seconds=covered_seconds,
        cpu_ratio=0.08 if covered_seconds else None,
        memory_used_bytes=pc.memory_gib * GIB // 2,
        memory_total_bytes=pc.memory_gib * GIB,
        adapters=(AdapterCounters("Ethernet", octets, octets // 8),),
        user=pc.account,
        cost=SelfCost(cpu_seconds=1.5, rss_bytes=24_000_000, outbox_reports=60),
    )
