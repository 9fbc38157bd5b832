"""Stock-takes: the book as of a day against what stands there, closed with minutes that stay."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.api import Api, running_api
from tests.support.stock_takes import DAY, add, make_counted_office, opened, said, states


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_counted_office())
        yield running


async def test_a_dry_run_says_what_is_expected_and_opens_nothing(api: Api) -> None:
    async with await api.signed_in("it") as it:
        body = {"unit": "U2", "day": DAY, "instrument": "12/QĐ"}
        told = (await it.post("/api/v1/stock-takes", json=body)).json()
        listed = (await it.get("/api/v1/stock-takes")).json()

    assert (told["id"], told["expected"], told["applied"]) == (None, 3, False)
    assert listed["total"] == 0


async def test_every_number_on_a_thing_answers_for_it(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        before = await states(it, take)
        told = await add(it, take, said("found", "a1", "tem-6"))
        again = await add(it, take, said("found", "AB12c"))
        after = await states(it, take)

    assert before == {"A1": "unanswered", "A2": "unanswered", "A6": "unanswered"}
    assert [(i["asset"], i["outcome"]) for i in told.json()["items"]] == [
        ("A1", "new"),
        ("A6", "new"),
    ]
    assert again.json()["items"][0]["outcome"] == "same"
    assert after == {"A2": "unanswered", "A1": "agrees", "A6": "agrees"}


async def test_differences_name_the_next_command(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("missing", "A1"))
        await add(it, take, [{"number": "A2", "result": "elsewhere", "unit": "U4"}])
        await add(it, take, said("broken", "A6"))
        await add(it, take, said("found", "A3", "A5"))
        await add(it, take, [{"number": "SN-9", "result": "surplus", "name": "Máy chiếu"}])
        page = (await it.get(f"/api/v1/stock-takes/{take}/lines")).json()
        book = await api.services.db.read("SELECT id FROM asset_status WHERE status = 'lost'")
    found = {
        line["code"] or line["number"]: (line["state"], line["next"]) for line in page["items"]
    }

    assert found["A1"] == ("missing", "kiemke asset status A1 lost --date … --paper …")
    assert found["A2"][1].startswith("kiemke asset handover A2 --from official:P2 --to unit:U4")
    assert found["A6"] == ("broken", "kiemke asset status A6 broken --date … --paper …")
    assert found["A3"][1].endswith("--to unit:U2 --day … --paper …")
    assert found["A5"] == ("not_expected", "kiemke asset status A5 in_use --date … --paper …")
    assert found["SN-9"] == ("surplus", "kiemke template assets")
    assert book == []


REFUSED = (
    (said("found", "A1", "KHÔNG-CÓ"), "KHÔNG-CÓ"),
    (said("surplus", "A1"), "A1"),
    (said("missing", "A3"), "A3"),
    ([*said("found", "A6"), *said("broken", "TEM-6")], "TEM-6"),
)


async def test_what_cannot_be_is_refused_whole(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        answers = [(await add(it, take, items), word) for items, word in REFUSED]
    stored = await api.services.db.read("SELECT id FROM counted_asset")

    for answer, word in answers:
        assert answer.status_code == 422
        assert word in answer.json()["detail"]
    assert stored == []


async def test_what_was_said_by_mistake_is_taken_back(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("missing", "A1"))
        await add(it, take, said("found", "X-1"), unknown_as_surplus=True)
        between = await states(it, take)
        api.clock.now_ms += 60_000
        await add(it, take, said("retract", "A1", "X-1"))
        after = await states(it, take)
        then = await states(it, take, known_at="2026-03-10T17:30:30Z")

    assert (between["A1"], between["X-1"]) == ("missing", "surplus")
    assert after == {"A1": "unanswered", "A2": "unanswered", "A6": "unanswered"}
    assert then == between


async def test_a_pc_without_agent_is_counted_by_a_stock_take_and_one_missed_contradicts(
    api: Api,
) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it, "U4")
        await add(it, take, said("found", "A4"), day="2026-03-09")
        await add(it, take, said("missing", "A3"), day="2026-03-09")
        params = {"as_of": "2026-03-10"}
        rows = (await it.get("/api/v1/coverage/who", params=params)).json()["items"]
    found = {row["asset"]["code"]: row["state"] for row in rows if row["asset"]}

    assert (found["A4"], found["A3"]) == ("counted", "contradicted")


async def test_what_a_pc_becomes_later_moves_no_past_day(api: Api) -> None:
    async def found(it: httpx.AsyncClient, **params: str) -> dict[str, str]:
        rows = (await it.get("/api/v1/coverage/who", params=params)).json()["items"]
        return {row["asset"]["code"]: row["state"] for row in rows if row["asset"]}

    async with await api.signed_in("it") as it:
        take = await opened(it, "U4")
        await add(it, take, said("found", "A4"), day="2026-03-02")
        before = await found(it, as_of="2026-03-05")
        api.clock.now_ms += 60_000
        for code, fact in (("A4", {"no_agent_reason": None}), ("A1", {"kind": "server"}),
                           ("A2", {"no_agent_reason": "secret"})):  # fmt: skip
            paper = {"day": "2026-03-06", "instrument": "7/QĐ", **fact}
            told = await it.post(
                f"/api/v1/assets/{code}/facts", params={"apply": "true"}, json=paper
            )
            assert told.json()["applied"], told.text
        after = await found(it, as_of="2026-03-05")
        since = await found(it, as_of="2026-03-10")
        known = await found(it, as_of="2026-03-10", known_at="2026-03-10T17:30:30Z")
        shown = (await it.get("/api/v1/assets/A1", params={"as_of": "2026-03-05"})).json()

    assert before["A4"] == "counted"
    assert after == before
    assert since == {"A3": "verified", "A4": "unmatched"}
    assert known["A4"] == "counted"
    assert {"A1", "A2"} <= known.keys()
    assert shown["kind"] == "desktop"


async def test_a_stock_take_closes_when_all_is_answered_and_stays_as_it_was(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("missing", "A1"))
        url, body = f"/api/v1/stock-takes/{take}/close", {"instrument": "3/BB"}
        early = await it.post(url, params={"apply": "true"}, json=body)
        await add(it, take, said("found", "A2", "A6"))
        dry = (await it.post(url, json=body)).json()
        closed = (await it.post(url, params={"apply": "true"}, json=body)).json()
        paper = {"day": DAY, "instrument": "9/QĐ", "name": "Tên khác"}
        await it.post("/api/v1/assets/A2/facts", params={"apply": "true"}, json=paper)
        lines = (await it.get(f"/api/v1/stock-takes/{take}/lines")).json()["items"]
        late = await add(it, take, said("found", "A1"))
        again = await it.post(url, params={"apply": "true"}, json=body)
        page = await it.get(f"/api/v1/stock-takes/{take}/minutes/html")
        sheet = await it.get(f"/api/v1/stock-takes/{take}/minutes/csv")

    assert early.status_code == 422
    assert "A2" in early.json()["detail"]
    assert (dry["state"], dry["applied"]) == ("open", False)
    assert (closed["state"], closed["applied"]) == ("closed", True)
    assert closed["lines"]["missing"] == 1
    assert "Tên khác" not in {line["name"] for line in lines}
    assert (late.status_code, again.status_code) == (422, 422)
    assert "BIÊN BẢN KIỂM KÊ" in page.text
    assert "Lê Thị Ba" in page.text
    assert [row.split(";")[-1] for row in sheet.text.splitlines()] != []


async def test_a_file_of_scanned_stickers_answers_by_its_columns(api: Api) -> None:
    sheet = "BIÊN BẢN QUÉT\nSTT,Số tem,Kết quả,Nơi thấy\n1,TEM-6,hỏng,Kho\n2,A1,,\n".encode()
    async with await api.signed_in("it") as it:
        take = await opened(it)
        params = {"apply": "true", "counted_by": "Đếm", "result": "found"}
        answer = await it.post(f"/api/v1/stock-takes/{take}/files", params=params, content=sheet)
        found = await states(it, take)

    assert answer.status_code == 200, answer.text
    assert [(i["asset"], i["result"]) for i in answer.json()["items"]] == [
        ("A6", "broken"),
        ("A1", "found"),
    ]
    assert found == {"A6": "broken", "A2": "unanswered", "A1": "agrees"}


async def test_an_officer_of_one_unit_counts_its_things_alone(api: Api) -> None:
    async with await api.signed_in("it", 4) as it:
        theirs = await it.post(
            "/api/v1/stock-takes", json={"unit": "U2", "day": DAY, "instrument": "1"}
        )
        take = await opened(it, "U4")
        unknown = await add(it, take, said("found", "A1"))
        nobody = await add(it, take, said("found", "NOBODY"))
    async with await api.signed_in("auditor", 2) as other:
        hidden = await other.get(f"/api/v1/stock-takes/{take}")

    assert (theirs.status_code, hidden.status_code) == (404, 404)
    assert unknown.json()["detail"].replace("A1", "") == nobody.json()["detail"].replace(
        "NOBODY", ""
    )


async def test_two_stock_takes_of_a_unit_and_day_are_not_open_at_once(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        body = {"unit": "U2", "day": DAY, "instrument": "13/QĐ"}
        twin = await it.post("/api/v1/stock-takes", params={"apply": "true"}, json=body)
        url = f"/api/v1/stock-takes/{take}/withdraw"
        gone = await it.post(url, params={"apply": "true"}, json={"instrument": "14/QĐ"})
        next_ = await opened(it)
        listed = (await it.get("/api/v1/stock-takes", params={"state": "open"})).json()["items"]

    assert twin.status_code == 422
    assert gone.json()["state"] == "withdrawn"
    assert [row["id"] for row in listed] == [next_]


async def test_the_day_and_the_board_are_corrected_while_it_is_open(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        other = await opened(it, day="2026-02-01")
        url = f"/api/v1/stock-takes/{take}"

        async def correct(apply: bool = True, **said: Any) -> httpx.Response:
            body = {"instrument": "15/QĐ", **said}
            return await it.post(f"{url}/correct", params={"apply": str(apply).lower()}, json=body)

        twin = await correct(day="2026-02-01")
        early = await correct(day="2019-12-31")
        nothing = await correct()
        before = (await it.get(url)).json()
        tried = await correct(apply=False, day="2026-03-02")
        same = (await it.get(url)).json()
        api.clock.now_ms += 60_000
        made = await correct(day="2026-03-02", board=[{"name": "Bùi C", "role": "head"}])
        now = (await it.get(url)).json()
        then = (await it.get(url, params={"known_at": "2026-03-10T17:30:30Z"})).json()
        log = (await it.get("/api/v1/audit", params={"act": "stock_take.correct"})).json()["items"]
        await it.post(f"/api/v1/stock-takes/{other}/withdraw", params={"apply": "true"},
                      json={"instrument": "16/QĐ"})  # fmt: skip
        over = await it.post(
            f"/api/v1/stock-takes/{other}/correct", json={"instrument": "1", "day": DAY}
        )

    assert [answer.status_code for answer in (twin, early, nothing, over)] == [422, 422, 400, 422]
    assert (tried.json()["day"], tried.json()["applied"], same) == ("2026-03-02", False, before)
    assert (made.json()["applied"], now["day"], now["since"]) == (
        True,
        "2026-03-02",
        before["since"],
    )
    assert [member["name"] for member in now["board"]] == ["Bùi C"]
    assert (then["day"], then["board"]) == (DAY, before["board"])
    assert (log[0]["before"]["day"], log[0]["after"]["day"]) == (DAY, "2026-03-02")
    assert log[0]["paper"] == "15/QĐ"


async def decide(api: Api, day: str, *changes: dict[str, Any], apply: bool = False) -> Any:
    body = {"day": day, "instrument": "1/NQ", "changes": list(changes)}
    async with await api.signed_in("it") as it:
        params = {"apply": str(apply).lower()}
        return await it.post("/api/v1/reorganisations", params=params, json=body)


MERGE = {"kind": "merge", "units": ["U4"], "into": ["U2"]}


async def test_a_merger_carries_the_stock_take_of_the_eve_and_its_list(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it, "U4", reason="merger")
        told = (await decide(api, "2026-03-05", MERGE)).json()
        await decide(api, "2026-03-05", MERGE, apply=True)
        await add(it, take, said("found", "A3"))
        after = (await it.get(f"/api/v1/stock-takes/{take}")).json()
        again = (await decide(api, "2026-03-06", {"kind": "end", "units": ["U2"]})).json()
    async with await api.signed_in("it", 2) as heir:
        answer = await add(heir, take, said("found", "A4"))
        closed = await heir.post(
            f"/api/v1/stock-takes/{take}/close", params={"apply": "true"}, json={"instrument": "2"}
        )

    assert [(t["number"], t["unit"]["code"], t["effect"], t["to"]["code"])
            for t in told["stock_takes"]] == [(take, "U4", "carried", "U2")]  # fmt: skip
    assert told["uncounted"] == []
    assert (after["unit"]["code"], after["counted"]["code"]) == ("U2", "U4")
    assert sum(after["lines"].values()) == 2
    assert f"stock_take:{take}" in again["detail"] or "asset:" in again["detail"]
    assert (answer.status_code, closed.json()["state"]) == (200, "closed")


async def test_a_stock_take_of_a_day_after_the_merger_goes_on_as_the_receivers(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it, "U4")
        told = (await decide(api, "2026-02-20", MERGE, apply=True)).json()
        found = await states(it, take)

    assert told["stock_takes"][0]["effect"] == "recounted"
    assert set(found) == {"A1", "A2", "A3", "A4", "A6"}


async def test_a_unit_that_ends_uncounted_is_named_and_counted_afterwards_by_its_heir(
    api: Api,
) -> None:
    told = (await decide(api, "2026-03-05", MERGE, apply=True)).json()
    async with await api.signed_in("it", 2) as heir:
        take = await opened(heir, "U4", reason="merger")
        found = await states(heir, take)

    assert [unit["code"] for unit in told["uncounted"]] == ["U4"]
    assert set(found) == {"A3", "A4"}
    assert told["stock_takes"] == []


async def test_a_split_gives_a_stock_take_where_it_is_assigned(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it, "U4")
        split: dict[str, Any] = {"kind": "split", "units": ["U4"], "into": ["U2", "U3"]}
        waits = (await decide(api, "2026-03-05", split)).json()
        split["assign"] = {f"stock_take:{take}": "U3"}
        given = (await decide(api, "2026-03-05", split)).json()
        moved = await decide(api, "2026-02-01", {"kind": "move", "units": ["U4"], "parent": "U2"})

    assert waits["stock_takes"][0]["to"]["code"] == "U4-CPB"
    assert given["stock_takes"][0]["to"]["code"] == "U3"
    assert moved.json()["stock_takes"][0]["effect"] == "list_changes"
