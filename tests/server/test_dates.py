"""Dates as offices write them, and the line of time that dated rows make."""

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiemke.server.domain.dates import DateError, format_date, parse_date
from kiemke.server.domain.dates_timeline import Span, Timeline, from_rows

DAY = date(2022, 4, 5)


@pytest.mark.parametrize(
    "written",
    [
        "05/04/2022", "5/4/2022", "05-04-2022", "05.04.2022", " 05 / 04 / 2022 ", "2022-04-05",
        "2022/04/05", "2022-04-05 00:00:00", "2022-04-05T00:00:00", "ngày 5 tháng 4 năm 2022",
        "5 tháng 04 năm 2022", "2022-04-05 0:00:00", "05/04/2022 00:00", "5/4/2022 12:00:00 SA", 44656, 44656.0, "44656", DAY, datetime(2022, 4, 5, 13, 30),  # noqa: DTZ001  # as Excel gives it
    ],
)  # fmt: skip
def test_the_day_stands_before_the_month(written: str | float | date) -> None:
    """The trap: 05/04/2022 is 5 April in Việt Nam, never 4 May."""
    assert parse_date(written) == DAY


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("04/25/2022", "tháng trước ngày"),
        ("31/02/2022", "không có ngày này"),
        ("29/02/2023", "không có ngày này"),
        ("05/04/22", "hai chữ số"),
        ("05/04/1022", "1900"),
        ("00/01/2022", "không có ngày này"),
        ("hôm qua", "không phải ngày"),
        ("2022", "không phải ngày"),
        ("12:30", "không phải ngày"),
        ("05/04/2022 12:30", "không phải ngày"),
        ("04/2022", "không phải ngày"),
        ("", "không phải ngày"),
        (1.0, "không phải ngày"),
        (1e9, "không phải ngày"),
        (float("nan"), "không phải ngày"),
    ],
)
def test_what_is_no_date_is_refused_with_its_reason(written: str | float, problem: str) -> None:
    with pytest.raises(DateError) as caught:
        parse_date(written)

    assert problem in caught.value.problem.vi and "25/04/2022" in caught.value.remedy.en


@pytest.mark.parametrize("written", ["2019", "năm 2019", 2019, 2019.0, "Năm 2019"])
def test_a_year_alone_is_its_first_day_where_that_is_allowed(written: str | float) -> None:
    assert parse_date(written, year_alone=True) == date(2019, 1, 1)


@pytest.mark.parametrize(
    "written", ["03/2019", "3/2019", "3-2019", "tháng 3/2019", "Tháng 03 năm 2019"]
)
def test_a_month_of_a_year_is_its_first_day_where_a_year_is_enough(written: str) -> None:
    assert parse_date(written, year_alone=True) == date(2019, 3, 1)


@given(st.dates(date(1900, 1, 1), date(2199, 12, 31)))
def test_every_printed_day_is_read_back(day: date) -> None:
    assert parse_date(format_date(day)) == parse_date(day.isoformat()) == day


@given(st.text(max_size=25))
def test_any_text_gives_a_day_or_a_clear_refusal(text: str) -> None:
    try:
        assert parse_date(text, year_alone=True).year >= 1900
    except DateError as error:
        assert error.problem.vi and error.remedy.en


START = date(2020, 1, 1)


def day(number: int) -> date:
    return START + timedelta(days=number)


def spans(timeline: Timeline[str]) -> list[tuple[int, int | None, str]]:
    return [
        ((s.valid_from - START).days, (s.valid_to - START).days if s.valid_to else None, s.value)
        for s in timeline.spans
    ]


def stored() -> Timeline[str]:
    """a from day 0, b from day 10, both in the database."""
    return Timeline(
        [Span(day(0), day(10), "a", "1/QĐ", frozenset({1})),
         Span(day(10), None, "b", None, frozenset({2}))]
    )  # fmt: skip


def test_a_later_statement_cuts_the_one_in_force() -> None:
    timeline = stored()

    assert timeline.put(day(20), "c", "2/QĐ")
    assert spans(timeline) == [(0, 10, "a"), (10, 20, "b"), (20, None, "c")]
    void, added = timeline.changes()
    assert void == {2} and [(s.value, s.instrument) for s in added] == [("b", None), ("c", "2/QĐ")]


def test_a_statement_in_the_past_lasts_until_the_next_known_change() -> None:
    timeline = stored()

    assert timeline.put(day(5), "x", None)
    assert spans(timeline) == [(0, 5, "a"), (5, 10, "x"), (10, None, "b")]
    assert timeline.changes()[0] == {1}


def test_a_statement_of_the_same_day_is_a_correction() -> None:
    timeline = stored()

    assert timeline.put(day(10), "c", None)
    assert spans(timeline) == [(0, 10, "a"), (10, None, "c")]


def test_a_statement_before_everything_comes_first_or_extends_backwards() -> None:
    earlier, same = stored(), stored()

    assert earlier.put(day(-5), "x", None) and same.put(day(-5), "a", None)
    assert spans(earlier) == [(-5, 0, "x"), (0, 10, "a"), (10, None, "b")]
    assert spans(same) == [(-5, 10, "a"), (10, None, "b")]


def test_an_end_closes_a_span() -> None:
    timeline = stored()

    assert timeline.put(day(10), "b", None, day(30))
    assert spans(timeline) == [(0, 10, "a"), (10, 30, "b")]
    assert not timeline.put(day(10), "b", None, day(30))


def test_another_paper_for_the_same_day_is_recorded() -> None:
    timeline = stored()

    assert timeline.put(day(0), "a", "9/QĐ")
    assert not timeline.put(day(0), "a", None)
    assert timeline.changes()[0] == {1}


def test_rows_that_overlap_by_parts_are_voided_and_said_again() -> None:
    """Two persons share a PC; one joined later. Moving the PC must not lose the first one's past."""
    rows = [(day(0), None, "an", None, 1), (day(10), None, "chi", None, 2)]
    timeline = Timeline(from_rows(rows))

    assert [sorted(s.value) for s in timeline.spans] == [["an"], ["an", "chi"]]
    timeline.put(day(20), frozenset({"yen"}), None)

    void, added = timeline.changes()
    assert void == {1, 2}
    assert [(sorted(s.value), s.valid_from, s.valid_to) for s in added] == [
        (["an"], day(0), day(10)), (["an", "chi"], day(10), day(20)), (["yen"], day(20), None),
    ]  # fmt: skip


statements = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from("abc"), st.none() | st.integers(1, 10)),
    max_size=8,
)


@given(statements)
def test_spans_never_overlap_and_the_last_word_holds(
    said: list[tuple[int, str, int | None]],
) -> None:
    timeline = Timeline[str]()
    for start, value, length in said:
        end = None if length is None else day(start + length)
        timeline.put(day(start), value, None, end)

        held = timeline.at(day(start))
        assert held is not None and held.value == value
    for one, following in zip(timeline.spans, timeline.spans[1:], strict=False):
        assert one.valid_to is not None and one.valid_from < one.valid_to <= following.valid_from


@given(statements)
def test_the_same_statements_in_order_of_time_change_nothing_the_second_time(
    said: list[tuple[int, str, int | None]],
) -> None:
    timeline = Timeline[str]()
    history = sorted({start: value for start, value, _ in said}.items())
    for start, value in history:
        timeline.put(day(start), value, None)

    assert not any(timeline.put(day(start), value, None) for start, value in history)
