"""An agent as its site's probe: what it is told, what is taken from it, and who stands in for it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.wire.report import Body, Device, Reachability, Sample
from tests.support.api import Api, make_office, running_api, sha256_hex
from tests.support.reporting import Sender

INTERVAL_MS = 60_000
# The office's sources: agents s1 and s2 of a department, s3 of the commune; s4 is the district's collector.
AGENT, COLLECTOR = 3, 4
TARGET = 2  # of the commune's line


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        office.add_source(4, kind="collector")  # s5, of the commune, silent until it is asked
        await running.write(office)
        async with running.services.db.transaction() as session:
            await session.execute("UPDATE source SET state = 'pending' WHERE id = 5")
            await session.execute("UPDATE probe_target SET collector_id = 4")
            for number in range(1, 6):
                await session.execute(
                    "UPDATE source SET secret_sha256 = :sha WHERE id = :id",
                    sha=sha256_hex(f"secret {number}"),
                    id=number,
                )
        yield running


def sender(api: Api, number: int) -> Sender:
    return Sender(
        f"s{number}", source_id=number, secret=f"secret {number}",
        booted_ms=api.clock.now_ms - 86_400_000,
    )  # fmt: skip


async def post(api: Api, who: Sender, kind: str, body: Body) -> dict[str, Any]:
    """Send one report of this moment and return the server's answer."""
    now = api.clock.now_ms
    async with api.client() as client:
        answer = await client.post(
            "/api/v1/reports", content=who.post([who.report(kind, body, now)], now),
            headers=who.headers(),
        )  # fmt: skip
    said: dict[str, Any] = answer.json()
    assert answer.status_code == 200, said
    return said


async def switch(api: Api, ref: str, *, on: bool) -> tuple[int, dict[str, Any]]:
    async with await api.signed_in("it") as client:
        answer = await client.post(f"/api/v1/sources/{ref}/probe", json={"on": on})
    return answer.status_code, answer.json()


async def owner(api: Api) -> int:
    async with api.services.db.reading() as session:
        row = await session.one("SELECT collector_id FROM probe_target WHERE id = :id", id=TARGET)
    assert row is not None
    return int(row["collector_id"])


async def probed(api: Api, number: int) -> list[int]:
    """Return the targets a collector is told to probe."""
    headers = {"X-Kiemke-Source": f"s{number}", "Authorization": f"Bearer secret {number}"}
    async with api.client() as client:
        found = (await client.get("/api/v1/assignment", headers=headers)).json()
    return [each["target"] for each in found["probes"]]


async def test_the_named_agent_is_told_its_lines_targets_and_nobody_else_is(api: Api) -> None:
    status, told = await switch(api, f"s{AGENT}", on=True)
    api.clock.now_ms += 15_000  # a sender's row is remembered for ten seconds
    mine = await post(api, sender(api, AGENT), "sample", Sample(60.0))
    other = await post(api, sender(api, 1), "sample", Sample(60.0))

    assert (status, told["probes"], told["probe_since"] is None) == (200, 1, False)
    task = {"target": TARGET, "address": "198.51.100.2", "count": 5, "purpose": "isp"}
    assert mine["probes"] == [task]
    assert "probes" not in other
    assert await owner(api) == AGENT
    assert await probed(api, COLLECTOR) == [1]  # the other line stays the district's


async def test_its_rounds_give_the_line_figures_and_another_agents_are_set_aside(api: Api) -> None:
    await switch(api, f"s{AGENT}", on=True)
    round_ = Reachability(TARGET, 5, 4, 0.01, 0.012, 0.02, 0.004)
    taken = await post(api, sender(api, AGENT), "reachability", round_)
    refused = await post(api, sender(api, 1), "reachability", round_)

    assert taken["rejected"] == []
    assert "not assigned to this source" in refused["rejected"][0]["reason"]
    async with api.services.db.reading() as session:
        row = await session.one(
            "SELECT state, loss_ppm, rtt_seconds FROM link_now WHERE link_id = 2"
        )
    assert row is not None
    assert (row["state"], row["loss_ppm"], row["rtt_seconds"]) == ("up", 200_000, 0.012)


async def test_no_agent_says_anything_of_devices(api: Api) -> None:
    await switch(api, f"s{AGENT}", on=True)

    said = await post(api, sender(api, AGENT), "device", Device(2, "ok"))

    assert "may not say device" in said["rejected"][0]["reason"]


async def test_switched_off_the_collector_above_has_the_targets_again(api: Api) -> None:
    await switch(api, f"s{AGENT}", on=True)
    status, told = await switch(api, f"s{AGENT}", on=False)
    api.clock.now_ms += 15_000
    said = await post(api, sender(api, AGENT), "sample", Sample(60.0))

    assert (status, told["probes"], told["probe_since"]) == (200, 0, None)
    assert "probes" not in said
    assert await owner(api) == COLLECTOR
    assert await probed(api, COLLECTOR) == [1, TARGET]


async def test_a_collector_of_its_unit_stands_in_for_it_and_it_for_no_device(api: Api) -> None:
    await switch(api, f"s{AGENT}", on=True)
    async with api.services.db.transaction() as session:
        await session.execute("UPDATE source SET state = 'approved' WHERE id = 5")
        await session.execute("UPDATE device SET collector_id = 5 WHERE id = 2")
    who = sender(api, AGENT)
    api.clock.now_ms += 15_000
    await post(api, who, "sample", Sample(60.0))
    began = await probed(api, 5)
    api.clock.now_ms += 3 * INTERVAL_MS // 2
    over = await probed(api, 5)
    api.clock.now_ms += 1
    back = (await post(api, who, "sample", Sample(60.0)))["probes"]
    after = await probed(api, 5)
    async with api.services.db.reading() as session:
        leases = await session.fetch("SELECT name, holder FROM lease WHERE name LIKE 'collector:%'")

    assert (began, over, after) == ([], [TARGET], [])
    assert [task["target"] for task in back] == [TARGET]
    assert {row["name"]: row["holder"] for row in leases} == {"collector:5": "5"}


async def test_a_revoked_probe_probes_no_more(api: Api) -> None:
    await switch(api, f"s{AGENT}", on=True)
    async with await api.signed_in("it") as client:
        await client.post(f"/api/v1/sources/s{AGENT}/revoke")

    assert await owner(api) == COLLECTOR


@pytest.mark.parametrize("ref", ["s4", "s5"])
async def test_only_an_approved_agent_can_be_named(api: Api, ref: str) -> None:
    status, told = await switch(api, ref, on=True)

    assert (status, "tác tử đã duyệt" in told["detail"]) == (409, True), told
