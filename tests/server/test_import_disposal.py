"""A disposal needs a second person: no import file stands in for one."""

import pytest

from kiemke.server.db import Database
from tests.support.imports import load, load_district


@pytest.fixture
async def district(database: Database) -> Database:
    """A database with the small district's units, officials and assets."""
    await load_district(database)
    return database


async def test_no_file_disposes_of_what_is_on_the_book(district: Database) -> None:
    head = ["Mã", "Loại", "Tên tài sản", "Tình trạng", "Mã đơn vị", "Từ ngày"]
    old = ["TS9", "PC", "Máy cũ", "disposed", "TG-NV", "01/02/2024"]
    waits = ["TS1", "PC", "Máy Dell", "awaiting_disposal", "TG-NV", "01/03/2025"]
    gone = ["TS1", "PC", "Máy Dell", "disposed", "TG-NV", "01/04/2025"]

    taken_over = await load(district, "assets", [head, old])
    again = await load(district, "assets", [head, old])
    early = await load(district, "assets", [head, gone])
    waiting = await load(district, "assets", [head, waits])
    late = await load(district, "assets", [head, gone])
    states = await district.read(
        "SELECT status FROM asset_status WHERE asset_id = 1 AND voided_at_ms IS NULL"
        " ORDER BY valid_from"
    )

    assert taken_over.applied and again.applied and waiting.applied
    for result in (early, late):
        (error,) = result.errors
        assert not result.applied and error.column and error.column.vi == head[3]
        assert "kiemke asset status TS1 disposed" in error.remedy.en
    assert [row["status"] for row in states] == ["in_use", "awaiting_disposal"]
