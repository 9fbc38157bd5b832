"""What PCs moved since their sample before, by slots, where their unit's line is counted by no device.

An interval is what lies between two samples of one run in one boot without suspend: the sample says how
much time it covers, and the one before must have been made when that began. Else nothing is known of
the time between, and nothing is written.
"""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from kiemke.server.daypack import LinkSlots
from kiemke.server.db import as_date
from kiemke.server.domain.counters import LONGEST_RATED_SECONDS
from kiemke.server.domain.pc_sums import Counted, moved_octets, read_sample
from kiemke.server.ingest.context import Applying, Item

_EPOCH = date(1970, 1, 1)
# Arrival times of posts differ by this; a sample that is lacking leaves a longer gap.
_SLACK_MS = 5_000
# Adapters whose traffic another adapter of the PC carries, or that leads to no other machine.
_INNER_KINDS = ("vpn", "virtual", "loopback")

_PCS = """
SELECT s.id, s.unit_id, n.last_sample_json, x.rows_json AS adapters
FROM source s JOIN pc_traffic_unit w ON w.unit_id = s.unit_id
JOIN source_now n ON n.source_id = s.id
LEFT JOIN source_section x ON x.source_id = s.id AND x.section = 'adapters'
WHERE s.id IN :[sources] AND s.kind = 'agent'
"""
_DAYS = """
SELECT source_id, day, packed, receive_gap_octets, transmit_gap_octets FROM pc_traffic_day
WHERE source_id IN :[sources] AND day BETWEEN :first AND :last
"""
_SAVE = """
INSERT INTO pc_traffic_day (source_id, unit_id, day, packed, receive_gap_octets,
  transmit_gap_octets, changed_at_ms)
VALUES (:source, :unit, :day, :packed, :gap_in, :gap_out, :now)
ON CONFLICT (source_id, day) DO UPDATE SET unit_id = excluded.unit_id, packed = excluded.packed,
  receive_gap_octets = excluded.receive_gap_octets,
  transmit_gap_octets = excluded.transmit_gap_octets, changed_at_ms = excluded.changed_at_ms
"""


@dataclass(slots=True)
class _Day:
    slots: LinkSlots = field(default_factory=LinkSlots)
    gap_in: int = 0
    gap_out: int = 0


@dataclass(slots=True)
class _Pc:
    unit_id: int
    before: tuple[int, Counted] | None
    inner: frozenset[str]


async def record(applying: Applying, items: list[Item]) -> None:
    """Add the intervals that these samples end to the days of their PCs; most groups have none."""
    session = applying.session
    sources = sorted({item.source_id for item in items})
    pcs = {
        row["id"]: _Pc(row["unit_id"], _read(row["last_sample_json"]), _inner(row["adapters"]))
        for row in await session.fetch(_PCS, sources=sources)
    }
    if not pcs:
        return
    found = [
        (item, middle_ms, seconds, octets)
        for item in items
        if (pc := pcs.get(item.source_id)) is not None
        and (interval := _interval(pc, item)) is not None
        for middle_ms, seconds, octets in (interval,)
    ]
    if not found:
        return
    numbers = [applying.slot_of(middle)[0] for _, middle, _, _ in found]
    days = await _load(applying, sorted(pcs), min(numbers), max(numbers))
    touched = set()
    for item, middle, seconds, (received, sent) in found:
        number, slot = applying.slot_of(middle)
        day = days.setdefault((item.source_id, number), _Day())
        touched.add((item.source_id, number))
        if seconds <= LONGEST_RATED_SECONDS:
            day.slots.add_traffic(slot, received, sent, seconds)
        else:
            day.gap_in += received
            day.gap_out += sent
    now_ms = items[-1].batch.received_at_ms
    await session.many(
        _SAVE, [_values(key, pcs[key[0]].unit_id, days[key], now_ms) for key in sorted(touched)]
    )


def _interval(pc: _Pc, item: Item) -> tuple[int, float, tuple[int, int]] | None:
    """Return the middle, seconds and octets of what a sample ends, and remember the sample."""
    body, at_ms = item.report.body, item.report.at_ms
    before = pc.before
    counted: Counted = {
        one.name: (one.receive_octets, one.transmit_octets)
        for one in body.adapters
        if one.name not in pc.inner
    }
    pc.before = (at_ms, counted)
    seconds = body.covered_seconds
    if before is None or seconds <= 0.0:
        return None
    if abs(at_ms - before[0] - seconds * 1000) > max(_SLACK_MS, seconds * 100):
        return None
    octets = moved_octets(before[1], counted, seconds)
    return None if octets is None else (at_ms - round(seconds * 500), seconds, octets)


async def _load(
    applying: Applying, sources: list[int], first: int, last: int
) -> dict[tuple[int, int], _Day]:
    rows = await applying.session.fetch(
        _DAYS,
        sources=sources,
        first=_EPOCH + timedelta(days=first),
        last=_EPOCH + timedelta(days=last),
    )
    return {
        (row["source_id"], (as_date(row["day"]) - _EPOCH).days): _Day(
            LinkSlots.unpack(row["packed"]),
            int(row["receive_gap_octets"] or 0),
            int(row["transmit_gap_octets"] or 0),
        )
        for row in rows
    }


def _values(key: tuple[int, int], unit: int, day: _Day, now_ms: int) -> dict[str, Any]:
    has_gap = day.gap_in > 0 or day.gap_out > 0
    return {
        "source": key[0],
        "unit": unit,
        "day": _EPOCH + timedelta(days=key[1]),
        "packed": day.slots.pack(compress=True),
        "gap_in": str(day.gap_in) if has_gap else None,
        "gap_out": str(day.gap_out) if has_gap else None,
        "now": now_ms,
    }


def _read(text: str | None) -> tuple[int, Counted] | None:
    return None if text is None else read_sample(text)


def _inner(text: str | None) -> frozenset[str]:
    """Return the adapters whose traffic another one carries, by the PC's own inventory."""
    try:
        rows = json.loads(text or "[]")
        return frozenset(str(row["name"]) for row in rows if row.get("kind") in _INNER_KINDS)
    except (ValueError, KeyError, TypeError, AttributeError):
        return frozenset()
