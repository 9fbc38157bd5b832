"""The wear of a year from the book: who books it, by which rules, and what stands out of it."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.rules import UnusableRule
from kiemke.server.domain.tables import Question
from kiemke.server.domain.wear_now import WearQuestion, WearRow, load
from kiemke.server.reports.wear import WEAR, roman
from tests.support.office import MOMENT_MS, Office

YEAR_END = date(2026, 12, 31)
FAR_MS = int(datetime(2030, 1, 1, tzinfo=UTC).timestamp() * 1000)
PRICE = 18_900_000


async def ask(
    database: Database,
    year: int = 2026,
    day: date | None = None,
    known_ms: int = MOMENT_MS,
    units: list[int] | None = None,
) -> dict[str, WearRow]:
    question = WearQuestion(year, day or date(year, 12, 31), known_ms, units)
    async with database.reading() as session:
        return {row.code: row for row in await load(session, question)}


def add_rule(office: Office, name: str, value: Any, subject: str = "", **dated: Any) -> None:
    office.add_dated(
        "rule",
        name=name,
        subject=subject,
        value_json=json.dumps(value),
        source_text="Giấy",
        **dated,
    )


def make(office: Office, kind: str = "desktop", **columns: Any) -> int:
    """Queue a PC of one unit, bought in June 2026; return the asset's id."""
    columns = {"price_dong": PRICE, "in_use_since": date(2026, 6, 15), **columns}
    return office.add_pc(1, kind=kind, **columns)


@pytest.fixture
def office() -> Office:
    made = Office()
    made.add_installation()
    made.add_unit()
    made.add_unit()
    return made


async def test_a_pc_of_2026_wears_in_seven_years_and_a_switch_in_five(
    database: Database, office: Office
) -> None:
    make(office)
    make(office, "switch")
    await office.write_to(database)

    rows = await ask(database)

    pc, switch = rows["A1"], rows["A2"]
    assert (pc.charged_dong, pc.residual_dong) == (2_700_810, PRICE - 2_700_810)
    assert (pc.rate_per_million, pc.life_years) == (142_900, 7)
    assert (switch.charged_dong, switch.life_years) == (3_780_000, 5)
    last = (await ask(database, 2032, known_ms=FAR_MS))["A1"]
    assert (last.charged_dong, last.residual_dong, last.note) == (2_695_140, 0, "last")


async def test_a_pc_of_2024_goes_on_with_the_new_rate_from_2026(
    database: Database, office: Office
) -> None:
    make(office, in_use_since=date(2024, 3, 1))
    await office.write_to(database)

    charged = [(await ask(database, year))["A1"].charged_dong for year in range(2024, 2028)]

    assert charged == [3_780_000, 3_780_000, 2_700_810, 2_700_810]


async def test_ten_million_is_a_fixed_asset_and_one_dong_less_a_tool(
    database: Database, office: Office
) -> None:
    make(office, price_dong=10_000_000)
    make(office, price_dong=9_999_999)
    make(office, price_dong=None)
    make(office, in_use_since=None)
    make(office, ownership="borrowed")
    await office.write_to(database)

    rows = await ask(database)

    told = [(row.asset_class, row.charged_dong, row.note) for row in rows.values()]
    assert told == [
        ("fixed_asset", 1_429_000, None),
        ("tool", None, "tool"),
        (None, None, "no_price"),
        ("fixed_asset", None, "no_date"),
    ]


async def test_a_fully_worn_asset_stays_and_a_disposed_one_goes(
    database: Database, office: Office
) -> None:
    make(office, in_use_since=date(1998, 1, 2))
    gone = make(office)
    office.add_dated("asset_status", asset_id=gone, status="disposed", valid_from=date(2026, 11, 1))
    await office.write_to(database)

    rows = await ask(database)

    assert list(rows) == ["A1"]
    assert (rows["A1"].charged_dong, rows["A1"].residual_dong, rows["A1"].note) == (0, 0, "worn")


async def test_what_is_broken_in_december_stands_still_and_under_repair_does_not(
    database: Database, office: Office
) -> None:
    make(office, in_use_since=date(2025, 1, 1), status="broken")
    make(office, in_use_since=date(2025, 1, 1), status="under_repair")
    await office.write_to(database)

    rows = await ask(database)

    assert (rows["A1"].charged_dong, rows["A1"].note) == (0, "stopped")
    assert rows["A2"].charged_dong == 2_700_810


async def test_the_receiver_of_a_transfer_books_the_whole_year(
    database: Database, office: Office
) -> None:
    asset = office.add_asset(price_dong=PRICE, in_use_since=date(2026, 2, 1))
    moved = date(2026, 12, 1)
    office.add_custody(asset, 1, valid_to=moved)
    office.add_custody(asset, 2, valid_from=moved)
    await office.write_to(database)

    giver, receiver = await ask(database, units=[1]), await ask(database, units=[2])

    assert (len(giver), receiver["A1"].charged_dong) == (0, 2_700_810)


async def test_a_province_changes_a_rate_by_a_row_and_never_beyond_a_fifth(
    database: Database, office: Office
) -> None:
    make(office)
    add_rule(office, "wear_rate_change_permille", 100, valid_from=date(2026, 1, 1))
    await office.write_to(database)
    assert (await ask(database))["A1"].charged_dong == 2_970_891  # 18.9 million x 15.719 %

    add_rule(office, "wear_rate_change_permille", 201, valid_from=date(2026, 1, 1))
    office.waiting["rule"][-1]["recorded_at_ms"] += 1
    await office.write_to(database)

    with pytest.raises(UnusableRule, match="wear_rate_change_permille"):
        await ask(database)


async def test_the_first_year_and_the_transition_are_settings(
    database: Database, office: Office
) -> None:
    make(office)
    make(office, in_use_since=date(2024, 1, 1))
    add_rule(office, "wear_first_year", "next_year", valid_from=date(2026, 1, 1))
    add_rule(office, "wear_transition", "remaining_life", valid_from=date(2026, 1, 1))
    await office.write_to(database)

    rows = await ask(database)

    assert (rows["A1"].charged_dong, rows["A1"].note) == (0, "not_begun")
    assert rows["A2"].charged_dong == 2_268_000


async def test_a_rule_recorded_after_the_books_closed_changes_no_closed_year(
    database: Database, office: Office
) -> None:
    """The accountant's printed year must come out again, whatever is decided afterwards."""
    make(office)
    late_ms = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp() * 1000)
    add_rule(
        office, "wear_rate", {"rate": 2000, "years": 5}, "desktop",
        valid_from=date(2026, 1, 1), recorded_at_ms=late_ms,
    )  # fmt: skip
    await office.write_to(database)

    closed = (await ask(database, 2026, known_ms=FAR_MS))["A1"]
    following = (await ask(database, 2027, known_ms=FAR_MS))["A1"]

    assert closed.charged_dong == 2_700_810
    assert (following.charged_dong, following.accumulated_dong) == (3_780_000, 6_480_810)


async def test_the_form_sums_each_class_and_all(database: Database, office: Office) -> None:
    make(office)
    make(office, in_use_since=date(2024, 1, 1), price_dong=10_000_000)
    make(office, "switch")
    make(office, "printer", price_dong=3_000_000)
    await office.write_to(database)

    question = Question(YEAR_END, MOMENT_MS, MOMENT_MS)
    rows = [row async for page in WEAR.rows(database, question) for row in page]
    names = [column.name for column in WEAR.columns]
    lines = [dict(zip(names, row, strict=True)) for row in rows]

    assert [(line["number"], line["line"], line["kind"]) for line in lines] == [
        ("I", "class", "desktop"), ("1", "asset", "desktop"), ("2", "asset", "desktop"),
        ("II", "class", "switch"), ("1", "asset", "switch"), (None, "total", None),
    ]  # fmt: skip
    assert [line["price_dong"] for line in lines if line["line"] != "asset"] == [
        28_900_000, 18_900_000, 47_800_000,
    ]  # fmt: skip
    assert lines[0]["wear_dong"] == 2_700_810 + 1_429_000
    assert lines[-1]["wear_dong"] == 2_700_810 + 1_429_000 + 3_780_000
    assert getattr(lines[1]["rate"], "vi", None) == "14,29"


@pytest.mark.parametrize(("number", "text"), [(1, "I"), (4, "IV"), (9, "IX"), (23, "XXIII")])
def test_classes_are_numbered_in_roman(number: int, text: str) -> None:
    assert roman(number) == text
