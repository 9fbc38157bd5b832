"""Gives each source its machine and each machine its asset; one leader runs it.

Nothing is overwritten: a decision is a dated row with its evidence. Two live sources with the same
evidence are both quarantined and a finding is opened.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.identity import SECTIONS, Index, Key, read_evidence

Guard = Callable[[Session], Awaitable[None]]

# Whatever a source saw, it saw as the machine it is: its membership has no beginning of its own.
_SINCE_EVER = date(2000, 1, 1)
# Sources report every few minutes: one heard this long after another was installed is alive beside it.
_BOTH_LIVE_MS = 900_000

_CHANGED = """
SELECT n.source_id, n.identity_changed_at_ms FROM source_now n JOIN source s ON s.id = n.source_id
WHERE s.kind = 'agent' AND s.state IN ('pending', 'approved')
  AND n.identity_changed_at_ms IS NOT NULL
  AND (n.resolved_at_ms IS NULL OR n.identity_changed_at_ms >= n.resolved_at_ms)
ORDER BY n.source_id
"""
_SECTIONS = """
SELECT x.source_id, x.section, x.rows_json FROM source_section x JOIN source s ON s.id = x.source_id
WHERE x.section IN :[names.text] AND x.rows_json IS NOT NULL AND s.kind = 'agent'
  AND s.state <> 'revoked'
"""
_MACHINES = """
SELECT source_id, machine_id FROM machine_source WHERE voided_at_ms IS NULL AND valid_to IS NULL
"""
_MATCHES = """
SELECT asset_id, machine_id FROM asset_match WHERE voided_at_ms IS NULL AND valid_to IS NULL
"""
_REFUSED = "SELECT asset_id, machine_id FROM match_refusal WHERE voided_at_ms IS NULL"
_SOURCES = """
SELECT s.id, s.state, s.created_at_ms, s.unit_id, n.last_received_at_ms
FROM source s JOIN source_now n ON n.source_id = s.id WHERE s.kind = 'agent'
"""


@dataclass(slots=True)
class Outcome:
    """What one run did."""

    resolved: int = 0
    matched: int = 0
    approved: int = 0
    quarantined: int = 0


class Resolver:
    """Keeps the evidence of every source in memory between the runs of one leader."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.index: Index | None = None

    async def run(self, now_ms: int, guard: Guard | None = None) -> Outcome:
        """Resolve what changed since the last run. ``guard`` raises when this process may not."""
        outcome = Outcome()
        async with self.db.reading() as session:
            installation = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installation is None:
                return outcome
            today = calendar.local_day(now_ms, installation["utc_offset_seconds"])
            seen = {
                row["source_id"]: row["identity_changed_at_ms"]
                for row in await session.fetch(_CHANGED)
            }
            changed = list(seen)
            await self._read(session, changed, today, now_ms)
            machine_of = {r["source_id"]: r["machine_id"] for r in await session.fetch(_MACHINES)}
            sources = {row["id"]: row for row in await session.fetch(_SOURCES)}
        async with self.db.transaction() as session:
            if guard is not None:
                await guard(session)
            for source in changed:
                await self._resolve(session, source, machine_of, now_ms)
                outcome.resolved += 1
            outcome.quarantined = await self._quarantine(session, machine_of, sources, now_ms)
            await self._match(session, machine_of, sources, today, now_ms, outcome)
            # Not the time of this run: what was received before it may be committed after its read.
            await session.many(
                "UPDATE source_now SET resolved_at_ms = :seen WHERE source_id = :source",
                [{"seen": at_ms + 1, "source": source} for source, at_ms in seen.items()],
            )
        return outcome

    async def _read(self, session: Session, changed: list[int], day: date, now_ms: int) -> None:
        sql, params = _SECTIONS, {}
        if self.index is None:
            law = await rules.load(session, day, now_ms)
            self.index = Index(law.whole("identity_learned_bogus_machines"))
        else:
            sql, params = sql + " AND x.source_id IN :[ids]", {"ids": changed}
        sections: dict[int, dict[str, str]] = defaultdict(dict)
        for row in await session.fetch(sql, names=list(SECTIONS), **params):
            sections[row["source_id"]][row["section"]] = row["rows_json"]
        for source in {*changed, *sections}:
            self.index.put(source, read_evidence(sections.get(source, {})))

    async def _resolve(
        self, session: Session, source: int, machine_of: dict[int, int], now_ms: int
    ) -> None:
        if source in machine_of or self.index is None:
            return
        likes = self.index.likes(source, machine_of)
        known = next((other for other in likes if other in machine_of), None)
        shared: tuple[Key, ...] = ()
        if known is None:
            row = await session.one(
                "INSERT INTO machine (created_at_ms) VALUES (:now) RETURNING id", now=now_ms
            )
            if row is None:
                raise RuntimeError("INSERT ... RETURNING gave no row")
            machine = int(row["id"])
        else:
            machine, shared = machine_of[known], likes[known]
        machine_of[source] = machine
        evidence: dict[str, object] = {
            "like": known,
            "shared": [f"{kind}:{value}" for kind, value in shared],
        }
        await _add_dated(
            session,
            "INSERT INTO machine_source (machine_id, source_id, decided_by, evidence_json,"
            " valid_from, recorded_at_ms, recorded_by)"
            " VALUES (:left, :right, :by, :evidence, :valid_from, :now, 'identity')",
            (machine, source),
            "new" if known is None else "evidence",
            (evidence, _SINCE_EVER, now_ms),
        )

    async def _quarantine(
        self,
        session: Session,
        machine_of: dict[int, int],
        sources: dict[int, Row],
        now_ms: int,
    ) -> int:
        """Set aside every pair of one machine of which the older is heard after the newer began."""
        members: dict[int, list[int]] = defaultdict(list)
        for source, machine in machine_of.items():
            if source in sources and sources[source]["state"] in ("approved", "pending"):
                members[machine].append(source)
        count = 0
        for machine, together in sorted(members.items()):
            if len(together) < 2:
                continue
            rows = sorted((sources[s] for s in together), key=lambda row: row["created_at_ms"])
            live = [
                row
                for row, newer in zip(rows, rows[1:], strict=False)
                if (row["last_received_at_ms"] or 0) > newer["created_at_ms"] + _BOTH_LIVE_MS
            ]
            if not live:
                continue
            twins = [*(row["id"] for row in live), rows[-1]["id"]]
            reason = f"same hardware evidence as another live source of machine {machine}"
            await session.many(
                "UPDATE source SET state = 'quarantined', state_reason = :reason WHERE id = :source",
                [{"reason": reason, "source": source} for source in sorted(twins)],
            )
            for source in twins:
                sources[source]["state"] = "quarantined"
            listed = ", ".join(str(source) for source in sorted(twins))
            await open_finding(
                session,
                "cloned_identity",
                f"machine:{machine}",
                f"sources {listed}: {reason}",
                now_ms,
            )
            count += len(twins)
        return count

    async def _match(
        self,
        session: Session,
        machine_of: dict[int, int],
        sources: dict[int, Row],
        today: date,
        now_ms: int,
        outcome: Outcome,
    ) -> None:
        if self.index is None:
            return
        taken = await session.fetch(_MATCHES)
        matched = {row["machine_id"]: row["asset_id"] for row in taken}
        wanted: dict[str, set[int]] = defaultdict(set)
        for source, machine in machine_of.items():
            if machine not in matched and source in self.index.of:
                for serial in self.index.of[source].serials:
                    wanted[serial].add(machine)
        assets: dict[str, list[int]] = defaultdict(list)
        for row in await session.fetch(
            "SELECT id, serial_key FROM asset WHERE serial_key IN :[keys.text] ORDER BY id",
            keys=sorted(wanted),
        ):
            assets[row["serial_key"]].append(row["id"])
        booked = {row["asset_id"] for row in taken}
        refused = {(r["asset_id"], r["machine_id"]) for r in await session.fetch(_REFUSED)}
        for serial, found in sorted(assets.items()):
            machines = wanted[serial] - matched.keys()
            if not machines:
                continue
            free = [asset for asset in found if asset not in booked]
            if len(found) > 1 or len(machines) > 1 or not free:
                detail = f"assets {found} and machines {sorted(machines)} share serial {serial}"
                await open_finding(session, "ambiguous_serial", f"serial:{serial}", detail, now_ms)
                continue
            machine = machines.pop()
            if (free[0], machine) in refused:
                continue
            await self._add_match(session, free[0], machine, serial, today, now_ms)
            matched[machine] = free[0]
            booked.add(free[0])
            outcome.matched += 1
        await self._approve(session, machine_of, sources, matched, now_ms, outcome)

    async def _add_match(
        self, session: Session, asset: int, machine: int, serial: str, today: date, now_ms: int
    ) -> None:
        since = await session.one(
            "SELECT MIN(valid_from) AS day FROM asset_status"
            " WHERE asset_id = :asset AND voided_at_ms IS NULL",
            asset=asset,
        )
        valid_from = date.fromisoformat(str(since["day"])) if since and since["day"] else today
        await _add_dated(
            session,
            "INSERT INTO asset_match (asset_id, machine_id, decided_by, evidence_json, valid_from,"
            " recorded_at_ms, recorded_by)"
            " VALUES (:left, :right, :by, :evidence, :valid_from, :now, 'identity')",
            (asset, machine),
            "serial",
            ({"serial": serial}, min(valid_from, today), now_ms),
        )

    async def _approve(
        self,
        session: Session,
        machine_of: dict[int, int],
        sources: dict[int, Row],
        matched: dict[int, int],
        now_ms: int,
        outcome: Outcome,
    ) -> None:
        """Approve pending sources whose machine is an asset in the custody of their token's subtree."""
        for source, row in sorted(sources.items()):
            asset = matched.get(machine_of.get(source, 0))
            if row["state"] != "pending" or asset is None:
                continue
            if not await session.fetch(_IN_SUBTREE, asset=asset, unit=row["unit_id"]):
                continue
            await session.execute(
                "UPDATE source SET state = 'approved', approved_at_ms = :now,"
                " approved_by = 'serial' WHERE id = :source AND state = 'pending'",
                now=now_ms,
                source=source,
            )
            outcome.approved += 1


_IN_SUBTREE = """
WITH RECURSIVE above(unit_id) AS (
  SELECT unit_id FROM custody
  WHERE asset_id = :asset AND voided_at_ms IS NULL AND valid_to IS NULL
  UNION
  SELECT v.parent_id FROM above a JOIN unit_version v ON v.unit_id = a.unit_id
  WHERE v.parent_id IS NOT NULL AND v.voided_at_ms IS NULL AND v.valid_to IS NULL
)
SELECT unit_id FROM above WHERE unit_id = :unit
"""


async def _add_dated(
    session: Session,
    sql: str,
    pair: tuple[int, int],
    decided_by: str,
    fact: tuple[dict[str, object], date, int],
) -> None:
    evidence, valid_from, now_ms = fact
    await session.execute(
        sql,
        left=pair[0],
        right=pair[1],
        by=decided_by,
        evidence=json.dumps(evidence),
        valid_from=valid_from,
        now=now_ms,
    )


async def open_finding(session: Session, kind: str, subject: str, detail: str, now_ms: int) -> None:
    """Open a finding, or renew the open one of the same kind and subject."""
    found = await session.one(
        "SELECT id FROM finding WHERE kind = :kind AND subject = :subject AND closed_at_ms IS NULL",
        kind=kind,
        subject=subject[:80],
    )
    if found is None:
        await session.execute(
            "INSERT INTO finding (kind, subject, detail, opened_at_ms, updated_at_ms)"
            " VALUES (:kind, :subject, :detail, :now, :now)",
            kind=kind,
            subject=subject[:80],
            detail=detail[:500],
            now=now_ms,
        )
    else:
        await session.execute(
            "UPDATE finding SET detail = :detail, updated_at_ms = :now WHERE id = :id",
            detail=detail[:500],
            now=now_ms,
            id=found["id"],
        )
