"""The days of lines that no device counts, as the sum of what their PCs' busiest adapters moved.

What the sum tells of the line: nothing from below and nothing from above. What PCs say to each other, to
a printer or a NAS is in it and never passed the line; what phones, guests and PCs without an agent drew
is not in it. It is at least what the watched PCs themselves drew from the line, since all of that passed
an adapter (where a PC uses two at once, the busier one counts). So it has a table of its own and is never
added to, compared with or drawn as the counters of a line.

Days are made anew from ``pc_traffic_day`` when something of them came, late too, and all kept days once
a day: whoever was approved or set aside since is in or out of them then.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from kiemke.server.daypack import SLOT_SECONDS, SLOTS, UNKNOWN_U16, DaypackError, LinkSlots
from kiemke.server.db import Database, Row, as_date
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.pc_sums import Guard, load_carriers

# A group commits this long after the moment its rows tell, at most.
_LATE_COMMIT_MS = 600_000
DAY_MS = 86_400_000

_CHANGED_DAYS = "SELECT DISTINCT day FROM pc_traffic_day WHERE changed_at_ms >= :since ORDER BY day"
_NEWEST = "SELECT MAX(changed_at_ms) AS newest FROM pc_traffic_day"
_ROWS = """
SELECT x.source_id, x.unit_id, x.packed, x.receive_gap_octets, x.transmit_gap_octets
FROM pc_traffic_day x JOIN source s ON s.id = x.source_id
WHERE x.day = :day AND s.state = 'approved' ORDER BY x.source_id
"""
_EXPECTED = """
SELECT unit_id, COUNT(*) AS pcs FROM source
WHERE kind = 'agent' AND state = 'approved' AND created_at_ms < :end GROUP BY unit_id
"""
_KEPT = "SELECT * FROM link_pcs_day WHERE day = :day"
_GONE = "DELETE FROM link_pcs_day WHERE day = :day AND link_id = :link"
_SAVE = """
INSERT INTO link_pcs_day (link_id, day, packed, pcs, pcs_expected, counted_seconds, receive_octets,
  transmit_octets, receive_gap_octets, transmit_gap_octets, changed_at_ms)
VALUES (:link_id, :day, :packed, :pcs, :pcs_expected, :counted_seconds, :receive_octets,
  :transmit_octets, :receive_gap_octets, :transmit_gap_octets, :now)
ON CONFLICT (link_id, day) DO UPDATE SET packed = excluded.packed, pcs = excluded.pcs,
  pcs_expected = excluded.pcs_expected, counted_seconds = excluded.counted_seconds,
  receive_octets = excluded.receive_octets, transmit_octets = excluded.transmit_octets,
  receive_gap_octets = excluded.receive_gap_octets,
  transmit_gap_octets = excluded.transmit_gap_octets, changed_at_ms = excluded.changed_at_ms
"""
_UNITS = "SELECT unit_id, link_id FROM pc_traffic_unit"
_FORGET_UNITS = "DELETE FROM pc_traffic_unit WHERE unit_id IN :[units]"
_ADD_UNIT = """
INSERT INTO pc_traffic_unit (unit_id, link_id) VALUES (:unit, :link)
ON CONFLICT (unit_id) DO UPDATE SET link_id = excluded.link_id
"""


def sum_day(rows: Iterable[Row]) -> dict[str, Any] | None:
    """Return the figures of one line's day from its PCs' days, None when none counted anything.

    A slot's seconds are those of the PC that was counted longest in it: PCs count side by side.
    """
    total = LinkSlots()
    gaps = [0, 0]
    pcs = 0
    for row in rows:
        try:
            slots = LinkSlots.unpack(row["packed"])
        except DaypackError:
            continue
        pcs += 1
        gaps[0] += int(row["receive_gap_octets"] or 0)
        gaps[1] += int(row["transmit_gap_octets"] or 0)
        for slot in range(SLOTS):
            seconds = slots.seconds[slot]
            if seconds == UNKNOWN_U16:
                continue
            before = total.seconds[slot]
            total.add_traffic(slot, slots.in_octets[slot], slots.out_octets[slot], 0.0)
            total.seconds[slot] = seconds if before == UNKNOWN_U16 else max(before, seconds)
    if not pcs:
        return None
    known = [slot for slot in range(SLOTS) if total.seconds[slot] != UNKNOWN_U16]
    return {
        "packed": total.pack(compress=True),
        "pcs": pcs,
        "counted_seconds": sum(min(total.seconds[slot], SLOT_SECONDS) for slot in known),
        "receive_octets": str(sum(total.in_octets[slot] for slot in known)) if known else None,
        "transmit_octets": str(sum(total.out_octets[slot] for slot in known)) if known else None,
        "receive_gap_octets": str(gaps[0]) if any(gaps) else None,
        "transmit_gap_octets": str(gaps[1]) if any(gaps) else None,
    }


class PcHistory:
    """Remembers up to where it has read what PCs moved."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._read_ms = 0
        self._today: date | None = None

    async def run(self, now_ms: int, guard: Guard) -> int:
        """Say whose traffic is to be kept, and make days anew; returns how many lines' days changed."""
        async with self._db.reading() as session:
            installed = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installed is None:
                return 0
            offset = installed["utc_offset_seconds"]
            today = calendar.local_day(now_ms, offset)
            law = await rules.load(session, today, now_ms)
            carried = await load_carriers(session, today, now_ms)
            stored = {row["unit_id"]: row["link_id"] for row in await session.fetch(_UNITS)}
            newest = (await session.fetch(_NEWEST))[0]["newest"]
            since = 0 if today != self._today else self._read_ms - _LATE_COMMIT_MS
            days = [as_date(r["day"]) for r in await session.fetch(_CHANGED_DAYS, since=since)]
        await self._keep_units(stored, carried, guard)
        oldest = today - timedelta(days=law.whole("retention_interface_days") - 1)
        changed = 0
        for day in days:
            if day >= oldest:  # what is half forgotten is not summed again
                changed += await self._remake(day, offset, now_ms, guard)
        self._read_ms, self._today = newest or 0, today
        return changed

    async def _keep_units(
        self, stored: dict[int, int], carried: dict[int, int], guard: Guard
    ) -> None:
        if stored == carried:
            return
        async with self._db.transaction() as session:
            await guard(session)
            gone = sorted(stored.keys() - carried.keys())
            if gone:
                await session.execute(_FORGET_UNITS, units=gone)
            await session.many(
                _ADD_UNIT,
                [
                    {"unit": unit, "link": link}
                    for unit, link in sorted(carried.items())
                    if stored.get(unit) != link
                ],
            )

    async def _remake(self, day: date, offset: int, now_ms: int, guard: Guard) -> int:
        end_ms = (day - date(1970, 1, 1)).days * DAY_MS + DAY_MS - offset * 1000
        async with self._db.reading() as session:
            carried = await load_carriers(session, day, now_ms)
            rows = await session.fetch(_ROWS, day=day)
            kept = {row["link_id"]: row for row in await session.fetch(_KEPT, day=day)}
            expected: dict[int, int] = defaultdict(int)
            for row in await session.fetch(_EXPECTED, end=end_ms):
                if row["unit_id"] in carried:
                    expected[carried[row["unit_id"]]] += row["pcs"]
        by_link: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            if row["unit_id"] in carried:
                by_link[carried[row["unit_id"]]].append(row)
        made = await asyncio.to_thread(lambda: {k: sum_day(v) for k, v in by_link.items()})
        saved = [
            {"link_id": link, "day": day, "now": now_ms, **values}
            for link, figures in sorted(made.items())
            if figures is not None
            and _differs(
                kept.get(link),
                values := {**figures, "pcs_expected": max(expected[link], figures["pcs"])},
            )
        ]
        gone = sorted(link for link in kept if made.get(link) is None)
        if saved or gone:
            async with self._db.transaction() as session:
                await guard(session)
                await session.many(_SAVE, saved)
                await session.many(_GONE, [{"day": day, "link": link} for link in gone])
        return len(saved) + len(gone)


def _differs(kept: Row | None, values: dict[str, Any]) -> bool:
    return kept is None or any(
        (bytes(kept[name]) if name == "packed" else kept[name]) != value
        for name, value in values.items()
    )
