"""The SSH host keys of devices: the first is believed, another one waits until a person accepts it."""

from dataclasses import dataclass

from kiemke.server.db import Row, Session
from kiemke.server.domain.findings import Found, close_about, open_finding
from kiemke.wire.host_key import shown as shown_key

CHANGED = "host_key_changed"

_OPEN = """
SELECT id, host_key, pinned_at_ms FROM device_host_key
WHERE device_id = :device AND ended_at_ms IS NULL ORDER BY id
"""
_ADD = """
INSERT INTO device_host_key (device_id, source_id, host_key, seen_at_ms, seen_last_ms, pinned_at_ms,
  pinned_by) VALUES (:device, :source, :key, :at, :at, :pinned, NULL)
"""
_SEEN = """
UPDATE device_host_key SET seen_last_ms = :at, source_id = :source WHERE id = :id AND seen_last_ms < :at
"""
# A device, or who sits before it, that shows another key each time must not fill the database.
MOST_UNBELIEVED = 20
_FORGET = """
DELETE FROM device_host_key WHERE device_id = :device AND pinned_at_ms IS NULL AND id <= (
  SELECT id FROM device_host_key WHERE device_id = :device AND pinned_at_ms IS NULL
  ORDER BY id DESC LIMIT 1 OFFSET :most)
"""
_END = "UPDATE device_host_key SET ended_at_ms = :now WHERE id = :id"


@dataclass(frozen=True, slots=True)
class Shown:
    """A key a device showed at ``at_ms``; ``refused``: the collector did not log in because of it."""

    device: int
    code: str
    unit_id: int
    source: int
    key: str
    at_ms: int
    refused: bool


async def note(session: Session, shown: Shown, now_ms: int) -> None:
    """Take note of a key: pin the first, open a finding for another, close it when the old is back."""
    rows = await session.fetch(_OPEN, device=shown.device)
    pinned = next((row for row in rows if row["pinned_at_ms"] is not None), None)
    same = next((row for row in rows if row["host_key"] == shown.key), None)
    if same is not None:
        await session.execute(_SEEN, id=same["id"], at=shown.at_ms, source=shown.source)
    else:
        believed = pinned is None and not shown.refused
        await session.execute(
            _ADD,
            device=shown.device,
            source=shown.source,
            key=shown.key,
            at=shown.at_ms,
            pinned=shown.at_ms if believed else None,
        )
        await session.execute(_FORGET, device=shown.device, most=MOST_UNBELIEVED)
        if believed:
            return
    if same is not None and same is pinned:
        await _drop_waiting(session, rows, now_ms)
        await close_about(session, CHANGED, _subject(shown.code), now_ms)
        return
    old = shown_key(pinned["host_key"]) if pinned is not None else None
    new = shown_key(shown.key)
    command = f"kiemke device host-key accept {shown.code}"
    found = Found(
        CHANGED,
        _subject(shown.code),
        f"now {new}, before {old or 'another one'}; no login until it is accepted | {command}",
        f"nay {new}, trước {old or 'khoá khác'}; không đăng nhập cho đến khi chấp nhận | {command}",
        (shown.unit_id,),
        {"now": new, "before": old},
    )
    await open_finding(session, found, now_ms)


async def accept(
    session: Session, device: int, code: str, key: str | None, *, who: str, now_ms: int
) -> tuple[str, str | None] | None:
    """Believe the key that waits (the newest, or the one ``key`` names) instead of the one before.

    ``key`` is as it is shown, or its fingerprint alone. Returns the new and the old as shown, None
    when none waits.
    """
    rows = await session.fetch(_OPEN, device=device)
    waiting = [row for row in rows if row["pinned_at_ms"] is None and _is_named(row, key)]
    if not waiting:
        return None
    chosen = waiting[-1]
    old = next((row["host_key"] for row in rows if row["pinned_at_ms"] is not None), None)
    for row in rows:
        if row["id"] != chosen["id"]:
            await session.execute(_END, id=row["id"], now=now_ms)
    await session.execute(
        "UPDATE device_host_key SET pinned_at_ms = :now, pinned_by = :who WHERE id = :id",
        id=chosen["id"],
        now=now_ms,
        who=who,
    )
    await close_about(session, CHANGED, _subject(code), now_ms)
    return shown_key(chosen["host_key"]), None if old is None else shown_key(old)


def _is_named(row: Row, key: str | None) -> bool:
    name = shown_key(row["host_key"])
    return key is None or key in (name, name.partition(" ")[2])


async def _drop_waiting(session: Session, rows: list[Row], now_ms: int) -> None:
    for row in rows:
        if row["pinned_at_ms"] is None:
            await session.execute(_END, id=row["id"], now=now_ms)


def _subject(code: str) -> str:
    return f"device:{code}"
