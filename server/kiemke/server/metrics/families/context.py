"""What a block is rendered against: the moment, and the names that stand in the info metrics."""

from dataclasses import dataclass, field

from kiemke.server.db import Row


@dataclass(slots=True)
class Context:
    """The present of one scrape. Rows are those of units and lines valid today, by id."""

    now_ms: int
    poll_seconds: float
    agent_series: bool = True
    units: dict[int, Row] = field(default_factory=dict)
    links: dict[int, Row] = field(default_factory=dict)
    shares: dict[int, list[int]] = field(default_factory=dict)

    def is_fresh(self, at_ms: int | None) -> bool:
        """Whether something was seen within the last three poll periods."""
        return at_ms is not None and at_ms >= self.now_ms - 3000 * self.poll_seconds
