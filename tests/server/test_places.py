"""Places of units: dated, by paper, tried before they are written, kept within a user's subtree."""

from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api
from tests.support.office import Office

DESK = {
    "code": "MC-U4",
    "name": "Bộ phận Một cửa",
    "kind": "one_stop_desk",
    "unit": "U4",
    "day": "2025-07-01",
    "instrument": "5/QĐ-UBND",
}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def listed(api: Api, query: str = "") -> list[dict[str, Any]]:
    async with await api.signed_in("viewer") as client:
        found: list[dict[str, Any]] = (await client.get(f"/api/v1/places{query}")).json()["items"]
    return found


async def test_a_place_is_tried_then_made_moved_and_ended(api: Api) -> None:
    """Each act is a dry run first; the past stays answerable on both times."""
    async with await api.signed_in("it") as client:
        tried = (await client.post("/api/v1/places", json=DESK)).json()
        assert await listed(api) == []
        made = (await client.post("/api/v1/places?apply=true", json=DESK)).json()
        before_move = api.clock.now_ms
        api.clock.now_ms += 60_000
        change = {"day": "2026-01-01", "instrument": "6/QĐ-UBND", "unit": "U2"}
        moved = (await client.patch("/api/v1/places/MC-U4?apply=true", json=change)).json()
        api.clock.now_ms += 60_000
        end = {"day": "2026-02-01", "instrument": "7/QĐ-UBND", "end": True}
        ended = (await client.patch("/api/v1/places/MC-U4?apply=true", json=end)).json()
    async with await api.signed_in("auditor") as client:
        audit = (await client.get("/api/v1/audit")).json()["items"]
    # An act that wrote rows of several tables has a further entry, without words, for each.
    acts = [e for e in audit if e["act"].startswith("place.") and (e["before"] or e["after"])]

    assert (tried["applied"], made["applied"], tried["after"]) == (False, True, made["after"])
    assert (moved["before"]["unit"]["code"], moved["after"]["unit"]["code"]) == ("U4", "U2")
    assert ended["after"] is None
    assert await listed(api) == []
    assert [p["unit"]["code"] for p in await listed(api, "?as_of=2025-12-31")] == ["U4"]
    assert [p["unit"]["code"] for p in await listed(api, "?as_of=2026-01-15")] == ["U2"]
    known = f"2026-03-01&known_at={before_move // 1000}"
    assert [p["unit"]["code"] for p in await listed(api, f"?as_of={known}")] == ["U4"]
    assert sorted(entry["act"] for entry in acts) == ["place.change", "place.create", "place.end"]


WRONG = (
    ({"kind": "vuon"}, 422),
    ({"name": ""}, 422),
    ({"unit": "KHONG-CO"}, 404),
    ({"instrument": " "}, 400),
    ({"day": "2030-01-01"}, 400),
)


async def test_a_place_that_cannot_be_is_refused(api: Api) -> None:
    async with await api.signed_in("it") as client:
        answers = [
            (await client.post("/api/v1/places?apply=true", json={**DESK, **wrong})).status_code
            for wrong, _status in WRONG
        ]

    assert answers == [status for _wrong, status in WRONG]
    assert await listed(api) == []


async def test_a_code_in_use_is_refused_and_free_again_after_the_end(api: Api) -> None:
    other = {**DESK, "unit": "U2", "day": "2026-02-01"}
    async with await api.signed_in("it") as client:
        await client.post("/api/v1/places?apply=true", json=DESK)
        taken = await client.post("/api/v1/places?apply=true", json=other)
        end = {"day": "2026-02-01", "instrument": "7/QĐ-UBND", "end": True}
        await client.patch("/api/v1/places/MC-U4?apply=true", json=end)
        free = await client.post("/api/v1/places?apply=true", json=other)

    assert (taken.status_code, free.status_code) == (422, 200)


async def test_whoever_is_limited_to_a_unit_makes_and_takes_places_there_alone(api: Api) -> None:
    change = {"day": "2026-01-01", "instrument": "6/QĐ", "unit": "U2"}
    async with await api.signed_in("it", unit_id=2) as client:
        others = await client.post("/api/v1/places?apply=true", json=DESK)
        own = await client.post("/api/v1/places?apply=true", json={**DESK, "unit": "U2"})
        given = await client.patch("/api/v1/places/MC-U4?apply=true", json={**change, "unit": "U4"})
    async with await api.signed_in("it", unit_id=4) as client:
        taken = await client.patch("/api/v1/places/MC-U4?apply=true", json={**change, "unit": "U4"})

    assert (others.status_code, own.status_code) == (404, 200)
    assert (given.status_code, taken.status_code) == (404, 404)


async def test_places_go_with_their_unit_when_it_is_merged(api: Api) -> None:
    decision = {
        "day": "2026-03-01",
        "instrument": "12/QĐ",
        "changes": [{"kind": "merge", "units": ["U4"], "into": ["U2"]}],
    }
    async with await api.signed_in("it") as client:
        await client.post("/api/v1/places?apply=true", json=DESK)
        told = (await client.post("/api/v1/reorganisations?apply=true", json=decision)).json()

    assert [m["code"] for m in told["moved"] if m["what"] == "place"] == ["MC-U4"]
    assert [p["unit"]["code"] for p in await listed(api)] == ["U2"]
    assert [p["unit"]["code"] for p in await listed(api, "?as_of=2026-02-28")] == ["U4"]


async def test_a_place_ends_only_when_nothing_stands_there(api: Api) -> None:
    office = Office()
    office.ids = defaultdict(lambda: 9000)  # beside what the fixture wrote
    here, gone = office.add_asset(), office.add_asset(status="disposed")
    async with await api.signed_in("it") as client:
        await client.post("/api/v1/places?apply=true", json=DESK)
        for asset in (here, gone):
            office.add_custody(asset, 4, at_place_id=1)
        await api.write(office)
        end = {"day": "2026-02-01", "instrument": "7/QĐ-UBND", "end": True}
        refused = await client.patch("/api/v1/places/MC-U4?apply=true", json=end)
        async with api.services.db.transaction() as session:
            await session.execute(
                "UPDATE custody SET valid_to = :day WHERE asset_id = :asset",
                day=date(2026, 1, 15), asset=here,
            )  # fmt: skip
        ended = await client.patch("/api/v1/places/MC-U4?apply=true", json=end)

    assert (refused.status_code, ended.status_code) == (422, 200)
    assert f"A{here}" in refused.text and f"A{gone}" not in refused.text
    assert "place:MC-U4" in refused.text
