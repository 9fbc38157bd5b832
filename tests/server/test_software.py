"""Programs under one plain name: in the catalogue, at each machine, and listed with their machines."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.ingest import software_rows
from tests.support.api import Api, make_office, running_api

ZALO = {"name": "Zalo 24.1", "version": "24.1", "publisher": "VNG Corp."}
FIREFOX = {
    "name": "Mozilla Firefox 57.0.2 (fr)", "version": "57.0.2", "publisher": "Mozilla Corporation",
    "architecture": "x86_64", "origin": "registry", "installed_on": "2026-01-02", "size_bytes": 1024,
}  # fmt: skip


async def save(database: Database, software: dict[int, list[dict[str, Any]]]) -> None:
    async with database.transaction() as session:
        await software_rows.save(session, software)


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """An office in which source 1 is in U2, source 3 in U4, both on machines."""
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def get(api: Api, path: str, unit_id: int | None = None, **params: Any) -> Any:
    async with await api.signed_in("auditor", unit_id) as client:
        return (await client.get(f"/api/v1/{path}", params=params)).json()


async def test_versions_of_one_program_are_counted_together(api: Api) -> None:
    newer = {"name": "Mozilla Firefox (x64 vi)", "version": "120.0", "publisher": "Mozilla"}
    fix = {"name": "Fix for Zalo (KB2494150)", "kind": "update"}
    await save(api.services.db, {1: [FIREFOX, fix, {**ZALO, "user": "an"}], 3: [newer]})
    listed = await get(api, "software")
    firefox = next(one for one in listed["items"] if one["plain_name"] == "mozilla firefox")
    machines = await get(api, f"software/{firefox['id']}/machines")
    with_parts = await get(api, "software", parts="true")

    assert [one["plain_name"] for one in listed["items"]] == ["mozilla firefox", "zalo"]
    assert (firefox["plain_publisher"], firefox["versions"], firefox["machines"]) == (
        "mozilla",
        2,
        2,
    )
    assert [(m["hostname"], m["version"], m["installed_on"]) for m in machines["items"]] == [
        ("pc-1", "57.0.2", "2026-01-02"), ("pc-3", "120.0", None),
    ]  # fmt: skip
    assert with_parts["total"] == 3
    assert (await get(api, "software/zalo"))["id"] != firefox["id"]


async def test_a_units_auditor_counts_the_machines_in_sight_alone(api: Api) -> None:
    await save(api.services.db, {1: [FIREFOX, ZALO], 3: [FIREFOX]})
    whole, commune = await get(api, "software"), await get(api, "software", 4)
    zalo = next(one for one in whole["items"] if one["plain_name"] == "zalo")

    assert [(one["plain_name"], one["machines"]) for one in commune["items"]] == [
        ("mozilla firefox", 1)
    ]
    assert (await get(api, f"software/{zalo['id']}/machines", 4))["status"] == 404
    assert (await get(api, "software/zalo", 4))["status"] == 404


async def test_a_machine_shows_what_is_said_of_each_copy(api: Api) -> None:
    fix = {"name": "Fix", "kind": "component"}
    await save(api.services.db, {1: [fix, {**ZALO, "user": "an"}, FIREFOX]})
    async with api.services.db.transaction() as session:
        await session.execute(
            "INSERT INTO source_section (source_id, section, status, observed_at_ms, changed_at_ms)"
            " VALUES (1, 'software', 'ok', 1, 1)"
        )
    rows = (await get(api, "machines/1"))["sections"]["software"]["rows"]

    assert [(row["name"], row["kind"], row["user"]) for row in rows] == [
        ("Mozilla Firefox 57.0.2 (fr)", None, None), ("Zalo 24.1", None, "an"), ("Fix", "component", None),
    ]  # fmt: skip
    assert (rows[0]["plain_name"], rows[0]["size_bytes"]) == ("mozilla firefox", 1024)


async def test_what_changed_of_a_copy_is_written_and_what_is_gone_is_taken_away(api: Api) -> None:
    database = api.services.db
    await save(database, {1: [ZALO, FIREFOX]})
    await save(database, {1: [{**FIREFOX, "installed_on": "2026-03-04"}]})
    # Two accounts have it, then everybody.
    await save(database, {3: [{**ZALO, "user": "b"}, {**ZALO, "user": "a"}]})
    sql = (
        "SELECT t.name, x.installed_on, x.account FROM source_software x"
        " JOIN software_title t ON t.id = x.title_id WHERE x.source_id = :source"
    )
    first, third = await database.read(sql, source=1), await database.read(sql, source=3)
    await save(database, {3: [{**ZALO, "user": "b"}, ZALO]})

    assert [tuple(row.values()) for row in first] == [(FIREFOX["name"], "2026-03-04", None)]
    assert [row["account"] for row in third] == ["a, b"]
    assert [row["account"] for row in await database.read(sql, source=3)] == [None]


async def test_titles_of_an_earlier_version_are_given_plain_words(api: Api) -> None:
    database = api.services.db
    async with database.transaction() as session:
        await session.execute(
            "INSERT INTO software_title (name, version, publisher) VALUES ('WinRAR 6.24 (64-bit)', '6.24', '')"
        )
    await save(database, {1: [ZALO]})
    rows = await database.read("SELECT plain_name, plain_publisher FROM software_title ORDER BY id")

    assert [tuple(row.values()) for row in rows] == [("winrar", None), ("zalo", "vng")]
