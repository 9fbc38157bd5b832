"""Files that speak of a unit after its end."""

import pytest

from kiemke.server.db import Database
from kiemke.server.imports.result import ImportResult
from tests.support.imports import ASSETS, OFFICIALS, UNITS, load, load_district

ENDING = [[*UNITS[0], "Đến trước ngày"], [*UNITS[3], "01/07/2025"]]


def told(result: ImportResult) -> list[tuple[int, str | None, str | None]]:
    return [(e.row, e.column.en if e.column else None, e.value) for e in result.errors]


@pytest.fixture
async def district(database: Database) -> Database:
    """A district whose TG-TP ended on 01/07/2025."""
    await load_district(database)
    assert (await load(database, "units", ENDING)).errors == ()
    return database


@pytest.mark.parametrize(("template", "paper"), [("officials", OFFICIALS), ("assets", ASSETS)])
async def test_nobody_and_nothing_is_left_in_a_unit_that_ended(
    district: Database, template: str, paper: list[list[str]]
) -> None:
    row = [cell.replace("TG-NV", "TG-TP") for cell in paper[1]]
    row[0], row[1] = "X-9", "X-9"
    refused = await load(district, template, [paper[0], row])
    again = await load(district, template, paper)

    assert told(refused) == [(2, "Unit code", "TG-TP")]
    assert refused.errors[0].message.en == "TG-TP ended on 2025-07-01"
    assert "kiemke don-vi lich-su TG-TP" in refused.errors[0].remedy.vi
    assert (again.errors, again.same) == ((), 2)


async def test_a_history_that_ends_with_its_unit_is_taken(district: Database) -> None:
    until = [*OFFICIALS[0], "valid_to"]
    person = ["009", "Lê Văn Ơn", "TG-TP", "công chức", "", "", "", "01/01/2024"]
    later = [*person[:2], "TG-NV", *person[3:7], "01/07/2025"]
    gone = ["TS9", "T9", "PC", "Máy cũ", "", "", "TG-TP", "", "", "01/01/2024", "đã thanh lý"]

    too_late = await load(district, "officials", [until, [*person, "02/07/2025"]], apply=False)
    ended = await load(district, "officials", [until, [*person, "01/07/2025"]], apply=False)
    moved = await load(district, "officials", [OFFICIALS[0], person, later], apply=False)
    disposed = await load(district, "assets", [[*ASSETS[0], "Tình trạng"], gone])

    assert told(too_late) == [(2, "Unit code", "TG-TP")]
    assert "Đến trước ngày” muộn nhất 01/07/2025" in too_late.errors[0].remedy.vi
    assert (ended.errors, moved.errors, disposed.errors) == ((), (), ())
