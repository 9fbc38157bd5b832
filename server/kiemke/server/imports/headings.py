"""Where a sheet's headings stand, under titles and merged cells, and which columns are nobody's business.

Plain functions over rows of cells: the child process that reads a foreign file uses them too, so that
a private column never leaves it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.domain.text import clean_text, search_key
from kiemke.server.domain.text_legacy import detect, repair, restore

Cell = str | float | bool | date | None

SEARCHED_ROWS = 60
_MOST_DEPTH = 3
_MOST_LABEL = 200
_IN_BRACKETS = re.compile(r"\s*[(\[].*?[)\]]")
_NUMBERING = re.compile(r"\(?(?:[a-z]|\d{1,2})(?:\s*=.*)?\)?", re.IGNORECASE)

# What no inventory needs to know of a person, as keys of headings (no diacritics, no punctuation).
_PRIVATE = re.compile(
    r".*\b(?:cccd|cmnd|cmt|cmtnd|can cuoc|chung minh|ho chieu|passport|national id|citizen id|"
    r"ngay sinh|nam sinh|sinh ngay|ngay thang nam sinh|tuoi|date of birth|birth ?date|birthday|"
    r"he so luong|bac luong|muc luong|tien luong|luong co ban|ngach luong|tong luong|luong thang|"
    r"salary|wage|phu cap|thu nhap|so tai khoan|so tk|stk|tai khoan ngan hang|ngan hang|bank|"
    r"bhxh|bhyt|bao hiem|ma so thue|mst|que quan|nguyen quan|noi sinh|dan toc|ton giao|thuong tru|"
    r"tam tru|dia chi nha|cho o|noi o|gioi tinh|nam nu|dang vien|vao dang|hon nhan|gender|religion|"
    r"ethnicity|home address)\b.*|luong|sex|dob"
)
_CITIZEN_NUMBER = re.compile(r"0\d{11}")
_BANK_NUMBER = re.compile(r"\d{8,19}")
_ENOUGH_VALUES, _MOST_OF_THEM = 3, 0.6


@dataclass(frozen=True, slots=True)
class Heading:
    """The rows ``first`` to ``last`` (indices) hold the headings; ``labels`` one text a column.

    A label of several lines reads "Theo sổ kế toán / Nguyên giá"; None where a column has none.
    ``known`` counts the labels that the dictionary knows.
    """

    first: int
    last: int
    labels: tuple[str | None, ...]
    known: int


def heading_key(text: str) -> str:
    """Return what is compared of a heading: no brackets, diacritics, punctuation or capitals."""
    bare = re.sub(r"[^0-9a-z]+", " ", search_key(_IN_BRACKETS.sub("", text))).strip()
    return bare or re.sub(r"[^0-9a-z]+", " ", search_key(text)).strip()


def label_keys(label: str) -> list[str]:
    """Return the keys a label may be known by, the most telling first: whole, then each part."""
    parts = [label, *label.split(" / ")[::-1], *label.split("/")]
    return list(dict.fromkeys(key for part in parts if (key := heading_key(part))))


def heading_text(cell: Cell) -> str | None:
    """Return a cell as a heading: clean, and sound where an old encoding broke it; None for none."""
    if not isinstance(cell, str):
        return None
    return clean_text(repair(cell) or cell, _MOST_LABEL)


def _texts(row: Sequence[Cell]) -> list[str | None]:
    """Return a row's cells as headings: one that could be read either way is read as its neighbours."""
    encoding = detect(cell for cell in row if isinstance(cell, str))
    sound = [
        restore(cell, encoding) if encoding is not None and isinstance(cell, str) else cell
        for cell in row
    ]
    return [heading_text(cell) for cell in sound]


def _labels(rows: Sequence[Sequence[Cell]]) -> tuple[str | None, ...]:
    """Return the labels of heading rows laid on each other; a merged group speaks for its columns."""
    width = max(len(row) for row in rows)
    lines = [_texts(row) + [None] * (width - len(row)) for row in rows]
    for upper, lower in zip(lines, lines[1:], strict=False):
        group: str | None = None
        for position in range(width):
            group = upper[position] or (group if lower[position] else None)
            if upper[position] is None and lower[position] is not None:
                upper[position] = group
    found: list[str | None] = []
    for position in range(width):
        parts = dict.fromkeys(part for line in lines if (part := line[position]))
        found.append(" / ".join(parts)[:_MOST_LABEL] or None)
    return tuple(found)


def _count_known(labels: Sequence[str | None], known: frozenset[str]) -> int:
    keys = ((label_keys(label) if label else []) for label in labels)
    return len({next((k for k in found if k in known), None) for found in keys} - {None})


def find_heading(rows: Sequence[Sequence[Cell]], known: frozenset[str]) -> Heading | None:
    """Return the heading rows whose labels are known best; None when no row has a known one.

    Of several with as many known labels the fewest rows are taken: a title above or a row below
    belongs to the headings only when it makes more columns known.
    """
    best: Heading | None = None
    least = (0, 0)
    for first in range(min(SEARCHED_ROWS, len(rows))):
        for depth in range(1, _MOST_DEPTH + 1):
            taken = rows[first : first + depth]
            if len(taken) < depth or not any(heading_text(cell) for cell in taken[-1]):
                break
            labels = _labels(taken)
            count = _count_known(labels, known)
            if count and (count, -depth) > least:
                least = (count, -depth)
                best = Heading(first, first + depth - 1, labels, count)
    return None if best is None else _with_groups(best, rows, known)


def _with_groups(found: Heading, rows: Sequence[Sequence[Cell]], known: frozenset[str]) -> Heading:
    """Return the heading with the rows above of which a cell is merged down into it: they hold the groups.

    A merged cell stands in every row it covers, so that the lowest row alone knows as many columns; but
    a number below “Chứng từ” is a paper's, not the thing's.
    """
    first = found.first
    while first and found.last - first + 1 < _MOST_DEPTH:
        upper, lower = rows[first - 1], rows[first]
        shared = [
            text for a, b in zip(upper, lower, strict=False) if (text := heading_text(a)) and a == b
        ]
        if not shared:
            break
        first -= 1
    labels = _labels(rows[first : found.last + 1])
    return Heading(first, found.last, labels, _count_known(labels, known))


def is_numbering(cells: Sequence[Cell]) -> bool:
    """Tell whether a row only numbers the columns: A, B, C, 1, 2, 3=1+2."""
    shown = [str(cell).removesuffix(".0").strip() for cell in cells if cell not in (None, "")]
    return len(shown) > 2 and all(_NUMBERING.fullmatch(text) for text in shown)


def is_private(label: str) -> bool:
    """Tell whether a heading names what no inventory needs of a person."""
    return any(_PRIVATE.fullmatch(key) for key in label_keys(label))


def holds_private(values: Sequence[Cell]) -> bool:
    """Tell whether a column's values look like citizen numbers, whatever its heading says."""
    shown = [str(value).strip() for value in values if value not in (None, "")]
    like = sum(_CITIZEN_NUMBER.fullmatch(text) is not None for text in shown)
    return len(shown) >= _ENOUGH_VALUES and like >= _MOST_OF_THEM * len(shown)


def private_columns(
    heading: Heading, below: Sequence[Sequence[Cell]], own: frozenset[str], *, people: bool
) -> list[int]:
    """Return the columns to drop. ``own`` are keys of the template's headings: those are wanted.

    ``people``: the table is one of persons, so that columns are judged by their values as well.
    """
    found = []
    for position, label in enumerate(heading.labels):
        values = [row[position] for row in below if position < len(row)]
        told = label is not None and is_private(label) and heading_key(label) not in own
        if told or (people and holds_private(values)) or (people and _is_bank(label, values)):
            found.append(position)
    return found


def _is_bank(label: str | None, values: Sequence[Cell]) -> bool:
    """Tell whether a column called only "account" holds account numbers of a bank."""
    if label is None or heading_key(label) not in ("tai khoan", "account", "tk"):
        return False
    shown = [str(value).removesuffix(".0") for value in values if value not in (None, "")]
    like = sum(_BANK_NUMBER.fullmatch(text) is not None for text in shown)
    return bool(shown) and like >= _MOST_OF_THEM * len(shown)
