"""Several people change one thing at the same moment: what stands afterwards is one history, not two."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api

PAPER = {"day": "2026-03-02", "instrument": "7/QĐ"}
PEOPLE = range(6)
# Rows of one thing that would hold on one day: there may be none.
OVERLAPS = """
SELECT COUNT(*) AS twice FROM {table} a JOIN {table} b ON b.{of} = a.{of} AND b.id > a.id
WHERE a.voided_at_ms IS NULL AND b.voided_at_ms IS NULL
  AND (a.valid_to IS NULL OR b.valid_from < a.valid_to) AND (b.valid_to IS NULL OR a.valid_from < b.valid_to)
"""


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


@pytest.mark.parametrize(
    ("path", "body", "table", "of"),
    [
        ("devices/SW-01/acts", {"act": "change", "name": "Switch {n}"}, "device_version", "device_id"),
        ("assets/A1/facts", {"name": "Máy {n}", **PAPER}, "asset_fact", "asset_id"),
        ("officials/P1/acts", {"act": "change", "name": "Lê Văn {n}", **PAPER}, "official_version",
         "official_id"),
        ("officials/P1/acts", {"act": "move", "unit": "U{n}", **PAPER}, "membership", "official_id"),
    ],
)  # fmt: skip
async def test_a_thing_changed_by_many_at_once_has_one_history(
    api: Api, path: str, body: dict[str, Any], table: str, of: str
) -> None:
    async with await api.signed_in("admin") as client:
        answers = await asyncio.gather(
            *(
                client.post(
                    f"/api/v1/{path}?apply=true",
                    json={k: v.format(n=n + 1) for k, v in body.items()},
                )
                for n in PEOPLE
            )
        )
    (row,) = await api.services.db.read(OVERLAPS.format(table=table, of=of))

    assert any(answer.status_code == 200 for answer in answers), answers[0].text
    assert row["twice"] == 0
