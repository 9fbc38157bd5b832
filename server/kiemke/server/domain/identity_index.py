"""Every install's evidence and every machine's, found by value; what is worth nothing is learned here.

A *stay* is one install on one set of hardware: a disk that moves to another PC, or a copied install,
begins a new stay of the same source. A machine is a set of stays; which ones is told by the dated rows.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kiemke.server.domain.evidence import KINDS, PLUGGED, Evidence, Key, Values
from kiemke.server.domain.identity import SAME, Comparison, Weights, compare

StayKey = tuple[int, int]  # source, number
_STRONG = ("uuid", "system", "board")
_NOT_BOARD = frozenset({"system", "chassis", "memory", "monitor"})
_ADAPTERS = ("mac", PLUGGED)
# A monitor is moved from desk to desk, a model stands on many: they find nobody.
_FINDING = tuple(kind for kind in KINDS if kind not in ("monitor", "model"))


@dataclass(slots=True)
class Stay:
    """What one install showed on one set of hardware, newest values.

    ``began_ms`` is when it was first seen there, ``seen_ms`` when the newest value was new.
    """

    values: dict[str, frozenset[str]]
    seen_ms: int
    began_ms: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a source belongs: ``machine`` None is a new one. ``doubts`` may be the same and were not
    taken; ``by`` is how it was decided: keep, evidence, moved or new.
    """

    machine: int | None
    by: str
    comparison: Comparison | None = None
    doubts: tuple[tuple[int, Comparison], ...] = ()


@dataclass(slots=True)
class Index:
    """All stays in memory. ``of`` is each source's newest evidence, ``newest`` its newest stay."""

    weights: Weights
    of: dict[int, Evidence] = field(default_factory=dict)
    stays: dict[StayKey, Stay] = field(default_factory=dict)
    machine_of: dict[StayKey, int] = field(default_factory=dict)
    members: dict[int, list[StayKey]] = field(default_factory=dict)
    newest: dict[int, int] = field(default_factory=dict)
    shared: set[str] = field(default_factory=set)
    _holders: dict[Key, set[StayKey]] = field(default_factory=lambda: defaultdict(set))
    _carriers: dict[str, set[StayKey]] = field(default_factory=lambda: defaultdict(set))
    _was: dict[StayKey, set[Key]] = field(default_factory=lambda: defaultdict(set))

    def put(self, key: StayKey, values: Values, seen_ms: int) -> dict[str, frozenset[str]]:
        """Set a stay's evidence; a kind that is not told of keeps what was known. Return it whole."""
        known = self.stays.get(key)
        merged = {**(known.values if known else {}), **{k: v for k, v in values.items() if v}}
        if known is not None:
            for one in _keys(known.values):
                self._holders[one].discard(key)
                self.showed(key, one)
        self.stays[key] = Stay(merged, seen_ms, known.began_ms if known else seen_ms)
        for one in _keys(merged):
            self._holders[one].add(key)
        for one in _keys(merged):
            self.showed(key, one)
        return merged

    def showed(self, key: StayKey, one: Key) -> None:
        """Say that a stay shows a value, or once did: what a shared adapter is learned from."""
        if one[0] in _ADAPTERS:
            self._carriers[one[1]].add(key)
        elif one[0] in _STRONG:
            self._was[key].add(one)

    def set_machines(self, machine_of: Mapping[StayKey, int]) -> None:
        """Take over which stay belongs to which machine."""
        self.machine_of = dict(machine_of)
        self.members, self.newest = {}, {}
        for key, machine in machine_of.items():
            self.members.setdefault(machine, []).append(key)
            self.newest[key[0]] = max(key[1], self.newest.get(key[0], 0))

    def assign(self, key: StayKey, machine: int) -> None:
        """Put one stay into a machine."""
        before = self.machine_of.get(key)
        if before is not None:
            self.members[before].remove(key)
        self.machine_of[key] = machine
        self.newest[key[0]] = max(key[1], self.newest.get(key[0], 0))
        self.members.setdefault(machine, []).append(key)

    def machines_with(self, key: Key) -> set[int]:
        """Return the machines on which a value stands now."""
        found = self._holders.get(key, set())
        return {self.machine_of[stay] for stay in found if stay in self.machine_of}

    def is_worthless(self, key: Key) -> bool:
        """Whether a value stands on too many machines, is a shared adapter's, or was called bogus."""
        kind, value = key
        if kind in _ADAPTERS and value in self.shared:
            return True
        if self.weights.bogus and f"{kind}:{value}" in self.weights.bogus:
            return True
        if kind == "model" or len(self._holders.get(key, ())) <= self.weights.learned_above:
            return False
        return len(self.machines_with(key)) > self.weights.learned_above

    def values_of(self, machine: int) -> dict[str, frozenset[str]]:
        """Return a machine's evidence: of each kind the newest that any of its stays showed."""
        merged: dict[str, frozenset[str]] = {}
        stays = [self.stays[key] for key in self.members.get(machine, ()) if key in self.stays]
        for stay in sorted(stays, key=lambda one: one.seen_ms):
            merged.update(stay.values)
        return merged

    def compare_machines(self, left: int, right: int) -> Comparison:
        """Weigh two machines against each other."""
        return compare(self.values_of(left), self.values_of(right), self.weights, self.is_worthless)

    def rank(self, values: Values, without: Iterable[int] = ()) -> list[tuple[int, Comparison]]:
        """Return the machines that share anything of worth, the likeliest first."""
        found: set[int] = set()
        for kind in _FINDING:
            for value in values.get(kind, ()):
                if not self.is_worthless((kind, value)):
                    found |= self.machines_with((kind, value))
        ranked = [
            (machine, compare(values, self.values_of(machine), self.weights, self.is_worthless))
            for machine in sorted(found.difference(without))
        ]
        return sorted(ranked, key=lambda one: -one[1].score)

    def choose(self, values: Values, own: StayKey | None) -> Choice:
        """Decide where evidence belongs. ``own`` is the stay in which the source was until now."""
        if own is None or own not in self.stays:
            return self._choose_other(values, ())
        machine = self.machine_of[own]
        mine = compare(
            values, self.stays[own].values, self.weights, self.is_worthless, same_install=True
        )
        rivals = [one for one in self.rank(values, (machine,)) if one[1].verdict == SAME]
        if mine.verdict == SAME:
            if rivals and rivals[0][1].score >= mine.score + self.weights.margin:
                return Choice(None, "new", mine, ((machine, mine), *rivals[:1]))
            return Choice(machine, "keep", mine)
        # Its own PC may have got another main board: asked unless something plainly says no.
        asked = ((machine, mine),) if mine.score > 0 else ()
        other = self._choose_other(values, (machine,))
        if other.machine is not None and other.comparison is not None:
            # A known board may have come to this PC as well as the disk to that one.
            if other.comparison.agreeing & _NOT_BOARD:
                return Choice(other.machine, "moved", other.comparison)
            return Choice(None, "new", mine, (*asked, (other.machine, other.comparison)))
        return Choice(None, "new", mine, (*asked, *other.doubts))

    def _choose_other(self, values: Values, without: tuple[int, ...]) -> Choice:
        ranked = self.rank(values, without)
        same = [one for one in ranked if one[1].verdict == SAME]
        doubts = tuple(o for o in ranked if o[1].score >= self.weights.ask_min)[:2]
        if not same:
            return Choice(None, "new", None, doubts)
        best, comparison = same[0]
        if len(same) > 1 and comparison.score - same[1][1].score < self.weights.margin:
            return Choice(None, "new", None, tuple(same[:2]))
        return Choice(best, "evidence", comparison)

    def learn_shared(self, values: Values) -> set[str]:
        """Return adapters among ``values`` newly seen with machines that are plainly not one."""
        learned = {mac for mac in _macs(values) if mac not in self.shared and self._is_shared(mac)}
        self.shared |= learned
        return learned

    def machines_carrying(self, mac: str) -> set[int]:
        """Return the machines that ever showed an adapter."""
        return {self.machine_of[k] for k in self._carriers.get(mac, ()) if k in self.machine_of}

    def _is_shared(self, mac: str) -> bool:
        machines = sorted(self.machines_carrying(mac))
        first, *rest = machines or [0]
        strings = self._strings_of(first)
        return any(_plainly_two(strings, self._strings_of(other)) for other in rest)

    def _strings_of(self, machine: int) -> set[Key]:
        """Return the makers' strings a machine ever showed: a board may have moved with its MAC."""
        return {one for key in self.members.get(machine, ()) for one in self._was.get(key, ())}


def _plainly_two(left: set[Key], right: set[Key]) -> bool:
    """Whether makers' own strings say that these are two machines (not one board in two cases)."""
    kinds = {kind for kind, _ in left} & {kind for kind, _ in right}
    return bool(kinds) and not left & right


def _keys(values: Values) -> list[Key]:
    return [(kind, value) for kind, found in values.items() for value in found]


def _macs(values: Values) -> set[str]:
    return {mac for kind in _ADAPTERS for mac in values.get(kind, ())}
