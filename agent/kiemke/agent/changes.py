"""What of a section's rows came, went or became another since they were last told."""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

Fields = dict[str, Any]


class Change(NamedTuple):
    """One row: ``before`` None came, ``now`` None went, both: the fields that are not what they were."""

    before: Fields | None
    now: Fields | None

    @property
    def differing(self) -> tuple[str, ...]:
        """Return the names of the fields that differ, of a row that is there both times."""
        if self.before is None or self.now is None:
            return ()
        return tuple(
            name
            for name in dict.fromkeys((*self.before, *self.now))
            if self.before.get(name) != self.now.get(name)
        )


def plain(row: Fields) -> Fields:
    """Return a row as JSON gives it back: lists for tuples, what is not known left out."""
    found: Fields = json.loads(json.dumps(row, ensure_ascii=False))
    return {name: value for name, value in found.items() if value not in (None, [])}


def compare(before: Sequence[Fields], now: Sequence[Fields]) -> list[Change]:
    """Return the changes, in the order of the rows as they are now; what went stands last.

    Rows that are alike in their first field (a name, a place) are one thing that changed; a single row
    always is.
    """
    old, new = [plain(row) for row in before], [plain(row) for row in now]
    for row in list(new):
        if row in old:
            old.remove(row)
            new.remove(row)
    changes = []
    for row in new:
        twin = next((one for one in old if _is_same_thing(one, row)), None)
        if twin is None and len(before) == len(now) == 1:
            twin = old[0] if old else None
        if twin is not None:
            old.remove(twin)
        changes.append(Change(twin, row))
    return changes + [Change(row, None) for row in old]


def _is_same_thing(one: Fields, other: Fields) -> bool:
    first = next(iter(other), None)
    return first is not None and first in one and one[first] == other[first]
