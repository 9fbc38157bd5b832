"""The date of an HTTP answer, read without the mail parser: megabytes that no office PC needs."""

import re

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_FIXDATE = re.compile(r"\w{3}, (\d\d) (\w{3}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT", re.ASCII)


def read_http_date(text: str) -> float | None:
    """Return the seconds since 1970 of an IMF-fixdate (RFC 9110, 5.6.7), None when it is none."""
    found = _FIXDATE.fullmatch(text.strip())
    if found is None or found[2] not in MONTHS:
        return None
    day, year = int(found[1]), int(found[3])
    month = MONTHS.index(found[2]) + 1
    hour, minute, second = (int(found[part]) for part in (4, 5, 6))
    if not (1 <= day <= 31 and hour < 24 and minute < 60 and second < 61 and year >= 1970):
        return None
    # Days since 1970 by the civil calendar, March first (years before it borrow from the last one).
    past = year - (month <= 2)
    inside = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    days = past * 365 + past // 4 - past // 100 + past // 400 + inside - 719_468
    return float(days * 86_400 + hour * 3600 + minute * 60 + second)
