"""Since when a port is up or down: by what the device tells, and by what two readings show."""

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.port_state import Course, State, follow, told_since
from kiemke.server.ingest.writer import Writer
from kiemke.wire.report import InterfaceReading, Interfaces
from tests.support.ports import add_line
from tests.support.reporting import NOW_MS, add_source

MINUTE = 60_000


def state(minute: int, up: bool | None, change: float | None, uptime: float | None = None) -> State:
    """Return a reading of a device that started 1,000 s before minute 0."""
    return State(minute * MINUTE, up, 1000.0 + 60 * minute if uptime is None else uptime, change)


@pytest.mark.parametrize(
    ("change", "uptime", "since"),
    [
        (940.0, 1000.0, -MINUTE),
        (0.0, 1000.0, None),  # before the device counted time
        (None, 1000.0, None),
        (1200.0, 1000.0, None),  # sysUpTime has wrapped, or the device makes it up
    ],
)
def test_the_moment_is_what_the_device_tells(
    change: float | None, uptime: float, since: int | None
) -> None:
    assert told_since(state(0, True, change, uptime)) == since


def test_a_port_that_fell_and_came_back_between_two_polls_has_changed_twice() -> None:
    before, after = state(0, True, 300.0), state(1, True, 1030.0)

    found = follow(before, Course(None, 4), after)

    assert found == Course(30_000, 6)


def test_a_change_the_device_does_not_date_is_dated_by_the_later_reading() -> None:
    found = follow(state(0, True, None), Course(None, 0), state(1, False, None))
    assert found == Course(MINUTE, 1)

    later = follow(state(1, False, None), found, state(2, False, None))
    assert later == found


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (state(0, True, 300.0), state(1, True, 300.0)),
        (state(0, True, 300.0), state(1, None, 1030.0)),
        (state(0, True, 300.0), state(1, True, 5.0, 20.0)),
        (state(0, True, 300.0), state(1, True, 300.4)),
        # An agent that counts ifLastChange from somewhere else: behind the earlier reading.
        (state(0, True, 300.0), state(1, True, 400.0)),
    ],
)
def test_what_shows_no_change_counts_none(before: State, after: State) -> None:
    assert follow(before, Course(None, 2), after).changes == 2


async def test_readings_of_a_port_keep_its_course_and_what_it_threw_away(
    writer: Writer, database: Database
) -> None:
    sender = await add_source(database, kind="collector")
    _, device = await add_line(database, sender, "a", "wan")
    polls = [(True, 300.0), (True, 1030.0), (False, 1100.0), (False, 1100.0)]
    reports = []
    for minute, (up, change) in enumerate(polls):
        reading = InterfaceReading(
            1, "wan", oper_up=up, in_errors=3, in_discards=7 + minute, last_change_seconds=change
        )
        body = Interfaces(device, "ok", 1000.0 + 60 * minute, (reading,))
        reports.append(sender.report("interfaces", body, NOW_MS + minute * MINUTE))

    await writer.submit(sender.batch(reports, NOW_MS + 4 * MINUTE))

    (row,) = await database.read("SELECT * FROM interface_now")
    assert row["state_changes"] == 3
    assert row["state_at_ms"] == NOW_MS + 100_000
    assert (row["in_errors"], row["in_discards"], row["out_discards"]) == ("3", "10", None)
