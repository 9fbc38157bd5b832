"""In any office whatever, every person is in exactly one state, and a subtree is the sum of its units."""

import random
from datetime import timedelta

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import recount, recount_together
from kiemke.server.domain.coverage_who import coverage_who
from kiemke.server.models.figures import STATES
from tests.support.office import MOMENT_MS, TUESDAY, Office

KINDS = ("can_bo", "cong_chuc", "vien_chuc", "hop_dong")


def make_district(chance: random.Random) -> Office:
    """Return an office with every oddity the definitions name, thrown together."""
    office = Office()
    office.add_unit()
    for _ in range(chance.randint(1, 8)):
        office.add_unit(chance.randint(1, office.ids["unit"]))
    for _ in range(chance.randint(0, 25)):
        add_person(office, chance)
    return office


def add_person(office: Office, chance: random.Random) -> None:
    """Queue an official with some PCs and some history."""
    unit = chance.randint(1, office.ids["unit"])
    left = None if chance.random() < 0.9 else TUESDAY - timedelta(days=chance.randint(-3, 3))
    account = f"user{office.ids['official']}" if chance.random() < 0.7 else None
    person = office.add_official(unit, chance.choice(KINDS), account, valid_to=left)
    if chance.random() < 0.1:
        office.add_membership(person, chance.randint(1, office.ids["unit"]))
    if chance.random() < 0.2:
        office.add_dated(
            "absence",
            official_id=person,
            reason=chance.choice(["leave", "study", "suspended", "needs_no_computer"]),
            valid_from=TUESDAY - timedelta(days=chance.randint(0, 40)),
            valid_to=chance.choice([None, TUESDAY + timedelta(days=chance.randint(0, 40))]),
        )
    for _ in range(chance.choice([0, 1, 1, 1, 2])):
        add_pc(office, chance, unit, person)


def add_pc(office: Office, chance: random.Random, unit: int, person: int) -> None:
    """Queue a PC of a person: perhaps shared, unfit, counted, matched, seen."""
    asset = office.add_pc(
        unit,
        person,
        kind=chance.choice(["desktop", "laptop", "all_in_one", "kiosk"]),
        status=chance.choice(["in_use", "in_use", "in_use", "broken"]),
        no_agent_reason=chance.choice([None, None, None, "secret", "off_network"]),
    )
    if chance.random() < 0.2:
        office.add_custody(asset, unit, chance.choice([None, person, max(1, person - 1)]))
    if chance.random() < 0.2:
        office.add_ownership(
            asset,
            chance.choice(["owned", "borrowed", "private"]),
            valid_from=TUESDAY - timedelta(5),
        )
    if chance.random() < 0.4:
        day = TUESDAY - timedelta(days=chance.randint(0, 500))
        office.add_count(asset, chance.choice(["seen", "missing"]), day)
    if chance.random() < 0.7:
        states = ["approved", "approved", "approved", "pending", "quarantined"]
        sources = [
            office.add_source(unit, chance.choice(states)) for _ in range(chance.choice([1, 2]))
        ]
        office.add_match(asset, *sources)
        for source in sources:
            for back in chance.sample(range(20), chance.randint(0, 8)):
                account = f"user{chance.randint(0, 5)}" if chance.random() < 0.5 else None
                day = TUESDAY - timedelta(days=back)
                office.add_presence(source, day, chance.choice([0, 90]), account)


@pytest.mark.parametrize("seed", range(6))
async def test_every_person_is_in_exactly_one_state(database: Database, seed: int) -> None:
    office = make_district(random.Random(seed))
    await office.write_to(database)

    async with database.reading() as session:
        rows = {row.unit_id: row for row in await recount(session, TUESDAY, MOMENT_MS)}
        persons = await coverage_who(session, 1, TUESDAY, MOMENT_MS)
        for unit in list(rows)[1:6]:  # the persons of one unit are read by themselves
            own = await coverage_who(session, unit, TUESDAY, MOMENT_MS)
            units = {person.unit_id for person in own}
            assert own == [person for person in persons if person.unit_id in units]
            assert len(own) == rows[unit].officials + rows[unit].excluded
    async with database.reading_together() as sessions:
        shared_out = await recount_together(sessions, TUESDAY, MOMENT_MS)

    assert shared_out == list(rows.values())
    for row in rows.values():
        assert row.officials == sum(getattr(row, state) for state in STATES)
        assert row.own_officials == sum(getattr(row, f"own_{state}") for state in STATES)
        assert row.own_officials == sum(getattr(row, f"own_{kind}") for kind in KINDS)
        assert 0 <= row.shared_access <= row.no_pc
    for name in (*STATES, "officials", "excluded", "shared_access", "pcs"):
        assert getattr(rows[1], name) == sum(getattr(row, f"own_{name}") for row in rows.values())
    assert len({person.official_id for person in persons}) == len(persons)
    for state in (*STATES, "excluded"):
        listed = [person for person in persons if person.state == state]
        assert len(listed) == getattr(rows[1], state)


async def test_the_persons_behind_a_figure_come_with_why_and_what_next(database: Database) -> None:
    office = Office()
    root = office.add_unit()
    unit = office.add_unit(root)
    office.add_verified_pc(unit, office.add_official(unit))
    missing = office.add_pc(unit, office.add_official(unit))
    office.add_count(missing, "missing", TUESDAY)
    pending = office.add_source(unit, "pending")
    office.add_match(office.add_pc(unit, office.add_official(unit)), pending)
    office.add_pc(unit, office.add_official(unit), serial="AB12", serial_key="AB12")
    office.add_official(unit)
    away = office.add_official(unit)
    office.add_dated("absence", official_id=away, reason="study", instrument="QĐ 5")
    await office.write_to(database)

    async with database.reading() as session:
        persons = await coverage_who(session, root, TUESDAY, MOMENT_MS)
        silent = await coverage_who(session, root, TUESDAY, MOMENT_MS, "silent")
        with pytest.raises(KeyError):
            await coverage_who(session, root, TUESDAY, MOMENT_MS, "lost")

    assert [(person.state, person.why.en, person.next_command) for person in persons] == [
        ("verified", "A1 was seen on 2026-03-10", None),
        ("contradicted", "A2 was missing at the count of 2026-03-10", "kiemke asset show A2"),
        ("silent", "the source of A3 is not approved", f"kiemke source list --unit U{unit}"),
        ("unmatched", "no machine has the serial of A4", f"kiemke source token --unit U{unit}"),
        (
            "no_pc",
            "the book gives this person no PC",
            f"kiemke asset list --unit U{unit} --status in_stock",
        ),
        ("excluded", "on long study (QĐ 5)", None),
    ]
    assert [person.official_id for person in silent] == [3]
