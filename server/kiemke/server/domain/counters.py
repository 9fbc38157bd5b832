"""Two readings of one interface make one interval: octets with a quality, or no octets at all."""

from dataclasses import dataclass

from kiemke.server.daypack import SLOT_SECONDS

# A poller of exactly one slot's period is allowed a tenth of jitter before its intervals are gaps.
LONGEST_RATED_SECONDS = SLOT_SECONDS * 1.1

# Counters may be read a moment after they were counted; a line is not faster than its port.
_SPEED_TOLERANCE = 1.1
# Where the port does not tell its speed: nothing in an office LAN or WAN is faster than 400 Gbit/s.
FASTEST_BITS_PER_SECOND = 400e9

# sysUpTime and the 32-bit counters wrap here (RFC 2578 TimeTicks, Counter32).
_TICKS_WRAP_SECONDS = 2**32 / 100
# Clocks of sender and device drift apart: up to a thousandth of the time between, and half a minute.
_UPTIME_SLACK_SECONDS = 30.0
_UPTIME_DRIFT = 0.001
# The moment of a reading and that of its sysUpTime are this far apart at most, as polls go.
_READ_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Reading:
    """The raw octet counters of one interface at one moment (epoch milliseconds).

    ``sys_uptime_seconds`` is what sysUpTime was at that moment.
    """

    at_ms: int
    in_octets: int | None
    out_octets: int | None
    counter_bits: int | None
    sys_uptime_seconds: float | None
    discontinuity_seconds: float | None
    speed_bits_per_second: int | None
    last_change_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """What happened between two readings.

    ``quality`` is "ok", "wrap" (32-bit wrap, corrected), "gap" (too long for a rate: octets are
    conserved where they are sure, else None), "reset" or "implausible" (octets None).
    """

    quality: str
    seconds: float
    in_octets: int | None = None
    out_octets: int | None = None

    @property
    def has_rate(self) -> bool:
        """Whether octets divided by seconds is an honest rate."""
        return self.quality in ("ok", "wrap") and self.in_octets is not None


def _is_torn(before: Reading, after: Reading, seconds: float) -> bool:
    """Whether the readings are not of one count: a restart, another device, a clock that stood still.

    sysUpTime must have grown by the time between, no less (a restart) and no more (another device answers
    at the address, or the clock of who polls stood still: then the time between is not known).
    """
    if before.discontinuity_seconds != after.discontinuity_seconds and None not in (
        before.discontinuity_seconds,
        after.discontinuity_seconds,
    ):
        return True
    if before.sys_uptime_seconds is None or after.sys_uptime_seconds is None:
        return False
    expected = before.sys_uptime_seconds + seconds
    slack = _UPTIME_SLACK_SECONDS + seconds * _UPTIME_DRIFT
    # After 497 days sysUpTime itself wraps, more than once in years: that is no restart.
    wraps = max(0, round((expected - after.sys_uptime_seconds) / _TICKS_WRAP_SECONDS))
    if abs(after.sys_uptime_seconds + wraps * _TICKS_WRAP_SECONDS - expected) > slack:
        return True
    # One that had just started and did so again is as old as expected, give or take the slack.
    began_since = seconds - after.sys_uptime_seconds > _READ_SECONDS
    return wraps == 0 and began_since


def _difference(before: int, after: int, bits: int, most: float) -> tuple[int | None, str]:
    """Return the octets counted and the quality, given the most that could have passed."""
    if bits == 64:
        if after < before:
            return None, "reset"
        return (after - before, "ok") if after - before <= most else (None, "implausible")
    if max(before, after) >= 2**32:
        return None, "implausible"  # no 32-bit counter ever says that
    if most >= 2**32:
        # More than one wrap may have happened: the difference says nothing.
        return None, "gap"
    if after >= before:
        return (after - before, "ok") if after - before <= most else (None, "implausible")
    wrapped = after + 2**32 - before
    return (wrapped, "wrap") if wrapped <= most else (None, "reset")


def _began_anew(before: Reading, after: Reading) -> bool:
    """Whether a 32-bit counter went back and its port changed state: made anew, or wrapped by chance.

    Few devices with 32-bit counters tell a discontinuity; one that dials in again begins at 0.
    """
    has_changed = before.last_change_seconds != after.last_change_seconds and None not in (
        before.last_change_seconds,
        after.last_change_seconds,
    )
    pairs = ((before.in_octets, after.in_octets), (before.out_octets, after.out_octets))
    return has_changed and any(
        old is not None and new is not None and new < old for old, new in pairs
    )


def most_octets(bits_per_second: float, seconds: float) -> float:
    """Return what a port of this speed can have counted between two readings at most."""
    # A second more: both readings may be taken up to half a second off their moment.
    return bits_per_second / 8 * _SPEED_TOLERANCE * (seconds + 1)


def interval(before: Reading, after: Reading) -> Interval | None:
    """Return the interval between two readings in order; None when no time passed.

    32-bit counters wrap in 343 s at 100 Mbit/s, so a difference is taken only while the port could
    not have counted 2**32 octets; a port that does not tell its speed is taken to be able to.
    """
    seconds = (after.at_ms - before.at_ms) / 1000
    if seconds <= 0:
        return None
    if _is_torn(before, after, seconds):
        return Interval("reset", seconds)
    pairs = (before.in_octets, after.in_octets, before.out_octets, after.out_octets)
    if None in pairs or before.counter_bits != after.counter_bits:
        return Interval("gap", seconds)
    speed = max(after.speed_bits_per_second or 0, before.speed_bits_per_second or 0)
    most = most_octets(speed or FASTEST_BITS_PER_SECOND, seconds)
    bits = after.counter_bits or 32
    if bits == 32 and _began_anew(before, after):
        return Interval("reset", seconds)
    assert pairs[0] is not None and pairs[1] is not None  # noqa: S101  # told to the type checker
    assert pairs[2] is not None and pairs[3] is not None  # noqa: S101
    octets_in, quality_in = _difference(pairs[0], pairs[1], bits, most)
    octets_out, quality_out = _difference(pairs[2], pairs[3], bits, most)
    worst = max((quality_in, quality_out), key=_WORSE.index)
    if octets_in is None or octets_out is None:
        return Interval(worst, seconds)
    if seconds > LONGEST_RATED_SECONDS:
        return Interval("gap", seconds, octets_in, octets_out)
    return Interval(worst, seconds, octets_in, octets_out)


_WORSE = ("ok", "wrap", "gap", "reset", "implausible")
