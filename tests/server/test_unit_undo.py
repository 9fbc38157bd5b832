"""A decision on units that was entered wrongly is taken back: told first, by its number, with why."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.server.audit_adopt import record_rows
from kiemke.server.domain.audit_chain import open_key, seal
from kiemke.server.ledgers import LEDGER_TABLES
from tests.support.api import Api, make_office, running_api
from tests.support.office import MOMENT_MS

MERGE: dict[str, Any] = {
    "day": "2026-03-01",
    "instrument": "12/QĐ",
    "new": [{"code": "MOI", "name": "Phòng mới", "type": "phong", "parent": "U1"}],
    "changes": [{"kind": "merge", "units": ["U2", "U3"], "into": ["MOI"]}],
}
WHY = {"reason": "nhập nhầm đơn vị"}
LISTS = ("units", "officials", "assets", "devices", "links", "sources", "coverage")


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def decide(api: Api, client: httpx.AsyncClient, decision: dict[str, Any]) -> Any:
    api.clock.now_ms += 60_000
    answer = await client.post("/api/v1/reorganisations?apply=true", json=decision)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def undo(
    api: Api, client: httpx.AsyncClient, number: int, *, apply: bool = True
) -> httpx.Response:
    api.clock.now_ms += 60_000
    return await client.post(
        f"/api/v1/reorganisations/{number}/undo",
        params={"apply": str(apply).lower()},
        json=WHY,
        headers={"Accept-Language": "en"},
    )


async def look(client: httpx.AsyncClient, **asked: str) -> dict[str, Any]:
    """Return what every list says of the day of the decision."""
    params = {"as_of": "2026-03-05", **asked}
    return {
        name: (await client.get(f"/api/v1/{name}", params=params)).json()["items"] for name in LISTS
    }


def moment(api: Api) -> str:
    """Return now as a query has it."""
    return datetime.fromtimestamp(api.clock.now_ms / 1000, UTC).isoformat()


async def test_a_decision_taken_back_leaves_all_as_it_was_and_the_time_between_as_it_was_told(
    api: Api,
) -> None:
    async with await api.signed_in("it") as client, await api.signed_in("auditor") as auditor:
        async with api.services.db.transaction() as session:
            await record_rows(session, LEDGER_TABLES, "ledger.adopt", "1/QĐ", MOMENT_MS)
        before = await look(client)
        number = (await decide(api, client, MERGE))["number"]
        between, then = await look(client), moment(api)
        rehearsed = (await undo(api, client, number, apply=False)).json()
        untouched = await look(client)
        done = (await undo(api, client, number)).json()
        after = await look(client)
        # What has no dates (agents, and by them what was seen) is always that of now.
        dated = [name for name in LISTS if name not in ("sources", "coverage")]
        told = await look(client, known_at=then)
        history = (await client.get("/api/v1/units/U2/history")).json()
        entries = (await auditor.get("/api/v1/audit?act=unit.undo")).json()["items"]
        listed = (await auditor.get("/api/v1/reorganisations")).json()["items"]
        as_then = (await auditor.get("/api/v1/reorganisations", params={"known_at": then})).json()
        key = open_key(api.services.settings.data_dir / "audit")
        async with api.services.db.transaction() as session:
            await seal(session, key, api.clock.now_ms)
        proved = (await auditor.post("/api/v1/audit/verify", json={"anchors": []})).json()

    assert before != between == untouched
    assert (rehearsed["applied"], done["applied"]) == (False, True)
    assert after == before
    assert {name: told[name] for name in dated} == {name: between[name] for name in dated}
    assert [unit["code"] for unit in done["vanished"]] == ["MOI"]
    assert {unit["code"] for unit in done["revived"]} == {"U2", "U3"}
    assert {(m["what"], m["code"], m["to"]["code"]) for m in done["moved"]} >= {
        ("official", "P1", "U2"), ("asset", "A1", "U2"), ("source", "s1", "U2"),
        ("device", "SW-01", "U2"), ("link", "DT-01", "U2"),
    }  # fmt: skip
    assert history["successions"] == []
    assert [entry["after"]["undone"] for entry in entries if entry["after"]] == [number]
    assert [(each["number"], each["undone"]) for each in listed][1:] == [(number, None)]
    assert listed[1]["undone_by"] == listed[0]["number"]
    assert [each["undone_by"] for each in as_then["items"]] == [None]
    assert (proved["is_whole"], proved["faults"]) == (True, [])


async def test_all_that_builds_on_a_decision_is_told_at_once_in_the_order_to_take_it_back(
    api: Api,
) -> None:
    """An official moved since, one more decision on the new unit, and a third on what that made."""
    team = {"code": "TO", "name": "Tổ", "type": "phong", "parent": "MOI"}
    rename = {"kind": "rename", "units": ["TO"], "name": "Tổ một"}
    leave = {"act": "leave", "day": "2026-03-06", "instrument": "9/QĐ"}
    async with await api.signed_in("it") as client:
        first = (await decide(api, client, MERGE))["number"]
        second = {"day": "2026-03-04", "instrument": "13/QĐ", "new": [team]}
        second_number = (await decide(api, client, second))["number"]
        api.clock.now_ms += 60_000
        left = await client.post("/api/v1/officials/P1/acts?apply=true", json=leave)
        third = {"day": "2026-03-05", "instrument": "14/QĐ", "changes": [rename]}
        third_number = (await decide(api, client, third))["number"]
        before = await look(client)
        told = (await undo(api, client, first, apply=False)).json()
        found = told["hindrances"]
        refused = await undo(api, client, first)
        still = await look(client)
        one = await undo(api, client, third_number)
        two = await undo(api, client, found[1]["number"])
        three = await undo(api, client, second_number)
        last = await undo(api, client, first)
        persons = (await client.get("/api/v1/officials?as_of=2026-03-10")).json()["items"]

    assert left.status_code == 200, left.text
    numbers = [each["number"] for each in found]
    assert (numbers[0], numbers[2]) == (third_number, second_number)
    assert numbers == sorted(numbers, reverse=True) and len(numbers) == 3
    assert all(each["undo"] for each in found)
    assert (found[1]["act"], found[1]["instrument"]) == ("official.leave", "9/QĐ")
    assert found[1]["why"] == ["official:P1 was changed since."]
    assert refused.status_code == 422
    for part in ("13/QĐ", "14/QĐ", "official.leave official:P1"):
        assert part in refused.json()["detail"]
    assert still == before
    for answer in (one, two, three, last):
        assert answer.status_code == 200, answer.text
    assert {each["code"]: each["unit"]["code"] for each in persons}["P1"] == "U2"


async def test_what_is_there_by_no_entry_is_in_the_way_too_and_what_moved_on_stays(
    api: Api,
) -> None:
    """An agent enrolled into the new unit, and one that was carried there and assigned on."""
    async with await api.signed_in("it") as client:
        number = (await decide(api, client, MERGE))["number"]
        unit = "(SELECT unit_id FROM unit_version WHERE code = 'MOI')"
        async with api.services.db.transaction() as session:
            await session.execute("UPDATE source SET unit_id = 4 WHERE id = 1")
            await session.execute(f"UPDATE source SET unit_id = {unit} WHERE id = 4")  # noqa: S608
        told = (await undo(api, client, number, apply=False)).json()
        async with api.services.db.transaction() as session:
            await session.execute("UPDATE source SET unit_id = 1 WHERE id = 4")
        done = await undo(api, client, number)
        sources = (await client.get("/api/v1/sources")).json()["items"]

    assert [each["why"] for each in told["hindrances"]] == [["source:s4 belongs to MOI."]]
    assert told["hindrances"][0]["number"] is None
    assert [(each["code"], each["at"]["code"]) for each in told["stays"]] == [("s1", "U4")]
    assert done.status_code == 200, done.text
    units = {each["id"]: each["unit"]["code"] for each in sources}
    assert (units["s1"], units["s2"]) == ("U4", "U2")


async def test_what_is_no_decision_or_was_taken_back_is_refused_and_can_be_entered_anew(
    api: Api,
) -> None:
    async with await api.signed_in("it") as client:
        number = (await decide(api, client, MERGE))["number"]
        once = await undo(api, client, number)
        twice = await undo(api, client, number)
        none = await undo(api, client, 999_999)
        silent = await client.post(f"/api/v1/reorganisations/{number}/undo", json={"reason": "  "})
        again = await decide(api, client, MERGE)
        back = await undo(api, client, again["number"])

    assert once.status_code == back.status_code == 200, back.text
    assert (twice.status_code, none.status_code, silent.status_code) == (422, 422, 400)
    assert "taken back already" in twice.json()["detail"]
    assert again["number"] > number


async def test_taking_back_can_be_taken_back(api: Api) -> None:
    async with await api.signed_in("it") as client:
        number = (await decide(api, client, MERGE))["number"]
        between = await look(client)
        await undo(api, client, number)
        page = (await client.get("/api/v1/reorganisations")).json()["items"]
        again = await undo(api, client, page[0]["number"])
        after = await look(client)
        page = (await client.get("/api/v1/reorganisations")).json()["items"]
        last = await undo(api, client, number)

    assert again.status_code == 200, again.text
    assert after == between
    assert page[2]["undone_by"] is None
    assert last.status_code == 200, last.text


async def test_who_is_limited_to_a_unit_takes_nothing_back_and_sees_no_decision(api: Api) -> None:
    async with await api.signed_in("it") as client:
        number = (await decide(api, client, MERGE))["number"]
    async with await api.signed_in("it", unit_id=4) as client:
        refused = await undo(api, client, number)
        unseen = await client.get("/api/v1/reorganisations")

    assert (refused.status_code, unseen.status_code) == (403, 403)


async def test_a_late_decision_puts_no_unit_below_itself_on_a_later_day(api: Api) -> None:
    """U2 stands below U3 from 5 March; that U3 came below U2 on 1 March is heard of afterwards."""

    def move(unit: str, parent: str, day: str) -> dict[str, Any]:
        change = {"kind": "move", "units": [unit], "parent": parent}
        return {"day": day, "instrument": f"QĐ {day}", "changes": [change]}

    async with await api.signed_in("it") as client:
        await decide(api, client, move("U2", "U3", "2026-03-05"))
        late = await client.post(
            "/api/v1/reorganisations?apply=true", json=move("U3", "U2", "2026-03-01")
        )

    assert late.status_code == 422
    assert "QĐ 2026-03-05" in late.json()["detail"]


async def test_an_official_comes_back_into_no_unit_that_ended_since_and_into_no_second_post(
    api: Api,
) -> None:
    """He moved from U2 to U4, U2 was merged; he left, and was taken on again elsewhere."""
    merge = {"kind": "merge", "units": ["U2"], "into": ["U3"]}
    acts: tuple[tuple[str, dict[str, Any]], ...] = (
        ("P1", {"act": "move", "unit": "U4", "day": "2026-03-02"}),
        ("P3", {"act": "leave", "day": "2026-03-03"}),
        ("P3", {"act": "move", "unit": "U3", "kind": "cong_chuc", "day": "2026-03-05"}),
    )
    numbers = []
    async with await api.signed_in("admin") as client:
        for code, said in acts:
            api.clock.now_ms += 60_000
            body = {"instrument": "1/QĐ", **said}
            done = await client.post(f"/api/v1/officials/{code}/acts?apply=true", json=body)
            assert done.status_code == 200, done.text
            numbers.append((await client.get("/api/v1/audit?limit=1")).json()["items"][0]["id"])
        decision = {"day": "2026-03-04", "instrument": "2/QĐ", "changes": [merge]}
        decided = (await decide(api, client, decision))["number"]
        moved = (await undo(api, client, numbers[0], apply=False)).json()["hindrances"]
        left = (await undo(api, client, numbers[1], apply=False)).json()["hindrances"]
        again = await undo(api, client, numbers[2])
        foretold = (await undo(api, client, numbers[1], apply=False)).json()
        now = await undo(api, client, numbers[1])
        persons = (await client.get("/api/v1/officials?as_of=2026-03-10")).json()["items"]

    assert [each["number"] for each in moved] == [decided]
    assert moved[0]["why"] == ["unit:U2 is no more from 2026-03-04 on."]
    assert [(each["number"], each["why"]) for each in left] == [
        (numbers[2], ["official:P3 is said otherwise since."])
    ]
    assert (again.status_code, now.status_code) == (200, 200), again.text + now.text
    assert [(each["what"], each["code"]) for each in foretold["again"]] == [("official", "P3")]
    assert (foretold["moved"], foretold["undated_known"]) == ([], True)
    assert {each["code"]: each["unit"]["code"] for each in persons}["P3"] == "U4"


async def test_a_handover_since_goes_the_same_way_unless_both_sides_signed_it(api: Api) -> None:
    given = {"giver": {"unit": "MOI"}, "receiver": {"unit": "U4"}, "day": "2026-03-06",
             "instrument": "5/BB"}  # fmt: skip
    async with await api.signed_in("admin") as client:
        number = (await decide(api, client, MERGE))["number"]
        api.clock.now_ms += 60_000
        done = await client.post("/api/v1/handovers?apply=true", json=given)
        assert done.status_code == 200, done.text
        kept = (await client.get("/api/v1/handovers")).json()["items"]
        then = moment(api)
        way = (await undo(api, client, number, apply=False)).json()["hindrances"]
        signed = f"/api/v1/handovers/{kept[0]['id']}/signed"
        await client.post(signed, json={"day": "2026-03-07"})
        refused = await undo(api, client, way[0]["number"])
        async with api.services.db.transaction() as session:
            await session.execute("UPDATE handover SET signed_on = NULL")
        first = await undo(api, client, way[0]["number"])
        last = await undo(api, client, number)
        left = (await client.get("/api/v1/handovers")).json()["items"]
        as_then = (await client.get("/api/v1/handovers", params={"known_at": then})).json()
        assets = (await client.get("/api/v1/assets")).json()["items"]

    assert [(each["act"], each["undo"]) for each in way] == [("asset.handover", True)]
    assert refused.status_code == 422 and "signed by both sides" in refused.json()["detail"]
    assert (first.status_code, last.status_code) == (200, 200), first.text + last.text
    assert (len(kept), left, len(as_then["items"])) == (1, [], 1)
    assert {each["code"]: each["unit"]["code"] for each in assets}["A1"] == "U2"
