"""Coverage by its definitions, each line of them on a real database of both kinds."""

from datetime import date, timedelta

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import read_now, recount, refresh_now
from kiemke.server.domain.coverage_rollup import CoverageRow
from tests.support.office import MOMENT_MS, RECORDED_MS, TUESDAY, Office

NOW_MS = MOMENT_MS


async def _figures(
    database: Database, office: Office, day: date = TUESDAY, known_ms: int = NOW_MS
) -> dict[int, CoverageRow]:
    await office.write_to(database)
    async with database.reading() as session:
        rows = await recount(session, day, known_ms)
    return {row.unit_id: row for row in rows if row.kinds == ""}


async def test_a_pc_seen_in_the_last_ten_working_days_is_verified(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    for day in (TUESDAY, date(2026, 2, 25), date(2026, 2, 24)):
        office.add_verified_pc(unit, office.add_official(unit), day)

    row = (await _figures(database, office))[unit]

    assert (row.officials, row.verified, row.silent) == (3, 2, 1)
    assert row.evidence_age_working_days == 0


async def test_a_holiday_makes_the_window_reach_further_back(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_verified_pc(unit, office.add_official(unit), date(2026, 2, 24))
    office.add_dated("holiday", day=date(2026, 3, 9), working=False, name="Ngày lễ")

    row = (await _figures(database, office))[unit]

    assert row.verified == 1
    assert row.evidence_age_working_days == 9


async def test_a_sign_on_a_day_off_is_no_evidence(database: Database) -> None:
    """Somebody who takes the PC home for the weekend does not show that the office has it."""
    office = Office()
    unit = office.add_unit()
    office.add_verified_pc(unit, office.add_official(unit), date(2026, 3, 8))

    assert (await _figures(database, office))[unit].silent == 1


async def test_slots_of_an_unsure_clock_are_no_evidence(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    source = office.add_source(unit)
    office.add_match(office.add_pc(unit, office.add_official(unit)), source)
    office.add_presence(source, TUESDAY, trusted_slots=0)

    assert (await _figures(database, office))[unit].silent == 1


@pytest.mark.parametrize("state", ["pending", "quarantined", "revoked"])
async def test_only_an_approved_source_verifies(database: Database, state: str) -> None:
    office = Office()
    unit = office.add_unit()
    source = office.add_source(unit, state)
    office.add_match(office.add_pc(unit, office.add_official(unit)), source)
    office.add_presence(source, TUESDAY)

    row = (await _figures(database, office))[unit]

    assert (row.verified, row.silent) == (0, 1)


async def test_a_quarantined_source_spoils_the_machine_of_an_approved_one(
    database: Database,
) -> None:
    office = Office()
    unit = office.add_unit()
    good, cloned = office.add_source(unit), office.add_source(unit, "quarantined")
    office.add_match(office.add_pc(unit, office.add_official(unit)), good, cloned)
    office.add_presence(good, TUESDAY)

    assert (await _figures(database, office))[unit].silent == 1


async def test_a_pc_nobody_matched_is_unmatched_and_no_pc_is_no_pc(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_pc(unit, office.add_official(unit))
    office.add_official(unit)

    row = (await _figures(database, office))[unit]

    assert (row.officials, row.declared, row.unmatched, row.no_pc) == (2, 1, 1, 1)
    assert row.evidence_age_working_days is None


async def test_only_a_pc_that_may_carry_no_agent_is_covered_by_a_count(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    for reason, age_days in (("police_network", 364), ("police_network", 365), (None, 1)):
        asset = office.add_pc(unit, office.add_official(unit), no_agent_reason=reason)
        office.add_count(asset, "seen", TUESDAY - timedelta(days=age_days))

    row = (await _figures(database, office))[unit]

    assert (row.counted, row.unmatched) == (1, 2)


async def test_the_latest_count_contradicts_when_it_says_missing(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    for results in (("seen", "missing"), ("missing", "seen")):
        source = office.add_source(unit)
        asset = office.add_pc(unit, office.add_official(unit))
        office.add_match(asset, source)
        office.add_presence(source, TUESDAY)
        for back, result in zip((20, 10), results, strict=True):
            office.add_count(asset, result, TUESDAY - timedelta(days=back))

    row = (await _figures(database, office))[unit]

    assert (row.contradicted, row.verified) == (1, 1)


@pytest.mark.parametrize(("days", "state"), [(2, "verified"), (3, "contradicted")])
async def test_three_days_under_another_officials_account_contradict(
    database: Database, days: int, state: str
) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_official(unit, account="Binh.Tran")
    source = office.add_source(unit)
    office.add_match(office.add_pc(unit, office.add_official(unit, account="an.nguyen")), source)
    for back in range(6, 6 + days):
        day = TUESDAY - timedelta(days=back)
        office.add_presence(source, day, account="binh.tran")
    office.add_presence(source, TUESDAY, account="an.nguyen")

    row = (await _figures(database, office))[unit]

    assert getattr(row, state) == 1


async def test_an_account_of_nobody_on_the_book_contradicts_nothing(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    source = office.add_source(unit)
    office.add_match(office.add_pc(unit, office.add_official(unit, account="an.nguyen")), source)
    for back in range(5):
        office.add_presence(source, TUESDAY - timedelta(days=back), account="thuc.tap")

    assert (await _figures(database, office))[unit].verified == 1


async def test_an_account_that_a_rule_calls_nobody_contradicts_nothing_while_it_holds(
    database: Database,
) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_official(unit, account="ketoan")
    source = office.add_source(unit)
    office.add_match(office.add_pc(unit, office.add_official(unit, account="an.nguyen")), source)
    for back in range(12):
        office.add_presence(source, TUESDAY - timedelta(days=back), account="ketoan")
    office.add_dated(
        "rule", name="accounts_of_nobody", subject="", value_json='["HD\\\\KeToan"]',
        source_text=None, valid_from=TUESDAY,
    )  # fmt: skip
    now = (await _figures(database, office))[unit]
    async with database.reading() as session:
        before = await recount(session, TUESDAY - timedelta(days=1), MOMENT_MS)

    assert (now.verified, now.contradicted) == (1, 0)
    assert [row.contradicted for row in before if row.unit_id == unit and not row.kinds] == [1]


async def test_the_best_of_two_pcs_speaks_for_the_person(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    person = office.add_official(unit)
    office.add_pc(unit, person)
    office.add_verified_pc(unit, person)

    row = (await _figures(database, office))[unit]

    assert (row.officials, row.verified, row.unmatched, row.pcs) == (1, 1, 0, 2)


async def test_custody_of_a_unit_or_of_several_is_shared_access(database: Database) -> None:
    office = Office()
    unit, desk = office.add_unit(), office.add_unit()
    first, second = office.add_official(unit), office.add_official(unit)
    both = office.add_pc(unit, first)
    office.add_custody(both, unit, second)
    office.add_official(desk)
    office.add_pc(desk)

    figures = await _figures(database, office)

    assert (figures[unit].no_pc, figures[unit].shared_access, figures[unit].pcs) == (2, 2, 1)
    assert (figures[desk].no_pc, figures[desk].shared_access, figures[desk].pcs) == (1, 1, 1)


async def test_a_borrowed_pc_counts_with_its_paper(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    asset = office.add_asset(ownership="borrowed")
    office.add_custody(asset, unit, office.add_official(unit), instrument="BB 12/2026")

    assert (await _figures(database, office))[unit].declared == 1


async def test_long_absences_leave_the_population_and_short_ones_do_not(
    database: Database,
) -> None:
    office = Office()
    unit = office.add_unit()
    for reason, days in (
        ("leave", 30),
        ("leave", 31),
        ("study", None),
        ("suspended", 2),
        ("needs_no_computer", None),
        ("equipped_by_ministry", None),
    ):
        office.add_dated(
            "absence",
            official_id=office.add_official(unit),
            reason=reason,
            valid_from=TUESDAY - timedelta(days=1),
            valid_to=None if days is None else TUESDAY + timedelta(days=days - 1),
        )

    row = (await _figures(database, office))[unit]

    assert (row.officials, row.excluded) == (1, 5)


async def test_secondary_posts_and_retired_people_are_not_in_the_population(
    database: Database,
) -> None:
    office = Office()
    unit, other = office.add_unit(), office.add_unit()
    office.add_membership(office.add_official(unit), other, primary=False)
    retired = office.add_official(unit, valid_to=TUESDAY)
    office.add_pc(unit, retired)

    figures = await _figures(database, office)

    assert (figures[unit].officials, figures[other].officials) == (1, 0)
    assert (figures[unit].declared, figures[unit].pcs) == (0, 1)


async def test_a_person_with_two_primary_rows_is_counted_once(database: Database) -> None:
    office = Office()
    root = office.add_unit()
    first, second = office.add_unit(root), office.add_unit(root)
    office.add_membership(office.add_official(first), second)

    assert (await _figures(database, office))[root].officials == 1


async def test_a_subtree_sums_its_units_by_the_tree_of_that_day(database: Database) -> None:
    """A commune that moved counts with the old parent before the day of the move."""
    office = Office()
    old, new = office.add_unit(), office.add_unit()
    commune = office.add_unit(old, valid_to=TUESDAY)
    office.add_unit_version(commune, new, valid_from=TUESDAY)
    office.add_verified_pc(commune, office.add_official(commune), TUESDAY - timedelta(days=1))

    before = await _figures(database, office, TUESDAY - timedelta(days=1))
    after = await _figures(database, office, TUESDAY)

    assert (before[old].verified, before[new].verified, before[old].own_officials) == (1, 0, 0)
    assert (after[old].verified, after[new].verified, after[commune].own_officials) == (0, 1, 1)


async def test_a_loop_in_the_tree_ends(database: Database) -> None:
    office = Office()
    first = office.add_unit()
    second = office.add_unit(first)
    office.waiting["unit_version"][0]["parent_id"] = second
    office.add_official(first)

    assert (await _figures(database, office))[second].officials == 1


async def test_a_correction_shows_only_to_those_who_ask_after_it(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    person = office.add_official(unit)
    asset = office.add_asset()
    corrected_ms = RECORDED_MS + 1000
    office.add_custody(asset, unit, None, voided_at_ms=corrected_ms)
    office.add_custody(asset, unit, person, recorded_at_ms=corrected_ms)

    before = await _figures(database, office, known_ms=corrected_ms - 1)
    after = await _figures(database, office, known_ms=corrected_ms)

    assert (before[unit].declared, after[unit].declared) == (0, 1)


async def test_a_target_names_its_own_population(database: Database) -> None:
    office = Office()
    root = office.add_unit()
    commune = office.add_unit(root)
    for kind in ("can_bo", "cong_chuc", "cong_chuc", "vien_chuc"):
        office.add_official(commune, kind)
    for measure, kinds, target in (
        ("coverage", "cong_chuc", 900),
        ("ratio", "can_bo", 800),
        ("coverage", "can_bo,cong_chuc", 1000),
    ):
        office.add_dated(
            "coverage_target",
            unit_id=root,
            measure=measure,
            kinds=kinds,
            target_thousandths=target,
            source_text=None,
        )
    await office.write_to(database)

    async with database.reading() as session:
        rows = [row for row in await recount(session, TUESDAY, NOW_MS) if row.unit_id == root]

    figures = {
        row.kinds: (row.officials, row.target_thousandths, row.ratio_target_thousandths)
        for row in rows
    }
    assert figures == {
        "": (4, None, None),
        "can_bo": (1, None, 800),
        "can_bo,cong_chuc": (3, 1000, None),
        "cong_chuc": (2, 900, None),
    }


async def test_own_people_are_counted_by_kind(database: Database) -> None:
    office = Office()
    root = office.add_unit()
    commune = office.add_unit(root)
    for kind in ("can_bo", "cong_chuc", "cong_chuc", "hop_dong"):
        office.add_official(commune, kind)

    figures = await _figures(database, office)

    row = figures[commune]
    assert (row.own_can_bo, row.own_cong_chuc, row.own_vien_chuc, row.own_hop_dong) == (1, 2, 0, 1)
    assert (figures[root].own_cong_chuc, figures[root].officials) == (0, 4)


async def test_a_refresh_touches_only_the_rows_that_changed(database: Database) -> None:
    office = Office()
    office.add_installation()
    root = office.add_unit()
    calm, busy = office.add_unit(root), office.add_unit(root)
    office.add_official(calm)
    await office.write_to(database)

    first = await refresh_now(database, NOW_MS)
    office.add_official(busy)
    await office.write_to(database)
    second = await refresh_now(database, NOW_MS + 30_000)
    rows = await database.read("SELECT unit_id, changed_at_ms, officials FROM coverage_now")

    assert (first, second) == (3, 2)
    assert {row["unit_id"]: row["changed_at_ms"] - NOW_MS for row in rows} == {
        root: 30_000,
        calm: 0,
        busy: 30_000,
    }
    async with database.reading() as session:
        assert {row.day for row in await read_now(session)} == {TUESDAY}


async def test_a_unit_that_is_no_more_leaves_the_table(database: Database) -> None:
    office = Office()
    office.add_installation()
    office.add_unit(valid_to=TUESDAY + timedelta(days=1))
    stays = office.add_unit()
    await office.write_to(database)

    await refresh_now(database, NOW_MS)
    await refresh_now(database, NOW_MS + 86_400_000)
    rows = await database.read("SELECT unit_id FROM coverage_now")

    assert [row["unit_id"] for row in rows] == [stays]
