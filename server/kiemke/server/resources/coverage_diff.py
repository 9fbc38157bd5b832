"""What moved a coverage figure between two readings: late entries, who made them, whom they moved."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain.coverage_diff import Entry, Moved, Reading, coverage_diff
from kiemke.server.domain.coverage_who import STATES
from kiemke.server.resources.acts import allowed_now
from kiemke.server.resources.assets import PersonRef
from kiemke.server.resources.coverage import find_roots
from kiemke.server.resources.listing import ListQuery, day_text
from kiemke.server.resources.tree import UnitRef


@dataclass(frozen=True, slots=True)
class ReadingOutput:
    """A day as known at a moment, and the persons by state in it."""

    as_of: str
    known_at: str | None
    officials: int
    states: dict[str, int]


@dataclass(frozen=True, slots=True)
class MovedOutput:
    """A person, the states of both readings and the units; "outside" is in none of the units."""

    official: PersonRef
    before: str
    after: str
    before_unit: UnitRef | None
    after_unit: UnitRef | None


@dataclass(frozen=True, slots=True)
class EntryOutput:
    """A row that counts in one reading alone. ``act`` is "entered" or "voided"; see ``late``."""

    what: str
    act: str
    late: bool
    at: str | None
    who: str | None
    instrument: str | None
    valid_from: str | None
    valid_to: str | None
    moved: list[MovedOutput]


@dataclass(frozen=True, slots=True)
class DifferenceOutput:
    """Both readings, the rows between them in the order they were made, and who moved without one."""

    before: ReadingOutput
    after: ReadingOutput
    entries: list[EntryOutput]
    by_evidence: list[MovedOutput]


def _moved(one: Moved) -> MovedOutput:
    before, after = one.before, one.after
    return MovedOutput(
        PersonRef(one.code, one.name),
        one.from_state,
        one.to_state,
        None if before is None else UnitRef(before.unit_code, before.unit_name),
        None if after is None else UnitRef(after.unit_code, after.unit_name),
    )


def _entry(entry: Entry) -> EntryOutput:
    row = entry.row
    return EntryOutput(
        entry.table,
        "entered" if entry.added else "voided",
        entry.late,
        rfc3339(entry.at_ms),
        entry.who,
        entry.paper,
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
        [_moved(one) for one in entry.moved],
    )


@get("/api/v1/coverage/diff", opt={"role": "auditor"}, tags=["coverage"])
async def diff_coverage(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    and_as_of: Annotated[
        date | None, QueryParameter(description="day of the second reading; default as_of")
    ] = None,
    and_known_at: Annotated[
        datetime | None, QueryParameter(description="moment of the second reading; default now")
    ] = None,
) -> DifferenceOutput:
    """Compare coverage at as_of/known_at with the same day as known now, or with another reading."""
    services = services_of(request)
    finished = services.today() - timedelta(days=1)
    first = Reading(min(asked.moment.day, finished), asked.moment.known_ms)
    known_ms = services.clock()
    if and_known_at is not None:
        aware = and_known_at if and_known_at.tzinfo else and_known_at.replace(tzinfo=UTC)
        known_ms = int(aware.timestamp() * 1000)
    second = Reading(min(and_as_of or asked.moment.day, finished), known_ms)
    roots = await find_roots(request, services, asked)
    allowed = await allowed_now(request)
    within = None if allowed is None else frozenset(allowed)
    async with services.db.reading() as session:
        found = await coverage_diff(session, roots, first, second, within)
    return DifferenceOutput(
        _reading(first, found.before),
        _reading(second, found.after),
        [_entry(entry) for entry in found.entries],
        [_moved(one) for one in found.unexplained],
    )


def _reading(reading: Reading, states: dict[str, int]) -> ReadingOutput:
    counted = sum(states.values()) - states.get("excluded", 0)
    return ReadingOutput(
        reading.day.isoformat(),
        rfc3339(reading.known_ms),
        counted,
        {state: states.get(state, 0) for state in STATES},
    )


HANDLERS = (diff_coverage,)
