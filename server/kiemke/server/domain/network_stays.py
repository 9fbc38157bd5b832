"""Where a source stands: the addresses its adapters have, kept as dated stays, and whose subnets they are.

An IPv4 address is kept whole, an IPv6 one as its /64 (the rest changes by itself). Adapters with a
gateway speak for the PC; without one all that are really plugged in do.
"""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.wire.reach import Address, Network, is_never, plain

SECTION = "adapters"
# What a tunnel or a virtual machine gives tells nothing of the place.
_NOWHERE = frozenset(("vpn", "virtual", "loopback", "bluetooth", "mobile"))
MAX_CHARACTERS = 400


@dataclass(frozen=True, slots=True)
class Seen:
    """What one inventory said of a source on a day; ``addresses`` as ``read_addresses`` gives them."""

    source_id: int
    day: date
    addresses: str


def read_addresses(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the addresses of an inventory's adapters, sorted, by spaces; "" when none tells a place."""
    real = [
        row for row in rows if row.get("kind") not in _NOWHERE and row.get("is_up") is not False
    ]
    leading = [row for row in real if row.get("gateways")] or real
    kept = {
        text
        for row in leading
        for address in row.get("addresses") or ()
        if (text := _kept(str(address)))
    }
    chosen = ""
    for text in sorted(kept):
        if len(chosen) + len(text) < MAX_CHARACTERS:
            chosen = f"{chosen} {text}".strip()
    return chosen


def _kept(text: str) -> str | None:
    try:
        address = plain(ipaddress.ip_address(text))
    except ValueError:
        return None
    if is_never(address) or address.is_loopback:
        return None
    if address.version == 6:
        return str(ipaddress.ip_network((address, 64), strict=False)[0])
    return str(address)


_OPEN = (
    "SELECT id, source_id, addresses, first_day FROM network_stay"
    " WHERE source_id IN :[sources] AND last_day IS NULL ORDER BY id"
)
_CLOSE = "UPDATE network_stay SET last_day = :day WHERE id = :id"
_BEGIN = (
    "INSERT INTO network_stay (source_id, addresses, first_day, last_day, apart)"
    " VALUES (:source, :addresses, :first, NULL, :apart)"
    " RETURNING id, source_id, addresses, first_day"
)


async def placed(session: Session, sources: Iterable[int]) -> set[int]:
    """Return those of the sources of which it is known where they stand, or that nothing is known."""
    rows = await session.fetch(_OPEN, sources=sorted(set(sources)))
    return {row["source_id"] for row in rows}


async def record(session: Session, told: Sequence[Seen]) -> None:
    """Write what changed; the caller holds the sources' locks and tells of each in order of time."""
    open_rows = {
        row["source_id"]: row
        for row in await session.fetch(_OPEN, sources=sorted({seen.source_id for seen in told}))
    }
    for seen in told:
        before = open_rows.get(seen.source_id)
        if before is not None:
            if before["addresses"] == seen.addresses:
                continue
            last = max(seen.day, as_date(before["first_day"]))
            await session.execute(_CLOSE, id=before["id"], day=last)
        rows = await session.fetch(
            _BEGIN, source=seen.source_id, addresses=seen.addresses, first=seen.day, apart=False
        )
        open_rows[seen.source_id] = rows[0]


class SubnetIndex:
    """Which units a subnet is registered for, looked up by address."""

    def __init__(self, rows: Iterable[tuple[int, Network]]) -> None:
        self._units: dict[tuple[int, int], dict[int, set[int]]] = {}
        for unit_id, net in rows:
            by_start = self._units.setdefault((net.version, net.prefixlen), {})
            by_start.setdefault(int(net.network_address), set()).add(unit_id)

    def units_at(self, address: Address) -> set[int]:
        """Return the units whose subnets hold the address."""
        found: set[int] = set()
        for (version, length), by_start in self._units.items():
            if version == address.version:
                hidden = address.max_prefixlen - length
                found |= by_start.get(int(address) >> hidden << hidden, set())
        return found


def addresses_of(text: str) -> list[Address]:
    """Return what ``addresses`` of a stay holds."""
    return [ipaddress.ip_address(each) for each in text.split()]
