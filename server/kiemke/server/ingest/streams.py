"""Which reports of a stream were taken: each once, in whatever order they arrive."""

from dataclasses import dataclass, field
from typing import Self

# A stream with more holes than this is beyond what a sender does; the oldest holes are given up.
_MOST_RANGES = 64


@dataclass(slots=True)
class Stream:
    """How far a stream is acknowledged, and which sequence numbers below that never came."""

    last_seq: int = 0
    missing: list[tuple[int, int]] = field(default_factory=list)

    def take(self, seq: int) -> bool:
        """Return whether ``seq`` is new, and count it as taken.

        A number above ``last_seq + 1`` is taken and the numbers between are remembered as missing:
        the sender dropped them, or an earlier server had acknowledged them.
        """
        if seq > self.last_seq:
            if seq > self.last_seq + 1:
                self.missing.append((self.last_seq + 1, seq - 1))
                del self.missing[:-_MOST_RANGES]
            self.last_seq = seq
            return True
        for position, (first, last) in enumerate(self.missing):
            if first <= seq <= last:
                rest = [(first, seq - 1), (seq + 1, last)]
                self.missing[position : position + 1] = [r for r in rest if r[0] <= r[1]]
                del self.missing[:-_MOST_RANGES]  # one hole filled at every second number
                return True
        return False

    @property
    def gap_reports(self) -> int:
        """How many numbers below ``last_seq`` never came."""
        return sum(last - first + 1 for first, last in self.missing)

    def missing_text(self) -> str:
        """Return the ranges as stored: ``3-5,9-9``."""
        return ",".join(f"{first}-{last}" for first, last in self.missing)

    @classmethod
    def read(cls, last_seq: int, missing: str) -> Self:
        """Return a stream as stored."""
        ranges = [part.split("-") for part in missing.split(",") if part]
        return cls(last_seq, [(int(first), int(last)) for first, last in ranges])
