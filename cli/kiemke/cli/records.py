"""The objects the server answers, read by dotted paths; absent is None at every step."""

from collections.abc import Mapping
from dataclasses import dataclass

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows of one list: ``total`` is how many the server has, None where it did not say."""

    items: tuple[Record, ...]
    total: int | None


def dig(record: object, path: str) -> object:
    """Return what lies at ``unit.name``, None when a step is absent or not an object."""
    found = record
    for step in path.split("."):
        if not isinstance(found, Mapping):
            return None
        found = found.get(step)
    return found


def text_at(record: object, path: str) -> str | None:
    """Return the text or number at the path as text, None when it is absent or an object."""
    found = dig(record, path)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)


def number_at(record: object, path: str) -> int | None:
    """Return the whole number at the path, None when it is absent or no whole number."""
    found = dig(record, path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def records_of(found: object) -> tuple[Record, ...]:
    """Return the objects of a JSON array; what is no object is left out."""
    if not isinstance(found, list | tuple):
        return ()
    return tuple(item for item in found if isinstance(item, Mapping))
