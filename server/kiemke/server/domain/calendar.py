"""Working days and office hours: what a PC's presence is measured against."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from kiemke.server.db import Session, as_date
from kiemke.server.domain.rules import Rules, UnusableRule

SLOT_SECONDS = 300
DAY_SLOTS = 86_400 // SLOT_SECONDS
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Monday to Friday, minus holidays, plus the weekend days worked instead of one."""

    holidays: frozenset[date] = frozenset()
    swapped: frozenset[date] = frozenset()

    def is_working(self, day: date) -> bool:
        """Whether offices work on this day; a day in both sets is worked."""
        if day in self.swapped:
            return True
        return day.weekday() < _SATURDAY and day not in self.holidays

    def working_days_up_to(self, day: date, count: int) -> tuple[date, ...]:
        """Return the last ``count`` working days, ``day`` included if it is one, newest first."""
        found: list[date] = []
        # A year of holidays in a row is a mistake in the table, not a reason to search for ever.
        for back in range(count + 366):
            candidate = day - timedelta(days=back)
            if self.is_working(candidate):
                found.append(candidate)
                if len(found) == count:
                    break
        return tuple(found)


# A holiday's own day says when it is; only what was known matters beside it.
_HOLIDAYS = """
SELECT day, working FROM holiday
WHERE recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)
"""


async def load(session: Session, known_ms: int) -> Calendar:
    """Return the calendar as the system said at ``known_ms``."""
    rows = await session.fetch(_HOLIDAYS, known=known_ms)
    return Calendar(
        holidays=frozenset(as_date(row["day"]) for row in rows if not row["working"]),
        swapped=frozenset(as_date(row["day"]) for row in rows if row["working"]),
    )


def office_bitmap(rules: Rules) -> int:
    """Return the slots of a day that lie wholly in office hours: bit n is slot n from midnight.

    Raises UnusableRule when the rule ``office_hours`` is not a list of ["HH:MM", "HH:MM"].
    """
    bitmap = 0
    for span in rules.value("office_hours"):
        try:
            begin, end = (_seconds(time.fromisoformat(text)) for text in span)
        except (TypeError, ValueError) as error:
            raise UnusableRule(f"office_hours: {span!r} is not two times of a day") from error
        for slot in range(DAY_SLOTS):
            if begin <= slot * SLOT_SECONDS and (slot + 1) * SLOT_SECONDS <= end:
                bitmap |= 1 << slot
    return bitmap


def _seconds(moment: time) -> int:
    return moment.hour * 3600 + moment.minute * 60 + moment.second


def presence_ratio(on_bitmap: int, office: int) -> float | None:
    """Return the share of the office slots in which a PC was on; None on a day without any."""
    slots = office.bit_count()
    return (on_bitmap & office).bit_count() / slots if slots else None


def local_day(moment_ms: int, utc_offset_seconds: int) -> date:
    """Return the local calendar day of a moment."""
    shifted = datetime.fromtimestamp(moment_ms // 1000 + utc_offset_seconds, UTC)
    return shifted.date()


def day_start_ms(day: date, utc_offset_seconds: int) -> int:
    """Return the moment a local day begins."""
    midnight = datetime.combine(day, time(), UTC)
    return (int(midnight.timestamp()) - utc_offset_seconds) * 1000


def last_finished_day(now_ms: int, utc_offset_seconds: int) -> date:
    """Return yesterday, local: what "today" means in coverage."""
    return local_day(now_ms, utc_offset_seconds) - timedelta(days=1)
