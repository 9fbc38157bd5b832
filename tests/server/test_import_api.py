"""An import of a foreign sheet over the API: asked first, answered, written, remembered, forgotten."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.support.api import Api, running_api
from tests.support.imports import UNITS, load
from tests.support.ugly_sheets import in_xlsx

SHEET = in_xlsx({"a": [["Sổ tài sản"], ["Mã tài sản", "Tên TSCĐ", "ĐVT"], ["A1", "Máy in", "Cái"]]})
PATH = "/api/v1/imports?template=assets&filename=so.xlsx&set=unit=TG-NV&apply=true"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await load(running.services.db, "units", UNITS)
        yield running


async def test_a_foreign_sheet_takes_two_steps_and_is_remembered_until_forgotten(api: Api) -> None:
    async with await api.signed_in("it") as client:
        asked = (await client.post(PATH, content=SHEET)).json()
        written = (await client.post(f"{PATH}&accept=map", content=SHEET)).json()
        again = (await client.post(PATH, content=SHEET)).json()
        maps = (await client.get("/api/v1/import-maps")).json()["items"]
        gone = await client.delete(f"/api/v1/import-maps/{maps[0]['id']}")
        anew = (await client.post(PATH, content=SHEET)).json()

    assert [q["about"] for q in asked["questions"]] == ["map"] and asked["applied"] is False
    assert asked["mapping"][1] == {
        "heading": "Tên TSCĐ", "column": "name", "title": "Tên tài sản", "how": "dictionary",
        "confidence": 90, "samples": ["Máy in"],
    }  # fmt: skip
    assert (written["applied"], written["new"]) == (True, 1)
    assert (again["applied"], again["same"], again["questions"]) == (True, 1, [])
    assert maps[0]["columns"] == {
        "ma tai san": "code", "ten tscd": "name", "+kind": "kind",
    }  # fmt: skip
    assert gone.status_code == 204
    assert [q["about"] for q in anew["questions"]] == ["map"]


async def test_an_answer_that_cannot_be_is_refused_before_the_file_is_read(api: Api) -> None:
    wrong = (
        "repair=klingon",
        "days=ymd",
        "accept=all",
        "map=nothing",
        "map=Tên=no_such",
        "heading_row=0",
    )
    async with await api.signed_in("it") as client:
        answers = [await client.post(f"{PATH}&{query}", content=SHEET) for query in wrong]

    assert [answer.status_code for answer in answers] == [400] * len(wrong)
    assert all(answer.json()["detail"] for answer in answers)


HEADING = "Mã,Số tem,Loại,Tên tài sản,Mã đơn vị,Mã người sử dụng,Từ ngày"


def sheet(*rows: str) -> bytes:
    return ("\ufeff" + "\n".join((HEADING, *rows))).encode()


async def test_who_sees_one_unit_imports_into_it_and_learns_nothing_of_others(api: Api) -> None:
    people = [
        ["code", "name", "unit", "kind", "valid_from"],
        ["001", "Nguyễn Văn An", "TG-NV", "công chức", "01/01/2024"],
        ["002", "Trần Thị Ánh", "TG-TP", "công chức", "01/01/2024"],
    ]
    db = api.services.db
    await load(db, "officials", people)
    unit = (await db.read("SELECT unit_id FROM unit_version WHERE code = 'TG-NV'"))[0]["unit_id"]
    await load(db, "assets", [
        HEADING.split(","), ["BI-MAT", "TEM-9", "PC", "Máy kín", "TG-TP", "002", "01/01/2024"],
    ])  # fmt: skip
    path = "/api/v1/imports?template=assets&filename=so.csv&apply=true"
    mine = "A1,T1,PC,Máy Dell,TG-NV,001,01/01/2024"
    foreign = (
        "A2,T2,PC,Máy Dell,TG-TP,,01/01/2024",  # another unit
        "A2,T2,PC,Máy Dell,Phòng Tư pháp,,01/01/2024",  # by its name
        "BI-MAT,T2,PC,Máy Dell,TG-NV,,01/01/2024",  # another's asset
        "A2,TEM-9,PC,Máy Dell,TG-NV,,01/01/2024",  # another's sticker
        "A2,T2,PC,Máy Dell,TG-NV,002,01/01/2024",  # another's official
    )

    async with await api.signed_in("it", unit) as client:
        refused = [(await client.post(path, content=sheet(mine, row))).json() for row in foreign]
        nothing = await client.post(path, content=sheet("A2,T2,PC,Máy Dell,KHONG,,01/01/2024"))
        written = (await client.post(path, content=sheet(mine))).json()
        runs = (await client.get("/api/v1/imports")).json()
        units = await client.post("/api/v1/imports?template=units", content=sheet(mine))

    assert [answer["applied"] for answer in refused] == [False] * 5
    assert [len(answer["errors"]) for answer in refused] == [1] * 5
    told = str(refused)
    assert all(word not in told for word in ("Máy kín", "Trần Thị Ánh"))
    assert str(refused[1]).count("TG-TP") == 0
    unknown = nothing.json()["errors"][0]["message"].replace("KHONG", "TG-TP")
    assert refused[0]["errors"][0]["message"] == unknown  # told like what does not exist
    assert (written["applied"], written["new"]) == (True, 1)
    assert (runs["total"], units.status_code) == (1, 403)
