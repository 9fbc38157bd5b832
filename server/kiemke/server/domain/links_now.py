"""Reads the days of the lines, judges them, and keeps the verdicts in ``link_now``."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kiemke.server.daypack import SLOT_SECONDS, SLOTS, DaypackError, LinkSlots
from kiemke.server.db import Database, Row, Session, as_date
from kiemke.server.domain import rules
from kiemke.server.domain.links import (
    Contract,
    Health,
    Live,
    Seen,
    add_availability,
    add_day,
    judge,
    whole_day,
)

Guard = Callable[[Session], Awaitable[None]]

UPNP = "upnp"  # the credential of devices that are asked by UPnP-IGD
_EPOCH = date(1970, 1, 1)
_PAGE_LINKS = 50
# A verdict is looked at again after this time even when no report of the line came.
_STALE_MS = 900_000

_LINKS = """
SELECT l.id, v.kind, v.valid_from, v.down_bits_per_second, v.up_bits_per_second, d.collector_id,
  d.credential AS asked_with, n.rate_at_ms,
  v.device_id IS NOT NULL AND v.interface_name IS NOT NULL AS has_port,
  n.state, n.state_at_ms, n.negotiated_bits_per_second, n.duplex, n.verdict, n.reasons_json, n.basis,
  n.p95_receive_ppm, n.p95_transmit_ppm, n.sample_coverage_ppm, n.availability_ppm,
  n.availability_coverage_ppm, n.delivered_receive_ppm, n.delivered_transmit_ppm
FROM link l
JOIN link_version v ON v.link_id = l.id
LEFT JOIN device d ON d.id = v.device_id
LEFT JOIN link_now n ON n.link_id = l.id
WHERE v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)
  AND v.recorded_at_ms <= :known AND (v.voided_at_ms IS NULL OR v.voided_at_ms > :known)
  AND (CAST(:only AS BIGINT) IS NOT NULL AND l.id = :only
    OR CAST(:only AS BIGINT) IS NULL
      AND (n.computed_at_ms IS NULL OR n.changed_at_ms > n.computed_at_ms
           OR n.computed_at_ms <= :stale
           OR n.verdict <> 'unknown' AND (n.state_at_ms IS NULL OR n.state_at_ms < :fresh)))
ORDER BY l.id, v.recorded_at_ms DESC, v.id DESC
"""

_DAYS = """
SELECT link_id, source_id, day, packed, known_seconds, up_seconds FROM link_day
WHERE link_id IN :[links] AND day >= :first AND day <= :last
"""

_PROBE_COLLECTORS = """
SELECT link_id, collector_id FROM probe_target
WHERE link_id IN :[links] AND collector_id IS NOT NULL AND retired_at_ms IS NULL ORDER BY id
"""

_SAVE = """
INSERT INTO link_now (link_id, state, receive_octets_total, transmit_octets_total, verdict,
  reasons_json, basis, p95_receive_ppm, p95_transmit_ppm, sample_coverage_ppm, availability_ppm,
  availability_coverage_ppm, delivered_receive_ppm, delivered_transmit_ppm, computed_at_ms,
  changed_at_ms)
VALUES (:link_id, 'unknown', '0', '0', :verdict, :reasons_json, :basis, :p95_receive_ppm,
  :p95_transmit_ppm, :sample_coverage_ppm, :availability_ppm, :availability_coverage_ppm,
  :delivered_receive_ppm, :delivered_transmit_ppm, :computed_at_ms, :computed_at_ms)
ON CONFLICT (link_id) DO UPDATE SET verdict = excluded.verdict,
  reasons_json = excluded.reasons_json, basis = excluded.basis,
  p95_receive_ppm = excluded.p95_receive_ppm, p95_transmit_ppm = excluded.p95_transmit_ppm,
  sample_coverage_ppm = excluded.sample_coverage_ppm,
  availability_ppm = excluded.availability_ppm,
  availability_coverage_ppm = excluded.availability_coverage_ppm,
  delivered_receive_ppm = excluded.delivered_receive_ppm,
  delivered_transmit_ppm = excluded.delivered_transmit_ppm,
  computed_at_ms = excluded.computed_at_ms, changed_at_ms = excluded.changed_at_ms
"""

_LOCK = "SELECT 1 FROM link_now WHERE link_id IN :[ids] ORDER BY link_id FOR UPDATE"

_TOUCH = "UPDATE link_now SET computed_at_ms = :now WHERE link_id = :link_id"

_FIGURES = (
    "verdict", "reasons_json", "basis", "p95_receive_ppm", "p95_transmit_ppm",
    "sample_coverage_ppm", "availability_ppm", "availability_coverage_ppm",
    "delivered_receive_ppm", "delivered_transmit_ppm",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """The slots looked at, as absolute local slot numbers: ``end`` is the first one not over yet."""

    end: int
    traffic_slots: int
    availability_slots: int

    @property
    def first_day(self) -> int:
        """The oldest day any window touches, in days since 1970-01-01."""
        return (self.end - max(self.traffic_slots, self.availability_slots)) // SLOTS


def _window(now_ms: int, offset_seconds: int, law: rules.Rules) -> Window:
    return Window(
        end=(now_ms // 1000 + offset_seconds) // SLOT_SECONDS,
        traffic_slots=law.whole("link_utilization_days") * SLOTS,
        availability_slots=law.whole("link_availability_days") * SLOTS,
    )


def _day_number(day: date | str) -> int:
    return (as_date(day) - _EPOCH).days


def gather(rows: list[Row], order: list[int], window: Window, since: int) -> Seen:
    """Merge the day rows of one line into what was seen of it.

    ``order`` lists sources by precedence; others follow by id. ``since`` is the first slot of the
    line's contract: what lies before is no gap. A day that cannot be unpacked is left unknown.
    """
    by_day: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        by_day[_day_number(row["day"])].append(row)
    rank = {source: place for place, source in enumerate(reversed(order), 1)}
    seen = Seen()
    for day in range(window.first_day, window.end // SLOTS + 1):
        observers = sorted(
            by_day.get(day, []), key=lambda r: (-rank.get(r["source_id"], 0), r["source_id"])
        )
        traffic = _bounds(day, max(window.end - window.traffic_slots, since), window.end)
        looks = _bounds(day, max(window.end - window.availability_slots, since), window.end)
        if traffic is None and looks == (0, SLOTS) and len(observers) == 1:
            whole_day(seen, observers[0]["known_seconds"], observers[0]["up_seconds"])
            continue
        slots = [unpacked for row in observers if (unpacked := _unpack(row["packed"])) is not None]
        if traffic is not None:
            add_day(seen, slots, *traffic)
        if looks is not None:
            add_availability(seen, slots, *looks)
    return seen


def _bounds(day: int, first: int, end: int) -> tuple[int, int] | None:
    low, high = max(first - day * SLOTS, 0), min(end - day * SLOTS, SLOTS)
    return (low, high) if low < high else None


def _unpack(packed: bytes) -> LinkSlots | None:
    try:
        return LinkSlots.unpack(packed)
    except DaypackError:
        return None


def _ppm(ratio: float | None) -> int | None:
    """Return millionths rounded down, so that 1,000,000 is said only of all."""
    return None if ratio is None else int(ratio * 1_000_000 + 1e-6)


def figures(health: Health) -> dict[str, Any]:
    """Return the columns of ``link_now`` that hold a line's health."""
    return {
        "verdict": health.verdict,
        "reasons_json": json.dumps([asdict(reason) for reason in health.reasons]),
        "basis": health.basis,
        "p95_receive_ppm": _ppm(health.p95_ratio["receive"]),
        "p95_transmit_ppm": _ppm(health.p95_ratio["transmit"]),
        "sample_coverage_ppm": _ppm(health.sample_coverage_ratio),
        "availability_ppm": _ppm(health.availability_ratio),
        "availability_coverage_ppm": _ppm(health.availability_coverage_ratio),
        "delivered_receive_ppm": _ppm(health.delivered_ratio["receive"]),
        "delivered_transmit_ppm": _ppm(health.delivered_ratio["transmit"]),
    }


async def _judge_page(
    session: Session, links: list[Row], window: Window, law: rules.Rules, fresh_since_ms: int
) -> list[tuple[Row, Health]]:
    ids = [row["id"] for row in links]
    last = _EPOCH + timedelta(days=window.end // SLOTS)
    first = _EPOCH + timedelta(days=window.first_day)
    days: dict[int, list[Row]] = defaultdict(list)
    for row in await session.fetch(_DAYS, links=ids, first=first, last=last):
        days[row["link_id"]].append(row)
    probers: dict[int, list[int]] = defaultdict(list)
    for row in await session.fetch(_PROBE_COLLECTORS, links=ids):
        probers[row["link_id"]].append(row["collector_id"])

    def judge_all() -> list[tuple[Row, Health]]:
        return [
            (link, _judge(link, days[link["id"]], probers[link["id"]], window, law, fresh_since_ms))
            for link in links
        ]

    return await asyncio.to_thread(judge_all)


def _judge(
    link: Row, days: list[Row], probers: list[int], window: Window, law: rules.Rules, fresh: int
) -> Health:
    order = [link["collector_id"]] if link["collector_id"] is not None else []
    since = _day_number(link["valid_from"]) * SLOTS
    live = Live(
        state=link["state"] or "unknown",
        is_fresh=link["state_at_ms"] is not None and link["state_at_ms"] >= fresh,
        negotiated_bits_per_second=link["negotiated_bits_per_second"],
        duplex=link["duplex"],
    )
    contract = Contract(link["kind"], link["down_bits_per_second"], link["up_bits_per_second"])
    seen = gather(days, [*order, *probers], window, since)
    health = judge(contract, live, seen, law, f"link:{link['id']}")
    return replace(health, basis=basis_of(health.basis, link, fresh))


def basis_of(found: str | None, link: Row, fresh_since_ms: int) -> str | None:
    """Return what a line's figures rest on, given what its days hold.

    Counters a modem gave by UPnP are its own report; a live rate of a line without a port is the sum of
    PCs. One with a port is counted from its first rate on, before a day of it holds a whole slot.
    """
    has_rate = link["rate_at_ms"] is not None and link["rate_at_ms"] >= fresh_since_ms
    if found == "counters" or has_rate and link["has_port"]:
        return "igd" if link["asked_with"] == UPNP else "counters"
    return "pcs_lower_bound" if has_rate else found


async def _read(
    session: Session, now_ms: int, fresh_ms: int, only: int | None
) -> tuple[list[Row], Window, rules.Rules] | None:
    installation = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
    if installation is None:
        return None
    offset = installation["utc_offset_seconds"]
    day = datetime.fromtimestamp(now_ms / 1000 + offset, UTC).date()
    law = await rules.load(session, day, now_ms)
    rows = await session.fetch(
        _LINKS, day=day, known=now_ms, only=only, stale=now_ms - _STALE_MS, fresh=fresh_ms
    )
    newest = {row["id"]: row for row in reversed(rows)}  # were two versions valid, the later one
    links = [newest[link] for link in sorted(newest)]
    return links, _window(now_ms, offset, law), law


async def explain(
    session: Session, link_id: int, now_ms: int, poll_seconds: float
) -> Health | None:
    """Return one line's health as of now, with its reasons; None when there is no such line."""
    fresh = now_ms - round(3000 * poll_seconds)
    found = await _read(session, now_ms, fresh, link_id)
    if found is None or not found[0]:
        return None
    links, window, law = found
    return (await _judge_page(session, links, window, law, fresh))[0][1]


async def refresh_now(
    db: Database, now_ms: int, poll_seconds: float, guard: Guard | None = None
) -> int:
    """Judge the lines that something came of, and the long unlooked; return how many changed.

    ``guard`` runs first in each writing transaction and raises when this process may not write.
    """
    fresh = now_ms - round(3000 * poll_seconds)
    async with db.reading() as session:
        found = await _read(session, now_ms, fresh, None)
    if found is None:
        return 0
    links, window, law = found
    changed = 0
    for start in range(0, len(links), _PAGE_LINKS):
        page = links[start : start + _PAGE_LINKS]
        async with db.reading() as session:
            judged = await _judge_page(session, page, window, law, fresh)
        rows = [
            {"link_id": link["id"], **values, "computed_at_ms": now_ms}
            for link, health in judged
            if (values := figures(health)) != {name: link[name] for name in _FIGURES}
        ]
        moved = {row["link_id"] for row in rows}
        same = [{"link_id": r["id"], "now": now_ms} for r, _ in judged if r["id"] not in moved]
        async with db.transaction() as session:
            if guard is not None:
                await guard(session)
            if session.dialect == "postgres":  # in one order, as ingest locks them
                await session.execute(_LOCK, ids=sorted(link["id"] for link in page))
            await session.many(_SAVE, rows)
            await session.many(_TOUCH, same)
        changed += len(rows)
    return changed
