"""Two collectors of one unit: the silent one is stood in for, and nothing is ever counted twice."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api, sha256_hex
from tests.support.office import Office

INTERVAL_MS = 60_000


def two_collectors() -> Office:
    """Return the district with two collectors, s4 (which has every device) and s5."""
    office = make_office()
    office.add_source(1, kind="collector")
    return office


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(two_collectors())
        async with running.services.db.transaction() as session:
            await session.execute("UPDATE device SET collector_id = 4")
            await session.execute("UPDATE probe_target SET collector_id = 4")
            for number in (4, 5):
                await session.execute(
                    "UPDATE source SET secret_sha256 = :sha WHERE id = :id",
                    sha=sha256_hex(f"secret {number}"),
                    id=number,
                )
        yield running


async def tasks(api: Api, number: int) -> list[int]:
    """Return the devices that a collector is told to poll."""
    headers = {"X-Kiemke-Source": f"s{number}", "Authorization": f"Bearer secret {number}"}
    async with api.client() as client:
        found: dict[str, Any] = (await client.get("/api/v1/assignment", headers=headers)).json()
    return [each["device"] for each in found["devices"]]


async def test_a_silent_collector_is_stood_in_for_within_two_intervals(api: Api) -> None:
    began = [await tasks(api, 4), await tasks(api, 5)]
    api.clock.now_ms += INTERVAL_MS
    still = await tasks(api, 5)
    api.clock.now_ms += INTERVAL_MS // 2  # 90 s after the last word of s4
    over = await tasks(api, 5)
    back = [await tasks(api, 4), await tasks(api, 5)]

    assert began == [[1, 2], []]
    assert (still, over) == ([], [1, 2])
    assert back == [[1, 2], []]


async def test_each_new_holder_has_a_higher_fence(api: Api) -> None:
    fences = []
    for number in (4, 5, 4):
        await tasks(api, number)
        api.clock.now_ms += 2 * INTERVAL_MS
        async with api.services.db.reading() as session:
            row = await session.one("SELECT holder, fence FROM lease WHERE name = 'collector:4'")
        assert row is not None
        fences.append((row["holder"], row["fence"]))

    assert fences == [("4", 1), ("5", 2), ("4", 3)]


async def test_a_collector_of_another_unit_stands_in_for_nobody(api: Api) -> None:
    await tasks(api, 4)
    async with api.services.db.transaction() as session:
        await session.execute("UPDATE source SET unit_id = 4 WHERE id = 5")
    api.clock.now_ms += 10 * INTERVAL_MS

    assert await tasks(api, 5) == []
