"""What papers change of an asset: dated, as known then, never an edit; drafts count nowhere."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database, as_date
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.wear_now import WearQuestion, load
from tests.support.api import Api, running_api
from tests.support.office import FAR_BACK, MOMENT_MS, TUESDAY, Office

DAY = "2026-03-02"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


def make_office() -> Office:
    """A unit with one official and one PC of 18.9 million, and a unit beside it."""
    office = Office()
    office.add_unit()
    office.add_unit()
    person = office.add_official(1)
    office.add_pc(1, person, price_dong=18_900_000, in_use_since=date(2024, 3, 1))
    return office


async def say(api: Api, what: str, unit: int | None = None, apply: bool = True, **body: Any) -> Any:
    body = {"day": DAY, "instrument": "7/QĐ", **body}
    async with await api.signed_in("it", unit) as client:
        return await client.post(
            f"/api/v1/assets/A1/{what}", params={"apply": str(apply).lower()}, json=body
        )


async def statuses(database: Database) -> list[tuple[date, str, str | None]]:
    rows = await database.read(
        "SELECT valid_from, status, instrument FROM asset_status WHERE voided_at_ms IS NULL"
        " ORDER BY valid_from"
    )
    return [(as_date(r["valid_from"]), r["status"], r["instrument"]) for r in rows]


async def test_a_condition_changes_on_its_day_by_its_paper(api: Api) -> None:
    await api.write(make_office())

    dry = await say(api, "status", apply=False, status="broken")
    assert (dry.json()["before"], dry.json()["applied"]) == ({"status": "in_use"}, False)
    assert len(await statuses(api.services.db)) == 1
    done = await say(api, "status", status="broken")

    assert done.json()["applied"] is True
    assert await statuses(api.services.db) == [
        (FAR_BACK, "in_use", None),
        (date(2026, 3, 2), "broken", "7/QĐ"),
    ]
    async with await api.signed_in("auditor") as client:
        then = await client.get("/api/v1/assets/A1", params={"as_of": "2026-03-01"})
        now = await client.get("/api/v1/assets/A1")
        log = (await client.get("/api/v1/audit")).json()["items"]
    assert (then.json()["status"], now.json()["status"]) == ("in_use", "broken")
    assert [entry["act"] for entry in log if entry["act"].startswith("asset.")] == ["asset.status"]


async def test_only_what_awaits_disposal_is_disposed_of(api: Api) -> None:
    await api.write(make_office())

    early = await say(api, "status", status="disposed")
    await say(api, "status", status="awaiting_disposal", instrument="8/QĐ")
    late = await say(api, "status", status="disposed", day="2026-03-05", instrument="9/QĐ")
    twice = await say(api, "status", status="disposed", day="2026-03-06")
    waiting = [status for _, status, _ in await statuses(api.services.db)]
    async with api.client(await api.token("admin", kind="session")) as chief:
        listed = (await chief.get("/api/v1/approvals")).json()["items"]
        yes = await chief.post(f"/api/v1/approvals/{late.json()['approval']}/yes", json={})
    again = await say(api, "status", status="disposed", day="2026-03-06")

    codes = [answer.status_code for answer in (early, late, twice, yes, again)]
    assert codes == [422, 200, 409, 200, 422]
    assert [row["about"] for row in listed] == ["A1 Asset 1"], (
        "who approves reads what is disposed of"
    )
    assert (yes.json()["about"], late.json()["applied"]) == ("A1 Asset 1", False)
    assert waiting == ["in_use", "awaiting_disposal"]
    assert [status for _, status, _ in await statuses(api.services.db)] == [
        "in_use",
        "awaiting_disposal",
        "disposed",
    ]


@pytest.mark.parametrize(
    "body",
    [{"status": "eaten"}, {"status": "broken", "day": "2026-04-01"}, {"status": "broken", "instrument": " "}],
)  # fmt: skip
async def test_a_condition_nobody_can_be_in_is_refused(api: Api, body: dict[str, Any]) -> None:
    await api.write(make_office())

    assert (await say(api, "status", **body)).status_code == 400


async def test_another_units_officer_changes_nothing(api: Api) -> None:
    await api.write(make_office())

    answers = [
        await say(api, "status", unit=2, status="broken"),
        await say(api, "facts", unit=2, price_dong=1),
    ]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert len(await statuses(api.services.db)) == 1


async def wear(database: Database, year: int, known_ms: int) -> tuple[int | None, int | None]:
    question = WearQuestion(year, date(year, 12, 31), known_ms)
    async with database.reading() as session:
        (row,) = await load(session, question)
    return row.price_dong, row.charged_dong


async def test_a_corrected_price_moves_no_year_whose_books_are_closed(
    api: Api, dialect: str
) -> None:
    """Corrected from its first day on: years closed since this installation began stay as they were."""
    office = make_office()
    await api.write(office)
    db = api.services.db
    async with db.transaction() as session:
        await session.execute("UPDATE installation SET created_at_ms = :at", at=1)
    closed = [await wear(db, year, MOMENT_MS) for year in (2024, 2025)]

    answer = await say(api, "facts", day="2024-03-01", price_dong=12_000_000)

    assert answer.json()["before"] == {"price_dong": 18_900_000}
    assert [await wear(db, year, MOMENT_MS + 1) for year in (2024, 2025)] == closed
    far = int(datetime(2027, 6, 1, tzinfo=UTC).timestamp() * 1000)
    assert (await wear(db, 2026, far))[0] == 12_000_000
    assert (await wear(db, 2026, MOMENT_MS - 1))[0] == 18_900_000, "as it was known then"


async def test_a_borrowed_thing_has_a_lender_and_a_day_to_give_it_back(api: Api) -> None:
    await api.write(make_office())

    nameless = await say(api, "facts", ownership="borrowed")
    lent = await say(
        api, "facts", ownership="borrowed", owner_name="Sở TT&TT", return_on="2026-12-31"
    )
    back = await say(
        api, "facts", day="2026-03-09", ownership="owned", owner_name=None, return_on=None
    )

    assert (nameless.status_code, lent.status_code, back.status_code) == (400, 200, 200)
    async with await api.signed_in("auditor") as client:
        then = (await client.get("/api/v1/assets/A1", params={"as_of": DAY})).json()
        now = (await client.get("/api/v1/assets/A1")).json()
    assert (then["ownership"], then["owner"], then["return_on"]) == (
        "borrowed",
        "Sở TT&TT",
        "2026-12-31",
    )
    assert (now["ownership"], now["owner"], now["return_on"]) == ("owned", None, None)


async def test_codes_and_stickers_stay_one_assets(api: Api) -> None:
    office = make_office()
    office.add_pc(1, tag="TEM-2")
    await api.write(office)

    answers = [
        await say(api, "facts", code="A2"),
        await say(api, "facts", tag="TEM-2"),
        await say(api, "facts", mac="02:00:00:00:00:01"),
        await say(api, "facts", tag="TEM-1", mac="00:1B:21:AA:BB:CC"),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 400, 200]


async def test_a_seen_pc_is_booked_as_a_draft_that_counts_nowhere(api: Api) -> None:
    office = make_office()
    source = office.add_source(1, heard_ms=MOMENT_MS)
    system = {"manufacturer": "Dell", "product": "Latitude 5420", "serial": "5CG1234XYZ"}
    office.add_section(source, "system", [system], MOMENT_MS)
    office.add_section(source, "chassis", [{"type": "Notebook"}], MOMENT_MS)
    machine = office.add("machine", created_at_ms=MOMENT_MS)
    office.add_stay(machine, source)
    await api.write(office)
    async with api.services.db.reading() as session:
        before = await recount(session, TUESDAY, MOMENT_MS + 10)

    async with await api.signed_in("it", 1) as client:
        made = await client.post("/api/v1/assets", json={"machine": "pc-1"})
        twice = await client.post("/api/v1/assets", json={"machine": "pc-1"})
        asset = (await client.get("/api/v1/assets/NHAP-1")).json()
    async with await api.signed_in("it", 2) as client:
        foreign = await client.post("/api/v1/assets", json={"machine": "pc-1"})
    async with api.services.db.reading() as session:
        after = await recount(session, TUESDAY, MOMENT_MS + 10)

    assert (made.status_code, twice.status_code, foreign.status_code) == (201, 422, 404)
    assert (asset["kind"], asset["serial"], asset["ownership"]) == (
        "laptop",
        "5CG1234XYZ",
        "unproven",
    )
    assert asset["machine"]["id"] == machine
    assert after == before


async def test_what_was_on_the_book_before_is_said_to_have_been_so_ever_since(
    database: Database, dialect: str
) -> None:
    """The migration's own statement, on a filled book: both databases take it."""
    office = make_office()
    office.add_installation()
    await office.write_to(database)
    statement = import_module("kiemke.server.migrations.0002_custody")._FACTS

    async with database.transaction() as session:
        await session.execute(statement)
    (row,) = await database.read("SELECT * FROM asset_fact")

    assert (row["price_dong"], as_date(row["in_use_since"])) == (18_900_000, date(2024, 3, 1))
    assert as_date(row["valid_from"]) == date(1900, 1, 1)


async def test_an_asset_tells_its_history_with_every_paper(api: Api) -> None:
    """Condition and name said later for earlier days stand between; what was corrected is marked."""
    await api.write(make_office())
    for day, status in (
        ("2026-02-01", "broken"),
        ("2026-03-05", "in_use"),
        ("2026-02-10", "under_repair"),
    ):
        await say(api, "status", day=day, status=status, instrument=f"QĐ {status}")
    await say(api, "facts", day="2026-03-01", name="Máy mới")

    async with await api.signed_in("auditor") as client:
        told = (await client.get("/api/v1/assets/A1/history")).json()

    standing = [row for row in told["statuses"] if not row["voided"]]
    assert [
        (row["valid_from"], row["valid_to"], row["says"]["status"]) for row in standing[1:]
    ] == [
        ("2026-02-01", "2026-02-10", "broken"),
        ("2026-02-10", "2026-03-05", "under_repair"),
        ("2026-03-05", None, "in_use"),
    ]
    assert standing[2]["instrument"] == "QĐ under_repair"
    assert any(row["voided"] for row in told["statuses"])
    assert [row["says"]["name"] for row in told["facts"] if not row["voided"]][-1] == "Máy mới"
    assert told["custodies"][0]["says"]["official"]["code"] == "P1"


async def test_who_receives_a_thing_reads_nothing_of_what_was_before(api: Api) -> None:
    await api.write(make_office())
    await say(api, "status", day="2026-02-01", status="broken")
    await say(api, "status", day="2026-02-20", status="in_use")
    async with await api.signed_in("it") as client:
        answer = await client.post(
            "/api/v1/handovers?apply=true",
            json={
                "giver": {"official": "P1"},
                "receiver": {"unit": "U2"},
                "day": "2026-03-01",
                "instrument": "9/BB",
            },
        )
    async with await api.signed_in("auditor", 2) as receiver:
        told = (await receiver.get("/api/v1/assets/A1/history")).json()

    assert answer.status_code == 200, answer.text
    assert [row["says"]["unit"]["code"] for row in told["custodies"]] == ["U2"]
    assert {row["says"]["status"] for row in told["statuses"]} == {"in_use"}
