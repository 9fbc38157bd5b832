"""Releases of the agent: published with a signature, given to a share of the PCs, taken back."""

import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.wire.update import PART_BYTES, bucket_of, read_signed
from tests.support.api import Api, make_office, running_api, sha256_hex
from tests.support.office import MOMENT_MS
from tests.support.releases import as_query, public_of, sign
from tests.support.reporting import insert

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
SECRET = "an agent's own secret"
PACKAGE = os.urandom(PART_BYTES + 1000)
NOW = datetime.fromtimestamp(MOMENT_MS / 1000, UTC)


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        async with running.services.db.transaction() as session:
            await session.execute(
                "UPDATE source SET secret_sha256 = :sha WHERE public_id = 's1'",
                sha=sha256_hex(SECRET),
            )
        yield running


async def publish(client: httpx.AsyncClient, version: str = "0.2.0", **more: Any) -> httpx.Response:
    percent = more.pop("percent", 100)
    package = more.pop("package", PACKAGE)
    signed = sign(KEY, PACKAGE, version, signed_at=NOW, **more)
    parameters = {"signed": as_query(signed), "percent": percent}
    return await client.post("/api/v1/agent-releases", params=parameters, content=package)


async def offered(api: Api, version: str = "0.1.0", secret: str = SECRET) -> httpx.Response:
    headers = {"X-Kiemke-Source": "s1", "Authorization": f"Bearer {secret}"}
    async with api.client() as client:
        return await client.get(
            "/api/v1/agent-update",
            params={"system": "debian-amd64", "version": version},
            headers=headers,
        )


async def test_an_agent_is_offered_the_newest_release_and_gets_it_whole(api: Api) -> None:
    async with await api.signed_in("admin") as client:
        assert (await publish(client)).status_code == 201
        assert (await publish(client, "0.10.0")).status_code == 201
    offer = (await offered(api)).json()
    headers = {"X-Kiemke-Source": "s1", "Authorization": f"Bearer {SECRET}"}
    async with api.client() as client:
        path = f"/api/v1/agent-update/{offer['release']}"
        parts = [await client.get(f"{path}/{number}", headers=headers) for number in (0, 1, 2)]
        far = [await client.get(f"{path}{n}", headers=headers) for n in (f"/{2**40}", f"{2**70}/0")]
    signed = read_signed(offer["signed"].encode())

    assert signed.manifest.version == "0.10.0"
    assert signed.is_by(public_of(KEY))
    assert [part.status_code for part in (*parts, *far)] == [200, 200, 404, 404, 404]
    assert parts[0].content + parts[1].content == PACKAGE
    assert (await offered(api, "0.10.0")).status_code == 204
    assert (await offered(api, secret="another")).status_code == 401
    assert (await offered(api, "nonsense")).status_code == 400


async def test_a_stage_reaches_its_share_and_a_withdrawn_release_nobody(api: Api) -> None:
    bucket = bucket_of("s1", "0.2.0")
    assert 1 <= bucket <= 98, "choose another version: this source is at the edge"
    async with await api.signed_in("admin") as client:
        made = (await publish(client, percent=bucket)).json()
        before = await offered(api)
        path = f"/api/v1/agent-releases/{made['id']}"
        known = datetime.fromtimestamp(api.clock.now_ms / 1000, UTC).isoformat()
        api.clock.now_ms += 1
        staged = await client.post(f"{path}/stage", json={"percent": bucket + 1})
        at_stage = await offered(api)
        withdrawn = await client.post(f"{path}/withdraw", json={"reason": "prints slowly"})
        after = await offered(api)
        again = await client.post(f"{path}/stage", json={"percent": 100})
        twice_over = await client.post(f"{path}/withdraw", json={"reason": "another"})
        earlier = (await client.get("/api/v1/agent-releases", params={"known_at": known})).json()
        part = await api.services.db.read("SELECT COUNT(*) AS n FROM agent_release_part")
        anew = await publish(client)
        twice = await publish(client)
        listed = (await client.get("/api/v1/agent-releases")).json()
        entries = (await client.get("/api/v1/audit", params={"q": "agent_release"})).json()

    assert [each.status_code for each in (before, at_stage, after)] == [204, 200, 204]
    assert (staged.json()["percent"], withdrawn.json()["reason"]) == (bucket + 1, "prints slowly")
    assert (again.status_code, twice_over.status_code, part[0]["n"]) == (409, 409, 0)
    assert [each["percent"] for each in earlier["items"]] == [None], "what it was is not kept"
    assert (anew.status_code, twice.status_code) == (201, 409)
    assert [each["withdrawn_at"] is None for each in listed["items"]] == [True, False]
    acts = [entry["act"] for entry in entries["items"]]
    assert sorted(act for act in acts if act.startswith("agent_release")) == [
        "agent_release.publish",
        "agent_release.publish",
        "agent_release.stage",
        "agent_release.withdraw",
    ]


async def test_how_far_a_release_is_follows_from_what_the_pcs_told(api: Api) -> None:
    """One that runs it, one that took it back, one that never took it; of another system none."""
    now = api.clock.now_ms
    async with await api.signed_in("admin") as client:
        made = (await publish(client)).json()
    async with api.services.db.transaction() as session:
        for source, version, family in (
            (1, "0.2.0", "linux"),
            (2, "0.1.0", "linux"),
            (3, "0.1.0", "linux"),
        ):
            for section, rows in (
                ("identity", f'[{{"agent_version":"{version}"}}]'),
                ("os", f'[{{"family":"{family}"}}]'),
            ):
                await insert(session, "source_section", source_id=source, section=section, status="ok",
                             rows_json=rows, observed_at_ms=now, changed_at_ms=now)  # fmt: skip
        detail = '{"outcome": "rolled_back", "version": "0.2.0", "reason": "it did not report"}'
        await insert(session, "source_event", source_id=2, at_ms=now + 1000, clock="sure",
                     name="update", detail_json=detail)  # fmt: skip
        await session.execute(
            "UPDATE source_now SET last_received_at_ms = :now", now=now + 3_600_000
        )
    path = f"/api/v1/agent-releases/{made['id']}/progress"
    async with await api.signed_in("admin") as client:
        soon = (await client.get(path)).json()
        async with api.services.db.transaction() as session:
            await session.execute(
                "UPDATE source_now SET last_received_at_ms = :now WHERE source_id = 3",
                now=now + 49 * 3_600_000,
            )
        late = (await client.get(path)).json()
        listed = (await client.get("/api/v1/agent-releases")).json()["items"][0]

    assert {name: n for name, n in soon["states"].items() if n} == {
        "running": 1, "rolled_back": 1, "waiting": 1,
    }  # fmt: skip
    assert soon["versions"] == {"0.2.0": 1, "0.1.0": 2}
    assert [(each["source"], each["state"], each["reason"]) for each in late["amiss"]] == [
        ("s2", "rolled_back", "it did not report"),
        ("s3", "stuck", None),
    ]
    assert (listed["for_pcs"], listed["running"], listed["amiss"]) == (3, 1, 2)


async def test_what_is_not_the_signed_package_or_is_over_is_refused(api: Api) -> None:
    async with await api.signed_in("admin") as client:
        other = await publish(client, package=PACKAGE[:-1] + b"x")
        api.clock.now_ms += 40 * 86_400_000
    async with await api.signed_in("admin") as client:
        late = await publish(client)
        none = await client.post(
            "/api/v1/agent-releases", params={"signed": "e30", "percent": 1}, content=b"x"
        )
        whole = await publish(client, percent=0)
    async with await api.signed_in("it") as client:
        forbidden = await publish(client)
    async with await api.signed_in("admin", 2) as client:
        of_a_unit = await publish(client)

    assert [each.status_code for each in (other, late, none, whole)] == [400, 400, 400, 400]
    assert (forbidden.status_code, of_a_unit.status_code) == (403, 403)
    assert await api.services.db.read("SELECT id FROM agent_release") == []


async def test_an_expired_release_is_offered_no_longer(api: Api) -> None:
    async with await api.signed_in("admin") as client:
        await publish(client, days=1)
    before = await offered(api)
    api.clock.now_ms += 2 * 86_400_000

    assert (before.status_code, (await offered(api)).status_code) == (200, 204)
