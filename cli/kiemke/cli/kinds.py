"""How one value of a record is written: one Kind per sort of value, None where it is absent."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, tzinfo

from kiemke.cli import figures
from kiemke.cli.i18n import _, language
from kiemke.cli.records import dig
from kiemke.cli.words import word
from kiemke.wire.tongue import WIRE, in_vietnamese

Render = Callable[[object, tzinfo], str | None]


@dataclass(frozen=True, slots=True)
class Kind:
    """``render`` writes a value; numbers stand right and go into CSV ungrouped."""

    render: Render
    number: bool = False
    vocabulary: str | None = None


def _text(value: object, zone: tzinfo) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list | tuple):
        parts = (_text(item, zone) for item in value)
        return ", ".join(part for part in parts if part) or None
    if isinstance(value, dict):
        return _thing(value, zone)
    return str(value)


def _thing(value: object, zone: tzinfo) -> str | None:
    """A unit, official or asset inside another record: its name, else its code."""
    if not isinstance(value, dict):
        return _text(value, zone)
    for field in ("name", "hostname", "code", "tag", "id"):
        if (found := dig(value, field)) not in (None, ""):
            return str(found)
    return None


def _code(value: object, zone: tzinfo) -> str | None:
    """An asset inside another record: its code, which a command takes; a hundred are called alike."""
    code = dig(value, "code") if isinstance(value, dict) else None
    return str(code) if code not in (None, "") else _thing(value, zone)


def _number(write: Callable[[int], str]) -> Render:
    def render(value: object, zone: tzinfo) -> str | None:
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return write(int(value)) if known and isinstance(value, int | float) else None

    return render


def _fraction(write: Callable[[float], str]) -> Render:
    def render(value: object, zone: tzinfo) -> str | None:
        known = isinstance(value, int | float) and not isinstance(value, bool)
        return write(float(value)) if known and isinstance(value, int | float) else None

    return render


def _day(value: object, zone: tzinfo) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        return figures.day(date.fromisoformat(value[:10]))
    except ValueError:
        return value


def _moment(value: object, zone: tzinfo) -> str | None:
    read = figures.read_moment(value)
    if read is None:
        return _text(value, zone)
    return figures.moment(read, zone)


def _total(value: object, zone: tzinfo) -> str | None:
    """Octets that travel as decimal text, since they may pass 2^63."""
    known = isinstance(value, str) and value.isascii() and value.isdecimal()
    return figures.octets(int(value)) if known and isinstance(value, str) else None


def _reason(value: object, zone: tzinfo) -> str | None:
    """A collector's own words, which travel in English; the wire's table has the Vietnamese."""
    said = _text(value, zone)
    return in_vietnamese(said, WIRE) if said is not None and language() == "vi" else said


def _tally(value: object, zone: tzinfo) -> str | None:
    """Counters travel as decimal text."""
    known = isinstance(value, str) and value.isascii() and value.isdecimal()
    return figures.count(int(value)) if known and isinstance(value, str) else None


def latency(seconds: float) -> str:
    """Return a short time in milliseconds: 12,3 ms."""
    return f"{figures.trimmed(seconds * 1000)} ms"


def clock(seconds: float) -> str:
    """Return how far a PC's clock is off; ``seconds`` is the server's less the PC's."""
    if abs(seconds) < 2:
        return _("right")
    left, parts = round(abs(seconds)), []
    for size, unit in ((86_400, _("d")), (3_600, _("h")), (60, _("min")), (1, _("s"))):
        whole, left = divmod(left, size)
        if whole:
            parts.append(f"{whole} {unit}")
    told = _("{span} behind") if seconds > 0 else _("{span} ahead")
    return told.format(span=" ".join(parts[:2]))


TEXT = Kind(_text)
REASON = Kind(_reason)
THING = Kind(_thing)
CODE = Kind(_code)
DAY = Kind(_day)
MOMENT = Kind(_moment)
COUNT = Kind(_number(figures.count), number=True)
DONG = Kind(_number(figures.dong), number=True)
OCTETS = Kind(_number(figures.octets), number=True)
TOTAL = Kind(_total, number=True)
TALLY = Kind(_tally, number=True)
BITS = Kind(_fraction(figures.bits_per_second), number=True)
RATIO = Kind(_fraction(figures.ratio), number=True)
TIMES = Kind(_fraction(lambda value: figures.decimal(int(value * 100) / 100, 2)), number=True)
LATENCY = Kind(_fraction(latency), number=True)
CLOCK = Kind(_fraction(clock))


def words(vocabulary: str) -> Kind:
    """Return the kind of a code that has a word of the office."""

    def render(value: object, zone: tzinfo) -> str | None:
        if isinstance(value, list | tuple):
            return ", ".join(word(vocabulary, str(code)) for code in value) or None
        if isinstance(value, str) and "," in value:
            return ", ".join(word(vocabulary, code.strip()) for code in value.split(","))
        return word(vocabulary, value) if isinstance(value, str) and value else None

    return Kind(render, vocabulary=vocabulary)
