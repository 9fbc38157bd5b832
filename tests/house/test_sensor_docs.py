"""docs/sensors.md and docs/privacy.md say what the code does, row by row."""

import dataclasses

import pytest

from kiemke.agent import privacy
from kiemke.agent.sensors import SENSORS, Sensor
from kiemke.wire.inventory import SECTIONS
from tests.support.tree import ROOT

SENSORS_PAGE = ROOT / "docs" / "sensors.md"
PRIVACY_PAGE = ROOT / "docs" / "privacy.md"


def personal(sensor: Sensor) -> list[str]:
    """Return the items about persons that touch a sensor's sections."""
    return [
        item.name
        for item in privacy.ITEMS
        if set(sensor.SECTIONS) & {*item.sections, *(one.partition(".")[0] for one in item.fields)}
    ]


def sensor_row(sensor: Sensor) -> str:
    module = sensor.load()
    cells = (
        f"`{module.NAME}`",
        ", ".join(f"`{name}`" for name in module.SECTIONS),
        module.SOURCE,
        module.RIGHTS,
        ", ".join(f"`{name}`" for name in personal(sensor)) or "nothing of persons",
    )
    return f"| {' | '.join(cells)} |"


def privacy_row(item: privacy.Item) -> str:
    places = ", ".join(f"`{one}`" for one in (*item.sections, *item.fields)) or "samples, events"
    return f"| `{item.name}` | {item.words} | {places} |"


@pytest.mark.parametrize("sensor", SENSORS, ids=lambda one: one.module)
def test_each_sensors_row_is_what_the_code_says(sensor: Sensor) -> None:
    """What an administrator reads before the agent goes onto a PC must be what it does there."""
    assert sensor.load().NAME == sensor.module
    assert sensor_row(sensor) in SENSORS_PAGE.read_text("utf-8").splitlines()


def test_the_page_of_sensors_has_no_row_of_a_sensor_that_is_gone() -> None:
    rows = [line for line in SENSORS_PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]

    assert rows == [sensor_row(sensor) for sensor in SENSORS], "in the order of reading"


def test_the_page_on_privacy_lists_every_item_and_no_other() -> None:
    page = PRIVACY_PAGE.read_text("utf-8").partition("## What the agent tells")[2]
    rows = [line for line in page.partition("\n## ")[0].splitlines() if line.startswith("| `")]

    assert rows == [privacy_row(item) for item in privacy.ITEMS]


def test_every_item_names_sections_and_fields_there_are() -> None:
    """A misspelt field would switch nothing off."""
    for item in privacy.ITEMS:
        assert set(item.sections) <= SECTIONS.keys()
        for place in item.fields:
            section, _, field = place.partition(".")
            assert field in {one.name for one in dataclasses.fields(SECTIONS[section])}


def test_every_field_that_names_an_account_can_be_switched_off() -> None:
    """A new row with a ``user`` must not slip past the switches."""
    covered = {one for item in privacy.ITEMS for one in item.fields}
    whole = {one for item in privacy.ITEMS for one in item.sections}
    accounts = {
        f"{section}.user"
        for section, row in SECTIONS.items()
        if "user" in {one.name for one in dataclasses.fields(row)} and section not in whole
    }

    assert accounts <= covered
