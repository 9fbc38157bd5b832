"""Many agents on one PC: what a group enrolled by one token has in common that honest PCs have not.

Honest offices sit behind one address, buy one model and switch on at one breaker; none of that counts
by itself. Each sign has points (dated rules in ``identity.toml``), a group needs ``one_host_min`` of them.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain import rules_dated
from kiemke.server.domain.identity import RULES

SIGNS = ("boot_id", "counters", "parts", "memory", "boots", "in_step", "address", "enrolled")
# The kernel's own identifier of a boot is random; other systems' are a rounded moment and prove nothing.
_RANDOM_BOOT = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_BOOT_MS = 300  # two estimates of one host's boot differ by the network's delay
_MOST_BOOTS = 3
_IN_STEP_MS, _ENROLLED_MS = 10_000, 600_000
_COUNTER_OCTETS, _COUNTER_SPREAD = 100_000_000, 0.002
# A 32-bit system sees the same of whatever is plugged above this.
_MEMORY_BYTES = 4 * 2**30
_SHARE = 0.25
# What each member has of itself; the other signs honest PCs of one office may share.
_PERSONAL = frozenset({"boot_id", "counters", "parts", "boots"})


@dataclass(frozen=True, slots=True)
class Suspect:
    """One source as it reports. ``boots`` maps boot ids to when they began (epoch ms).

    ``octets`` are received and sent by its busiest adapter, ``memory_bytes`` what its system sees,
    ``modules_bytes`` what its firmware says is plugged; None where it does not say. ``parts`` are
    (kind, value).
    """

    source: int
    created_ms: int
    heard_ms: int
    address: str | None
    boots: dict[str, int]
    octets: tuple[int, int] | None = None
    memory_bytes: int | None = None
    modules_bytes: int | None = None
    parts: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True, slots=True)
class OneHost:
    """Sources that speak from one PC, by the signs and their points."""

    sources: tuple[int, ...]
    signs: dict[str, int]

    @property
    def points(self) -> int:
        """Return their sum."""
        return sum(self.signs.values())


@dataclass(frozen=True, slots=True)
class HostRules:
    """Points by sign, how many points and how many sources are needed."""

    points: dict[str, int]
    enough: int
    fewest: int


async def load_rules(session: Session, day: date, known_ms: int) -> HostRules:
    """Return the rules valid on ``day``. Raises UnknownRule or UnusableRule."""
    law = (await rules_dated.load(session, RULES)).on(day, known_ms)
    return HostRules(
        {sign: law.whole("one_host_points", sign, 0, 1000) for sign in SIGNS},
        law.whole("one_host_min", rules_dated.EVERYTHING, 1, 10_000),
        law.whole("one_host_sources", rules_dated.EVERYTHING, 2, 10_000),
    )


def find_one_host(group: Sequence[Suspect], rules: HostRules) -> list[OneHost]:
    """Return the parts of a group that speak from one PC each, the largest first."""
    found: list[OneHost] = []
    taken: set[int] = set()
    for core in sorted(_cores(group), key=lambda c: (-len(c), min(s.source for s in c))):
        members = [suspect for suspect in core if suspect.source not in taken]
        if len(members) < 2:
            continue
        judged = _judge(members, rules)
        if "memory" in judged.signs and not _PERSONAL & judged.signs.keys():
            # An honest PC of the host's model sees as much memory: only those that contradict
            # themselves are the host's.
            members = [one for one in members if _contradicts_itself(one)]
            judged = _judge(members, rules) if len(members) > 1 else OneHost((), {})
        if judged.points >= rules.enough:
            found.append(judged)
            taken |= set(judged.sources)
    return found


def _judge(members: Sequence[Suspect], rules: HostRules) -> OneHost:
    signs: dict[str, int] = {}
    for sign in _signs(members, rules.fewest):
        signs[sign] = signs.get(sign, 0) + rules.points[sign]
    return OneHost(tuple(sorted(s.source for s in members)), signs)


def _contradicts_itself(one: Suspect) -> bool:
    """Whether its system sees more memory than it says is plugged, or half of that at most."""
    if not one.memory_bytes or not one.modules_bytes:
        return False
    return not one.memory_bytes <= one.modules_bytes < 2 * one.memory_bytes


def _cores(group: Sequence[Suspect]) -> Iterable[list[Suspect]]:
    """Yield sets of suspects that share one telling thing; the rest of the signs is asked of them."""
    by: dict[tuple[str, object], list[Suspect]] = defaultdict(list)
    for one in group:
        for boot_id in one.boots:
            if _RANDOM_BOOT.fullmatch(boot_id):
                by["boot", boot_id.lower()].append(one)
        for part in one.parts:
            if part[0] == "mac":
                by["mac", part].append(one)
        if one.memory_bytes:
            by["memory", one.memory_bytes].append(one)
    yield from by.values()
    booted = [(float(moment), s) for s in group for moment in s.boots.values()]
    yield from _runs(booted, lambda least: least + _BOOT_MS)
    busy = [(float(s.octets[0]), s) for s in group if s.octets and s.octets[0] >= _COUNTER_OCTETS]
    yield from _runs(busy, lambda least: least * (1 + _COUNTER_SPREAD))


def _runs(
    known: list[tuple[float, Suspect]], limit: Callable[[float], float]
) -> Iterable[list[Suspect]]:
    """Yield the suspects whose figures lie between the least of them and its limit."""
    known.sort(key=lambda one: (one[0], one[1].source))
    start = 0
    while start < len(known):
        most = limit(known[start][0])
        run = [suspect for figure, suspect in known[start:] if figure <= most]
        yield list({suspect.source: suspect for suspect in run}.values())
        start += len(run)


def _signs(members: Sequence[Suspect], fewest: int) -> list[str]:
    """Return the signs that hold for all members."""
    signs = []
    boot_ids = set.intersection(*({b.lower() for b in s.boots} for s in members))
    if any(_RANDOM_BOOT.fullmatch(boot) for boot in boot_ids):
        signs.append("boot_id")
    if _share_parts(members):
        signs.append("parts")
    if len(members) < fewest:
        return signs  # what follows could be chance between two or three
    if _same_counters(members):
        signs.append("counters")
    if _one_system(members):
        signs.append("memory")
    signs += ["boots"] * min(_common_boots(members), _MOST_BOOTS)
    heard = [s.heard_ms for s in members]
    if max(heard) - min(heard) <= _IN_STEP_MS:
        signs.append("in_step")
    if members[0].address and len({s.address for s in members}) == 1:
        signs.append("address")
    created = [s.created_ms for s in members]
    if max(created) - min(created) <= _ENROLLED_MS:
        signs.append("enrolled")
    return signs


def _share_parts(members: Sequence[Suspect]) -> bool:
    """Whether one MAC and one more part are in all of them: a MAC alone may be a sloppy maker's."""
    kinds = {kind for kind, _ in frozenset.intersection(*(s.parts for s in members))}
    return "mac" in kinds and len(kinds) > 1


def _same_counters(members: Sequence[Suspect]) -> bool:
    """Whether one adapter's counters, both ways, are told by all of them."""
    for way in (0, 1):
        octets = [s.octets[way] if s.octets else 0 for s in members]
        least = min(octets)
        if least == 0 or max(octets) - least > least * _COUNTER_SPREAD:
            return False
    return min(s.octets[0] if s.octets else 0 for s in members) >= _COUNTER_OCTETS


def _one_system(members: Sequence[Suspect]) -> bool:
    """Whether all systems see the same memory to the byte, while their firmware tells different sizes."""
    seen = {s.memory_bytes for s in members}
    plugged = Counter(s.modules_bytes for s in members if s.modules_bytes)
    often = [size for size, n in plugged.items() if n >= _SHARE * len(members)]
    return len(seen) == 1 and (members[0].memory_bytes or 0) >= _MEMORY_BYTES and len(often) > 1


def _common_boots(members: Sequence[Suspect]) -> int:
    """Return how many boots began at one moment for all members; 0 when any boot of theirs did not.

    An office on one breaker boots together too, but not within a third of a second, each time.
    """
    first, *rest = sorted(members, key=lambda s: len(s.boots))
    for moment in first.boots.values():
        for one in rest:
            if all(abs(moment - other) > _BOOT_MS for other in one.boots.values()):
                return 0
    return len(first.boots)
