"""Which engines signed traps, and when by their own clocks: a recorded packet is no news.

Source: RFC 3414 section 3.2 step 7. An engine counts its starts (boots) and the seconds since; a packet of
an earlier start, or older than the time window, is a copy of one that somebody kept. What is known here
outlives this program (``trap_engines.json``), or a copy would be believed once more after each restart.
"""

import contextlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from kiemke.collectors.files import write_private

FILE_NAME = "trap_engines.json"
TIME_WINDOW_SECONDS = 150.0  # RFC 3414 section 2.2.3
# Between two traps the clocks of device and collector may come apart: five parts in ten thousand.
DRIFT = 0.0005
MOST_KEPT = 10_000  # one for each device that signs traps; a file with more was not written here


@dataclass(frozen=True, slots=True)
class Heard:
    """The newest signed trap of one engine. ``at`` is our wall clock, seconds since 1970."""

    host: str
    boots: int
    seconds: int
    at: float

    def is_news(self, boots: int, seconds: int, passed: float) -> bool:
        """Say whether a signed packet may have been made ``passed`` seconds later, or a window before that."""
        if boots != self.boots:
            return boots > self.boots
        return seconds >= self.seconds + passed * (1.0 - DRIFT) - TIME_WINDOW_SECONDS


class TrapEngines:
    """What is known of each engine by its name; ``path`` None keeps it in memory alone."""

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._heard: dict[bytes, Heard] = {}
        self._written: dict[bytes, Heard] = {}
        # When, by a clock that nobody sets, of those heard since the start: one that said 2009 until now
        # would make years of it, and no trap would be news before its device starts anew.
        self._steady: dict[bytes, float] = {}
        if path is not None:
            # A damaged file is as good as none: as after the first start.
            with contextlib.suppress(
                OSError, ValueError, TypeError, AttributeError, RecursionError
            ):
                rows = json.loads(path.read_text("utf-8"))
                read = {bytes.fromhex(name): _read(row) for name, row in rows.items()}
                if len(read) <= MOST_KEPT:
                    self._heard, self._written = read, dict(read)

    def owner(self, engine: bytes) -> str | None:
        """Return the address from which this engine proved itself, None when it never did."""
        found = self._heard.get(engine)
        return None if found is None else found.host

    def take(
        self, engine: bytes, host: str, boots: int, seconds: int, now: float, steady: float
    ) -> bool:
        """Remember a signed packet; returns whether it is news, not a copy of an older one.

        ``now`` is the wall clock, ``steady`` the monotonic one, both in seconds.
        """
        known = self._heard.get(engine)
        if known is not None and known.host == host:
            since = self._steady.get(engine)
            passed = max(0.0, now - known.at) if since is None else steady - since
            if not known.is_news(boots, seconds, passed):
                return False
            if (boots, seconds) <= (known.boots, known.seconds):
                return True
        self._heard[engine] = Heard(host, boots, seconds, now)
        self._steady[engine] = steady
        return True

    def keep(self, is_assigned: Callable[[str], bool]) -> None:
        """Write what changed, without the addresses that are no device's any more. Raises OSError."""
        self._heard = {name: each for name, each in self._heard.items() if is_assigned(each.host)}
        self._steady = {name: at for name, at in self._steady.items() if name in self._heard}
        if self._path is None or self._heard == self._written:
            return
        now = dict(self._heard)
        rows = {name.hex(): asdict(each) for name, each in now.items()}
        write_private(self._path, json.dumps(rows))
        self._written = now


def _read(row: dict[str, object]) -> Heard:
    """Return one row. Raises TypeError or ValueError for one that was not written here."""
    host, at = row.get("host"), row.get("at")
    boots, seconds = row.get("boots"), row.get("seconds")
    if type(host) is not str or type(boots) is not int or type(seconds) is not int:
        raise TypeError("not a row of an engine")
    if type(at) is not float:
        raise TypeError("not a moment")
    return Heard(host, boots, seconds, at)
