"""Versions of units as spans of days: when a unit is, and where the line above one comes back to it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Row, as_date

FOREVER = date.max


@dataclass(frozen=True, slots=True)
class Span:
    """A unit with its code below another one (None: a root) from ``begins`` until before ``ends``.

    ``row`` is the stored version, empty for one that is only planned.
    """

    unit_id: int
    parent_id: int | None
    code: str
    begins: date
    ends: date
    row: Row = field(default_factory=dict)

    def meets(self, other: "Span") -> bool:
        """Return whether both hold on some day."""
        return self.begins < other.ends and other.begins < self.ends


def span_of(row: Row) -> Span:
    """Return a stored version as a span."""
    ends = FOREVER if row["valid_to"] is None else as_date(row["valid_to"])
    begins = as_date(row["valid_from"])
    return Span(row["unit_id"], row["parent_id"], row["code"], begins, ends, row)


def by_unit(spans: Iterable[Span]) -> dict[int, list[Span]]:
    """Return the spans of each unit."""
    found: dict[int, list[Span]] = defaultdict(list)
    for each in spans:
        found[each.unit_id].append(each)
    return found


def loop_of(span: Span, units: Mapping[int, Sequence[Span]]) -> list[Span]:
    """Return the line above a version where it comes back to its unit on the version's first day."""
    line, seen = [span], {span.unit_id}
    while (above := line[-1].parent_id) is not None:
        if above == span.unit_id:
            return line
        here = (s for s in units.get(above, ()) if s.begins <= span.begins < s.ends)
        higher = None if above in seen else next(here, None)
        if higher is None:
            return []
        line.append(higher)
        seen.add(above)
    return []
