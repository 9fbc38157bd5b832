"""The audit log: one entry per change, stored as the very bytes that are hashed.

An entry is written in the transaction of the change it tells of, as its last act, so neither exists
alone. There, one writer at a time, it gets its time, which never runs backwards, and what its
transaction wrote into the ledgers: each row's hash and the values that changed. What tells who a person is
goes in encrypted with that person's key.
"""

import json
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.audit_rows import TableRows, take_touched
from kiemke.server.domain.person_keys import ensure_keys, seal_value
from kiemke.server.ledgers import PERSONAL

# Any fixed number: transactions on PostgreSQL that write entries meet at this lock.
_ADVISORY_LOCK = 0x6B69_656D_6B66
_PERSONAL_VALUES = frozenset(name for _, names in PERSONAL.values() for name in names)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: its address, and what its program calls itself; None: not known."""

    address: str | None
    agent: str | None


# Set for the length of a request; a program at the server itself has none.
ORIGIN: ContextVar[Origin | None] = ContextVar("audit_origin", default=None)


@dataclass(slots=True)
class _Waiting:
    at_ms: int
    facts: dict[str, Any]


def encode_entry(
    *,
    at_ms: int,
    who: str,
    act: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    paper: str | None,
    origin: Origin | None = None,
    rows: list[TableRows] | None = None,
) -> bytes:
    """Return the canonical bytes: UTF-8 JSON, sorted keys, no spaces, days as ISO text."""
    entry = {
        "act": act,
        "after": after,
        "at_ms": at_ms,
        "before": before,
        "from": None if origin is None else {"address": origin.address, "agent": origin.agent},
        "paper": paper,
        "rows": [part.as_json() for part in rows or ()],
        "subject": subject,
        "who": who,
    }
    text = json.dumps(
        entry, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain
    )
    return text.encode("utf-8")


async def record(
    session: Session,
    *,
    at_ms: int,
    who: str,
    act: str,
    subject: str,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    paper: str | None = None,
) -> None:
    """Append an entry: ``who`` did ``act`` ("source.approve") to ``subject`` ("source:ID").

    It is written when the transaction commits. Of an official (subject "official:CODE"), the values
    that PERSONAL names are encrypted by their names.
    """
    facts: dict[str, Any] = {
        "who": who, "act": act, "subject": subject, "before": before, "after": after,
        "paper": paper, "origin": ORIGIN.get(),
    }  # fmt: skip
    encode_entry(at_ms=at_ms, **facts)  # what cannot be written is refused where it is said
    for pending in session.before_commit:
        if isinstance(pending, _Entries):
            pending.waiting.append(_Waiting(at_ms, facts))
            return
    session.before_commit.append(_Entries([_Waiting(at_ms, facts)]))


@dataclass(slots=True)
class _Entries:
    """The entries of one transaction, written when it ends."""

    waiting: list[_Waiting]

    async def __call__(self, session: Session) -> None:
        """Write them, the last with the rows that the transaction wrote."""
        now_ms = max(entry.at_ms for entry in self.waiting)
        for entry in self.waiting:
            await _hide_persons(session, entry.facts, now_ms)
        rows = await take_touched(session, now_ms)
        floor = await _newest(session)
        for number, entry in enumerate(self.waiting):
            at_ms = floor = max(floor, entry.at_ms)
            mine = number == len(self.waiting) - 1
            await _insert(session, at_ms, entry.facts, rows[:1] if mine else None)
        further = {**self.waiting[-1].facts, "before": None, "after": None}
        for part in rows[1:]:
            await _insert(session, floor, further, [part])


async def _newest(session: Session) -> int:
    """Return the time of the newest entry, epoch ms, and let nobody write another before the commit."""
    if session.dialect == "postgres":
        # Held until the commit, milliseconds: numbers and times go in the order of the commits.
        await session.execute(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    last = await session.one("SELECT at_ms FROM audit_entry ORDER BY id DESC LIMIT 1")
    return int(last["at_ms"]) if last else 0


async def write_entry(
    session: Session,
    *,
    at_ms: int,
    who: str,
    act: str,
    subject: str,
    paper: str | None,
    rows: list[TableRows],
) -> None:
    """Write an entry about rows at once; for what takes rows as they are (see audit_adopt)."""
    facts: dict[str, Any] = {
        "who": who, "act": act, "subject": subject, "before": None, "after": None,
        "paper": paper, "origin": ORIGIN.get(),
    }  # fmt: skip
    await _insert(session, max(at_ms, await _newest(session)), facts, rows)


async def _insert(
    session: Session, at_ms: int, facts: Mapping[str, Any], rows: list[TableRows] | None
) -> None:
    entry = encode_entry(at_ms=at_ms, rows=rows, **facts)
    made = await session.one(
        "INSERT INTO audit_entry (at_ms, entry, sha256) VALUES (:at_ms, :entry, :sha256) RETURNING id",
        at_ms=at_ms,
        entry=entry,
        sha256=sha256(entry).hexdigest(),
    )
    await session.execute(
        "INSERT INTO audit_about (entry_id, at_ms, who, act, subject)"
        " VALUES (:entry, :at_ms, :who, :act, :subject)",
        entry=made["id"] if made else None,
        at_ms=at_ms,
        **{name: str(facts[name])[:200] for name in ("who", "act", "subject")},
    )


async def _hide_persons(session: Session, facts: dict[str, Any], now_ms: int) -> None:
    kind, _, ref = str(facts["subject"]).partition(":")
    told = [facts[side] for side in ("before", "after") if facts[side]]
    if kind != "official" or not any(_PERSONAL_VALUES & side.keys() for side in told):
        return
    row = await session.one("SELECT id FROM official WHERE code = :ref", ref=ref)
    if row is None and ref.isascii() and ref.isdecimal() and len(ref) <= 18:
        row = await session.one("SELECT id FROM official WHERE id = :ref", ref=int(ref))
    key = None
    if row is not None:
        key = (await ensure_keys(session, [row["id"]], now_ms)).get(row["id"])
    person = int(row["id"]) if row else 0
    for side in ("before", "after"):
        if facts[side]:
            facts[side] = {
                name: seal_value(key, person, name, value) if name in _PERSONAL_VALUES else value
                for name, value in facts[side].items()
            }


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"an audit entry cannot hold a {type(value).__name__}")
