"""What ``--debug`` shows: every request, decision and timing, one line each, never a secret."""

from collections.abc import Callable

Trace = Callable[[str, dict[str, object]], None]


def no_trace(event: str, fields: dict[str, object]) -> None:
    """Drop the event: the trace of a normal run."""
