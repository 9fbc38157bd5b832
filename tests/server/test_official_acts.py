"""Officials by paper: made, moved, given duty, absent, retired; both times stay answerable."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.server.context import rfc3339
from tests.support.api import Api, make_office, running_api
from tests.support.imports import load

NEW = {
    "code": "CB9",
    "name": "Lê Thị Ơn",
    "unit": "U4",
    "kind": "cong_chuc",
    "post": "Văn phòng - thống kê",
    "day": "2025-07-01",
    "instrument": "9/QĐ",
}


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def act(client: httpx.AsyncClient, ref: str, kind: str, day: str, /, **said: Any) -> Any:
    body = {"act": kind, **{"day": day, "instrument": "1/QĐ"}, **said}
    return await client.post(f"/api/v1/officials/{ref}/acts?apply=true", json=body)


async def person(client: httpx.AsyncClient, ref: str, query: str = "") -> Any:
    return (await client.get(f"/api/v1/officials/{ref}{query}")).json()


async def test_an_official_is_tried_then_made(api: Api) -> None:
    async with await api.signed_in("it") as client:
        tried = (await client.post("/api/v1/officials", json=NEW)).json()
        absent = await client.get("/api/v1/officials/CB9")
        made = (await client.post("/api/v1/officials?apply=true", json=NEW)).json()
        again = await client.post("/api/v1/officials?apply=true", json=NEW)
        found = await person(client, "CB9")
        before = await client.get("/api/v1/officials/CB9?as_of=2025-06-30")

    assert (tried["applied"], made["applied"]) == (False, True)
    assert tried["after"]["memberships"] == made["after"]["memberships"]
    assert (absent.status_code, again.status_code, before.status_code) == (404, 422, 404)
    parts = [found[part] for part in ("family_name", "middle_name", "given_name")]
    assert parts == ["Lê", "Thị", "Ơn"]
    assert found["unit"]["code"] == "U4"


async def test_nobody_is_left_in_a_unit_that_ended_since(api: Api) -> None:
    """By a paper of before its end he would be in no count from then on; with the next paper known he is not."""
    merge = {"day": "2026-03-05", "instrument": "2/NQ",
             "changes": [{"kind": "merge", "units": ["U4"], "into": ["U3"]}]}  # fmt: skip
    async with await api.signed_in("it") as client:
        (await client.post("/api/v1/reorganisations?apply=true", json=merge)).raise_for_status()
        made = await client.post("/api/v1/officials?apply=true", json=NEW | {"day": "2026-03-02"})
        moved = await act(client, "P1", "move", "2026-03-02", unit="U4")
        await act(client, "P1", "move", "2026-03-06", unit="U3")
        between = await act(client, "P1", "move", "2026-03-02", unit="U4")

    assert [answer.status_code for answer in (made, moved)] == [422, 422]
    assert "05/03/2026" in made.json()["detail"]
    assert between.status_code == 200, between.text


async def test_a_name_of_compound_parts_is_sorted_by_its_given_name(api: Api) -> None:
    told = {"family_name": "Tôn Nữ", "middle_name": "", "given_name": "An Bình"}
    async with await api.signed_in("it") as client:
        body = {k: v for k, v in NEW.items() if k != "name"} | told
        await client.post("/api/v1/officials?apply=true", json=body)
        other = NEW | {"code": "CB8", "name": "Lê Văn Ánh"}
        await client.post("/api/v1/officials?apply=true", json=other)
        listed = (await client.get("/api/v1/officials?q=b")).json()["items"]
        found = await person(client, "CB9")
        everyone = (await client.get("/api/v1/officials")).json()["items"]
    order = [row["code"] for row in everyone if row["code"] in ("CB8", "CB9")]

    assert found["name"] == "Tôn Nữ An Bình"
    assert (found["family_name"], found["given_name"]) == ("Tôn Nữ", "An Bình")
    assert order == ["CB9", "CB8"]  # An Bình before Ánh
    assert "CB9" in [row["code"] for row in listed]


async def test_a_move_a_post_and_a_change_leave_the_past_as_it_was(api: Api) -> None:
    """P1 stood in U2; what he answers for is shown, for somebody to hand it over."""
    async with await api.signed_in("it") as client:
        known = api.clock.now_ms // 1000
        api.clock.now_ms += 60_000
        moved = (await act(client, "P1", "move", "2026-01-01", unit="U4")).json()
        await act(client, "P1", "post", "2026-02-01", post="Trưởng phòng", kind="can_bo")
        await act(client, "P1", "change", "2026-02-01", name="Nguyễn An", mailbox="a@x.example")
        days = [
            await person(client, "P1", f"?as_of={day}")
            for day in ("2025-12-31", "2026-01-31", "2026-02-01")
        ]
        then = await person(client, "P1", f"?as_of=2026-02-01&known_at={known}")

    assert [row["code"] for row in moved["holds"]] == ["A1"]
    assert [(d["unit"]["code"], d["post"], d["name"]) for d in days] == [
        ("U2", None, "Person 1"),
        ("U4", None, "Person 1"),
        ("U4", "Trưởng phòng", "Nguyễn An"),
    ]
    assert (then["unit"]["code"], then["name"], then["mailbox"]) == ("U2", "Person 1", None)


async def test_a_correction_says_the_whole_span_again(api: Api) -> None:
    async with await api.signed_in("it") as client:
        known = api.clock.now_ms // 1000
        api.clock.now_ms += 60_000
        await act(client, "P1", "move", "2026-01-01", unit="U4", correction=True)
        await act(client, "P1", "change", "2026-01-01", name="Nguyễn An", correction=True)
        long_ago = await person(client, "P1", "?as_of=2021-01-01")
        then = await person(client, "P1", f"?as_of=2021-01-01&known_at={known}")

    assert (long_ago["unit"]["code"], long_ago["name"]) == ("U4", "Nguyễn An")
    assert (then["unit"]["code"], then["name"]) == ("U2", "Person 1")


async def test_part_time_duty_counts_nobody_twice_and_ends(api: Api) -> None:
    async with await api.signed_in("it") as client:
        total = (await client.get("/api/v1/officials")).json()["total"]
        given = await act(client, "P1", "second", "2026-01-01", unit="U4", duty="it_officer")
        again = await act(client, "P1", "second", "2026-01-02", unit="U4", duty="it_officer")
        during = await person(client, "P1")
        after = (await client.get("/api/v1/officials")).json()["total"]
        await act(client, "P1", "end_second", "2026-02-01", unit="U4")
        ended = await person(client, "P1")
        past = await person(client, "P1", "?as_of=2026-01-31")

    assert (given.status_code, again.status_code) == (200, 422)
    assert [(d["unit"]["code"], d["duty"]) for d in during["duties"]] == [("U4", "it_officer")]
    assert (total, ended["duties"]) == (after, [])
    assert past["duties"] == during["duties"]


async def test_absence_and_return_and_retirement_move_the_population(api: Api) -> None:
    async def counted(client: httpx.AsyncClient, day: str) -> int:
        rows = (await client.get(f"/api/v1/coverage/who?as_of={day}")).json()["items"]
        return sum(row["state"] != "excluded" for row in rows)

    async with await api.signed_in("it") as client:
        whole = await counted(client, "2026-01-15")
        absent = await act(client, "P1", "absent", "2026-01-10", reason="study")
        away = await counted(client, "2026-01-15")
        overlapping = await act(client, "P1", "absent", "2026-01-12", reason="leave")
        await act(client, "P1", "back", "2026-01-20")
        back = await counted(client, "2026-01-25")
        retired = (await act(client, "P1", "retire", "2026-02-01")).json()
        gone = await counted(client, "2026-02-02")
        twice = await act(client, "P1", "retire", "2026-02-01")
        history = (await client.get("/api/v1/officials/P1/history")).json()
    standing = [m for m in history["memberships"] if not m["voided"]]

    assert absent.status_code == 200
    assert (whole, away, back, gone) == (3, 2, 3, 2)
    assert (overlapping.status_code, twice.status_code) == (422, 422)
    assert [row["code"] for row in retired["holds"]] == ["A1"]
    assert [(m["valid_to"], m["says"]["ended_as"], m["says"]["ended_by"]) for m in standing] == [
        ("2026-02-01", "retired", "1/QĐ")
    ]
    assert [m["recorded_at"] for m in standing] == [rfc3339(m["recorded_at_ms"]) for m in standing]


WRONG: list[tuple[str, dict[str, Any], int]] = [
    ("dance", {}, 422),
    ("move", {"unit": "KHONG-CO"}, 404),
    ("post", {}, 422),
    ("post", {"kind": "vua"}, 422),
    ("second", {"unit": "U4", "duty": "dance"}, 422),
    ("end_second", {}, 422),
    ("absent", {"reason": "picnic"}, 422),
    ("absent", {"reason": "study", "until": "2025-01-01"}, 422),
    ("back", {}, 422),
    ("change", {"name": " "}, 422),
    ("retire", {"instrument": ""}, 400),
    ("retire", {"day": "2030-01-01"}, 400),
]


async def test_what_cannot_be_is_refused_and_nothing_is_written(api: Api) -> None:
    async with await api.signed_in("it") as client:
        before = (await client.get("/api/v1/officials/P1/history")).json()
        answers = [
            (await act(client, "P1", kind, "2026-01-01", **said)).status_code
            for kind, said, _status in WRONG
        ]
        after = (await client.get("/api/v1/officials/P1/history")).json()

    assert answers == [status for _kind, _said, status in WRONG]
    assert after == before


async def test_a_dry_run_writes_nothing_and_an_act_is_in_the_audit_log(api: Api) -> None:
    body = {"act": "retire", "day": "2026-02-01", "instrument": "3/QĐ"}
    async with await api.signed_in("it") as client:
        await client.post("/api/v1/officials/P1/acts", json=body)
        still = await client.get("/api/v1/officials/P1")
        none = (await client.get("/api/v1/audit")).json()["items"]
        await client.post("/api/v1/officials/P1/acts?apply=true", json=body)
        entries = (await client.get("/api/v1/audit")).json()["items"]

    assert still.status_code == 200
    assert not [e for e in none if e["act"] == "official.retire"]
    assert [e["subject"] for e in entries if e["act"] == "official.retire"] == ["official:P1"]


async def test_whoever_is_limited_to_a_unit_acts_on_its_people_alone(api: Api) -> None:
    async with await api.signed_in("it", unit_id=4) as client:
        taken = await act(client, "P1", "retire", "2026-01-01")
        given = await act(client, "P3", "move", "2026-01-01", unit="U2")
        own = await act(client, "P3", "post", "2026-01-01", post="Kế toán")
        seen = await client.get("/api/v1/officials/P1/history")

    assert [a.status_code for a in (taken, given, own, seen)] == [404, 404, 200, 404]


async def test_an_imported_change_keeps_what_was_said_before(api: Api) -> None:
    """A roster that says another phone voids nothing of the past."""
    heading = ["code", "name", "unit", "kind", "phone", "valid_from"]
    first = ["CB7", "Lê An", "U4", "cong_chuc", "0900000111", "01/01/2024"]
    second = ["CB7", "Lê An", "U4", "cong_chuc", "0900000222", "01/01/2026"]
    for row in (first, second):
        assert (await load(api.services.db, "officials", [heading, row])).errors == ()
    api.clock.now_ms = 4_102_444_800_000  # the imports were made by the wall clock
    async with await api.signed_in("auditor") as client:
        phones = [
            (await person(client, "CB7", f"?as_of={day}"))["phone"]
            for day in ("2025-12-31", "2026-01-01")
        ]

    assert phones == ["0900000111", "0900000222"]
