"""Dates as Vietnamese offices write them: dd/MM/yyyy, ISO, in words, or Excel's day numbers."""

import re
from datetime import date, datetime, timedelta

from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
# Day 0 of Excel's 1900 date system, counted so that its false 29/02/1900 drops out after that day.
_EXCEL_EPOCH = date(1899, 12, 30)
# 1950-02-14 to 2091-05-25: a smaller number is more likely an age or a quantity.
_FIRST_SERIAL, _LAST_SERIAL = 18_308, 69_907

_DAY_FIRST = re.compile(r"(\d{1,2})\s*[/.\-]\s*(\d{1,2})\s*[/.\-]\s*(\d{2}|\d{4})")
_ISO = re.compile(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})")
# What spreadsheets and databases write behind a day that has no time; SA is sáng, as Windows says AM here.
_MIDNIGHT = re.compile(r"(?:t| +)(?:0{1,2}:00(?::00(?:\.0+)?)?|12:00(?::00)? ?(?:am|sa))$")
_IN_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}) nam (\d{4})")
_YEAR = re.compile(r"(?:nam )?(\d{4})")
_MONTH = re.compile(r"(?:thang )?(\d{1,2})(?: ?[/.\-] ?| nam )(\d{4})")


class DateError(ValueError):
    """A date that is not one: ``problem`` says why, ``remedy`` what to write."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem.en)
        self.problem = problem
        self.remedy = remedy


_WRITE = Words("viết ngày/tháng/năm, ví dụ 25/04/2022", "write day/month/year, e.g. 25/04/2022")
_NOT_A_DATE = Words("không phải ngày", "this is not a date")
_IMPOSSIBLE = Words("không có ngày này trong lịch", "there is no such day in the calendar")
_MONTH_FIRST = Words("có vẻ viết tháng trước ngày", "the month seems to stand before the day")
_SHORT_YEAR = Words("năm chỉ có hai chữ số", "the year has two digits only")
_OUT_OF_RANGE = Words("năm ngoài khoảng 1900–2199", "the year is not within 1900–2199")


def parse_date(value: str | float | date | datetime, *, year_alone: bool = False) -> date:
    """Return the day a cell means; "05/04/2022" is 5 April, always.

    Numbers are Excel's day numbers. With ``year_alone``, 2019 or "năm 2019" is 01/01/2019, and 03/2019 or
    "tháng 3 năm 2019" is 01/03/2019.
    Raises DateError.
    """
    if isinstance(value, datetime):
        return _within(value.date())
    if isinstance(value, date):
        return _within(value)
    if isinstance(value, str):
        return _within(_from_text(value, year_alone))
    if year_alone and value == int(value) and EARLIEST.year <= value <= LATEST.year:
        return date(int(value), 1, 1)
    return _from_serial(value)


def _from_serial(number: float) -> date:
    if isinstance(number, bool) or not _FIRST_SERIAL <= number < _LAST_SERIAL + 1:
        raise DateError(_NOT_A_DATE, _WRITE)
    return _EXCEL_EPOCH + timedelta(days=int(number))


def _within(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise DateError(_OUT_OF_RANGE, _WRITE)
    return day


def _from_text(text: str, year_alone: bool) -> date:
    plain = search_key(text)
    if len(plain) > 60 or not plain.isascii():
        raise DateError(_NOT_A_DATE, _WRITE)
    plain = _MIDNIGHT.sub("", plain)
    if match := _ISO.fullmatch(plain):
        return _make(int(match[1]), int(match[2]), int(match[3]), swap=False)
    if match := _DAY_FIRST.fullmatch(plain):
        if len(match[3]) == 2:
            raise DateError(_SHORT_YEAR, _WRITE)
        return _make(int(match[3]), int(match[2]), int(match[1]), swap=True)
    if match := _IN_WORDS.fullmatch(plain):
        return _make(int(match[3]), int(match[2]), int(match[1]), swap=False)
    if year_alone and (match := _YEAR.fullmatch(plain)):
        return _make(int(match[1]), 1, 1, swap=False)
    if year_alone and (match := _MONTH.fullmatch(plain)):
        return _make(int(match[2]), int(match[1]), 1, swap=False)
    if re.fullmatch(r"\d{5}(?:\.0)?", plain):  # what Excel writes for a date in a "General" cell
        return _from_serial(float(plain))
    raise DateError(_NOT_A_DATE, _WRITE)


def _make(year: int, month: int, day: int, *, swap: bool) -> date:
    if not EARLIEST.year <= year <= LATEST.year:
        raise DateError(_OUT_OF_RANGE, _WRITE)
    try:
        return date(year, month, day)
    except ValueError as error:
        problem = _MONTH_FIRST if swap and 12 < month <= 31 and 1 <= day <= 12 else _IMPOSSIBLE
        raise DateError(problem, _WRITE) from error


def format_date(day: date) -> str:
    """Return a day as dd/MM/yyyy, with leading zeros."""
    return f"{day.day:02d}/{day.month:02d}/{day.year:04d}"
