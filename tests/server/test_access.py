"""Access as an attacker tries it: time travel out of a unit, guessing, races, slow and large bodies."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server import app as app_module
from kiemke.server.attempts import network_of
from kiemke.server.auth_users import add_user, change_user, hash_password_now
from kiemke.server.enrolment import set_source_state
from kiemke.server.errors import Problem
from tests.support.api import PASSWORD, Api, make_office, running_api
from tests.support.office import FAR_BACK, MOMENT_MS, RECORDED_MS, Office

MOVED = date(2025, 7, 1)
BEFORE = "2025-06-01"
LONG_AGO = "2020-09-20T00:00:00Z"  # after RECORDED_MS, before the correction below
CORRECTED_MS = RECORDED_MS + 200 * 86_400_000


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        yield running


def make_moved() -> Office:
    """Return the office in which U4 stood under U3 until it went to the district (U1)."""
    office = make_office()
    office.waiting["unit_version"] = [
        row for row in office.waiting["unit_version"] if row["unit_id"] != 4
    ]
    office.add_unit_version(4, 3, valid_from=FAR_BACK, valid_to=MOVED)
    office.add_unit_version(4, 1, valid_from=MOVED)
    return office


def make_corrected() -> Office:
    """Return the office in which U4 was once thought to stand under U3, by mistake."""
    office = make_office()
    office.waiting["unit_version"] = [
        row for row in office.waiting["unit_version"] if row["unit_id"] != 4
    ]
    office.add_unit_version(4, 3, voided_at_ms=CORRECTED_MS, voided_by="lan")
    office.add_unit_version(4, 1, recorded_at_ms=CORRECTED_MS)
    return office


LISTS = (
    "units", "officials", "assets", "machines", "devices", "links", "coverage", "coverage/who",
    "sources", "enrolment-tokens",
)  # fmt: skip
SINGLES = ("units/U4", "units/4", "officials/P3", "assets/A3", "machines/3", "devices/SW-02",
           "links/DT-02", "sources/s3")  # fmt: skip


@pytest.mark.parametrize(
    ("make", "past"),
    [(make_moved, f"as_of={BEFORE}"), (make_corrected, f"known_at={LONG_AGO}")],
)
async def test_asking_about_the_past_opens_no_unit_that_is_anothers_now(
    api: Api, make: Any, past: str
) -> None:
    """Devices, sources and machines show their present whatever the day: the past is no key."""
    await api.write(make())
    async with await api.signed_in("it", unit_id=3) as client:
        lists = {
            path: (await client.get(f"/api/v1/{path}?{past}")).json()["items"] for path in LISTS
        }
        cut = {
            path: (await client.get(f"/api/v1/{path}?{past}&unit=U4")).status_code for path in LISTS
        }
        singles = [(await client.get(f"/api/v1/{path}?{past}")).status_code for path in SINGLES]
        exports = [
            (await client.get(f"/api/v1/exports/{name}.jsonl?{past}")).text
            for name in ("equipment", "links", "officials_coverage")
        ]
    shown = json.dumps(lists)

    assert [unit["code"] for unit in lists["units"]] == ["U3"]
    assert not [word for word in ("U4", "P3", "A3", "SW-02", "DT-02", "s3") if f'"{word}"' in shown]
    assert set(cut.values()) == {404}
    assert set(singles) == {404}
    assert not [text for text in exports if "U4" in text]


async def test_the_past_of_what_is_ones_own_still_shows(api: Api) -> None:
    """A unit that was closed under its parent belongs to the parent's history."""
    office = make_office()
    closed = office.add_unit(3, valid_to=MOVED)
    await api.write(office)
    async with await api.signed_in("viewer", unit_id=3) as client:
        then = (await client.get(f"/api/v1/units?as_of={BEFORE}")).json()
        now = (await client.get("/api/v1/units")).json()

    assert [unit["code"] for unit in then["items"]] == ["U3", f"U{closed}"]
    assert [unit["code"] for unit in now["items"]] == ["U3"]


async def test_no_change_is_made_by_the_rights_of_another_day(api: Api) -> None:
    await api.write(make_moved())
    past = f"as_of={BEFORE}"
    async with await api.signed_in("it", unit_id=3) as client:
        codes = [
            (await client.patch(f"/api/v1/devices/SW-02?{past}", json={"port": 1})).status_code,
            (await client.post(f"/api/v1/sources/s3/approve?{past}")).status_code,
            (await client.post(f"/api/v1/sources/s3/revoke?{past}")).status_code,
            (
                await client.post(f"/api/v1/enrolment-tokens?{past}", json={"unit": "U4"})
            ).status_code,
            (await client.delete(f"/api/v1/enrolment-tokens/3?{past}")).status_code,
        ]
        own = await client.post(f"/api/v1/enrolment-tokens?{past}", json={"unit": "U3"})

    assert codes == [404] * 5
    assert own.status_code == 201


async def test_a_unit_cannot_send_anothers_collector_to_its_own_address(api: Api) -> None:
    """A collector carries communities: whoever names its target could listen to them."""
    office = make_office()
    own = office.add_source(2, kind="collector")
    await api.write(office)
    async with await api.signed_in("it", unit_id=2) as client:
        others = await client.patch("/api/v1/devices/SW-01", json={"collector": "s4"})
        mine = await client.patch("/api/v1/devices/SW-01", json={"collector": f"s{own}"})

    assert (others.status_code, mine.status_code) == (404, 200)
    assert mine.json()["collector"] == f"s{own}"


async def test_a_machine_that_went_to_another_unit_hides_what_is_seen_there(api: Api) -> None:
    office = make_office()
    here, there = office.add_source(2, heard_ms=1), office.add_source(4, heard_ms=MOMENT_MS)
    office.add_section(there, "system", [{"serial": "SECRET-THERE"}], MOMENT_MS)
    office.add_match(office.add_pc(2), here, there)
    await api.write(office)
    async with await api.signed_in("auditor", unit_id=2) as limited:
        listed = await limited.get("/api/v1/machines")
        machine = next(
            m for m in listed.json()["items"] if f"s{here}" in [s["id"] for s in m["sources"]]
        )
        one = await limited.get(f"/api/v1/machines/{machine['id']}")
    async with await api.signed_in("auditor") as free:
        whole = await free.get(f"/api/v1/machines/{machine['id']}")

    assert "SECRET-THERE" not in listed.text + one.text
    assert [source["id"] for source in one.json()["sources"]] == [f"s{here}"]
    assert "SECRET-THERE" in whole.text


async def test_a_scrape_token_of_a_unit_reads_that_unit_alone(api: Api) -> None:
    office = make_office()
    await api.write(office)
    async with api.client(await api.token("viewer", unit_id=4, kind="scrape")) as client:
        text = (await client.get("/metrics/fleet")).text

    assert 'unit="4"' in text
    assert not [u for u in (1, 2, 3) if f'unit="{u}"' in text]


async def add_person(api: Api, name: str = "lan") -> None:
    async with api.services.db.transaction() as session:
        await add_user(
            session,
            name=name,
            password_hash=hash_password_now(PASSWORD),
            role="admin",
            unit_id=None,
            who="test",
            now_ms=api.clock(),
        )


async def sign_in(api: Api, name: str, password: str, address: str = "192.0.2.9") -> int:
    async with api.client(address=address) as client:
        body = {"name": name, "password": password}
        return (await client.post("/api/v1/login", json=body)).status_code


async def test_another_spelling_of_a_name_is_the_same_guess(api: Api) -> None:
    await add_person(api)
    spellings = ["lan", " lan", "lan ", "l\u200ban", "\u202elan", "lan\t", "lan\u3164"]
    codes = [await sign_in(api, name, f"guess {n}") for n, name in enumerate(spellings)]

    assert codes == [401] * 5 + [429] * 2
    assert await sign_in(api, "lan", PASSWORD) == 429


async def test_many_guesses_at_once_are_no_more_than_a_few(api: Api) -> None:
    """All of them come in before the first has failed."""
    await add_person(api)
    codes = await asyncio.gather(*(sign_in(api, "lan", f"guess {n}") for n in range(30)))

    assert codes.count(401) <= 6
    assert codes.count(401) + codes.count(429) == 30


async def test_one_network_of_ipv6_is_one_guesser(api: Api) -> None:
    await add_person(api)
    codes = [await sign_in(api, "lan", f"g{n}", f"2001:db8::{n:x}") for n in range(1, 8)]

    assert codes == [401] * 5 + [429] * 2
    assert await sign_in(api, "lan", PASSWORD, "2001:db8:0:1::1") == 200


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("::ffff:192.0.2.9", "192.0.2.9"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_attempts_are_counted_by_host_or_by_network(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_two_admins_cannot_shut_each_other_out_at_once(api: Api) -> None:
    await add_person(api, "an")
    await add_person(api, "binh")

    async def disable(name: str) -> str:
        try:
            async with api.services.db.transaction() as session:
                changes = {"disabled_at_ms": 1}
                await change_user(session, name=name, changes=changes, who="test", now_ms=1)
                await asyncio.sleep(0.1)
        except Problem as problem:
            return problem.key
        return "done"

    assert sorted(await asyncio.gather(disable("an"), disable("binh"))) == ["done", "last_admin"]


async def test_a_revoked_source_is_not_approved_by_what_was_read_before(api: Api) -> None:
    await api.write(make_office())
    seen = {"id": 1, "public_id": "s1", "kind": "agent", "state": "pending"}
    async with api.services.db.transaction() as session:
        await set_source_state(session, seen, state="revoked", reason=None, who="a", now=1)
    with pytest.raises(Problem, match="state"):
        async with api.services.db.transaction() as session:
            await set_source_state(session, seen, state="approved", reason=None, who="b", now=2)

    rows = await api.services.db.read("SELECT state FROM source WHERE id = 1")
    assert rows[0]["state"] == "revoked"


async def test_a_stranger_can_send_no_large_body(api: Api) -> None:
    body = json.dumps({"name": "x" * 70_000, "password": "y"}).encode()
    async with api.client() as client:
        codes = [
            (await client.post(f"/api/v1/{path}", content=body)).status_code
            for path in ("login", "enroll")
        ]
    async with await api.signed_in("it") as client:
        file = b"x" * 200_000
        imported = await client.post("/api/v1/imports?template=units", content=file)
        plan = {"day": "2026-01-01", "instrument": "", "changes": [], "padding": "x" * 200_000}
        decided = await client.post("/api/v1/reorganisations", json=plan)

    assert codes == [413, 413]
    assert imported.status_code == 200
    assert decided.status_code == 400


async def test_a_body_nested_without_end_is_a_bad_request(api: Api) -> None:
    async with api.client() as client:
        answers = [
            await client.post("/api/v1/login", content=body)
            for body in (b"[" * 60_000, b'{"a":' * 10_000)
        ]

    assert [answer.status_code for answer in answers] == [400, 400]


async def test_a_body_that_never_arrives_is_given_up(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "BODY_SECONDS", 0.2)

    async def endless() -> AsyncIterator[bytes]:
        yield b'{"name": '
        await asyncio.sleep(60)
        yield b'"lan"}'

    async with api.client() as client:
        answer = await asyncio.wait_for(client.post("/api/v1/login", content=endless()), 30)

    assert answer.status_code == 408
    assert answer.headers["content-type"].startswith("application/problem+json")


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "3000-01-01", "9999-12-31"])
async def test_a_day_no_figure_reaches_is_refused_everywhere(api: Api, day: str) -> None:
    await api.write(make_office())
    async with await api.signed_in("auditor") as client:
        answers = [
            await client.get(f"/api/v1/{path}?as_of={day}")
            for path in ("units", "coverage", "coverage/who", "exports/equipment.csv")
        ]

    assert {answer.status_code for answer in answers} == {400}
    assert all(day in answer.json()["detail"] for answer in answers)


async def test_every_change_has_its_entry(api: Api) -> None:
    """Walks the changing routes; each leaves an entry that names who did it."""
    office = make_office()
    office.add_source(2, state="pending")
    await api.write(office)
    await add_person(api)
    async with api.client() as client:
        body = {"name": "lan", "password": PASSWORD}
        token = (await client.post("/api/v1/login", json=body)).json()["token"]
    made: dict[str, str] = {}
    async with api.client(token) as client:
        for name, method, path, content in (
            ("source.approve", "POST", "sources/s5/approve", None),
            ("source.revoke", "POST", "sources/s5/revoke", None),
            ("enrolment_token.add", "POST", "enrolment-tokens", {"unit": "U2"}),
            ("enrolment_token.revoke", "DELETE", "enrolment-tokens/{enrolment_token.add}", None),
            ("device.change", "PATCH", "devices/SW-01", {"port": 1161}),
            ("user.add", "POST", "users", {"name": "an", "password": "x" * 12, "role": "it"}),
            ("user.change", "PATCH", "users/an", {"role": "viewer"}),
            ("token.add", "POST", "tokens", {"kind": "api"}),
            ("token.revoke", "DELETE", "tokens/{token.add}", None),
            ("collector.release", "POST", "sources/s4/revoke", None),
            ("session.close", "DELETE", "me/session", None),
        ):
            address = path
            for key, value in made.items():
                address = address.replace(f"{{{key}}}", value)
            before = await count_entries(api)
            answer = await client.request(method, f"/api/v1/{address}", json=content)
            assert answer.is_success, (name, answer.text)
            if method == "POST":
                made[name] = answer.json().get("id", "")
            acts = [entry["act"] for entry in (await read_entries(api))[before:]]
            assert name in acts, (name, acts)
    entries = await read_entries(api)

    assert {entry["who"] for entry in entries[1:] if entry["act"] != "user.add"} == {"lan"}
    assert not [entry for entry in entries if "x" * 12 in json.dumps(entry)]


async def read_entries(api: Api) -> list[dict[str, Any]]:
    rows = await api.services.db.read("SELECT entry FROM audit_entry ORDER BY id")
    return [json.loads(bytes(row["entry"])) for row in rows]


async def count_entries(api: Api) -> int:
    return len(await read_entries(api))
