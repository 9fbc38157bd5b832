"""The audit log: one entry per change, stored as the very bytes that are hashed.

An entry is written in the transaction of the change it tells of, so neither exists alone.
"""

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any

from kiemke.server.db import Session


def encode_entry(
    *,
    at_ms: int,
    who: str,
    act: str,
    subject: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    paper: str | None,
) -> bytes:
    """Return the canonical bytes: UTF-8 JSON, sorted keys, no spaces, days as ISO text."""
    entry = {
        "act": act,
        "after": after,
        "at_ms": at_ms,
        "before": before,
        "paper": paper,
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
    """Append an entry: ``who`` did ``act`` ("source.approve") to ``subject`` ("source:ID")."""
    entry = encode_entry(
        at_ms=at_ms, who=who, act=act, subject=subject, before=before, after=after, paper=paper
    )
    await session.execute(
        "INSERT INTO audit_entry (at_ms, entry, sha256) VALUES (:at_ms, :entry, :sha256)",
        at_ms=at_ms,
        entry=entry,
        sha256=sha256(entry).hexdigest(),
    )


def _plain(value: Any) -> str:
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"an audit entry cannot hold a {type(value).__name__}")
