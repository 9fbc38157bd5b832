"""Configurations of devices by version: a text is kept when it really differs from the one before."""

from dataclasses import dataclass
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.findings import Found, close_about, open_finding

CHANGED = "config_changed"
# A change stands as a finding until the configuration has been the same for this long.
SETTLED_MS = 7 * 86_400_000

_BEFORE = """
SELECT id, digest, read_at_ms, seen_at_ms FROM device_config
WHERE device_id = :device AND read_at_ms <= :at ORDER BY read_at_ms DESC, id DESC LIMIT 1
"""
_AFTER = """
SELECT id, digest FROM device_config
WHERE device_id = :device AND read_at_ms > :at ORDER BY read_at_ms, id LIMIT 1
"""
_ADD = """
INSERT INTO device_config (device_id, source_id, platform, digest, text, line_count, masked,
  read_at_ms, seen_at_ms, recorded_at_ms)
VALUES (:device, :source, :platform, :digest, :text, :lines, :masked, :at, :at, :now)
"""
# What was seen on both sides of a late report is two versions with that report's between them.
_SPLIT = """
INSERT INTO device_config (device_id, source_id, platform, digest, text, line_count, masked,
  read_at_ms, seen_at_ms, recorded_at_ms)
SELECT device_id, source_id, platform, digest, text, line_count, masked, seen_at_ms, seen_at_ms, :now
FROM device_config WHERE id = :id
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A configuration as it was read at ``at_ms``; equal ``digest``, equal but for volatile lines."""

    device: int
    code: str
    unit_id: int
    source: int
    platform: str
    digest: str
    text: str
    masked: int
    at_ms: int


async def keep(session: Session, fetched: Fetched, now_ms: int) -> bool:
    """Add a version, or say that the one of that time was still so; also for a late report.

    Returns whether a version was added.
    """
    at_ms = fetched.at_ms
    before = await session.one(_BEFORE, device=fetched.device, at=at_ms)
    after = await session.one(_AFTER, device=fetched.device, at=at_ms)
    if before is not None and before["digest"] == fetched.digest:
        await _seen_again(session, before, at_ms)
        if after is None and at_ms - before["read_at_ms"] >= SETTLED_MS:
            await close_about(session, CHANGED, f"device:{fetched.code}", now_ms)
        return False
    split = before is not None and before["seen_at_ms"] > at_ms
    if not split and after is not None and after["digest"] == fetched.digest:
        await session.execute(
            "UPDATE device_config SET read_at_ms = :at WHERE id = :id", at=at_ms, id=after["id"]
        )
        return False
    if before is not None and split:
        await session.execute(_SPLIT, id=before["id"], now=now_ms)
        await session.execute(
            "UPDATE device_config SET seen_at_ms = read_at_ms WHERE id = :id", id=before["id"]
        )
    values: dict[str, Any] = {
        "device": fetched.device,
        "source": fetched.source,
        "platform": fetched.platform[:40],
        "digest": fetched.digest,
        "text": fetched.text,
        "lines": fetched.text.count("\n"),
        "masked": fetched.masked,
        "at": at_ms,
        "now": now_ms,
    }
    await session.execute(_ADD, **values)
    if before is not None and after is None:
        await open_finding(session, _found(fetched), now_ms)
    return True


async def _seen_again(session: Session, row: Row, at_ms: int) -> None:
    if at_ms > row["seen_at_ms"]:
        await session.execute(
            "UPDATE device_config SET seen_at_ms = :at WHERE id = :id", at=at_ms, id=row["id"]
        )


def _found(fetched: Fetched) -> Found:
    # Names and a command are the same in both languages.
    detail = f"{fetched.code} | kiemke device config diff {fetched.code}"
    return Found(CHANGED, f"device:{fetched.code}", detail, units=(fetched.unit_id,))
