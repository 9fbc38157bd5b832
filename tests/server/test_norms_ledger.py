"""The norms from the book, by REST and as a file: dated rows, scope, roles of things, search."""

import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.domain.tables import Question
from kiemke.server.reports.norms import NORMS
from tests.support.api import Api, running_api
from tests.support.office import MOMENT_MS, TUESDAY, Office


def make_office() -> Office:
    """Return a district (U1) with two communes: U2 with four people and things, U3 with one."""
    office = Office()
    district = office.add_unit(name="Huyện Thanh Giang")
    for name in ("Xã Minh Khai", "Xã Quang Hải"):
        office.add_unit(district, name=name)
    for version in office.waiting["unit_version"][1:]:
        version["type"] = "xa"
    posts = ("Chủ tịch UBND", "Tư pháp - hộ tịch", "Văn hóa - xã hội", "Cộng tác viên")
    for words in posts:
        office.add_official(2, "cong_chuc" if " - " in words else "can_bo")
        office.waiting["membership"][-1]["post"] = words
    office.add_official(3)
    chairman, clerk, absent, _helper, other = range(1, 6)
    office.add_pc(2, chairman, price_dong=19_000_000, in_use_since=date(2025, 8, 1))
    office.add_pc(2, clerk, price_dong=24_000_000, in_use_since=date(2025, 8, 1))
    office.add_pc(2, clerk, ownership="borrowed", price_dong=90_000_000)
    office.add_pc(3, other, status="broken", price_dong=15_000_000)
    office.add_dated("absence", official_id=absent, reason="needs_no_computer")
    shared = office.add_asset("printer", price_dong=12_000_000)
    office.add_custody(shared, 2, chairman)
    office.add_custody(shared, 2, clerk)
    desk = office.add_asset("copier", price_dong=100_000_000)
    office.add_custody(desk, 2)
    office.waiting["custody"][-1]["place"] = "Bộ phận Một cửa"
    return office


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def fetch(api: Api, path: str, unit_id: int | None = None) -> list[dict[str, Any]]:
    async with await api.signed_in("auditor", unit_id) as client:
        answer = await client.get(f"/api/v1{path}")
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    assert answer.json()["total"] == len(items)
    return items


def brief(row: dict[str, Any]) -> tuple[Any, ...]:
    official = row["official"]["code"] if row["official"] else None
    return (official, row["item"], row["entitled"], row["has"], row["findings"])


async def test_a_commune_is_told_for_its_office_and_each_of_its_people(api: Api) -> None:
    rows = await fetch(api, "/norms?unit=U2")

    assert {row["unit"]["code"] for row in rows} == {"U2"}
    assert [brief(row) for row in rows if row["item"] != "copier"] == [
        (None, "printer", 1, 1, []),
        (None, "scanner", 1, 0, ["lack"]),
        (None, "shredder", 1, 0, ["lack"]),
        ("P1", "pc", 1, 1, []),
        ("P1", "printer", 1, 0, ["lack"]),
        ("P2", "pc", 1, 2, ["over", "over_price"]),
        ("P3", "pc", 1, 0, []),
        ("P4", None, None, 0, ["unknown_post"]),
    ]
    (copier,) = [row for row in rows if row["item"] == "copier"]
    assert (copier["entitled"], copier["has"]) == (1, 0)  # that of the one-stop desk is uncapped


async def test_the_dear_desktop_is_named_with_who_may_decide(api: Api) -> None:
    (row,) = await fetch(api, "/norms?finding=over_price")

    assert row["group"] == "VIII" and row["max_price_dong"] == 20_000_000
    assert row["over_price"] == [
        {
            "asset": "A2",
            "price_dong": 24_000_000,
            "max_dong": 20_000_000,
            "over_dong": 4_000_000,
            "decider": "province",
        }
    ]
    assert row["source"] == "Phụ lục II QĐ 15/2025/QĐ-TTg, nhóm VIII"


async def test_findings_search_and_scope_choose_rows(api: Api) -> None:
    everything = await fetch(api, "/norms")
    found = await fetch(api, "/norms?finding=any&q=quang%20hai")
    scoped = await fetch(api, "/norms", unit_id=3)

    assert len(everything) > len(await fetch(api, "/norms?finding=any"))
    assert {row["unit"]["code"] for row in found} == {"U3"}
    assert [row["findings"] for row in found if row["official"]] == [["lack"]]  # its PC is broken
    assert {row["unit"]["code"] for row in scoped} == {"U3"}


async def test_the_day_asked_chooses_the_decision_in_force(api: Api) -> None:
    today, before = await fetch(api, "/norms"), await fetch(api, "/norms?as_of=2025-06-30")

    def price(rows: list[dict[str, Any]]) -> int:
        (row,) = [r for r in rows if r["official"] and r["official"]["code"] == "P1"
                  and r["item"] == "pc"]  # fmt: skip
        most: int = row["max_price_dong"]
        return most

    assert (price(today), price(before)) == (20_000_000, 15_000_000)
    assert await fetch(api, "/norms?as_of=2017-12-31") == []


async def test_a_row_of_the_rule_table_wins_from_its_day_on(api: Api) -> None:
    office = Office()
    office.add_dated(
        "rule",
        name="norm_allowed_permille",
        subject="unit:1",
        value_json=json.dumps(200),
        source_text="QĐ 12/QĐ-UBND",
        valid_from=TUESDAY,
    )
    await api.write(office)

    assert await fetch(api, "/norms?finding=over_price") == []
    assert len(await fetch(api, "/norms?finding=over_price&as_of=2026-03-09")) == 1


async def test_the_file_says_the_same_and_sums_what_may_be_summed(api: Api) -> None:
    question = Question(TUESDAY, MOMENT_MS, MOMENT_MS, unit_id=2)
    rows = [row async for page in NORMS.rows(api.services.db, question) for row in page]
    names = [column.name for column in NORMS.columns]
    dear = [r for row in rows if (r := dict(zip(names, row, strict=True)))["over_price_dong"]]

    assert len(rows) == len(await fetch(api, "/norms?unit=U2"))
    assert [(r["official_code"], r["over_price_dong"]) for r in dear] == [("P2", 4_000_000)]
    assert getattr(dear[0]["over_price"], "vi", "") == "A2: 24.000.000 (tỉnh quyết định được)"


async def test_wear_by_rest_is_cut_to_scope_and_year(api: Api) -> None:
    rows = await fetch(api, "/wear?year=2025")
    (first,) = [row for row in rows if row["code"] == "A1"]

    assert (first["wear_dong"], first["rate"], first["provisional"]) == (3_800_000, 0.2, False)
    assert "A3" not in {row["code"] for row in rows}  # borrowed: its owner books it
    assert {row["unit"]["code"] for row in await fetch(api, "/wear", unit_id=3)} == {"U3"}
    now = {row["code"]: row for row in await fetch(api, "/wear?unit=U2")}
    assert (now["A1"]["year"], now["A1"]["provisional"]) == (2026, True)
    assert now["A1"]["wear_dong"] == 2_715_100  # 14.29 % of 19 million


async def test_what_cannot_be_asked_is_refused(api: Api) -> None:
    async with await api.signed_in("auditor") as client:
        answers = [
            await client.get(f"/api/v1{path}")
            for path in ("/norms?finding=dear", "/wear?year=1999", "/wear?year=9999")
        ]

    assert [answer.status_code for answer in answers] == [400, 400, 400]


async def test_a_rule_of_another_form_is_told_by_name_and_breaks_nothing_else(api: Api) -> None:
    office = Office()
    office.add_dated(
        "rule", name="norm_had_in", subject="", value_json='"in_use"', source_text=None
    )
    await api.write(office)

    async with await api.signed_in("auditor") as client:
        broken, wear = await client.get("/api/v1/norms"), await client.get("/api/v1/wear")

    assert (broken.status_code, wear.status_code) == (409, 200)
    assert "norm_had_in" in broken.json()["detail"]
