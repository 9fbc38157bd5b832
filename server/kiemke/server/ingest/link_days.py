"""The day rows and live rows of the lines that one group touches: loaded once, written once."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from kiemke.server.daypack import SLOT_SECONDS, UNKNOWN_U16, LinkSlots
from kiemke.server.db import as_date
from kiemke.server.domain.counters import Interval
from kiemke.server.ingest.context import Applying, Item

_EPOCH = date(1970, 1, 1)
# How much of an interval another observer may have told of, as clocks and polls are never quite even.
_OVERLAP = 0.05
_TOTAL_WRAPS_AT = 2**64


@dataclass(slots=True)
class _Day:
    slots: LinkSlots
    gap_in: int = 0
    gap_out: int = 0


@dataclass(slots=True)
class LinkDays:
    """Lines as this group leaves them. Call ``load`` first, ``save`` last."""

    applying: Applying
    days: dict[tuple[int, int, int], _Day] = field(default_factory=dict)
    touched: set[tuple[int, int, int]] = field(default_factory=set)
    now: dict[int, dict[str, Any]] = field(default_factory=dict)
    changed: dict[int, int] = field(default_factory=dict)

    async def load(self, links: set[int], sources: set[int], first: int, last: int) -> None:
        """Read the live rows of locked lines and their days ``first`` to ``last``."""
        session = self.applying.session
        ids = sorted(links)
        for row in await session.fetch(
            f"SELECT {', '.join(_NOW_COLUMNS)} FROM link_now WHERE link_id IN :[ids]",  # noqa: S608
            ids=ids,
        ):
            self.now[row["link_id"]] = row
        for row in await session.fetch(
            "SELECT link_id, source_id, day, packed, receive_gap_octets, transmit_gap_octets"
            " FROM link_day WHERE link_id IN :[ids] AND source_id IN :[sources]"
            " AND day BETWEEN :first AND :last",
            ids=ids,
            sources=sorted(sources),
            first=_EPOCH + timedelta(days=first),
            last=_EPOCH + timedelta(days=last),
        ):
            key = (row["link_id"], row["source_id"], (as_date(row["day"]) - _EPOCH).days)
            self.days[key] = _Day(
                LinkSlots.unpack(row["packed"]),
                int(row["receive_gap_octets"] or 0),
                int(row["transmit_gap_octets"] or 0),
            )

    def _slot(self, link: int, source: int, at_ms: int) -> tuple[_Day, int]:
        day, slot = self.applying.slot_of(at_ms)
        key = (link, source, day)
        self.touched.add(key)
        return self.days.setdefault(key, _Day(LinkSlots())), slot

    def add_interval(self, link: int, item: Item, interval: Interval, end_ms: int) -> None:
        """Give an interval that ended at ``end_ms`` to the slot of its midpoint, and to the totals when it is live."""
        middle = end_ms - round(interval.seconds * 500)
        day, slot = self._slot(link, item.source_id, middle)
        day.slots.add_quality(slot, interval.quality)
        received, sent = interval.in_octets, interval.out_octets
        if received is None or sent is None:
            return
        if not interval.has_rate:
            day.gap_in += received
            day.gap_out += sent
            return
        day.slots.add_traffic(slot, received, sent, interval.seconds)
        if self.applying.is_live(item):
            self._advance(link, item, (received, sent), interval.seconds, end_ms)

    def _advance(
        self, link: int, item: Item, octets: tuple[int, int], seconds: float, end_ms: int
    ) -> None:
        now = self.now[link]
        covered_ms = (now["rate_at_ms"] or 0) - (end_ms - seconds * 1000)
        if now["source_id"] != item.source_id and covered_ms > _OVERLAP * seconds * 1000:
            return  # another collector of the site told of this time already: never the sum
        for column, counted in zip(("receive", "transmit"), octets, strict=True):
            total = (int(now[f"{column}_octets_total"]) + counted) % _TOTAL_WRAPS_AT
            now[f"{column}_octets_total"] = str(total)
            now[f"{column}_bits_per_second"] = round(counted * 8 / seconds)
        now["rate_at_ms"] = end_ms
        self._mark(link, item)

    def set_port(self, link: int, item: Item, speed: int | None, duplex: str | None) -> None:
        """Tell the line what its port negotiated, when the reading is live."""
        if self.applying.is_live(item):
            self.now[link]["negotiated_bits_per_second"] = speed
            self.now[link]["duplex"] = duplex
            self._mark(link, item)

    def add_look(self, link: int, item: Item, *, up: bool, several: bool) -> None:
        """Count one look at the line. With several targets, any that answers makes the slot up."""
        day, slot = self._slot(link, item.source_id, item.report.at_ms)
        if up:
            day.slots.add_state(slot, up=True)
            if several:
                day.slots.down_polls[slot] = 0
        elif not (several and day.slots.up_polls[slot]):
            day.slots.add_state(slot, up=False)
        if self.applying.is_live(item):
            self._set_state(link, item, up)

    def _set_state(self, link: int, item: Item, up: bool) -> None:
        now = self.now[link]
        at_ms = item.report.at_ms
        # One lost round is no outage: the line is down when nothing answered for longer than that.
        patience_ms = 1.5 * self.applying.poll_seconds * 1000
        if now["state_at_ms"] is not None and at_ms < now["state_at_ms"]:
            return  # what is known already is newer
        recent = now["state_at_ms"] is not None and at_ms - now["state_at_ms"] < patience_ms
        if up:
            now["state"], now["state_at_ms"] = "up", at_ms
        elif now["state"] != "up" or not recent:
            now["state"], now["state_at_ms"] = "down", at_ms
        self._mark(link, item)

    def add_echo(self, link: int, item: Item) -> None:
        """Add a round of probes to its slot, and to the live row when it is live."""
        body = item.report.body
        day, slot = self._slot(link, item.source_id, item.report.at_ms)
        rtt_us = _microseconds(body.rtt_avg_seconds)
        jitter_us = _microseconds(body.jitter_seconds)
        day.slots.add_echo(slot, body.sent, body.received, rtt_us, jitter_us)
        if self.applying.is_live(item):
            now = self.now[link]
            sent = day.slots.echo_sent[slot]
            lost = sent - day.slots.echo_received[slot]
            now["rtt_seconds"] = body.rtt_avg_seconds
            now["jitter_seconds"] = body.jitter_seconds
            now["loss_ppm"] = lost * 1_000_000 // sent
            now["probe_at_ms"] = item.report.at_ms
            self._mark(link, item)

    def _mark(self, link: int, item: Item) -> None:
        self.now[link]["source_id"] = item.source_id
        self.changed[link] = item.batch.received_at_ms

    async def save(self, received_at_ms: int) -> None:
        """Write every day and line that changed."""
        today, _ = self.applying.slot_of(received_at_ms)
        await self.applying.session.many(
            _UPSERT_DAY,
            [
                self._day_values(key, compress=key[2] < today, now_ms=received_at_ms)
                for key in sorted(self.touched)
            ],
        )
        await self.applying.session.many(
            _UPDATE_NOW,
            [{**self.now[link], "changed": at} for link, at in sorted(self.changed.items())],
        )

    def _day_values(
        self, key: tuple[int, int, int], *, compress: bool, now_ms: int
    ) -> dict[str, Any]:
        day = self.days[key]
        slots = day.slots
        looks = [(up, up + down) for up, down in zip(slots.up_polls, slots.down_polls, strict=True)]
        counted = [n for n, s in enumerate(slots.seconds) if s != UNKNOWN_U16]
        return {
            "link": key[0],
            "source": key[1],
            "day": _EPOCH + timedelta(days=key[2]),
            "packed": slots.pack(compress=compress),
            "known": SLOT_SECONDS * sum(1 for _, total in looks if total),
            "up": round(sum(SLOT_SECONDS * up / total for up, total in looks if total)),
            # A day on which no counter was read has no octets to tell, not 0 of them.
            "received": str(sum(slots.in_octets[n] for n in counted)) if counted else None,
            "sent": str(sum(slots.out_octets[n] for n in counted)) if counted else None,
            "gap_in": str(day.gap_in) if any(slots.quality) else None,
            "gap_out": str(day.gap_out) if any(slots.quality) else None,
            "now": now_ms,
        }


_LINES_NAMED = (
    "SELECT link_id FROM link_version WHERE device_id IN :[devices]"
    " AND voided_at_ms IS NULL AND interface_name IS NOT NULL"
    " UNION SELECT link_id FROM probe_target WHERE id IN :[targets] ORDER BY 1"
)


async def lock_links(applying: Applying, interfaces: list[Item], probes: list[Item]) -> None:
    """Make and lock the live rows of all lines a group may touch, in id order.

    At once, not kind by kind: two servers that each hold a line the other wants wait for ever.
    """
    if not interfaces and not probes:
        return
    session = applying.session
    named = await session.fetch(
        _LINES_NAMED,
        devices=sorted({item.report.body.device for item in interfaces}),
        targets=sorted({item.report.body.target for item in probes}),
    )
    ids = [row["link_id"] for row in named]
    await session.many(
        "INSERT INTO link_now (link_id, state, receive_octets_total, transmit_octets_total,"
        " verdict, reasons_json, changed_at_ms)"
        " VALUES (:link, 'unknown', '0', '0', 'unknown', '[]', 0)"
        " ON CONFLICT (link_id) DO NOTHING",
        [{"link": link} for link in ids],
    )
    if session.dialect == "postgres":
        await session.execute(
            "SELECT 1 FROM link_now WHERE link_id IN :[ids] ORDER BY link_id FOR UPDATE", ids=ids
        )


def _microseconds(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds * 1e6)


_LIVE_COLUMNS = (
    "source_id", "state", "state_at_ms", "receive_octets_total", "transmit_octets_total",
    "receive_bits_per_second", "transmit_bits_per_second", "rate_at_ms",
    "negotiated_bits_per_second", "duplex", "rtt_seconds", "jitter_seconds", "loss_ppm",
    "probe_at_ms",
)  # fmt: skip
_NOW_COLUMNS = ("link_id", *_LIVE_COLUMNS)

_UPDATE_NOW = (
    f"UPDATE link_now SET {', '.join(f'{c} = :{c}' for c in _LIVE_COLUMNS)},"  # noqa: S608  # names above
    " changed_at_ms = :changed WHERE link_id = :link_id"
)

_UPSERT_DAY = (
    "INSERT INTO link_day (link_id, source_id, day, packed, known_seconds, up_seconds,"
    " receive_octets, transmit_octets, receive_gap_octets, transmit_gap_octets, changed_at_ms)"
    " VALUES (:link, :source, :day, :packed, :known, :up, :received, :sent, :gap_in, :gap_out,"
    " :now) ON CONFLICT (link_id, source_id, day) DO UPDATE SET packed = excluded.packed,"
    " known_seconds = excluded.known_seconds, up_seconds = excluded.up_seconds,"
    " receive_octets = excluded.receive_octets, transmit_octets = excluded.transmit_octets,"
    " receive_gap_octets = excluded.receive_gap_octets,"
    " transmit_gap_octets = excluded.transmit_gap_octets, changed_at_ms = excluded.changed_at_ms"
)
