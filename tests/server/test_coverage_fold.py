"""The recount, put together fact by fact, says what the statement behind each person says."""

import random
from datetime import date, timedelta

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain.coverage import load_leaves, statement_params
from kiemke.server.domain.coverage_rollup import Leaf
from kiemke.server.domain.coverage_sql import COUNTS, RANKS, persons_sql
from tests.server.test_coverage_property import make_district
from tests.support.office import MOMENT_MS, TUESDAY, Office

_PEOPLE = """
SELECT unit_id, kind, place, has_shared, COUNT(*) AS persons, MAX(last_seen) AS last_seen
FROM person GROUP BY unit_id, kind, place, has_shared
"""
_PCS = "SELECT unit_id, COUNT(*) AS pcs FROM held GROUP BY unit_id"


async def stated(session: Session, params: dict[str, object], blocks: int) -> list[Leaf]:
    """Return the leaves as the statement counts them."""
    counts: dict[tuple[int, str], dict[str, int]] = {}
    newest: dict[tuple[int, str], int | None] = {}
    names = {rank: name for name, rank in RANKS.items()}
    for row in await session.fetch(persons_sql(session.dialect, blocks, _PEOPLE), **params):
        key = row["unit_id"], row["kind"]
        found = counts.setdefault(key, dict.fromkeys(COUNTS, 0))
        found[names[row["place"]]] += row["persons"]
        found["officials"] += row["persons"] if row["place"] else 0
        found["shared_access"] += row["persons"] * row["has_shared"]
        signs = [sign for sign in (newest.get(key), row["last_seen"]) if sign is not None]
        newest[key] = max(signs, default=None)
    leaves = [Leaf(*key, tuple(each.values()), 0, newest[key]) for key, each in counts.items()]
    rows = await session.fetch(persons_sql(session.dialect, blocks, _PCS), **params)
    return leaves + [Leaf(row["unit_id"], "", (0,) * len(COUNTS), row["pcs"], None) for row in rows]


def add_oddities(office: Office, chance: random.Random) -> None:
    """Queue what no district of the other tests has: surveys, accounts of another day, two posts."""
    for official in range(1, office.ids["official"] + 1):
        if chance.random() < 0.2:
            add_account_then(office, official, f"User{chance.randint(0, 9)}")
        if chance.random() < 0.1:
            office.add_membership(official, chance.randint(1, office.ids["unit"]))
    for source in range(1, office.ids["source"] + 1):
        if chance.random() < 0.2:
            add_survey(office, source, TUESDAY - timedelta(days=chance.randint(0, 400)))


def add_edges(office: Office) -> None:
    """Queue one person for each place where two readings of a definition would part."""
    unit = office.add_unit(1)
    other = office.add_unit(1)

    # Two PCs, the one entered last seen longer ago.
    twice = office.add_official(unit, "hop_dong", "twice")
    office.add_verified_pc(unit, twice)
    office.add_verified_pc(unit, twice, TUESDAY - timedelta(days=5))
    # Seen by a source that is trusted, and by one that is set aside.
    source = office.add_source(unit)
    twin = office.add_source(unit, "quarantined")
    office.add_match(office.add_pc(unit, office.add_official(unit)), source, twin)
    office.add_presence(source, TUESDAY)
    # Missing at the count of the day on which it was surveyed.
    lost = office.add_pc(unit, office.add_official(unit), no_agent_reason="off_network")
    survey = office.add_source(unit)
    office.add_match(lost, survey)
    office.add_count(lost, "missing", TUESDAY)
    add_survey(office, survey, TUESDAY)
    # In two units' custody with one official, whichever row came first.
    for units in ((unit, other), (other, unit)):
        split = office.add_pc(units[0], office.add_official(unit))
        office.add_custody(split, units[1], office.ids["official"])
    # Used under the account the holder had on the day, now another's.
    renamed = office.add_official(unit, account="new")
    office.add_official(unit, account="old")
    add_account_then(office, renamed, "Old")
    mine = office.add_source(unit)
    office.add_match(office.add_pc(unit, renamed), mine)
    for back in range(9):
        office.add_presence(mine, TUESDAY - timedelta(days=back), 90, "old")


def add_account_then(office: Office, official: int, account: str) -> None:
    """Queue that an official had another account until next week."""
    office.add_dated(
        "official_version", official_id=official, name="X", account=account,
        valid_to=TUESDAY + timedelta(days=9),
    )  # fmt: skip


def add_survey(office: Office, source: int, day: date) -> None:
    """Queue a survey by hand."""
    office.add(
        "one_shot", source_id=source, day=day, taken_by="an", file_name="pc.txt",
        file_sha256=f"{source:064d}", recorded_at_ms=0, recorded_by="an",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
async def test_facts_and_statement_agree_on_any_office_and_day(
    database: Database, seed: int
) -> None:
    chance = random.Random(100 + seed)
    office = make_district(chance)
    for _ in range(3):
        office.add_official(chance.randint(1, office.ids["unit"]))
    add_oddities(office, chance)
    add_edges(office)
    await office.write_to(database)
    assets = office.ids["asset"]

    for back in (0, 1, chance.randint(2, 30), chance.randint(30, 90)):
        day: date = TUESDAY - timedelta(days=back)
        async with database.reading() as session:
            params = await statement_params(session, day, MOMENT_MS)
            params["elsewhere"] = sorted(chance.sample(range(1, assets + 1), 2))
            expected = sorted(await stated(session, params, params["blocks"]))
            assert sorted(await load_leaves([session], params)) == expected
        async with database.reading_together() as sessions:
            assert sorted(await load_leaves(sessions, params)) == expected


async def test_an_empty_country_has_no_leaves(database: Database) -> None:
    async with database.reading() as session:
        params = await statement_params(session, TUESDAY, MOMENT_MS)
        assert await load_leaves([session], params) == []
