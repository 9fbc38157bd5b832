"""A device's share of a poll: wall-clock time and packets, one budget for all its requests."""

import time
from collections.abc import Callable

# A switch of 1,000 ports takes some 400 questions; far more is a device that never comes to an end.
MOST_PACKETS = 4000


class Deadline:
    """Counts down from ``seconds`` on a monotonic clock (seconds as float, given as ``clock``).

    It is over as well when ``packets`` questions have been spent.
    """

    __slots__ = ("_clock", "_end", "packets_left", "seconds")

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        *,
        packets: int = MOST_PACKETS,
    ) -> None:
        self.seconds = seconds
        self.packets_left = packets
        self._clock = clock
        self._end = clock() + seconds

    def spend(self) -> None:
        """Count one question."""
        self.packets_left -= 1

    def left_seconds(self) -> float:
        """Return the seconds that are left, 0.0 when the time or the packets are used up."""
        if self.packets_left <= 0:
            return 0.0
        return max(0.0, self._end - self._clock())

    def is_over(self) -> bool:
        """Say whether the time or the packets are used up."""
        return self.left_seconds() <= 0.0

    def why(self) -> str:
        """Return what is used up, as a reason for an early end."""
        if self.packets_left <= 0:
            return "the packets for this device in one poll are used up"
        return f"the {self.seconds:g} s for this device are over"
