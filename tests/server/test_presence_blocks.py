"""Coverage reads presence folded into bits: equal to a walk over all day rows, whatever came when."""

import json
import random
from datetime import date, timedelta
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest
from tortoise.connection import get_connection

from kiemke.server.db import Database, Session
from kiemke.server.domain import presence_blocks
from kiemke.server.domain.coverage import statement_params
from kiemke.server.ingest.group import Group
from kiemke.server.jobs import prune
from kiemke.wire.report import Sample
from tests.server.test_coverage_property import make_district
from tests.support.coverage_walked import statements
from tests.support.office import MOMENT_MS, TUESDAY
from tests.support.reporting import NOW_MS, Sender, add_source, insert

HOUR = 3_600_000
DAY = 24 * HOUR
BLOCKS = (
    "SELECT source_id, block, account, account_days, trusted_days FROM presence_block"
    " ORDER BY source_id, block, account"
)


async def unguarded(session: Session) -> None:
    """Let every transaction write."""


async def assert_same_as_the_walk(database: Database, back: int, known_ms: int) -> None:
    """Hold the persons and PCs of a day against the walk."""
    day = TUESDAY - timedelta(days=back)
    async with database.reading() as session:
        params = await statement_params(session, day, known_ms)
        params["first"] = date.fromisoformat(json.loads(params["days"])[-1]["day"])
        for pair in statements(session.dialect, params["blocks"]):
            rows = [await session.fetch(sql, **params) for sql in pair]
            for row in (row for answer in rows for row in answer):
                row.pop("last_seen", None)  # only its order matters: see evidence_age, last_day
            assert rows[0] == rows[1]


@pytest.mark.parametrize("seed", range(4))
async def test_any_day_equals_the_walk_over_the_day_rows(database: Database, seed: int) -> None:
    """Days on both sides of a block's edge, shared PCs, two sources a PC, other people's accounts."""
    chance = random.Random(seed)
    office = make_district(chance)
    for source in range(1, office.ids["source"] + 1):
        for back in chance.sample(range(20, 110), 40):
            account = chance.choice([None, f"user{chance.randint(0, 5)}", "visitor"])
            trusted = chance.choice([0, 90])
            office.add_presence(source, TUESDAY - timedelta(days=back), trusted, account)
    await office.write_to(database)

    for back in (0, *chance.sample(range(100), 12)):
        await assert_same_as_the_walk(database, back, MOMENT_MS)


async def test_a_window_longer_than_a_block_is_read_from_all_its_blocks(database: Database) -> None:
    office = make_district(random.Random(9))
    office.add_dated("rule", name="coverage_evidence_working_days", subject="", value_json="90")
    for source in range(1, office.ids["source"] + 1):
        office.add_presence(source, TUESDAY - timedelta(days=20 + source * 5), 90, "user3")
    await office.write_to(database)

    for back in (0, 30, 60):
        await assert_same_as_the_walk(database, back, MOMENT_MS)


async def installed(database: Database) -> list[Sender]:
    async with database.transaction() as session:
        await insert(
            session, "installation", id=1, public_id="x", utc_offset_seconds=25_200, demo=False,
            created_at_ms=0,
        )  # fmt: skip
    return [await add_source(database) for _ in range(3)]


async def send(database: Database, sender: Sender, reports: list[Any], sent_ms: int) -> None:
    async with database.transaction() as session:
        await Group(session, 25_200, 60.0).apply([sender.batch(reports, sent_ms)])


async def folded(database: Database) -> tuple[list[Any], list[Any]]:
    """Return the bits as they stand and as made anew from the day rows."""
    async with database.transaction() as session:
        stand = await session.fetch(BLOCKS)
        await presence_blocks.rebuild(session)
        return stand, await session.fetch(BLOCKS)


@pytest.mark.parametrize("seed", range(2))
async def test_late_repeated_and_pruned_days_leave_the_bits_right(
    database: Database, seed: int
) -> None:
    """Samples of 20 days in any order by any user: a day's main account changes as they come."""
    chance = random.Random(seed)
    senders = await installed(database)
    for _ in range(12):
        sender = chance.choice(senders)
        reports = []
        for _ in range(chance.randint(1, 6)):
            at_ms = NOW_MS - chance.randint(0, 20) * DAY - chance.randint(0, 9) * HOUR
            user = chance.choice([None, "lan", "minh", "HD\\\\lan", "Administrator"])
            covered = chance.choice([300.0, 3600.0, 30_000.0])
            reports.append(sender.report("sample", Sample(covered, user=user), at_ms))
        await send(database, sender, reports, NOW_MS)

    stand, anew = await folded(database)
    assert len(anew) > 3
    assert stand == anew

    async with database.transaction() as session:
        await insert(
            session, "rule", valid_from=TUESDAY, recorded_at_ms=0, subject="", value_json="4",
            name="retention_presence_days",
        )  # fmt: skip
    gone = await prune.run(database, NOW_MS, unguarded, rows=7)
    left, anew = await folded(database)
    assert gone > 2
    assert left != stand
    assert left == anew


async def test_the_migration_folds_the_days_that_are_there(database: Database) -> None:
    """Installations that migrate have years of day rows and no bits."""
    await make_district(random.Random(5)).write_to(database)
    migration = import_module("kiemke.server.migrations.0010_presence_blocks")
    before = await database.read(BLOCKS)
    async with database.transaction() as session:
        await session.execute("DELETE FROM presence_block")

    await migration._fill(None, SimpleNamespace(client=get_connection("default")))

    assert len(before) > 3
    assert await database.read(BLOCKS) == before
