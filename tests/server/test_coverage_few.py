"""Persons of some units are read over their rows alone: what is told of them is what the whole country's reading tells."""

import random

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import coverage_few, fit
from kiemke.server.domain.coverage_who import coverage_who
from tests.server.test_coverage_property import add_person
from tests.support.office import MOMENT_MS, TUESDAY, Office

PEOPLE = 60


def make_office(chance: random.Random) -> Office:
    """Return a tree of units whose people share PCs across it, with surveys and printers."""
    office = Office()
    office.add_unit()
    for _ in range(9):
        office.add_unit(chance.randint(1, office.ids["unit"]))
    for _ in range(PEOPLE):
        add_person(office, chance)
    for unit in (2, 3):
        office.add_verified_pc(unit, office.add_official(unit))
        office.add_custody(office.add_pc(unit, None), unit, None)
        office.add_pc(unit, None, kind="printer")
    return office


async def test_a_few_persons_are_told_as_the_whole_reading_tells(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = make_office(random.Random(0))
    await office.write_to(database)
    units = range(1, office.ids["unit"] + 1)
    times = {"day": TUESDAY, "known": MOMENT_MS}
    asked = (TUESDAY, MOMENT_MS)

    async with database.reading() as session:
        few_who = {unit: await coverage_who(session, unit, *asked) for unit in units}
        few_fit = {unit: await fit.load(session, *asked, MOMENT_MS, [unit]) for unit in units}
        found = {unit: await fit.find(session, *asked, [unit], None) for unit in units}
        everybody = await fit.load(session, *asked, MOMENT_MS, None)
        named = [row.official_id for row in everybody[1:4]]
        some = await fit.load_officials(session, *asked, MOMENT_MS, named)
        assert await coverage_few.few_of_units(session, [2], times) is not None
        # From here on the statement runs whole.
        monkeypatch.setattr(coverage_few, "FEW_PERSONS", -1)
        assert await coverage_few.few_of_units(session, [2], times) is None
        whole_who = {unit: await coverage_who(session, unit, *asked) for unit in units}
        whole_fit = {unit: await fit.load(session, *asked, MOMENT_MS, [unit]) for unit in units}

    assert few_who == whole_who
    assert few_fit == whole_fit
    assert found == {unit: [row.official_id for row in whole_fit[unit]] for unit in units}
    assert some == everybody[1:4]
    states = {person.state for person in whole_who[1]}
    assert {"verified", "contradicted", "unmatched", "no_pc", "excluded"} <= states
    assert any(person.has_shared_access for person in whole_who[1])
    assert len(everybody) > 3
