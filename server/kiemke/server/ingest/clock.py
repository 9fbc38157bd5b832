"""The true time of a report, whatever the sender's clock says.

``received_at`` is the server's clock. For a boot the server has heard from, true time follows from
the sender's uptime alone: the boot began at ``received_at - sent_uptime``. For a boot that ended
before it could send, there is only its wall clock plus the error last seen of that sender: such a
time is unsure and its slots are no evidence of coverage.
"""

from dataclasses import dataclass

OUTBOX_MAX_AGE_MS = 62 * 86_400_000

# A boot that seems to have begun later than was known has stood still: a virtual machine that was
# paused does not count that time. Less than a slot is a slow network's doing.
_PAUSE_MS = 300_000

# Two estimates of one boot's start differ by the network's delay; only more than this is news.
_JITTER_MS = 2_000


@dataclass(slots=True)
class Boot:
    """One boot of a source: when it began, and what to add to its wall clock."""

    booted_at_ms: int
    offset_ms: int


def learn(known: Boot | None, received_at_ms: int, sent_at_ms: int, uptime_seconds: float) -> Boot:
    """Return what a batch says of the boot it was sent in; ``known`` itself when nothing is new."""
    booted = received_at_ms - round(uptime_seconds * 1000)
    offset = received_at_ms - sent_at_ms
    if (
        known is not None
        and abs(known.booted_at_ms - booted) <= _JITTER_MS
        and abs(known.offset_ms - offset) <= _JITTER_MS
    ):
        return known
    return Boot(booted, offset)


@dataclass(frozen=True, slots=True)
class Pause:
    """A stop of a boot's uptime found by a batch: the boot as known, and up to which uptime."""

    before: Boot
    heard_uptime_seconds: float


def find_pause(known: Boot | None, now: Boot, last_received_at_ms: int) -> Pause | None:
    """Return the pause between the last batch of a boot and this one, None when there was none."""
    if known is None or now.booted_at_ms - known.booted_at_ms <= _PAUSE_MS:
        return None
    return Pause(known, (last_received_at_ms - known.booted_at_ms) / 1000)


def place(
    received_at_ms: int,
    at_ms: int,
    uptime_seconds: float,
    boot: Boot | None,
    last_offset_ms: int,
) -> tuple[int, bool]:
    """Return the true time in epoch milliseconds, and whether it is sure.

    ``boot`` is the report's own boot where the server knows it; ``last_offset_ms`` the wall-clock
    error of the boot the batch was sent in. Never after ``received_at``, never older than an outbox
    may be.
    """
    if boot is not None:
        true_ms, sure = boot.booted_at_ms + round(uptime_seconds * 1000), True
    else:
        true_ms, sure = at_ms + last_offset_ms, False
    oldest = received_at_ms - OUTBOX_MAX_AGE_MS
    if true_ms < oldest:
        return oldest, False
    return min(true_ms, received_at_ms), sure
