"""How figures, days and moments are written: 1.234,5 and dd/MM/yyyy in Vietnamese."""

from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo

from kiemke.cli.i18n import language

FEWEST_FOR_PERCENT = 5  # below five persons a percentage says more than the figure does
_LEAP_YEARS_APART = 8  # at most: 29/02/1896 and 29/02/1904
_VIETNAM_SECONDS = 7 * 3600
_BYTE_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_BIT_UNITS = ("bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s")


def _swap(text: str) -> str:
    return text.translate(str.maketrans(",.", ".,")) if language() == "vi" else text


def count(number: int) -> str:
    """Return a whole number with its thousands grouped: 1.234 in Vietnamese, 1,234 in English."""
    return _swap(f"{number:,d}")


def decimal(number: float, places: int = 1) -> str:
    """Return a number with this many decimals, grouped."""
    return _swap(f"{number:,.{places}f}")


def trimmed(number: float, places: int = 1) -> str:
    """Return a number with at most this many decimals: 100, not 100,0."""
    rounded = round(number, places)
    return count(int(rounded)) if rounded == int(rounded) else decimal(number, places)


def share(n: int, d: int) -> str | None:
    """Return n of d as a percentage, rounded down to 0.1; None below five (n/d alone is honest).

    "100 %" only when n = d: 999 of 1000 is 99.9 %, and 9999 of 10000 is 99.9 % too.
    """
    if d < FEWEST_FOR_PERCENT:
        return None
    if n == d:
        return "100 %"
    thousandths = n * 1000 // d
    return f"{_swap(f'{thousandths // 10}.{thousandths % 10}')} %"


def ratio(part: float) -> str:
    """Return a ratio (0.9944) as a percentage rounded down to 0.1; 100 % only when it is 1 or more.

    The small allowance keeps 0.9 (stored as 0.90000000000000002 or a hair less) at 90 %.
    """
    thousandths = int(part * 1000 + 1e-6)
    if thousandths % 1000 == 0 and part >= 1:
        return f"{count(thousandths // 10)} %"
    return f"{_swap(f'{thousandths // 10}.{thousandths % 10}')} %"


def bits_per_second(rate: float) -> str:
    """Return a line's rate with its decimal unit: 100 Mbit/s."""
    return _scaled(rate, 1000, _BIT_UNITS)


def octets(size: float) -> str:
    """Return a size in bytes with its binary unit: 8 GiB."""
    return _scaled(size, 1024, _BYTE_UNITS)


def _scaled(number: float, base: int, units: tuple[str, ...]) -> str:
    step = 0
    while abs(number) >= base and step < len(units) - 1:
        number /= base
        step += 1
    return f"{trimmed(number)} {units[step]}"


def dong(price: int) -> str:
    """Return a sum of money in whole đồng."""
    return f"{count(price)} đ"


def day(value: date) -> str:
    """Return a day: 21/11/2026 in Vietnamese, 2026-11-21 in English (never mm/dd)."""
    return value.strftime("%d/%m/%Y") if language() == "vi" else value.isoformat()


def moment(value: datetime, zone: tzinfo) -> str:
    """Return a moment to the minute, local to ``zone``."""
    local = value.astimezone(zone)
    return f"{day(local.date())} {local:%H:%M}"


def zone_of(offset_seconds: int | None) -> tzinfo:
    """Return the installation's fixed zone; Vietnam's where the server did not say."""
    seconds = _VIETNAM_SECONDS if offset_seconds is None else offset_seconds
    return timezone(timedelta(seconds=seconds))


def read_day(text: str) -> date | None:
    """Return the day of YYYY-MM-DD or dd/MM/yyyy, None when it is neither."""
    for pattern in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return datetime.strptime(text.strip(), pattern).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    return None


def recent_day(text: str, today: date) -> date | None:
    """Return the last day up to ``today`` that dd/MM (no year) names, None when it is no such text."""
    day, slash, month = text.strip().partition("/")
    if not (slash and day.isdecimal() and month.isdecimal() and text.isascii()):
        return None
    for year in range(today.year, today.year - _LEAP_YEARS_APART - 1, -1):
        try:
            found = date(year, int(month), int(day))
        except ValueError:
            continue
        if found <= today:
            return found
    return None


def read_moment(value: object) -> datetime | None:
    """Return the moment of RFC 3339 text or epoch milliseconds, None when it is neither."""
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000, UTC)
        if isinstance(value, str):
            parsed = datetime.fromisoformat(value)
            return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def clock_reading(text: str, zone: tzinfo) -> datetime | None:
    """Return the moment a person wrote, in ``zone`` where they named none; None if unreadable.

    A day alone is its end: all that was known on that day.
    """
    day = read_day(text)
    if day is not None:
        return datetime.combine(day + timedelta(days=1), time.min, zone)
    for pattern in ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
        try:
            return datetime.strptime(text.strip(), pattern).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
