"""Gives each source its machine and each machine its asset; one leader runs it.

Nothing is overwritten: a decision is a dated row with its evidence. Two live sources with the same
evidence are both quarantined and a finding is opened.
"""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.audit import record
from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.evidence import SECTIONS, Evidence, read_evidence
from kiemke.server.domain.findings import Found, open_finding, units_of
from kiemke.server.domain.identity import load_weights
from kiemke.server.domain.identity_collisions import Collisions
from kiemke.server.domain.identity_index import Choice, Index
from kiemke.server.domain.identity_rows import (
    MEMBERSHIPS,
    Guard,
    Placement,
    load_index,
    write_evidence,
    write_placements,
)

_CHANGED = """
SELECT n.source_id, n.identity_changed_at_ms FROM source_now n JOIN source s ON s.id = n.source_id
WHERE s.kind IN ('agent', 'one_shot') AND s.state IN ('pending', 'approved')
  AND n.identity_changed_at_ms IS NOT NULL
  AND (n.resolved_at_ms IS NULL OR n.identity_changed_at_ms >= n.resolved_at_ms)
ORDER BY n.identity_changed_at_ms, n.source_id
"""
# What a failed sensor said earlier stays stored, but it is no word about today.
_SECTIONS = """
SELECT x.source_id, x.section, x.rows_json FROM source_section x
WHERE x.section IN :[names.text] AND x.rows_json IS NOT NULL AND x.status = 'ok'
  AND x.source_id IN :[ids]
"""
_SERIAL_SECTIONS = """
SELECT x.source_id, x.section, x.rows_json FROM source_section x JOIN source s ON s.id = x.source_id
WHERE x.section IN ('system', 'chassis') AND x.rows_json IS NOT NULL AND s.kind IN ('agent', 'one_shot')
  AND s.state <> 'revoked'
"""
_MATCHES = """
SELECT asset_id, machine_id FROM asset_match WHERE voided_at_ms IS NULL AND valid_to IS NULL
"""
_REFUSED = "SELECT asset_id, machine_id FROM match_refusal WHERE voided_at_ms IS NULL"
# Those that are heard: a survey by hand is of one day, and collides with nothing.
_SOURCES = """
SELECT s.id, s.public_id, s.hostname, s.state, s.created_at_ms, s.approved_at_ms, s.unit_id,
  n.last_received_at_ms
FROM source s JOIN source_now n ON n.source_id = s.id WHERE s.kind = 'agent'
"""


# Who is heard beside whom is looked at so often, when nothing else asks for it.
_LOOK_EVERY_MS = 60_000


@dataclass(slots=True)
class Outcome:
    """What one run did."""

    resolved: int = 0
    matched: int = 0
    approved: int = 0
    quarantined: int = 0


@dataclass(slots=True)
class _Seen:
    """What one run read: when each changed source changed, and what it shows now."""

    at_ms: dict[int, int] = field(default_factory=dict)
    evidence: dict[int, Evidence] = field(default_factory=dict)


class Resolver:
    """Keeps the evidence of every source in memory between the runs of one leader."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.index: Index | None = None
        self._stamp: tuple[int, int] | None = None
        self._looked_ms = 0

    async def run(self, now_ms: int, guard: Guard | None = None) -> Outcome:
        """Resolve what changed since the last run. ``guard`` raises when this process may not."""
        outcome = Outcome()
        try:
            await self._run(now_ms, guard, outcome)
        except BaseException:
            self.index = None  # it may hold what was rolled back
            raise
        return outcome

    async def _run(self, now_ms: int, guard: Guard | None, outcome: Outcome) -> None:
        async with self.db.reading() as session:
            installation = await session.one(
                "SELECT utc_offset_seconds FROM installation WHERE id = 1"
            )
            if installation is None:
                return
            offset = installation["utc_offset_seconds"]
            today = calendar.local_day(now_ms, offset)
            index = await self._prepare(session, today, now_ms)
            seen = await self._read(session)
            sources = {row["id"]: row for row in await session.fetch(_SOURCES)}
        async with self.db.change() as session:
            if guard is not None:
                await guard(session)
            stamp = await self._read_stamp(session)
            if seen.at_ms or stamp != self._stamp or now_ms >= self._looked_ms + _LOOK_EVERY_MS:
                self._looked_ms = now_ms
                index.set_machines(
                    {
                        (r["source_id"], r["stay"]): r["machine_id"]
                        for r in await session.fetch(MEMBERSHIPS)
                    }
                )
                collisions = await Collisions.load(session, index, sources, now_ms)
                await self._place(session, index, seen, offset, now_ms, collisions)
                await collisions.look()
                outcome.resolved = len(seen.at_ms)
                outcome.quarantined = collisions.quarantined
                self._stamp = await self._read_stamp(session)
            await self._match(session, _current(index), sources, today, now_ms, outcome)
            # Not the time of this run: what was received before it may be committed after its read.
            await session.many(
                "UPDATE source_now SET resolved_at_ms = :seen WHERE source_id = :source",
                [{"seen": at_ms + 1, "source": source} for source, at_ms in seen.at_ms.items()],
            )

    async def _read_stamp(self, session: Session) -> tuple[int, int]:
        """Return what differs when anybody changed which source is which machine."""
        row = await session.one(
            "SELECT COALESCE(MAX(id), 0) AS last, COALESCE(MAX(voided_at_ms), 0) AS voided"
            " FROM machine_source"
        )
        return (row["last"], row["voided"]) if row else (0, 0)

    async def _prepare(self, session: Session, today: date, now_ms: int) -> Index:
        """Return the index, with the rules of today; read from the database the first time."""
        weights = await load_weights(session, today, now_ms)
        if self.index is None:
            self.index = await load_index(session, weights)
            sections: dict[int, dict[str, str]] = defaultdict(dict)
            for row in await session.fetch(_SERIAL_SECTIONS):
                sections[row["source_id"]][row["section"]] = row["rows_json"]
            for source, found in sections.items():
                self.index.of[source] = read_evidence(found)
        self.index.weights = weights
        return self.index

    async def _read(self, session: Session) -> _Seen:
        seen = _Seen()
        for row in await session.fetch(_CHANGED):
            seen.at_ms[row["source_id"]] = row["identity_changed_at_ms"]
        sections: dict[int, dict[str, str]] = defaultdict(dict)
        rows = await session.fetch(_SECTIONS, names=list(SECTIONS), ids=sorted(seen.at_ms))
        for row in rows:
            sections[row["source_id"]][row["section"]] = row["rows_json"]
        for source in seen.at_ms:
            seen.evidence[source] = read_evidence(sections.get(source, {}))
        return seen

    async def _place(
        self,
        session: Session,
        index: Index,
        seen: _Seen,
        offset: int,
        now_ms: int,
        collisions: Collisions,
    ) -> None:
        """Give each changed source its machine, and keep its evidence."""
        placements: list[Placement] = []
        for source, at_ms in seen.at_ms.items():
            evidence = seen.evidence[source]
            index.of[source] = evidence
            number = index.newest.get(source)
            own = None if number is None else (source, number)
            choice = index.choose(evidence.values, own)
            if own is not None and own not in index.stays:
                index.put(own, evidence.values, at_ms)  # from before evidence was kept
                placements.append(Placement(own, at_ms, None, None))
            elif own is not None and choice.by == "keep":
                index.put(own, evidence.values, at_ms)
                placements.append(Placement(own, at_ms, None, None))
            elif own is not None and collisions.has_returned(own, choice, at_ms, offset):
                await collisions.set_aside_copy(own, choice)
                continue
            else:
                key = (source, 0 if number is None else number + 1)
                placed = await _begin_stay(session, index, key, own, choice, at_ms)
                index.put(key, evidence.values, at_ms)
                placements.append(placed)
                await collisions.doubt(key, choice)
            collisions.learned |= index.learn_shared(evidence.values)
        await write_placements(session, placements, offset, now_ms)
        await write_evidence(session, index, placements)
        await collisions.keep_learned()

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
                await _tell_ambiguous(session, serial, found, sorted(machines), now_ms)
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
            await record(
                session,
                at_ms=now_ms,
                who="identity",
                act="source.approve",
                subject=f"source:{row['public_id']}",
                before={"state": "pending"},
                after={"state": "approved", "by": "serial"},
            )
            outcome.approved += 1


async def _tell_ambiguous(
    session: Session, serial: str, assets: list[int], machines: list[int], now_ms: int
) -> None:
    """Say that several assets or machines have one serial: nothing is matched by it."""
    found = Found(
        "ambiguous_serial",
        f"serial:{serial}",
        f"assets {assets} and machines {machines} share serial {serial}",
        f"tài sản {assets} và máy {machines} cùng số sê-ri {serial}",
        await units_of(session, machines=machines, assets=assets),
    )
    await open_finding(session, found, now_ms)


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


def _current(index: Index) -> dict[int, int]:
    """Return the machine of each source as it is now: that of its newest stay."""
    return {source: index.machine_of[source, stay] for source, stay in index.newest.items()}


async def _begin_stay(
    session: Session,
    index: Index,
    key: tuple[int, int],
    own: tuple[int, int] | None,
    choice: Choice,
    at_ms: int,
) -> Placement:
    """Put a new stay into the machine chosen, or a new one."""
    machine = choice.machine
    if machine is None:
        row = await session.one(
            "INSERT INTO machine (created_at_ms) VALUES (:at) RETURNING id", at=at_ms
        )
        if row is None:
            raise RuntimeError("INSERT ... RETURNING gave no row")
        machine = int(row["id"])
    index.assign(key, machine)
    return Placement(key, at_ms, machine, choice, own)


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
