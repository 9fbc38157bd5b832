"""Machines and assets: candidates with reasons, decisions that can be undone without a trace."""

import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database, Session
from kiemke.server.domain import match_decide
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.identity_now import Resolver
from kiemke.server.domain.match import BookedAsset, SeenMachine, best, decides
from tests.support.api import Api, running_api
from tests.support.office import MOMENT_MS, TUESDAY, Office


def seen(**fields: Any) -> SeenMachine:
    none: frozenset[Any] = frozenset()
    plain: dict[str, Any] = {
        "id": 1, "labels": none, "hostnames": none, "unit_ids": none, "serials": none,
        "macs": none, "tags": none, "kind": None, "model": None, "official_ids": none,
    }  # fmt: skip
    return SeenMachine(**{**plain, **fields})


def booked(id_: int = 1, **fields: Any) -> BookedAsset:
    plain: dict[str, Any] = {
        "id": id_, "code": f"PC-{id_}", "tag": None, "kind": "desktop", "model": None,
        "serial": None, "mac": None, "unit_ids": frozenset(), "official_ids": frozenset(),
    }  # fmt: skip
    return BookedAsset(**{**plain, **fields})


def test_a_serial_settles_it_and_another_serial_speaks_against_it() -> None:
    machine = seen(serials=frozenset({"AB12"}), unit_ids=frozenset({1}))

    found = best(
        machine,
        [
            booked(1, serial="XY99", unit_ids=frozenset({1})),
            booked(2, serial="AB12", unit_ids=frozenset({1})),
            booked(3, unit_ids=frozenset({1})),
        ],
    )

    assert [(c.asset_id, c.level) for c in found] == [(2, "sure"), (3, "possible")]
    assert decides(found[0]) == "serial"
    assert decides(found[1]) is None


def test_what_was_said_at_the_installation_proposes_and_never_decides() -> None:
    """A word about a PC is no custody: a person has to accept it."""
    machine = seen(
        claimed_tags=frozenset({"tem42"}),
        claimed_official_ids=frozenset({7}),
        unit_ids=frozenset({1}),
    )
    asset = booked(2, tag="TEM-42", official_ids=frozenset({7}), unit_ids=frozenset({1}))
    (found,) = best(machine, [asset])

    assert {(r.code, r.points) for r in found.reasons} == {
        ("claimed_tag", 40), ("claimed_holder", 25), ("unit", 15),
    }  # fmt: skip
    assert (found.level, decides(found)) == ("likely", None)


def test_a_firmware_tag_settles_it_unless_something_speaks_against_it() -> None:
    plain = seen(tags=frozenset({"tem42"}), kind="desktop")
    other = seen(tags=frozenset({"tem42"}), kind="laptop")

    assert [decides(c) for c in best(plain, [booked(tag="TEM-42")])] == ["tag"]
    assert [decides(c) for c in best(other, [booked(tag="TEM-42")])] == [None]


def test_three_candidates_at_most_and_none_for_its_kind_alone() -> None:
    machine = seen(unit_ids=frozenset({1}), kind="desktop", model="Dell OptiPlex 3080")

    found = best(machine, [booked(n, unit_ids=frozenset({1})) for n in range(1, 9)])
    nothing = best(machine, [booked(9, unit_ids=frozenset({2}), model="Dell OptiPlex 3080")])

    assert [c.asset_id for c in found] == [1, 2, 3]
    assert nothing == []


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


def add_machine(office: Office, unit: int, state: str = "approved", **chassis: Any) -> int:
    """Queue a machine of one source, number and source number alike."""
    source = office.add_source(unit, state=state, heard_ms=MOMENT_MS)
    if chassis:
        office.add_section(source, "chassis", [chassis], MOMENT_MS)
    machine = office.add("machine", created_at_ms=MOMENT_MS)
    office.add_stay(machine, source)
    return machine


async def test_who_sits_at_a_machine_proposes_what_that_person_holds(api: Api) -> None:
    """A PC of unit 1, reporting from unit 2's token, with its holder at the keyboard."""
    office = Office()
    office.add_unit()
    office.add_unit()
    person = office.add_official(1, account="An.Nguyen")
    office.add_pc(1, person)
    office.add_pc(1)
    add_machine(office, 2)
    office.add_presence(1, TUESDAY, account="an.nguyen")
    await api.write(office)

    async with await api.signed_in("it") as client:
        answer = await client.get("/api/v1/matches/unmatched")
    (item,) = answer.json()["items"]

    (candidate,) = item["candidates"]
    assert (item["machine"]["hostname"], candidate["asset"]["code"]) == ("pc-1", "A1")
    assert [(r["code"], r["value"]) for r in candidate["reasons"]] == [("account", "Person 1")]


async def test_an_account_that_a_rule_calls_nobody_proposes_nothing(api: Api) -> None:
    office = Office()
    office.add_unit()
    office.add_pc(1, office.add_official(1, account="ketoan"))
    office.add_unit()
    add_machine(office, 2)
    office.add_presence(1, TUESDAY, account="ketoan")
    office.add_dated(
        "rule", name="accounts_of_nobody", subject="", value_json='["KeToan"]', source_text=None
    )
    await api.write(office)

    async with await api.signed_in("it") as client:
        (item,) = (await client.get("/api/v1/matches/unmatched")).json()["items"]

    assert item["candidates"] == []


async def test_nothing_outside_the_users_units_is_proposed_or_taken(api: Api) -> None:
    office = Office()
    office.add_unit(name="one")
    office.add_unit(name="canary")
    office.add_pc(2, tag="TEM-1", serial="CANARY-7", serial_key="CANARY7")
    add_machine(office, 1, asset_tag="TEM-1", serial="CANARY-7")
    await api.write(office)

    async with await api.signed_in("it", 1) as client:
        listed = await client.get("/api/v1/matches/unmatched")
        taken = await client.post("/api/v1/matches", json={"machine": "1", "asset": "A1"})

    assert listed.json()["items"][0]["candidates"] == []
    assert "A1" not in listed.text
    assert taken.status_code == 404


async def dump(session: Session) -> list[Any]:
    """Return all that a match may touch, as it is now."""
    found: list[Any] = []
    for sql in (
        "SELECT asset_id, machine_id, decided_by, evidence_json, valid_from FROM asset_match"
        " WHERE voided_at_ms IS NULL ORDER BY asset_id",
        "SELECT id, state, approved_at_ms, approved_by FROM source ORDER BY id",
        "SELECT asset_id, machine_id FROM match_refusal WHERE voided_at_ms IS NULL"
        " ORDER BY asset_id",
        "SELECT id, code, kind FROM asset ORDER BY id",
    ):
        found.append(await session.fetch(sql))
    return found


async def test_undoing_restores_all_that_was_whatever_was_decided(database: Database) -> None:
    """Random decisions, undone in the order they were made or against it."""
    chance, stamp = random.Random(7), By("an", MOMENT_MS)
    office = Office()
    office.add_installation()
    office.add_unit()
    for _ in range(6):
        office.add_pc(1)
        add_machine(office, 1, state="pending")
    await office.write_to(database)
    async with database.transaction() as session:
        before = await dump(session)
        for _ in range(10):
            assets, machines = (chance.sample(range(1, 7), 4) for _ in range(2))
            made = []
            for asset, machine in zip(assets, machines, strict=True):
                made.append(
                    await match_decide.accept(
                        session, asset, machine, {}, match_decide.PERSON, TUESDAY, stamp
                    )
                )
            assert await dump(session) != before
            chance.shuffle(made)
            for number in made:
                row = await session.one("SELECT * FROM asset_match WHERE id = :id", id=number)
                assert row is not None
                await match_decide.undo(session, row, stamp)

            assert await dump(session) == before


async def test_a_match_by_serial_that_is_undone_is_not_made_again(database: Database) -> None:
    """The source it approved waits again; a person may still decide what evidence must not."""
    office = Office()
    office.add_installation()
    office.add_unit()
    asset = office.add_pc(1, serial_key="AB12CD3")
    source = office.add_source(1, state="pending", heard_ms=MOMENT_MS)
    office.add_section(source, "system", [{"serial": "AB12CD3"}], MOMENT_MS)
    await office.write_to(database)
    resolver = Resolver(database)
    await resolver.run(MOMENT_MS)
    stamp = By("an", MOMENT_MS + 1)

    async with database.transaction() as session:
        row = await session.one("SELECT * FROM asset_match")
        assert row is not None
        approved = await session.one("SELECT state FROM source")
        await match_decide.undo(session, row, stamp)
    await Resolver(database).run(MOMENT_MS + 2)
    states = await database.read("SELECT state FROM source")
    open_rows = await database.read("SELECT id FROM asset_match WHERE voided_at_ms IS NULL")
    async with database.transaction() as session:
        await match_decide.accept(
            session, asset, row["machine_id"], {}, match_decide.PERSON, TUESDAY, stamp
        )
        refusals = await session.fetch("SELECT id FROM match_refusal WHERE voided_at_ms IS NULL")

    assert approved == {"state": "approved"}
    assert [row["state"] for row in states] == ["pending"]
    assert open_rows == []
    assert refusals == []


async def nothing(session: Session) -> None:
    """Guard nothing."""


async def test_what_names_one_asset_is_matched_by_itself_and_what_names_two_is_not(
    database: Database,
) -> None:
    office = Office()
    office.add_installation()
    office.add_unit()
    office.add_pc(1, tag="TEM-0001")
    office.add_pc(1, tag="TEM-0002")
    office.add_pc(1, mac_key="001B21AABBCC")
    add_machine(office, 1, asset_tag="TEM 0001")
    add_machine(office, 1, asset_tag="TEM-0001")  # two say they are TEM-0001
    add_machine(office, 1, asset_tag="TEM-0002")
    source = office.add_source(1, heard_ms=MOMENT_MS)
    adapter = {"kind": "ethernet", "permanent_mac": "00:1b:21:aa:bb:cc"}
    office.add_section(source, "adapters", [adapter], MOMENT_MS)
    office.add("machine", created_at_ms=MOMENT_MS)
    office.add_stay(4, source)
    office.add_section(3, "system", [{"serial": "SER-3"}], MOMENT_MS)
    await office.write_to(database)

    made = await match_decide.run(database, MOMENT_MS, nothing)
    again = await match_decide.run(database, MOMENT_MS, nothing)
    rows = await database.read(
        "SELECT asset_id, machine_id, decided_by FROM asset_match ORDER BY asset_id"
    )

    assert (made, again) == (2, 0)
    assert [tuple(row.values()) for row in rows] == [(2, 3, "tag"), (3, 4, "mac")]


async def test_a_side_that_is_matched_takes_no_other(api: Api) -> None:
    office = Office()
    office.add_unit()
    office.add_pc(1)
    office.add_pc(1)
    add_machine(office, 1)
    add_machine(office, 1)
    await api.write(office)

    async with await api.signed_in("it", 1) as client:
        made = await client.post("/api/v1/matches", json={"machine": "pc-1", "asset": "A1"})
        again = await client.post("/api/v1/matches", json={"machine": "pc-1", "asset": "A2"})
        other = await client.post("/api/v1/matches", json={"machine": "pc-2", "asset": "A1"})
        number = made.json()["id"]
        undone = await client.delete(f"/api/v1/matches/{number}")
        twice = await client.delete(f"/api/v1/matches/{number}")
        log = (await client.get("/api/v1/matches")).json()["items"]

    assert [a.status_code for a in (made, again, other, undone, twice)] == [201, 422, 422, 204, 404]
    assert log == []
