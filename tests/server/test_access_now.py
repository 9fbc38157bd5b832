"""Who can get into devices, as findings: opened while it is so, closed when it is not."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiemke.server.db import Session
from kiemke.server.domain import access_now
from tests.support.api import Api, make_office, running_api


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The district: SW-01 (192.0.2.1, of U1) and SW-02 (of the commune U4)."""
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def nobody(session: Session) -> None:
    """Guard nothing: no leader is elected here."""


async def found(api: Api) -> dict[tuple[str, str], str]:
    await access_now.run(api.services.db, api.clock.now_ms, nobody)
    rows = await api.services.db.read(
        "SELECT kind, subject, detail FROM finding WHERE closed_at_ms IS NULL"
    )
    return {(row["kind"], row["subject"]): row["detail"] for row in rows}


async def test_a_secret_of_several_sites_is_one_until_each_has_its_own(api: Api) -> None:
    secret = {
        "name": "default", "unit": "U1", "kind": "snmp",
        "values": {"version": "2c", "community": "x9-long-enough"},
    }  # fmt: skip
    async with await api.signed_in("it") as client:
        for unit in ("U1", "U4"):
            body = {"unit": unit, "subnet": "192.0.2.0/24"}
            assert (await client.post("/api/v1/site-subnets", json=body)).status_code == 201
        await client.post("/api/v1/secrets", json=secret)
        shared = await found(api)
        await client.post("/api/v1/secrets", json={**secret, "unit": "U4"})
        apart = await found(api)

    assert shared == {("secret_shared", "secret:1"): "snmp default · U1, U4 | kiemke secret add"}
    assert apart == {}


async def test_secrets_that_write_or_that_everybody_tries(api: Api) -> None:
    async with await api.signed_in("it") as client:
        for name, kind, values, can_change in (
            ("rw", "snmp", {"version": "2c", "community": "x9-long-enough"}, True),
            ("ro", "snmp", {"version": "2c", "community": "public"}, False),
            ("root", "ssh", {"user": "root", "password": "x9-long-enough"}, None),
        ):
            body = {
                "name": name, "unit": "U1", "kind": kind, "values": values,
                "can_change": can_change,
            }  # fmt: skip
            assert (await client.post("/api/v1/secrets", json=body)).status_code == 201
        seen = await found(api)
        await client.delete("/api/v1/secrets/rw")
        after = await found(api)

    assert seen == {
        ("snmp_may_write", "secret:1"): "snmp rw | kiemke secret rotate 1",
        ("secret_well_known", "secret:2"): "snmp ro | kiemke secret rotate 2",
        ("ssh_may_configure", "secret:3"): "ssh root | kiemke secret rotate 3",
    }
    assert seen.keys() - after.keys() == {("snmp_may_write", "secret:1")}


async def test_what_a_devices_own_configuration_shows(api: Api) -> None:
    async with api.services.db.transaction() as session:
        await session.execute(
            "INSERT INTO device_ssh (device_id, source_id, platform, outcome, user_name,"
            " may_configure, snmp_writers, visited_at_ms)"
            " VALUES (1, 4, 'cisco_ios', 'ok', 'kiemke', :may, 2, 1)",
            may=True,
        )
    seen = await found(api)
    async with api.services.db.transaction() as session:
        await session.execute(
            "UPDATE device_ssh SET may_configure = :may, snmp_writers = 0", may=False
        )

    assert seen == {
        ("snmp_may_write", "device:SW-01"): "SNMP RW: 2 | kiemke device config show SW-01",
        ("ssh_may_configure", "device:SW-01"): "kiemke | kiemke device show SW-01",
    }
    assert await found(api) == {}


async def test_a_device_outside_its_sites_subnets(api: Api) -> None:
    async with await api.signed_in("it") as client:
        before = await found(api)
        await client.post("/api/v1/site-subnets", json={"unit": "U1", "subnet": "10.9.0.0/16"})
        after = await found(api)

    assert before == {}
    assert after[("device_outside", "device:SW-01")] == "192.0.2.1 | kiemke site subnet list"
