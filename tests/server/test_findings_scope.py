"""Findings are seen by who may see all that they name, and by nobody else below."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kiemke.server.db import Session
from kiemke.server.domain import findings_now
from kiemke.server.domain.findings import Found, open_finding
from kiemke.server.domain.quarantine import let_in, set_aside
from kiemke.server.domain.scope import common_unit
from tests.support.api import Api, running_api
from tests.support.office import MOMENT_MS, Office

VI, EN = {"Accept-Language": "vi"}, {"Accept-Language": "en"}


async def nothing(session: Session) -> None:
    """Let it write: no other leader is about."""


def make_tree() -> Office:
    """Return a district (1) of two communes (2, 3), each with an office below (4, 5)."""
    office = Office()
    district = office.add_unit(name="Huyện")
    for name in ("Xã Một", "Xã Hai"):
        office.add_unit(district, name=name)
    office.add_unit(2, name="Văn phòng một")
    office.add_unit(3, name="Văn phòng hai")
    return office


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_tree())
        yield running


async def subjects(api: Api, unit_id: int | None, query: str = "") -> list[str]:
    async with await api.signed_in("auditor", unit_id) as client:
        answer = await client.get(f"/api/v1/findings{query}")
        assert answer.status_code == 200, answer.text
        items = answer.json()["items"]
        assert answer.json()["total"] == len(items)
        return sorted(item["subject"] for item in items)


@pytest.mark.parametrize(
    ("units", "common"),
    [
        ([4], 4), ([4, 4], 4), ([2, 4], 2), ([4, 5], 1), ([2, 3, 4], 1), ([], None), ([None], None),
        ([4, None], None), ([4, 9], None), ([6, 7], 6),
    ],
)  # fmt: skip
def test_the_common_unit_is_the_lowest_that_reaches_all(
    units: list[int | None], common: int | None
) -> None:
    parents = {1: None, 2: 1, 3: 1, 4: 2, 5: 3, 9: None, 6: 7, 7: 6}  # 6 and 7: a ring, cut

    assert common_unit(parents, units) in ({6, 7} if common == 6 else {common})


async def test_each_sees_the_findings_of_his_own_subtree_alone(api: Api) -> None:
    async with api.services.db.transaction() as session:
        for subject, units in (
            ("a", [4]), ("b", [5]), ("across", [4, 5]), ("none", []), ("unknown", [4, None])
        ):  # fmt: skip
            await open_finding(session, Found("clone", subject, "x", None, units), MOMENT_MS)

    everything = await subjects(api, None)
    shown = {unit: await subjects(api, unit) for unit in (1, 2, 3, 4)}
    below = await subjects(api, None, "?unit=U2")

    assert everything == ["a", "across", "b", "none", "unknown"]
    assert shown == {1: ["a", "across", "b"], 2: ["a"], 3: ["b"], 4: ["a"]}
    assert below == ["a"]


async def test_a_renewed_finding_moves_with_what_it_names(api: Api) -> None:
    for units in ([4], [5]):
        async with api.services.db.transaction() as session:
            await open_finding(session, Found("clone", "a", "x", None, units), MOMENT_MS)

    assert (await subjects(api, 2), await subjects(api, 3)) == ([], ["a"])


async def test_a_pc_seen_elsewhere_is_told_to_who_may_see_both_places(api: Api) -> None:
    office = Office()
    source = office.add_source(5, heard_ms=MOMENT_MS)
    office.add_match(office.add_pc(4), source)
    await api.write(office)
    await findings_now.run(api.services.db, MOMENT_MS, nothing)

    query = "?kind=elsewhere"
    shown = {unit: await subjects(api, unit, query) for unit in (None, 1, 2, 3)}

    assert shown == {None: ["asset:A1"], 1: ["asset:A1"], 2: [], 3: []}


async def test_a_finding_is_told_in_the_language_asked_for(api: Api) -> None:
    async with api.services.db.transaction() as session:
        await open_finding(session, Found("clone", "a", "two PCs", "hai máy", [4]), MOMENT_MS)
        await open_finding(session, Found("elsewhere", "b", "pc-1 · U2", None, [4]), MOMENT_MS)

    told = {}
    async with await api.signed_in("auditor", 2) as client:
        for name, language in (("vi", VI), ("en", EN)):
            items = (await client.get("/api/v1/findings", headers=language)).json()["items"]
            told[name] = [item["detail"] for item in items]

    assert told == {"vi": ["pc-1 · U2", "hai máy"], "en": ["pc-1 · U2", "two PCs"]}


async def test_setting_aside_and_letting_in_are_in_the_audit_log(api: Api) -> None:
    office = Office()
    for state in ("approved", "pending", "revoked"):
        office.add_source(4, state=state)
    await api.write(office)
    async with api.services.db.transaction() as session:
        found = await set_aside(session, (1, 2, 3), "same evidence: x", "identity", MOMENT_MS)
        await let_in(session, 1, "approved", "same evidence", "identity", MOMENT_MS)
        await let_in(session, 2, "pending", "boots", "identity", MOMENT_MS)
    states = await api.services.db.read("SELECT state FROM source ORDER BY id")
    entries = await api.services.db.read("SELECT entry FROM audit_entry ORDER BY id")
    told = [json.loads(bytes(row["entry"])) for row in entries]

    assert found == [1, 2]
    assert [row["state"] for row in states] == ["approved", "quarantined", "revoked"]
    assert [(e["who"], e["act"], json.dumps(e["before"])) for e in told] == [
        ("identity", "source.quarantine", '{"state": "approved"}'),
        ("identity", "source.quarantine", '{"state": "pending"}'),
        ("identity", "source.release", '{"state": "quarantined"}'),
    ]
