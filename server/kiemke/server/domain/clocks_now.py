"""PCs whose clock is off by more than the rule allows, as findings; what each said last holds.

A sample tells ``clock_offset_seconds``: the server's clock less the PC's, so above 0 the PC is behind.
"""

import re
from collections.abc import Awaitable, Callable

from kiemke.server.db import Database, Session
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.findings_now import Wanted, settle

Guard = Callable[[Session], Awaitable[None]]

CLOCK_OFF = "clock_off"
LIMIT_RULE, DAYS_RULE = "clock_offset_max_seconds", "clock_offset_days"
NEXT = "w32tm /resync | timedatectl set-ntp true"
DAY_MS = 86_400_000
_OFFSET = re.compile(r'"clock_offset_seconds":(-?[0-9.]+(?:e[+-]?[0-9]+)?)')
_STEPS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))

_SAID = """
SELECT s.public_id, s.hostname, s.unit_id, n.last_sample_json
FROM source s JOIN source_now n ON n.source_id = s.id
WHERE s.kind = 'agent' AND s.state IN ('pending', 'approved') AND n.last_received_at_ms >= :since
  AND n.last_sample_json LIKE '%"clock_offset_seconds":%'
"""


def offset_of(sample_json: str | None) -> float | None:
    """Return the offset a stored sample tells in seconds, None when it tells none."""
    found = _OFFSET.search(sample_json or "")
    return float(found[1]) if found else None


def span_of(seconds: float) -> str:
    """Return a span as its two largest steps, the same in every language: "2 h 5 min"."""
    left, parts = round(abs(seconds)), []
    for size, unit in _STEPS:
        whole, left = divmod(left, size)
        if whole:
            parts.append(f"{whole} {unit}")
    return " ".join(parts[:2]) or "0 s"


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Make the open findings exactly the PCs whose clock is off; return how many changed."""
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        law = await rules.load(session, today, now_ms)
        limit = law.number(LIMIT_RULE)
        since = now_ms - law.whole(DAYS_RULE) * DAY_MS
        said = await session.fetch(_SAID, since=since)
    wanted: Wanted = {}
    for row in said:
        offset = offset_of(row["last_sample_json"])
        if offset is None or abs(offset) <= limit:
            continue
        # What the PC's clock says less ours: "-" is behind.
        sign = "-" if offset > 0 else "+"
        detail = f"{row['hostname'] or row['public_id']} · {sign}{span_of(offset)} | {NEXT}"
        wanted[CLOCK_OFF, f"source:{row['public_id']}"] = (detail, row["unit_id"])
    return await settle(db, [CLOCK_OFF], wanted, now_ms, guard)
