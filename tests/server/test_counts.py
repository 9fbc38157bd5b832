"""Counts by a person: told first, written whole, and what they make of coverage."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api

DAY = "2026-03-09"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Verified PCs (A1, A2 of U2; A3 of U4), A4 of the police network in U4, A5 disposed of."""
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        office.add_pc(4, office.add_official(4), no_agent_reason="police_network")
        office.add_pc(4, status="disposed")
        await running.write(office)
        yield running


async def count(api: Api, results: dict[str, str], *, apply: bool = True, **more: Any) -> Any:
    items = [{"asset": code, "result": result} for code, result in results.items()]
    body = {"items": items, "day": DAY, "counted_by": "Trần Văn Đếm", "instrument": "BB 3", **more}
    async with await api.signed_in("it", more.pop("unit_id", None)) as client:
        return await client.post("/api/v1/counts", params={"apply": str(apply).lower()}, json=body)


async def states(api: Api, known_at: str | None = None) -> dict[str, str]:
    """Return the state of each person by the code of the asset that decided it."""
    async with await api.signed_in("auditor") as client:
        params = {"as_of": "2026-03-10", **({"known_at": known_at} if known_at else {})}
        rows = (await client.get("/api/v1/coverage/who", params=params)).json()["items"]
    return {row["asset"]["code"]: row["state"] for row in rows if row["asset"]}


async def test_a_dry_run_tells_and_writes_nothing(api: Api) -> None:
    told = (await count(api, {"A4": "seen", "A1": "seen"}, apply=False)).json()

    assert told["applied"] is False
    assert [(i["asset"]["code"], i["outcome"], i["covers"]) for i in told["items"]] == [
        ("A1", "new", False),
        ("A4", "new", True),
    ]
    assert (await states(api))["A4"] == "unmatched"


async def test_a_pc_that_may_carry_no_agent_becomes_counted_by_a_count(api: Api) -> None:
    answer = await count(api, {"A4": "seen"})
    async with await api.signed_in("auditor") as client:
        page = (await client.get("/api/v1/counts")).json()
        audit = (await client.get("/api/v1/audit")).json()["items"]

    assert answer.json()["applied"] is True
    assert (await states(api))["A4"] == "counted"
    assert [(row["asset"]["code"], row["day"], row["counted_by"], row["instrument"])
            for row in page["items"]] == [("A4", DAY, "Trần Văn Đếm", "BB 3")]  # fmt: skip
    assert any(entry["act"] == "asset.count" for entry in audit)


async def test_a_count_that_missed_a_pc_contradicts_what_its_agent_says(api: Api) -> None:
    await count(api, {"A1": "missing"})

    assert (await states(api))["A1"] == "contradicted"


async def test_a_correction_of_the_same_day_is_known_from_then_on_only(api: Api) -> None:
    await count(api, {"A1": "missing"})
    api.clock.now_ms += 60_000
    again = (await count(api, {"A1": "missing"})).json()
    corrected = (await count(api, {"A1": "seen"})).json()

    assert again["items"][0]["outcome"] == "same"
    assert corrected["items"][0]["outcome"] == "changed"
    assert corrected["items"][0]["before_result"] == "missing"
    assert (await states(api))["A1"] == "verified"
    assert (await states(api, "2026-03-10T17:30:30Z"))["A1"] == "contradicted"


@pytest.mark.parametrize(
    "wrong",
    [
        {"results": {"A1": "lost"}},
        {"results": {"A1": "seen", "NONE": "seen"}},
        {"results": {"A1": "seen"}, "day": "2026-03-12"},
        {"results": {"A1": "seen"}, "counted_by": " "},
        {"results": {}},
    ],
)
async def test_what_cannot_be_is_refused_whole(api: Api, wrong: dict[str, Any]) -> None:
    answer = await count(api, **wrong)
    stored = await api.services.db.read("SELECT id FROM counted_asset")

    assert answer.status_code in (400, 422)
    assert answer.json()["remedy"]
    assert stored == []


async def test_nobody_counts_the_assets_of_others(api: Api) -> None:
    body = {"items": [{"asset": "A1", "result": "seen"}], "day": DAY, "counted_by": "X"}
    async with await api.signed_in("it", 4) as client:
        other = await client.post("/api/v1/counts", params={"apply": "true"}, json=body)
        body["items"] = [{"asset": "A3", "result": "seen"}]
        own = await client.post("/api/v1/counts", params={"apply": "true"}, json=body)
        listed = (await client.get("/api/v1/counts")).json()["items"]

    assert (other.status_code, own.status_code) == (422, 200)
    assert [row["asset"]["code"] for row in listed] == ["A3"]


async def test_a_thing_disposed_of_is_not_counted(api: Api) -> None:
    answer = await count(api, {"A5": "seen"})

    assert answer.status_code == 422
    assert "A5" in answer.json()["detail"]
