"""From the facts of a day to what each unit has itself: the definitions of ``coverage_sql``, fact by fact.

Pure: no database. Written for a whole country: column by column, and only a PC that is not plainly seen
with its holder is looked at by itself. ``coverage_sql`` says the same of a few persons, with all that
explains it.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import compress, repeat
from typing import Any

from kiemke.server.domain.coverage_facts import Columns, Facts, Share
from kiemke.server.domain.coverage_rollup import Leaf
from kiemke.server.domain.coverage_sql import COUNTS, RANKS

_EXCLUDED, _VERIFIED, _COUNTED = RANKS["excluded"], RANKS["verified"], RANKS["counted"]
_CONTRADICTED, _SILENT, _UNMATCHED = RANKS["contradicted"], RANKS["silent"], RANKS["unmatched"]
_NO_PC = RANKS["no_pc"]
_COLUMN = {rank: COUNTS.index(name) for name, rank in RANKS.items()}
_OFFICIALS, _SHARED = COUNTS.index("officials"), COUNTS.index("shared_access")

_SEVERAL = object()
# A PC of one official: asset, official, whether it has a reason to carry no agent.
_Own = tuple[int, int, bool]


@dataclass(frozen=True, slots=True)
class Book:
    """The PCs that count, each once: columns of one length.

    ``officials`` has who alone answers for each; None where a unit or several officials do.
    """

    assets: Sequence[int]
    units: Sequence[int]
    officials: Sequence[int | None]
    no_agent: Sequence[bool]

    @property
    def shared(self) -> list[int]:
        """Return the PCs that no one official answers for."""
        return [a for a, who in zip(self.assets, self.officials, strict=True) if who is None]


def read_book(facts: Facts) -> Book:
    """Return the PCs in use that somebody holds."""
    in_use = set(facts.in_use[0])
    held = _choose(facts.custody, [asset in in_use for asset in facts.custody[0]])
    several = _repeated(held[0])
    if several:
        rows = [row for row in zip(*held, strict=True) if row[0] in several]
        held = _choose(held, [asset not in several for asset in held[0]])
        for column, merged in zip(held, zip(*_merge(rows), strict=True), strict=True):
            column.extend(merged)
    return Book(*held)


def _merge(rows: Iterable[tuple[Any, ...]]) -> Iterable[tuple[Any, ...]]:
    """Return one row for each PC of several custodies: the first unit, and an official only if it is one."""
    merged: dict[int, tuple[Any, ...]] = {}
    for asset, unit, official, no_agent in rows:
        other = merged.get(asset, (asset, unit, official, no_agent))
        sole = official if official == other[2] else None
        merged[asset] = (asset, min(unit, other[1]), sole, no_agent)
    return merged.values()


def fold(
    facts: Facts, book: Book, shares: Sequence[Share], params: Mapping[str, Any]
) -> list[Leaf]:
    """Return each unit's own people by kind, and the PCs booked there.

    ``shares`` are those of ``book.shared``; ``params`` as ``coverage.statement_params`` gives them.
    """
    ranks, newest = _rank_holders(facts, book, params)
    ranks |= dict.fromkeys(facts.absent[0], _EXCLUDED)
    members = facts.members
    if _repeated(members[0]):  # of two rows about one official the last stands
        once = dict(zip(members[0], zip(*members[1:], strict=True), strict=True))
        members = [list(once), *zip(*once.values(), strict=True)]
    officials, units, kinds = members
    ranked = map(ranks.get, officials, repeat(_NO_PC))
    alike = Counter(zip(units, kinds, ranked, map(newest.get, officials), strict=True))
    return _leaves(alike, _count_sharing(members, ranks, shares)) + [
        Leaf(unit, "", (0,) * len(COUNTS), pcs, None) for unit, pcs in Counter(book.units).items()
    ]


def _rank_holders(
    facts: Facts, book: Book, params: Mapping[str, Any]
) -> tuple[dict[int, int], dict[int, int]]:
    """Return where the best of their PCs puts those who hold one, and the newest sign of the verified."""
    accounts = dict(zip(*facts.accounts, strict=True)) | params["account_then"]
    machines = _single(facts.matches[0], facts.matches[1])
    sources = _single(facts.machine_sources[0], facts.machine_sources[1])
    unapproved = dict(zip(*facts.unapproved, strict=True))
    users, signs = _read_presence(facts.presence, unapproved)
    doubtful = {*params["elsewhere"], *facts.counts[0]}
    seen_by = [*map(sources.get, map(machines.get, book.assets))]
    newest: dict[int, int] = {}
    others: list[_Own] = []
    for asset, official, no_agent, own, user, sign in zip(
        book.assets, book.officials, book.no_agent, map(accounts.get, book.officials),
        map(users.get, seen_by), map(signs.get, seen_by), strict=True,
    ):  # fmt: skip
        if official is None:
            continue
        is_plain = user is not None and (user == own or not user)
        if not is_plain or sign is None or asset in doubtful:
            others.append((asset, official, no_agent))
        elif sign > newest.get(official, 0):
            newest[official] = sign
    ranks = dict.fromkeys(newest, _VERIFIED)
    evidence = _Evidence(facts, params, accounts, unapproved, {asset for asset, _, _ in others})
    for asset, official, no_agent in others:
        rank, sign = evidence.place(asset, official, no_agent)
        ranks[official] = min(rank, ranks.get(official, rank))
        if sign is not None:
            newest[official] = max(sign, newest.get(official, sign))
    return ranks, newest


class _Evidence:
    """All that sources saw and people counted about some PCs."""

    def __init__(
        self,
        facts: Facts,
        params: Mapping[str, Any],
        accounts: Mapping[int, str | None],
        unapproved: Mapping[int, str],
        assets: Collection[int],
    ) -> None:
        self._accounts = accounts
        self._everybody = set(accounts.values())
        self._nobody = {None, "", *params["nobody"]}
        self._states = unapproved
        self._machines = _gather(facts.matches[0], facts.matches[1], assets)
        machines = {each for found in self._machines.values() for each in found}
        self._sources = _gather(facts.machine_sources[0], facts.machine_sources[1], machines)
        sources = {each for found in self._sources.values() for each in found}
        self._signs = _gather(
            facts.presence[0], zip(*facts.presence[1:], strict=True), sources - unapproved.keys()
        )
        self._counts = dict(zip(facts.counts[0], zip(*facts.counts[1:], strict=True), strict=True))
        self._surveys = dict(zip(*facts.surveys, strict=True))
        self._elsewhere = set(params["elsewhere"])
        self._foreign_days: int = params["foreign_days"]
        self._count_since: date = params["count_since"]

    def place(self, asset: int, official: int, no_agent: bool) -> tuple[int, int | None]:
        """Return where a PC puts the official who answers for it, and the sign that verifies it."""
        machines = self._machines.get(asset, ())
        sources = [source for each in machines for source in self._sources.get(each, ())]
        counted, count_day = self._counts.get(asset, (None, None))
        surveyed = self._surveys.get(min(machines)) if machines else None
        if (
            (counted == "missing" and (surveyed is None or surveyed <= count_day))
            or asset in self._elsewhere
            or self._is_of_another(sources, self._accounts.get(official))
        ):
            return _CONTRADICTED, None
        states = {self._states.get(source, "approved") for source in sources}
        signs = [sign for each in sources for _, _, sign in self._signs.get(each, ()) if sign]
        if "approved" in states and "quarantined" not in states and signs:
            return _VERIFIED, max(signs)
        if no_agent and (
            (counted == "seen" and count_day > self._count_since)
            or (surveyed is not None and surveyed > self._count_since)
        ):
            return _COUNTED, None
        return (_SILENT if machines else _UNMATCHED), None

    def _is_of_another(self, sources: Iterable[int], own: str | None) -> bool:
        """Say whether one source saw other officials than the holder on enough days of the window."""
        for source in sources:
            days = sum(
                days.bit_count()
                for account, days, _ in self._signs.get(source, ())
                if account != own and account in self._everybody and account not in self._nobody
            )
            if days and days >= self._foreign_days:
                return True
        return False


def _count_sharing(
    members: Columns, ranks: Mapping[int, int], shares: Sequence[Share]
) -> Counter[tuple[int, str]]:
    """Return how many of those without a PC have a share of one, or work in a unit that has one."""
    officials = {official for official, _ in shares}
    units = {unit for official, unit in shares if official is None}
    if not shares:
        return Counter()
    return Counter(
        (unit, kind)
        for official, unit, kind in zip(*members, strict=True)
        if (official in officials or unit in units) and ranks.get(official, _NO_PC) == _NO_PC
    )


def _leaves(
    alike: Mapping[tuple[int, str, int, int | None], int], sharing: Mapping[tuple[int, str], int]
) -> list[Leaf]:
    """Return the people of each unit and kind; ``alike`` counts them by unit, kind, rank and sign."""
    counts: dict[tuple[int, str], list[int]] = {}
    newest: dict[tuple[int, str], int] = {}
    for (unit, kind, rank, sign), persons in alike.items():
        found = counts.get((unit, kind))
        if found is None:
            found = counts[unit, kind] = [0] * len(COUNTS)
        found[_COLUMN[rank]] += persons
        if rank != _EXCLUDED:
            found[_OFFICIALS] += persons
        if rank == _VERIFIED and sign is not None:
            newest[unit, kind] = max(sign, newest.get((unit, kind), sign))
    for key, persons in sharing.items():
        counts[key][_SHARED] += persons
    return [
        Leaf(unit, kind, tuple(found), 0, newest.get((unit, kind)))
        for (unit, kind), found in counts.items()
    ]


def _choose(columns: Columns, wanted: Sequence[bool]) -> list[list[Any]]:
    return [list(compress(column, wanted)) for column in columns]


def _repeated(keys: Sequence[int]) -> set[int]:
    """Return the keys that stand more than once."""
    if len(set(keys)) == len(keys):
        return set()
    return {key for key, times in Counter(keys).items() if times > 1}


def _read_presence(
    presence: Columns, unapproved: Collection[int]
) -> tuple[dict[int | None, object], dict[int | None, int]]:
    """Return who was at each approved source, one account or _SEVERAL, and its newest trusted sign."""
    users: dict[int | None, object] = {}
    signs: dict[int | None, int] = {}
    for source, account, _, sign in zip(*presence, strict=True):
        if users.setdefault(source, account) != account:
            users[source] = _SEVERAL
        if sign is not None and sign > signs.get(source, 0):
            signs[source] = sign
    for source in unapproved:
        users.pop(source, None)
    return users, signs


def _single(keys: Sequence[int], values: Iterable[Any]) -> dict[int | None, Any]:
    """Return the value of each key that has one; those of several are left out."""
    found: dict[int | None, Any] = dict(zip(keys, values, strict=True))
    for key in _repeated(keys):
        found.pop(key, None)
    return found


def _gather(
    keys: Iterable[int], values: Iterable[Any], wanted: Collection[int]
) -> dict[int, list[Any]]:
    """Return all values of each wanted key."""
    found: dict[int, list[Any]] = {}
    for key, value in zip(keys, values, strict=True):
        if key in wanted:
            found.setdefault(key, []).append(value)
    return found
