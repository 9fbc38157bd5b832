"""Vietnamese money: what people write becomes whole đồng, or is refused with what to write instead."""

import math
import re
import unicodedata
from decimal import Decimal, InvalidOperation

from kiemke.server.domain.text_labels import Words

# A thousand million million đồng is more than a state budget: such a cell is a slip of the pen.
MOST_DONG = 10**15

_UNITS = {
    "nghin": 10**3, "ngan": 10**3, "k": 10**3,
    "trieu": 10**6, "tr": 10**6,
    "ty": 10**9, "ti": 10**9,
}  # fmt: skip
_CURRENCY = re.compile(r"\s*(?:đồng|đ|₫|vnđ|vnd|dong)\.?$")
_PART = re.compile(
    r"([\d.,]+|\d{1,3}(?: \d{3})+)\s*(nghìn|nghin|ngàn|ngan|k|triệu|trieu|tr|tỷ|tỉ|ty|ti)\b\s*"
)
_GROUPED = re.compile(r"\d{1,3}(?:([., ])\d{3})(?:\1\d{3})*")
_BARE = str.maketrans("ìàiệỷỉ", "iaieyi")


class MoneyError(ValueError):
    """A price that is not one: ``problem`` says why, ``remedy`` what to write."""

    def __init__(self, problem: Words, remedy: Words) -> None:
        super().__init__(problem.en)
        self.problem = problem
        self.remedy = remedy


_NOT_MONEY = Words("không phải số tiền", "this is not an amount of money")
_AMBIGUOUS = Words(
    "không rõ dấu chấm/phẩy là hàng nghìn hay phần lẻ",
    "it is not clear whether the mark groups thousands or begins a fraction",
)
_FRACTION = Words("số tiền có phần lẻ của đồng", "the amount has a fraction of a đồng")
_NEGATIVE = Words("số tiền âm", "the amount is negative")
_TOO_MUCH = Words("số tiền lớn vô lý", "the amount is absurdly large")
_WRITE = Words("viết 15000000, 15.000.000 hoặc 15 triệu", "write 15000000, 15.000.000 or 15 triệu")


def parse_dong(value: str | float) -> int:
    """Return whole đồng from a cell: a number, "15.000.000", "15,000,000", "15 triệu", "1,2 tỷ".

    One lone group such as "1.234" is ambiguous and refused, unless "đ" stands behind it (a đồng has
    no fractions). Raises MoneyError.
    """
    if isinstance(value, str):
        return _within(_from_text(value))
    if isinstance(value, bool) or not math.isfinite(value):
        raise MoneyError(_NOT_MONEY, _WRITE)
    if value != int(value):
        # A cell that shows 1.234 may hold 1.234 because the sheet's language reads it so.
        raise MoneyError(_FRACTION, _WRITE)
    return _within(int(value))


def _within(dong: int) -> int:
    if dong < 0:
        raise MoneyError(_NEGATIVE, _WRITE)
    if dong > MOST_DONG:
        raise MoneyError(_TOO_MUCH, _WRITE)
    return dong


def _from_text(text: str) -> int:
    plain = " ".join(unicodedata.normalize("NFC", text).casefold().split())
    if len(plain) > 60 or not plain.isprintable():
        raise MoneyError(_NOT_MONEY, _WRITE)
    if plain.startswith(("-", "−", "(")):
        raise MoneyError(_NEGATIVE, _WRITE)
    amount = _CURRENCY.sub("", plain)
    if amount != plain and _GROUPED.fullmatch(amount):
        return int(re.sub(r"\D", "", amount))
    total, position, last = Decimal(0), 0, 10**12
    for part in _PART.finditer(amount):
        unit = _UNITS[part[2].translate(_BARE)]
        if part.start() != position or unit >= last:
            raise MoneyError(_NOT_MONEY, _WRITE)
        total += _number(part[1]) * unit
        position, last = part.end(), unit
    if position and position != len(amount):
        raise MoneyError(_NOT_MONEY, _WRITE)
    if not position:
        total = _number(amount)
    if total != total.to_integral_value():
        raise MoneyError(_FRACTION, _WRITE)
    return int(total)


def _number(text: str) -> Decimal:
    """Return a number whose marks say clearly what they are. Raises MoneyError."""
    if not re.fullmatch(r"\d[\d., ]*", text) or not text.isascii():
        raise MoneyError(_NOT_MONEY, _WRITE)
    whole, mark, fraction = _split_fraction(text)
    if mark and len(fraction) == 3 and re.fullmatch(r"\d{1,3}", whole):
        raise MoneyError(_AMBIGUOUS, _WRITE)
    grouped = _GROUPED.fullmatch(whole)
    if not whole.isdigit() and (grouped is None or grouped[1] == mark):
        raise MoneyError(_NOT_MONEY, _WRITE)
    try:
        return Decimal(re.sub(r"\D", "", whole) + ("." + fraction if fraction else ""))
    except InvalidOperation as error:
        raise MoneyError(_NOT_MONEY, _WRITE) from error


def _split_fraction(text: str) -> tuple[str, str, str]:
    """Return what is before the fraction mark, the mark, and the fraction; "" where there is none.

    The last mark begins a fraction when it stands only once and either the other mark stands before
    it or it is the only one; several like marks group thousands.
    """
    marks = [c for c in text if c in ".,"]
    if not marks or marks.count(marks[-1]) > 1:
        return text, "", ""
    whole, mark, fraction = text.rpartition(marks[-1])
    if not fraction.isdigit():
        raise MoneyError(_NOT_MONEY, _WRITE)
    return whole, mark, fraction


def format_dong(dong: int) -> str:
    """Return đồng as Vietnamese forms print it: 15.000.000."""
    return f"{dong:,}".replace(",", ".")
