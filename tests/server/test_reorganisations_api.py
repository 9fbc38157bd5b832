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


def decision(
    day: str, *changes: dict[str, Any], new: tuple[dict[str, Any], ...] = ()
) -> dict[str, Any]:
    return {"day": day, "instrument": f"QĐ {day}", "new": list(new), "changes": list(changes)}


TEAM = {"code": "TO", "name": "Tổ mới", "type": "phong", "parent": "U2"}
MERGE = {"kind": "merge", "units": ["U2"], "into": ["U3"]}


async def test_a_decision_entered_late_tears_nothing_apart_that_came_after_it(api: Api) -> None:
    """A team was put below U2 on 4 March; that U2 ended on 1 March is heard of afterwards."""
    await post(api, decision("2026-03-04", new=(TEAM,)), apply=True)

    late = await post(api, decision("2026-03-01", MERGE), apply=True)
    taken = await post(api, decision("2026-03-01", new=({**TEAM, "parent": "U1"},)), apply=True)
    move = {"kind": "move", "units": ["TO"], "parent": "U1"}
    moved = await post(api, decision("2026-03-04", move), apply=True)
    again = await post(api, decision("2026-03-01", MERGE), apply=True)
    next_one = await post(
        api, decision("2026-03-08", {"kind": "rename", "units": ["U3"], "name": "N"}), apply=False
    )

    assert (late.status_code, taken.status_code) == (422, 422)
    assert "TO" in late.json()["detail"]
    assert "don-vi chuyen TO --thuoc … --ngay 04/03/2026" in late.json()["remedy"]
    assert "TO" in taken.json()["detail"]
    assert [each.status_code for each in (moved, again, next_one)] == [200, 200, 200], again.text
    assert await codes(api, "2026-03-09") == {"U1", "U3", "U4", "TO"}


async def test_a_unit_that_ends_does_not_come_back_by_a_later_paper(api: Api) -> None:
    rename = {"kind": "rename", "units": ["U2"], "name": "Phòng khác"}
    await post(api, decision("2026-03-04", rename), apply=True)

    late = await post(api, decision("2026-03-01", MERGE), apply=True)

    assert late.status_code == 422
    assert "QĐ 2026-03-04" in late.json()["detail"]
    assert "U2" in await codes(api, "2026-03-09")


async def test_nothing_is_put_below_or_into_a_unit_that_ended_since(api: Api) -> None:
    await post(api, decision("2026-03-05", MERGE), apply=True)

    below = await post(api, decision("2026-03-02", new=(TEAM,)), apply=True)
    into = {"kind": "merge", "units": ["U4"], "into": ["U2"]}
    received = await post(api, decision("2026-03-02", into), apply=True)
    before = await post(
        api, decision("2026-03-02", {"kind": "rename", "units": ["U2"], "name": "P"}), apply=True
    )

    assert [each.status_code for each in (below, received, before)] == [422, 422, 200], before.text
    assert "05/03/2026" in below.json()["detail"]
    assert await codes(api, "2026-03-09") == {"U1", "U3", "U4"}
