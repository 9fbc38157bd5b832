"""The norms of one day as typed rules: groups with their items, what an office shares, prices.

Each ``read_*`` takes the dated rules of a day and raises UnusableRule where a row's value has not
the form that ``norms.toml`` shows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, Ruling
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words

RULES_FILE = "norms.toml"
WHOLE_PERMILLE = 1_000
_MOST_PERMILLE = 10_000

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Item:
    """What one person of a group may have: ``quantity`` things of ``kinds``, each at ``price_dong``.

    ``quantity`` and ``price_dong`` None: the law at hand does not say. ``unpriced_kinds`` have none.
    """

    name: str
    kinds: frozenset[str]
    quantity: int | None
    price_dong: int | None
    unpriced_kinds: frozenset[str]

    def price_of(self, kind: str) -> int | None:
        """Return the highest price of one thing of a kind, đồng, None where none is known."""
        return None if kind in self.unpriced_kinds else self.price_dong


@dataclass(frozen=True, slots=True)
class Group:
    """A group of posts. The higher ``rank`` wins where one person has posts of several."""

    name: str
    rank: int
    items: tuple[Item, ...]
    source: Words | None


@dataclass(frozen=True, slots=True)
class Shared:
    """What an office shares: one for every ``per`` staff of ``groups`` (None is all its staff)."""

    name: str
    kinds: frozenset[str]
    per: int | None
    groups: frozenset[str] | None
    price_dong: int | None
    source: Words | None


@dataclass(frozen=True, slots=True)
class Multifunction:
    """Devices of several functions, each the name of a shared or personal item."""

    kinds: frozenset[str]
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NormRules:
    """All norms of a day. ``shared`` by name; excesses are thousandths of the maximum price."""

    groups: dict[str, Group]
    shared: dict[str, Shared]
    multifunction: Multifunction
    head_permille: int
    province_permille: int
    had_in: tuple[str, ...]
    no_lack: frozenset[str]
    uncapped_places: tuple[str, ...]

    def kinds(self) -> list[str]:
        """Return every kind of asset that some norm names, in alphabetical order."""
        found = set(self.multifunction.kinds)
        for group in self.groups.values():
            found.update(kind for item in group.items for kind in item.kinds)
        for shared in self.shared.values():
            found |= shared.kinds
        return sorted(found)


def read_rules(rules: DayRules) -> NormRules:
    """Return the norms of a day. Raises UnknownRule or UnusableRule."""
    excess = rules.need("norm_excess_permille")
    return NormRules(
        groups={r.subject: _shaped(r, _group) for r in rules.subjects("norm_group")},
        shared={r.subject: _shaped(r, _shared) for r in rules.subjects("norm_shared")},
        multifunction=_shaped(rules.need("norm_multifunction"), _multifunction),
        head_permille=_shaped(excess, lambda r: _whole(r.value["head"])),
        province_permille=_shaped(excess, lambda r: _whole(r.value["province"])),
        had_in=_shaped(rules.need("norm_had_in"), lambda r: tuple(sorted(_words(r.value)))),
        no_lack=_shaped(rules.need("norm_no_lack"), lambda r: _words(r.value)),
        uncapped_places=_shaped(
            rules.need("norm_uncapped_places"),
            lambda r: tuple(sorted(search_key(place) for place in _words(r.value))),
        ),
    )


def allowed_permille(rules: DayRules, unit_id: int, parents: Mapping[int, int | None]) -> int:
    """Return by how much a decision already lets a unit exceed a price, thousandths.

    The nearest decision up the tree counts. Raises UnusableRule.
    """
    place: int | None = unit_id
    seen: set[int] = set()
    while place is not None and place not in seen:
        seen.add(place)
        if ("norm_allowed_permille", f"unit:{place}") in rules.rulings:
            return rules.whole("norm_allowed_permille", f"unit:{place}", 0, _MOST_PERMILLE)
        place = parents.get(place)
    return rules.whole("norm_allowed_permille", "", 0, _MOST_PERMILLE)


def _shaped(ruling: Ruling, make: Callable[[Ruling], T]) -> T:
    """Return what ``make`` reads from a rule's value. Raises UnusableRule naming the rule."""
    try:
        return make(ruling)
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        name = f"{ruling.name} {ruling.subject}".strip()
        raise UnusableRule(f"rule {name!r} has not the form of norms.toml: {error}") from error


def _group(ruling: Ruling) -> Group:
    value = ruling.value
    items = tuple(
        Item(
            str(each["item"]),
            _words(each["kinds"]),
            _whole_or_none(each.get("quantity")),
            _whole_or_none(each.get("price_dong")),
            _words(each.get("unpriced_kinds", [])),
        )
        for each in value["items"]
    )
    kinds = [kind for item in items for kind in item.kinds]
    if len(kinds) != len(set(kinds)):
        raise ValueError("one kind stands in two items")
    return Group(ruling.subject, _whole(value["rank"]), items, ruling.source)


def _shared(ruling: Ruling) -> Shared:
    value = ruling.value
    per = _whole_or_none(value.get("per"))
    if per == 0:
        raise ValueError("per is 0")
    return Shared(
        ruling.subject,
        _words(value["kinds"]),
        per,
        _words(value["groups"]) if "groups" in value else None,
        _whole_or_none(value.get("price_dong")),
        ruling.source,
    )


def _multifunction(ruling: Ruling) -> Multifunction:
    return Multifunction(
        _words(ruling.value["kinds"]), tuple(sorted(_words(ruling.value["functions"])))
    )


def _words(value: Any) -> frozenset[str]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise ValueError(f"{value!r} is no list of words")
    return frozenset(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no whole number")
    return value


def _whole_or_none(value: Any) -> int | None:
    return None if value is None else _whole(value)
