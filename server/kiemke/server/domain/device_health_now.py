"""What devices say of their own state as findings: a UPS on its battery, toner at its end, heat."""

import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain.findings_now import Wanted, settle
from kiemke.server.domain.text_labels import Words

Guard = Callable[[Session], Awaitable[None]]
RULES_FILE = "device_health.toml"

# Whoever polls a device now, its collector or the one that stands in for it.
_POLLED = """
LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id
JOIN device_reading_now r ON r.device_id = d.id
  AND r.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id)
WHERE d.retired_at_ms IS NULL AND r.name IN :[names.text]
"""
_READINGS = " ".join(
    [
        "SELECT r.name, r.part, r.label, r.value, d.code, d.name AS device, d.unit_id FROM device d",
        _POLLED,
        "AND r.read_at_ms >= :since ORDER BY d.code, r.name, r.part",
    ]
)
# A finding of a device that is silent now stays as it was: nobody saw it end.
_SILENT = " ".join(
    [
        "SELECT d.code FROM device d",
        _POLLED,
        "GROUP BY d.code HAVING MAX(r.read_at_ms) < :since",
    ]
)
_OPEN = """
SELECT kind, subject, detail, detail_vi, unit_id FROM finding WHERE kind IN :[kinds.text] AND closed_at_ms IS NULL
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A reading at or beyond a bound is a finding of a kind."""

    kind: str
    reading: str
    at_least: float | None = None
    at_most: float | None = None

    def is_met(self, value: float) -> bool:
        """Say whether a value is a finding."""
        if self.at_least is not None and value < self.at_least:
            return False
        return self.at_most is None or value <= self.at_most


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits, and how old a reading may be to count, in seconds."""

    fresh_seconds: float
    limits: tuple[Limit, ...]


@cache
def load_limits() -> Limits:
    """Return the limits as shipped."""
    text = resources.files("kiemke.server.domain").joinpath(RULES_FILE).read_text("utf-8")
    rules = tomllib.loads(text)
    return Limits(rules["fresh_seconds"], tuple(Limit(**each) for each in rules["limit"]))


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Make the open findings exactly what devices say now; return how many changed."""
    rules = load_limits()
    kinds = sorted({limit.kind for limit in rules.limits})
    asked = {
        "names": sorted({limit.reading for limit in rules.limits}),
        "since": now_ms - int(rules.fresh_seconds * 1000),
    }
    async with db.reading() as session:
        rows = await session.fetch(_READINGS, **asked)
        silent = {f"device:{row['code']}"[:80] for row in await session.fetch(_SILENT, **asked)}
        opened = await session.fetch(_OPEN, kinds=kinds)
    wanted: Wanted = {
        (row["kind"], row["subject"]): (
            row["detail"] if row["detail_vi"] is None else Words(row["detail_vi"], row["detail"]),
            row["unit_id"],
        )
        for row in opened
        if row["subject"] in silent
    }
    said: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        for limit in rules.limits:
            if limit.reading == row["name"] and limit.is_met(row["value"]):
                said.setdefault((limit.kind, f"device:{row['code']}"[:80]), []).append(row)
    for key, found in said.items():
        parts = [row["label"] or row["part"] for row in found]
        text = " · ".join([found[0]["device"], *dict.fromkeys(part for part in parts if part)])
        wanted[key] = (text[:500], found[0]["unit_id"])
    return await settle(db, kinds, wanted, now_ms, guard)
