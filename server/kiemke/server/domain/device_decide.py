"""What a person says of a watched device: it is the same one still, or it is another."""

from collections.abc import Collection
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import Stamp
from kiemke.server.domain.device_identity import OTHER, SAME
from kiemke.server.domain.device_identity_now import (
    KINDS,
    WHO,
    Due,
    begin,
    columns_of,
    one_due,
    replace,
    settle,
    shown_of,
)
from kiemke.server.domain.reorganise_rows import add_dated
from kiemke.server.domain.text_labels import Words

PERSON = "person"
DECISIONS = (SAME, OTHER)

_ROWS = """
SELECT * FROM device_hardware WHERE device_id = :device AND voided_at_ms IS NULL ORDER BY valid_from, id
"""
_LEFT = """
SELECT h.*, d.unit_id FROM device_hardware h JOIN device d ON d.id = h.device_id
WHERE h.hardware = :hardware AND h.device_id <> :device
  AND h.valid_to = :day AND h.voided_at_ms IS NULL ORDER BY h.id
"""
_DOUBT = """
SELECT id FROM finding WHERE kind = 'doubtful_device' AND subject = :subject AND closed_at_ms IS NULL
"""
_MATCHES = (
    "SELECT * FROM device_match WHERE device_id = :device AND voided_at_ms IS NULL ORDER BY id"
)


async def decide(
    session: Session,
    device_id: int,
    said: str,
    today: date,
    stamp: Stamp,
    units: Collection[int] | None = None,
) -> tuple[int, int | None]:
    """Say that a device is SAME as before, or OTHER; return its hardware before and now.

    SAME undoes the last change with all that came of it: the match, and what a move took elsewhere.
    Raises CannotSay when nothing is to be said, or that elsewhere is not of ``units`` (None: all).
    """
    now = await one_due(session, device_id)
    rows = await session.fetch(_ROWS, device=device_id)
    current = next((row for row in rows if row["valid_to"] is None), None)
    if now is None or current is None:
        raise _nothing()
    doubts = await session.one(_DOUBT, subject=f"device:{now.code}"[:80])
    if doubts is not None:
        if said == SAME:
            await _keep(session, current, now, today, stamp)
        else:
            await replace(session, device_id, current, today, stamp.now_ms, stamp.who)
            await begin(session, now, 0, PERSON, today, stamp.now_ms, stamp.who)
    elif said == SAME:
        await _undo(session, current, rows, now, stamp, units)
    for kind in KINDS:
        await settle(session, kind, now, stamp.now_ms)
    after = await session.fetch(_ROWS, device=device_id)
    stands = next((row["hardware"] for row in after if row["valid_to"] is None), None)
    return current["hardware"], stands


def _nothing() -> CannotSay:
    return CannotSay(
        Words("Thiết bị này không đổi phần cứng.", "Nothing about this device has changed."),
        Words("Xem kiemke device why.", "See kiemke device why."),
    )


async def _keep(session: Session, current: Row, now: Due, today: date, stamp: Stamp) -> None:
    """Let what it says now be the same thing."""
    merged = shown_of(current).merged(now.shown)
    facts = {**columns_of(merged), "seen_at_ms": now.seen_at_ms, "decided_by": PERSON}
    await _say_again(session, "device_hardware", current, facts, stamp)


def _not_here() -> CannotSay:
    return CannotSay(
        Words(
            "Phần cứng này trước đó ở một đơn vị ngoài phạm vi của bạn.",
            "This hardware answered before at a unit that is not yours.",
        ),
        Words(
            "Nhờ người phụ trách cả hai đơn vị.", "Ask somebody who is responsible for both units."
        ),
    )


async def _undo(
    session: Session,
    current: Row,
    rows: list[Row],
    now: Due,
    stamp: Stamp,
    units: Collection[int] | None,
) -> None:
    day = as_date(current["valid_from"])
    before = [r for r in rows if r["valid_to"] is not None and as_date(r["valid_to"]) == day]
    left = await session.fetch(
        _LEFT, hardware=current["hardware"], device=current["device_id"], day=day
    )
    if not before and not left:
        raise _nothing()
    if units is not None and any(row["unit_id"] not in units for row in left[-1:]):
        raise _not_here()
    await _void(session, "device_hardware", current, stamp)
    await _rematch(session, current["device_id"], day, stamp)
    if before:
        merged = shown_of(before[-1]).merged(now.shown)
        facts = {
            **columns_of(merged), "valid_to": None, "decided_by": PERSON,
            "seen_at_ms": now.seen_at_ms,
        }  # fmt: skip
        await _say_again(session, "device_hardware", before[-1], facts, stamp)
    else:
        await begin(session, now, 0, PERSON, day, stamp.now_ms, stamp.who)
    for row in left[-1:]:
        row.pop("unit_id")
        await _say_again(session, "device_hardware", row, {"valid_to": None}, stamp)
        await _rematch(session, row["device_id"], day, stamp)


async def _rematch(session: Session, device_id: int, day: date, stamp: Stamp) -> None:
    """Take back what was matched since the day, and let go on what ended by itself on it."""
    for row in await session.fetch(_MATCHES, device=device_id):
        if row["valid_to"] is None and as_date(row["valid_from"]) >= day:
            await _void(session, "device_match", row, stamp)
        elif row["valid_to"] is not None and as_date(row["valid_to"]) == day:
            if row["recorded_by"] == WHO:
                await _say_again(session, "device_match", row, {"valid_to": None}, stamp)


async def _void(session: Session, table: str, row: Row, stamp: Stamp) -> None:
    await session.execute(
        f"UPDATE {table} SET voided_at_ms = :now, voided_by = :who WHERE id = :id",  # noqa: S608
        now=stamp.now_ms,
        who=stamp.who,
        id=row["id"],
    )


async def _say_again(
    session: Session, table: str, row: Row, changes: dict[str, Any], stamp: Stamp
) -> None:
    await _void(session, table, row, stamp)
    base = dict(row) | {"recorded_at_ms": stamp.now_ms, "recorded_by": stamp.who}
    for name in ("valid_from", "valid_to"):
        base[name] = None if row[name] is None else as_date(row[name])
    await add_dated(session, table, base | changes)
