"""Whole imports of small files into both databases: dry run, all or nothing, twice, corrections."""

import asyncio
from datetime import date
from typing import Any

import pytest

from kiemke.server import audit
from kiemke.server.db import Database, as_date
from kiemke.server.imports.ledger import Plan
from kiemke.server.imports.result import ImportResult
from kiemke.server.imports.run import IMPORTERS, run_import
from kiemke.server.imports.tables.assets import AssetImporter
from kiemke.server.imports.templates import TEMPLATES
from tests.support.imports import ASSETS, NOW_MS, OFFICIALS, UNITS, as_csv, load, load_district


def told(result: ImportResult) -> list[tuple[int, str | None, str | None]]:
    return [(e.row, e.column.en if e.column else None, e.value) for e in result.errors]


async def open_rows(database: Database, table: str, columns: str) -> list[tuple[Any, ...]]:
    rows = await database.read(
        f"SELECT {columns} FROM {table}"  # noqa: S608  # literal names in this file
        f" WHERE voided_at_ms IS NULL ORDER BY {columns}"
    )
    return [
        tuple(as_date(v) if k.startswith("valid") and v else v for k, v in row.items())
        for row in rows
    ]


@pytest.fixture
async def district(database: Database) -> Database:
    await load_district(database)
    return database


def test_every_template_has_an_importer_and_the_other_way_round() -> None:
    assert list(IMPORTERS) == list(TEMPLATES)


async def test_a_dry_run_says_what_it_would_do_and_writes_nothing(database: Database) -> None:
    result = await load(database, "units", UNITS, apply=False)

    assert (result.rows, result.new, result.changed, result.same, result.applied) == (
        3,
        3,
        0,
        0,
        False,
    )
    assert await database.read("SELECT 1 FROM unit") == []
    assert await database.read("SELECT 1 FROM audit_entry") == []


async def test_a_parent_may_stand_below_its_child_in_the_file(district: Database) -> None:
    rows = await district.read(
        "SELECT c.code AS child, p.code AS parent FROM unit_version c"
        " LEFT JOIN unit_version p ON p.unit_id = c.parent_id ORDER BY c.code"
    )

    assert [(r["child"], r["parent"]) for r in rows] == [
        ("TG", None), ("TG-NV", "TG"), ("TG-TP", "TG"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("template", "rows"), [("units", UNITS), ("officials", OFFICIALS), ("assets", ASSETS)]
)
async def test_the_same_file_again_changes_nothing(
    district: Database, template: str, rows: list[list[Any]]
) -> None:
    entries = await district.read("SELECT COUNT(*) AS n FROM audit_entry")

    result = await load(district, template, rows)

    assert (result.new, result.changed, result.same) == (0, 0, len(rows) - 1)
    assert await district.read("SELECT COUNT(*) AS n FROM audit_entry") == entries


async def test_leading_zeros_money_and_serials_arrive_as_meant(district: Database) -> None:
    official = (await district.read("SELECT code, phone FROM official WHERE code = '001'"))[0]
    asset = (await district.read("SELECT * FROM asset WHERE code = 'TS1'"))[0]

    assert official == {"code": "001", "phone": "0900000001"}
    assert (asset["price_dong"], asset["kind"], asset["serial_key"]) == (
        15_000_000,
        "desktop",
        "AB12C",
    )


async def test_an_answer_names_a_thousand_errors_and_counts_the_rest(database: Database) -> None:
    """200,000 wrong rows would be an answer of 75 MB, and a server that does nothing else."""
    rows = [UNITS[0], *([f"X{n}", "", "thôn", "", ""] for n in range(1_500))]

    result = await load(database, "units", rows)
    answer = result.as_json("vi")

    assert len(answer["errors"]) == 1_000
    assert answer["errors_left_out"] == len(result.errors) - 1_000 == 2_000


async def test_one_bad_row_keeps_every_row_out(database: Database) -> None:
    rows = [*UNITS, ["X", "Xã X", "thôn", "NOWHERE", "31/02/2024"]]

    result = await load(database, "units", rows)

    assert told(result) == [(5, "Type", "thôn"), (5, "Valid from", "31/02/2024")]
    assert await database.read("SELECT 1 FROM unit") == []


async def test_an_unknown_code_names_row_column_value_and_remedy(district: Database) -> None:
    row = ["003", "Lê Văn Ơn", "TG-XX", "công chức", "", "", "", "01/01/2024"]

    result = await load(district, "officials", [*OFFICIALS, row])

    error = result.as_json("vi")["errors"][0]
    assert (error["row"], error["column"], error["value"]) == (4, "Mã đơn vị", "TG-XX")
    assert "TG-XX" in error["message"] and "units" in error["remedy"]
    assert len(await district.read("SELECT 1 FROM official")) == 2


async def test_a_move_keeps_the_past_and_what_was_known(district: Database) -> None:
    """Append-only: the open row is voided, the past and the new state are added."""
    move = [OFFICIALS[0], [*OFFICIALS[1][:2], "TG-TP", *OFFICIALS[1][3:7], "01/07/2025"]]

    result = await load(district, "officials", move)

    rows = await district.read(
        "SELECT v.code, m.valid_from, m.valid_to, m.voided_at_ms FROM membership m"
        " JOIN unit_version v ON v.unit_id = m.unit_id JOIN official o ON o.id = m.official_id"
        " WHERE o.code = '001' ORDER BY m.id"
    )
    seen = [
        (
            r["code"],
            as_date(r["valid_from"]),
            r["valid_to"] and as_date(r["valid_to"]),
            r["voided_at_ms"],
        )
        for r in rows
    ]
    start, moved = date(2024, 1, 1), date(2025, 7, 1)
    assert (result.changed, result.new) == (1, 0)
    assert seen == [
        ("TG-NV", start, None, NOW_MS), ("TG-NV", start, moved, None), ("TG-TP", moved, None, None),
    ]  # fmt: skip


async def test_several_persons_share_an_asset_and_one_leaves_it(district: Database) -> None:
    alone = [ASSETS[0], [*ASSETS[2][:7], "002", "P201", "01/02/2025"]]

    await load(district, "assets", alone)

    rows = await district.read(
        "SELECT o.code, c.valid_to FROM custody c JOIN asset a ON a.id = c.asset_id"
        " JOIN official o ON o.id = c.official_id"
        " WHERE a.code = 'TS2' AND c.voided_at_ms IS NULL ORDER BY c.valid_from, o.code"
    )
    assert [(r["code"], r["valid_to"] and as_date(r["valid_to"])) for r in rows] == [
        ("001", date(2025, 2, 1)), ("002", date(2025, 2, 1)), ("002", None),
    ]  # fmt: skip


async def test_a_column_that_the_file_lacks_stays_as_it_was(district: Database) -> None:
    result = await load(
        district, "assets",
        [["Mã", "Loại", "Tên tài sản", "Mã đơn vị"], ["TS2", "máy in", "Máy in HP", "TG-NV"]],
    )  # fmt: skip

    asset = (await district.read("SELECT name, tag, price_dong FROM asset WHERE code = 'TS2'"))[0]
    custody = await open_rows(district, "custody", "asset_id, official_id, valid_to")
    assert result.changed == 1
    assert asset == {"name": "Máy in HP", "tag": "T2", "price_dong": 9_000_000}
    assert len(custody) == 3 and all(row[2] is None for row in custody)


async def test_two_assets_cannot_wear_one_sticker(district: Database) -> None:
    result = await load(district, "assets", [*ASSETS, ["TS3", "T1", *ASSETS[1][2:]]])

    assert told(result) == [(4, "Tag", "T1")]


async def test_a_unit_cannot_stand_above_itself(district: Database) -> None:
    loop = [UNITS[0], ["TG", "Huyện Thanh Giang", "huyện", "TG-NV", "01/01/2024"]]

    result = await load(district, "units", loop)

    assert told(result) == [(2, "Parent code", "TG-NV")]


async def test_a_code_twice_in_a_file_is_told(database: Database) -> None:
    result = await load(database, "units", [*UNITS, UNITS[1]])

    assert told(result) == [(5, "Code", "TG-NV")]


async def test_links_carry_rates_shares_and_probes(district: Database) -> None:
    device = [
        ["code", "name", "kind", "unit", "address"],
        ["R1", "Router", "router", "TG", "192.0.2.1"],
    ]
    links = [
        ["code", "name", "unit", "kind", "down_mbps", "up_mbps", "device", "interface_name",
         "shared_by", "probes", "valid_from"],
        ["L1", "Internet", "TG", "Internet", "100", "12,5", "R1", "ether1", "TG-NV; TG-TP",
         "gateway:192.0.2.1; 2001:db8::1", "01/01/2024"],
    ]  # fmt: skip
    await load(district, "devices", device)

    first = await load(district, "links", links)
    again = await load(district, "links", links)
    changed = await load(
        district, "links", [links[0], [*links[1][:9], "isp:192.0.2.9", "01/01/2024"]]
    )

    version = (await district.read("SELECT * FROM link_version"))[0]
    probes = await district.read(
        "SELECT purpose, address FROM probe_target WHERE retired_at_ms IS NULL"
    )
    assert (first.new, again.same, changed.changed) == (1, 1, 1)
    assert (version["down_bits_per_second"], version["up_bits_per_second"]) == (
        100_000_000,
        12_500_000,
    )
    assert len(await open_rows(district, "link_share", "unit_id")) == 2
    assert [(p["purpose"], p["address"]) for p in probes] == [("isp", "192.0.2.9")]


async def test_a_police_line_is_recorded_and_never_probed(district: Database) -> None:
    links = [
        ["code", "name", "unit", "kind", "probes"],
        ["P1", "Đường truyền dân cư", "TG", "police", "192.0.2.1"],
    ]

    assert told(await load(district, "links", links))[0][:2] == (2, "Probe addresses")


async def test_targets_absences_and_holidays_are_dated_rows(district: Database) -> None:
    targets = [["unit", "measure", "kinds", "target", "source", "valid_from"],
               ["TG", "coverage", "cán bộ; công chức", "90 %", "12/KH", "01/01/2024"]]  # fmt: skip
    absences = [["official", "reason", "valid_from", "valid_to"],
                ["001", "đi học", "01/09/2025", "01/03/2026"]]  # fmt: skip
    holidays = [["day", "working", "name"], ["02/09/2026", "", "Quốc khánh"],
                ["05/09/2026", "có", "Làm bù"]]  # fmt: skip
    files = (("targets", targets), ("absences", absences), ("holidays", holidays))

    first = [await load(district, name, rows) for name, rows in files]
    again = [await load(district, name, rows) for name, rows in files]

    assert [(r.new, r.errors) for r in first] == [(1, ()), (1, ()), (2, ())]
    assert [(r.new, r.changed, r.same) for r in again] == [(0, 0, 1), (0, 0, 1), (0, 0, 2)]
    assert await open_rows(district, "coverage_target", "kinds, target_thousandths") == [
        ("can_bo,cong_chuc", 900)
    ]
    assert await open_rows(district, "absence", "reason, valid_from, valid_to") == [
        ("study", date(2025, 9, 1), date(2026, 3, 1))
    ]
    assert [bool(r[0]) for r in await open_rows(district, "holiday", "working")] == [False, True]


async def test_an_applied_import_is_on_record_with_its_file(district: Database) -> None:
    runs = await district.read("SELECT template, row_count, applied_by FROM import_run ORDER BY id")

    assert [tuple(run.values()) for run in runs] == [
        ("units", 3, "tester"), ("officials", 2, "tester"), ("assets", 2, "tester"),
    ]  # fmt: skip


async def test_hostile_text_arrives_inert_or_not_at_all(database: Database) -> None:
    name = "\x1b[31m=cmd|' /C calc'!A0\u202e\nend"

    await load(database, "units", [UNITS[0], ["H", name, "xã", "", "01/01/2024"]])

    stored = (await database.read("SELECT name FROM unit_version"))[0]["name"]
    assert stored == "[31m=cmd|' /C calc'!A0 end"


async def test_two_imports_of_one_file_at_once_write_it_once(database: Database) -> None:
    """Two officers press the button together: one writes, the other finds it done."""
    results = await asyncio.gather(*(load(database, "units", UNITS) for _ in range(3)))

    assert sorted((r.new, r.same, r.applied) for r in results) == [
        (0, 3, True), (0, 3, True), (3, 0, True),
    ]  # fmt: skip
    assert len(await database.read("SELECT 1 FROM unit_version")) == 3


async def test_others_write_while_a_file_is_compared(
    district: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A province's book takes many seconds to compare: ingest must not wait for that."""
    compared: list[int] = []
    real = AssetImporter.plan

    async def plan(self: AssetImporter, *args: Any) -> Plan:
        async with district.transaction() as session:
            await session.execute("UPDATE lease SET fence = fence")
        compared.append(len(args[1]))
        return await real(self, *args)

    monkeypatch.setattr(AssetImporter, "plan", plan)
    result = await load(district, "assets", [ASSETS[0], ["TS9", *ASSETS[1][1:]]])

    assert told(result) == [(2, "Tag", "T1")]
    assert compared == [1]


async def test_a_book_that_changed_meanwhile_is_compared_again(
    district: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was compared must be what is written to."""
    compared: list[str] = []
    real = AssetImporter.plan

    async def plan(self: AssetImporter, *args: Any) -> Plan:
        found = await real(self, *args)
        if not compared:
            other = [ASSETS[0], ["TS7", "", *ASSETS[1][2:]]]
            compared.append("other")
            await load(district, "assets", other)
        compared.append(next(iter(found.outcomes.values())))
        return found

    monkeypatch.setattr(AssetImporter, "plan", plan)
    result = await load(district, "assets", [ASSETS[0], ["TS7", "", *ASSETS[1][2:]]])

    assert (result.new, result.same, result.applied) == (0, 1, True)
    assert compared == ["other", "new", "new", "same"]
    assert len(await district.read("SELECT 1 FROM asset WHERE code = 'TS7'")) == 1


async def test_a_busy_book_is_compared_once_more_with_everybody_waiting(
    district: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []
    real = AssetImporter.plan

    async def plan(self: AssetImporter, session: Any, *args: Any) -> Plan:
        compared.append(1)
        if len(compared) <= 3:
            async with district.transaction() as other:
                await audit.record(other, at_ms=NOW_MS, who="x", act="x", subject="x")
        return await real(self, session, *args)

    monkeypatch.setattr(AssetImporter, "plan", plan)
    result = await load(district, "assets", [ASSETS[0], ["TS7", "", *ASSETS[1][2:]]])

    assert (result.new, result.applied, len(compared)) == (1, True, 4)


async def test_an_import_that_fails_half_way_leaves_nothing(database: Database) -> None:
    class Failure(Exception):
        """Stands for a lost connection."""

    async def fail(*_: Any, **__: Any) -> None:
        raise Failure

    with pytest.raises(Failure):
        await run_import(
            database, "units", as_csv(UNITS), "f.csv",
            apply=True, who="tester", now_ms=NOW_MS, audit=fail,
        )  # fmt: skip

    for table in ("unit", "unit_version", "import_run", "audit_entry"):
        assert await database.read(f"SELECT 1 FROM {table}") == []  # noqa: S608  # names above


async def test_a_file_that_is_no_table_is_an_answer_not_an_accident(database: Database) -> None:
    result = await run_import(
        database, "units", b"\xd0\xcf\x11\xe0", "old.xls",
        apply=True, who="tester", now_ms=NOW_MS, audit=audit.record,
    )  # fmt: skip

    told = result.as_json("en")
    assert (told["applied"], told["errors"][0]["row"]) == (False, 0)
    assert "XLS" in told["errors"][0]["message"] and ".xlsx" in told["errors"][0]["remedy"]
