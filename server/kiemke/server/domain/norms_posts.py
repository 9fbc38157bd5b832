"""Which norm group a post belongs to: patterns of dated rules; what fits none is unknown."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from kiemke.server.domain.norms_rules import Group
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, Ruling
from kiemke.server.domain.text import search_key

# "Bí thư Đảng ủy, Chủ tịch HĐND", "Trưởng phòng kiêm Chủ tịch Công đoàn": each part is a post.
# With its accent: without, "kiểm soát viên" would be cut in two as well.
_PARTS = re.compile(r"[,;/+]|\bkiêm\b")
_FIELDS = {"posts", "kinds", "levels", "types"}


@dataclass(frozen=True, slots=True)
class Post:
    """One post of a person: its words (None: not written), the kind of official, where it is."""

    words: str | None
    kind: str
    unit_id: int


@dataclass(frozen=True, slots=True)
class Place:
    """A unit of the tree on a day: its type and the unit above it."""

    type: str
    parent_id: int | None


@dataclass(frozen=True, slots=True)
class _Pattern:
    """All that is given must fit; None is anything. ``posts`` are globs without accents."""

    group: str
    posts: tuple[str, ...] | None
    kinds: frozenset[str] | None
    levels: frozenset[str] | None
    types: frozenset[str] | None


class PostGroups:
    """The groups of posts in one tree on one day."""

    def __init__(
        self, rules: DayRules, groups: Mapping[str, Group], tree: Mapping[int, Place]
    ) -> None:
        """Read the patterns. Raises UnknownRule or UnusableRule."""
        self._groups = groups
        self._tree = tree
        self._levels = _read_levels(rules.need("norm_levels"))
        self._level_of: dict[int, str | None] = {}
        self._known: dict[tuple[str | None, str, str | None, str | None], Group | None] = {}
        self._patterns = [p for rule in rules.subjects("norm_posts") for p in _read(rule)]
        unknown = {p.group for p in self._patterns} - groups.keys()
        if unknown:
            raise UnusableRule(f"norm_posts names no norm_group: {', '.join(sorted(unknown))}")

    def best(self, posts: Iterable[Post]) -> Group | None:
        """Return the highest group of a person's posts, None when no pattern fits any of them."""
        found = [group for post in posts if (group := self._of(post)) is not None]
        return max(found, key=_rank, default=None)

    def _of(self, post: Post) -> Group | None:
        place = self._tree.get(post.unit_id)
        level, type_ = self.level(post.unit_id), None if place is None else place.type
        key = (post.words, post.kind, level, type_)
        # An office of thousands has a few dozen posts: each is looked up once.
        if key not in self._known:
            found = [self._groups[p.group] for p in self._patterns if _fits(p, *key)]
            self._known[key] = max(found, key=_rank, default=None)
        return self._known[key]

    def level(self, unit_id: int) -> str | None:
        """Return the level of a unit, or of the nearest one above it that has one; None for none.

        A city below another place that has a level is a district's equal.
        """
        if unit_id not in self._level_of:
            self._level_of[unit_id] = self._find_level(unit_id)
        return self._level_of[unit_id]

    def _find_level(self, unit_id: int) -> str | None:
        chain = self._chain(unit_id)
        placed = [type_ for type_ in chain if type_ in self._levels]
        if not placed:
            return None
        return "district" if placed[0] == "thanh_pho" and placed[1:] else self._levels[placed[0]]

    def _chain(self, unit_id: int) -> list[str]:
        """Return the types of a unit and of all above it; a loop in the tree ends the walk."""
        types: list[str] = []
        place, seen = self._tree.get(unit_id), {unit_id}
        while place is not None:
            types.append(place.type)
            if place.parent_id is None or place.parent_id in seen:
                break
            seen.add(place.parent_id)
            place = self._tree.get(place.parent_id)
        return types


def _rank(group: Group) -> tuple[int, str]:
    return (group.rank, group.name)


def _fits(
    pattern: _Pattern, words: str | None, kind: str, level: str | None, type_: str | None
) -> bool:
    return (
        (pattern.kinds is None or kind in pattern.kinds)
        and (pattern.levels is None or level in pattern.levels)
        and (pattern.types is None or type_ in pattern.types)
        and (pattern.posts is None or _matches(pattern.posts, words))
    )


def _matches(globs: tuple[str, ...], words: str | None) -> bool:
    return any(fnmatchcase(part, glob) for part in parts_of(words or "") for glob in globs)


@lru_cache(maxsize=4096)
def parts_of(words: str) -> tuple[str, ...]:
    """Return the posts written in one cell, without accents: "A kiêm B" is two."""
    written = unicodedata.normalize("NFC", words).casefold()
    parts = (search_key(part).strip(" .-") for part in _PARTS.split(written))
    return tuple(part for part in parts if part)


def _read_levels(ruling: Ruling) -> dict[str, str]:
    value = ruling.value
    if not isinstance(value, dict) or not all(isinstance(level, str) for level in value.values()):
        raise UnusableRule(f"rule 'norm_levels' must be a table of levels, not {value!r}")
    return dict(value)


def _read(ruling: Ruling) -> list[_Pattern]:
    """Return the patterns of one group. Raises UnusableRule."""
    if not isinstance(ruling.value, list):
        raise UnusableRule(f"rule 'norm_posts' {ruling.subject}: {ruling.value!r} is no list")
    patterns = []
    for each in ruling.value:
        # A misspelt field would make a pattern that fits everybody.
        if not isinstance(each, dict) or not each or not each.keys() <= _FIELDS:
            known = ", ".join(sorted(_FIELDS))
            raise UnusableRule(f"rule 'norm_posts' {ruling.subject}: {each!r} may have {known}")
        posts = _words(ruling, each, "posts")
        globs = None if posts is None else tuple(search_key(post) for post in posts)
        kinds, levels, types = (
            _set(_words(ruling, each, name)) for name in ("kinds", "levels", "types")
        )
        patterns.append(_Pattern(ruling.subject, globs, kinds, levels, types))
    return patterns


def _words(ruling: Ruling, each: dict[str, Any], name: str) -> list[str] | None:
    if name not in each:
        return None
    words = each[name]
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UnusableRule(f"rule 'norm_posts' {ruling.subject}: {name} must be a list of words")
    return words


def _set(words: list[str] | None) -> frozenset[str] | None:
    return None if words is None else frozenset(words)
