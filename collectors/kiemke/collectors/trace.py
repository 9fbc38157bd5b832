"""What ``--debug`` shows: every request, decision and timing, one line each, never a secret."""

import json
from collections.abc import Callable
from typing import TextIO

Trace = Callable[[str, dict[str, object]], None]


def no_trace(event: str, fields: dict[str, object]) -> None:
    """Drop the event: the trace of a normal run."""


def trace_to(stream: TextIO) -> Trace:
    """Return a trace that writes one JSON object a line."""

    def trace(event: str, fields: dict[str, object]) -> None:
        print(json.dumps({"event": event, **fields}), file=stream, flush=True)

    return trace
