"""Coverage of a day as it was known then and as it is known now: each late entry that moved it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import Api, make_office, running_api
from tests.support.office import MOMENT_MS

DAY, PAPER = "2026-03-01", "7/QĐ"


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        office.add_official(4)  # P4 has no PC
        stock = office.add_asset()
        office.add_custody(stock, 4)
        await running.write(office)
        yield running


async def diff(api: Api, query: str = "", unit_id: int | None = None) -> Any:
    known = MOMENT_MS // 1000
    async with await api.signed_in("auditor", unit_id) as client:
        answer = await client.get(f"/api/v1/coverage/diff?as_of={DAY}&known_at={known}{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def act(api: Api, token: str, path: str, **body: Any) -> None:
    api.clock.now_ms += 3_600_000
    async with api.client(token) as client:
        answer = await client.post(f"/api/v1/{path}?apply=true", json={"instrument": PAPER, **body})
    assert answer.status_code == 200, answer.text


async def test_nothing_entered_late_moves_nothing(api: Api) -> None:
    told = await diff(api)

    assert (told["entries"], told["by_evidence"]) == ([], [])
    assert told["before"]["states"] == told["after"]["states"]
    assert told["before"]["officials"] == 4


async def test_each_late_entry_is_named_with_who_when_paper_and_whom_it_moved(api: Api) -> None:
    """A retirement, an absence and a hand-over entered late; a change of post moves no figure."""
    token = await api.token("it", name="lan")
    await act(api, token, "officials/P1/acts", act="retire", day="2026-02-15")
    await act(api, token, "officials/P2/acts", act="absent", reason="study", day="2026-02-01")
    await act(api, token, "officials/P3/acts", act="post", post="Kế toán", day="2026-02-01")
    await act(
        api, token, "handovers",
        giver={"unit": "U4"}, receiver={"official": "P4"}, day="2026-02-20", assets=["A4"],
    )  # fmt: skip

    told = await diff(api)
    moved = {
        (entry["what"], entry["act"]): [
            (one["official"]["code"], one["before"], one["after"]) for one in entry["moved"]
        ]
        for entry in told["entries"]
    }

    assert moved == {
        ("membership", "voided"): [("P1", "silent", "outside")],
        ("absence", "entered"): [("P2", "silent", "excluded")],
        ("custody", "voided"): [("P4", "no_pc", "unmatched")],
        ("custody", "entered"): [("P4", "no_pc", "unmatched")],
    }
    assert {(e["who"], e["late"]) for e in told["entries"]} == {("lan", True)}
    assert {e["instrument"] for e in told["entries"]} == {PAPER}
    assert [e["at"] for e in told["entries"]] == sorted(e["at"] for e in told["entries"])
    assert (told["before"]["officials"], told["after"]["officials"]) == (4, 2)
    assert told["after"]["states"]["unmatched"] == 1
    assert told["by_evidence"] == []


async def test_between_two_days_what_was_entered_in_time_is_not_late(api: Api) -> None:
    token = await api.token("it", name="lan")
    await act(api, token, "officials/P1/acts", act="retire", day="2026-02-15")
    known = f"&known_at={api.clock.now_ms // 1000 + 1}"

    async with await api.signed_in("auditor") as client:
        told = (
            await client.get(f"/api/v1/coverage/diff?as_of=2026-02-01{known}&and_as_of={DAY}")
        ).json()

    assert [(e["what"], e["late"]) for e in told["entries"]] == [("membership", False)]
    assert told["entries"][0]["moved"][0]["after"] == "outside"


async def test_whoever_is_limited_to_a_unit_learns_of_its_people_alone(api: Api) -> None:
    token = await api.token("it", name="lan")
    await act(api, token, "officials/P1/acts", act="retire", day="2026-02-15")
    await act(api, token, "officials/P3/acts", act="retire", day="2026-02-15")

    told = await diff(api, unit_id=4)
    codes = {one["official"]["code"] for entry in told["entries"] for one in entry["moved"]}

    assert codes == {"P3"}
    assert told["before"]["officials"] == 2
