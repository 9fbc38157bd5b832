"""The present sum of what the PCs behind a line without any counter move, each by its busiest adapter.

What it tells, and its days, are in ``pc_history``. No percentile of the line, no share of its contract
and no total is made of it.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Database, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.counters import FASTEST_BITS_PER_SECOND, most_octets
from kiemke.server.domain.scope import load_parents
from kiemke.server.domain.tables import dated

Guard = Callable[[Session], Awaitable[None]]
# Agents post every five minutes; a rate older than two posts says nothing of now.
LONGEST_SECONDS = 660.0

_LINKS = """
SELECT v.link_id, v.unit_id, v.device_id, v.interface_name FROM link_version v
WHERE {active v} AND v.kind <> 'police'
"""
_SHARES = "SELECT h.link_id, h.unit_id FROM link_share h WHERE {active h}"
_SAMPLES = """
SELECT s.id, s.unit_id, n.last_sample_json FROM source s JOIN source_now n ON n.source_id = s.id
WHERE s.kind = 'agent' AND s.state = 'approved' AND s.unit_id IN :[units]
  AND n.last_sample_json IS NOT NULL AND n.last_received_at_ms >= :since
"""
_ADD = """
INSERT INTO link_now (link_id, state, receive_octets_total, transmit_octets_total, verdict,
  reasons_json, changed_at_ms)
VALUES (:link, 'unknown', '0', '0', 'unknown', '[]', 0) ON CONFLICT (link_id) DO NOTHING
"""
_TELL = """
UPDATE link_now SET receive_bits_per_second = :received, transmit_bits_per_second = :sent,
  rate_at_ms = :now, changed_at_ms = :now
WHERE link_id = :link
"""

Counted = dict[str, tuple[int, int]]  # adapter -> octets received and sent


@dataclass(frozen=True, slots=True)
class Rate:
    """What a PC received and sent between two samples, bits per second; the later one's moment."""

    at_ms: int
    received: float
    sent: float


def carriers(
    parents: Mapping[int, int | None],
    users: Mapping[int, set[int]],
    uncounted: Iterable[int],
) -> dict[int, int]:
    """Return unit -> the line without counters that carries its PCs' traffic.

    ``users``: unit -> lines it owns or shares. A unit without any uses those of the unit above it. Where
    there are several, nobody can tell which one carried what.
    """
    wanted = set(uncounted)
    found: dict[int, int] = {}
    for unit in {*parents, *users}:
        at: int | None = unit
        seen: set[int] = set()
        while at is not None and at not in seen and not users.get(at):
            seen.add(at)
            at = parents.get(at)
        lines = users.get(at, set()) if at is not None else set()
        if len(lines) == 1 and lines <= wanted:
            (found[unit],) = lines
    return found


def rate_between(earlier: tuple[int, Counted], later: tuple[int, Counted]) -> Rate | None:
    """Return a PC's rate by its busiest adapter, None when the samples make none."""
    seconds = (later[0] - earlier[0]) / 1000
    if not 0.0 < seconds <= LONGEST_SECONDS:
        return None
    moved = moved_octets(earlier[1], later[1], seconds)
    return None if moved is None else Rate(later[0], moved[0] * 8 / seconds, moved[1] * 8 / seconds)


def moved_octets(earlier: Counted, later: Counted, seconds: float) -> tuple[int, int] | None:
    """Return what a PC's busiest adapter received and sent between two readings, octets.

    One adapter alone: what a tunnel or a bridge moves, the adapter below it moves too. None when no
    adapter was read twice, or one that had counted more than the busiest began anew or jumped further
    than any adapter can in that time (drivers do): its share is lost.
    """
    most = most_octets(FASTEST_BITS_PER_SECOND, seconds)
    moved: list[tuple[int, int, int]] = []
    lost = 0
    for name, now in later.items():
        before = earlier.get(name)
        if before is None:
            continue
        counted = (now[0] - before[0], now[1] - before[1])
        if min(counted) < 0 or max(counted) > most:
            lost = max(lost, sum(before))
        else:
            moved.append((*counted, sum(before)))
    if not moved:
        return None
    received, sent, known = max(moved, key=lambda one: one[0] + one[1])
    return None if lost > known else (received, sent)


def read_sample(text: str) -> tuple[int, Counted] | None:
    """Return a kept sample's moment and adapters, None when it cannot be used."""
    try:
        sample = json.loads(text)
        rows = sample.get("adapters") or ()
        counted = {
            str(row["name"]): (int(row["receive_octets"]), int(row["transmit_octets"]))
            for row in rows
        }
        return int(sample["at_ms"]), counted
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


async def load_carriers(session: Session, day: date, known_ms: int) -> dict[int, int]:
    """Return unit -> the line that carries its PCs' traffic on a day and that no device counts."""
    asked = {"day": day, "known": known_ms}
    links = await session.fetch(dated(_LINKS), **asked)
    uncounted = {
        row["link_id"] for row in links if row["device_id"] is None or row["interface_name"] is None
    }
    if not uncounted:
        return {}
    users: dict[int, set[int]] = defaultdict(set)
    alive = {row["link_id"] for row in links}
    for row in (*links, *await session.fetch(dated(_SHARES), **asked)):
        if row["link_id"] in alive:
            users[row["unit_id"]].add(row["link_id"])
    return carriers(await load_parents(session, day), users, uncounted)


class PcSums:
    """Remembers the samples of PCs behind such lines from turn to turn."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._samples: dict[int, tuple[int, Counted]] = {}
        self._rates: dict[int, Rate] = {}

    async def run(self, now_ms: int, guard: Guard) -> int:
        """Tell lines without counters the present sum of their PCs; returns how many were told."""
        since = now_ms - round(LONGEST_SECONDS * 1000)
        async with self._db.reading() as session:
            installed = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installed is None:
                return 0
            today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
            by_unit = await load_carriers(session, today, now_ms)
            units = sorted(by_unit)
            rows = await session.fetch(_SAMPLES, units=units, since=since) if units else []
        self._take(rows)
        sums: dict[int, tuple[float, float]] = defaultdict(lambda: (0.0, 0.0))
        for row in rows:
            rate = self._rates.get(row["id"])
            if rate is not None and rate.at_ms >= since:
                received, sent = sums[by_unit[row["unit_id"]]]
                sums[by_unit[row["unit_id"]]] = (received + rate.received, sent + rate.sent)
        told = [
            {"link": link, "received": round(received), "sent": round(sent), "now": now_ms}
            for link, (received, sent) in sorted(sums.items())
        ]
        if told:
            async with self._db.transaction() as session:
                await guard(session)
                await session.many(_ADD, [{"link": row["link"]} for row in told])
                await session.many(_TELL, told)
        return len(told)

    def _take(self, rows: list[dict[str, Any]]) -> None:
        """Make rates of samples that are new, and forget PCs that are no longer behind such a line."""
        samples: dict[int, tuple[int, Counted]] = {}
        for row in rows:
            found = read_sample(row["last_sample_json"])
            if found is None:
                continue
            before = self._samples.get(row["id"])
            samples[row["id"]] = found
            if before is not None and found[0] > before[0]:
                rate = rate_between(before, found)
                if rate is None:
                    self._rates.pop(row["id"], None)
                else:
                    self._rates[row["id"]] = rate
        self._samples = samples
        self._rates = {source: rate for source, rate in self._rates.items() if source in samples}
