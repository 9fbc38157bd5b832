"""Follows the hardware behind each watched device: the same, replaced, moved from another, or at both.

Runs after polls told anew what a device is. A replaced one ends its match with the asset; a moved one
takes the match along. What evidence cannot tell becomes a finding and is left as it was.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.device_identity import (
    OTHER,
    SAME,
    UNSURE,
    Shown,
    compare,
    is_proof,
    read_macs,
    read_serial,
)
from kiemke.server.domain.findings import Found, close_finding, open_finding
from kiemke.server.domain.reorganise_rows import add_dated, reopen

Guard = Callable[[Session], Awaitable[None]]
WHO = "devices"
# Of two that show one serial, the older is gone when nothing came from it for so long.
QUIET_MS = 600_000
DEVICES_A_TURN = 500
DAYS_RULE = "device_replaced_days"
DAY_MS = 86_400_000

REPLACED, MOVED, TWIN, DOUBTFUL = (
    "device_replaced", "device_moved", "cloned_device", "doubtful_device",
)  # fmt: skip
KINDS = (REPLACED, MOVED, TWIN, DOUBTFUL)

POLLED = """
FROM device d LEFT JOIN lease l ON l.name = 'collector:' || d.collector_id
JOIN device_now n ON n.device_id = d.id
  AND n.source_id = COALESCE(CAST(l.holder AS BIGINT), d.collector_id)
"""
_SAYS = f"""
SELECT d.id, d.code, d.unit_id, n.source_id, n.sys_object_id, n.serial, n.vendor, n.model,
  n.identified_at_ms
{POLLED}
LEFT JOIN device_hardware h ON h.device_id = d.id AND h.voided_at_ms IS NULL AND h.valid_to IS NULL
WHERE d.retired_at_ms IS NULL AND n.identified_at_ms IS NOT NULL
"""  # the fragment above
_DUE = (
    f"{_SAYS} AND (h.id IS NULL OR h.seen_at_ms < n.identified_at_ms)"
    " ORDER BY n.identified_at_ms, d.id LIMIT :most"
)
_ONE = f"{_SAYS} AND d.id = :id"
_MACS = """
SELECT device_id, source_id, mac FROM interface_now
WHERE device_id IN :[devices] AND mac IS NOT NULL AND (type IS NULL OR type = 6)
"""
_ROWS = """
SELECT * FROM device_hardware WHERE voided_at_ms IS NULL AND (device_id = :device
  OR serial IN :[serials.text] OR lowest_mac IN :[macs.text])
ORDER BY id
"""
_HEARD = """
SELECT d.id, d.code, d.unit_id, MAX(n.answered_at_ms) AS at_ms
FROM device d LEFT JOIN device_now n ON n.device_id = d.id WHERE d.id = :id
GROUP BY d.id, d.code, d.unit_id
"""
_MATCH = """
SELECT * FROM device_match WHERE device_id = :device AND voided_at_ms IS NULL AND valid_to IS NULL
"""
_OPEN = "SELECT id FROM finding WHERE kind = :kind AND subject = :subject AND closed_at_ms IS NULL"
_ANY = "SELECT id FROM finding WHERE kind = :kind AND closed_at_ms IS NULL LIMIT 1"
# Another swap renews the finding; a twin is something that answers elsewhere too.
_STAYED = """
SELECT f.id FROM finding f JOIN device d ON f.subject = 'device:' || d.code
JOIN device_hardware h ON h.device_id = d.id AND h.voided_at_ms IS NULL AND h.valid_to IS NULL
WHERE f.kind = :kind AND f.closed_at_ms IS NULL AND h.decided_by <> 'twin'
  AND (SELECT MAX(n.answered_at_ms) FROM device_now n WHERE n.device_id = d.id) >= f.updated_at_ms + :long
ORDER BY f.id
"""
_RENEW = """
UPDATE device_hardware SET object_id = :object_id, serial = :serial, vendor = :vendor, model = :model,
  macs = :macs, lowest_mac = :lowest_mac, seen_at_ms = :seen WHERE id = :id
"""
_MOMENT = "UPDATE device_hardware SET seen_at_ms = :seen WHERE id = :id"
_NUMBER = "UPDATE device_hardware SET hardware = id WHERE hardware = 0"


def shown_of(row: Mapping[str, Any]) -> Shown:
    """Return what a stored row says."""
    macs = frozenset(row["macs"].split())
    return Shown(row["object_id"], row["serial"], macs, row["vendor"], row["model"])


def columns_of(shown: Shown) -> dict[str, Any]:
    """Return facts as they are stored."""
    return {
        "object_id": shown.object_id,
        "serial": shown.serial,
        "vendor": shown.vendor,
        "model": shown.model,
        "macs": " ".join(sorted(shown.macs)),
        "lowest_mac": min(shown.macs, default=None),
    }


def told(shown: Shown) -> str:
    """Return a thing in a few words: maker, model, serial or lowest MAC."""
    own = shown.serial or (min(shown.macs) if shown.macs else None)
    return " ".join(part for part in (shown.vendor, shown.model, own) if part) or "?"


@dataclass(frozen=True, slots=True)
class Due:
    """A device that said anew what it is."""

    id: int
    code: str
    unit_id: int
    seen_at_ms: int
    shown: Shown


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Look at the devices that said anew what they are; return how many changed hands.

    What was told of a swap ends once the newer thing answered alone for as long as the rule says.
    """
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        stayed = await _stayed(session, today, now_ms)
        if not stayed and not await _due(session, 1):
            return 0
    async with db.change() as session:
        await guard(session)
        changed = await follow(session, await _due(session, DEVICES_A_TURN), today, now_ms)
        for row in await _stayed(session, today, now_ms) if stayed else ():
            await close_finding(session, row["id"], now_ms)
        return changed


async def _stayed(session: Session, today: date, now_ms: int) -> list[Row]:
    """Return the open findings of swaps since which the newer thing answered alone for long enough."""
    told_of = await session.one(_ANY, kind=REPLACED)
    if told_of is None:
        return []
    days = (await rules.load(session, today, now_ms)).whole(DAYS_RULE)
    return await session.fetch(_STAYED, kind=REPLACED, long=days * DAY_MS)


async def _due(session: Session, most: int) -> list[Due]:
    return await _read(session, await session.fetch(_DUE, most=most))


async def one_due(session: Session, device_id: int) -> Due | None:
    """Return what a device says now, None when it never said anything."""
    found = await _read(session, await session.fetch(_ONE, id=device_id))
    return found[0] if found else None


async def _read(session: Session, rows: list[Row]) -> list[Due]:
    macs: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in await session.fetch(_MACS, devices=[row["id"] for row in rows]):
        macs[row["device_id"], row["source_id"]].append(row["mac"])
    return [
        Due(
            row["id"], row["code"], row["unit_id"], row["identified_at_ms"],
            Shown(
                row["sys_object_id"], read_serial(row["serial"]),
                read_macs(macs[row["id"], row["source_id"]]), row["vendor"], row["model"],
            ),
        )
        for row in rows
    ]  # fmt: skip


async def follow(session: Session, due: list[Due], today: date, now_ms: int) -> int:
    """Decide on each device in the order they spoke; return how many have other hardware now."""
    changed = 0
    for one in due:
        rows = await session.fetch(
            _ROWS,
            device=one.id,
            serials=[one.shown.serial] if one.shown.serial else [],
            macs=sorted(one.shown.macs),
        )
        before = next((r for r in rows if r["device_id"] == one.id and r["valid_to"] is None), None)
        verdict = OTHER if before is None else compare(shown_of(before), one.shown)
        if before is not None and verdict == SAME:
            merged = shown_of(before).merged(one.shown)
            await session.execute(
                _RENEW, id=before["id"], seen=one.seen_at_ms, **columns_of(merged)
            )
            await settle(session, DOUBTFUL, one, now_ms)
        elif before is not None and verdict == UNSURE:
            await session.execute(_MOMENT, id=before["id"], seen=one.seen_at_ms)
            await _doubt(session, one, shown_of(before), now_ms)
        else:
            changed += await _change(session, one, before, rows, today, now_ms)
    return changed


async def _change(
    session: Session, one: Due, before: Row | None, rows: list[Row], today: date, now_ms: int
) -> int:
    """Give a device other hardware: known from elsewhere, or new. 0 when that cannot be told yet."""
    known = [
        row
        for row in rows
        if row is not before
        and is_proof(shown_of(row), one.shown)
        and compare(shown_of(row), one.shown) == SAME
    ]
    standing = next((r for r in known if r["valid_to"] is None and r["device_id"] != one.id), None)
    decided, number = "new", 0
    if standing is not None:
        heard = (await session.fetch(_HEARD, id=standing["device_id"]))[0]
        if heard["at_ms"] is not None and heard["at_ms"] > one.seen_at_ms:
            decided = "twin"
            await _tell_twin(session, one, heard, now_ms)
        elif heard["at_ms"] is not None and now_ms - heard["at_ms"] < QUIET_MS:
            return 0  # it may answer there again: asked once more later
        else:
            decided, number = "moved", standing["hardware"]
    elif known:
        decided, number = "moved", known[-1]["hardware"]
    if before is not None:
        await replace(session, one.id, before, today, now_ms, WHO)
        if decided != "twin":
            await _tell_replaced(session, one, shown_of(before), now_ms)
    if decided == "moved" and standing is not None:
        await _bring(session, one, standing, heard, today, now_ms)
    await begin(session, one, number, decided, today, now_ms, WHO)
    return int(before is not None or decided == "moved")


async def begin(
    session: Session, one: Due, number: int, decided: str, today: date, now_ms: int, who: str
) -> None:
    """Write that hardware (0: a new one) stands behind a device from today on."""
    values = {
        "device_id": one.id, "hardware": number, "decided_by": decided, "seen_at_ms": one.seen_at_ms,
        "valid_from": today, "valid_to": None, "instrument": None, "recorded_at_ms": now_ms,
        "recorded_by": who, "voided_at_ms": None, "voided_by": None, **columns_of(one.shown),
    }  # fmt: skip
    await add_dated(session, "device_hardware", values)
    await session.execute(_NUMBER)


async def replace(
    session: Session, device_id: int, before: Row, today: date, now_ms: int, who: str
) -> None:
    """End what stood behind a device, and its match."""
    ends = partial(reopen, session, instrument="", who=who, now_ms=now_ms)
    await ends("device_hardware", before, today, None)
    for match in await session.fetch(_MATCH, device=device_id):
        await ends("device_match", match, today, None)


async def _bring(
    session: Session, one: Due, standing: Row, heard: Row, today: date, now_ms: int
) -> None:
    """Take hardware away from the device it stood behind, with its match, and tell of the move."""
    match = await session.one(_MATCH, device=standing["device_id"])
    await replace(session, standing["device_id"], standing, today, now_ms, WHO)
    if match is not None:
        moved = {
            "device_id": one.id, "decided_by": "moved", "valid_from": today, "valid_to": None,
            "recorded_at_ms": now_ms, "recorded_by": WHO, "voided_at_ms": None, "voided_by": None,
        }  # fmt: skip
        await add_dated(session, "device_match", {**match, **moved})
    found = Found(
        MOVED,
        f"device:{one.code}",
        f"{told(one.shown)} answers as {one.code} now, before as {heard['code']}",
        f"{told(one.shown)} nay trả lời ở {one.code}, trước ở {heard['code']}",
        (one.unit_id, heard["unit_id"]),
    )
    await open_finding(session, found, now_ms)


async def _tell_twin(session: Session, one: Due, heard: Row, now_ms: int) -> None:
    found = Found(
        TWIN,
        f"device:{one.code}",
        f"{one.code} and {heard['code']} both answer as {told(one.shown)}:"
        " one device registered twice, or a copied identity",
        f"{one.code} và {heard['code']} cùng trả lời là {told(one.shown)}:"
        " một thiết bị đăng ký hai lần, hoặc danh tính bị sao chép",
        (one.unit_id, heard["unit_id"]),
    )
    await open_finding(session, found, now_ms)


async def _tell_replaced(session: Session, one: Due, before: Shown, now_ms: int) -> None:
    await settle(session, DOUBTFUL, one, now_ms)
    found = Found(
        REPLACED,
        f"device:{one.code}",
        f"{one.code} was {told(before)} and is {told(one.shown)}",
        f"{one.code} trước là {told(before)}, nay là {told(one.shown)}",
        (one.unit_id,),
    )
    await open_finding(session, found, now_ms)


async def _doubt(session: Session, one: Due, before: Shown, now_ms: int) -> None:
    found = Found(
        DOUBTFUL,
        f"device:{one.code}",
        f"{one.code} was {told(before)} and says {told(one.shown)}: is it the same device?",
        f"{one.code} trước là {told(before)}, nay nói là {told(one.shown)}: có phải cùng thiết bị?",
        (one.unit_id,),
    )
    await open_finding(session, found, now_ms)


async def settle(session: Session, kind: str, one: Due, now_ms: int) -> None:
    """Close the open finding of a kind about a device."""
    for row in await session.fetch(_OPEN, kind=kind, subject=f"device:{one.code}"[:80]):
        await close_finding(session, row["id"], now_ms)
