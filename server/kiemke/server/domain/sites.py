"""The registered subnets of units: where collectors may look, and where never.

A unit's devices stand in the subnets of the unit and of the units above it. A row that denies holds for
its unit, for all below, and for all above: who looks at a commune from the district must not look at what
the commune says is the police's.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.refusal import refused
from kiemke.server.domain.reorganise_rows import add_dated, reopen
from kiemke.server.domain.tables import dated
from kiemke.wire.reach import Network, Reach, is_never

# A registered subnet is an office's, not a continent's.
WIDEST_IPV4, WIDEST_IPV6 = 8, 32
GATEWAY = "gateway"

_ROWS = dated(
    "SELECT s.unit_id, s.authority_id, s.subnet, s.deny FROM site_subnet s WHERE {active s}"
)
_PARENTS = dated("SELECT v.unit_id, v.parent_id FROM unit_version v WHERE {active v}")


@dataclass(frozen=True, slots=True)
class SubnetState:
    """A subnet of a unit as a row says it."""

    unit_id: int
    place_id: int | None
    authority_id: int | None
    subnet: str
    deny: bool
    note: str | None


def read_subnet(text: str, *, deny: bool, loopback: bool) -> str:
    """Return a subnet in CIDR form. Raises Refused: no subnet, too wide, or of addresses never used.

    ``loopback`` says that it is meant to be this machine itself, which only a test wants.
    """
    try:
        net = ipaddress.ip_network(text.strip())
    except ValueError:
        raise refused(
            f"{text[:60]} không phải mạng con dạng CIDR.",
            f"{text[:60]} is not a subnet in CIDR form.",
            "Viết như 10.5.9.0/24, phần sau dấu gạch là số bit mạng, các bit máy bằng 0.",
            "Write it like 10.5.9.0/24, with the host bits zero.",
        ) from None
    if not deny:
        _demand_office(net, loopback)
    return str(net)


def _demand_office(net: Network, loopback: bool) -> None:
    if net.is_loopback and not loopback:
        raise refused(
            f"{net} là chính máy đang chạy.",
            f"{net} is the machine itself.",
            "Chỉ khi thử nghiệm: thêm --loopback.",
            "In a test only: add --loopback.",
        )
    widest = WIDEST_IPV4 if net.version == 4 else WIDEST_IPV6
    if net.prefixlen < widest:
        raise refused(
            f"{net} quá rộng cho một nơi làm việc.",
            f"{net} is too wide for an office.",
            f"Dùng /{widest} trở lên.",
            f"Use /{widest} or narrower.",
        )
    if is_never(net[0]) or is_never(net[-1]):
        raise refused(
            f"{net} gồm địa chỉ không bao giờ thuộc một thiết bị.",
            f"{net} holds addresses that no device has.",
            "Không đăng ký địa chỉ link-local, multicast hoặc dành riêng.",
            "Leave link-local, multicast and reserved addresses out.",
        )


async def check(session: Session, state: SubnetState, day: date) -> None:
    """Refuse a row that stands there already on the day or later."""
    same = await session.one(
        "SELECT id FROM site_subnet WHERE unit_id = :unit AND subnet = :subnet"
        " AND voided_at_ms IS NULL AND (valid_to IS NULL OR valid_to > :day)",
        unit=state.unit_id,
        subnet=state.subnet,
        day=day,
    )
    if same is not None:
        raise refused(
            f"Mạng con {state.subnet} của đơn vị này đã đăng ký.",
            f"The subnet {state.subnet} of this unit is registered already.",
            "Xem kiemke site subnet list; bỏ dòng cũ trước khi đổi.",
            "See kiemke site subnet list; remove that row before you change it.",
        )


async def add(session: Session, state: SubnetState, day: date, *, paper: str, by: By) -> None:
    """Register a subnet from the day on."""
    values = {
        "unit_id": state.unit_id,
        "place_id": state.place_id,
        "authority_id": state.authority_id,
        "subnet": state.subnet,
        "deny": state.deny,
        "note": state.note,
        "valid_from": day,
        "valid_to": None,
        "instrument": paper,
        "recorded_at_ms": by.now_ms,
        "recorded_by": by.who,
    }
    await add_dated(session, "site_subnet", values)


async def end(session: Session, row: Mapping[str, Any], day: date, *, paper: str, by: By) -> None:
    """End a row on the day."""
    await reopen(
        session, "site_subnet", row, day, None, instrument=paper, who=by.who, now_ms=by.now_ms
    )


class Sites:
    """The subnets of every unit on one day."""

    def __init__(self, rows: list[Row], parents: Mapping[int, int | None]) -> None:
        self._parents = parents
        self._allow: dict[int, list[tuple[Network, int | None]]] = {}
        self._deny: dict[int, list[Network]] = {}
        below: dict[int, list[Network]] = {}
        for row in rows:
            net = ipaddress.ip_network(row["subnet"])
            if row["deny"]:
                self._deny.setdefault(row["unit_id"], []).append(net)
                for unit in self.above(row["unit_id"])[1:]:
                    below.setdefault(unit, []).append(net)
            else:
                pair = (net, row["authority_id"])
                self._allow.setdefault(row["unit_id"], []).append(pair)
        self._below = below

    def above(self, unit_id: int) -> list[int]:
        """Return a unit and the units above it, nearest first."""
        found: list[int] = []
        at: int | None = unit_id
        while at is not None and at not in found:
            found.append(at)
            at = self._parents.get(at)
        return found

    def subnets(self) -> list[tuple[int, Network]]:
        """Return the own subnets of each unit that is there, denied ones left out."""
        return [
            (unit, net)
            for unit, nets in self._allow.items()
            if unit in self._parents
            for net, _ in nets
        ]

    def units(self) -> list[int]:
        """Return every unit of the day."""
        return list(self._parents)

    def are_kin(self, one: int, other: int) -> bool:
        """Return whether a unit is the other one, above it or below it."""
        return one in self.above(other) or other in self.above(one)

    def site_of(self, unit_id: int) -> int | None:
        """Return the nearest unit, at or above, that has subnets: the site. None: no site yet."""
        return next((unit for unit in self.above(unit_id) if unit in self._allow), None)

    def own(self, unit_id: int) -> tuple[Network, ...]:
        """Return the subnets registered for this very unit."""
        return tuple(dict.fromkeys(net for net, _ in self._allow.get(unit_id, ())))

    def all_own(self) -> Iterator[tuple[int, Network]]:
        """Yield (unit, subnet) of every registered subnet."""
        for unit, pairs in self._allow.items():
            for net, _ in pairs:
                yield unit, net

    def reach(
        self, unit_id: int, purpose: str | None = None, *, secret_of: int | None = None
    ) -> Reach:
        """Return where a unit's devices may stand; with ``purpose``, its lines' probe targets.

        With ``secret_of``, only what was registered by who answers for that unit too: there, and
        nowhere else, may a secret of it be sent.
        """
        line = self.above(unit_id)
        judges = {None, *self.above(secret_of)} if secret_of is not None else None
        allow = [
            net
            for unit in line
            for net, authority in self._allow.get(unit, ())
            if judges is None or authority in judges
        ]
        deny = [net for unit in line for net in self._deny.get(unit, ())]
        deny += self._below.get(unit_id, [])
        return Reach(
            tuple(dict.fromkeys(allow)) or None,
            tuple(dict.fromkeys(deny)),
            beyond=purpose is not None and purpose != GATEWAY,
        )


async def load_sites(session: Session, day: date, now_ms: int) -> Sites:
    """Return the registered subnets and the tree of the day."""
    rows = await session.fetch(_ROWS, day=day, known=now_ms)
    parents = await session.fetch(_PARENTS, day=day, known=now_ms)
    return Sites(rows, {row["unit_id"]: row["parent_id"] for row in parents})


async def devices_outside(session: Session, sites: Sites) -> list[Row]:
    """Return the devices (id, code, unit_id, address) that stand where their site allows none, by code."""
    rows = await session.fetch(
        "SELECT id, code, unit_id, address FROM device WHERE retired_at_ms IS NULL"
        " AND address IS NOT NULL ORDER BY code"
    )
    return [row for row in rows if sites.reach(row["unit_id"]).why_not(row["address"]) is not None]
