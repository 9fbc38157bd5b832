"""What an applier is given: the reports of its kind, the transaction, and a place for its findings."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kiemke.server.daypack import SLOT_SECONDS
from kiemke.server.db import Session
from kiemke.server.ingest.incoming import IncomingBatch, IncomingReport

DAY_MS = 86_400_000
SLOT_MS = SLOT_SECONDS * 1000


@dataclass(frozen=True, slots=True)
class Item:
    """One new report and the batch that brought it."""

    batch: IncomingBatch
    report: IncomingReport

    @property
    def source_id(self) -> int:
        """The row of the source that speaks."""
        return self.batch.source_id


@dataclass(slots=True)
class Applying:
    """The transaction of one group, and what its appliers have to say to the group.

    ``need`` holds section names by source; the ``*_ms`` and ``last_sample`` dicts are by source.
    """

    session: Session
    utc_offset_seconds: int
    poll_seconds: float
    need: dict[int, set[str]] = field(default_factory=dict)
    last_sample: dict[int, str] = field(default_factory=dict)
    inventory_at_ms: dict[int, int] = field(default_factory=dict)
    identity_changed_at_ms: dict[int, int] = field(default_factory=dict)

    def slot_of(self, at_ms: int) -> tuple[int, int]:
        """Return (local day as days since 1970-01-01, slot of that day) of a moment."""
        day, inside = divmod(at_ms + self.utc_offset_seconds * 1000, DAY_MS)
        return day, inside // SLOT_MS

    def is_live(self, item: Item) -> bool:
        """Whether the report's moment is within two poll periods of its arrival, and sure."""
        age_ms = item.batch.received_at_ms - item.report.at_ms
        return item.report.sure and age_ms <= 2 * self.poll_seconds * 1000


# An applier takes all new reports of one kind, in order of arrival, and returns those that can never
# be applied with the reason.
Applier = Callable[[Applying, list[Item]], Awaitable[list[tuple[Item, str]]]]
