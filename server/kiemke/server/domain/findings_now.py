"""Differences between book and observation as findings: opened when they come, closed when they go."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from kiemke.server.db import Database, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.hardware import Part
from kiemke.server.domain.reconcile import Difference, Question, read_all
from kiemke.server.domain.reconcile_sql import KINDS
from kiemke.server.domain.scope import common_unit, load_parents
from kiemke.server.domain.text_labels import Words

Guard = Callable[[Session], Awaitable[None]]
# (kind, subject) -> (detail, id of the unit it is about; None: no unit, or of all of them). A detail that is one
# text is alike in both languages: names, figures and a command.
Wanted = dict[tuple[str, str], tuple[str | Words, int | None]]
_LONGEST = 500
# A transaction this long holds up ingest on SQLite for a moment only.
ROWS_A_TURN = 2_000

_OPEN = """
SELECT id, kind, subject, detail, detail_vi, unit_id FROM finding WHERE kind IN :[kinds.text] AND closed_at_ms IS NULL
ORDER BY id
"""
_ADD = """
INSERT INTO finding (kind, subject, detail, detail_vi, unit_id, opened_at_ms, updated_at_ms)
VALUES (:kind, :subject, :detail, :detail_vi, CAST(:unit AS BIGINT), :now, :now)
"""
_RENEW = """
UPDATE finding SET detail = :detail, detail_vi = :detail_vi, unit_id = CAST(:unit AS BIGINT), updated_at_ms = :now
WHERE id = :id
"""
_CLOSE = "UPDATE finding SET closed_at_ms = :now, updated_at_ms = :now WHERE id = :id"


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Make the open findings of KINDS exactly today's differences; return how many changed."""
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        found = await read_all(session, Question(today, now_ms))
        parents = await load_parents(session, today)
    wanted: Wanted = {
        (each.kind, subject_of(each)): (detail_of(each), common_unit(parents, each.unit_ids))
        for each in found
    }
    return await settle(db, list(KINDS), wanted, now_ms, guard)


async def settle(db: Database, kinds: list[str], wanted: Wanted, now_ms: int, guard: Guard) -> int:
    """Make the open findings of ``kinds`` exactly ``wanted``.

    Returns how many were opened, renewed or closed.
    """
    wanted = dict(wanted)
    async with db.reading() as session:
        before = await session.fetch(_OPEN, kinds=kinds)
    steps: list[tuple[str, dict[str, Any]]] = []
    for row in before:
        now = wanted.pop((row["kind"], row["subject"]), None)
        if now is None:
            steps.append((_CLOSE, {"id": row["id"], "now": now_ms}))
        elif (*_texts(now[0]), now[1]) != (row["detail"], row["detail_vi"], row["unit_id"]):
            steps.append((_RENEW, {"id": row["id"], **_said(*now, now_ms)}))
    for (kind, subject), (detail, unit) in sorted(wanted.items()):
        steps.append((_ADD, {"kind": kind, "subject": subject, **_said(detail, unit, now_ms)}))
    for start in range(0, len(steps), ROWS_A_TURN):
        async with db.transaction() as session:
            await guard(session)
            await _write(session, steps[start : start + ROWS_A_TURN])
    return len(steps)


def _texts(detail: str | Words) -> tuple[str, str | None]:
    """Return a detail as it is stored: in English or alike in both languages, and in Vietnamese."""
    if isinstance(detail, str):
        return detail, None
    return detail.en[:_LONGEST], detail.vi[:_LONGEST]


def _said(detail: str | Words, unit: int | None, now_ms: int) -> dict[str, Any]:
    text, text_vi = _texts(detail)
    return {"detail": text, "detail_vi": text_vi, "unit": unit, "now": now_ms}


async def _write(session: Session, steps: Iterable[tuple[str, dict[str, Any]]]) -> None:
    by_statement: dict[str, list[dict[str, Any]]] = {}
    for statement, values in steps:
        by_statement.setdefault(statement, []).append(values)
    for statement, rows in by_statement.items():
        await session.many(statement, rows)


def subject_of(found: Difference) -> str:
    """Return what a finding is about: "asset:CODE", "device:CODE", "machine:ID" or "hardware:ID"."""
    if found.kind == "hardware":
        return f"hardware:{found.key}"
    if found.kind == "not_booked":
        if found.device is not None:
            return f"device:{found.device.code}"[:80]
        return f"machine:{found.machine_id}"
    return f"asset:{found.asset.code if found.asset else found.key}"[:80]


def detail_of(found: Difference) -> str:
    """Return names and figures, the same in every language, and the next command."""
    parts = [
        found.asset.name if found.asset else None,
        found.hostname,
        found.device.name if found.device else None,
        found.unit.name if found.unit else None,
        found.person.name if found.person else None,
        found.owner,
        f"{found.return_on:%d/%m/%Y}" if found.return_on else None,
    ]
    changed = [f"-{part_text(part)}" for part in found.gone]
    changed += [f"+{part_text(part)}" for part in found.come]
    seen = [each.name for each in (found.seen_unit, found.seen_person) if each]
    text = " · ".join(part for part in (*parts, *changed) if part)
    if seen:
        text += f" → {', '.join(seen)}"
    room = 500 - len(found.next_command) - 3
    return f"{text[:room]} | {found.next_command}"


def part_text(part: Part) -> str:
    """Return a part as "8 GiB M378A1K43 S/N 12345678"; sizes of disks in GB as makers count."""
    size, name, serial = part
    shown = None
    if size is not None:
        whole = size / 2**30
        shown = f"{whole:.0f} GiB" if whole == int(whole) else f"{size / 10**9:.0f} GB"
    return " ".join(word for word in (shown, name, f"S/N {serial}" if serial else None) if word)
