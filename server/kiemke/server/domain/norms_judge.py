"""What each person and each office may have, has, lacks, has too much of, or paid too much for.

Everything here computes from what it is given. A norm is a maximum: to lack is to have less than it
allows, never a breach; to have more, or dearer things than a decision covers, is one.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from kiemke.server.domain.norms_posts import Post
from kiemke.server.domain.norms_rules import WHOLE_PERMILLE, Group, Item, NormRules, Shared
from kiemke.server.domain.text_labels import Words

FINDINGS = ("lack", "over", "over_price", "unknown_post")
DECIDERS = ("head", "province", "beyond")


@dataclass(frozen=True, slots=True)
class Person:
    """An official in the unit of the primary membership, with every post of the day.

    ``may_lack`` is False for one whose missing equipment is nobody's gap.
    """

    official_id: int
    code: str
    name: str
    unit_id: int
    posts: tuple[Post, ...]
    may_lack: bool = True

    @property
    def words(self) -> str | None:
        """The posts as written, None where none is."""
        return "; ".join(dict.fromkeys(p.words for p in self.posts if p.words)) or None


@dataclass(frozen=True, slots=True)
class Held:
    """A thing somebody answers for: one person, or (``official_id`` None) a unit or several people.

    ``owned`` False is borrowed: it counts as had, its price is not this office's.
    """

    asset_id: int
    code: str
    kind: str
    price_dong: int | None
    unit_id: int
    official_id: int | None
    owned: bool = True


@dataclass(frozen=True, slots=True)
class OverPrice:
    """A thing dearer than the norm. ``decider`` may still allow it: head, province, or beyond both."""

    asset_code: str
    price_dong: int
    max_dong: int
    decider: str

    @property
    def over_dong(self) -> int:
        """By how much, đồng."""
        return self.price_dong - self.max_dong


@dataclass(frozen=True, slots=True)
class NormRow:
    """One item of one person (``official_id``) or of an office (None) against its norm.

    ``item`` None: a person whose post is in no group. ``entitled``, ``lack`` and ``over`` are None
    where the law at hand names no number; ``max_dong`` where it names no price. ``staff`` is how
    many people an office's number is reckoned from. ``unpriced`` counts things without a price.
    """

    unit_id: int
    official_id: int | None
    official_code: str | None
    official_name: str | None
    post: str | None
    group: str | None
    item: str | None
    staff: int | None
    entitled: int | None
    has: int
    lack: int | None
    over: int | None
    max_dong: int | None
    over_price: tuple[OverPrice, ...]
    unpriced: int
    source: Words | None

    @property
    def findings(self) -> tuple[str, ...]:
        """What a person should look at (see FINDINGS), in that order."""
        if self.item is None:
            return ("unknown_post",)
        told = (("lack", self.lack), ("over", self.over), ("over_price", self.over_price))
        return tuple(name for name, what in told if what)


@dataclass(slots=True)
class _Pool:
    """What an office shares: single-function things by item, and devices of several functions."""

    single: dict[str, list[Held]]
    multi: list[tuple[Held, tuple[str, ...]]]
    judged: set[int]  # ids of things whose price was judged beside their person


class Judge:
    """Measures people and offices. ``allowed`` gives a unit's decided excess, thousandths."""

    def __init__(
        self,
        rules: NormRules,
        group_of: Callable[[Iterable[Post]], Group | None],
        allowed: Callable[[int], int],
    ) -> None:
        self._rules = rules
        self._group_of = group_of
        self._allowed = allowed

    def rows(self, people: Sequence[Person], held: Sequence[Held]) -> list[NormRow]:
        """Return the rows of each unit in the order its people come in: the office's, then theirs.

        Things of people who are not among ``people`` are left out.
        """
        things: dict[int, list[Held]] = defaultdict(list)
        pools: dict[int, _Pool] = defaultdict(lambda: _Pool(defaultdict(list), [], set()))
        for thing in held:
            if thing.official_id is None:
                self._share(pools[thing.unit_id], thing, ())
            else:
                things[thing.official_id].append(thing)
        personal: dict[int, list[NormRow]] = defaultdict(list)
        staff: dict[int, Counter[str | None]] = defaultdict(Counter)
        for person in people:
            group = self._group_of(person.posts)
            staff[person.unit_id][None if group is None else group.name] += 1
            own = things.get(person.official_id, [])
            personal[person.unit_id] += self._of_person(person, group, own, pools[person.unit_id])
        rows: list[NormRow] = []
        units = [*dict.fromkeys(person.unit_id for person in people)]
        for unit_id in [*units, *sorted(pools.keys() - set(units))]:
            rows += self._of_office(unit_id, staff[unit_id], pools[unit_id])
            rows += personal[unit_id]
        return rows

    def _share(self, pool: _Pool, thing: Held, own_functions: tuple[str, ...]) -> None:
        """Put a thing among what its office shares, for the functions nobody has to himself."""
        if thing.kind in self._rules.multifunction.kinds:
            functions = tuple(
                f for f in self._rules.multifunction.functions
                if f in self._rules.shared and f not in own_functions
            )  # fmt: skip
            if functions:
                pool.multi.append((thing, functions))
            return
        for shared in self._rules.shared.values():
            if thing.kind in shared.kinds:
                pool.single[shared.name].append(thing)

    def _of_person(
        self, person: Person, group: Group | None, own: list[Held], pool: _Pool
    ) -> list[NormRow]:
        if group is None:
            for thing in own:
                self._share(pool, thing, ())
            return [_row(person, None, None, None, own, None, ())]
        rows: list[NormRow] = []
        taken: set[int] = set()
        functions = self._rules.multifunction.functions
        personal_functions = tuple(item.name for item in group.items if item.name in functions)
        for item in group.items:
            mine = [t for t in own if t.kind in item.kinds or self._serves(t, item.name)]
            taken.update(t.asset_id for t in mine if t.kind in item.kinds)
            pool.judged.update(t.asset_id for t in mine)
            over_price = self._over_prices(
                person.unit_id, [(thing, self._max_of(thing, item, group)) for thing in mine]
            )
            rows.append(_row(person, group, item, item.quantity, mine, item.price_dong, over_price))
        for thing in own:
            if thing.asset_id not in taken:
                self._share(pool, thing, personal_functions)
        return rows

    def _serves(self, thing: Held, function: str) -> bool:
        multi = self._rules.multifunction
        return thing.kind in multi.kinds and function in multi.functions

    def _max_of(self, thing: Held, item: Item, group: Group) -> int | None:
        if thing.kind in item.kinds:
            return item.price_of(thing.kind)
        return self._multi_max({each.name: each.price_dong for each in group.items})

    def _multi_max(self, personal: dict[str, int | None]) -> int | None:
        """Return the most a device of several functions may cost: the sum; None if one is unknown."""
        prices = []
        for function in self._rules.multifunction.functions:
            shared = self._rules.shared.get(function)
            prices.append(personal.get(function) or (shared.price_dong if shared else None))
        known = [price for price in prices if price is not None]
        return sum(known) if known and len(known) == len(prices) else None

    def _of_office(self, unit_id: int, staff: Counter[str | None], pool: _Pool) -> list[NormRow]:
        several: dict[str, list[Held]] = defaultdict(list)
        included: Counter[str] = Counter()
        for thing, functions in pool.multi:
            # The dearer function's number limits it; the others need no device of their own.
            dearest = max(functions, key=lambda f: (self._rules.shared[f].price_dong or 0, f))
            several[dearest].append(thing)
            included.update(f for f in functions if f != dearest)
        rows = []
        for shared in self._rules.shared.values():
            single = pool.single.get(shared.name, [])
            people = _staff_of(shared, staff)
            entitled = _entitlement(shared, people)
            mine = [*single, *several[shared.name]]
            if not entitled and not mine:
                continue
            over_price = self._over_prices(
                unit_id,
                [
                    (t, shared.price_dong if t.kind in shared.kinds else self._multi_max({}))
                    for t in mine
                    if t.asset_id not in pool.judged
                ],
            )
            rows.append(
                _office_row(
                    unit_id, shared, people, entitled, included[shared.name], mine, over_price
                )
            )
        return rows

    def _over_prices(
        self, unit_id: int, things: list[tuple[Held, int | None]]
    ) -> tuple[OverPrice, ...]:
        """Return those of (thing, highest price) that are dearer than what is decided already."""
        found = []
        for thing, most in things:
            if most is None or thing.price_dong is None or not thing.owned:
                continue
            if thing.price_dong > _raised(most, self._allowed(unit_id)):
                decider = self._decider(thing.price_dong, most)
                found.append(OverPrice(thing.code, thing.price_dong, most, decider))
        return tuple(found)

    def _decider(self, price: int, most: int) -> str:
        if price <= _raised(most, self._rules.head_permille):
            return "head"
        return "province" if price <= _raised(most, self._rules.province_permille) else "beyond"


def _raised(most_dong: int, permille: int) -> int:
    return most_dong * (WHOLE_PERMILLE + permille) // WHOLE_PERMILLE


def _staff_of(shared: Shared, staff: Counter[str | None]) -> int:
    if shared.groups is None:
        return staff.total()
    return sum(count for group, count in staff.items() if group in shared.groups)


def _entitlement(shared: Shared, staff: int) -> int | None:
    """Return one for every ``per`` staff, rounded up (1 of 15 for three is one); None if unknown."""
    return None if shared.per is None else -(-staff // shared.per)


def _row(
    person: Person,
    group: Group | None,
    item: Item | None,
    entitled: int | None,
    mine: list[Held],
    max_dong: int | None,
    over_price: tuple[OverPrice, ...],
) -> NormRow:
    has = len(mine)
    lack = None if entitled is None else max(entitled - has, 0)
    return NormRow(
        unit_id=person.unit_id,
        official_id=person.official_id,
        official_code=person.code,
        official_name=person.name,
        post=person.words,
        group=group.name if group else None,
        item=item.name if item else None,
        staff=None,
        entitled=entitled,
        has=has,
        lack=lack if person.may_lack or lack is None else 0,
        over=None if entitled is None else max(has - entitled, 0),
        max_dong=max_dong,
        over_price=over_price,
        unpriced=sum(1 for thing in mine if thing.owned and thing.price_dong is None),
        source=group.source if group else None,
    )


def _office_row(
    unit_id: int,
    shared: Shared,
    people: int,
    entitled: int | None,
    included: int,
    mine: list[Held],
    over_price: tuple[OverPrice, ...],
) -> NormRow:
    has = len(mine)
    # What devices of several functions already do leaves no room for a separate one.
    room = None if entitled is None else max(entitled - included, 0)
    return NormRow(
        unit_id=unit_id,
        official_id=None,
        official_code=None,
        official_name=None,
        post=None,
        group=None,
        item=shared.name,
        staff=people,
        entitled=entitled,
        has=has + included,
        lack=None if room is None else max(room - has, 0),
        over=None if room is None else max(has - room, 0),
        max_dong=shared.price_dong,
        over_price=over_price,
        unpriced=sum(1 for thing in mine if thing.owned and thing.price_dong is None),
        source=shared.source,
    )
