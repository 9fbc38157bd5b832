"""The fictional district is the one the figures are known of."""

import unicodedata
from collections import Counter
from datetime import date

import pytest

from bench.district import STATES
from bench.names import Accounts, plain_letters
from bench.office_life import octets_live
from bench.papers import write_papers
from bench.thanh_giang import COMMUNES_GROUP, DISTRICT, OFFICES, make_district

DISTRICT_WHOLE = make_district()


def test_the_same_seed_gives_the_same_district() -> None:
    assert make_district() == DISTRICT_WHOLE
    assert make_district(seed=1) != DISTRICT_WHOLE


def test_declared_coverage_is_all_of_the_offices_and_nine_tenths_of_the_communes() -> None:
    offices = DISTRICT_WHOLE.true_states(OFFICES)
    communes = DISTRICT_WHOLE.true_states(COMMUNES_GROUP)

    assert (sum(offices.values()), offices["no_pc"]) == (120, 0)
    assert (sum(communes.values()), communes["no_pc"]) == (420, 42)
    assert set(offices) == set(STATES)


def test_a_commune_has_twenty_eighteen_or_sixteen_of_its_twenty_equipped() -> None:
    equipped = Counter(
        20 - DISTRICT_WHOLE.true_states(unit.code)["no_pc"]
        for unit in DISTRICT_WHOLE.units
        if unit.parent == COMMUNES_GROUP
    )

    assert equipped == {20: 3, 18: 15, 16: 3}


def test_every_state_that_papers_and_agents_can_tell_is_planted() -> None:
    states = DISTRICT_WHOLE.true_states(DISTRICT)

    assert all(states[name] > 0 for name in STATES if name != "counted")


def test_nobody_shares_an_account_a_phone_or_a_code() -> None:
    people = DISTRICT_WHOLE.people

    for taken in ({p.account for p in people}, {p.phone for p in people}, {p.code for p in people}):
        assert len(taken) == len(people)


def test_two_people_of_one_full_name_sit_in_one_unit() -> None:
    pairs = Counter((person.unit, person.name) for person in DISTRICT_WHOLE.people)

    assert pairs["TG-VP", "Nguyễn Văn Hùng"] >= 2


def test_lines_are_twelve_of_100_six_of_150_three_of_60_and_one_shared_by_twelve() -> None:
    internet = [line for line in DISTRICT_WHOLE.lines if line.kind == "internet"]
    rates = Counter(line.down_mbps for line in internet if line.code != "TG-INT")
    shared = next(line for line in internet if line.code == "TG-INT")

    assert rates == {100: 12, 150: 6, 60: 3}
    assert (shared.down_mbps, len(shared.shared_by)) == (100, 12)


def test_every_device_and_holder_a_row_names_exists() -> None:
    codes = {unit.code for unit in DISTRICT_WHOLE.units}
    people = {person.code for person in DISTRICT_WHOLE.people}
    gear = {gear.code for gear in DISTRICT_WHOLE.gear}

    assert {line.device for line in DISTRICT_WHOLE.lines} <= gear
    assert {thing.person for thing in DISTRICT_WHOLE.things if thing.person} <= people
    assert {thing.unit for thing in DISTRICT_WHOLE.things} <= codes


def test_a_smaller_district_keeps_its_offices_and_first_communes() -> None:
    small = make_district(3)

    assert small.true_states(OFFICES) == DISTRICT_WHOLE.true_states(OFFICES)
    assert sum(small.true_states(COMMUNES_GROUP).values()) == 60


def test_prices_hold_the_boundary_of_a_fixed_asset_and_one_above_the_norm() -> None:
    prices = {thing.code: thing.price_dong for thing in DISTRICT_WHOLE.things}

    assert prices["TS-PC-0017"] == 10_000_000
    assert 24_000_000 in prices.values()
    assert any(thing.in_use_since == date(2022, 4, 5) for thing in DISTRICT_WHOLE.things)


@pytest.mark.parametrize(("name", "plain"), [("Nguyễn Thị Ước", "nguyen thi uoc"), ("Đỗ", "do")])
def test_accounts_are_plain_letters(name: str, plain: str) -> None:
    assert plain_letters(name) == plain


def test_a_taken_account_gets_a_number() -> None:
    accounts = Accounts()

    assert accounts.make("Nguyễn Thị Lan") == "lan.nt"
    assert accounts.make("Ngô Thu Lan") == "lan.nt2"


def test_papers_are_what_offices_send(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A byte-order mark, dates by day and month, and one commune's names typed on a Mac."""
    papers = write_papers(make_district(3), tmp_path_factory.mktemp("papers"))
    units = papers["units"].read_bytes()

    assert units.startswith(b"\xef\xbb\xbf")
    assert "01/01/2020" in units.decode("utf-8-sig")
    assert papers["officials"].suffix == ".xlsx"
    assert unicodedata.is_normalized("NFC", units.decode("utf-8-sig"))


def test_counters_of_pcs_at_work_are_as_far_apart_as_those_of_pcs_off() -> None:
    """A run of counters within a few thousandths is the sign of many agents on one PC."""
    pcs = [pc for pc in make_district().pcs if pc.host is None]
    counted = sorted(octets_live(pc, 8 * 3600) for pc in pcs)
    alike = [sum(least <= one <= least * 1.002 for one in counted) for least in counted]

    assert len(pcs) > 400
    assert max(alike) < 10
