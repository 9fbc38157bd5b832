"""The book against what is seen: each kind of difference, its next command, its finding."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Session
from kiemke.server.domain import findings_now
from kiemke.server.domain.fit import read_setting
from kiemke.server.domain.match_now import Span, propose
from kiemke.server.domain.reconcile import Question, read, read_all
from tests.support.api import Api, running_api
from tests.support.office import FAR_BACK, MOMENT_MS, TUESDAY, Office

DAYS = [date(2026, 3, 4), date(2026, 3, 5), date(2026, 3, 6), date(2026, 3, 9)]


async def nothing(session: Session) -> None:
    """Guard nothing."""


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


def make_office() -> Office:
    """A root U1, a unit U2 with people P1 and P2, a unit U3 beside it; all is as booked."""
    office = Office()
    root = office.add_unit()
    office.add_unit(root, "Phòng Nội vụ")
    office.add_unit(root, "Phòng Tư pháp")
    office.add_official(2, account="An")
    office.add_official(3, account="binh")
    return office


def add_seen(office: Office, unit: int, asset: int | None, account: str = "an") -> int:
    """Queue a machine of one source in a unit, matched or not, heard and used by an account."""
    source = office.add_source(unit, heard_ms=MOMENT_MS)
    if asset is not None:
        machine = office.add_match(asset, source)
    else:
        machine = office.add("machine", created_at_ms=MOMENT_MS)
        office.add_stay(machine, source)
    for day in DAYS:
        office.add_presence(source, day, account=account)
    return machine


def add_device(office: Office, unit: int, asset: int | None = None, answered: bool = True) -> int:
    """Queue a switch that a collector of the unit watches."""
    number = office.ids["device"] + 1
    collector = office.add_source(unit, kind="collector", heard_ms=MOMENT_MS)
    device = office.add(
        "device", code=f"SW-{number}", name=f"Switch {number}", search_key="sw", kind="switch",
        unit_id=unit, asset_id=asset, collector_id=collector, address=f"192.0.2.{number}",
        port=161, credential=None, created_at_ms=MOMENT_MS, retired_at_ms=None,
    )  # fmt: skip
    office.add(
        "device_now", device_id=device, source_id=collector, outcome="ok" if answered else "timeout",
        polled_at_ms=MOMENT_MS, answered_at_ms=MOMENT_MS if answered else None,
        changed_at_ms=MOMENT_MS,
    )  # fmt: skip
    return device


async def ask(api: Api, unit: int | None = None, **query: Any) -> Any:
    async with await api.signed_in("auditor", unit) as client:
        answer = await client.get("/api/v1/reconcile", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_where_all_is_as_booked_nothing_is_told(api: Api) -> None:
    office = make_office()
    add_seen(office, 1, office.add_pc(2, 1))  # a token of the unit above admits its PC
    switch = office.add_asset("switch")
    office.add_custody(switch, 2)
    add_device(office, 2, switch)
    office.add_pc(2, 1, no_agent_reason="secret")
    office.add_pc(2, 1, status="in_stock")
    await api.write(office)

    assert await ask(api) == {"items": [], "total": 0, "counts": {
        kind: 0 for kind in ("elsewhere", "hardware", "holder_left", "never_seen", "not_booked",
                             "other_user", "overdue")
    }, "next": None}  # fmt: skip


async def test_each_kind_of_difference_with_the_next_command(api: Api) -> None:
    office = make_office()
    gone = office.add("official", **office._person("cu"))
    never = office.add_pc(2, 1)
    silent = office.add_asset("switch")
    office.add_custody(silent, 2)
    elsewhere = office.add_pc(2, 1)
    add_seen(office, 3, elsewhere)
    lent = office.add_pc(2, 1)
    add_seen(office, 2, lent, account="binh")
    kept = office.add_pc(2, gone)
    add_seen(office, 2, kept, account="admin")
    due = office.add_asset("printer")
    office.add_custody(due, 2)
    office.add_dated(
        "asset_fact", asset_id=due, price_dong=None, in_use_since=None, ownership="borrowed",
        owner_name="Sở", return_on=date(2026, 3, 1),
    )  # fmt: skip
    extra = add_seen(office, 2, None)
    add_device(office, 2)
    office.add(
        "hardware_change", source_id=2, section="memory", since_ms=1, seen_at_ms=MOMENT_MS - 5,
        before_json='[[8589934592, "M378", "A1"], [8589934592, "M378", "A2"]]',
        after_json='[[8589934592, "M378", "A1"]]',
    )  # fmt: skip
    await api.write(office)

    found = await ask(api)

    told = {
        (i["kind"], (i["asset"] or i["device"] or {"code": i["machine"]})["code"]): i
        for i in found["items"]
    }
    paper = "--day … --paper …"
    assert {key: item["next"] for key, item in told.items()} == {
        ("never_seen", f"A{never}"): "kiemke match --unit U2",
        ("never_seen", f"A{silent}"): "kiemke template devices",
        ("elsewhere", f"A{elsewhere}"): f"kiemke asset handover A{elsewhere} --from unit:U2 --to unit:U3 {paper}",
        ("other_user", f"A{lent}"): f"kiemke asset handover A{lent} --from official:P1 --to official:P2 {paper}",
        ("holder_left", f"A{kept}"): f"kiemke asset handover --from official:P3 --to unit:U2 {paper}",
        ("overdue", f"A{due}"): f"kiemke asset set A{due} --return-on … --date … --paper …",
        ("not_booked", extra): "kiemke match --unit U2",
        ("not_booked", "SW-1"): "kiemke match accept-device SW-1 …",
        ("hardware", f"A{lent}"): "kiemke reconcile settle 1 --paper …",
    }  # fmt: skip
    assert found["total"] == 9 == sum(found["counts"].values())
    assert told["hardware", f"A{lent}"]["gone"] == ["8 GiB M378 S/N A2"]
    assert told["other_user", f"A{lent}"]["days"] == 4
    assert told["elsewhere", f"A{elsewhere}"]["seen_unit"]["name"] == "Phòng Tư pháp"


async def test_a_thing_is_read_as_what_it_was_on_the_day_asked_for(api: Api) -> None:
    office = make_office()
    asset = office.add_pc(2, 1, kind="printer", no_agent_reason="secret", ownership="unproven")
    office.add_ownership(asset, "owned", kind="desktop", valid_to=DAYS[2])
    office.add_ownership(
        asset, "unproven", kind="printer", no_agent_reason="secret", valid_from=DAYS[2]
    )
    machine = add_seen(office, 2, None)
    await api.write(office)

    then, since = DAYS[1], DAYS[2]
    found = await ask(api, as_of=then.isoformat(), kind="never_seen", asset_kind="desktop")
    assert [(row["asset"]["code"], row["asset_kind"]) for row in found["items"]] == [
        ("A1", "desktop")
    ]
    for query in ({"as_of": then, "asset_kind": "printer"}, {"as_of": since}):
        assert (await ask(api, kind="never_seen", **query))["items"] == []
    async with api.services.db.reading() as session:
        proposed, printing = [], []
        for day in (then, since):
            span = Span(day, MOMENT_MS, FAR_BACK)
            (proposal,) = await propose(session, [machine], span, None)
            proposed.append([candidate.asset_id for candidate in proposal.candidates])
            printing.append((await read_setting(session, day, MOMENT_MS, {})).printing_units)
    assert proposed == [[asset], []]
    assert printing == [frozenset(), {2}]


async def test_two_days_at_a_colleagues_desk_are_no_difference(api: Api) -> None:
    office = make_office()
    asset = office.add_pc(2, 1)
    source = office.add_source(2, heard_ms=MOMENT_MS)
    office.add_match(asset, source)
    for day in (*DAYS[:2], date(2026, 3, 7), date(2026, 3, 8)):  # two of them a weekend
        office.add_presence(source, day, account="binh")
    await api.write(office)

    assert (await ask(api, kind="other_user"))["items"] == []


async def test_a_reader_learns_nothing_of_other_units(api: Api) -> None:
    office = make_office()
    add_seen(office, 3, office.add_pc(2, 1), account="binh")
    office.add_pc(3, 2, code="CANARY")
    switch = office.add_asset("switch")
    office.add_custody(switch, 2)
    add_device(office, 3, switch)  # what the other unit calls it is its own affair
    await api.write(office)

    async with await api.signed_in("auditor", 2) as client:
        answer = await client.get("/api/v1/reconcile")
    items = answer.json()["items"]

    assert {item["kind"] for item in items} == {"elsewhere", "other_user"}
    assert [item["kind"] for item in items].count("elsewhere") == 2
    for secret in ("CANARY", "Tư pháp", "U3", "Person 2", "P2", "SW-1", "Switch 1"):
        assert secret not in answer.text


async def test_pages_hold_every_difference_once(api: Api) -> None:
    office = make_office()
    for _ in range(7):
        office.add_pc(2, 1)
        add_seen(office, 3, None)
    await api.write(office)

    async with api.services.db.reading() as session:
        question = Question(TUESDAY, MOMENT_MS)
        whole = await read_all(session, question)
        pages, after = [], None
        while page := await read(session, question, (), 3, after):
            pages += page
            after = (page[-1].question, page[-1].key)
    seen: list[Any] = []
    cursor: dict[str, Any] | None = {}
    while cursor is not None:
        got = await ask(api, limit=3, **cursor)
        seen += got["items"]
        cursor = {"after": got["next"]} if got["next"] else None

    assert pages == whole
    assert len(seen) == len(whole) == 14
    assert len({(i["kind"], str(i["asset"]), i["machine"]) for i in seen}) == 14


async def test_findings_open_and_close_with_their_differences(api: Api) -> None:
    office = make_office()
    add_seen(office, 2, None)
    await api.write(office)
    db = api.services.db

    opened = await findings_now.run(db, MOMENT_MS, nothing)
    same = await findings_now.run(db, MOMENT_MS + 1, nothing)
    async with await api.signed_in("it") as client:
        listed = (await client.get("/api/v1/findings", params={"kind": "not_booked"})).json()
        other = (await client.get("/api/v1/findings", params={"kind": "elsewhere"})).json()
        await client.post("/api/v1/assets", json={"machine": "1"})
    closed = await findings_now.run(db, MOMENT_MS + 2, nothing)

    assert (opened, same, closed) == (1, 0, 1)
    assert [f["subject"] for f in listed["items"]] == ["machine:1"]
    assert listed["items"][0]["detail"] == "pc-1 · Phòng Nội vụ | kiemke match --unit U2"
    assert other["items"] == []
    assert await db.read("SELECT id FROM finding WHERE closed_at_ms IS NULL") == []


async def test_a_watched_device_becomes_an_asset_and_is_one_no_more(api: Api) -> None:
    office = make_office()
    switch = office.add_asset("switch")
    office.add_custody(switch, 2)
    add_device(office, 2)
    await api.write(office)

    before = await ask(api)
    async with await api.signed_in("it", 2) as client:
        made = await client.post("/api/v1/devices/SW-1/match", json={"asset": "A1"})
        twice = await client.post("/api/v1/devices/SW-1/match", json={"asset": "A1"})
        between = await ask(api)
        undone = await client.delete("/api/v1/devices/SW-1/match")
        gone = await client.delete("/api/v1/devices/SW-1/match")
    after = await ask(api)

    codes = [a.status_code for a in (made, twice, undone, gone)]
    assert codes == [201, 422, 204, 404]
    assert [item["kind"] for item in before["items"]] == ["never_seen", "not_booked"]
    assert between["items"] == []
    assert after == before


async def test_hardware_is_settled_by_a_paper_once(api: Api) -> None:
    office = make_office()
    add_seen(office, 2, office.add_pc(2, 1))
    office.add(
        "hardware_change", source_id=1, section="disks", since_ms=1, seen_at_ms=MOMENT_MS - 5,
        before_json='[[256060514304, "SSD", null]]', after_json='[[120034123776, "SSD", null]]',
    )  # fmt: skip
    await api.write(office)
    where = "/api/v1/reconcile/hardware/1/settle"

    async with await api.signed_in("it", 3) as client:
        foreign = await client.post(where, json={"instrument": "5/BB"})
    async with await api.signed_in("it", 2) as client:
        done = await client.post(where, json={"instrument": "5/BB"})
        api.clock.now_ms += 1
        again = await client.post(where, json={"instrument": "5/BB"})
        log = (await client.get("/api/v1/reconcile")).json()["items"]

    assert [a.status_code for a in (foreign, done, again)] == [404, 200, 404]
    assert (done.json()["gone"], done.json()["come"]) == (["256 GB SSD"], ["120 GB SSD"])
    assert log == []


@pytest.mark.parametrize("query", [{"kind": "x"}, {"asset_kind": "x"}, {"q": "x"}])
async def test_what_cannot_be_asked_is_refused(api: Api, query: dict[str, str]) -> None:
    async with await api.signed_in("auditor") as client:
        answer = await client.get("/api/v1/reconcile", params=query)

    assert answer.status_code == 400


async def test_auditors_export_it(api: Api) -> None:
    office = make_office()
    add_seen(office, 2, None)
    await api.write(office)

    async with await api.signed_in("auditor") as client:
        answer = await client.get("/api/v1/exports/reconciliation.csv")

    assert answer.status_code == 200
    assert "kiemke match --unit U2" in answer.text
