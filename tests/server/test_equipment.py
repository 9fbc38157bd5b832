"""Which units have what, and one-stop desks by their checklist."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import desks, equipment
from kiemke.server.domain.desks import DeskRow
from kiemke.server.domain.rules import UnusableRule
from tests.support.api import Api, make_office, running_api
from tests.support.office import MOMENT_MS, TUESDAY, Office


def add_desk(office: Office, unit: int, code: str = "MC") -> int:
    """Queue a one-stop desk of a unit."""
    place = office.add("place", created_at_ms=MOMENT_MS)
    office.add_dated(
        "place_version", place_id=place, unit_id=unit, code=code, name="Bộ phận Một cửa",
        kind="one_stop_desk", sort_key=code, search_key=code.lower(),
    )  # fmt: skip
    return place


def add_at(office: Office, unit: int, place: str | None, kind: str, **columns: Any) -> int:
    """Queue a thing in a unit's custody at a place."""
    asset = office.add_asset(kind, **columns)
    office.add_custody(asset, unit)
    office.waiting["custody"][-1]["place"] = place
    return asset


async def lines(
    database: Database, office: Office, day: date = TUESDAY, now_ms: int | None = MOMENT_MS
) -> dict[tuple[str, str], DeskRow]:
    await office.write_to(database)
    async with database.reading() as session:
        rows = await desks.load(session, day, MOMENT_MS, now_ms, None)
    return {(row.desk_code, row.item): row for row in rows}


async def test_a_desk_is_told_line_by_line(database: Database) -> None:
    office = Office()
    unit, other = office.add_unit(), office.add_unit()
    add_desk(office, unit)
    seen = add_at(office, unit, "bo phan mot cua", "desktop")
    silent = add_at(office, unit, "mc", "desktop")
    add_at(office, unit, "MC", "desktop", status="broken")
    add_at(office, unit, "MC", "multifunction")
    add_at(office, unit, "P201", "kiosk")
    add_at(office, other, "Bộ phận Một cửa", "kiosk")
    found = add_at(office, unit, "MC", "camera")
    missed = add_at(office, unit, "MC", "camera")
    for asset in (seen, silent):
        source = office.add_source(unit)
        office.add_match(asset, source)
        if asset == seen:
            office.add_presence(source, TUESDAY)
    office.add_count(found, "seen", TUESDAY)
    office.add_count(missed, "missing", TUESDAY)

    rows = await lines(database, office)

    told = {
        item: (row.required, row.present, row.working, row.silent, row.unknown, row.found)
        for (_desk, item), row in rows.items()
    }
    assert told == {
        "pc": (2, 2, 1, 1, 0, 0),
        "printer": (1, 1, 0, 0, 1, 0),
        "copier": (1, 1, 0, 0, 1, 0),
        "scanner": (1, 1, 0, 0, 1, 0),
        "citizen_pc": (1, 0, 0, 0, 0, 0),
        "kiosk": (1, 0, 0, 0, 0, 0),
        "camera": (2, 1, 0, 0, 1, 1),
    }
    assert [rows["MC", item].finding for item in ("pc", "printer", "kiosk")] == [
        "not_working", "unknown", "lack",
    ]  # fmt: skip
    assert len(rows["MC", "pc"].things) == 3


async def test_a_desk_that_custody_names_counts_whatever_the_words_say(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    add_desk(office, unit)
    place = office.ids["place"]
    for words, at in (("Kho", place), (None, place), ("MC", place), ("MC", place + 1)):
        asset = office.add_asset("scanner")
        office.add_dated(
            "custody", asset_id=asset, unit_id=unit, official_id=None, place=words, at_place_id=at
        )
    office.add("place", created_at_ms=1)  # another place: what stands there is not at the desk

    rows = await lines(database, office)

    assert rows["MC", "scanner"].present == 3


async def test_a_device_works_while_it_answers_and_says_nothing_of_older_days(
    database: Database,
) -> None:
    office = make_office()
    add_desk(office, 2)
    office.add_asset("camera")
    office.add_custody(office.ids["asset"], 2)
    office.waiting["custody"][-1]["place"] = "MC"
    office.add_dated(
        "device_match", asset_id=office.ids["asset"], device_id=1, decided_by="test",
        evidence_json="{}",
    )  # fmt: skip
    office.add(
        "device_now", device_id=1, source_id=4, outcome="ok", detail=None,
        polled_at_ms=MOMENT_MS, answered_at_ms=MOMENT_MS - 1, sys_descr=None, sys_object_id=None,
        sys_name=None, sys_location=None, sys_contact=None, sys_uptime_seconds=None,
        changed_at_ms=MOMENT_MS,
    )  # fmt: skip

    today = (await lines(database, office))["MC", "camera"]
    before = (await lines(database, office, now_ms=None))["MC", "camera"]
    later = (await lines(database, office, now_ms=MOMENT_MS + 2 * desks.ANSWERED_MS))[
        "MC", "camera"
    ]

    assert [(row.working, row.silent, row.unknown) for row in (today, before, later)] == [
        (1, 0, 0), (0, 0, 1), (0, 1, 0),
    ]  # fmt: skip


async def test_a_checklist_is_dated_and_one_desk_may_differ(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    add_desk(office, unit, "MC1")
    add_desk(office, unit, "MC2")
    day = TUESDAY - timedelta(days=1)
    for name, subject, value in (
        ("desk_item", "camera", '{"order": 7, "kinds": ["camera"], "count": 4}'),
        ("desk_count", "MC2/kiosk", "0"),
        ("desk_item", "scanner", "null"),
    ):
        office.add_dated("rule", name=name, subject=subject, value_json=value,
                         source_text="QĐ 9", valid_from=day)  # fmt: skip

    now = await lines(database, office)
    before = await lines(database, office, day - timedelta(days=1))

    assert now["MC1", "camera"].required == 4
    assert before["MC1", "camera"].required == 2
    assert ("MC1", "kiosk") in now and ("MC2", "kiosk") not in now
    assert ("MC1", "scanner") not in now and ("MC1", "scanner") in before


async def test_a_checklist_that_cannot_be_read_is_refused(database: Database) -> None:
    office = Office()
    office.add_unit()
    office.add_dated("rule", name="desk_item", subject="pc", value_json='{"count": 2}',
                     source_text=None)  # fmt: skip

    with pytest.raises(UnusableRule, match="desk_item pc"):
        await lines(database, office)


async def test_a_unit_has_what_all_below_it_have(database: Database) -> None:
    office = make_office()
    scanner = office.add_asset("multifunction")
    office.add_custody(scanner, 3)
    office.add_custody(office.add_asset("kiosk", "broken"), 4)
    office.add_custody(office.add_asset("kiosk", ownership="unproven"), 4)
    office.add_dated("link_share", link_id=1, unit_id=3)
    await office.write_to(database)

    async with database.reading() as session:
        rows = await equipment.load(session, TUESDAY, MOMENT_MS)
    by_id = {row.unit_id: row.counts for row in rows}
    offices = [row for row in rows if row.unit_id != 1]
    summary = {row.item: row for row in equipment.summarise(rows, offices)}
    whole = {row.item: row for row in equipment.summarise(rows, rows)}

    assert [by_id[unit]["pc"] for unit in (1, 2, 3, 4)] == [3, 2, 0, 1]
    assert [by_id[unit]["scanner"] for unit in (1, 2, 3, 4)] == [1, 0, 1, 0]
    assert [by_id[unit]["internet"] for unit in (1, 2, 3, 4)] == [2, 1, 1, 1]
    assert by_id[1]["kiosk"] == 0
    assert (summary["pc"].having, summary["pc"].units, summary["pc"].things) == (2, 3, 3)
    assert [unit.unit_id for unit in summary["pc"].without] == [3]
    assert whole["pc"].things == 3


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        add_desk(office, 4)
        add_at(office, 4, "MC", "kiosk")
        await running.write(office)
        yield running


async def get(api: Api, path: str, unit_id: int | None = None, **params: str) -> Any:
    async with await api.signed_in("auditor", unit_id) as client:
        return await client.get(f"/api/v1{path}", params=params)


async def test_both_are_told_over_rest_and_exported(api: Api) -> None:
    items = (await get(api, "/equipment", type="phong")).json()["items"]
    units = (await get(api, "/equipment/units", 4)).json()["items"]
    desk = (await get(api, "/desks", finding="unknown")).json()["items"]
    elsewhere = (await get(api, "/desks", 3)).json()["items"]
    bad = await get(api, "/equipment", type="planet")
    files = [(await get(api, f"/exports/{name}.csv")).text for name in ("presence", "desks")]

    assert {i["item"]: (i["having"], i["units"]) for i in items}["kiosk"] == (2, 4)
    assert [(row["unit"]["code"], row["counts"]["kiosk"]) for row in units] == [("U4", 1)]
    assert [(row["item"], row["next"]) for row in desk] == [
        ("kiosk", "kiemke asset count A4 --result seen --day … --by …")
    ]
    assert elsewhere == []
    assert bad.status_code == 400
    assert "máy tra cứu" in files[0]
    assert "Bộ phận Một cửa" in files[1]
