"""When a figure was read, told from the end of its poll."""

# What was read so shortly before the end of the poll was read at its end.
LEAST_AGO_SECONDS = 0.1


def ago_seconds(read_at: float, now: float) -> float | None:
    """Return how long before ``now`` something was read, in seconds; None: less than a tenth of a second.

    Both moments are of ``time.monotonic``.
    """
    ago = now - read_at
    return round(ago, 2) if ago >= LEAST_AGO_SECONDS else None
