"""One round of echo requests as a report body, whoever sent them."""

from collections.abc import Sequence

from kiemke.wire.report import Reachability


def summarise(target: int, sent: int, round_trips: Sequence[float]) -> Reachability:
    """Return the round as a report body; ``round_trips`` are seconds, in order of sending.

    ``sent`` of 0 means that the kernel took no packet (no route): unknown, not down.
    """
    if not round_trips:
        detail = None if sent else "no packet left this machine: no route to the target"
        return Reachability(target=target, sent=sent, received=0, detail=detail)
    steps = [abs(b - a) for a, b in zip(round_trips, round_trips[1:], strict=False)]
    return Reachability(
        target=target,
        sent=sent,
        received=len(round_trips),
        rtt_min_seconds=min(round_trips),
        rtt_avg_seconds=sum(round_trips) / len(round_trips),
        rtt_max_seconds=max(round_trips),
        jitter_seconds=sum(steps) / len(steps) if steps else None,
    )
