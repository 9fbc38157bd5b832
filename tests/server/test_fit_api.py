"""Fitness over REST and as a metric: filtered, scoped, of any day."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.domain.fit_now import Recounter
from tests.support.api import Api, make_office, running_api
from tests.support.office import RECORDED_MS
from tests.support.prometheus import lint_metrics


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        office.add_section(1, "memory", [{"size_bytes": 2**30}], RECORDED_MS)
        await running.write(office)
        yield running


async def listed(api: Api, unit_id: int | None = None, **params: str) -> list[dict[str, Any]]:
    async with await api.signed_in("auditor", unit_id) as client:
        items: list[dict[str, Any]] = (
            await client.get("/api/v1/coverage/fit", params=params)
        ).json()["items"]
    return items


async def test_verified_people_are_listed_with_what_they_lack(api: Api) -> None:
    everybody = await listed(api, as_of="2026-03-10")
    unfit = await listed(api, as_of="2026-03-10", fitness="unfit")
    scoped = await listed(api, 4, as_of="2026-03-10")
    long_ago = await listed(api, as_of="2019-06-03")

    assert [row["fitness"] for row in everybody] == ["unfit", "fit_unknown", "fit_unknown"]
    assert [(row["missing"], row["has"], row["next"]) for row in unfit] == [
        (["ram_gib"], {"ram_gib": 1}, "kiemke machine show 1")
    ]
    assert [row["unit"]["code"] for row in scoped] == ["U4"]
    assert long_ago == []


async def test_an_unknown_fitness_is_refused(api: Api) -> None:
    async with await api.signed_in("auditor") as client:
        answer = await client.get("/api/v1/coverage/fit", params={"fitness": "good"})

    assert answer.status_code == 400


async def test_the_metric_counts_own_people_and_those_of_the_subtree(api: Api) -> None:
    api.clock.now_ms += 86_400_000
    await Recounter(api.services.db).run(api.clock())
    async with api.client(await api.token("viewer", kind="scrape")) as client:
        text = (await client.get("/metrics/fleet")).text

    assert 'kiemke_officials_fit{unit="2",fitness="unfit"} 1\n' in text
    assert 'kiemke_subtree_officials_fit{unit="1",fitness="fit_unknown"} 2\n' in text
    assert lint_metrics(text) == ""
