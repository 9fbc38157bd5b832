"""Manual indicators: figures read as people write them, kept by date, shown beside their targets."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.domain.coverage_figures import refresh_now
from kiemke.server.domain.indicators import BadFigure, read_figure
from tests.support.api import Api, make_office, running_api
from tests.support.imports import load

NEW: dict[str, Any] = {"code": "HL", "unit": "U1", "name": "Mức độ hài lòng", "measure": "percent"}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


@pytest.mark.parametrize(
    ("text", "measure", "millionths"),
    [
        ("94 %", "percent", 940_000),
        ("89,31", "percent", 893_100),
        ("0,94", "percent", 9_400),
        ("5.060", "count", 5_060_000_000),
        ("22,515", "count", 22_515_000_000),
        ("6,3 tỷ", "dong", 6_300_000_000_000_000),
        ("89.31", "score", 89_310_000),
        ("-1,5", "score", -1_500_000),
        ("5", "rank", 5_000_000),
    ],
)
def test_a_figure_is_read_as_its_measure_is_written(
    text: str, measure: str, millionths: int
) -> None:
    assert read_figure(text, measure) == millionths


@pytest.mark.parametrize(
    ("text", "measure"),
    [
        ("nhiều", "percent"),
        ("1.234", "score"),
        ("2,5", "count"),
        ("1e9", "score"),
        ("0,12345678", "score"),
        ("90000000000000", "count"),
        ("-5", "dong"),
    ],
)
def test_a_figure_that_is_none_is_refused_with_a_remedy(text: str, measure: str) -> None:
    with pytest.raises(BadFigure) as caught:
        read_figure(text, measure)

    assert caught.value.remedy.vi.startswith("viết")


async def post(api: Api, *, apply: bool = True, unit_id: int | None = None, **data: Any) -> Any:
    async with await api.signed_in("it", unit_id) as client:
        return await client.post(
            "/api/v1/indicators", params={"apply": str(apply).lower()}, json=data
        )


async def listed(api: Api, **params: str) -> list[dict[str, Any]]:
    async with await api.signed_in("viewer") as client:
        items: list[dict[str, Any]] = (
            await client.get("/api/v1/indicators", params=params)
        ).json()["items"]
    return items


async def test_figures_are_kept_by_date_with_source_and_paper(api: Api) -> None:
    dry = await post(api, apply=False, **NEW, target="90 %", day="2024-01-01")
    await post(api, **NEW, target="90 %", day="2024-01-01", instrument="12/KH-UBND")
    await post(api, code="HL", unit="U1", actual="85 %", day="2025-01-01", source="BC 45")
    await post(api, code="HL", unit="U1", actual="92,5 %", day="2026-01-01", source="BC 46")

    now, then, before = (
        await listed(api), await listed(api, as_of="2025-06-01"), await listed(api, as_of="2023-01-01")
    )  # fmt: skip

    assert (dry.json()["outcome"], dry.json()["applied"]) == ("new", False)
    assert (now[0]["actual"]["amount"], now[0]["actual"]["source"]) == (0.925, "BC 46")
    assert now[0]["reached"] is True
    assert now[0]["target"] == {
        "amount": 0.9, "since": "2024-01-01", "instrument": "12/KH-UBND", "source": None
    }  # fmt: skip
    assert (then[0]["actual"]["amount"], then[0]["reached"]) == (0.85, False)
    assert before == []


async def test_a_place_in_a_ranking_is_reached_from_below(api: Api) -> None:
    rank: dict[str, Any] = {"code": "DDCI", "unit": "U1", "name": "DDCI", "measure": "rank"}
    await post(api, **rank, more_is_better=False, actual="3", target="5")

    assert (await listed(api))[0]["reached"] is True


@pytest.mark.parametrize(
    "wrong",
    [
        {**NEW, "actual": "nhiều"},
        {"code": "HL", "unit": "U1", "actual": "5 %"},
        {**NEW},
        {**NEW, "measure": "kg", "actual": "5"},
        {**NEW, "unit": "NONE", "actual": "5 %"},
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_stays(api: Api, wrong: dict[str, Any]) -> None:
    answer = await post(api, **wrong)

    assert answer.status_code in (400, 404, 422)
    assert await api.services.db.read("SELECT id FROM indicator") == []


async def test_a_scoped_user_records_for_his_own_units_only(api: Api) -> None:
    other = await post(api, unit_id=4, **{**NEW, "actual": "90 %"})
    own = await post(api, unit_id=4, **{**NEW, "unit": "U4", "actual": "90 %"})

    assert (other.status_code, own.status_code) == (404, 200)
    async with await api.signed_in("viewer", 3) as client:
        assert (await client.get("/api/v1/indicators")).json()["items"] == []


async def test_a_sheet_of_indicators_is_imported_and_scraped(api: Api) -> None:
    rows = [
        ["Mã", "Mã đơn vị", "Tên chỉ tiêu", "Cách đo", "Thực hiện", "Mục tiêu", "Từ ngày"],
        ["HOSO", "U4", "Hồ sơ một cửa", "số lượng", "5.060", "", "01/01/2026"],
        ["HOSO", "U2", "", "", "22.515", "", "01/01/2026"],
        ["CKS", "U4", "Ký số", "tỷ lệ %", "75 %", "80 %", "01/01/2026"],
    ]
    first = await load(api.services.db, "indicators", rows)
    again = await load(api.services.db, "indicators", rows)
    await refresh_now(api.services.db, api.clock())
    async with api.client(await api.token("viewer", kind="scrape")) as client:
        text = (await client.get("/metrics/fleet")).text

    assert (first.errors, first.new, again.same) == ((), 3, 3)
    assert 'kiemke_indicator_value{unit="4",indicator="HOSO"} 5060\n' in text
    assert 'kiemke_indicator_value{unit="4",indicator="CKS"} 0.75\n' in text
    assert 'kiemke_indicator_target{unit="4",indicator="CKS"} 0.8\n' in text
    assert (
        'kiemke_indicator_info{unit="2",indicator="HOSO",name="Hồ sơ một cửa",measure="count"} 1'
        in text
    )


async def test_another_measure_under_an_old_code_is_refused_by_row(api: Api) -> None:
    await post(api, **NEW, actual="90 %")
    rows = [
        ["code", "unit", "measure", "actual"],
        ["HL", "U1", "số lượng", "5"],
    ]

    result = await load(api.services.db, "indicators", rows)

    assert [(error.row, error.column.en) for error in result.errors if error.column] == [
        (2, "Measure")
    ]
