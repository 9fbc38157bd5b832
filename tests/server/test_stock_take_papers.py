"""Stock-takes: on which days, with which commands and minutes."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from tests.support.api import Api, running_api
from tests.support.stock_takes import DAY, add, make_counted_office, opened, said


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_counted_office())
        yield running


async def test_a_thing_in_another_room_of_its_unit_goes_there_and_its_holder_stays(
    api: Api,
) -> None:
    """The command that is told is the one that does it: it changes the place alone."""
    async with await api.signed_in("it") as it:
        take = await opened(it)
        room = {"number": "A2", "result": "elsewhere", "place": "Phòng 203"}
        await add(it, take, [room, {"number": "A1", "result": "elsewhere", "unit": "U2"}])
        lines = (await it.get(f"/api/v1/stock-takes/{take}/lines")).json()["items"]
        own = {
            "giver": {"unit": "U2"},
            "receiver": {"unit": "U2"},
            "day": DAY,
            "instrument": "9/BB",
        }
        nowhere = await it.post("/api/v1/handovers", json=own | {"assets": ["A2"]})
        moved = await it.post(
            "/api/v1/handovers",
            params={"apply": "true"},
            json=own | {"assets": ["A2"], "place": "Phòng 203"},
        )
        after = (await it.get("/api/v1/assets/A2", params={"as_of": DAY})).json()
    told = {line["code"]: line["next"] for line in lines}

    assert told["A2"] == (
        "kiemke asset handover A2 --from unit:U2 --to unit:U2 --place 'Phòng 203' --day … --paper …"
    )
    assert "--to unit:U2 --place … --day" in told["A1"]
    assert (nowhere.status_code, moved.status_code) == (422, 200), moved.text
    assert (after["place"], after["official"]["code"]) == ("Phòng 203", "P2")


async def test_a_day_before_the_unit_or_its_first_thing_is_refused_in_a_sentence(api: Api) -> None:
    english = {"Accept-Language": "en"}
    async with await api.signed_in("it") as it:

        async def opening(day: str, unit: str = "U2") -> httpx.Response:
            body = {"unit": unit, "day": day, "instrument": "12/QĐ"}
            return await it.post("/api/v1/stock-takes", json=body, headers=english)

        async with api.services.db.transaction() as session:
            await session.execute(
                "UPDATE unit_version SET valid_from = '2020-01-01' WHERE unit_id = 2"
            )
            await session.execute("UPDATE custody SET valid_from = '2020-02-01'")
        unborn, empty, right = (
            await opening("2019-12-31"), await opening("2020-01-31"), await opening("2020-02-01")
        )  # fmt: skip
        take = await opened(it)
        wrong = {"day": "2020-01-15", "instrument": "13/QĐ"}
        corrected = await it.post(
            f"/api/v1/stock-takes/{take}/correct", json=wrong, headers=english
        )
        count = {
            "items": [{"asset": "A1", "result": "seen"}],
            "day": "2020-01-31",
            "counted_by": "Lan",
        }
        counted = await it.post("/api/v1/counts", json=count, headers=english)

    assert (unborn.status_code, empty.status_code, right.status_code) == (422, 422, 200), (
        unborn.text
    )
    assert "it is there since 2020-01-01" in unborn.json()["detail"]
    assert "the first thing is since 2020-02-01" in empty.json()["detail"]
    assert corrected.status_code == 422
    assert counted.status_code == 422
    assert "A1 (since 2020-02-01)" in counted.json()["detail"]


async def test_minutes_say_what_has_no_residual_value_and_tools_stand_in_an_annex(api: Api) -> None:
    """A sum that leaves things out without a word is taken for the whole."""
    async with api.services.db.transaction() as session:
        for code, price, since in (
            ("A1", 15_000_000, DAY),
            ("A2", 15_000_000, None),
            ("A6", 4_500_000, DAY),
        ):
            await session.execute(
                "UPDATE asset SET price_dong = :price, in_use_since = :since WHERE code = :code",
                price=price, since=None if since is None else date.fromisoformat(since), code=code,
            )  # fmt: skip
    async with await api.signed_in("it") as it:
        take = await opened(it)
        await add(it, take, said("found", "A1", "A2", "A3"))
        await add(it, take, said("broken", "A6"))
        await add(it, take, [{"number": "SN-9", "result": "surplus", "name": "Máy chiếu"}])
        page = (await it.get(f"/api/v1/stock-takes/{take}/minutes/html")).text
        sheet = (
            await it.get(f"/api/v1/stock-takes/{take}/minutes/csv", params={"lang": "en"})
        ).text
        body = {
            "giver": {"unit": "U2"},
            "receiver": {"unit": "U4"},
            "day": DAY,
            "instrument": "9/BB",
        }
        handed = (await it.post("/api/v1/handovers", json=body)).json()
    main, _, annex = page.partition('<section class="sheet">')
    residuals = {i["code"]: (i["residual_dong"], i["residual_why"]) for i in handed["items"]}

    assert (
        "Không có giá trị còn lại, nên không tính vào tổng: 3 tài sản (1 chưa có ngày đưa vào sử dụng;"
        " 1 ghi ở sổ đơn vị khác; 1 thừa, chưa có trên sổ)."
    ) in main
    assert "xem phụ lục" in main and "<td>A6</td>" not in main
    assert "KIỂM KÊ CÔNG CỤ, DỤNG CỤ" in annex and "Thủ kho" in annex and "Mẫu" not in annex
    assert "<td>A6</td><td>Cái</td>" in annex and "4.500.000" in annex
    assert "no day of first use on the book" in sheet and "on the book of another unit" in sheet
    assert residuals["A1"][0] is not None and residuals["A1"][1] is None
    assert (residuals["A2"][1], residuals["A6"][1]) == ("no_date", "tool")
    assert "2 tài sản (1 chưa có ngày đưa vào sử dụng; 1 công cụ" in handed["minutes_html"]
