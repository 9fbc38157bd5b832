"""Working days, office hours and rules: what ships, and what a dated row changes."""

from datetime import date, timedelta

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.calendar import Calendar, office_bitmap, presence_ratio
from tests.support.office import MOMENT_MS, TUESDAY, Office

OFFSET = 7 * 3600


def test_ten_working_days_skip_weekends_holidays_and_keep_swapped_days() -> None:
    """Monday 09/03 off, Saturday 07/03 worked instead."""
    book = Calendar(frozenset({date(2026, 3, 9)}), frozenset({date(2026, 3, 7)}))

    days = book.working_days_up_to(TUESDAY, 4)

    assert days == (TUESDAY, date(2026, 3, 7), date(2026, 3, 6), date(2026, 3, 5))


def test_a_calendar_without_working_days_ends_the_search() -> None:
    book = Calendar(frozenset(TUESDAY - timedelta(days=n) for n in range(1000)))

    assert book.working_days_up_to(TUESDAY, 10) == ()


def test_office_hours_are_eight_hours_of_slots() -> None:
    office = office_bitmap(rules.shipped())

    assert office.bit_count() == 96
    assert (office >> 90) & 1 == 1  # 07:30
    assert (office >> 89) & 1 == 0
    assert (office >> 138) & 1 == 0  # 11:30
    assert presence_ratio(((1 << 48) - 1) << 90, office) == 0.5
    assert presence_ratio(0, 0) is None


def test_a_local_day_begins_at_its_own_midnight() -> None:
    start = calendar.day_start_ms(TUESDAY, OFFSET)

    assert calendar.local_day(start, OFFSET) == TUESDAY
    assert calendar.local_day(start - 1, OFFSET) == TUESDAY - timedelta(days=1)
    assert calendar.last_finished_day(MOMENT_MS, OFFSET) == TUESDAY


async def test_a_holiday_row_counts_until_it_is_voided(database: Database) -> None:
    office = Office()
    office.add_dated(
        "holiday", day=TUESDAY, working=False, name="Lễ", recorded_at_ms=100, voided_at_ms=200
    )
    await office.write_to(database)

    async with database.reading() as session:
        known = [(await calendar.load(session, at)).is_working(TUESDAY) for at in (99, 100, 200)]

    assert known == [True, False, True]


async def test_a_dated_rule_wins_over_what_ships_and_a_subjects_over_all(
    database: Database,
) -> None:
    office = Office()
    for subject, value in (("", "0.98"), ("link:7", "0.9")):
        office.add_dated(
            "rule",
            name="link_availability_min",
            subject=subject,
            value_json=value,
            source_text=None,
            valid_from=TUESDAY,
        )
    await office.write_to(database)

    async with database.reading() as session:
        before = await rules.load(session, TUESDAY - timedelta(days=1), MOMENT_MS)
        after = await rules.load(session, TUESDAY, MOMENT_MS)

    name = "link_availability_min"
    assert before.number(name, "link:7") == 0.995
    assert (after.number(name, "link:7"), after.number(name, "link:8")) == (0.9, 0.98)


def test_a_rule_nobody_knows_or_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(rules.UnknownRule):
        rules.shipped().value("link_colour")
    with pytest.raises(rules.UnusableRule):
        rules.shipped().number("office_hours")
    with pytest.raises(rules.UnusableRule):
        office_bitmap(rules.Rules({("office_hours", ""): [["7h30", "11h30"]]}))
