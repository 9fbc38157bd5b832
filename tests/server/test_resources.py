"""Every list and thing of the REST API over real rows, on both databases."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from kiemke.server.domain import coverage
from tests.support.api import Api, make_office, running_api
from tests.support.office import Office

LISTS = (
    "units", "officials", "assets", "machines", "devices", "links", "coverage", "coverage/who",
    "sources", "enrolment-tokens", "findings", "imports", "audit", "users", "tokens",
)  # fmt: skip


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def get(api: Api, path: str, role: str = "admin", **params: Any) -> Any:
    async with await api.signed_in(role) as client:
        answer = await client.get(f"/api/v1/{path}", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_every_list_has_the_one_shape(api: Api) -> None:
    async with await api.signed_in("admin") as client:
        found = {path: (await client.get(f"/api/v1/{path}")).json() for path in LISTS}

    assert {tuple(sorted(page)) for page in found.values()} == {("items", "next", "total")}
    assert [p for p, page in found.items() if len(page["items"]) != page["total"]] == []


async def test_a_unit_is_named_with_its_parent(api: Api) -> None:
    found = await get(api, "units/U2", "viewer")

    assert (found["code"], found["name"]) == ("U2", "Văn phòng")
    assert found["parent"] == {"code": "U1", "name": "Huyện Thanh Giang"}


async def test_pages_follow_one_another_without_a_gap_or_a_repeat(api: Api) -> None:
    first = await get(api, "units", limit=3)
    second = await get(api, "units", limit=3, after=first["next"])

    assert [unit["code"] for unit in first["items"]] == ["U1", "U2", "U3"]
    assert [unit["code"] for unit in second["items"]] == ["U4"]
    assert (first["total"], second["next"]) == (4, None)


async def test_a_made_up_cursor_is_refused_or_harmless(api: Api) -> None:
    huge = "WyJhIiwgOTk5OTk5OTk5OTk5OTk5OTk5OTk5XQ"
    async with await api.signed_in("admin") as client:
        codes = [
            (await client.get("/api/v1/units", params={"after": cursor})).status_code
            for cursor in ("x", "W10", "WzEsIDJd", "bnVsbA", huge)
        ]

    assert set(codes) <= {200, 400, 422}
    assert 400 in codes


async def test_a_list_is_cut_to_a_subtree_and_to_a_search(api: Api) -> None:
    of_office = await get(api, "officials", unit="U2")
    searched = await get(api, "units", q="UNIT 3")

    assert [person["code"] for person in of_office["items"]] == ["P1", "P2"]
    assert [unit["code"] for unit in searched["items"]] == ["U3"]


async def test_a_name_is_found_by_the_beginnings_of_its_words_in_any_order(api: Api) -> None:
    async with await api.signed_in("auditor") as client:

        async def found(what: str, q: str, key: str) -> list[str]:
            answer = await client.get(f"/api/v1/{what}", params={"q": q})
            return [row[key] for row in answer.raise_for_status().json()["items"]]

        assert await found("officials", "2 pér", "code") == ["P2"]
        assert await found("officials", "p1 person", "code") == ["P1"]
        assert await found("officials", "erson 1", "code") == ["P1"]
        assert await found("officials", "1 erson", "code") == []
        assert await found("officials", "2 per%", "code") == []
        assert await found("machines", "PC-1 pc", "hostname") == ["pc-1"]


async def test_a_percent_sign_searches_for_itself(api: Api) -> None:
    found = await get(api, "units", q="%")

    assert found["items"] == []


async def test_an_asset_tells_who_holds_it_and_which_machine_it_is(api: Api) -> None:
    found = await get(api, "assets/A1", "auditor")

    assert found["official"] == {"code": "P1", "name": "Person 1"}
    assert found["unit"]["code"] == "U2"
    assert found["machine"] == {"id": 1, "hostname": "pc-1"}
    assert found["status"] == "in_use"


async def test_a_machine_shows_its_sections(api: Api) -> None:
    office = Office()
    office.ids.update({"source_section": 0})
    office.add_section(
        1, "system", [{"manufacturer": "FPT", "product": "Elead", "serial": "X1"}], 5
    )
    office.add_section(1, "memory", [{"size_bytes": 4096}, {"size_bytes": 4096}], 5)
    await api.write(office)

    found = await get(api, "machines/pc-1", "auditor")

    assert (found["system"], found["serial"], found["memory_bytes"]) == ("FPT Elead", "X1", 8192)
    assert found["cpu"] is None
    assert found["sections"]["memory"]["rows"] == [{"size_bytes": 4096}, {"size_bytes": 4096}]
    assert found["asset"] == {"code": "A1", "name": "Asset 1"}


async def test_a_link_without_figures_is_unknown_and_not_zero(api: Api) -> None:
    found = await get(api, "links/DT-01", "viewer")

    assert (found["state"], found["verdict"]) == ("unknown", "unknown")
    assert found["p95_receive_ratio"] is None
    assert found["down_bits_per_second"] == 100_000_000
    assert found["days"] == []


async def test_coverage_adds_up_and_names_its_people(api: Api) -> None:
    listed = await get(api, "coverage", "viewer", as_of="2026-03-10")
    who = await get(api, "coverage/who", "auditor", as_of="2026-03-10", unit="U2")

    district = next(row for row in listed["items"] if row["unit"]["code"] == "U1")
    assert district["subtree"]["officials"] == 3
    assert district["coverage"]["declared"] == 3
    assert district["coverage"]["verified"] == 3
    assert [row["official"]["code"] for row in who["items"]] == ["P1", "P2"]
    assert {row["state"] for row in who["items"]} == {"verified"}


async def test_pages_of_the_last_recount_are_those_of_a_recount_of_that_day(api: Api) -> None:
    await coverage.refresh_now(api.services.db, api.clock())
    day = coverage_day(api)
    answers = []
    for params in ({}, {"unit": "U2"}, {"limit": 2}):
        for times in ({}, {"as_of": day}):
            first = await get(api, "coverage", "viewer", **params, **times)
            after = {"after": first["next"]} if first["next"] else {}
            answers.append(
                (first, await get(api, "coverage", "viewer", **params, **times, **after))
            )
    scoped = [
        await (await api.signed_in("viewer", 2)).get("/api/v1/coverage", params=times)
        for times in ({}, {"as_of": day})
    ]

    assert answers[0::2] == answers[1::2]
    assert answers[4][0]["next"] is not None
    assert scoped[0].json() == scoped[1].json()
    assert [row["unit"]["code"] for row in scoped[0].json()["items"]] == ["U2"]


def coverage_day(api: Api) -> str:
    """Return the last finished day."""
    return (api.services.today() - timedelta(days=1)).isoformat()


async def test_a_listing_as_of_a_day_shows_what_was_so_then(api: Api) -> None:
    """Communes were merged: what a unit was called then must stay readable."""
    office = Office()
    office.ids.update({"unit": 4, "unit_version": 4})
    office.add_unit_version(4, 1, "Xã Tân Minh", valid_from=date(2026, 4, 1))
    async with api.services.db.transaction() as session:
        await session.execute(
            "UPDATE unit_version SET valid_to = :day WHERE unit_id = 4", day=date(2026, 4, 1)
        )
    await api.write(office)

    before = await get(api, "units/U4", as_of="2026-03-31")
    after = await get(api, "units/U4", as_of="2026-04-01")

    assert (before["name"], after["name"]) == ("Xã Minh Khai", "Xã Tân Minh")


async def test_a_listing_known_at_a_time_forgets_what_was_recorded_later(api: Api) -> None:
    early = await get(api, "units", known_at="2000-01-01T00:00:00Z")

    assert early["items"] == []


async def test_a_device_is_changed_and_the_change_is_written_down(api: Api) -> None:
    async with await api.signed_in("it") as client:
        changed = await client.patch(
            "/api/v1/devices/SW-02", json={"address": "192.0.2.77", "collector": "s4"}
        )
        refused = await client.patch("/api/v1/devices/SW-02", json={"address": "239.0.0.1"})
        unknown = await client.patch("/api/v1/devices/SW-02", json={"addres": "192.0.2.78"})
    entries = await get(api, "audit")

    assert changed.status_code == 200, changed.text
    assert (changed.json()["address"], changed.json()["collector"]) == ("192.0.2.77", "s4")
    assert (refused.status_code, unknown.status_code) == (400, 400)
    entry = next(entry for entry in entries["items"] if entry["act"] == "device.change")
    assert entry["before"]["address"] == "192.0.2.2"
    assert entry["after"]["address"] == "192.0.2.77"


async def test_a_user_of_one_unit_sees_that_subtree_and_nothing_else(api: Api) -> None:
    """A commune's clerk must not read its neighbour, by list, by name or by filter."""
    async with await api.signed_in("it", unit_id=4) as client:
        answers = {
            path: await client.get(f"/api/v1/{path}")
            for path in (
                "units", "officials", "assets", "machines", "devices", "links", "coverage/who",
                "sources", "units/U2", "officials/P1", "assets/A1", "machines/1", "devices/SW-01",
                "links/DT-01", "sources/s1", "units?unit=U2", "findings", "imports",
            )
        }  # fmt: skip
    codes = {path: answer.status_code for path, answer in answers.items()}
    seen = {path: answer.json().get("total") for path, answer in answers.items()}

    assert [(codes[path], seen[path]) for path in ("findings", "imports")] == [(200, 0), (200, 0)]
    assert {codes[path] for path in codes if "/" in path and path != "coverage/who"} == {404}
    assert codes["units?unit=U2"] == 404
    assert [seen[path] for path in ("units", "officials", "assets", "machines")] == [1, 1, 1, 1]
    assert [seen[path] for path in ("devices", "links", "sources")] == [1, 1, 1]
    assert [row["official"]["code"] for row in answers["coverage/who"].json()["items"]] == ["P3"]


async def test_hostile_names_come_out_as_text_and_nothing_else(api: Api) -> None:
    hostile = "<img src=x onerror=alert(1)>[/red]\x1b[31m\u202e"
    async with await api.signed_in("viewer") as client:
        answer = await client.get(f"/api/v1/units/{quote(hostile, safe='')}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert b"\x1b" not in answer.content
