"""Each line of the definition of coverage names the tests that hold it; the two seed districts come out."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import percent, recount
from kiemke.server.domain.coverage_figures import refresh_now
from kiemke.server.domain.coverage_rollup import CoverageRow
from kiemke.server.domain.coverage_who import Absent, coverage_who
from tests.support.office import FAR_BACK, MOMENT_MS, TUESDAY, Office

HERE = Path(__file__).parent

# What the definition says, in its order -> the tests of this folder that prove it.
CLAUSES = {
    "day D is its end; today is the last finished day": "a_refresh_touches_only_the_rows_that_changed",
    "distinct persons": "a_person_with_two_primary_rows_is_counted_once",
    "by their one primary membership": "secondary_posts_and_retired_people_are_not_in_the_population",
    "in the subtree of the tree of D": "a_subtree_sums_its_units_by_the_tree_of_that_day",
    "of the kinds the target names": "a_target_names_its_own_population",
    "long absence and posts without a computer are left out":
        "long_absences_leave_the_population_and_short_ones_do_not",
    "shown by reason and paper": "everyone_left_out_is_told_with_reason_paper_and_days",
    "the retired are not in the population":
        "secondary_posts_and_retired_people_are_not_in_the_population",
    "only PCs in use, owned": "what_is_no_pc_of_an_official_counts_nowhere",
    "owned on day D": "whose_a_pc_was_on_the_day_decides_not_whose_it_is_now",
    "or borrowed with paper": "a_borrowed_pc_counts_with_its_paper",
    "private laptops are counted apart": "private_pcs_have_their_own_count",
    "declared is personal custody": "custody_of_a_unit_or_of_several_is_shared_access",
    "best PC first": "the_best_of_two_pcs_speaks_for_the_person",
    "verified: a trusted slot in ten working days":
        "a_pc_seen_in_the_last_ten_working_days_is_verified",
    "holidays are no working days": "a_holiday_makes_the_window_reach_further_back",
    "a day off is no evidence": "a_sign_on_a_day_off_is_no_evidence",
    "an unsure clock is no evidence": "slots_of_an_unsure_clock_are_no_evidence",
    "verified: source approved": "only_an_approved_source_verifies",
    "verified: not quarantined": "a_quarantined_source_spoils_the_machine_of_an_approved_one",
    "counted: a no_agent PC within 365 days":
        "only_a_pc_that_may_carry_no_agent_is_covered_by_a_count",
    "counted: recorded by a person": "a_pc_that_may_carry_no_agent_becomes_counted_by_a_count",
    "contradicted: another official's account": "three_days_under_another_officials_account_contradict",
    "contradicted: another unit's site": "three_working_days_at_another_units_site_contradict",
    "contradicted: positive evidence only": "an_account_of_nobody_on_the_book_contradicts_nothing",
    "contradicted: a count found it missing": "the_latest_count_contradicts_when_it_says_missing",
    "unmatched and no PC": "a_pc_nobody_matched_is_unmatched_and_no_pc_is_no_pc",
    "fit is a part of verified": "fit_is_a_part_of_verified",
    "fit: every rule true": "one_need_not_met_makes_a_pc_unfit",
    "fit: of the profile valid at D": "a_dated_row_wins_over_what_ships",
    "unknown facts are fit_unknown": "what_changed_since_a_day_is_not_known_of_it",
    "exactly one state; the sum is the population": "every_person_is_in_exactly_one_state",
    "ratio is uncapped": "the_ratio_counts_spare_and_shared_pcs_and_coverage_does_not",
    "evidence age is its own figure": "a_pc_seen_in_the_last_ten_working_days_is_verified",
    "below five persons no percentage":
        "a_percentage_is_rounded_down_and_kept_back_for_small_units",
    "known at a time": "a_correction_shows_only_to_those_who_ask_after_it",
    "recounted whole into coverage_now": "a_unit_that_is_no_more_leaves_the_table",
}  # fmt: skip


def test_every_line_of_the_definition_has_a_test() -> None:
    text = "".join(path.read_text("utf-8") for path in HERE.glob("test_*.py"))
    there = set(re.findall(r"^(?:async )?def test_(\w+)\(", text, re.MULTILINE))

    assert {name for name in CLAUSES.values() if name not in there} == set()


async def figures(database: Database, office: Office) -> dict[int, CoverageRow]:
    await office.write_to(database)
    async with database.reading() as session:
        rows = await recount(session, TUESDAY, MOMENT_MS)
    return {row.unit_id: row for row in rows if row.kinds == ""}


NO_PC: tuple[dict[str, str], ...] = (
    *({"kind": kind} for kind in ("kiosk", "citizen_pc", "server", "meeting_pc", "tablet", "nas")),
    *(
        {"status": status}
        for status in (
            "in_stock",
            "under_repair",
            "broken",
            "awaiting_disposal",
            "disposed",
            "lost",
        )
    ),
    *({"ownership": whose} for whose in ("provider", "borrowed", "private", "unproven")),
    {"no_agent_reason": "secret"},
)


async def test_what_is_no_pc_of_an_official_counts_nowhere(database: Database) -> None:
    office = Office()
    for columns in NO_PC:
        unit = office.add_unit()
        office.add_pc(unit, office.add_official(unit), **columns)

    found = await figures(database, office)

    for unit, columns in enumerate(NO_PC, 1):
        row = found[unit]
        assert (row.no_pc, row.pcs, row.shared_access) == (1, 0, 0), columns


async def test_everyone_left_out_is_told_with_reason_paper_and_days(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    for absences in (
        [("leave", "GP 1", 5), ("suspended", "QĐ 2", None)],
        [("needs_no_computer", "ĐA 3", None)],
        [("equipped_by_ministry", None, None)],
        [("study", "QĐ 4", 90)],
        [("leave", "GP 5", 30)],
    ):
        official = office.add_official(unit)
        for reason, paper, days in absences:
            until = None if days is None else TUESDAY + timedelta(days=days)
            office.add_dated(
                "absence", official_id=official, reason=reason, instrument=paper,
                valid_from=TUESDAY, valid_to=until,
            )  # fmt: skip
    await office.write_to(database)

    async with database.reading() as session:
        persons = await coverage_who(session, unit, TUESDAY, MOMENT_MS, "excluded")

    assert [person.why.en for person in persons] == [
        "suspended (QĐ 2)",
        "the post needs no computer (ĐA 3)",
        "equipped by another ministry",
        "on long study (QĐ 4)",
    ]
    assert persons[3].absences == (Absent("study", "QĐ 4", TUESDAY, TUESDAY + timedelta(days=90)),)


async def test_whose_a_pc_was_on_the_day_decides_not_whose_it_is_now(database: Database) -> None:
    office = Office()
    sold, bought = office.add_unit(), office.add_unit()
    yesterday = TUESDAY - timedelta(days=1)
    for unit, then, now in ((sold, "owned", "private"), (bought, "private", "owned")):
        asset = office.add_pc(unit, office.add_official(unit), ownership=now)
        office.add_ownership(asset, then, valid_to=TUESDAY)
        office.add_ownership(asset, now, valid_from=TUESDAY)
    await office.write_to(database)

    async with database.reading() as session:
        before = {row.unit_id: row.pcs for row in await recount(session, yesterday, MOMENT_MS)}
        after = {row.unit_id: row.pcs for row in await recount(session, TUESDAY, MOMENT_MS)}
        early = {row.unit_id: row.pcs for row in await recount(session, TUESDAY, 1)}

    assert (before, after) == ({sold: 1, bought: 0}, {sold: 0, bought: 1})
    assert early == {}


async def test_a_pc_that_may_carry_no_agent_asks_for_a_count_not_for_an_agent(
    database: Database,
) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_pc(unit, office.add_official(unit), no_agent_reason="off_network")
    await office.write_to(database)

    async with database.reading() as session:
        person = (await coverage_who(session, unit, TUESDAY, MOMENT_MS))[0]

    assert person.state == "unmatched"
    assert person.next_command == "kiemke asset count A1 --result seen --day … --by …"


async def test_private_pcs_have_their_own_count(database: Database) -> None:
    office = Office()
    office.add_installation()
    unit = office.add_unit()
    office.add_pc(unit, office.add_official(unit), ownership="private", kind="laptop")
    office.add_pc(unit, office.add_official(unit))
    await office.write_to(database)

    await refresh_now(database, MOMENT_MS)
    rows = await database.read("SELECT family, label, value FROM unit_figure_now ORDER BY family")

    assert [(row["family"], row["label"], row["value"]) for row in rows] == [
        ("assets", "desktop,in_use", 1),
        ("private_pcs", "", 1),
    ]


async def test_the_ratio_counts_spare_and_shared_pcs_and_coverage_does_not(
    database: Database,
) -> None:
    office = Office()
    unit = office.add_unit()
    first, second = office.add_official(unit), office.add_official(unit)
    for holder in (first, first, None, None):
        office.add_pc(unit, holder)

    row = (await figures(database, office))[unit]

    assert (row.declared, row.officials, second) == (1, 2, 2)
    assert row.ratio == 2


DEPARTMENTS = (22, 11, 10, 11, 9, 8, 12, 6, 6, 6, 9, 10)
COMMUNES = (20,) * 3 + (18,) * 15 + (16,) * 3


def add_district(office: Office) -> tuple[int, list[int], list[int]]:
    """Queue a district of 12 departments with 120 people and 21 communes with 420; return the ids."""
    district = office.add_unit()
    departments = [office.add_unit(district) for _ in DEPARTMENTS]
    communes = [office.add_unit(district) for _ in COMMUNES]
    return district, departments, communes


@pytest.mark.parametrize("fault", [False, True])
async def test_scenario_a_declares_all_of_the_district_and_nine_tenths_of_its_communes(
    database: Database, fault: bool
) -> None:
    """Faults lower what is verified, never what is declared."""
    office = Office()
    district, departments, communes = add_district(office)
    for unit, people in zip(departments, DEPARTMENTS, strict=True):
        for _ in range(people):
            office.add_verified_pc(unit, office.add_official(unit), FAR_BACK if fault else TUESDAY)
    for unit, equipped in zip(communes, COMMUNES, strict=True):
        for number in range(20):
            official = office.add_official(unit)
            if number < equipped:
                office.add_verified_pc(unit, official)

    rows = await figures(database, office)

    offices = [rows[unit] for unit in departments]
    assert sum(row.declared for row in offices) == sum(row.officials for row in offices) == 120
    assert sum(row.verified for row in offices) == (0 if fault else 120)
    told = [rows[unit] for unit in communes]
    declared, people = sum(row.declared for row in told), sum(row.officials for row in told)
    assert (declared, people, percent(declared, people)) == (378, 420, "90.0 %")
    assert sorted({row.declared for row in told}) == [16, 18, 20]
    assert (rows[district].declared, rows[district].officials) == (498, 540)


async def test_scenario_b_has_one_pc_an_official_above_and_four_for_five_below(
    database: Database,
) -> None:
    """Shared PCs count in the ratio: 16 PCs among 20 people of whom 12 hold one of their own."""
    office = Office()
    district, departments, communes = add_district(office)
    for unit, people in zip(departments, DEPARTMENTS, strict=True):
        holders = [office.add_official(unit) for _ in range(people)]
        for holder in (*holders[:-1], None):
            office.add_pc(unit, holder)
    for unit in communes:
        holders = [office.add_official(unit) for _ in range(20)]
        for holder in (*holders[:12], None, None, None, None):
            office.add_pc(unit, holder)

    rows = await figures(database, office)

    above, below = [rows[u] for u in departments], [rows[u] for u in communes]
    assert (sum(row.pcs for row in above), sum(row.officials for row in above)) == (120, 120)
    assert (sum(row.pcs for row in below), sum(row.officials for row in below)) == (336, 420)
    assert {float(row.ratio or 0) for row in below} == {0.8}
    assert {float(row.ratio or 0) for row in above} == {1.0}
    assert sum(row.declared for row in below) == 252
    assert sum(row.shared_access for row in below) == 168
    assert (rows[district].pcs, rows[district].declared) == (456, 360)
