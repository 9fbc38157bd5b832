"""Lines: their contract on a day, their live state and health."""

import json
from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain.link_hints import hint_of
from kiemke.server.domain.links_now import UPNP
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
    ratio_of,
)
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

NOUN = Both("đường truyền", "link")
DAYS_SHOWN = 31

LISTING = Listing(
    columns="l.id, l.code, v.name, v.kind, v.provider, v.contract_number, v.price_dong, v.payer,"
    " v.down_bits_per_second, v.up_bits_per_second, v.interface_name, w.code AS device,"
    " u.code AS unit_code, u.name AS unit_name, n.state, n.state_at_ms, n.verdict, n.reasons_json,"
    " n.basis, n.receive_bits_per_second, n.transmit_bits_per_second,"
    " n.negotiated_bits_per_second, n.duplex, n.rtt_seconds, n.jitter_seconds, n.loss_ppm,"
    " n.p95_receive_ppm, n.p95_transmit_ppm, n.sample_coverage_ppm, n.availability_ppm,"
    " n.delivered_receive_ppm, n.delivered_transmit_ppm, n.computed_at_ms, n.rate_at_ms,"
    " d.credential AS asked_with, p.outcome,"
    " EXISTS (SELECT 1 FROM interface_now i WHERE i.device_id = v.device_id"
    " AND i.name = v.interface_name) AS has_port,"
    " EXISTS (SELECT 1 FROM probe_target t WHERE t.link_id = l.id AND t.retired_at_ms IS NULL)"
    " AS probes",
    tables="link l JOIN link_version v ON v.link_id = l.id AND {active v}"
    " LEFT JOIN unit_version u ON u.unit_id = v.unit_id AND {active u}"
    " LEFT JOIN device d ON d.id = v.device_id"
    " LEFT JOIN device_version w ON w.device_id = v.device_id AND {active w}"
    " LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id"
    " LEFT JOIN device_now p ON p.device_id = d.id"
    " AND p.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id)"
    " LEFT JOIN link_now n ON n.link_id = l.id",
    key="l.code",
    id="l.id",
    in_units="(v.unit_id IN :[units] OR EXISTS (SELECT 1 FROM link_share h WHERE h.link_id = l.id"
    " AND {active h} AND h.unit_id IN :[units]))",
    search=("v.name", "l.code", "v.provider", "v.contract_number"),
)

_SHARES = """
SELECT h.link_id, u.code, u.name FROM link_share h
JOIN unit_version u ON u.unit_id = h.unit_id AND {active u}
WHERE h.link_id IN :[ids] AND {active h} ORDER BY h.link_id, u.sort_key
"""

_DAYS = """
SELECT x.day, CASE WHEN x.receive_octets IS NULL AND x.receive_gap_octets IS NULL THEN 'probes_only'
    WHEN d.credential = :upnp THEN 'igd' ELSE 'counters' END AS basis,
  s.public_id AS source, x.known_seconds, x.up_seconds, x.receive_octets,
  x.transmit_octets, x.receive_gap_octets, x.transmit_gap_octets
FROM link_day x JOIN source s ON s.id = x.source_id
LEFT JOIN device d ON d.id = (SELECT v.device_id FROM link_version v WHERE v.link_id = x.link_id
  AND v.valid_from <= x.day AND (v.valid_to IS NULL OR v.valid_to > x.day) AND v.voided_at_ms IS NULL
  ORDER BY v.recorded_at_ms DESC, v.id DESC LIMIT 1)
WHERE x.link_id = :link AND x.day <= :day ORDER BY x.day DESC, s.id LIMIT :most
"""

_PCS_DAYS = """
SELECT day, pcs, pcs_expected, counted_seconds, receive_octets, transmit_octets, receive_gap_octets,
  transmit_gap_octets
FROM link_pcs_day WHERE link_id = :link AND day <= :day ORDER BY day DESC LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class Link:
    """A line. Rates are bits per second, ratios 0 to 1 (delivered may pass 1); null is unknown.

    ``basis``: what its load rests on; ``asked_by``: how ``device`` is asked; ``hint``: the cheapest thing
    that would make the figures better.
    """

    id: int
    code: str
    name: str
    unit: UnitRef | None
    kind: str
    provider: str | None
    contract_number: str | None
    price_dong: int | None
    payer: str | None
    device: str | None
    interface_name: str | None
    down_bits_per_second: int | None
    up_bits_per_second: int | None
    state: str
    state_at: str | None
    verdict: str
    reasons: list[Any]
    basis: str | None
    asked_by: str | None
    hint: str | None
    receive_bits_per_second: int | None
    transmit_bits_per_second: int | None
    negotiated_bits_per_second: int | None
    duplex: str | None
    round_trip_seconds: float | None
    jitter_seconds: float | None
    packet_loss_ratio: float | None
    p95_receive_ratio: float | None
    p95_transmit_ratio: float | None
    sample_coverage_ratio: float | None
    availability_ratio: float | None
    delivered_receive_ratio: float | None
    delivered_transmit_ratio: float | None
    computed_at: str | None
    shared_by: list[UnitRef]


@dataclass(frozen=True, slots=True)
class LinkDayView:
    """One local day of a line as one source saw it: seconds and octets (unsigned decimal text).

    ``basis``: what the octets rest on: counters, igd, or probes_only where there are none.
    """

    day: str | None
    basis: str
    source: str
    known_seconds: int
    up_seconds: int
    receive_octets: str | None
    transmit_octets: str | None
    receive_gap_octets: str | None
    transmit_gap_octets: str | None


@dataclass(frozen=True, slots=True)
class PcsDayView:
    """One local day of the PCs behind a line that no device counts: a sum of PCs, no figure of the line.

    What PCs say to each other is in the octets, what phones and PCs without an agent drew is not.
    ``pcs`` of ``pcs_expected`` told something, ``counted_seconds`` of the day at least one did; gap
    octets have no time of their own and are not in the others. ``basis`` is always pcs_lower_bound.
    """

    day: str | None
    basis: str
    pcs: int
    pcs_expected: int
    counted_seconds: int
    receive_octets: str | None
    transmit_octets: str | None
    receive_gap_octets: str | None
    transmit_gap_octets: str | None


@dataclass(frozen=True, slots=True)
class LinkWhole(Link):
    """A line with its last days, newest first, and apart from them those of its PCs' sum."""

    days: list[LinkDayView]
    pcs_days: list[PcsDayView]


@get("/api/v1/links", opt={"role": "viewer"}, tags=["links"])
async def list_links(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Link]:
    """List lines by code."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked)
    shares = await _load_shares(services, [row["id"] for row in rows], asked.moment)
    links = [Link(**_values(row, shares.get(row["id"], []))) for row in rows]
    return Page(links, total, cursor)


@get("/api/v1/links/{ref:str}", opt={"role": "viewer"}, tags=["links"])
async def get_link(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> LinkWhole:
    """Return one line by code, contract number or id, with its last days."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=("l.code", "v.contract_number"),
        moment=moment,
        units=units,
    )
    shares = await _load_shares(services, [row["id"]], moment)
    asked = {"link": row["id"], "day": moment.day, "most": DAYS_SHOWN}
    days = await services.db.read(_DAYS, **asked, upnp=UPNP)
    sums = await services.db.read(_PCS_DAYS, **asked)
    return LinkWhole(
        **_values(row, shares.get(row["id"], [])),
        days=[LinkDayView(**{**day, "day": day_text(day["day"])}) for day in days],
        pcs_days=[
            PcsDayView(**{**day, "day": day_text(day["day"]), "basis": "pcs_lower_bound"})
            for day in sums
        ],
    )


async def _load_shares(
    services: Services, ids: list[int], moment: Moment
) -> dict[int, list[UnitRef]]:
    found: dict[int, list[UnitRef]] = {}
    for row in await services.db.read(
        dated(_SHARES), ids=ids, day=moment.day, known=moment.known_ms
    ):
        found.setdefault(row["link_id"], []).append(UnitRef(row["code"], row["name"]))
    return found


_PLAIN = (
    "id", "code", "name", "kind", "provider", "contract_number", "price_dong", "payer", "device",
    "interface_name", "down_bits_per_second", "up_bits_per_second", "basis",
    "receive_bits_per_second", "transmit_bits_per_second", "negotiated_bits_per_second", "duplex",
    "jitter_seconds",
)  # fmt: skip


def asked_by(row: Row) -> str | None:
    """Return how the device that carries the line is asked: "upnp" or "snmp"; None without a device."""
    if row["device"] is None:
        return None
    return UPNP if row["asked_with"] == UPNP else "snmp"


def _values(row: Row, shares: list[UnitRef]) -> Row:
    reasons = json.loads(row["reasons_json"]) if row["reasons_json"] else []
    return {
        **{name: row[name] for name in _PLAIN},
        "unit": UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        "asked_by": asked_by(row),
        "hint": hint_of(row),
        "state": row["state"] or "unknown",
        "state_at": rfc3339(row["state_at_ms"]),
        "verdict": row["verdict"] or "unknown",
        "reasons": reasons if isinstance(reasons, list) else [],
        "round_trip_seconds": row["rtt_seconds"],
        "packet_loss_ratio": ratio_of(row["loss_ppm"]),
        "p95_receive_ratio": ratio_of(row["p95_receive_ppm"]),
        "p95_transmit_ratio": ratio_of(row["p95_transmit_ppm"]),
        "sample_coverage_ratio": ratio_of(row["sample_coverage_ppm"]),
        "availability_ratio": ratio_of(row["availability_ppm"]),
        "delivered_receive_ratio": ratio_of(row["delivered_receive_ppm"]),
        "delivered_transmit_ratio": ratio_of(row["delivered_transmit_ppm"]),
        "computed_at": rfc3339(row["computed_at_ms"]),
        "shared_by": shares,
    }


HANDLERS = (list_links, get_link)
