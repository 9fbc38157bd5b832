"""Figures of units summed up the tree of a day."""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


def chain(unit_id: int, parents: Mapping[int, int | None]) -> Iterator[int]:
    """Yield a unit and each one above it; a loop in the tree ends the walk."""
    place: int | None = unit_id
    seen: set[int] = set()
    while place is not None and place not in seen:
        seen.add(place)
        yield place
        place = parents.get(place)


def roll_up(
    own: Mapping[tuple[int, Key], int], parents: Mapping[int, int | None]
) -> dict[tuple[int, Key], int]:
    """Return (unit, key) -> the sum over the unit and all below it."""
    summed: dict[tuple[int, Key], int] = defaultdict(int)
    for (unit_id, key), amount in own.items():
        for place in chain(unit_id, parents):
            summed[place, key] += amount
    return dict(summed)
