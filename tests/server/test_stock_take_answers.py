"""Answers of a stock-take as they come: files filled in by hand, a surplus booked since, two at once."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import Api, running_api
from tests.support.office import Office
from tests.support.stock_takes import add, make_counted_office, opened, said, states


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_counted_office())
        yield running


FILES = (
    ("Mã số,Số tem,Kết quả\nA6,,hỏng\nA1,,có thấy\n", {"A6": "broken", "A1": "found"}),
    ("A6\nTEM-6\na6\n", {"A6": "found"}),  # one thing scanned thrice
    ("Số tem,Kết quả\nTEM-6,chưa kiểm\nA1,khớp sổ\n", {"A1": "found"}),
    ("Số tem,Kết quả\nTEM-6,có\nTEM-6,không thấy\n", "2"),
    ("Số tem,Kết quả\nTEM-6,có\n,hỏng\n", "3"),
    ("Số tem,Kết quả\nTEM-6,tốt\n", "tốt"),
)


async def test_a_file_is_read_as_people_fill_it_in_or_refused_by_its_row(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        params = {"counted_by": "Đếm", "result": "found"}
        url = f"/api/v1/stock-takes/{take}/files"
        told = [(await it.post(url, params=params, content=text.encode()), want)
                for text, want in FILES]  # fmt: skip
        silent = await it.post(url, params={"counted_by": "Đếm"}, content=b"TEM-6\n")

    for answer, want in told:
        if isinstance(want, dict):
            assert {i["asset"]: i["result"] for i in answer.json()["items"]} == want, answer.text
        else:
            assert (answer.status_code, want in answer.json()["detail"]) == (422, True), answer.text
    assert "TEM-6" in silent.json()["detail"]
    assert "--ket-qua" in silent.json()["remedy"]


async def test_the_draft_minutes_are_a_file_of_answers(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        items = [
            *said("found", "A1"),
            *said("missing", "A2"),
            *said("surplus", "X-1"),
            *said("found", "A3"),
        ]
        await add(it, take, items)
        where = {"place": "Phòng 3", "unit": "U4", "note": "mượn"}
        await add(it, take, [{"number": "A4", "result": "elsewhere", **where}], day="2026-03-09")
        await add(
            it, take, [{"number": "X-2", "result": "surplus", "name": "Máy chiếu", "place": "Kho"}]
        )
        before = await states(it, take)
        draft = await it.get(f"/api/v1/stock-takes/{take}/minutes/csv", params={"lang": "vi"})
        filled = draft.text.replace("chưa kiểm", "hỏng").encode()
        url = f"/api/v1/stock-takes/{take}/files"
        answer = await it.post(url, params={"apply": "true", "counted_by": "Đếm"}, content=filled)
        after = await states(it, take)

    assert answer.status_code == 200, answer.text
    outcomes = {i["asset"] or i["number"]: i["outcome"] for i in answer.json()["items"]}
    assert {key for key, outcome in outcomes.items() if outcome != "same"} == {"A6"}
    assert after == {**before, "A6": "broken"}


async def test_a_surplus_that_was_booked_meanwhile_is_one_thing(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("surplus", "moi-7"))
        office = Office()
        office.ids.update(asset=90, custody=90, asset_status=90)
        office.add_custody(office.add_asset("scanner", code="MOI-7"), 2)
        await api.write(office)
        between = await states(it, take)
        answer = (await add(it, take, said("found", "MOI-7"))).json()["items"][0]
        after = await states(it, take)

    assert (between["moi-7"], between["MOI-7"]) == ("surplus", "unanswered")
    assert (answer["outcome"], answer["before"]) == ("changed", "surplus")
    assert (after["MOI-7"], "moi-7" in after) == ("agrees", False)


async def test_a_mistyped_year_is_no_day_of_a_stock_take(api: Api) -> None:
    async with await api.signed_in("it") as it:
        take = await opened(it)
        early = await add(it, take, said("found", "A1"), day="2016-03-09")

    assert early.status_code == 400
    assert "28/02/2025" in early.json()["remedy"]


async def test_nothing_is_said_after_the_minutes_were_closed(api: Api) -> None:
    """All at once: what was accepted stands in the minutes, the rest is told that it came too late."""
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("found", "A1", "A2", "A6"))
        end = it.post(f"/api/v1/stock-takes/{take}/close", params={"apply": "true"},
                      json={"instrument": "3/BB"})  # fmt: skip
        adds = [add(it, take, said("surplus", f"X-{n}")) for n in range(6)]
        answers = await asyncio.gather(*adds[:3], end, *adds[3:])
        closed = await states(it, take)
    kept = {number for number in closed if number.startswith("X-")}
    accepted = {f"X-{n}" for n, a in enumerate(answers[:3] + answers[4:]) if a.status_code == 200}

    assert answers[3].status_code == 200, answers[3].text
    assert {a.status_code for a in answers} <= {200, 422}
    assert kept == accepted
