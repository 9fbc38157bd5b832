"""What the agent may cost an office PC: it looks at itself once an hour, and works less often when it costs more."""

from collections.abc import Callable

from kiemke.agent.journal import warn
from kiemke.agent.sensors.vital import VitalsError
from kiemke.wire.report import Event

MOST_RATIO = 0.0005  # of one processor, on average
MOST_BYTES = 24_000_000
EVERY_SECONDS = 3600.0
MOST_FACTOR = 4.0  # a sample then covers four minutes, less than a slot


class Budget:
    """``factor`` is how much longer the agent waits than it was told; 1.0 within the budget."""

    def __init__(self, read_cost: Callable[[], tuple[float, int]]) -> None:
        """Take what reads this process's processor seconds and resident bytes (VitalsError: unknown)."""
        self._read_cost = read_cost
        self._since: tuple[float, float] | None = None  # awake seconds, processor seconds
        self.factor = 1.0
        self.is_large = False

    def judge(self, awake_seconds: float) -> Event | None:
        """Look, once an hour; return an event when the agent begins to wait longer, or no longer does."""
        if self._since is not None and awake_seconds - self._since[0] < EVERY_SECONDS:
            return None
        try:
            used, resident = self._read_cost()
        except VitalsError:
            return None  # nothing is known, nothing is changed
        before, self._since = self._since, (awake_seconds, used)
        self.is_large = resident > MOST_BYTES
        if before is None:  # the start itself is not counted
            return None
        ratio = (used - before[1]) / (awake_seconds - before[0])
        factor = self._wanted(ratio)
        if factor == self.factor:
            return None
        self.factor = factor
        told = {
            "processor_ratio": f"{ratio:.6f}",
            "allowed_ratio": str(MOST_RATIO),
            "resident_bytes": str(resident),
            "slowed_by": f"{factor:.0f}",
        }
        warn("own cost", **told)
        return Event("budget", told)

    def _wanted(self, ratio: float) -> float:
        """Return the factor after an hour of this cost. Half the budget is room to be quicker again."""
        if ratio > MOST_RATIO:
            return min(MOST_FACTOR, self.factor * 2)
        return max(1.0, self.factor / 2) if ratio <= MOST_RATIO / 2 else self.factor
