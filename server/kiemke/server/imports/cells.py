"""One cell read as its column says: a clean value, or a problem with what to write instead."""

import ipaddress
import re
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

from kiemke.server.domain import text_labels as labels
from kiemke.server.domain.dates import DateError, format_date, parse_date
from kiemke.server.domain.money import MoneyError, parse_dong
from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.domain.text_legacy import repair
from kiemke.server.imports.headings import Cell
from kiemke.server.imports.templates import Column

_SEPARATOR = re.compile(r"[;\n]")
_NUMBER = re.compile(r"\d{1,9}(?:[.,]\d{1,6})?")
_HOST = re.compile(r"(?=.{1,100}$)[A-Za-z0-9](?:[A-Za-z0-9.\-]*[A-Za-z0-9])?")
_YES = frozenset({"co", "x", "yes", "y", "true", "dung", "1", "lam", "di lam"})
_NO = frozenset({"khong", "no", "n", "false", "sai", "0", "nghi"})
_MOST_LIST = 200


class CellError(ValueError):
    """A cell that cannot be read: ``message`` says why, ``remedy`` what to do."""

    def __init__(self, message: Words, remedy: Words) -> None:
        super().__init__(message.en)
        self.message = message
        self.remedy = remedy


_CORRECT = Words("sửa ô này", "correct this cell")


def shown(value: Cell) -> str | None:
    """Return what the user sees in the cell, safe to print; None for an empty one."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, date):
        return format_date(value)
    if isinstance(value, str):
        return clean_text(value, 200)
    return f"{value:.15g}"


def read_cell(value: Cell, column: Column) -> Any:
    """Return the value of a cell; None (or an empty tuple for a list) when it is empty.

    Raises CellError.
    """
    if value is None or (isinstance(value, str) and clean_text(value, 2_000) is None):
        if column.required:
            raise CellError(
                Words("ô bắt buộc để trống", "a required cell is empty"),
                Words(f"điền “{column.heading.vi}”", f"fill in “{column.heading.en}”"),
            )
        return () if column.type in ("codes", "choices", "addresses") else None
    try:
        return _READERS[column.type](value, column)
    except (MoneyError, DateError) as error:
        raise CellError(error.problem, error.remedy) from error


def _text(value: Cell, column: Column) -> str:
    if isinstance(value, float | int) and not isinstance(value, bool) and value == int(value):
        return str(int(value))
    raw = shown(value) if not isinstance(value, str) else value
    whole = clean_text(raw or "", 2_001) or ""
    if len(whole) > column.max_length:
        raise CellError(
            Words(f"dài quá {column.max_length} ký tự", f"longer than {column.max_length} letters"),
            Words("rút gọn ô này", "shorten this cell"),
        )
    if column.type == "text" and (suggestion := repair(whole)) is not None:
        raise CellError(
            Words("chữ gõ bằng bảng mã cũ hoặc bị hỏng", "text in an old or broken encoding"),
            Words(f"có phải “{suggestion}”? gõ lại bằng Unicode",
                  f"is it “{suggestion}”? type it again in Unicode"),
        )  # fmt: skip
    return whole


def _phone(value: Cell, column: Column) -> str:
    text = _text(value, column)
    digits = re.sub(r"[\s.\-()]", "", text)
    if not re.fullmatch(r"\+?\d{3,15}", digits):
        raise CellError(
            Words("không phải số điện thoại", "this is not a phone number"),
            Words("chỉ viết chữ số, giữ số 0 ở đầu", "write digits only, with the leading zero"),
        )
    if not isinstance(value, str) and len(digits) in (9, 10) and digits[0] != "0":
        return "0" + digits  # a number cell cannot hold the leading zero that every number has
    return digits


def _codes(value: Cell, column: Column) -> tuple[str, ...]:
    raw = value if isinstance(value, str) else _text(value, column)
    parts = (_text(part, column) for part in _SEPARATOR.split(raw))
    found = tuple(dict.fromkeys(part for part in parts if part))
    if len(found) > _MOST_LIST:
        raise CellError(Words("quá nhiều mã", "too many codes"), _CORRECT)
    return found


def _choice(value: Cell, column: Column) -> str:
    choices = column.choices or {}
    wanted = search_key(shown(value) or "")
    for code, words in choices.items():
        if wanted in (code, search_key(words.vi), search_key(words.en)):
            return code
    synonym = labels.SYNONYMS.get(wanted)
    if synonym in choices and synonym is not None:
        return synonym
    raise CellError(
        Words("không có trong danh sách", "this is not in the list"),
        Words("chọn một trong: " + ", ".join(w.vi for w in choices.values()),
              "choose one of: " + ", ".join(w.en for w in choices.values())),
    )  # fmt: skip


def _choices(value: Cell, column: Column) -> tuple[str, ...]:
    parts = [part for part in _SEPARATOR.split(shown(value) or "") if part.strip()]
    found = {_choice(part, column) for part in parts}
    return tuple(code for code in column.choices or {} if code in found)


def _decimal(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise CellError(
            Words("không phải số", "this is not a number"),
            Words("chỉ viết số, ví dụ 100 hoặc 1,5", "write a number only, e.g. 100 or 1.5"),
        )
    return Decimal(text.replace(",", "."))


def _mbps(value: Cell, column: Column) -> int:
    """Bits per second."""
    text = (shown(value) or "").casefold().replace(" ", "")
    match = re.fullmatch(r"(.*?)(gbps|gbit/s|g|mbps|mbit/s|m|mb/s)?", text)
    amount = _decimal(match[1] if match else text)
    scale = 10**9 if match and (match[2] or "").startswith("g") else 10**6
    return int(amount * scale)


def _percent(value: Cell, column: Column) -> int:
    """Thousandths. Without a % sign, up to 2 is a fraction (1 is 100 %), more is a percentage."""
    text = (shown(value) or "").replace(" ", "")
    amount = _decimal(text.removesuffix("%"))
    thousandths = amount * (10 if text.endswith("%") or amount > 2 else 1000)
    if thousandths != int(thousandths) or not 0 < thousandths <= 10_000:
        raise CellError(
            Words("không phải chỉ tiêu", "this is not a target"),
            Words("viết 90 % hoặc 0,9", "write 90 % or 0.9"),
        )
    return int(thousandths)


def _integer(value: Cell, column: Column) -> int:
    amount = _decimal((shown(value) or "").replace(" ", ""))
    if amount != int(amount):
        raise CellError(Words("không phải số nguyên", "this is not a whole number"), _CORRECT)
    return int(amount)


def _flag(value: Cell, column: Column) -> bool:
    word = search_key(shown(value) or "")
    if word in _YES or word in _NO:
        return word in _YES
    raise CellError(
        Words("không rõ có hay không", "neither yes nor no"),
        Words("viết “có” hoặc “không”", "write “yes” or “no”"),
    )


def is_address(text: str) -> bool:
    """Tell whether ``text`` is an IP address or could be a host name."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return _HOST.fullmatch(text) is not None and not re.fullmatch(r"[\d.]+", text)
    return True


def _addresses(value: Cell, column: Column) -> tuple[tuple[str, str], ...]:
    """(purpose, address) pairs; an address without a purpose is "domestic"."""
    found: dict[tuple[str, str], None] = {}
    for part in _SEPARATOR.split(shown(value) or ""):
        purpose, mark, address = part.strip().partition(":")
        if not mark or purpose.casefold() not in labels.PROBE_PURPOSES:
            purpose, address = "domestic", part
        address = address.strip()
        if not address:
            continue
        if not is_address(address):
            raise CellError(
                Words(f"“{address}” không phải địa chỉ", f"“{address}” is not an address"),
                Words("viết gateway:192.0.2.1; isp:198.51.100.1",
                      "write gateway:192.0.2.1; isp:198.51.100.1"),
            )  # fmt: skip
        found[purpose.casefold(), address] = None
    return tuple(sorted(found))


def _date(value: Cell, column: Column) -> date:
    if isinstance(value, bool) or value is None:
        return parse_date(shown(value) or "")
    return parse_date(value, year_alone=column.type == "year_or_date")


def _money(value: Cell, column: Column) -> int:
    return parse_dong(value if isinstance(value, str | float | int) else shown(value) or "")


_READERS: dict[str, Callable[[Cell, Column], Any]] = {
    "text": _text,
    "code": _text,
    "codes": _codes,
    "phone": _phone,
    "date": _date,
    "year_or_date": _date,
    "money": _money,
    "integer": _integer,
    "choice": _choice,
    "choices": _choices,
    "mbps": _mbps,
    "percent": _percent,
    "flag": _flag,
    "addresses": _addresses,
}
