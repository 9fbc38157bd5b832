"""Figures of a day on the tree of another: merged units follow, a split one stays apart."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest

from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply
from kiemke.server.domain.text import sort_key
from tests.server.test_reorganise import (
    COMMUNES,
    DEPARTMENTS,
    SPLIT,
    load_tien_lang,
    tien_lang_decision,
)
from tests.support.api import Api, running_api
from tests.support.imports import NOW_MS

AFTER_MS = NOW_MS + 86_400_000


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The server after the reform of Tiên Lãng was entered."""
    async with running_api(database_url, tmp_path) as running:
        await load_tien_lang(running.services.db)
        decision = tien_lang_decision({f"official:{SPLIT}-1": "TMI"})
        async with running.services.db.transaction() as session:
            planned = await plan(session, decision, date(2026, 1, 5))
            await apply(session, planned, who="tester", now_ms=AFTER_MS)
        yield running


async def test_old_figures_are_recast_on_todays_tree(api: Api) -> None:
    """Tân Minh was split: its two people stand apart, below the city, in no commune of today."""
    async with await api.signed_in("viewer") as client:
        rows = (await client.get("/api/v1/coverage/recast?as_of=2025-06-30")).json()["items"]
        then = (await client.get("/api/v1/coverage?as_of=2025-06-30")).json()["items"]
    people = {row["unit"]["name"]: row["subtree"]["officials"] for row in rows}
    own = {row["unit"]["name"]: row["own"] for row in rows}
    total = 2 * (len(DEPARTMENTS) + len(COMMUNES))
    old_city = next(row for row in then if row["unit"]["code"] == "HP")
    city = next(row for row in rows if row["unit"]["code"] == "HP")

    assert people["Thành phố Hải Phòng"] == total
    assert people["Cụm Tiên Lãng"] == 24
    assert people["Xã Tiên Lãng"] == 8
    assert people["Xã Tân Minh"] == 6
    assert people["Xã Tiên Minh"] == 4
    assert people[f"Xã {SPLIT}"] == 2
    assert sum(figures["officials"] for figures in own.values()) == total
    assert own["Xã Tiên Lãng"]["pcs"] == 4
    for figure in ("subtree", "coverage", "ratio", "evidence_age_working_days"):
        assert city[figure] == old_city[figure]


async def test_on_the_tree_of_its_own_day_nothing_is_recast(api: Api) -> None:
    async with await api.signed_in("viewer") as client:
        asked = "as_of=2025-06-30&tree=2025-06-30"
        rows = (await client.get(f"/api/v1/coverage/recast?{asked}")).json()["items"]
        then = (await client.get("/api/v1/coverage?as_of=2025-06-30")).json()["items"]

    def in_order(items: list[dict[str, object]]) -> list[str]:
        return sorted(str(item) for item in items)

    assert in_order(rows) == in_order(then)


async def test_a_tree_before_the_day_is_refused_and_a_user_sees_his_own_units(api: Api) -> None:
    unit = await api.services.db.read(
        "SELECT unit_id FROM unit_version WHERE name = 'Xã Tiên Minh' AND voided_at_ms IS NULL"
    )
    async with await api.signed_in("viewer") as client:
        earlier = await client.get("/api/v1/coverage/recast?as_of=2025-06-30&tree=2024-01-01")
    async with await api.signed_in("viewer", unit[0]["unit_id"]) as client:
        own = (await client.get("/api/v1/coverage/recast?as_of=2025-06-30")).json()["items"]

    assert earlier.status_code == 400
    assert [(row["unit"]["name"], row["subtree"]["officials"]) for row in own] == [
        ("Xã Tiên Minh", 4)
    ]


async def test_who_asks_for_a_unit_above_all_parts_sees_the_split_one_apart(api: Api) -> None:
    """Listed as Vietnamese sort; the split commune, whose code and name live on, says when it ended."""
    async with await api.signed_in("viewer") as client:
        rows = (await client.get("/api/v1/coverage/recast?as_of=2025-06-30&unit=HP")).json()[
            "items"
        ]
        part = (await client.get("/api/v1/coverage/recast?as_of=2025-06-30&unit=TMI")).json()[
            "items"
        ]
    names = [row["unit"]["name"] for row in rows]
    twice = [(row["ended"], row["subtree"]["officials"]) for row in rows
             if row["unit"]["name"] == f"Xã {SPLIT}"]  # fmt: skip

    assert names == sorted(names, key=sort_key)
    assert ("2025-07-01", 2) in twice
    assert [row["ended"] for row in part] == [None]
