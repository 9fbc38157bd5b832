"""Merging two machines and undoing it: exact inverses over whatever history, and only with a plan."""

import asyncio
import json
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiemke.server.db import Database, Session
from kiemke.server.domain.identity_now import Resolver
from kiemke.server.domain.identity_rows import active_rows, insert_row, replace_row
from kiemke.server.domain.machine_merge import (
    CannotDecide,
    apply,
    plan_merge,
    plan_unmerge,
    set_apart,
)
from kiemke.server.domain.machine_why import explain
from tests.support.database import fresh_database
from tests.support.office import MOMENT_MS, Office

DAY = date(2020, 1, 1)
Rows = set[tuple[Any, ...]]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["source", "source", "move", "match", "merge", "merge", "unmerge"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    min_size=3,
    max_size=25,
)


class History:
    """A history played into the rows, beside what they would be had nobody merged anything."""

    def __init__(self, session: Session, sources: int, assets: int) -> None:
        self.session = session
        self.free_sources, self.free_assets = (
            list(range(1, sources + 1)),
            list(range(1, assets + 1)),
        )
        self.machines: list[int] = []
        self.stays: dict[int, int] = {}
        self.absorbed: list[tuple[int, int]] = []
        self.plain: dict[tuple[int, int], list[Any]] = {}
        self.plain_matches: Rows = set()
        self.now_ms = MOMENT_MS

    async def step(self, what: str, one: int, two: int) -> None:
        self.now_ms += 1000
        usable = [m for m in self.machines if m not in {other for _, other in self.absorbed}]
        if what == "source" and self.free_sources:
            await self.add_source(usable[one % len(usable)] if usable and two % 3 == 0 else None)
        elif what == "move" and usable and self.stays:
            await self.move(sorted(self.stays)[one % len(self.stays)], usable[two % len(usable)])
        elif what == "match" and usable and self.free_assets:
            await self.match(usable[one % len(usable)])
        elif what == "merge" and len(usable) > 1:
            await self.merge(usable[one % len(usable)], usable[two % len(usable)])
        elif what == "unmerge" and self.absorbed:
            await self.unmerge(*self.absorbed[one % len(self.absorbed)])

    async def add_source(self, machine: int | None) -> None:
        source = self.free_sources.pop()
        if machine is None:
            row = await self.session.one(
                "INSERT INTO machine (created_at_ms) VALUES (1) RETURNING id"
            )
            assert row is not None
            machine = int(row["id"])
            self.machines.append(machine)
        self.stays[source] = 0
        await self.insert(source, 0, machine, DAY)

    async def insert(self, source: int, stay: int, machine: int, since: date) -> None:
        values = {
            "source_id": source, "stay": stay, "machine_id": machine, "valid_from": since,
            "decided_by": "evidence", "evidence_json": json.dumps({"n": source * 10 + stay}),
            "recorded_at_ms": self.now_ms,
        }  # fmt: skip
        await insert_row(self.session, values)
        self.plain[source, stay] = [machine, since, None]

    async def move(self, source: int, machine: int) -> None:
        """An install moves to other hardware, as the resolver writes it."""
        stay = self.stays[source]
        row = (await active_rows(self.session, [source]))[source, stay]
        since = DAY + timedelta(days=10 * (stay + 1))
        await replace_row(self.session, row, self.now_ms, "identity", valid_to=since)
        self.plain[source, stay][2] = since
        self.stays[source] = stay + 1
        await self.insert(source, stay + 1, machine, since)

    async def match(self, machine: int) -> None:
        if any(row[1] == machine for row in await rows_of_matches(self.session)):
            return
        asset = self.free_assets.pop()
        await self.session.execute(
            "INSERT INTO asset_match (asset_id, machine_id, decided_by, evidence_json, valid_from,"
            " recorded_at_ms) VALUES (:asset, :machine, 'serial', '{}', :day, :now)",
            asset=asset,
            machine=machine,
            day=DAY,
            now=self.now_ms,
        )
        self.plain_matches.add((asset, machine, str(DAY), "None", "serial"))

    async def merge(self, machine: int, other: int) -> None:
        """Merge, undo, compare, and merge again, so that the history goes on merged."""
        before = await rows_of(self.session)
        try:
            plan = await plan_merge(self.session, machine, other)
        except CannotDecide:
            return
        await apply(self.session, plan, who="admin", now_ms=self.now_ms)
        merged = await rows_of(self.session)
        assert merged != before
        await apply(
            self.session,
            await plan_unmerge(self.session, machine, other),
            who="admin",
            now_ms=self.now_ms + 1,
        )
        assert await rows_of(self.session) == before
        plan = await plan_merge(self.session, machine, other)
        await apply(self.session, plan, who="admin", now_ms=self.now_ms + 2)
        self.absorbed.append((machine, other))

    async def unmerge(self, machine: int, other: int) -> None:
        try:
            plan = await plan_unmerge(self.session, machine, other)
        except CannotDecide:
            assert any(kept != machine and gone == machine for kept, gone in self.absorbed)
            return
        await apply(self.session, plan, who="admin", now_ms=self.now_ms)
        self.absorbed.remove((machine, other))

    async def end(self) -> None:
        """Undo what is left, the last first, and compare with a history without mergers."""
        for machine, other in reversed(list(self.absorbed)):
            self.now_ms += 1000
            await self.unmerge(machine, other)
        assert self.absorbed == []
        members = {row[1:] for row in await rows_of(self.session) if row[0] == "member"}
        plain = {
            (source, stay, machine, str(since), str(until), "evidence",
             json.dumps({"n": source * 10 + stay}), None, None)
            for (source, stay), (machine, since, until) in self.plain.items()
        }  # fmt: skip
        assert members == plain
        assert await rows_of_matches(self.session) == self.plain_matches


async def rows_of(session: Session) -> Rows:
    """Return what is so, whatever day is asked about: every row that is not voided."""
    found = await session.fetch("SELECT * FROM machine_source WHERE voided_at_ms IS NULL")
    members: Rows = {
        (
            "member", row["source_id"], row["stay"], row["machine_id"], str(row["valid_from"]),
            str(row["valid_to"]), row["decided_by"], row["evidence_json"], row["decision_id"],
            row["replaces_id"],
        )
        for row in found
    }  # fmt: skip
    assert len(members) == len(found)
    return members | {("match", *row) for row in await rows_of_matches(session)}


async def rows_of_matches(session: Session) -> Rows:
    found = await session.fetch("SELECT * FROM asset_match WHERE voided_at_ms IS NULL")
    return {
        (
            row["asset_id"], row["machine_id"], str(row["valid_from"]), str(row["valid_to"]),
            row["decided_by"],
        )
        for row in found
    }  # fmt: skip


async def play(database: Database, steps: list[tuple[str, int, int]]) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    for _ in range(8):
        office.add_source(1)
    for _ in range(4):
        office.add_asset()
    await office.write_to(database)
    async with database.transaction() as session:
        history = History(session, 8, 4)
        for step in steps:
            await history.step(*step)
        await history.end()


@settings(max_examples=12, deadline=None)
@given(steps=STEPS)
def test_unmerge_is_the_exact_inverse_of_merge_in_any_history(
    steps: list[tuple[str, int, int]],
) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with fresh_database("sqlite", Path(folder), None) as database:
                await play(database, steps)

    asyncio.run(run())


async def test_a_long_history_comes_out_the_same_on_both_databases(database: Database) -> None:
    kinds = ("source", "source", "match", "merge", "move", "source", "merge", "match", "unmerge")
    steps = [(kinds[n % len(kinds)], n * 7 % 31, n * 11 % 29) for n in range(60)]

    await play(database, steps)


async def two_machines(database: Database, *, both_matched: bool = False) -> None:
    """Write two machines of one source each, the first matched with an asset (or both)."""
    office = Office()
    office.add_installation()
    office.add_unit()
    for number in (1, 2):
        source = office.add_source(1, heard_ms=MOMENT_MS)
        system = {"serial": f"SERIAL-{number}", "uuid": None}
        office.add_section(source, "system", [system], MOMENT_MS)
        if number == 1 or both_matched:
            office.add_pc(1, serial_key=f"SERIAL{number}")
    await office.write_to(database)
    await Resolver(database).run(MOMENT_MS + 1)


async def test_two_machines_that_are_two_booked_assets_are_not_merged(database: Database) -> None:
    await two_machines(database, both_matched=True)

    async with database.transaction() as session:
        with pytest.raises(CannotDecide, match="A1 / A2"):
            await plan_merge(session, 1, 2)


async def test_what_was_known_before_a_merger_is_still_told(database: Database) -> None:
    await two_machines(database)
    async with database.transaction() as session:
        plan = await plan_merge(session, 1, 2)
        await apply(session, plan, who="admin", now_ms=MOMENT_MS + 10_000, reason="nhìn tận nơi")

    async with database.reading() as session:
        then = await explain(session, 1, date(2026, 3, 10), MOMENT_MS + 5_000)
        now = await explain(session, 1, date(2026, 3, 10), MOMENT_MS + 20_000)
        entries = await session.fetch("SELECT entry FROM audit_entry ORDER BY id DESC LIMIT 1")

    assert [member.source for member in then.members] == ["s1"]
    assert [(m.source, m.decided_by) for m in now.members] == [("s1", "new"), ("s2", "merge")]
    assert now.decisions[0]["reason"] == "nhìn tận nơi"
    assert json.loads(bytes(entries[0]["entry"]))["act"] == "machine.merge"


async def test_the_resolver_keeps_what_a_person_merged_and_what_a_person_parted(
    database: Database,
) -> None:
    await two_machines(database)
    resolver = Resolver(database)
    async with database.transaction() as session:
        await apply(session, await plan_merge(session, 1, 2), who="admin", now_ms=MOMENT_MS)
        await session.execute("UPDATE source_now SET resolved_at_ms = NULL")
    await resolver.run(MOMENT_MS + 20_000)
    async with database.transaction() as session:
        merged = {row["machine_id"] for row in (await active_rows(session, [1, 2])).values()}
        await apply(session, await plan_unmerge(session, 1, 2), who="admin", now_ms=MOMENT_MS)
        await session.execute("UPDATE source_now SET resolved_at_ms = NULL")
    await resolver.run(MOMENT_MS + 40_000)
    async with database.transaction() as session:
        parted = {row["machine_id"] for row in (await active_rows(session, [1, 2])).values()}

    assert (merged, parted) == ({1}, {1, 2})


async def test_a_machine_that_holds_nothing_can_neither_be_merged_nor_told_apart(
    database: Database,
) -> None:
    await two_machines(database)

    async with database.transaction() as session:
        await apply(session, await plan_merge(session, 1, 2), who="admin", now_ms=MOMENT_MS)
        with pytest.raises(CannotDecide, match="Machine 2 has no source"):
            await plan_merge(session, 1, 2)
        with pytest.raises(CannotDecide, match="Machine 2 has no source"):
            await set_apart(session, 1, 2, who="admin", now_ms=MOMENT_MS, reason=None)
        with pytest.raises(CannotDecide, match="was not merged into"):
            await plan_unmerge(session, 2, 1)
