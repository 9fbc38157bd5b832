"""An auditor has the log proved by the REST API, with a head that he kept himself."""

import string
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.server.audit_adopt import record_rows
from kiemke.server.domain.audit_chain import open_key, seal
from kiemke.server.domain.audit_words import FAULTS
from kiemke.server.ledgers import LEDGER_TABLES
from tests.support.api import Api, make_office, running_api

PAPER = {"day": "2026-03-02", "instrument": "7/QĐ"}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A district U1 with its commune U4."""
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def sealed(api: Api) -> None:
    key = open_key(api.services.settings.data_dir / "audit")
    async with api.services.db.transaction() as session:
        await seal(session, key, api.clock.now_ms)


async def run(api: Api, statement: str) -> None:
    async with api.services.db.transaction() as session:
        await session.execute(statement)


async def adopt(api: Api) -> None:
    """Take all that a test wrote without words into the log."""
    async with api.services.db.transaction() as session:
        await record_rows(session, LEDGER_TABLES, "ledger.adopt", "1/QĐ", api.clock.now_ms)


async def verified(client: httpx.AsyncClient, anchors: list[Any], language: str = "en") -> Any:
    answer = await client.post(
        "/api/v1/audit/verify", json={"anchors": anchors}, headers={"Accept-Language": language}
    )
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_a_kept_head_shows_that_the_tail_was_cut(api: Api) -> None:
    async with await api.signed_in("admin") as chief, await api.signed_in("auditor") as auditor:
        none = await auditor.get("/api/v1/audit/anchor")
        await adopt(api)
        broken = {"status": "broken", **PAPER}
        acted = await chief.post("/api/v1/assets/A3/status?apply=true", json=broken)
        await sealed(api)
        kept = (await auditor.get("/api/v1/audit/anchor")).json()
        before = await verified(auditor, [kept])
        forged = await verified(auditor, [{**kept, "chain_sha256": "0" * 64}])
        # Whoever holds the database takes the last act away, and the sealer goes on.
        await run(api, "DELETE FROM audit_link WHERE entry_id = (SELECT MAX(id) FROM audit_entry)")
        await run(api, "DELETE FROM audit_entry WHERE id = (SELECT MAX(id) FROM audit_entry)")
        await sealed(api)
        unknowing = await verified(auditor, [])
        after = await verified(auditor, [kept], "vi")

    assert none.status_code == 404 and acted.status_code == 200
    assert (before["is_whole"], before["faults"], before["fault_count"]) == (True, [], 0)
    assert before["checked"] == kept["place"]
    assert {fault["code"] for fault in forged["faults"]} == {"anchor_differs", "anchor_signature"}
    told = {fault["code"]: fault for fault in after["faults"]}
    assert told["tail_cut"]["place"] == kept["place"]
    assert told["tail_cut"]["what"] == "mốc neo chỉ vào mục không còn: phần cuối đã bị cắt"
    assert "tail_cut" not in {fault["code"] for fault in unknowing["faults"]}
    assert not unknowing["is_whole"], "the ledger's rows still tell of what nobody entered"


async def test_who_sees_some_units_proves_nothing_about_the_whole(api: Api) -> None:
    async with await api.signed_in("auditor", unit_id=4) as commune:
        answers = [
            await commune.get("/api/v1/audit/anchor"),
            await commune.post("/api/v1/audit/verify", json={"anchors": []}),
        ]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_every_fault_names_the_same_in_both_languages() -> None:
    for english, vietnamese in FAULTS.values():
        names = [
            {name for _, name, _, _ in string.Formatter().parse(text) if name}
            for text in (english, vietnamese)
        ]
        assert names[0] == names[1]
