"""The rules of fitness of one day, read once and checked: profiles, supported systems, token lists."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain import rules_dated
from kiemke.server.domain.norms_posts import parts_of
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.rules_dated import DayRules, Ruling

FIT_FILE = "fit.toml"
SUPPORT_FILE = "os_support.toml"
# What a PC may need, in the order it is told; True where a number says how much.
NEEDS = {
    "ram_gib": True, "ssd": False, "os_supported": False, "antivirus": False, "signature": False,
    "printer": False, "screen_height": True,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Profile:
    """What everybody needs whose post or kind fits; None fits everybody."""

    name: str
    posts: tuple[str, ...] | None
    kinds: frozenset[str] | None
    needs: dict[str, int]

    def fits(self, posts: Iterable[tuple[str | None, str]]) -> bool:
        """Whether one of a person's (post, kind) pairs fits."""
        return any(
            (self.kinds is None or kind in self.kinds)
            and (self.posts is None or _any_glob(self.posts, parts_of(words or "")))
            for words, kind in posts
        )


@dataclass(frozen=True, slots=True)
class Support:
    """One operating system and the last day its maker mends it."""

    subject: str
    family: str
    versions: tuple[str, ...]
    names: tuple[str, ...] | None
    last_day: date


@dataclass(frozen=True, slots=True)
class Tokens:
    """By what a digital-signature token or reader is known: lower-case globs."""

    vendors: tuple[str, ...]
    classes: tuple[str, ...]
    names: tuple[str, ...]
    software: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FitRules:
    """The rules of one day."""

    profiles: tuple[Profile, ...]
    supports: tuple[Support, ...]
    tokens: Tokens
    virtual_printers: tuple[str, ...]

    def needs_of(self, posts: Iterable[tuple[str | None, str]]) -> dict[str, int]:
        """Return what a person of these (post, kind) pairs needs, the most of every profile."""
        pairs = list(posts)
        found: dict[str, int] = {}
        for profile in self.profiles:
            if profile.fits(pairs):
                for need, much in profile.needs.items():
                    found[need] = max(much, found.get(need, 0))
        return {need: found[need] for need in NEEDS if need in found}


def _any_glob(globs: Iterable[str], words: Iterable[str]) -> bool:
    return any(fnmatchcase(word, glob) for word in words for glob in globs)


async def load(session: Session, day: date, known_ms: int) -> FitRules:
    """Return the rules of a day as the system said at ``known_ms``. Raises UnusableRule."""
    fit = (await rules_dated.load(session, FIT_FILE)).on(day, known_ms)
    support = (await rules_dated.load(session, SUPPORT_FILE)).on(day, known_ms)
    return read(fit, support)


def read(fit: DayRules, support: DayRules) -> FitRules:
    """Return the rules, checked. Raises UnusableRule."""
    devices = fit.find("fit_signature_devices")
    table: dict[str, Any] = {}
    if devices is not None:
        table = _table(devices, {"vendors", "classes", "names"})
    software = fit.find("fit_signature_software")
    printers = fit.find("fit_virtual_printers")
    return FitRules(
        tuple(_profile(ruling) for ruling in fit.subjects("fit_profile")),
        tuple(_support(ruling) for ruling in support.subjects("os_support")),
        Tokens(
            _globs(devices, table.get("vendors", [])),
            _globs(devices, table.get("classes", [])),
            _globs(devices, table.get("names", [])),
            () if software is None else _globs(software, software.value),
        ),
        () if printers is None else _globs(printers, printers.value),
    )


def _bad(ruling: Ruling | None, wanted: str) -> UnusableRule:
    told = "?" if ruling is None else f"{ruling.name} {ruling.subject}".strip()
    return UnusableRule(f"rule {told!r} must be {wanted}")


def _table(ruling: Ruling, known: set[str]) -> dict[str, Any]:
    value = ruling.value
    if not isinstance(value, dict) or not value.keys() <= known:
        raise _bad(ruling, f"a table of {', '.join(sorted(known))}")
    return value


def _globs(ruling: Ruling | None, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        raise _bad(ruling, "lists of words")
    return tuple(word.casefold() for word in value)


def _profile(ruling: Ruling) -> Profile:
    value = _table(ruling, {"posts", "kinds", "needs"})
    needs = value.get("needs")
    if not isinstance(needs, dict) or not needs or not needs.keys() <= NEEDS.keys():
        raise _bad(ruling, f"a table with `needs` of {', '.join(NEEDS)}")
    for need, much in needs.items():
        is_number = isinstance(much, int) and not isinstance(much, bool) and much > 0
        if not (is_number if NEEDS[need] else much is True):
            raise _bad(ruling, f"`{need}` a whole number above 0" if NEEDS[need] else "true")
    posts = None if "posts" not in value else _globs(ruling, value["posts"])
    kinds = None if "kinds" not in value else frozenset(_globs(ruling, value["kinds"]))
    return Profile(ruling.subject, posts, kinds, {need: int(much) for need, much in needs.items()})


def _support(ruling: Ruling) -> Support:
    value = _table(ruling, {"family", "versions", "names", "last_day"})
    try:
        last_day = date.fromisoformat(value["last_day"])
        family = str(value["family"])
    except (KeyError, TypeError, ValueError) as error:
        raise _bad(ruling, "family, versions and last_day YYYY-MM-DD") from error
    names = None if "names" not in value else _globs(ruling, value["names"])
    return Support(ruling.subject, family, _globs(ruling, value.get("versions")), names, last_day)
