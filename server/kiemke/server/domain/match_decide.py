"""A match decided, by a person or by evidence that leaves no doubt, and undone again.

A match is a dated row with its evidence. Undoing voids that row and takes back what came of it: all
stands as before. What decided by itself is told not to do so again.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from kiemke.server.db import Database, Row, Session, as_date
from kiemke.server.domain import calendar
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By, Stamp
from kiemke.server.domain.match import Candidate, decides
from kiemke.server.domain.match_now import Proposal, load_span, propose
from kiemke.server.domain.text_labels import Words

Guard = Callable[[Session], Awaitable[None]]
PERSON, DRAFT = "person", "draft"
# A match that evidence made: the identity job's serials, and what ``decides``.
_BY_ITSELF = ("serial", "mac", "tag")
_PAGE = 500

_TAKEN = """
SELECT id FROM asset_match WHERE (asset_id = :asset OR machine_id = :machine)
  AND voided_at_ms IS NULL AND valid_to IS NULL
"""


async def accept(
    session: Session, asset_id: int, machine_id: int, evidence: Mapping[str, Any], decided_by: str,
    today: date, stamp: Stamp,
) -> int:  # fmt: skip
    """Write a match and return its id. Raises CannotSay when either side has one already."""
    if session.dialect == "postgres":  # two who decide at once: the second waits and is refused
        await session.execute("SELECT id FROM machine WHERE id = :id FOR UPDATE", id=machine_id)
        await session.execute("SELECT id FROM asset WHERE id = :id FOR UPDATE", id=asset_id)
    taken = await session.one(
        _TAKEN,
        asset=asset_id,
        machine=machine_id,
    )
    if taken is not None:
        raise CannotSay(
            Words(
                f"Máy hoặc tài sản này đã có đối chiếu số {taken['id']}.",
                f"The machine or the asset has the match number {taken['id']} already.",
            ),
            Words("Gỡ đối chiếu đó trước.", "Undo that match first."),
        )
    since = await session.one(
        "SELECT MIN(valid_from) AS day FROM asset_status"
        " WHERE asset_id = :asset AND voided_at_ms IS NULL",
        asset=asset_id,
    )
    begun = as_date(since["day"]) if since and since["day"] else today
    if decided_by == PERSON:
        await session.execute(
            "UPDATE match_refusal SET voided_at_ms = :now, voided_by = :who"
            " WHERE asset_id = :asset AND machine_id = :machine AND voided_at_ms IS NULL",
            now=stamp.now_ms,
            who=stamp.who,
            asset=asset_id,
            machine=machine_id,
        )
    row = await session.one(
        "INSERT INTO asset_match (asset_id, machine_id, decided_by, evidence_json, valid_from,"
        " recorded_at_ms, recorded_by) VALUES (:asset, :machine, :by, :evidence, :day, :now, :who)"
        " RETURNING id",
        asset=asset_id,
        machine=machine_id,
        by=decided_by,
        evidence=json.dumps(evidence, ensure_ascii=False),
        day=min(begun, today),
        now=stamp.now_ms,
        who=stamp.who,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(row["id"])


async def undo(session: Session, match: Row, stamp: Stamp) -> None:
    """Take a match back with what came of it: sources it approved are pending again."""
    await session.execute(
        "UPDATE asset_match SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        now=stamp.now_ms,
        who=stamp.who,
        id=match["id"],
    )
    await session.execute(
        "UPDATE source SET state = 'pending', approved_at_ms = NULL, approved_by = NULL"
        " WHERE state = 'approved' AND approved_by = 'serial' AND id IN"
        " (SELECT source_id FROM machine_source WHERE machine_id = :machine"
        "  AND voided_at_ms IS NULL AND valid_to IS NULL)",
        machine=match["machine_id"],
    )
    if match["decided_by"] in _BY_ITSELF:
        await session.execute(
            "INSERT INTO match_refusal (asset_id, machine_id, valid_from, recorded_at_ms,"
            " recorded_by) VALUES (:asset, :machine, :day, :now, :who)",
            asset=match["asset_id"],
            machine=match["machine_id"],
            day=as_date(match["valid_from"]),
            now=stamp.now_ms,
            who=stamp.who,
        )


def evidence_of(candidate: Candidate | None) -> dict[str, Any]:
    """Return a candidate as the evidence stored with its match; {} where nothing spoke for it."""
    if candidate is None:
        return {}
    reasons = [asdict(reason) for reason in candidate.reasons]
    return {"confidence": candidate.confidence, "reasons": reasons}


_LABELLED = """
SELECT DISTINCT x.machine_id FROM machine_source x JOIN source s ON s.id = x.source_id
WHERE x.voided_at_ms IS NULL AND x.valid_to IS NULL AND s.state IN ('pending', 'approved')
  AND NOT EXISTS (SELECT 1 FROM asset_match y WHERE y.machine_id = x.machine_id
    AND y.voided_at_ms IS NULL AND y.valid_to IS NULL)
  AND (EXISTS (SELECT 1 FROM source_section c WHERE c.source_id = s.id AND c.section = 'chassis'
      AND c.rows_json LIKE '%"asset_tag":%"%')
    OR CAST(:macs AS INTEGER) = 1)
ORDER BY x.machine_id
"""


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Match what a firmware asset tag or a booked MAC settles; return how many.

    Only where one machine and one asset name each other and nothing speaks against it.
    """
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        booked = await session.one("SELECT id FROM asset WHERE mac_key IS NOT NULL LIMIT 1")
        machines = [
            row["machine_id"]
            for row in await session.fetch(_LABELLED, macs=0 if booked is None else 1)
        ]
        span = await load_span(session, today, now_ms)
        settled: list[tuple[Proposal, Candidate, str]] = []
        for start in range(0, len(machines), _PAGE):
            for found in await propose(session, machines[start : start + _PAGE], span, None):
                settled += _settled(found)
    claims: dict[int, int] = defaultdict(int)
    for _, candidate, _ in settled:
        claims[candidate.asset_id] += 1
    alone = [each for each in settled if claims[each[1].asset_id] == 1]
    if not alone:
        return 0
    async with db.change() as session:
        await guard(session)
        for proposal, candidate, code in alone:
            with contextlib.suppress(CannotSay):  # a person was quicker
                await accept(
                    session, candidate.asset_id, proposal.machine.id, evidence_of(candidate), code,
                    today, By("match", now_ms),
                )  # fmt: skip
    return len(alone)


def _settled(found: Proposal) -> list[tuple[Proposal, Candidate, str]]:
    """Return the one candidate that evidence settles, by other means than a serial; [] when two are."""
    sure = [(found, c, code) for c in found.candidates if (code := decides(c)) is not None]
    return [each for each in sure if each[2] != "serial"] if len(sure) == 1 else []
