"""The health of a line from what was seen of it: numbers in, figures and a verdict with reasons out.

Unknown slots are left out everywhere and show in the coverage figures; they are never "down" and
never zero traffic. All ratios are 0 to 1; directions are the line's own: receive is download.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kiemke.server.daypack import SLOT_SECONDS, SLOTS, UNKNOWN_U16, UNKNOWN_U32, LinkSlots
from kiemke.server.domain.rules import Rules

VERDICTS = ("healthy", "degraded", "down", "unknown")
DIRECTIONS = ("receive", "transmit")


@dataclass(frozen=True, slots=True)
class Contract:
    """What a line is sold as; absent rates are None."""

    kind: str
    down_bits_per_second: int | None
    up_bits_per_second: int | None

    def rate(self, direction: str) -> int | None:
        """Return the contracted rate of a direction, bits per second."""
        return self.down_bits_per_second if direction == "receive" else self.up_bits_per_second


@dataclass(frozen=True, slots=True)
class Live:
    """What ``link_now`` says at this moment; ``is_fresh`` when its state is of the last periods."""

    state: str
    is_fresh: bool
    negotiated_bits_per_second: int | None
    duplex: str | None


@dataclass(slots=True)
class Seen:
    """What the window of days holds of one line, slot by slot and already merged."""

    rates: dict[str, list[float]] = field(default_factory=lambda: {d: [] for d in DIRECTIONS})
    traffic_slots: int = 0
    window_slots: int = 0
    looked_slots: int = 0
    echo_sent: int = 0
    echo_received: int = 0
    rtt_us_sum: int = 0
    jitter_us_sum: int = 0
    rtt_slots: int = 0
    known_seconds: float = 0.0
    up_seconds: float = 0.0
    availability_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a line is not simply healthy. ``level`` is "warn" or "fail"; value and limit may be None."""

    code: str
    level: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Health:
    """A line's figures over the rule's windows and the verdict on them."""

    verdict: str
    reasons: tuple[Reason, ...]
    basis: str | None
    p95_ratio: dict[str, float | None]
    sample_coverage_ratio: float | None
    availability_ratio: float | None
    availability_coverage_ratio: float | None
    delivered_ratio: dict[str, float | None]
    loss_ratio: float | None
    round_trip_seconds: float | None
    jitter_seconds: float | None


def add_day(seen: Seen, sources: Sequence[LinkSlots], first: int, end: int) -> None:
    """Add slots ``first`` to ``end`` - 1 of one day as its observers saw them.

    ``sources`` stand in order of precedence: for each slot the first that knows is heard. Two
    observers of one line are never summed.
    """
    for slot in range(first, end):
        seen.window_slots += 1
        for slots in sources:
            if slots.seconds[slot] != UNKNOWN_U16 and slots.seconds[slot] > 0:
                seconds = slots.seconds[slot]
                seen.rates["receive"].append(slots.in_octets[slot] * 8 / seconds)
                seen.rates["transmit"].append(slots.out_octets[slot] * 8 / seconds)
                seen.traffic_slots += 1
                break
        looked = next((s for s in sources if s.up_polls[slot] or s.down_polls[slot]), None)
        if looked is not None:
            seen.looked_slots += 1
        # While a line is down its lost probes are the outage's, not the line's loss.
        if looked is None or looked.up_polls[slot]:
            _add_echo(seen, sources, slot)


def _add_echo(seen: Seen, sources: Sequence[LinkSlots], slot: int) -> None:
    for slots in sources:
        if slots.echo_sent[slot] not in (UNKNOWN_U16, 0):
            seen.echo_sent += slots.echo_sent[slot]
            seen.echo_received += slots.echo_received[slot]
            if slots.rtt_us[slot] != UNKNOWN_U32:
                seen.rtt_us_sum += slots.rtt_us[slot]
                jitter_us = slots.jitter_us[slot]
                seen.jitter_us_sum += 0 if jitter_us == UNKNOWN_U32 else jitter_us
                seen.rtt_slots += 1
            return


def add_availability(seen: Seen, sources: Sequence[LinkSlots], first: int, end: int) -> None:
    """Add the looks of slots ``first`` to ``end`` - 1 of one day to the availability window."""
    for slot in range(first, end):
        seen.availability_seconds += SLOT_SECONDS
        for slots in sources:
            looks = slots.up_polls[slot] + slots.down_polls[slot]
            if looks:
                seen.known_seconds += SLOT_SECONDS
                seen.up_seconds += SLOT_SECONDS * slots.up_polls[slot] / looks
                break


def percentile_95(values: Sequence[float]) -> float | None:
    """Return the 95th percentile by nearest rank, None of nothing."""
    if not values:
        return None
    return sorted(values)[math.ceil(len(values) * 0.95) - 1]


def delivered(
    rates: Sequence[float], contracted: int | None, law: Rules, subject: str
) -> float | None:
    """Return the rate a line was seen to give as a share of the contract, None when nobody can tell.

    An idle line shows no ceiling. It is shown when enough slots meet the same peak, or when the peak
    alone reaches what is asked for.
    """
    if not rates or not contracted:
        return None
    needed = law.whole("link_delivered_saturated_slots_min", subject)
    highest = sorted(rates, reverse=True)[:needed]
    share = highest[0] / contracted
    if share >= law.number("link_delivered_min", subject):
        return share
    spread = law.number("link_delivered_ceiling_spread", subject)
    is_ceiling = len(highest) == needed and highest[-1] >= highest[0] * (1 - spread)
    is_busy = share >= law.number("link_delivered_busy_min", subject)
    # A stream that never changes shows what it needs, not what the line could give.
    is_peak = sorted(rates)[len(rates) // 2] < highest[-1] * law.number(
        "link_delivered_steady_max", subject
    )
    return share if is_ceiling and is_busy and is_peak else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def judge(contract: Contract, live: Live, seen: Seen, law: Rules, subject: str = "") -> Health:
    """Return a line's figures and verdict. ``subject`` ("link:7") chooses its own rules."""
    p95: dict[str, float | None] = {}
    given: dict[str, float | None] = {}
    for direction in DIRECTIONS:
        contracted = contract.rate(direction)
        peak = percentile_95(seen.rates[direction])
        p95[direction] = None if peak is None or not contracted else peak / contracted
        given[direction] = delivered(seen.rates[direction], contracted, law, subject)
    health = Health(
        verdict="unknown",
        reasons=(),
        basis="counters" if seen.traffic_slots else "probes_only" if seen.looked_slots else None,
        p95_ratio=p95,
        sample_coverage_ratio=_share(seen.traffic_slots, seen.window_slots),
        availability_ratio=_share(seen.up_seconds, seen.known_seconds),
        availability_coverage_ratio=_share(seen.known_seconds, seen.availability_seconds),
        delivered_ratio=given,
        loss_ratio=_share(seen.echo_sent - seen.echo_received, seen.echo_sent),
        round_trip_seconds=_share(seen.rtt_us_sum / 1e6, seen.rtt_slots),
        jitter_seconds=_share(seen.jitter_us_sum / 1e6, seen.rtt_slots),
    )
    verdict, reasons = _verdict(contract, live, health, law, subject)
    return replace(health, verdict=verdict, reasons=tuple(reasons))


def _verdict(
    contract: Contract, live: Live, health: Health, law: Rules, subject: str
) -> tuple[str, list[Reason]]:
    if contract.kind == "police":
        return "unknown", [Reason("recorded_only", "warn")]
    reasons = _reasons(contract, live, health, law, subject)
    if not live.is_fresh or live.state == "unknown":
        return "unknown", [Reason("silent", "warn"), *reasons]
    if live.state == "down":
        return "down", [Reason("down", "fail"), *reasons]
    is_failing = any(reason.level == "fail" for reason in reasons)
    return ("degraded" if is_failing else "healthy"), reasons


def _reasons(
    contract: Contract, live: Live, health: Health, law: Rules, subject: str
) -> list[Reason]:
    reasons = _utilization_reasons(health, law, subject)
    least = law.number("link_availability_min", subject)
    known = health.availability_coverage_ratio or 0.0
    if (
        health.availability_ratio is not None
        and health.availability_ratio < least
        and known >= law.number("link_availability_coverage_min", subject)
    ):
        reasons.append(Reason("availability", "fail", health.availability_ratio, least))
    wanted = law.number("link_delivered_min", subject)
    for direction in DIRECTIONS:
        ratio = health.delivered_ratio[direction]
        if ratio is not None and ratio < wanted:
            reasons.append(Reason(f"delivered_{direction}", "fail", ratio, wanted))
    sold = max((r for d in DIRECTIONS if (r := contract.rate(d)) is not None), default=None)
    speed = live.negotiated_bits_per_second
    if speed is not None and sold is not None and 0 < speed < sold:
        reasons.append(Reason("negotiated", "fail", float(speed), float(sold)))
    if live.duplex == "half":
        reasons.append(Reason("half_duplex", "fail"))
    for code, value, rule in (
        ("loss", health.loss_ratio, "link_loss_max"),
        ("round_trip", health.round_trip_seconds, "link_round_trip_max_seconds"),
    ):
        limit = law.number(rule, subject)
        if value is not None and value > limit:
            reasons.append(Reason(code, "fail", value, limit))
    return reasons


def _utilization_reasons(health: Health, law: Rules, subject: str) -> list[Reason]:
    known = health.sample_coverage_ratio or 0.0
    if known < law.number("link_utilization_coverage_min", subject):
        return []
    reasons = []
    for direction in DIRECTIONS:
        ratio = health.p95_ratio[direction]
        for level in ("fail", "warn"):
            limit = law.number(f"link_utilization_{level}", subject)
            if ratio is not None and ratio > limit:
                reasons.append(Reason(f"utilization_{direction}", level, ratio, limit))
                break
    return reasons


def whole_day(seen: Seen, known_seconds: int, up_seconds: int) -> None:
    """Add a day with one observer to the availability window by its plain sums, in seconds."""
    seen.availability_seconds += SLOTS * SLOT_SECONDS
    seen.known_seconds += known_seconds
    seen.up_seconds += up_seconds
