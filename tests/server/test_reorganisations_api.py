"""A decision over REST: told first, done on request, refused whole, written to the audit log."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api

DECISION: dict[str, Any] = {
    "day": "2026-03-01",
    "instrument": "12/QĐ-UBND",
    "new": [{"code": "MOI", "name": "Phòng mới", "type": "phong", "parent": "U1"}],
    "changes": [{"kind": "merge", "units": ["U2", "U3"], "into": ["MOI"]}],
}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def post(api: Api, decision: dict[str, Any], *, apply: bool) -> Any:
    async with await api.signed_in("it") as client:
        answer = await client.post(
            "/api/v1/reorganisations", params={"apply": str(apply).lower()}, json=decision
        )
    return answer


async def codes(api: Api, day: str) -> set[str]:
    async with await api.signed_in("viewer") as client:
        page = (await client.get("/api/v1/units", params={"as_of": day})).json()
    return {unit["code"] for unit in page["items"]}


async def test_a_dry_run_tells_everything_and_writes_nothing(api: Api) -> None:
    before = await codes(api, "2026-03-05")

    told = (await post(api, DECISION, apply=False)).json()

    assert told["applied"] is False
    assert [unit["code"] for unit in told["created"]] == ["MOI"]
    assert {unit["code"] for unit in told["ended"]} == {"U2", "U3"}
    assert told["moved"]
    assert await codes(api, "2026-03-05") == before


async def test_applied_it_stands_from_its_day_with_history_and_audit(api: Api) -> None:
    done = (await post(api, DECISION, apply=True)).json()
    async with await api.signed_in("admin") as client:
        history = (await client.get("/api/v1/units/MOI/history")).json()
        audit = (await client.get("/api/v1/audit")).json()["items"]

    assert done["applied"] is True
    assert {"U2", "U3"} <= await codes(api, "2026-02-28")
    assert await codes(api, "2026-03-01") & {"U2", "U3", "MOI"} == {"MOI"}
    assert {(s["kind"], s["instrument"]) for s in history["successions"]} == {
        ("merge", "12/QĐ-UBND")
    }
    assert any(entry["act"] == "unit.reorganise" for entry in audit)


async def test_a_decision_that_cannot_be_is_a_problem_with_a_remedy(api: Api) -> None:
    wrong = {**DECISION, "changes": [{"kind": "merge", "units": ["KHONG-CO"], "into": ["MOI"]}]}

    answer = await post(api, wrong, apply=True)

    assert answer.status_code == 422
    assert "KHONG-CO" in answer.json()["detail"]
    assert "MOI" not in await codes(api, "2026-03-05")


async def test_whoever_is_limited_to_a_unit_decides_nothing(api: Api) -> None:
    unit = (await api.services.db.read("SELECT MIN(id) AS id FROM unit"))[0]["id"]
    async with await api.signed_in("it", unit_id=unit) as client:
        answer = await client.post("/api/v1/reorganisations", json=DECISION)

    assert answer.status_code == 403


@pytest.mark.parametrize("field", ["day", "instrument"])
async def test_a_paper_without_day_or_number_is_refused(api: Api, field: str) -> None:
    answer = await post(api, {**DECISION, field: ""}, apply=True)

    assert answer.status_code == 400
