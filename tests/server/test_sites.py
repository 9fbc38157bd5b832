"""Sites and secrets: who may register what, what a collector is given, and what it never is."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.sites import read_subnet
from tests.support.api import Api, make_office, running_api, sha256_hex

COLLECTOR_SECRET = "the collector's own secret"
COMMUNITY = "canary-community-7f3a"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        async with running.services.db.transaction() as session:
            await session.execute(
                "UPDATE source SET secret_sha256 = :sha WHERE kind = 'collector'",
                sha=sha256_hex(COLLECTOR_SECRET),
            )
            await session.execute("UPDATE device SET collector_id = 4")
        yield running


async def register(
    client: httpx.AsyncClient, unit: str, subnet: str, **more: Any
) -> httpx.Response:
    return await client.post("/api/v1/site-subnets", json={"unit": unit, "subnet": subnet, **more})


async def keep(
    client: httpx.AsyncClient, name: str = "default", unit: str = "U1", value: str = COMMUNITY
) -> httpx.Response:
    values = {"version": "2c", "community": value}
    body = {"name": name, "unit": unit, "kind": "snmp", "values": values}
    return await client.post("/api/v1/secrets", json=body)


async def ask(api: Api, path: str) -> Any:
    """Return what the district's collector is answered."""
    headers = {"X-Kiemke-Source": "s4", "Authorization": f"Bearer {COLLECTOR_SECRET}"}
    async with api.client() as client:
        answer = await client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def given(api: Api) -> list[tuple[int, int, str]]:
    found = (await ask(api, "/api/v1/collector-secrets"))["secrets"]
    return [(each["id"], each["version"], each["values"]["community"]) for each in found]


async def test_a_database_without_subnets_goes_on_and_gives_no_secret_away(api: Api) -> None:
    async with await api.signed_in("it") as client:
        made = await keep(client)
    task = (await ask(api, "/api/v1/assignment"))["devices"][0]

    assert made.status_code == 201
    assert (task["address"], task["snmp_secret"]) == ("192.0.2.1", None)
    assert (await ask(api, "/api/v1/assignment"))["sites"][0]["allow"] is None
    assert await given(api) == []


async def test_a_secret_goes_to_the_collector_of_a_device_within_its_site(api: Api) -> None:
    async with await api.signed_in("it") as client:
        assert (await register(client, "U1", "192.0.2.0/24")).status_code == 201
        await keep(client)
        first = await given(api)
        values = {"version": "2c", "community": "another"}
        await client.post("/api/v1/secrets/default/rotate", json={"values": values})
        second = await given(api)
        held = (await client.get("/api/v1/sources/s4/secrets")).json()
        await client.delete("/api/v1/secrets/default")
    assignment = await ask(api, "/api/v1/assignment")

    assert (first, second) == ([(1, 1, COMMUNITY)], [(1, 2, "another")])
    assert [(each["name"], each["version"], each["to_change"]) for each in held] == [
        ("default", 2, True)
    ]
    assert (assignment["secrets"], await given(api)) == ([], [])
    # Its own unit's too, for the agents that pass through it, then that of the devices.
    reach = {"allow": ["192.0.2.0/24"], "deny": []}
    assert assignment["sites"] == [{"site": unit, **reach} for unit in (1, 2, 4)]


async def test_the_nearest_secret_of_the_name_is_the_one(api: Api) -> None:
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/24")
        await keep(client, value="of the district")
        await keep(client, unit="U4", value="of the commune")
        twice = await keep(client, unit="U4")
    tasks = (await ask(api, "/api/v1/assignment"))["devices"]

    assert [(task["device"], task["snmp_secret"]) for task in tasks] == [(1, 1), (2, 2)]
    assert twice.status_code == 409


async def test_a_commune_cannot_have_the_districts_secret_sent_where_it_likes(api: Api) -> None:
    """Its own subnet opens its own secrets only."""
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/24")
        await keep(client)
    async with await api.signed_in("it", 4) as client:
        await register(client, "U4", "203.0.113.0/24")
        moved = await client.patch("/api/v1/devices/SW-02", json={"address": "203.0.113.66"})
    before = (await ask(api, "/api/v1/assignment"))["devices"][1]
    async with await api.signed_in("it", 4) as client:
        await keep(client, unit="U4", value="of the commune")
    after = (await ask(api, "/api/v1/assignment"))["devices"][1]

    assert moved.status_code == 200
    assert (before["address"], before["snmp_secret"]) == ("203.0.113.66", None)
    assert after["snmp_secret"] == 2


async def test_an_address_outside_the_site_is_refused_and_never_given_a_secret(api: Api) -> None:
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/25")
        await register(client, "U4", "192.0.2.64/26", deny=True, note="công an")
        await keep(client)
        answers = [
            await client.patch("/api/v1/devices/SW-02", json={"address": address})
            for address in ("192.0.2.200", "192.0.2.70", "127.0.0.1", "169.254.1.1", "192.0.2.9")
        ]
        async with api.services.db.transaction() as session:
            # As whoever edits the row behind the program's back.
            await session.execute("UPDATE device SET address = '198.51.100.66' WHERE id = 1")
    tasks = (await ask(api, "/api/v1/assignment"))["devices"]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 200]
    assert "site subnet add" in answers[0].text
    assert [(task["address"], task["snmp_secret"]) for task in tasks] == [
        ("198.51.100.66", None),
        ("192.0.2.9", 1),
    ]


@pytest.mark.parametrize(
    "subnet", ["10.5.9.1/24", "0.0.0.0/0", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/8", "x"]
)
def test_no_offices_subnet_is_refused(subnet: str) -> None:
    with pytest.raises(Refused):
        read_subnet(subnet, deny=False, loopback=False)


async def test_a_loopback_subnet_is_registered_when_a_test_says_so(api: Api) -> None:
    async with await api.signed_in("it") as client:
        assert (await register(client, "U1", "127.0.0.0/8", loopback=True)).status_code == 201
        moved = await client.patch("/api/v1/devices/SW-01", json={"address": "127.0.0.1"})

    assert moved.status_code == 200


async def test_subnets_are_dated_and_told_with_what_they_leave_outside(api: Api) -> None:
    async with await api.signed_in("it") as client:
        added = (await register(client, "U2", "192.0.2.0/30")).json()
        twice = await register(client, "U2", "192.0.2.0/30")
        narrow = (await register(client, "U4", "10.4.0.0/16")).json()
    api.clock.now_ms += 86_400_000
    async with await api.signed_in("it") as client:
        ended = await client.post(f"/api/v1/site-subnets/{narrow['subnet']['id']}/end", json={})
        again = await client.post(f"/api/v1/site-subnets/{narrow['subnet']['id']}/end", json={})
        now = (await client.get("/api/v1/site-subnets")).json()["items"]
        then = (await client.get("/api/v1/site-subnets?as_of=2026-01-01")).json()["items"]

    assert (added["outside"], twice.status_code) == ([], 422)
    assert narrow["outside"] == ["SW-02"]
    assert (ended.json()["outside"], again.status_code) == ([], 404)
    assert [each["subnet"] for each in now] == ["192.0.2.0/30"]
    assert then == []


async def test_it_of_a_unit_sees_and_changes_its_own_alone(api: Api) -> None:
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/24")
        await keep(client)
    async with await api.signed_in("it", 4) as client:
        seen = (await client.get("/api/v1/secrets")).json()["items"]
        rotated = await client.post(
            "/api/v1/secrets/1/rotate", json={"values": {"version": "2c", "community": "mine"}}
        )
        foreign = await register(client, "U2", "10.0.0.0/8")
        held = await client.get("/api/v1/sources/s4/secrets")

    assert (seen, rotated.status_code, foreign.status_code, held.status_code) == ([], 404, 404, 404)


async def test_no_answer_shows_a_value_not_even_a_wrong_one(api: Api) -> None:
    async with await api.signed_in("it") as client:
        answers = [
            await client.post("/api/v1/secrets", json=body)
            for body in (
                {"name": "a", "unit": "U1", "kind": "snmp", "values": {"community": COMMUNITY}},
                {"name": "a", "unit": "U1", "kind": "snmp", "values": {COMMUNITY: COMMUNITY}},
                {"name": "a", "unit": "U1", "kind": "ssh", "values": {"user": COMMUNITY}},
                {"name": "a", "unit": "U1", "kind": "snmp", "values": COMMUNITY},
                {"name": "a", "unit": "U9", "kind": "snmp",
                 "values": {"version": "2c", "community": COMMUNITY}},
                {"name": "a", "unit": "U1", "kind": "snmp",
                 "values": {"version": "2c", "community": COMMUNITY}},
            )
        ]  # fmt: skip
        listed = await client.get("/api/v1/secrets")
    async with await api.signed_in("auditor") as client:
        audit = (await client.get("/api/v1/audit")).text

    assert [answer.status_code for answer in answers] == [400, 400, 400, 400, 404, 201]
    assert all(COMMUNITY not in answer.text for answer in (*answers, listed))
    assert "secret.add" in audit and COMMUNITY not in audit


async def test_a_pending_collector_and_an_agent_are_given_nothing(api: Api) -> None:
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/24")
        await keep(client)
    async with api.services.db.transaction() as session:
        await session.execute("UPDATE source SET state = 'pending' WHERE id = 4")
        await session.execute(
            "UPDATE source SET secret_sha256 = :sha WHERE id = 1", sha=sha256_hex("agent")
        )
    async with api.client() as client:
        agent = await client.get(
            "/api/v1/collector-secrets",
            headers={"X-Kiemke-Source": "s1", "Authorization": "Bearer agent"},
        )

    assert await given(api) == []
    assert agent.status_code == 403 and COMMUNITY not in agent.text


async def test_the_database_holds_no_value_in_plain_text(api: Api) -> None:
    async with await api.signed_in("it") as client:
        await register(client, "U1", "192.0.2.0/24")
        await keep(client)
    await given(api)
    async with api.services.db.reading() as session:
        rows = await session.fetch("SELECT * FROM secret")
        touched = await session.fetch("SELECT before_json FROM audit_touched")

    assert COMMUNITY not in json.dumps(rows, default=str) + json.dumps(touched, default=str)
    assert rows[0]["sealed"].count(":") == 1
