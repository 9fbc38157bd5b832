"""Configurations and host keys by REST: which version is asked for, who may, what a collector is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.domain import device_configs, host_keys
from kiemke.wire.host_key import shown
from tests.server.test_device_config import KEY, OTHER_KEY
from tests.support.api import Api, make_office, running_api, sha256_hex

DAY = 86_400_000


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The district; its collector s4 visited SW-01 (of U1) three times."""
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        now = running.clock.now_ms
        async with running.services.db.transaction() as session:
            await session.execute(
                "UPDATE source SET secret_sha256 = :sha WHERE id = 4", sha=sha256_hex("secret")
            )
            await session.execute("UPDATE device SET collector_id = 4")
            device = await session.one("SELECT id, unit_id FROM device WHERE code = 'SW-01'")
            assert device is not None
            for text, days in (("a\nb\n", 9), ("a\nc\n", 5), ("a\nc\nd\n", 1)):
                fetched = device_configs.Fetched(
                    device["id"], "SW-01", device["unit_id"], 4, "cisco_ios",
                    sha256(text.encode()).hexdigest(), text, 2, now - days * DAY,
                )  # fmt: skip
                await device_configs.keep(session, fetched, now - days * DAY)
            for key, refused in ((KEY, False), (OTHER_KEY, True)):
                seen = host_keys.Shown(
                    device["id"], "SW-01", device["unit_id"], 4, key, now - DAY, refused
                )
                await host_keys.note(session, seen, now - DAY)
        yield running


def day(api: Api, ago: int) -> str:
    moment = datetime.fromtimestamp(api.clock.now_ms / 1000, UTC) + timedelta(hours=7)
    return (moment - timedelta(days=ago)).date().isoformat()


async def test_a_version_is_found_by_number_by_day_and_as_it_was_known(api: Api) -> None:
    base = "/api/v1/devices/SW-01/configs"
    async with await api.signed_in("it") as client:
        listed = (await client.get(base)).json()["items"]
        earlier = (await client.get(f"{base}?as_of={day(api, 3)}")).json()["items"]
        texts = [
            (await client.get(f"{base}/{version}")).json()["text"]
            for version in ("latest", listed[2]["id"], day(api, 5), f"latest?as_of={day(api, 7)}")
        ]
        missing = [
            (await client.get(f"{base}/{version}")).status_code
            for version in ("0", "x", day(api, 20), "latest?known_at=2020-01-01T00:00:00Z")
        ]

    assert [each["lines"] for each in listed] == [3, 2, 2]
    assert [each["id"] for each in earlier] == [each["id"] for each in listed[1:]]
    assert texts == ["a\nc\nd\n", "a\nb\n", "a\nc\n", "a\nb\n"]
    assert missing == [404] * 4


async def test_what_changed_is_told_between_any_two(api: Api) -> None:
    base = "/api/v1/devices/SW-01/config-diff"
    async with await api.signed_in("it") as client:
        last = (await client.get(base)).json()
        whole = (await client.get(f"{base}?before={day(api, 9)}&after={day(api, 1)}")).json()
        same = (await client.get(f"{base}?before=latest")).json()

    assert last["lines"] == ["@@ -1,2 +1,3 @@", " a", " c", "+d"]
    assert whole["lines"] == ["@@ -1,2 +1,3 @@", " a", "-b", "+c", "+d"]
    assert (whole["before"]["masked"], same["lines"]) == (2, [])


async def test_configurations_are_for_it_of_the_devices_unit(api: Api) -> None:
    answers: dict[str, list[int]] = {}
    for role, root in (("viewer", None), ("it", 4), ("it", None)):
        asked = await api.signed_in(role) if root is None else await api.signed_in(role, root)
        async with asked as client:
            answers[f"{role} {root}"] = [
                (await client.get("/api/v1/devices/SW-01/configs")).status_code,
                (await client.get("/api/v1/devices/SW-01/host-keys")).status_code,
                (await client.post("/api/v1/devices/SW-01/host-key", json={})).status_code,
            ]

    assert answers == {
        "viewer None": [403] * 3,
        "it 4": [404] * 3,
        "it None": [200] * 3,
    }


async def tell(api: Api) -> dict[str, Any]:
    headers = {"X-Kiemke-Source": "s4", "Authorization": "Bearer secret"}
    async with api.client() as client:
        found = (await client.get("/api/v1/assignment", headers=headers)).json()
    return dict(found["devices"][0])


async def test_an_accepted_key_goes_to_the_collector_and_into_the_audit_log(api: Api) -> None:
    before = await tell(api)
    async with await api.signed_in("it") as client:
        wrong = await client.post(
            "/api/v1/devices/SW-01/host-key", json={"host_key": "SHA256:other"}
        )
        done = await client.post(
            "/api/v1/devices/SW-01/host-key",
            json={"host_key": shown(OTHER_KEY).partition(" ")[2]},
        )
        again = await client.post("/api/v1/devices/SW-01/host-key", json={})
        listed = (await client.get("/api/v1/devices/SW-01/host-keys")).json()["items"]
    after = await tell(api)
    async with await api.signed_in("auditor") as client:
        audit = (await client.get("/api/v1/audit")).text

    assert (wrong.status_code, done.status_code, again.status_code) == (404, 200, 404)
    assert (before["host_key"], after["host_key"]) == (KEY, OTHER_KEY)
    assert done.json()["before"] == shown(KEY)
    assert {(each["host_key"], each["state"]) for each in listed} == {
        (shown(OTHER_KEY), "pinned"),
        (shown(KEY), "ended"),
    }
    assert "device.host_key" in audit and shown(OTHER_KEY).partition(":")[2] in audit


async def test_how_a_device_is_visited_is_set_and_told_to_its_collector(api: Api) -> None:
    async with await api.signed_in("it") as client:
        bad = [
            (await client.patch("/api/v1/devices/SW-01", json=body)).status_code
            for body in ({"ssh_platform": "draytek"}, {"ssh_port": 0}, {"ssh_visit_hours": -1})
        ]
        default = await tell(api)
        body = {"ssh_platform": "cisco_ios", "ssh_port": 2222, "ssh_visit_hours": 6}
        changed = (await client.patch("/api/v1/devices/SW-01", json=body)).json()
    told = await tell(api)

    assert bad == [400] * 3
    assert (default["ssh_platform"], default["ssh_port"], default["ssh_visit_seconds"]) == (
        None, 22, 86_400,
    )  # fmt: skip
    assert (changed["ssh_platform"], changed["ssh_visit_hours"]) == ("cisco_ios", 6)
    assert (told["ssh_platform"], told["ssh_port"], told["ssh_visit_seconds"]) == (
        "cisco_ios", 2222, 21_600,
    )  # fmt: skip
