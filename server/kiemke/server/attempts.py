"""Failed attempts by key within a sliding window, bounded in memory; nobody is locked out for good."""

from collections import OrderedDict, deque
from ipaddress import IPv6Address, ip_address, ip_network

_MOST_KEYS = 10_000
_IPV6_HOST_BITS = 64


def network_of(address: str) -> str:
    """Return what attempts from an address are counted by: an IPv4 host, an IPv6 /64 network.

    One IPv6 host owns 2^64 addresses. What is no address at all is returned as it is.
    """
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ip_network((found, 128 - _IPV6_HOST_BITS), strict=False))
    return str(found)


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
