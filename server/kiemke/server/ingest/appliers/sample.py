"""Samples become presence: every slot touched by (previous, this] is marked in its day row."""

import json
from datetime import date, timedelta

import msgspec

from kiemke.server.daypack import SLOTS, Presence
from kiemke.server.db import as_date
from kiemke.server.domain import presence_blocks, rules
from kiemke.server.domain.coverage_accounts import main_account, nobody
from kiemke.server.domain.presence_blocks import Change, DayFact
from kiemke.server.ingest import pc_traffic
from kiemke.server.ingest.context import SLOT_MS, Applying, Item

_EPOCH = date(1970, 1, 1)

# (source, days since epoch) -> the day as it stands and the slots of each console user.
_Days = dict[tuple[int, int], tuple[Presence, dict[str, int]]]
# The same key -> what the stored row says; a day without a row is not in it.
_Facts = dict[tuple[int, int], DayFact]


async def apply(applying: Applying, items: list[Item]) -> list[tuple[Item, str]]:
    """Mark the slots each sample covers; nothing is refused."""
    spans = [(item, *_span(applying, item)) for item in items]
    days, facts = await _load(applying, spans)
    touched: set[tuple[int, int]] = set()
    latest: dict[int, Item] = {}
    for item, first, last in spans:
        _mark(days, touched, item, first, last)
        newest = latest.get(item.source_id)
        if newest is None or newest.report.at_ms <= item.report.at_ms:
            latest[item.source_id] = item
    await pc_traffic.record(applying, items)
    applying.last_sample |= {source: _plain(item) for source, item in latest.items()}
    await _save(applying, days, facts, touched, items[-1].batch.received_at_ms)
    return []


def _span(applying: Applying, item: Item) -> tuple[int, int]:
    """Return the first and last slot covered, counted from local 1970-01-01."""
    end = item.report.at_ms + applying.utc_offset_seconds * 1000
    start = end - round(item.report.body.covered_seconds * 1000)
    last = (end - 1) // SLOT_MS if end > start else end // SLOT_MS
    return start // SLOT_MS, last


async def _load(applying: Applying, spans: list[tuple[Item, int, int]]) -> tuple[_Days, _Facts]:
    sources = sorted({item.source_id for item, _, _ in spans})
    first = min(first for _, first, _ in spans) // SLOTS
    last = max(last for _, _, last in spans) // SLOTS
    days: _Days = {}
    facts: _Facts = {}
    for row in await applying.session.fetch(
        "SELECT source_id, day, packed, user_slots_json, main_account, trusted_slots"
        " FROM presence_day"
        " WHERE source_id IN :[sources] AND day BETWEEN :first AND :last",
        sources=sources,
        first=_EPOCH + timedelta(days=first),
        last=_EPOCH + timedelta(days=last),
    ):
        key = (row["source_id"], (as_date(row["day"]) - _EPOCH).days)
        days[key] = (Presence.unpack(row["packed"]), json.loads(row["user_slots_json"] or "{}"))
        facts[key] = DayFact(row["main_account"] or "", row["trusted_slots"] > 0)
    return days, facts


def _mark(days: _Days, touched: set[tuple[int, int]], item: Item, first: int, last: int) -> None:
    user = item.report.body.user
    for day in range(first // SLOTS, last // SLOTS + 1):
        key = (item.source_id, day)
        presence, users = days.setdefault(key, (Presence(), {}))
        low = max(first - day * SLOTS, 0)
        high = min(last - day * SLOTS, SLOTS - 1)
        before = (presence.on, presence.trusted)
        added = presence.mark(low, high, sure=item.report.sure)
        if user and added:
            users[user] = users.get(user, 0) + added
        if (presence.on, presence.trusted) != before:
            touched.add(key)


def _plain(item: Item) -> str:
    body = item.report.body
    plain = {k: v for k, v in msgspec.to_builtins(body).items() if v is not None}
    plain["at_ms"] = item.report.at_ms
    return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


async def _save(
    applying: Applying, days: _Days, facts: _Facts, touched: set[tuple[int, int]], now_ms: int
) -> None:
    rows, changes = [], []
    nobodies = await _load_nobodies(
        applying, {day for source, day in touched if days[source, day][1]}, now_ms
    )
    for key in sorted(touched):
        presence, users = days[key]
        main = main_account(users, nobodies[key[1]]) if users else None
        trusted = presence.trusted.bit_count()
        rows.append(
            {
                "source": key[0],
                "day": _EPOCH + timedelta(days=key[1]),
                "packed": presence.pack(),
                "slots": presence.on.bit_count(),
                "trusted": trusted,
                "users": json.dumps(users, ensure_ascii=False, sort_keys=True) if users else None,
                "main": main,
                "now": now_ms,
            }
        )
        changes.append(Change(*key, facts.get(key), DayFact(main or "", trusted > 0)))
    await applying.session.many_distinct(_SAVE, rows)
    await presence_blocks.record(applying.session, changes)


async def _load_nobodies(
    applying: Applying, days: set[int], now_ms: int
) -> dict[int, frozenset[str]]:
    """Return the accounts that stand for no person, by the rules of each day (since 1970-01-01).

    A rule nobody can use is the recount's to complain of: no report is refused for it.
    """
    found: dict[int, frozenset[str]] = {}
    for day in sorted(days):
        law = await rules.load(applying.session, _EPOCH + timedelta(days=day), now_ms)
        try:
            found[day] = nobody(law)
        except rules.UnusableRule:
            found[day] = nobody(rules.shipped())
    return found


_SAVE = (
    "INSERT INTO presence_day (source_id, day, packed, slots, trusted_slots, user_slots_json,"
    " main_account, changed_at_ms)"
    " VALUES (:source, :day, :packed, :slots, :trusted, :users, :main, :now)"
    " ON CONFLICT (source_id, day) DO UPDATE SET packed = excluded.packed,"
    " slots = excluded.slots, trusted_slots = excluded.trusted_slots,"
    " user_slots_json = excluded.user_slots_json,"
    " main_account = excluded.main_account, changed_at_ms = excluded.changed_at_ms"
)
