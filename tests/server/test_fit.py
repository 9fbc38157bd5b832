"""Fitness: a part of verified, judged need by need; what nobody tells is unknown, never a lack."""

import json
from datetime import date
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import fit_rules, rules_dated
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.fit import FitRow, load
from kiemke.server.domain.fit_facts import is_supported, read_facts
from kiemke.server.domain.fit_now import Recounter
from kiemke.server.domain.rules import UnusableRule
from tests.support.office import MOMENT_MS, RECORDED_MS, TUESDAY, Office

GIB = 2**30
GOOD: dict[str, list[dict[str, Any]]] = {
    "memory": [{"size_bytes": 4 * GIB}, {"size_bytes": 4 * GIB}, {"size_bytes": None}],
    "disks": [{"bus": "sata", "rotational": False}, {"bus": "usb", "rotational": True}],
    "os": [{"family": "windows", "name": "Windows 10 Pro", "build": "26200.1"}],
    "antivirus": [{"name": "AV", "enabled": True, "up_to_date": True}],
    "monitors": [{"preferred": "1920x1080"}],
    "usb": [{"vendor_id": "096E", "name": "ePass"}],
    "printers": [{"name": "Microsoft Print to PDF"}],
}


def add_person(office: Office, unit: int, post: str | None = None, /, **sections: Any) -> int:
    """Queue a verified person whose PC tells GOOD but for ``sections`` (None: not told)."""
    official = office.add_official(unit)
    office.waiting["membership"][-1]["post"] = post
    source = office.add_verified_pc(unit, official)
    for name, rows in {**GOOD, **sections}.items():
        if rows is not None:
            office.add_section(source, name, rows, RECORDED_MS)
    return source


async def judged(
    database: Database, office: Office, day: date = TUESDAY, until_ms: int = MOMENT_MS
) -> list[FitRow]:
    await office.write_to(database)
    async with database.reading() as session:
        return await load(session, day, MOMENT_MS, until_ms, None)


async def test_fit_is_a_part_of_verified(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    add_person(office, unit)
    office.add_pc(unit, office.add_official(unit))
    silent = office.add_source(unit)
    office.add_match(office.add_pc(unit, office.add_official(unit)), silent)
    for name, rows in GOOD.items():
        office.add_section(silent, name, rows, RECORDED_MS)

    judgements = await judged(database, office)

    assert [(row.fitness, row.missing, row.unknown) for row in judgements] == [("fit", (), ())]
    async with database.reading() as session:
        assert (await recount(session, TUESDAY, MOMENT_MS))[0].verified == 1


@pytest.mark.parametrize(
    ("section", "rows", "need"),
    [
        ("memory", [{"size_bytes": 2 * GIB}], "ram_gib"),
        ("disks", [{"bus": "sata", "rotational": True}], "ssd"),
        ("os", [{"family": "windows", "name": "Windows 7", "build": "7601"}], "os_supported"),
        ("antivirus", [], "antivirus"),
        ("antivirus", [{"enabled": True, "up_to_date": False}], "antivirus"),
        ("monitors", [{"preferred": "1024x600"}], "screen_height"),
    ],
)
async def test_one_need_not_met_makes_a_pc_unfit(
    database: Database, section: str, rows: list[dict[str, Any]], need: str
) -> None:
    office = Office()
    unit = office.add_unit()
    add_person(office, unit, None, **{section: rows})
    add_person(office, unit, None, **{section: None})

    lacking, silent = await judged(database, office)

    assert (lacking.fitness, lacking.missing) == ("unfit", (need,))
    assert (silent.fitness, silent.unknown) == ("fit_unknown", (need,))


async def test_a_post_adds_its_own_needs(database: Database) -> None:
    office = Office()
    bare, printing = office.add_unit(), office.add_unit()
    add_person(office, bare, "Văn thư", usb=[])
    add_person(office, printing, "Chuyên viên kiêm văn thư")
    add_person(office, printing, "Chuyên viên", usb=[])
    add_person(office, printing, "Chủ tịch UBND", usb=None)
    office.add_custody(office.add_asset(kind="multifunction"), printing)
    office.add_custody(office.add_asset(kind="printer", status="broken"), bare)

    rows = {row.official_code: row for row in await judged(database, office)}

    assert rows["P1"].missing == ("signature", "printer")
    assert [rows[code].fitness for code in ("P2", "P3", "P4")] == ["fit", "fit", "fit_unknown"]
    assert rows["P4"].unknown == ("signature",)


async def test_a_driver_without_its_token_is_no_answer(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    source = add_person(office, unit, "Chủ tịch", usb=[])
    title = office.add("software_title", name="VGCASignService", version="1", publisher="")
    office.add("source_software", source_id=source, title_id=title)

    row = (await judged(database, office))[0]

    assert (row.fitness, row.unknown) == ("fit_unknown", ("signature",))


async def test_the_pc_that_does_best_speaks_for_the_person(database: Database) -> None:
    office = Office()
    unit = office.add_unit()
    add_person(office, unit, memory=[{"size_bytes": GIB}])
    second = office.add_verified_pc(unit, 1)
    for name, rows in GOOD.items():
        office.add_section(second, name, rows, RECORDED_MS)

    row = (await judged(database, office))[0]

    assert (row.fitness, row.asset_code) == ("fit", "A2")


async def test_a_system_is_supported_until_its_last_day(database: Database) -> None:
    office = Office()
    add_person(office, office.add_unit())
    await office.write_to(database)
    async with database.reading() as session:
        rules = await fit_rules.load(session, TUESDAY, MOMENT_MS)

    def answer(day: str, name: str, build: str, family: str = "windows") -> bool | None:
        row = {"family": family, "name": name, "build": build, "version": build}
        return is_supported(read_facts({"os": [row]}).system, rules, date.fromisoformat(day))

    assert answer("2025-10-14", "Windows 10 Pro", "19045.6456") is True
    assert answer("2025-10-15", "Windows 10 Pro", "10.0.19045") is False
    assert answer("2026-11-01", "Windows 10 Enterprise LTSC 2021", "19044") is True
    assert answer("2026-11-01", "Windows 10 Pro", "22631.1") is False
    assert answer("2026-11-01", "Windows 10 Enterprise", "22631.1") is True
    assert answer("2026-11-01", "Debian GNU/Linux 13 (trixie)", "13", "linux") is True
    assert answer("2026-11-01", "Lubuntu remix", "99", "linux") is None


async def test_a_dated_row_wins_over_what_ships(database: Database) -> None:
    """An extension bought for Windows 10, and more memory asked from a day on."""
    office = Office()
    unit = office.add_unit()
    old = [{"family": "windows", "name": "Windows 10 Pro", "build": "19045.1"}]
    add_person(office, unit, os=old)
    for name, subject, value, day in (
        ("os_support", "windows 10 22H2",
         '{"family": "windows", "versions": ["19045"], "last_day": "2026-10-13"}', "2025-10-15"),
        ("fit_profile", "everybody", '{"needs": {"ram_gib": 16}}', "2026-03-10"),
    ):  # fmt: skip
        office.add_dated(
            "rule", name=name, subject=subject, value_json=value, source_text="QĐ 5",
            valid_from=date.fromisoformat(day),
        )  # fmt: skip

    today = (await judged(database, office))[0]
    async with database.reading() as session:
        before = await load(session, date(2026, 3, 9), MOMENT_MS, MOMENT_MS, None)
    assert (today.missing, today.needs["ram_gib"], today.has["ram_gib"]) == (("ram_gib",), 16, 8)
    assert before == []  # not verified on the day before: seen on Tuesday alone


async def test_what_changed_since_a_day_is_not_known_of_it(database: Database) -> None:
    office = Office()
    source = add_person(office, office.add_unit())
    for section in office.waiting["source_section"]:
        if section["section"] == "memory":
            section["changed_at_ms"] = MOMENT_MS

    row = (await judged(database, office, until_ms=MOMENT_MS - 1))[0]

    assert source == 1
    assert (row.fitness, row.unknown) == ("fit_unknown", ("ram_gib",))


@pytest.mark.parametrize(
    "value",
    [
        '{"needs": {"ram": 4}}',
        '{"needs": {"ram_gib": true}}',
        '{"needs": {"ssd": 1}}',
        '{"needs": {}}',
        '{"post": ["x"], "needs": {"ssd": true}}',
        '{"posts": "x", "needs": {"ssd": true}}',
        "[]",
    ],
)
def test_a_profile_that_is_none_is_refused(value: str) -> None:
    ruling = rules_dated.Ruling("fit_profile", "x", json.loads(value), None, TUESDAY)
    history = rules_dated.RuleHistory((ruling,)).on(TUESDAY, 0)

    with pytest.raises(UnusableRule):
        fit_rules.read(history, rules_dated.DayRules({}))


async def test_the_leader_counts_own_people_and_subtrees_and_reads_changes_only(
    database: Database,
) -> None:
    office = Office()
    office.add_installation()
    root = office.add_unit()
    unit = office.add_unit(root)
    source = add_person(office, unit)
    add_person(office, unit, antivirus=None)
    add_person(office, root, memory=[{"size_bytes": GIB}])
    await office.write_to(database)
    recounter = Recounter(database)

    await recounter.run(MOMENT_MS)
    before = await figures(database)
    async with database.transaction() as session:
        await session.execute(
            "UPDATE source_section SET rows_json = '[]', changed_at_ms = :now"
            " WHERE source_id = :source AND section = 'antivirus'",
            now=MOMENT_MS + 1,
            source=source,
        )
    changed = await recounter.run(MOMENT_MS + 300_000)

    assert before == {
        ("fit", unit, "fit"): 1, ("fit", unit, "fit_unknown"): 1, ("fit", root, "unfit"): 1,
        ("subtree_fit", unit, "fit"): 1, ("subtree_fit", unit, "fit_unknown"): 1,
        ("subtree_fit", root, "fit"): 1, ("subtree_fit", root, "fit_unknown"): 1,
        ("subtree_fit", root, "unfit"): 1,
    }  # fmt: skip
    assert changed > 0
    after = await figures(database)
    assert after["fit", unit, "unfit"] == 1
    assert after["subtree_fit", root, "unfit"] == 2
    assert after["fit", unit, "fit"] is None


async def figures(database: Database) -> dict[tuple[str, int, str], int | None]:
    rows = await database.read("SELECT family, unit_id, label, value FROM unit_figure_now")
    return {(row["family"], row["unit_id"], row["label"]): row["value"] for row in rows}
