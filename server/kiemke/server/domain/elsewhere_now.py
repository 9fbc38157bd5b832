"""Marks the stays that may be at another unit's site, so that a recount looks at those alone.

``apart`` holds for every date and every moment of knowledge: a stay is left unmarked only when each unit
the book ever named for its PC was always above or below each unit whose subnet ever held its address.
"""

import ipaddress
from collections.abc import Awaitable, Callable
from functools import cache

from kiemke.server.db import Database, Session
from kiemke.server.domain.network_stays import SubnetIndex, addresses_of

Guard = Callable[[Session], Awaitable[None]]

STAYS_A_TURN = 20_000

_SUBNETS = "SELECT DISTINCT unit_id, subnet FROM site_subnet WHERE deny = FALSE"
_PARENTS = "SELECT DISTINCT unit_id, parent_id FROM unit_version"
_LAST = "SELECT MAX(id) AS id FROM network_stay"
# What was voided too: somebody may ask what was known then.
_BOOKED = """
SELECT DISTINCT n.id, n.addresses, n.apart, c.unit_id
FROM network_stay n
JOIN machine_source y ON y.source_id = n.source_id
JOIN asset_match x ON x.machine_id = y.machine_id
JOIN custody c ON c.asset_id = x.asset_id
WHERE n.id > :after AND n.id <= :last AND n.addresses <> ''
"""
_MARK = "UPDATE network_stay SET apart = :apart WHERE id = :id"


class Kinship:
    """Which units always stood above which: by every version of the tree there ever was."""

    def __init__(self, parents: dict[int, set[int | None]]) -> None:
        self._parents = parents
        self.always_kin = cache(self._always_kin)

    def _always_kin(self, one: int, other: int) -> bool:
        return self._above(one, other, frozenset()) or self._above(other, one, frozenset())

    def _above(self, unit: int | None, above: int, passed: frozenset[int]) -> bool:
        """Whether every way up from ``unit`` there ever was leads through ``above``."""
        if unit == above:
            return True
        if unit is None or unit in passed:
            return False
        parents = self._parents.get(unit, {None})
        return all(self._above(parent, above, passed | {unit}) for parent in parents)


async def run(db: Database, guard: Guard) -> int:
    """Mark what is to be marked and unmark the rest; return how many changed."""
    async with db.reading() as session:
        subnets = [
            (row["unit_id"], ipaddress.ip_network(row["subnet"]))
            for row in await session.fetch(_SUBNETS)
        ]
        last = await session.one(_LAST)
        if not subnets or last is None or last["id"] is None:
            return 0
        parents: dict[int, set[int | None]] = {}
        for row in await session.fetch(_PARENTS):
            parents.setdefault(row["unit_id"], set()).add(row["parent_id"])
    index, kinship = SubnetIndex(subnets), Kinship(parents)

    @cache
    def is_apart(addresses: str, unit_id: int) -> bool:
        units = {unit for each in addresses_of(addresses) for unit in index.units_at(each)}
        return not all(kinship.always_kin(unit_id, unit) for unit in units)

    changed = 0
    for after in range(0, last["id"], STAYS_A_TURN):
        async with db.reading() as session:
            rows = await session.fetch(_BOOKED, after=after, last=after + STAYS_A_TURN)
        found: dict[int, bool] = {}
        for row in rows:
            apart = is_apart(row["addresses"], row["unit_id"])
            found[row["id"]] = found.get(row["id"], False) or apart
        stood = {row["id"]: bool(row["apart"]) for row in rows}
        marks = [{"id": id_, "apart": apart} for id_, apart in found.items() if apart != stood[id_]]
        if marks:
            async with db.transaction() as session:
                await guard(session)
                await session.many(_MARK, marks)
        changed += len(marks)
    return changed
