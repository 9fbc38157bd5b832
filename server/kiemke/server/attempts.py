"""Failed attempts by key within a sliding window, bounded in memory; nobody is locked out for good."""

from collections import OrderedDict, deque

_MOST_KEYS = 10_000


class Attempts:
    """Count failures by key; a key is refused while it has ``limit`` failures in the window."""

    def __init__(self, limit: int, window_seconds: float = 300.0) -> None:
        self._limit = limit
        self._window_ms = window_seconds * 1000
        self._failures: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_seconds(self, key: str, now_ms: int) -> int:
        """Return 0 when ``key`` may try, else in how many whole seconds it may again."""
        moments = self._failures.get(key)
        if moments is None:
            return 0
        while moments and moments[0] <= now_ms - self._window_ms:
            moments.popleft()
        if len(moments) < self._limit:
            return 0
        return max(1, int((moments[0] + self._window_ms - now_ms) / 1000) + 1)

    def fail(self, key: str, now_ms: int) -> None:
        """Count one failure."""
        self._failures.setdefault(key, deque(maxlen=self._limit)).append(now_ms)
        self._failures.move_to_end(key)
        # Someone who tries endless names must not fill the memory; the oldest are forgotten.
        while len(self._failures) > _MOST_KEYS:
            self._failures.popitem(last=False)

    def clear(self, key: str) -> None:
        """Forget the failures of a key that succeeded."""
        self._failures.pop(key, None)
