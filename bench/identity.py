"""How well machines are known again: a fleet of known truth through the real resolver.

``python -m bench.identity [--pcs N] [--years N] [--seed N] [--mix NAME]`` prints how many PCs were wrongly
merged and wrongly split, beside what is wanted, and what people were asked.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.identity_world import MIXES, STANDARD, Shown, World
from kiemke.server.daypack import Presence
from kiemke.server.db import Database, Session, as_date
from kiemke.server.domain.identity_now import Resolver
from kiemke.server.migrate import migrate

SEED = 20261126
MOST_MERGED, MOST_SPLIT_RATIO = 0, 0.005
_OFFSET_SECONDS = 25_200


@dataclass(slots=True)
class Accuracy:
    """What came of it. ``merged`` machines hold several PCs; ``split`` PCs are several machines."""

    pcs: int
    machines: int
    installs: int
    merged: int
    split: int
    doubts: int
    set_aside: int
    shared_adapters: int
    docks: int
    wrong_adapters: int
    seconds: float
    examples: list[str] = field(default_factory=list)

    @property
    def split_ratio(self) -> float:
        """Return the share of PCs that were wrongly split."""
        return self.split / self.pcs

    @property
    def is_good(self) -> bool:
        """Whether it is as wanted."""
        return self.merged <= MOST_MERGED and self.split_ratio <= MOST_SPLIT_RATIO


def _at_ms(day: date, hours: int = 5) -> int:
    return int(datetime(day.year, day.month, day.day, hours, tzinfo=UTC).timestamp() * 1000)


async def measure(
    database: Database, *, pcs: int, years: int, seed: int, mix: str = STANDARD
) -> Accuracy:
    """Play a fleet into an empty, migrated database and compare its machines with the truth."""
    began = time.monotonic()
    world = World(pcs, seed, MIXES[mix])
    play = _Play(database, Resolver(database))
    await play.begin()
    for number in range(12 * years):
        shown = world.month(number) if number else world.first_month()
        await play.month(shown, world)
    return await play.judge(world, time.monotonic() - began)


@dataclass(slots=True)
class _Play:
    """Writes what agents showed as ingest would have stored it, and runs the resolver."""

    database: Database
    resolver: Resolver
    truth: dict[int, list[tuple[date, int]]] = field(default_factory=lambda: defaultdict(list))
    ended: dict[int, date] = field(default_factory=dict)
    sections: dict[tuple[int, str], str] = field(default_factory=dict)

    async def begin(self) -> None:
        async with self.database.transaction() as session:
            await session.execute(
                "INSERT INTO installation (id, public_id, utc_offset_seconds, demo, created_at_ms)"
                " VALUES (1, 'bench', :offset, :demo, 0)",
                offset=_OFFSET_SECONDS,
                demo=True,
            )
            await session.execute(
                "INSERT INTO unit (created_at_ms, demo) VALUES (0, :demo)", demo=True
            )
            await session.execute(
                "INSERT INTO enrolment_token (public_id, secret_sha256, kind, unit_id, uses_left,"
                " expires_at_ms, approves, created_at_ms) VALUES ('t', '0', 'agent', 1, 1, 1,"
                " :approves, 0)",
                approves=True,
            )

    async def month(self, shown: Sequence[Shown], world: World) -> None:
        """Store a month in the order of its days, looking once after each day that says anything."""
        days: dict[date, list[Shown]] = defaultdict(list)
        for one in shown:
            days[one.day].append(one)
        last = max(days) if days else None
        for number, day in enumerate(sorted(days)):
            async with self.database.transaction() as session:
                for one in days[day]:
                    await self._store(session, one)
                if day == last:
                    await self._hear(session, world, day)
            if number % 5 == 4 or day == last or self._moves(days[day]):
                await self.resolver.run(_at_ms(day, 6))
        if last is not None:
            await self._answer(_at_ms(last, 7))

    def _moves(self, shown: Sequence[Shown]) -> bool:
        """Whether an install moved: the resolver looks every few seconds, not once a month."""
        return any(len(self.truth[one.source]) > 1 for one in shown)

    async def _store(self, session: Session, one: Shown) -> None:
        at_ms = _at_ms(one.day)
        if one.is_new:
            await session.execute(
                "INSERT INTO source (id, public_id, kind, state, install_id, secret_sha256,"
                " token_id, unit_id, hostname, created_at_ms, approved_at_ms) VALUES (:id, :name,"
                " 'agent', 'approved', :name, '0', 1, 1, :host, :at, :at)",
                id=one.source, name=f"s{one.source}", host=f"PC-{one.pc}", at=at_ms,
            )  # fmt: skip
            await session.execute(
                "INSERT INTO source_now (source_id, changed_at_ms) VALUES (:id, :at)",
                id=one.source, at=at_ms,
            )  # fmt: skip
        if not self.truth[one.source] or self.truth[one.source][-1][1] != one.pc:
            self.truth[one.source].append((one.day, one.pc))
        await session.many(
            "INSERT INTO source_section (source_id, section, status, token, rows_json,"
            " observed_at_ms, changed_at_ms) VALUES (:source, :section, 'ok', 't', :rows, :at, :at)"
            " ON CONFLICT (source_id, section) DO UPDATE SET rows_json = excluded.rows_json,"
            " status = 'ok', observed_at_ms = :at, changed_at_ms = :at",
            [
                {"source": one.source, "section": name, "rows": json.dumps(rows), "at": at_ms}
                for name, rows in one.sections.items()
            ],
        )
        await session.execute(
            "UPDATE source_section SET status = 'failed' WHERE source_id = :source"
            " AND observed_at_ms < :at",
            source=one.source, at=at_ms,
        )  # fmt: skip
        await session.execute(
            "UPDATE source_now SET identity_changed_at_ms = :at, last_received_at_ms = :at"
            " WHERE source_id = :source",
            source=one.source, at=at_ms,
        )  # fmt: skip
        if one.dual:
            await self._take_turns(session, one)

    async def _take_turns(self, session: Session, one: Shown) -> None:
        """Store presence of the two systems of one PC: never at once."""
        for month in range(130):
            day = one.day + timedelta(days=30 * month)
            for source, first in ((one.source - 1, 90), (one.source, 160)):
                packed = Presence(((1 << 20) - 1) << first, ((1 << 20) - 1) << first).pack()
                await session.execute(
                    "INSERT INTO presence_day (source_id, day, packed, slots, trusted_slots,"
                    " changed_at_ms) VALUES (:source, :day, :packed, 20, 20, 0)",
                    source=source, day=day, packed=packed,
                )  # fmt: skip

    async def _hear(self, session: Session, world: World, day: date) -> None:
        """Say that every install of a PC in use was heard at the end of the month."""
        live = sorted({source for pc in world.pcs if pc.alive for source in pc.installs})
        await session.execute(
            "UPDATE source_now SET last_received_at_ms = :at WHERE source_id IN :[ids]",
            at=_at_ms(day, 6),
            ids=live,
        )

    async def _answer(self, now_ms: int) -> None:
        """Approve both of each pair set aside, as a person does who has looked at the two PCs."""
        async with self.database.transaction() as session:
            await session.execute(
                "UPDATE source SET state = 'approved', approved_at_ms = :now"
                " WHERE state = 'quarantined' AND state_reason LIKE 'same evidence%'",
                now=now_ms,
            )

    async def judge(self, world: World, seconds: float) -> Accuracy:
        """Compare the dated rows with the truth, each install on the last day on each PC."""
        rows = await self.database.read(
            "SELECT ms.source_id, ms.machine_id, ms.valid_from, ms.valid_to, s.state"
            " FROM machine_source ms JOIN source s ON s.id = ms.source_id"
            " WHERE ms.voided_at_ms IS NULL ORDER BY ms.source_id, ms.stay"
        )
        of: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in rows:
            of[row["source_id"]].append(row)
        pcs_of: dict[int, set[int]] = defaultdict(set)
        machines_of: dict[int, set[int]] = defaultdict(set)
        for source, spans in self.truth.items():
            if of[source] and of[source][0]["state"] == "quarantined":
                continue  # set aside: nothing is claimed of it
            for (_, pc), end in zip(spans, [*(day for day, _ in spans[1:]), None], strict=True):
                day = date(2999, 1, 1) if end is None else end - timedelta(days=1)
                for row in of[source]:
                    until = row["valid_to"]
                    if as_date(row["valid_from"]) <= day and (
                        until is None or as_date(until) > day
                    ):
                        pcs_of[row["machine_id"]].add(pc)
                        machines_of[pc].add(row["machine_id"])
        merged = {m: found for m, found in pcs_of.items() if len(found) > 1}
        split = {pc: found for pc, found in machines_of.items() if len(found) > 1}
        counts = (
            await self.database.read(
                "SELECT (SELECT COUNT(*) FROM finding WHERE kind = 'doubtful_machine') AS doubts,"
                " (SELECT COUNT(*) FROM finding WHERE kind <> 'doubtful_machine') AS set_aside"
            )
        )[0]
        shared = {row["mac"] for row in await self.database.read("SELECT mac FROM shared_adapter")}
        docks = {mac.replace(":", "") for mac in world.docks}
        return Accuracy(
            pcs=len(world.pcs), machines=len(pcs_of), installs=len(self.truth), merged=len(merged),
            split=len(split), doubts=counts["doubts"], set_aside=counts["set_aside"],
            shared_adapters=len(shared & docks), docks=len(docks), wrong_adapters=len(shared - docks),
            seconds=seconds,
            examples=[
                *(f"machine {m} is PCs {sorted(f)}" for m, f in sorted(merged.items())[:5]),
                *(f"PC {p} is machines {sorted(f)}" for p, f in sorted(split.items())[:5]),
            ],
        )  # fmt: skip


async def measure_afresh(folder: Path, **asked: Any) -> Accuracy:
    """Measure in a new SQLite database below ``folder``."""
    url = f"sqlite://{folder / 'identity.sqlite'}"
    await migrate(url)
    database = Database(url)
    await database.open()
    try:
        return await measure(database, **asked)
    finally:
        await database.close()


def main() -> int:
    """Measure and print; 1 when it is not as wanted."""
    parser = argparse.ArgumentParser(prog="python -m bench.identity", description=__doc__)
    parser.add_argument("--pcs", type=int, default=2000)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--mix", choices=sorted(MIXES), default=STANDARD)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="kiemke-identity-"))
    try:
        found = asyncio.run(
            measure_afresh(
                folder, pcs=options.pcs, years=options.years, seed=options.seed, mix=options.mix
            )
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"{options.mix}, seed {options.seed}: {found.pcs} PCs, {found.installs} installs, "
        f"{found.machines} machines in {found.seconds:.0f} s\n"
        f"  wrongly merged {found.merged} (wanted {MOST_MERGED}), wrongly split {found.split} = "
        f"{found.split_ratio:.2%} (wanted <= {MOST_SPLIT_RATIO:.1%})\n"
        f"  asked: {found.doubts} doubts, {found.set_aside} collisions; docks found "
        f"{found.shared_adapters} of {found.docks}, others taken for shared {found.wrong_adapters}"
    )
    for example in found.examples:
        print(f"  {example}")
    return 0 if found.is_good else 1


if __name__ == "__main__":
    sys.exit(main())
