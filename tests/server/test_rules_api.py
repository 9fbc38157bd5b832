"""Rules over REST: tried by their readers first, kept by date with paper, told as they hold."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api
from tests.support.office import TUESDAY


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        away = office.add_official(3)
        office.add_dated(
            "absence", official_id=away, reason="leave", valid_from=TUESDAY,
            valid_to=TUESDAY + timedelta(days=40),
        )  # fmt: skip
        await running.write(office)
        yield running


async def put(api: Api, apply: str = "true", unit_id: int | None = None, **data: Any) -> Any:
    body = {"day": "2026-03-01", "instrument": "QĐ 9", **data}
    async with await api.signed_in("admin", unit_id) as client:
        return await client.post("/api/v1/rules", params={"apply": apply}, json=body)


async def listed(api: Api, **params: str) -> dict[tuple[str, str], dict[str, Any]]:
    async with await api.signed_in("auditor") as client:
        items = (await client.get("/api/v1/rules", params={"limit": "1000", **params})).json()[
            "items"
        ]
    return {(row["name"], row["subject"]): row for row in items}


async def left_out(api: Api) -> int:
    async with await api.signed_in("auditor") as client:
        params = {"as_of": "2026-03-10", "state": "excluded"}
        total: int = (await client.get("/api/v1/coverage/who", params=params)).json()["total"]
    return total


async def test_a_rule_holds_from_its_day_and_its_readers_follow(api: Api) -> None:
    days: dict[str, Any] = {"name": "coverage_long_absence_days", "value": 60}
    dry = (await put(api, "false", **days)).json()
    before = await left_out(api)
    done = (await put(api, **days)).json()
    again = (await put(api, **days)).json()
    async with await api.signed_in("admin") as client:
        audit = (await client.get("/api/v1/audit")).json()["items"]

    assert (dry["changed"], dry["applied"], before) == (True, False, 1)
    assert (done["changed"], done["applied"], again["changed"]) == (True, True, False)
    assert await left_out(api) == 0
    key = ("coverage_long_absence_days", "")
    assert (await listed(api))[key]["value"] == 60
    assert (await listed(api, as_of="2026-02-28"))[key]["value"] == 30
    assert any(entry["act"] == "rule.set" for entry in audit)


async def test_a_dated_rule_is_replaced_for_a_span_and_taken_away(api: Api) -> None:
    esu = {"family": "windows", "versions": ["19045"], "last_day": "2026-10-13"}
    await put(api, name="os_support", subject="windows 10 22H2", value=esu, until="2026-10-14")
    await put(api, name="desk_item", subject="kiosk", value=None)

    now, later = await listed(api), await listed(api, as_of="2027-01-01")

    row = now["os_support", "windows 10 22H2"]
    assert (row["value"], row["source"], row["shipped"]) == (esu, "QĐ 9", False)
    assert (row["since"], row["until"]) == ("2026-03-01", "2026-10-14")
    assert later["os_support", "windows 10 22H2"]["value"]["last_day"] == "2025-10-14"
    assert ("desk_item", "kiosk") not in now
    assert now["desk_item", "pc"]["shipped"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "no_such_rule", "value": 1},
        {"name": "coverage_long_absence_days", "value": "60"},
        {"name": "coverage_long_absence_days", "value": True},
        {"name": "fit_profile", "subject": "x", "value": {"needs": {"ram": 4}}},
        {"name": "desk_item", "subject": "x", "value": {"count": 1}},
        {"name": "norm_posts", "subject": "NO", "value": [{"post": ["x"]}]},
        {"name": "coverage_small_unit", "value": 6, "instrument": " "},
        {"name": "coverage_small_unit", "value": 6, "until": "2026-02-01"},
    ],
)
async def test_what_no_reader_can_use_is_refused_and_nothing_stays(
    api: Api, wrong: dict[str, Any]
) -> None:
    answer = await put(api, **wrong)

    assert answer.status_code in (400, 409)
    assert answer.json()["remedy"]
    assert await api.services.db.read("SELECT id FROM rule") == []


async def test_rules_are_of_the_whole_installation(api: Api) -> None:
    answer = await put(api, unit_id=4, name="coverage_small_unit", value=6)

    assert answer.status_code == 403
