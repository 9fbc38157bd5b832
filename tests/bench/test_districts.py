"""Both fictional districts, imported from their papers, give the figures they are known for; the reform."""

import tomllib
from collections import Counter
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

from bench.papers import write_papers
from bench.reform import CLUSTER, SPLIT, make_reform
from bench.thanh_giang import COMMUNES_GROUP, DISTRICT, OFFICES, make_district
from bench.yen_ha import COMMUNES_GROUP as SECOND_COMMUNES
from bench.yen_ha import OFFICES as SECOND_OFFICES
from bench.yen_ha import make_second_district, with_second_district
from kiemke.server import audit
from kiemke.server.db import Database
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.coverage_rollup import CoverageRow
from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply
from kiemke.server.domain.reorganise_decision import Change, Decision, NewUnit
from kiemke.server.imports.run import run_import
from tests.support.database import fresh_database

NOW_MS = 1_767_240_000_000  # 2026-01-01T04:00Z
DECIDED_MS = NOW_MS + 1000
TODAY = date(2026, 1, 5)
EVE, SEEN = date(2025, 6, 30), date(2026, 7, 1)


async def import_papers(database: Database, folder: Path) -> None:
    """Import every paper of both districts."""
    papers = write_papers(with_second_district(make_district()), folder)
    for template, file in papers.items():
        result = await run_import(
            database, template, file.read_bytes(), file.name,
            apply=True, who="tester", now_ms=NOW_MS, audit=audit.record,
        )  # fmt: skip
        assert result.errors == () and result.applied, result.errors[:3]


async def figures(
    database: Database, day: date, known_ms: int = DECIDED_MS
) -> dict[tuple[str, str], CoverageRow]:
    """Return each unit's figures of a day by code and kinds."""
    async with database.reading() as session:
        rows = await recount(session, day, known_ms)
        named = await session.fetch(
            "SELECT unit_id, code FROM unit_version WHERE valid_from <= :day"
            " AND (valid_to IS NULL OR valid_to > :day) AND recorded_at_ms <= :known"
            " AND (voided_at_ms IS NULL OR voided_at_ms > :known)",
            day=day,
            known=known_ms,
        )
    codes = {row["unit_id"]: row["code"] for row in named}
    return {(codes[row.unit_id], row.kinds): row for row in rows}


def as_decision(told: dict[str, Any]) -> Decision:
    """Return the decision a file tells."""
    return Decision(
        date.fromisoformat(told["day"]),
        told["instrument"],
        tuple(NewUnit(**new) for new in told["new"]),
        tuple(
            Change(one["kind"], tuple(one["units"]), tuple(one["into"]), one.get("assign", {}))
            for one in told["changes"]
        ),
    )


async def test_both_districts_and_the_reform_come_out_exactly(tmp_path: Path) -> None:
    """A: 120/120 and 378/420 declared. B: 120 PCs for 120, 336 for 420. Then 21 become 6."""
    async with fresh_database("sqlite", tmp_path, None) as database:
        await import_papers(database, tmp_path / "papers")
        before, eve_before = await figures(database, SEEN), await figures(database, EVE)
        told = make_reform(make_district())
        decision = as_decision(tomllib.loads(told.as_toml()))
        async with database.transaction() as session:
            planned = await plan(session, decision, TODAY)
            foretold = planned.consequences()
            await apply(session, planned, who="tester", now_ms=DECIDED_MS)
        eve, after = await figures(database, EVE), await figures(database, SEEN)
        unknown = await figures(database, SEEN, DECIDED_MS - 1)

    offices, communes = before[OFFICES, ""], before[COMMUNES_GROUP, "can_bo,cong_chuc"]
    assert (offices.declared, offices.officials) == (120, 120)
    assert (communes.declared, communes.officials) == (378, 420)
    offices, communes = before[SECOND_OFFICES, ""], before[SECOND_COMMUNES, ""]
    assert (offices.pcs, offices.officials, offices.ratio) == (120, 120, Fraction(1))
    assert (communes.pcs, communes.officials, communes.ratio) == (336, 420, Fraction(4, 5))
    assert (offices.declared, communes.declared) == (108, 273)
    assert [row.ratio_target_thousandths for row in (offices, communes)] == [1000, 800]

    assert (eve, unknown) == (eve_before, before)
    assert before[DISTRICT, ""].officials == 540
    assert (DISTRICT, "") not in after
    people = {code: after[code, ""].own_officials for code in told.people_after}
    assert people == told.people_after
    assert sum(people.values()) == 540
    assert Counter(row["type"] for row in foretold["created"]) == {"xa": 6, "cum": 1, "khac": 1}
    assert len(foretold["ended"]) == 21 + 12 + 3
    assert people[CLUSTER] == 120
    assert people[f"{SPLIT}-CPB"] == 4


def test_the_second_district_is_the_same_for_the_same_seed() -> None:
    assert make_second_district("HD") == make_second_district("HD")
    assert make_second_district("HD", seed=1) != make_second_district("HD")


def test_the_second_district_shares_no_code_tag_phone_or_account_with_the_first() -> None:
    whole = with_second_district(make_district())

    for taken in (
        [p.code for p in whole.people], [p.phone for p in whole.people],
        [p.account for p in whole.people], [t.code for t in whole.things],
        [t.tag for t in whole.things], [u.code for u in whole.units],
    ):  # fmt: skip
        assert len(taken) == len(set(taken))


def test_the_reform_of_a_smaller_district_names_only_what_is_there() -> None:
    small = make_district(3)
    reform = make_reform(small)
    named = {code for change in reform.decision["changes"] for code in change["units"]}

    assert named == {unit.code for unit in small.units} - {"HD"}
    assert sum(reform.people_after.values()) == 120 + 60
