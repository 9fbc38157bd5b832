"""The audit log of who sees some units: every entry that concerns these alone, and of the others no trace."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.server.domain import audit_units
from kiemke.server.ledgers import LEDGER_TABLES
from tests.support.api import Api, make_office, running_api

PAPER = {"day": "2026-03-02", "instrument": "7/QĐ"}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A district U1, its departments U2 and U3, its commune U4."""
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def log(client: httpx.AsyncClient, **asked: Any) -> Any:
    answer = await client.get("/api/v1/audit", params={"limit": 1000, **asked})
    assert answer.status_code == 200, answer.text
    return answer.json()


def told(page: Any) -> list[tuple[str, str]]:
    return [(each["act"], each["subject"]) for each in page["items"]]


async def act(client: httpx.AsyncClient, method: str, path: str, body: Any = None) -> None:
    answer = await client.request(method, f"/api/v1/{path}", json=body)
    assert answer.status_code < 300, answer.text


async def test_the_log_is_asked_by_person_act_subject_and_day(api: Api) -> None:
    """Of some units only what concerns these is found, whatever is asked for."""
    async with await api.signed_in("admin") as chief:
        await act(chief, "PATCH", "devices/SW-01", {"port": 1161})  # of U2
        await act(chief, "PATCH", "devices/SW-02", {"port": 2161})  # of U4
        await act(chief, "POST", "assets/A3/status?apply=true", {"status": "broken", **PAPER})
        whole = await log(chief)
        who = whole["items"][0]["who"]
        (named,) = {each["act"] for each in whole["items"] if each["subject"] == "device:SW-01"}
        asked: list[dict[str, Any]] = [
            {"act": named},
            {"act": named.partition(".")[0], "who": who},
            {"subject": "device:SW-01"},
            {"subject": "device", "limit": 1},
            {"who": who.upper() + "x"},
            {"act": named[:-1]},
            {"who": who, "since": "2026-03-11"},
            {"who": who, "since": "2026-03-12"},
        ]
        found = [told(await log(chief, **each)) for each in asked]
        first = await log(chief, subject="device", limit=1)
        second = await log(chief, subject="device", limit=1, after=first["next"])
    async with await api.signed_in("auditor", unit_id=4) as commune:
        mine = [told(await log(commune, **each)) for each in asked[:4]]

    one, two = (named, "device:SW-01"), (named, "device:SW-02")
    assert found[:6] == [[two, one], [two, one], [one], [two], [], []]
    assert found[6] == [(e["act"], e["subject"]) for e in whole["items"] if e["who"] == who]
    assert found[7] == []
    assert (first["total"], told(second)) == (2, [one])
    assert mine == [[two], [two], [], [two]]


async def test_an_asset_and_a_person_are_asked_for_by_their_codes(api: Api) -> None:
    """Whatever number stands in the entries; what is out of sight is found by no name."""
    async with await api.signed_in("admin") as chief:
        await act(chief, "POST", "assets/A3/status?apply=true", {"status": "broken", **PAPER})
        move = {"act": "move", "unit": "U4", **PAPER}
        await act(chief, "POST", "officials/P1/acts?apply=true", move)
        asset = await log(chief, subject="asset:A3")
        person = await log(chief, subject="official:P1")
        number = await log(chief, subject="official:1")
        nobody = await log(chief, subject="asset:A99")
    async with await api.signed_in("auditor", unit_id=2) as other:
        hidden = await log(other, subject="asset:A3")

    assert [(each["subject"], each["about"]) for each in asset["items"]] == [
        ("asset:3", "asset:A3")
    ]
    assert told(person) == told(number) == [("official.move", "official:P1")]
    assert (nobody["items"], hidden["items"]) == ([], [])


async def test_an_officer_of_a_unit_reads_what_concerns_it_alone(api: Api) -> None:
    async with await api.signed_in("admin") as chief:
        await act(chief, "PATCH", "devices/SW-01", {"port": 1161})  # of U2
        await act(chief, "PATCH", "devices/SW-02", {"port": 2161})  # of U4
        await act(
            chief, "POST", "assets/A3/status?apply=true", {"status": "broken", **PAPER}
        )  # U4's
        move = {"act": "move", "unit": "U4", **PAPER}
        await act(chief, "POST", "officials/P1/acts?apply=true", move)  # from U2 to U4
        rule = {"name": "fleet_series_max", "value": 9000, **PAPER}
        await act(chief, "POST", "rules?apply=true", rule)  # of everybody
        whole = await log(chief)
        of_commune = await log(chief, unit="U4")
    async with await api.signed_in("auditor", unit_id=4) as commune:
        seen = await log(commune)
        pages: list[Any] = [await log(commune, limit=1)]
        while pages[-1]["next"] is not None:
            pages.append(await log(commune, limit=1, after=pages[-1]["next"]))
        outside = await commune.get("/api/v1/audit", params={"unit": "U2"})
    async with await api.signed_in("it", unit_id=1) as district:
        both = await log(district)

    acts = [("asset.status", "asset:3"), ("device.change", "device:SW-02")]
    mine = [each for each in told(seen) if not each[0].startswith("user.")]
    assert sorted(mine) == acts, "not the move, which U2 is told as well, nor the rule of everybody"
    assert seen["total"] == len(seen["items"]) == len(pages)
    assert [each["items"][0]["sha256"] for each in pages] == [
        each["sha256"] for each in seen["items"]
    ]
    assert {each["id"] for each in seen["items"]} == {None}, "a number tells how much was written"
    changed = next(each for each in seen["items"] if each["act"] == "device.change")
    assert (changed["before"]["port"], changed["after"]["port"]) == (161, 2161)
    assert outside.status_code == 404
    assert {("official.move", "official:P1"), *acts} <= set(told(both))
    rules = [[each for each, _ in told(page) if each.startswith("rule")] for page in (whole, both)]
    assert (len(rules[0]), rules[1]) == (1, [])
    assert sorted(told(of_commune)) == acts
    assert None not in {each["id"] for each in of_commune["items"]}


async def test_what_a_unit_gave_away_concerns_both_sides(api: Api) -> None:
    handover = {
        "giver": {"official": "P3"}, "receiver": {"official": "P1"}, "assets": ["A3"], **PAPER,
    }  # fmt: skip
    async with await api.signed_in("admin") as chief:
        await act(chief, "POST", "handovers?apply=true", handover)  # from U4 to U2
        api.clock.now_ms += 3_600_000
        await act(chief, "POST", "assets/A3/facts?apply=true", {"price_dong": 5, **PAPER})
    seen = {}
    for unit in (1, 2, 4):
        async with await api.signed_in("auditor", unit_id=unit) as client:
            seen[unit] = [each for each, _ in told(await log(client)) if each[:4] != "user"]

    assert any("handover" in each for each in seen[1])
    assert set(seen[2]) == {"asset.facts"}, "whose it is since then"
    assert seen[4] == []


async def test_rights_and_tokens_are_told_where_they_reach(api: Api) -> None:
    await api.add_user("lan", "it", 4)
    await api.add_user("chief", "admin")
    async with await api.signed_in("auditor", unit_id=4) as client:
        subjects = {subject for _, subject in told(await log(client))}

    assert "user:lan" in subjects
    assert "user:chief" not in subjects


async def test_entries_of_before_are_marked_and_one_that_is_spoilt_stops_nobody(api: Api) -> None:
    async with api.services.db.transaction() as session:
        await session.execute(
            "INSERT INTO audit_entry (at_ms, entry, sha256) VALUES (1, :entry, 'x')",
            entry=b"\xff{",
        )
    await api.add_user("lan", "it", 4)
    first = await audit_units.catch_up(api.services.db)
    again = await audit_units.catch_up(api.services.db)
    rows = await api.services.db.read(
        "SELECT entry_id, unit_id FROM audit_unit ORDER BY entry_id, unit_id"
    )

    assert (first, again) == (2, 0)
    assert [row["unit_id"] for row in rows] == [None, 4]


def test_every_ledger_says_whose_its_rows_are() -> None:
    named = {*audit_units.TABLES, *audit_units.OF_NO_UNIT}

    assert named == set(LEDGER_TABLES)
