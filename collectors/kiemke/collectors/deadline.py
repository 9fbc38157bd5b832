"""A device's share of wall-clock time: one deadline for all the requests of one poll."""

import time
from collections.abc import Callable


class Deadline:
    """Counts down from ``seconds`` on a monotonic clock (seconds as float, given as ``clock``)."""

    __slots__ = ("_clock", "_end", "seconds")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds

    def left_seconds(self) -> float:
        """Return the seconds that are left, 0.0 when the time is over."""
        return max(0.0, self._end - self._clock())

    def is_over(self) -> bool:
        """Say whether the time is used up."""
        return self.left_seconds() <= 0.0
