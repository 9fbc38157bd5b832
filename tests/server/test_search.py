"""Search over everything: what finds a thing, who may find it, and that its words follow every write."""

import random
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain import search_blocks, search_find, search_index
from kiemke.server.domain.search_words import Value, ask, is_found, words_of
from kiemke.server.domain.text import person_sort_key, search_key
from tests.support.api import Api, running_api
from tests.support.office import MOMENT_MS, Office

RENAMED = date(2025, 7, 1)
PEOPLE = ("Nguyễn Văn Đạt", "Trần Thị Hoà", "Lê Thị Ánh", "Phạm Văn An", "Đỗ Thị An")


def named(office: Office, unit: int, name: str, **columns: Any) -> int:
    """Queue an official of a name, with these columns."""
    official = office.add_official(unit)
    person = {"name": name, "search_key": search_key(name), "sort_key": person_sort_key(name)}
    office.waiting["official"][-1].update(person | columns)
    return official


def make_office() -> Office:
    """Two communes below a district; one was renamed; people, PCs, a device and a line in the first."""
    office = Office()
    root = office.add_unit(None, "Huyện Thanh Giang")
    first = office.add_unit(root, "Xã Tiên Thắng", valid_to=RENAMED)
    office.add_unit_version(first, root, "Xã Đồng Đăng", valid_from=RENAMED)
    second = office.add_unit(root, "Phường Yên Hà")
    office.add_unit(first, "Thị trấn Cũ", valid_to=RENAMED)
    for name in PEOPLE:
        named(office, first, name)
    dat = office.ids["official"] - 4
    office.waiting["official"][dat - 1].update(phone="0912 345 678", mailbox="dat.nv@example.vn")
    office.add_dated(
        "official_version", official_id=dat, name="Nguyễn Văn Tèo", valid_to=RENAMED,
        family_name=None, middle_name=None, given_name=None, phone=None, mailbox=None, account=None,
    )  # fmt: skip
    named(office, second, "Nguyễn Văn Đạt")
    pc = office.add_pc(
        first, dat, code="TS-2024-0017", tag="HC/0456", serial="5CG1234XYZ", name="Máy tính để bàn",
        manufacturer="HP", model="ProDesk 400 G6", mac_key="001a2b3c4d5e",
    )  # fmt: skip
    source = office.add_source(first)
    office.waiting["source"][-1].update(hostname="TD-KT-01", public_id="src0001")
    office.add_section(source, "system", [{"serial": "5CG1234XYZ"}], MOMENT_MS)
    adapters = [{"name": "e", "permanent_mac": "00:1A:2B:3C:4D:5E", "addresses": ["10.20.3.45/24"]}]
    office.add_section(source, "adapters", adapters, MOMENT_MS)
    office.add_match(pc, source)
    office.add(
        "device", code="SW-01", name="Bộ chia tầng 2", search_key="", kind="switch", unit_id=first,
        asset_id=None, collector_id=None, address="10.20.3.2", port=161, credential=None,
        created_at_ms=0, retired_at_ms=None,
    )  # fmt: skip
    link = office.add("link", code="L1", created_at_ms=0)
    office.add_dated(
        "link_version", link_id=link, name="Cáp quang trụ sở", unit_id=first, kind="internet",
        provider="VNPT", contract_number="HĐ-77/2025", price_dong=None, payer=None,
        down_bits_per_second=None, up_bits_per_second=None, device_id=None, interface_name=None,
    )  # fmt: skip
    place = office.add("place", created_at_ms=0)
    office.add_dated(
        "place_version", place_id=place, unit_id=first, code="MC1", name="Bộ phận Một cửa",
        kind="one_stop_desk", sort_key="1", search_key="",
    )  # fmt: skip
    return office


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def find(
    api: Api, text: str, role: str = "admin", unit_id: int | None = None, **more: Any
) -> Any:
    async with await api.signed_in(role, unit_id) as client:
        answer = await client.get("/api/v1/search", params={"q": text, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def refs(api: Api, text: str, *who: Any, **more: Any) -> list[str]:
    return [f"{i['kind']} {i['ref']}" for i in (await find(api, text, *who, **more))["items"]]


async def test_every_kind_is_found_by_its_name_and_numbers(api: Api) -> None:
    wanted = {
        "dong dang": ["unit U2"],
        "nguyen dat": ["official P1", "official P6"],
        "DAT nguyễn": ["official P1", "official P6"],
        "thị hòa": ["official P2"],
        "0912345678": ["official P1"],
        "+84 912 345 678": ["official P1"],
        "345678": ["official P1"],
        "dat.nv@example.vn": ["official P1"],
        "2024 17": [],
        "0017": ["asset TS-2024-0017"],
        "hc0456": ["asset TS-2024-0017"],
        "prodesk hp": ["asset TS-2024-0017"],
        "1234XYZ": ["asset TS-2024-0017", "machine 1"],
        "g123": ["asset TS-2024-0017", "machine 1"],
        "00-1a-2b-3c-4d-5e": ["asset TS-2024-0017", "machine 1"],
        "001a.2b3c.4d5e": ["asset TS-2024-0017", "machine 1"],
        "3c4d5e": ["asset TS-2024-0017", "machine 1"],
        "td-kt": ["machine 1"],
        "10.20.3": ["machine 1", "device SW-01"],
        "20.3.45": ["machine 1"],
        "bo chia": ["device SW-01"],
        "77/2025": ["link L1"],
        "vnpt": ["link L1"],
        "mot cua": ["place MC1"],
        "src0001": ["machine 1"],
    }  # fmt: skip

    found = {text: await refs(api, text) for text in wanted}

    assert found == wanted


async def test_a_piece_of_a_number_finds_what_is_in_the_asker_s_units_alone(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sees few units reads these units' words, who sees many the country's packed numbers."""
    first, second = 2, 3
    few = [await refs(api, "g123", "it", unit) for unit in (first, second)]
    monkeypatch.setattr(search_find, "FEW_UNITS", 0)
    many = [await refs(api, "g123", "it", unit) for unit in (first, second)]

    assert few == many == [["asset TS-2024-0017", "machine 1"], []]


async def test_people_stand_by_given_name_then_family_name(api: Api) -> None:
    found = await find(api, "thi", kind="official")

    assert [item["name"] for item in found["items"]] == ["Đỗ Thị An", "Lê Thị Ánh", "Trần Thị Hoà"]
    assert found["counts"] == [{"kind": "official", "found": 3, "more": False}]


async def test_a_hit_says_what_was_found_where_and_what_to_type(api: Api) -> None:
    hit = (await find(api, "0456"))["items"][0]

    assert hit["matched"] == [{"what": "tag", "value": "HC/0456", "until": None}]
    assert hit["unit"] == {"code": "U2", "name": "Xã Đồng Đăng"}
    assert hit["next"] == "kiemke asset show TS-2024-0017"


async def test_a_former_name_finds_and_is_told_as_such(api: Api) -> None:
    unit = (await find(api, "tien thang"))["items"]
    person = (await find(api, "teo"))["items"]
    then = (await find(api, "tien thang", as_of="2025-06-30"))["items"]

    assert [(i["ref"], i["name"]) for i in unit] == [("U2", "Xã Đồng Đăng")]
    assert unit[0]["matched"] == [{"what": "name", "value": "Xã Tiên Thắng", "until": "2025-07-01"}]
    assert [m["until"] for i in person for m in i["matched"]] == ["2025-07-01"]
    assert (then[0]["name"], then[0]["matched"][0]["until"]) == ("Xã Tiên Thắng", None)


async def test_a_unit_that_is_no_more_is_found_by_those_whose_it_was(api: Api) -> None:
    mine = await find(api, "thi tran cu", "viewer", 2)
    hit = mine["items"][0]

    assert (hit["ref"], hit["unit"]) == ("U4", None)
    assert hit["matched"] == [{"what": "name", "value": "Thị trấn Cũ", "until": "2025-07-01"}]
    assert hit["next"] == "kiemke unit show U4 --as-of 2025-06-30"
    assert mine["counts"] == [{"kind": "unit", "found": 1, "more": False}]
    assert await refs(api, "thi tran cu") == ["unit U4"]
    assert await refs(api, "thi tran cu", "viewer", 3) == []
    assert (await find(api, "tran cu", as_of="2025-06-30"))["items"][0]["matched"][0][
        "until"
    ] is None


async def test_nobody_finds_what_lies_outside_his_units_or_role(api: Api) -> None:
    assert await refs(api, "dat", "it", 3) == ["official P6"]
    assert (await find(api, "1234xyz", "it", 3)) == {"items": [], "counts": [], "behind": False}
    assert await refs(api, "5cg", "auditor", 2) == ["asset TS-2024-0017", "machine 1"]
    assert await refs(api, "dat", "viewer", 1) == []
    assert await refs(api, "thanh giang", "viewer", 3) == []
    assert await refs(api, "dat", unit="U3") == ["official P6"]
    async with await api.signed_in("it", 3) as client:
        outside = await client.get("/api/v1/search", params={"q": "dat", "unit": "U2"})
    assert outside.status_code == 404


async def test_a_question_without_letters_or_digits_is_refused(api: Api) -> None:
    async with await api.signed_in("viewer") as client:
        codes = [
            (await client.get("/api/v1/search", params=params)).status_code
            for params in ({"q": " -% "}, {"q": "x" * 300}, {"q": "a", "kind": "x"})
        ]

    assert codes == [400, 400, 400]


async def test_what_was_written_a_moment_ago_is_found_and_what_went_is_not(api: Api) -> None:
    before = await refs(api, "nam bac")
    async with api.services.db.transaction() as session:
        await session.execute("UPDATE device SET name = 'Nam Bắc' WHERE code = 'SW-01'")
    after, old = await refs(api, "nam bac"), await refs(api, "bo chia")

    assert (before, after, old) == ([], ["device SW-01"], [])


async def words(db: Database) -> list[tuple[Any, ...]]:
    rows = await db.read("SELECT kind, word, subject_id, unit_id FROM search_word")
    blocks = await db.read("SELECT kind, words, block, 0 AS unit_id FROM search_block")
    return sorted(tuple(row.values()) for row in (*rows, *blocks))


async def test_words_after_any_history_are_those_of_a_rebuild(database: Database) -> None:
    """Rows are changed, ended, voided and taken away at random, in turns with catching up."""
    office, chance = make_office(), random.Random(7)
    await office.write_to(database)
    changes = (
        "UPDATE unit_version SET name = :text WHERE id = :id",
        "UPDATE official SET name = :text, phone = :text WHERE id = :id",
        "UPDATE official_version SET voided_at_ms = 1 WHERE id = :id",
        "UPDATE membership SET unit_id = 3 WHERE id = :id",
        "UPDATE custody SET unit_id = 1 WHERE id = :id",
        "DELETE FROM custody WHERE id = :id",
        "UPDATE asset SET serial = :text, tag = NULL WHERE id = :id",
        "UPDATE source SET hostname = :text WHERE id = :id",
        "UPDATE source SET state = :text WHERE id = :id",
        'UPDATE source_section SET rows_json = \'[{"serial": "NEW"}]\' WHERE id = :id',
        "DELETE FROM source_section WHERE id = :id",
        "UPDATE link_version SET provider = :text WHERE id = :id",
        "DELETE FROM place_version WHERE id = :id",
        "UPDATE device SET address = '192.0.2.1' WHERE id = :id",
    )
    for _ in range(60):
        act = chance.choice(changes)
        text = {"text": f"Tên {chance.randrange(9)}"} if ":text" in act else {}
        async with database.transaction() as session:
            await session.execute(act, id=chance.randint(1, 4), **text)
        if chance.random() < 0.3:
            await search_index.catch_up(database, chance.randint(1, 40))
    await search_index.run(database)
    followed = await words(database)
    async with database.transaction() as session:
        await search_index.make_all_due(session)
    await search_index.run(database)

    assert followed == await words(database)
    assert len(followed) > 100
    assert await database.read("SELECT id FROM search_due") == []


async def test_a_report_that_repeats_itself_asks_for_no_work(database: Database) -> None:
    office = make_office()
    await office.write_to(database)
    await search_index.run(database)
    async with database.transaction() as session:
        await session.execute("UPDATE source SET hostname = hostname, state_reason = 'x'")
        await session.execute("UPDATE source_section SET observed_at_ms = 5")
        await session.execute("UPDATE interface_now SET read_at_ms = 5")

    assert await database.read("SELECT kind, subject_id FROM search_due") == []


def test_a_block_gives_back_what_it_was_given() -> None:
    lines = {0: "~321", 15: "~cba~54321"}
    text = search_blocks.pack(lines)

    assert text == "\nAA~321\nAP~cba~54321"
    assert search_blocks.unpack(text) == lines
    assert search_blocks.matches(3, text, "432") == [63]
    assert search_blocks.matches(3, text, "32") == [48, 63]


def test_the_database_and_the_explanation_go_by_the_same_words() -> None:
    name = Value("name", "Trung tâm Phục vụ hành chính công", "name")
    number = Value("serial", "PF-3X 0012", "number")

    assert words_of(number) == ["pf3x0012", "~2100x3fp", "3x0012", "x0012", "0012"]
    questions = ("phuc vu", "cong trung", "3x", "12", "x00", "0012", "f3x0", "bac", "2x")
    told = {q: [v.what for v in (name, number) if is_found(ask(q), v)] for q in questions}  # type: ignore[arg-type]
    assert told == {
        "phuc vu": ["name"], "cong trung": ["name"], "3x": ["serial"], "12": [], "x00": ["serial"],
        "0012": ["serial"], "f3x0": ["serial"], "bac": [], "2x": [],
    }  # fmt: skip
