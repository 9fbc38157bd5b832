"""Rights over parts of the tree: several, dated, never more than the giver's, and the second person."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server import approval_kinds
from kiemke.server.domain.approvals import Decision, Kind, ask
from kiemke.server.domain.text_labels import Words
from tests.support.api import PASSWORD, Api, make_office, running_api

PAPER = "12/QĐ-UBND"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def give(api: Api, user: str, role: str, unit: str | None, **more: Any) -> int:
    async with await api.signed_in("admin") as admin:
        body = {"user": user, "role": role, "unit": unit, "instrument": PAPER, **more}
        made = await admin.post("/api/v1/grants", json=body)
    assert made.status_code == 201, made.text
    return int(made.json()["id"])


async def units_of(client: Any, path: str) -> set[str]:
    answer = await client.get(f"/api/v1/{path}")
    assert answer.status_code == 200, answer.text
    return {(item["unit"] if "unit" in item else item)["code"] for item in answer.json()["items"]}


async def test_each_route_sees_the_units_of_the_grants_that_suffice_for_it(api: Api) -> None:
    """IT of U2, auditor of U4: reads officials of both, changes one."""
    token = await api.token("it", unit_id=2, name="binh")
    await give(api, "binh", "auditor", "U4")
    async with api.client(token) as client:
        seen = await units_of(client, "officials")
        own = await client.patch("/api/v1/devices/SW-01", json={"port": 1})
        other = await client.patch("/api/v1/devices/SW-02", json={"port": 1})
        sources = await units_of(client, "sources")
        me = (await client.get("/api/v1/me")).json()

    assert seen == {"U2", "U4"}
    assert sources == {"U2"}
    assert (own.status_code, other.status_code) == (200, 404)
    assert [(g["role"], g["unit"]["code"]) for g in me["grants"]] == [
        ("it", "U2"),
        ("auditor", "U4"),
    ]


async def test_a_grant_begins_and_ends_on_its_days(api: Api) -> None:
    token = await api.token("none", name="binh", hours=240)
    number = await give(api, "binh", "viewer", "U2", valid_from="2026-03-12", valid_to="2026-03-14")
    codes = []
    async with api.client(token) as client:
        for _ in range(5):  # 11/03 .. 15/03, local days
            codes.append((await client.get("/api/v1/units")).status_code)
            api.clock.now_ms += 86_400_000

    assert codes == [401, 200, 200, 401, 401]
    async with await api.signed_in("admin") as admin:
        gone = await admin.post(f"/api/v1/grants/{number}/end", json={"instrument": PAPER})
    assert gone.status_code == 404


async def test_an_ended_grant_is_of_no_use_and_its_past_stays(api: Api) -> None:
    token = await api.token("none", name="binh")
    number = await give(api, "binh", "viewer", "U2", valid_from="2026-03-01")
    async with await api.signed_in("admin") as admin:
        ended = await admin.post(f"/api/v1/grants/{number}/end", json={"instrument": "15/QĐ"})
        before = (await admin.get("/api/v1/grants?as_of=2026-03-05")).json()["items"]
    async with api.client(token) as client:
        code = (await client.get("/api/v1/units")).status_code

    assert (ended.status_code, code) == (200, 401)
    assert [(g["valid_to"], g["instrument"]) for g in before] == [("2026-03-11", "15/QĐ")]


async def test_nobody_gives_beyond_what_he_administers(api: Api) -> None:
    """An admin of U2 makes users of U2, and no admin of everything, of U4, nor of himself more."""
    await api.add_user("chief", "admin")
    async with api.client(await api.token("admin", unit_id=2, name="local")) as local:

        async def add(name: str, role: str, unit: str | None) -> int:
            body = {"name": name, "password": PASSWORD, "role": role, "unit": unit}
            return (await local.post("/api/v1/users", json=body)).status_code

        async def grant(name: str, role: str, unit: str | None) -> int:
            body = {"user": name, "role": role, "unit": unit, "instrument": PAPER}
            return (await local.post("/api/v1/grants", json=body)).status_code

        made = [
            await add("an", "it", "U2"),
            await add("bo", "it", None),
            await add("ca", "it", "U4"),
        ]
        given = [await grant("an", "admin", "U2"), await grant("an", "viewer", None),
                 await grant("local", "admin", None), await grant("chief", "viewer", "U2")]  # fmt: skip
        changed = [
            (await local.patch("/api/v1/users/an", json={"unit": None})).status_code,
            (await local.patch("/api/v1/users/chief", json={"password": PASSWORD})).status_code,
            (await local.patch("/api/v1/users/local", json={"unit": None})).status_code,
        ]
        others = (
            await local.post("/api/v1/tokens", json={"kind": "api", "user": "chief"})
        ).status_code
        shown = [u["name"] for u in (await local.get("/api/v1/users")).json()["items"]]

    assert made == [201, 403, 404]
    assert given == [201, 403, 403, 404]
    assert changed == [403, 404, 403]
    assert others == 404
    assert shown == ["an", "local"]


async def test_a_token_carries_no_more_than_it_was_made_for(api: Api) -> None:
    async with await api.signed_in("it") as client:
        made = await client.post(
            "/api/v1/tokens", json={"kind": "api", "role": "viewer", "unit": "U4"}
        )
        too_much = await client.post("/api/v1/tokens", json={"kind": "api", "role": "admin"})
    async with api.client(made.json()["token"]) as narrow:
        seen = await units_of(narrow, "links")
        officials = (await narrow.get("/api/v1/officials")).status_code
        another = (await narrow.post("/api/v1/tokens", json={"kind": "api"})).status_code
        listed = (await narrow.get("/api/v1/tokens")).json()["items"]

    assert seen == {"U4"}
    assert (too_much.status_code, officials, another) == (403, 403, 403)
    assert [(t["role"], t["unit"]["code"]) for t in listed] == [("viewer", "U4")]


async def test_a_token_of_a_scoped_user_reaches_no_unit_beside(api: Api) -> None:
    async with await api.signed_in("auditor", unit_id=2) as client:
        beside = await client.post("/api/v1/tokens", json={"kind": "scrape", "unit": "U4"})
        above = await client.post("/api/v1/tokens", json={"kind": "scrape", "unit": "U1"})
        own = await client.post("/api/v1/tokens", json={"kind": "scrape", "unit": "U2"})
    async with api.client(own.json()["token"]) as scrape:
        fleet = (await scrape.get("/metrics/fleet")).text
        process = (await scrape.get("/metrics")).status_code

    assert (beside.status_code, above.status_code, own.status_code) == (404, 404, 201)
    assert 'unit="2"' in fleet
    assert 'unit="4"' not in fleet
    assert process == 403


async def note(session: Any, approval: Any, payload: Any, decision: Decision) -> None:
    await session.execute(
        "UPDATE device SET name = :name WHERE id = :id", name=payload["name"], id=payload["id"]
    )


@pytest.fixture
async def waiting(api: Api, monkeypatch: pytest.MonkeyPatch) -> int:
    """A change of a device of U2 that binh asked for."""
    monkeypatch.setitem(approval_kinds.KINDS, "test.rename", Kind(Words("Đổi tên", "Rename"), note))
    binh = await api.add_user("binh", "admin")
    async with api.services.db.transaction() as session:
        return await ask(
            session, kind="test.rename", subject="device:1", unit_id=2,
            payload={"id": 1, "name": "NEW"}, instrument=PAPER, user_id=binh, who="binh",
            now_ms=api.clock(),
        )  # fmt: skip


async def token_of(api: Api, name: str, kind: str = "session") -> str:
    from kiemke.server.auth_users import issue_token

    rows = await api.services.db.read("SELECT id FROM app_user WHERE name = :n", n=name)
    async with api.services.db.transaction() as session:
        made = await issue_token(
            session, user_id=rows[0]["id"], kind=kind, label=None, now_ms=api.clock(), hours=1
        )
    return made.token


async def test_nobody_approves_his_own_record_and_the_second_persons_yes_makes_it(
    api: Api, waiting: int
) -> None:
    path = f"/api/v1/approvals/{waiting}"
    await api.add_user("chair", "auditor", 2)
    await api.add_user("clerk", "auditor", 2)
    await api.add_user("beside", "auditor", 4)
    await give(api, "chair", "auditor", "U2", approves=True)
    await give(api, "beside", "auditor", "U4", approves=True)

    async def answer(name: str, verb: str, kind: str = "session") -> int:
        async with api.client(await token_of(api, name, kind)) as client:
            return (await client.post(f"{path}/{verb}", json={})).status_code

    own = await answer("binh", "yes")
    without = await answer("clerk", "yes")
    outside = await answer("beside", "yes")
    by_token = await answer("chair", "yes", "api")
    taken_back = await answer("chair", "withdraw")
    async with api.client(await token_of(api, "beside")) as client:
        unseen = (await client.get("/api/v1/approvals")).json()
    names = await api.services.db.read("SELECT name FROM device WHERE id = 1")
    yes, again = await answer("chair", "yes"), await answer("chair", "no")
    after = await api.services.db.read("SELECT name FROM device WHERE id = 1")

    assert (own, without, outside, by_token, taken_back) == (403, 403, 404, 403, 403)
    assert unseen["total"] == 0
    assert names[0]["name"] != "NEW"
    assert (yes, again) == (200, 409)
    assert after[0]["name"] == "NEW"


async def test_a_refused_or_withdrawn_change_is_not_made(api: Api, waiting: int) -> None:
    async with api.client(await token_of(api, "binh")) as client:
        back = await client.post(f"/api/v1/approvals/{waiting}/withdraw", json={"answer": "sai"})
        listed = (await client.get("/api/v1/approvals?state=withdrawn")).json()["items"]
        wrong = await client.get("/api/v1/approvals?state=nonsense")
    names = await api.services.db.read("SELECT name FROM device WHERE id = 1")

    assert back.status_code == 200
    assert [(a["id"], a["decided_by"], a["answer"]) for a in listed] == [(waiting, "binh", "sai")]
    assert wrong.status_code == 400
    assert names[0]["name"] != "NEW"


async def test_a_change_that_cannot_be_made_goes_on_waiting(
    api: Api, waiting: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(session: Any, approval: Any, payload: Any, decision: Decision) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(approval_kinds.KINDS, "test.rename", Kind(Words("a", "b"), fail))
    await api.add_user("chief", "admin")
    async with api.client(await token_of(api, "chief")) as client:
        broken = await client.post(f"/api/v1/approvals/{waiting}/yes", json={})
        listed = (await client.get("/api/v1/approvals?state=waiting")).json()["total"]

    assert (broken.status_code, listed) == (500, 1)


async def test_a_person_is_erased_by_two_and_the_log_stays_whole(api: Api) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from kiemke.server.audit import record
    from kiemke.server.audit_adopt import record_rows
    from kiemke.server.domain.audit_chain import seal, verify
    from kiemke.server.ledgers import LEDGER_TABLES

    key, paper = Ed25519PrivateKey.generate(), {"instrument": PAPER}
    async with api.services.db.transaction() as session:
        await record_rows(session, LEDGER_TABLES, "ledger.adopt", PAPER, 1)
        await session.execute("UPDATE official SET phone = '0912345678' WHERE id = 1")
        await record(
            session, at_ms=1, who="x", act="official.change", subject="official:P1",
            before={"phone": None}, after={"phone": "0912345678"},
        )  # fmt: skip
    await api.add_user("binh", "it")
    await api.add_user("chief", "admin")
    async with api.client(await token_of(api, "binh")) as binh:
        still = await binh.post("/api/v1/officials/P1/erase", json=paper)
        async with api.services.db.transaction() as session:
            for table in ("membership", "custody"):
                await session.execute(
                    f"UPDATE {table} SET valid_to = '2026-03-01' WHERE official_id = 1"  # noqa: S608
                )
            await record(session, at_ms=1, who="x", act="official.leave", subject="official:P1")
        dry = await binh.post("/api/v1/officials/P1/erase", json=paper)
        asked = await binh.post("/api/v1/officials/P1/erase?apply=true", json=paper)
        number = asked.json()["approval"]
        own = await binh.post(f"/api/v1/approvals/{number}/yes", json={})
    async with api.client(await token_of(api, "chief")) as chief:
        before = (await chief.get("/api/v1/audit")).text
        done = await chief.post(f"/api/v1/approvals/{number}/yes", json={})
        after = (await chief.get("/api/v1/audit")).text
    rows = await api.services.db.read("SELECT name, phone FROM official WHERE id = 1")
    async with api.services.db.transaction() as session:
        await seal(session, key, api.clock())
    async with api.services.db.snapshot() as session:
        report = await verify(session, key.public_key(), api.clock())
    told = {fault.what for fault in report.faults}

    assert still.status_code == 422
    assert (dry.json()["approval"], own.status_code, done.status_code) == (None, 403, 200)
    assert "0912345678" in before
    assert "0912345678" not in after
    assert rows == [{"name": "(đã xóa) P1", "phone": None}]
    # Users and tokens the test itself made without an entry are all that is said.
    assert {what.split()[0] for what in told} <= {"app_user", "access_token"}
