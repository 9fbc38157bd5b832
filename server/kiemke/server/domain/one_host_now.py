"""Looks at the sources of each fresh token for many agents on one PC, and sets those aside."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.identity_rows import Guard
from kiemke.server.domain.one_host import HostRules, OneHost, Suspect, find_one_host, load_rules
from kiemke.server.domain.quarantine import ONE_HOST, set_aside
from kiemke.server.domain.text_labels import HOST_SIGNS

KIND = "one_host"
DAY_MS = 86_400_000
# A token lives two weeks at most: whom it admitted is watched for as long again.
_WATCHED_DAYS, _LIVE_DAYS, _BOOT_DAYS = 30, 3, 30
_TOKENS_AT_ONCE = 100
_MOST_NAMED = 12

# Who was set aside is no longer heard, but stays the company that a late one is known by.
_FREE = "s.state IN ('pending', 'approved') AND n.last_received_at_ms > :live"
_ASIDE = f"s.state = 'quarantined' AND s.state_reason LIKE '% {ONE_HOST}%'"
_TOKENS = f"""
SELECT s.token_id FROM source s JOIN source_now n ON n.source_id = s.id
WHERE s.kind = 'agent' AND s.created_at_ms > :since AND s.token_id > :after
  AND ({_FREE} OR {_ASIDE})
GROUP BY s.token_id
HAVING COUNT(*) > 1 AND SUM(CASE WHEN s.state = 'quarantined' THEN 0 ELSE 1 END) > 0
ORDER BY s.token_id LIMIT :most
"""  # noqa: S608 - constants
_SOURCES = f"""
SELECT s.id, s.public_id, s.hostname, s.state, s.token_id, s.unit_id, s.created_at_ms,
  s.approved_at_ms, n.last_received_at_ms, n.last_address, n.last_sample_json
FROM source s JOIN source_now n ON n.source_id = s.id
WHERE s.token_id IN :[tokens] AND s.kind = 'agent' AND ({_FREE} OR {_ASIDE}) ORDER BY s.id
"""  # noqa: S608 - constants
_BOOTS = """
SELECT source_id, boot_id, booted_at_ms FROM source_boot
WHERE source_id IN :[ids] AND updated_at_ms > :since ORDER BY booted_at_ms
"""
_PARTS = """
SELECT source_id, kind, value FROM source_evidence
WHERE source_id IN :[ids] AND kind IN ('mac', 'disk', 'memory', 'board') AND gone_ms IS NULL
"""
_MODULES = """
SELECT source_id, rows_json FROM source_section
WHERE source_id IN :[ids] AND section = 'memory' AND rows_json IS NOT NULL
"""
_TOLD = """
SELECT subject, opened_at_ms, closed_at_ms, evidence_json FROM finding WHERE kind = :kind ORDER BY id
"""


class Watch:
    """Goes through the tokens, some at each run, and begins anew after the last."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._after = 0

    async def run(self, now_ms: int, guard: Guard | None = None) -> int:
        """Look at the next tokens; return how many sources were set aside."""
        async with self.db.reading() as session:
            installation = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installation is None:
                return 0
            day = calendar.local_day(now_ms, installation["utc_offset_seconds"])
            rules = await load_rules(session, day, now_ms)
            tokens = [row["token_id"] for row in await self._next(session, now_ms)]
            rows, groups = await _read(session, tokens, now_ms)
        self._after = tokens[-1] if len(tokens) == _TOKENS_AT_ONCE else 0
        found = {token: _find(group, rows, rules) for token, group in groups.items()}
        if not any(found.values()):
            return 0
        async with self.db.change() as session:
            if guard is not None:
                await guard(session)
            return await _set_aside(session, found, rows, rules, now_ms)

    async def _next(self, session: Session, now_ms: int) -> list[Row]:
        return await session.fetch(
            _TOKENS,
            since=now_ms - _WATCHED_DAYS * DAY_MS,
            live=now_ms - _LIVE_DAYS * DAY_MS,
            after=self._after,
            most=_TOKENS_AT_ONCE,
        )


def _find(group: list[Suspect], rows: dict[int, Row], rules: HostRules) -> list[OneHost]:
    """Return the groups among the free ones, then those of the late with who was set aside before."""
    free = [one for one in group if rows[one.source]["state"] != "quarantined"]
    found = find_one_host(free, rules)
    taken = {source for host in found for source in host.sources}
    late = {one.source for one in free} - taken
    if len(free) == len(group) or not late:
        return found
    rest = [one for one in group if one.source not in taken]
    return found + [host for host in find_one_host(rest, rules) if late & set(host.sources)]


async def _read(
    session: Session, tokens: list[int], now_ms: int
) -> tuple[dict[int, Row], dict[int, list[Suspect]]]:
    """Return the sources' rows by id, and each token's suspects."""
    rows = {
        row["id"]: row
        for row in await session.fetch(_SOURCES, tokens=tokens, live=now_ms - _LIVE_DAYS * DAY_MS)
    }
    boots: dict[int, dict[str, int]] = defaultdict(dict)
    for row in await session.fetch(_BOOTS, ids=sorted(rows), since=now_ms - _BOOT_DAYS * DAY_MS):
        boots[row["source_id"]][row["boot_id"]] = row["booted_at_ms"]
    parts: dict[int, set[tuple[str, str]]] = defaultdict(set)
    for row in await session.fetch(_PARTS, ids=sorted(rows)):
        parts[row["source_id"]].add((row["kind"], row["value"]))
    modules: dict[int, int] = {}
    for row in await session.fetch(_MODULES, ids=sorted(rows)):
        sizes = [one.get("size_bytes") or 0 for one in _list(row["rows_json"])]
        modules[row["source_id"]] = sum(size for size in sizes if isinstance(size, int))
    groups: dict[int, list[Suspect]] = defaultdict(list)
    for source, row in rows.items():
        sample = _object(row["last_sample_json"])
        groups[row["token_id"]].append(
            Suspect(
                source=source,
                created_ms=row["created_at_ms"],
                heard_ms=row["last_received_at_ms"],
                address=row["last_address"],
                boots=boots[source],
                octets=_busiest(sample),
                memory_bytes=_whole(sample.get("memory_total_bytes")),
                modules_bytes=modules.get(source) or None,
                parts=frozenset(parts[source]),
            )
        )
    return rows, groups


def _busiest(sample: dict[str, Any]) -> tuple[int, int] | None:
    counters = [
        (_whole(one.get("receive_octets")) or 0, _whole(one.get("transmit_octets")) or 0)
        for one in sample.get("adapters") or ()
        if isinstance(one, dict)
    ]
    return max(counters, default=None)


def _whole(value: object) -> int | None:
    """Return a count as a number, None when it is none; counters may travel as decimal text."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _object(text: str | None) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _list(text: str) -> list[dict[str, Any]]:
    found = json.loads(text)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _let_in(row: Row, asked: dict[str, int]) -> bool:
    """Whether a person approved a source after it was found once."""
    opened = asked.get(row["public_id"])
    return opened is not None and (row["approved_at_ms"] or 0) >= opened


async def _set_aside(
    session: Session,
    found: dict[int, list[OneHost]],
    rows: dict[int, Row],
    rules: HostRules,
    now_ms: int,
) -> int:
    """Quarantine each group, but for whom a person let in after it was found before."""
    told = [_Told.of(row) for row in await session.fetch(_TOLD, kind=KIND)]
    asked: dict[str, int] = {}
    for one in told:
        for public_id in one.sources:
            asked[public_id] = max(one.opened_at_ms, asked.get(public_id, 0))
    count = 0
    for host in (host for hosts in found.values() for host in hosts):
        sources = [
            s
            for s in host.sources
            if rows[s]["state"] != "quarantined" and not _let_in(rows[s], asked)
        ]
        if not sources:
            continue
        signs = ", ".join(f"{sign} +{points}" for sign, points in host.signs.items())
        reason = f"{len(host.sources)} {ONE_HOST}{signs}"
        count += len(await set_aside(session, sources, reason, "identity", now_ms))
        await open_finding(session, _tell(host, rows, rules, told), now_ms)
    return count


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding of before: the first of its group, all of it, and when it was opened."""

    subject: str
    sources: tuple[str, ...]
    opened_at_ms: int
    is_open: bool

    @classmethod
    def of(cls, row: Row) -> "_Told":
        sources = _object(row["evidence_json"]).get("sources", ())
        return cls(row["subject"], tuple(sources), row["opened_at_ms"], row["closed_at_ms"] is None)


def _tell(host: OneHost, rows: dict[int, Row], rules: HostRules, told: list[_Told]) -> Found:
    """Return the finding of a group: who, by which signs, out of how many points needed.

    The late are told in the open finding of those whom they are found with.
    """
    members = {rows[s]["public_id"]: rows[s] for s in host.sources}
    by_public_id = {row["public_id"]: row for row in rows.values()}
    subject = f"source:{rows[host.sources[0]]['public_id']}"
    for one in told:
        if one.is_open and members.keys() & set(one.sources):
            subject = one.subject
            members |= {s: by_public_id[s] for s in one.sources if s in by_public_id}
    group = sorted(members.values(), key=lambda row: int(row["id"]))
    named = [str(row["hostname"] or row["public_id"]) for row in group]
    shown, left = ", ".join(named[:_MOST_NAMED]), len(named) - _MOST_NAMED
    number = len(group)
    signs, signs_vi = (
        ", ".join(f"{HOST_SIGNS[sign].say(each)} +{n}" for sign, n in host.signs.items())
        for each in ("en", "vi")
    )
    return Found(
        KIND,
        subject,
        f"{number} agents on one PC: {signs}; {shown}{f' and {left} more' if left > 0 else ''};"
        f" needed {rules.enough}",
        f"{number} tác nhân trên một máy: {signs_vi}; {shown}{f' và {left} máy nữa' if left > 0 else ''};"
        f" ngưỡng {rules.enough}",
        [row["unit_id"] for row in group],
        {
            "sources": [row["public_id"] for row in group],
            "hostnames": named,
            "signs": host.signs,
            "points": host.points,
        },
    )
