"""Names, stickers and accounts as they were on the day asked about, wherever a list of that day shows them."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.officials import Act, Stamp, perform
from kiemke.server.domain.reconcile import Question, read_all
from tests.support.api import Api, running_api
from tests.support.imports import load, load_district
from tests.support.office import MOMENT_MS, TUESDAY, Office

DAY, EVE = date(2026, 3, 2), "2026-03-01"
MONDAY = TUESDAY - timedelta(days=1)


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


async def test_lists_and_exports_of_a_day_call_things_and_people_what_they_were_called(
    api: Api,
) -> None:
    office = Office()
    unit = office.add_unit()
    office.add_verified_pc(unit, office.add_official(unit))
    await api.write(office)
    paper = {"day": DAY.isoformat(), "instrument": "7/QĐ"}
    before_ms = api.clock()
    api.clock.now_ms += 60_000
    async with await api.signed_in("it") as client:
        for path, body in (
            ("/assets/A1/facts", {"name": "Máy mới đặt tên", "tag": "TEM-9"}),
            ("/officials/P1/acts", {"act": "change", "name": "Lê Thị Ơn"}),
        ):
            answer = await client.post(f"/api/v1{path}?apply=true", json=body | paper)
            assert answer.status_code == 200, answer.text

        async def shown(**asked: Any) -> set[tuple[str | None, ...]]:
            """Return (asset, sticker, person) as every list tells them; all must tell the same."""

            async def get(path: str) -> Any:
                answer = await client.get(f"/api/v1{path}", params=asked)
                assert answer.status_code == 200, answer.text
                return answer

            asset = (await get("/assets/A1")).json()
            machine = (await get("/machines")).json()["items"][0]
            match = (await get("/matches")).json()["items"][0]
            who = (await get("/coverage/who")).json()["items"][0]
            book = (await get("/exports/equipment.jsonl")).text
            tag = "TEM-9" if '"TEM-9"' in book else None
            for name in (machine["asset"]["name"], match["asset"]["name"], who["asset"]["name"]):
                assert name in book
                assert name == asset["name"]
            assert who["official"]["name"] == asset["official"]["name"]
            assert asset["official"]["name"] in book
            assert asset["tag"] == tag
            return {(asset["name"], tag, asset["official"]["name"])}

        old, new = ("Asset 1", None, "Person 1"), ("Máy mới đặt tên", "TEM-9", "Lê Thị Ơn")
        assert await shown(as_of=EVE) == {old}
        assert await shown() == {new}
        assert await shown(known_at=_rfc(before_ms)) == {old}
        found = (await client.get("/api/v1/assets", params={"q": "may moi"})).json()["total"]
    assert found == 1


def _rfc(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


async def test_a_file_that_renames_an_asset_leaves_its_earlier_name(database: Database) -> None:
    await load_district(database)
    await load(
        database, "assets",
        [["code", "kind", "name", "unit", "valid_from"],
         ["TS1", "PC", "Máy đổi tên", "TG-NV", "01/06/2025"]],
    )  # fmt: skip
    rows = await database.read(
        "SELECT f.name, f.tag, a.name AS own FROM asset_fact f JOIN asset a ON a.id = f.asset_id"
        " WHERE a.code = 'TS1' AND f.voided_at_ms IS NULL ORDER BY f.valid_from"
    )

    assert [tuple(row.values()) for row in rows] == [
        ("Máy Dell", "T1", "Máy đổi tên"),
        ("Máy đổi tên", "T1", "Máy đổi tên"),
    ]


async def test_an_account_given_to_another_later_moves_no_figure_of_before(
    database: Database,
) -> None:
    """Whose account sat at a PC is told by whose it was then: once of the holder, once of another."""
    office = Office()
    office.add_installation()
    unit = office.add_unit()
    other = office.add_official(unit, account="binh.tran")
    holder = office.add_official(unit, account="an.nguyen")
    used, own = office.add_source(unit), office.add_source(unit)
    office.add_match(office.add_pc(unit, holder), used)
    office.add_match(office.add_pc(unit, office.add_official(unit, account="chi.le")), own)
    for back in (1, 4, 5):
        office.add_presence(used, TUESDAY - timedelta(days=back), account="binh.tran")
        office.add_presence(own, TUESDAY - timedelta(days=back), account="chi.le")
    await office.write_to(database)

    async def figures(known_ms: int) -> tuple[Any, ...]:
        async with database.reading() as session:
            row = (await recount(session, MONDAY, known_ms))[0]
            seen = await read_all(session, Question(MONDAY, known_ms))
        people = [each.seen_person.code for each in seen if each.seen_person]
        return row.verified, row.contradicted, people

    before = await figures(MOMENT_MS)
    async with database.transaction() as session:
        stamp = Stamp("8/QĐ", "tester", MOMENT_MS + 1)
        for person, account in ((other, "khac"), (holder, "binh.tran"), (3, "le.chi")):
            act = Act("change", TUESDAY, {"account": account})
            await perform(session, person, act, stamp, TUESDAY)

    assert before == (1, 1, ["P1"])
    assert await figures(MOMENT_MS + 2) == before
