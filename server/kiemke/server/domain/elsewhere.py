"""PCs that stood at another unit's site: by their addresses, the registered subnets and the book.

A day tells it of a PC when a trusted source of it stood, all that day, in subnets of units that are
neither above nor below the one that answers for it, and no source of it at home. A unit without a site
of its own proves nothing; neither does an address that home routers give.

Only the stays a job has marked ``apart`` are looked at (see ``elsewhere_now``): nearly none.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.network_stays import SubnetIndex, addresses_of
from kiemke.server.domain.presence_blocks import Window
from kiemke.server.domain.rules import Rules, UnusableRule
from kiemke.server.domain.sites import Sites, load_sites
from kiemke.server.domain.tables import dated
from kiemke.wire.reach import Network, stands_in

NETWORKS_RULE = "networks_of_nobody"
DAYS_RULE = "coverage_elsewhere_days"

HOME, AWAY, UNKNOWN = "home", "away", "unknown"

_APART = """
SELECT id FROM network_stay
WHERE apart = TRUE AND first_day <= :day AND (last_day IS NULL OR last_day >= :first) LIMIT 1
"""
_STAYS = """
SELECT source_id, addresses, first_day, last_day FROM network_stay
WHERE first_day <= :day AND (last_day IS NULL OR last_day >= :first) AND source_id IN (
  SELECT z.source_id FROM network_stay z
  WHERE z.apart = TRUE AND z.first_day <= :day AND (z.last_day IS NULL OR z.last_day >= :first))
"""
_BOOKED = dated("""
SELECT y.source_id, x.asset_id, MIN(c.unit_id) AS unit_id
FROM machine_source y JOIN source s ON s.id = y.source_id AND s.state = 'approved'
JOIN asset_match x ON x.machine_id = y.machine_id AND {active x}
JOIN custody c ON c.asset_id = x.asset_id AND {active c}
WHERE {active y} AND y.source_id IN :[sources]
GROUP BY y.source_id, x.asset_id
""")
_TRUSTED = """
SELECT source_id, block, trusted_days FROM presence_block
WHERE source_id IN :[sources] AND block BETWEEN :first AND :last AND trusted_days <> 0
"""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Where a PC stood instead: the units whose site it is, by id, and the days, the oldest first."""

    unit_ids: tuple[int, ...]
    days: tuple[date, ...]


@dataclass(frozen=True, slots=True)
class _Stay:
    first: date
    last: date
    place: str
    unit_ids: frozenset[int]


def networks_of_nobody(law: Rules) -> tuple[Network, ...]:
    """Return the networks that prove no place. Raises UnusableRule when it is no list of networks."""
    value = law.value(NETWORKS_RULE)
    try:
        if not isinstance(value, list):
            raise ValueError
        return tuple(ipaddress.ip_network(str(each)) for each in value)
    except ValueError:
        raise UnusableRule(
            f"rule {NETWORKS_RULE!r} must be a list of networks: {value!r}"
        ) from None


class Places:
    """Whose site an address is, on one day, for a unit's PC."""

    def __init__(self, sites: Sites, nobody: Sequence[Network]) -> None:
        self._sites, self._nobody = sites, nobody
        self._index = SubnetIndex(sites.subnets())

    def place(self, addresses: str, unit_id: int) -> tuple[str, frozenset[int]]:
        """Return HOME, AWAY with the units whose site it is, or UNKNOWN."""
        if self._sites.site_of(unit_id) is None:
            return UNKNOWN, frozenset()
        there: set[int] = set()
        for address in addresses_of(addresses):
            units = self._index.units_at(address)
            if any(self._sites.are_kin(unit, unit_id) for unit in units):
                return HOME, frozenset()
            if not stands_in(address, self._nobody):
                there |= units
        return (AWAY, frozenset(there)) if there else (UNKNOWN, frozenset())


async def load_elsewhere(
    session: Session, window: Window, day: date, known_ms: int, law: Rules
) -> dict[int, Elsewhere]:
    """Return the assets that stood elsewhere on a day of the window at least, as known at a moment."""
    days = sorted(date.fromisoformat(each["day"]) for each in window.days)
    if not days:
        return {}
    span = {"day": day, "first": days[0]}
    if await session.one(_APART, **span) is None:
        return {}
    stays = await session.fetch(_STAYS, **span)
    sources = sorted({row["source_id"] for row in stays})
    booked = await session.fetch(_BOOKED, sources=sources, day=day, known=known_ms)
    trusted = await _trusted(session, sources, window)
    places = Places(await load_sites(session, day, known_ms), networks_of_nobody(law))
    by_source: dict[int, list[Row]] = {}
    for row in stays:
        by_source.setdefault(row["source_id"], []).append(row)
    away: dict[int, dict[date, frozenset[int]]] = {}
    home: dict[int, set[date]] = {}
    for row in booked:
        source, asset = row["source_id"], row["asset_id"]
        judged = [_judge(places, stay, row["unit_id"], day) for stay in by_source[source]]
        for each in trusted.get(source, set()):
            that_day = [stay for stay in judged if stay.first <= each <= stay.last]
            found = {stay.place for stay in that_day}
            if HOME in found:
                home.setdefault(asset, set()).add(each)
            elif found == {AWAY}:
                units = frozenset[int]().union(*(stay.unit_ids for stay in that_day))
                away.setdefault(asset, {})[each] = units
    return _fold(away, home)


def _judge(places: Places, row: Row, unit_id: int, day: date) -> _Stay:
    place, units = places.place(row["addresses"], unit_id)
    last = day if row["last_day"] is None else as_date(row["last_day"])
    return _Stay(as_date(row["first_day"]), last, place, units)


def _fold(
    away: dict[int, dict[date, frozenset[int]]], home: dict[int, set[date]]
) -> dict[int, Elsewhere]:
    found = {}
    for asset, by_day in away.items():
        days = sorted(by_day.keys() - home.get(asset, set()))
        if days:
            units = frozenset[int]().union(*(by_day[each] for each in days))
            found[asset] = Elsewhere(tuple(sorted(units)), tuple(days))
    return found


async def _trusted(
    session: Session, sources: Sequence[int], window: Window
) -> dict[int, set[date]]:
    """Return the days of the window on which each source gave a trusted sign."""
    by_block: dict[int, list[tuple[int, date]]] = {}
    for each in window.days:
        placed = (each["bit"], date.fromisoformat(each["day"]))
        by_block.setdefault(each["block"], []).append(placed)
    rows = await session.fetch(_TRUSTED, sources=sources, first=min(by_block), last=max(by_block))
    found: dict[int, set[date]] = {}
    for row in rows:
        for bit, day in by_block.get(row["block"], ()):
            if row["trusted_days"] & bit:
                found.setdefault(row["source_id"], set()).add(day)
    return found


def contradicting(found: dict[int, Elsewhere], law: Rules) -> list[int]:
    """Return the assets that stood elsewhere long enough to contradict the book."""
    enough = law.whole(DAYS_RULE)
    return sorted(asset for asset, stood in found.items() if len(stood.days) >= enough)


_NAMES = dated(
    "SELECT v.unit_id, v.code, v.name FROM unit_version v"
    " WHERE v.unit_id IN :[units] AND {active v}"
)


async def load_names(
    session: Session, found: Iterable[Elsewhere], day: date, known_ms: int
) -> dict[int, tuple[str, str]]:
    """Return code and name of the sites' units, by id."""
    units = sorted({unit for stood in found for unit in stood.unit_ids})
    rows = await session.fetch(_NAMES, units=units, day=day, known=known_ms)
    return {row["unit_id"]: (row["code"], row["name"]) for row in rows}
