"""Surveys by hand: a file becomes evidence of one day, once, on the machine it belongs to."""

import base64
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.coverage import recount
from kiemke.server.domain.identity_now import Resolver
from tests.support import surveys
from tests.support.api import Api, make_office, running_api
from tests.support.office import MOMENT_MS, TUESDAY


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """A district with a PC on the book that may carry no agent, serial 7XK2M93, held by one of U4."""
    async with running_api(database_url, tmp_path) as running:
        office = make_office()
        holder = office.add_official(4)
        office.add_pc(
            4, holder, code="PC-42", no_agent_reason="off_network", serial="7XK2M93",
            serial_key="7XK2M93",
        )  # fmt: skip
        await running.write(office)
        yield running


async def post(
    api: Api, *files: bytes, unit: str = "U4", apply: bool = True, unit_id: int | None = None
) -> tuple[int, Any]:
    body = {
        "unit": unit,
        "taken_by": "Trần Bình",
        "files": [
            {"name": f"pc-{n}.kiemke.txt", "content": base64.b64encode(data).decode()}
            for n, data in enumerate(files)
        ],
    }
    async with await api.signed_in("it", unit_id) as client:
        answer = await client.post("/api/v1/machines/surveys", json=body, params={"apply": apply})
    return answer.status_code, answer.json()


async def count(database: Database, table: str) -> int:
    return int((await database.read(f"SELECT COUNT(*) AS n FROM {table}"))[0]["n"])  # noqa: S608


async def test_a_file_is_shown_first_then_kept_once(api: Api) -> None:
    database = api.services.db
    before = await count(database, "source")
    shown = await post(api, surveys.by_powershell(), apply=False)
    after_showing = await count(database, "source")
    # A PC with more than a small request may hold.
    large = surveys.by_powershell().replace(b"end\r\n", b"note|" + b"x" * 80_000 + b"\r\nend\r\n")
    first = await post(api, large)
    # The same PC's file written anew by hand: other line ends, the same words.
    second = await post(api, surveys.by_powershell().replace(b"\r\n", b"\n"))
    async with await api.signed_in("auditor") as client:
        listed = (await client.get("/api/v1/machines/surveys")).json()
        audit = (await client.get("/api/v1/audit")).json()

    assert shown[1]["items"][0] | {"source": None} == {
        "file": "pc-0.kiemke.txt", "outcome": "new", "day": "2026-02-20", "hostname": "PC-KETOAN",
        "system": "Dell Inc. OptiPlex 380", "serial": "7XK2M93", "disks": 2, "monitors": 1,
        "source": None,
    }  # fmt: skip
    assert (after_showing - before, await count(database, "source") - before) == (0, 1)
    assert (first[1]["items"][0]["outcome"], second[1]["items"][0]["outcome"]) == ("new", "same")
    assert first[1]["items"][0]["source"] == second[1]["items"][0]["source"]
    assert [(one["day"], one["taken_by"]) for one in listed["items"]] == [
        ("2026-02-20", "Trần Bình")
    ]
    acts = [entry["act"] for entry in audit["items"]]
    assert acts.count("machine.import") == 1, "what changed nothing has no entry"


async def test_it_is_matched_by_its_serial_and_covers_its_holder_for_a_year_from_that_day(
    api: Api,
) -> None:
    """A PC that may carry no agent: evidence of the day of the survey, not of the import."""
    database = api.services.db
    await post(api, surveys.by_powershell())
    outcome = await Resolver(database).run(MOMENT_MS)

    async def counted(day: date) -> int:
        async with database.reading() as session:
            rows = await recount(session, day, MOMENT_MS)
        return next(row.counted for row in rows if row.unit_id == 4 and row.kinds == "")

    assert outcome.matched == 1
    assert [await counted(d) for d in (date(2026, 2, 19), date(2026, 2, 20), TUESDAY)] == [0, 1, 1]
    assert await counted(date(2027, 2, 19)) == 1
    assert await counted(date(2027, 2, 20)) == 0, "365 days, then it is no evidence any more"


async def test_a_second_survey_of_one_pc_is_the_same_machine_and_no_clone(api: Api) -> None:
    database = api.services.db
    for day in ("2026-01-20", "2026-02-20"):
        await post(api, surveys.by_powershell(day))
    await Resolver(database).run(MOMENT_MS)
    rows = await database.read(
        "SELECT COUNT(DISTINCT ms.machine_id) AS machines, COUNT(*) AS surveys FROM one_shot z"
        " JOIN machine_source ms ON ms.source_id = z.source_id AND ms.voided_at_ms IS NULL"
    )
    states = await database.read("SELECT state FROM source WHERE kind = 'one_shot'")

    assert (rows[0]["machines"], rows[0]["surveys"]) == (1, 2)
    assert [row["state"] for row in states] == ["approved", "approved"]


@pytest.mark.parametrize(
    ("data", "status", "why"),
    [
        (
            b"PK\x03\x04",
            422,
            "pc-1.kiemke.txt: không đọc được (dòng đầu không phải kiemke-one-shot|1)",
        ),
        (surveys.by_powershell("2031-01-01"), 400, "2031-01-01"),
        (surveys.by_cmd()[:400], 422, "bị cắt ngang: dòng cuối không phải 'end'"),
    ],
)
async def test_one_bad_file_leaves_all_out(api: Api, data: bytes, status: int, why: str) -> None:
    got, told = await post(api, surveys.by_powershell(), data)

    assert (got, why in told["detail"]) == (status, True), told
    assert await count(api.services.db, "one_shot") == 0


async def test_only_ones_own_units_are_surveyed_and_it_can_never_sign_in(api: Api) -> None:
    assert (await post(api, surveys.by_powershell(), unit_id=2))[0] == 404
    _, made = await post(api, surveys.by_cmd(), unit_id=4)
    async with await api.signed_in("it") as client:
        tokens = (await client.get("/api/v1/enrolment-tokens")).json()
        machines = (await client.get("/api/v1/sources")).json()
    kinds = {one["id"]: one["kind"] for one in machines["items"]}

    assert kinds[made["items"][0]["source"]] == "one_shot"
    assert {one["kind"] for one in tokens["items"]} <= {"agent", "collector"}
    rows = await api.services.db.read("SELECT secret_sha256 FROM source WHERE kind = 'one_shot'")
    assert rows[0]["secret_sha256"] == "0" * 64
