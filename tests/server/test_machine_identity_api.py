"""Why, merge, unmerge, apart and shared adapters by REST: a dry run first, and only one's own machines."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiemke.server.domain.identity_now import Resolver
from kiemke.server.resources.machines import _system_name
from tests.support.api import Api, running_api
from tests.support.office import MOMENT_MS, Office

DOCK = "0050B6123456"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Three PCs: two of unit 2, one of unit 3; two of them sat at one dock."""
    office = Office()
    office.add_unit()
    for unit in (office.add_unit(1), 2, office.add_unit(1)):
        source = office.add_source(unit, heard_ms=MOMENT_MS)
        system = {"serial": f"SERIAL-{source}", "uuid": None}
        office.add_section(source, "system", [system], MOMENT_MS)
        adapter = {"kind": "usb", "permanent_mac": DOCK if source < 3 else None}
        office.add_section(source, "adapters", [adapter], MOMENT_MS)
    async with running_api(database_url, tmp_path) as running:
        await running.write(office)
        await Resolver(running.services.db).run(MOMENT_MS - 1000)
        yield running


async def test_a_dry_run_changes_nothing_and_unmerge_restores_what_was(api: Api) -> None:
    async with await api.signed_in("it") as client:
        path, body = "/api/v1/machines/1", {"other": "2", "reason": "cùng một máy"}
        dry = (await client.post(f"{path}/merge", json=body)).json()
        before = (await client.get(f"{path}/why")).json()
        api.clock.now_ms += 1000
        done = (await client.post(f"{path}/merge?apply=true", json=body)).json()
        merged = (await client.get(f"{path}/why")).json()
        gone = await client.get("/api/v1/machines/2")
        api.clock.now_ms += 1000
        undone = (await client.post(f"{path}/unmerge?apply=true", json={"other": "2"})).json()
        after = (await client.get(f"{path}/why")).json()

    assert (dry["applied"], [s["source"] for s in dry["sources"]]) == (False, ["s2"])
    assert (done["applied"], undone["applied"]) == (True, True)
    assert [m["source"] for m in merged["members"]] == ["s1", "s2"]
    assert merged["members"][1]["decided_by"] == "merge"
    assert gone.status_code == 404
    assert after["members"] == before["members"]
    assert after["decisions"][0]["undone_at"] is not None


async def test_why_names_each_value_its_points_and_where_else_it_stands(api: Api) -> None:
    async with await api.signed_in("auditor") as client:
        found = (await client.get("/api/v1/machines/1/why")).json()

    values = {(v["kind"], v["value"]): (v["points"], v["why_worthless"]) for v in found["values"]}
    assert values == {
        ("system", "SERIAL1"): (40, None),
        ("plugged", DOCK): (0, "shared_adapter"),
    }


async def test_shared_adapters_are_listed_with_their_machines(api: Api) -> None:
    async with await api.signed_in("auditor") as client:
        found = (await client.get("/api/v1/shared-adapters")).json()

    assert [(row["mac"], row["machines"]) for row in found["items"]] == [(DOCK, [1, 2])]


async def test_nobody_decides_on_a_machine_out_of_his_units(api: Api) -> None:
    async with await api.signed_in("it", 2) as client:
        other = await client.post("/api/v1/machines/1/merge", json={"other": "3"})
        mine = await client.post("/api/v1/machines/1/merge?apply=true", json={"other": "2"})
        listed = await client.get("/api/v1/shared-adapters")
    async with await api.signed_in("it", 3) as client:
        foreign = await client.get("/api/v1/machines/1/why")

    assert (other.status_code, mine.status_code) == (404, 200)
    assert (listed.status_code, foreign.status_code) == (403, 404)


async def test_two_told_apart_are_on_record_and_themselves_refused(api: Api) -> None:
    async with await api.signed_in("it") as client:
        done = await client.post("/api/v1/machines/1/apart?apply=true", json={"other": "3"})
        itself = await client.post("/api/v1/machines/1/apart?apply=true", json={"other": "1"})
        why = (await client.get("/api/v1/machines/3/why")).json()

    assert (done.status_code, itself.status_code) == (200, 422)
    assert [(d["kind"], d["machine"], d["other"]) for d in why["decisions"]] == [("apart", 1, 3)]


@pytest.mark.parametrize(
    ("name", "version", "told"),
    [
        ("Debian GNU/Linux 12 (bookworm)", "12", "Debian GNU/Linux 12 (bookworm)"),
        ("Windows 10 Pro", "10.0.19045", "Windows 10 Pro 10.0.19045"),
        ("Debian GNU/Linux", "1", "Debian GNU/Linux 1"),
        (None, "12", "12"),
        (None, None, None),
    ],
)
def test_a_systems_version_is_told_once(
    name: str | None, version: str | None, told: str | None
) -> None:
    assert _system_name(name, version) == told
