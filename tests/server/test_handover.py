"""Handing over: everything held changes hands on its day, history stays, minutes list each thing."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database, as_date
from tests.support.api import Api, running_api
from tests.support.imports import load

DAY = "2026-02-02"
PEOPLE = [
    ["code", "name", "unit", "kind", "valid_from"],
    ["A", "Nguyễn Văn An", "NV", "cong_chuc", "01/01/2024"],
    ["B", "Trần Thị <Ánh>", "TP", "cong_chuc", "01/01/2024"],
]
UNITS = [
    ["code", "name", "type", "parent", "valid_from"],
    ["H", "Huyện", "huyen", "", "01/01/2024"],
    ["NV", "Phòng Nội vụ", "phong", "H", "01/01/2024"],
    ["TP", "Phòng Tư pháp", "phong", "H", "01/01/2024"],
]
ASSETS = [
    ["code", "kind", "name", "price_dong", "status", "unit", "official", "place", "valid_from"],
    ["TS1", "desktop", "Máy tính", "15000000", "in_use", "NV", "A", "P201", "01/01/2024"],
    ["TS2", "printer", "Máy in", "", "in_use", "NV", "A; B", "P201", "01/01/2024"],
    ["TS3", "scanner", "Máy quét", "9000000", "in_use", "NV", "", "P202", "01/01/2024"],
]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        for template, rows in (("units", UNITS), ("officials", PEOPLE), ("assets", ASSETS)):
            result = await load(running.services.db, template, rows)
            assert result.errors == ()
        yield running


async def hand_over(api: Api, giver: Any, receiver: Any, *assets: str, **more: Any) -> Any:
    body = {
        "giver": giver,
        "receiver": receiver,
        "day": DAY,
        "instrument": "7/QĐ",
        "assets": list(assets),
        **more,
    }
    async with await api.signed_in("it") as client:
        return await client.post("/api/v1/handovers", params={"apply": "true"}, json=body)


async def custody(database: Database, day: date) -> set[tuple[str, str, str | None]]:
    """Return (asset, unit, official) as the ledger has it on a day."""
    rows = await database.read(
        "SELECT a.code, v.code AS unit, o.code AS official FROM custody c"
        " JOIN asset a ON a.id = c.asset_id JOIN unit_version v ON v.unit_id = c.unit_id"
        " LEFT JOIN official o ON o.id = c.official_id WHERE c.voided_at_ms IS NULL"
        " AND c.valid_from <= :day AND (c.valid_to IS NULL OR c.valid_to > :day)",
        day=day,
    )
    return {(row["code"], row["unit"], row["official"]) for row in rows}


async def test_all_that_a_person_holds_goes_to_another(api: Api) -> None:
    answer = await hand_over(api, {"official": "A"}, {"official": "B"})

    assert [item["code"] for item in answer.json()["items"]] == ["TS1", "TS2"]
    assert await custody(api.services.db, date(2026, 2, 1)) == {
        ("TS1", "NV", "A"),
        ("TS2", "NV", "A"),
        ("TS2", "NV", "B"),
        ("TS3", "NV", None),
    }
    assert {c for c in await custody(api.services.db, date(2026, 2, 2)) if c[0] == "TS1"} == {
        ("TS1", "TP", "B")
    }


async def test_a_unit_hands_over_everything_in_it_once(api: Api) -> None:
    """Two people share TS2: the receiving unit holds it once."""
    answer = await hand_over(api, {"unit": "NV"}, {"unit": "TP"}, place="Kho")
    now = await custody(api.services.db, date(2026, 2, 2))
    rows = await api.services.db.read(
        "SELECT place, instrument, valid_from FROM custody WHERE voided_at_ms IS NULL"
        " AND valid_to IS NULL"
    )

    assert answer.status_code == 200
    assert now == {("TS1", "TP", None), ("TS2", "TP", None), ("TS3", "TP", None)}
    assert {(r["place"], r["instrument"], as_date(r["valid_from"])) for r in rows} == {
        ("Kho", "7/QĐ", date(2026, 2, 2))
    }


async def test_named_things_go_alone(api: Api) -> None:
    await hand_over(api, {"unit": "NV"}, {"official": "B"}, "TS3")
    now = await custody(api.services.db, date(2026, 2, 2))

    assert ("TS3", "TP", "B") in now
    assert ("TS1", "NV", "A") in now


async def test_what_was_received_after_the_day_is_not_handed_over(api: Api) -> None:
    """A paper entered late hands over what was held on its day, nothing got since."""
    later = [ASSETS[0], ["TS9", "laptop", "Máy mới", "", "in_use", "NV", "A", "", "01/03/2026"]]
    result = await load(api.services.db, "assets", later)
    assert result.errors == ()

    answer = await hand_over(api, {"official": "A"}, {"official": "B"})

    assert [item["code"] for item in answer.json()["items"]] == ["TS1", "TS2"]
    assert ("TS9", "NV", "A") in await custody(api.services.db, date(2026, 3, 2))


async def test_the_minutes_list_each_thing_and_nothing_live(api: Api) -> None:
    page = (await hand_over(api, {"official": "A"}, {"official": "B"})).json()["minutes_html"]

    assert "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM" in page
    assert "Ông (Bà) Trần Thị &lt;Ánh&gt;" in page
    assert "15.000.000" in page
    assert "Cộng: 2 tài sản" in page
    assert "(chưa đủ)" in page
    assert "<script" not in page


@pytest.mark.parametrize(
    ("giver", "receiver", "assets", "status"),
    [
        ({"official": "A"}, {"official": "A"}, (), 422),
        ({"official": "NOBODY"}, {"official": "A"}, (), 422),
        ({"official": "A"}, {"unit": "NOWHERE"}, (), 422),
        ({"official": "A"}, {"official": "B"}, ("TS3",), 422),
        ({"unit": "H"}, {"official": "B"}, (), 422),
        ({}, {"official": "B"}, (), 400),
        ({"official": "A", "unit": "NV"}, {"official": "B"}, (), 400),
    ],
)
async def test_a_handover_that_cannot_be_changes_nothing(
    api: Api, giver: Any, receiver: Any, assets: tuple[str, ...], status: int
) -> None:
    before = await custody(api.services.db, date(2026, 2, 2))

    answer = await hand_over(api, giver, receiver, *assets)

    assert answer.status_code == status, answer.text
    assert answer.json()["remedy"]
    assert await custody(api.services.db, date(2026, 2, 2)) == before


async def test_whoever_is_limited_to_a_unit_hands_over_within_it_only(api: Api) -> None:
    unit = (await api.services.db.read("SELECT unit_id FROM unit_version WHERE code = 'NV'"))[0]
    body = {
        "giver": {"official": "A"},
        "receiver": {"official": "B"},
        "day": DAY,
        "instrument": "7/QĐ",
    }
    async with await api.signed_in("it", unit_id=unit["unit_id"]) as client:
        answer = await client.post("/api/v1/handovers", params={"apply": "true"}, json=body)

    assert answer.status_code == 422  # as for a code nobody has


async def add_place(api: Api, code: str = "MC-1") -> None:
    async with await api.signed_in("it") as client:
        made = await client.post(
            "/api/v1/places",
            params={"apply": "true"},
            json={
                "code": code, "name": "Bộ phận Một cửa", "kind": "one_stop_desk", "unit": "TP",
                "day": "2026-01-01", "instrument": "1/QĐ",
            },
        )  # fmt: skip
    assert made.status_code in (200, 201), made.text


async def test_a_thing_goes_to_a_one_stop_desk_and_on_from_there(api: Api) -> None:
    await add_place(api)

    there = await hand_over(api, {"unit": "NV"}, {"place": "MC-1"}, "TS3")
    async with await api.signed_in("auditor") as client:
        shown = (await client.get("/api/v1/assets/TS3", params={"as_of": DAY})).json()
    on = await hand_over(api, {"place": "MC-1"}, {"official": "B"}, day="2026-02-03")
    none = await hand_over(api, {"place": "MC-9"}, {"official": "B"})
    (row,) = await api.services.db.read(
        "SELECT c.at_place_id FROM custody c JOIN asset a ON a.id = c.asset_id"
        " WHERE a.code = 'TS3' AND c.voided_at_ms IS NULL AND c.valid_to IS NULL"
    )

    assert (there.status_code, on.status_code, none.status_code) == (200, 200, 422)
    assert there.json()["receiver"] == "Bộ phận Một cửa"
    assert (shown["unit"]["code"], shown["place"], shown["official"]) == (
        "TP",
        "Bộ phận Một cửa",
        None,
    )
    assert [item["code"] for item in on.json()["items"]] == ["TS3"]
    assert row["at_place_id"] is None


async def test_what_was_disposed_of_is_in_nobodys_hands(api: Api) -> None:
    async with api.services.db.transaction() as session:  # as a second person's yes writes it
        await session.execute(
            "UPDATE asset_status SET status = 'disposed'"
            " WHERE asset_id = (SELECT id FROM asset WHERE code = 'TS1')"
        )

    answer = await hand_over(api, {"official": "A"}, {"official": "B"})

    assert [item["code"] for item in answer.json()["items"]] == ["TS2"]


async def test_minutes_wait_until_both_sides_have_signed(api: Api) -> None:
    number = (await hand_over(api, {"official": "A"}, {"official": "B"})).json()["number"]
    one_unit = (await api.services.db.read(
        "SELECT unit_id FROM unit_version WHERE code = 'NV'"
    ))[0]["unit_id"]  # fmt: skip
    where = f"/api/v1/handovers/{number}/signed"

    async with await api.signed_in("it") as client:
        waiting = (await client.get("/api/v1/handovers", params={"unsigned": True})).json()
        done = await client.post(where, json={"day": "2026-02-05"})
        twice = await client.post(where, json={"day": "2026-02-06"})
        left = (await client.get("/api/v1/handovers", params={"unsigned": True})).json()
        whole = (await client.get("/api/v1/handovers")).json()
    async with await api.signed_in("it", one_unit) as client:
        half = (await client.get("/api/v1/handovers")).json()

    assert [(h["giver"], h["assets"]) for h in waiting["items"]] == [
        ("Nguyễn Văn An", ["TS1", "TS2"])
    ]
    assert [each.json()["signed_on"] for each in (done, twice)] == ["2026-02-05", "2026-02-06"]
    assert (left["total"], whole["total"], half["total"]) == (0, 1, 0)
