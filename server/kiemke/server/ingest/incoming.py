"""What stands between the decoder and the appliers: batches, reports, and what becomes of them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


class BadBatch(ValueError):
    """The body is no batch at all; nothing of it can be acknowledged (HTTP 400 or 422)."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class BadReport(ValueError):
    """One report can never be applied: it is set aside with this reason and acknowledged."""


@dataclass(slots=True)
class IncomingReport:
    """One report as received. ``body`` is None until decoded; ``problem`` says why it cannot be.

    ``at_ms`` and ``sure`` are set once its true time is known.
    """

    stream: int
    seq: int
    boot_id: str
    at: datetime
    uptime_seconds: float
    kind: str
    raw: bytes
    body: Any = None
    problem: str | None = None
    at_ms: int = 0
    sure: bool = False


@dataclass(slots=True)
class IncomingBatch:
    """One POST of one source. ``source_id`` is the authenticated sender's row.

    ``size_bytes`` is its length once inflated: what it costs to keep it waiting. ``address`` is where it
    came from, None where the server cannot know.
    """

    source_id: int
    source_kind: str
    received_at_ms: int
    sent_at_ms: int
    sent_uptime_seconds: float
    sent_boot_id: str
    reports: list[IncomingReport]
    size_bytes: int = 0
    address: str | None = None

    def in_order(self) -> list[IncomingReport]:
        """Return the reports as they happened: streams as they were begun, each by its numbers."""
        begun = {report.stream: n for n, report in reversed(list(enumerate(self.reports)))}
        return sorted(self.reports, key=lambda report: (begun[report.stream], report.seq))


@dataclass(slots=True)
class Outcome:
    """What the sender is told. ``refused`` (status, reason) means that nothing was taken.

    ``aside`` is why it is set aside, one of ASIDE_WORDS, None when it is not.
    """

    ack: dict[int, int] = field(default_factory=dict)
    rejected: list[tuple[int, int, str]] = field(default_factory=list)
    need: list[str] = field(default_factory=list)
    refused: tuple[int, str] | None = None
    aside: str | None = None
    applied: int = 0
    repeated: int = 0
