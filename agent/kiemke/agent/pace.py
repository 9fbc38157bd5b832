"""How often the agent does what; the server may ask otherwise, within limits the agent keeps."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiemke.wire.report import Pace

LEAST_SECONDS = 30.0
MOST_SECONDS = 86_400.0


@dataclass(frozen=True, slots=True)
class Intervals:
    """Seconds between samples, posts and inventories."""

    sample_seconds: float = 60.0
    post_seconds: float = 300.0
    inventory_seconds: float = 86_400.0

    def stretched(self, factor: float) -> "Intervals":
        """Return these intervals with longer waits between samples and posts."""
        return Intervals(
            self.sample_seconds * factor, self.post_seconds * factor, self.inventory_seconds
        )

    def adjusted(self, asked: "Pace") -> "Intervals":
        """Return these intervals with what the server asked for, clamped to 30 s - 24 h.

        What it did not ask for stays; what is no number (NaN) is not heard.
        """
        return Intervals(
            _clamped(asked.sample_seconds, self.sample_seconds),
            _clamped(asked.post_seconds, self.post_seconds),
            _clamped(asked.inventory_seconds, self.inventory_seconds),
        )


def _clamped(asked: float | None, known: float) -> float:
    """Return what was asked within the limits, or what is known when nothing was."""
    if asked is None or asked != asked:
        return known
    return min(MOST_SECONDS, max(LEAST_SECONDS, asked))
