"""One row of several things ("5 máy tính, 75.000.000") made into as many, to the đồng."""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.table import RowError, TableRow
from kiemke.server.imports.templates import Template

MOST_PARTS = 500
_COUNTED_NAME = re.compile(
    r"0*(\d{1,3})\s*(?:x\s*)?(?:(?:bộ|chiếc|cái|dàn)\s+)?(?=(?:máy|bộ|màn|thiết|ups|switch|laptop)\b)(.+)",
    re.IGNORECASE,
)
_SERIALS = re.compile(r"[;,\n]")

_SPLIT = Words("thêm --split để tách thành từng chiếc", "add --split to make one of each")


def share(total: int, parts: int) -> list[int]:
    """Return ``total`` đồng in ``parts`` whole amounts that add up to it; the first bear the rest."""
    each, rest = divmod(total, parts)
    return [each + (position < rest) for position in range(parts)]


def _refusal(
    row: TableRow, template: Template, name: str, message: Words, remedy: Words
) -> RowError:
    value = row.values.get(name)
    shown = None if value is None else str(value)
    return RowError(row.number, template.column(name).heading, shown, message, remedy, row.sheet)


def split_rows(
    rows: Sequence[TableRow], template: Template, *, split: bool
) -> tuple[list[TableRow], list[RowError], int]:
    """Return the rows with quantity, unit price and amount gone, problems, and how many were split."""
    if not template.more:
        return list(rows), [], 0
    found: list[TableRow] = []
    errors: list[RowError] = []
    count = 0
    for row in rows:
        values = dict(row.values)
        quantity = values.pop("quantity", None)
        counted = _COUNTED_NAME.fullmatch(values.get("name") or "") if quantity is None else None
        if counted is not None:
            quantity = int(counted[1])
            values["name"] = counted[2][:1].upper() + counted[2][1:] if split else values["name"]
        quantity = 1 if quantity is None else quantity
        error = _wrong(row, template, quantity, split, by_name=counted is not None)
        prices = _prices(values, quantity) if error is None else None
        if error is None and prices is None:
            error = _refusal(
                row, template, "amount",
                Words("thành tiền không bằng số lượng nhân đơn giá",
                      "the amount is not quantity times unit price"),
                Words("sửa một trong ba ô", "correct one of the three cells"),
            )  # fmt: skip
        if error is not None:
            errors.append(error)
            continue
        if quantity == 1:
            found.append(replace(row, values=_priced(values, (prices or [None])[0])))
            continue
        count += 1
        found.extend(_parts(replace(row, values=values), quantity, prices or [None] * quantity))
    return found, errors, count


def _wrong(
    row: TableRow, template: Template, quantity: int, split: bool, *, by_name: bool
) -> RowError | None:
    name = "name" if by_name else "quantity"
    if not 1 <= quantity <= MOST_PARTS:
        return _refusal(
            row, template, name,
            Words(f"số lượng phải từ 1 đến {MOST_PARTS}", f"the quantity must be 1 to {MOST_PARTS}"),
            Words("sửa ô này", "correct this cell"),
        )  # fmt: skip
    if quantity > 1 and not split:
        return _refusal(
            row, template, name,
            Words(f"một dòng có {quantity} chiếc", f"one row holds {quantity} things"), _SPLIT,
        )  # fmt: skip
    return None


def _prices(values: dict[str, Any], quantity: int) -> list[int | None] | None:
    """Return a price for each part, or None when the cells contradict each other.

    The row's total is its amount, else its price (a register's price is the row's), else
    quantity times unit price.
    """
    each, amount = values.pop("unit_price", None), values.pop("amount", None)
    total = amount if amount is not None else values.get("price_dong")
    if total is None:
        return [each] * quantity
    if each is not None and each * quantity != total:
        return None
    return list(share(total, quantity))


def _priced(values: dict[str, Any], price: int | None) -> dict[str, Any]:
    return values if price is None else {**values, "price_dong": price}


def _parts(row: TableRow, quantity: int, prices: Sequence[int | None]) -> list[TableRow]:
    """Return the things of one row: its code with -1, -2, ... behind, its serials one each."""
    digits = len(str(quantity))
    code = row.values.get("code")
    serials = [s.strip() for s in _SERIALS.split(row.values.get("serial") or "") if s.strip()]
    parts = []
    for position, price in enumerate(prices):
        values = _priced(dict(row.values), price)
        if code is not None:
            values["code"] = f"{code}-{position + 1:0{digits}d}"
        if "serial" in values:
            values["serial"] = serials[position] if len(serials) == quantity else None
        if values.get("tag"):
            values["tag"] = f"{values['tag']}-{position + 1:0{digits}d}"
        parts.append(replace(row, values=values, part=position + 1))
    return parts
