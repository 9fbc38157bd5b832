"""Devices by date: what each was called and whose, on any day and as known at any time, and who sees it."""

import json
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from kiemke.server.db import Database
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.device_book import SAID, Saying, say
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply
from kiemke.server.domain.reorganise_decision import Change, Decision
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.tables import dated
from tests.support.api import Api, make_office, running_api
from tests.support.imports import load
from tests.support.reporting import add_unit, insert

FIRST = date(2025, 1, 1)
TODAY = date(2026, 3, 10)
GEAR = {"name": "Switch", "search_key": "switch", "kind": "switch", "port": 161, "created_at_ms": 0}
FUTURE_MS = 9_000_000_000_000
_STATE = dated("SELECT w.* FROM device_version w WHERE w.device_id = :id AND {active w}")


def at(points: dict[date, dict[str, Any]], day: date) -> dict[str, Any] | None:
    """Return what a plain list of statements says of a day: the newest that begins by then."""
    begun = [start for start in points if start <= day]
    return points[max(begun)] if begun else None


async def test_any_day_as_known_at_any_time_is_what_was_said(database: Database) -> None:
    dice = random.Random(28)  # a history that can be played again
    async with database.transaction() as session:
        units = [await add_unit(session, f"X{n}") for n in range(3)]
        device = await insert(
            session, "device", code="SW", name="Switch", search_key="switch", kind="switch",
            unit_id=units[0], port=161, created_at_ms=0,
        )  # fmt: skip
        start = {"code": "SW", "name": "Switch", "kind": "switch", "unit_id": units[0]}
        points: dict[date, dict[str, Any]] = {date(2020, 1, 1): start | {"asset_id": None}}
        known = {0: dict(points)}
        for step in range(1, 13):
            day = FIRST + timedelta(days=dice.randrange(60))
            changes: dict[str, Any] = dice.choice(
                [{"name": f"Switch {dice.randrange(4)}"}, {"unit_id": dice.choice(units)}]
            )
            after = {**(at(points, day) or {}), **changes}
            said = Saying(day, None, changes)
            if after == at(points, day):
                with pytest.raises(Refused):
                    await say(session, device, said, By("tester", step), TODAY)
            else:
                await say(session, device, said, By("tester", step), TODAY)
                points[day] = after
            known[step] = dict(points)
        for step, then in known.items():
            for day in (dice.choice(sorted(then)), FIRST + timedelta(days=dice.randrange(70))):
                rows = await session.fetch(_STATE, id=device, day=day, known=step)
                assert [{name: row[name] for name in SAID} for row in rows] == [at(then, day)]
        own = await session.one("SELECT * FROM device WHERE id = :id", id=device)
    assert own is not None and {name: own[name] for name in SAID} == at(points, TODAY)


async def test_a_file_dates_what_it_changes(database: Database) -> None:
    head = ["code", "name", "kind", "unit", "address", "valid_from", "instrument"]
    async with database.transaction() as session:
        await add_unit(session, "A")
        await add_unit(session, "B")
    first = await load(
        database, "devices", [head, ["R1", "Cũ", "router", "A", "192.0.2.1", "01/02/2025", ""]]
    )
    moved = await load(
        database, "devices", [head, ["R1", "Mới", "router", "B", "192.0.2.2", "01/09/2025", "QĐ 9"]]
    )
    again = await load(
        database, "devices", [head, ["R1", "Mới", "router", "B", "192.0.2.2", "", ""]]
    )
    ahead = await load(
        database, "devices", [head, ["R1", "Nữa", "router", "B", "", "01/01/2027", ""]]
    )

    rows = await database.read(
        "SELECT valid_from, name, instrument FROM device_version WHERE voided_at_ms IS NULL"
        " ORDER BY valid_from"
    )
    own = (await database.read("SELECT name, address FROM device"))[0]
    assert (first.new, moved.changed, again.same, len(ahead.errors)) == (1, 1, 1, 1)
    assert [(str(r["valid_from"]), r["name"], r["instrument"]) for r in rows] == [
        ("2025-02-01", "Cũ", None),
        ("2025-09-01", "Mới", "QĐ 9"),
    ]
    assert (own["name"], own["address"]) == ("Mới", "192.0.2.2")


async def test_a_merge_takes_devices_networks_and_secrets_along_from_the_day(
    database: Database,
) -> None:
    day, eve = date(2025, 7, 1), date(2025, 6, 30)
    dated_row = {"valid_from": date(2020, 1, 1), "recorded_at_ms": 0}
    async with database.transaction() as session:
        top = await add_unit(session, "TOP")
        old, new = await add_unit(session, "OLD", top), await add_unit(session, "NEW", top)
        child = await add_unit(session, "CHILD", old)
        device = await insert(session, "device", code="SW", unit_id=old, address="10.1.0.2", **GEAR)
        await insert(session, "device", code="SW-2", unit_id=child, **GEAR)
        for unit, subnet, owner in ((old, "10.1.0.0/24", old), (old, "10.9.0.0/24", top),
                                    (new, "10.9.0.0/24", top)):  # fmt: skip
            await insert(
                session, "site_subnet", unit_id=unit, authority_id=owner, subnet=subnet,
                deny=False, **dated_row,
            )  # fmt: skip
        for unit in (old, new):
            await insert(
                session, "secret", unit_id=unit, name="default", kind="snmp", version=1,
                well_known=False, created_at_ms=0, changed_at_ms=0, gone=0,
            )  # fmt: skip
        decision = Decision(day, "QĐ 1", (), (Change("merge", ("OLD",), ("NEW",)),))
        planned = await plan(session, decision, TODAY)
        foretold = planned.consequences()["moved"]
        await apply(session, planned, who="tester", now_ms=5)
        before = await load_sites(session, eve, FUTURE_MS)
        unchanged = await load_sites(session, day, 4)
        after = await load_sites(session, day, FUTURE_MS)
        was = await session.one(_STATE, id=device, day=eve, known=FUTURE_MS)
        becomes = await session.one(_STATE, id=device, day=day, known=FUTURE_MS)
        own = await session.one("SELECT unit_id, credential FROM device WHERE code = 'SW'")
        below = await session.one("SELECT unit_id, credential FROM device WHERE code = 'SW-2'")
        secrets = await session.fetch("SELECT unit_id, name FROM secret ORDER BY id")

    assert was and becomes and own
    assert (was["unit_id"], becomes["unit_id"], own["unit_id"]) == (old, new, new)
    assert [str(net) for net in before.own(old)] == ["10.1.0.0/24", "10.9.0.0/24"]
    assert [str(net) for net in unchanged.own(old)] == ["10.1.0.0/24", "10.9.0.0/24"]
    assert (after.own(old), sorted(map(str, after.own(new)))) == (
        (),
        ["10.1.0.0/24", "10.9.0.0/24"],
    )
    # What the successor's own people answer for opens the successor's own secrets.
    assert after.reach(new, secret_of=new).why_not("10.1.0.2") is None
    assert [(row["unit_id"], row["name"]) for row in secrets] == [
        (new, "default-OLD"),
        (new, "default"),
    ]
    assert own["credential"] == "default-OLD"
    assert below == {"unit_id": child, "credential": "default-OLD"}
    assert [(row["what"], row["code"]) for row in foretold] == [
        ("device", "SW"),
        ("secret", "snmp:default"),
        ("site_subnet", "10.1.0.0/24"),
        ("site_subnet", "10.9.0.0/24"),
    ]


async def _acts(api: Api) -> None:
    async with await api.signed_in("it") as client:
        for body in (
            {"act": "change", "name": "Tầng 2", "day": "2026-02-01", "instrument": "QĐ 3"},
            {"act": "change", "unit": "U4", "code": "SW-9", "day": "2026-03-01"},
        ):
            rehearsed = await client.post("/api/v1/devices/SW-01/acts", json=body)
            written = await client.post("/api/v1/devices/SW-01/acts?apply=true", json=body)
            assert (rehearsed.status_code, written.status_code) == (200, 200), written.text
            assert rehearsed.json() | {"applied": True} == written.json()


async def test_everybody_sees_a_device_as_it_was_and_its_state_who_has_it_today(
    database_url: str, tmp_path: Path
) -> None:
    async with running_api(database_url, tmp_path) as api:
        await api.write(make_office())
        before = api.clock()
        api.clock.now_ms += 60_000
        await _acts(api)

        async def listed(unit: int | None, **asked: Any) -> list[tuple[Any, ...]]:
            async with await api.signed_in("auditor", unit) as client:
                items = (await client.get("/api/v1/devices", params=asked)).json()["items"]
            keys = ("code", "name", "address")
            return [(*(each[key] for key in keys), each["unit"]["code"]) for each in items]

        first = ("SW-01", "Switch 1", "192.0.2.1", "U2")
        other = ("SW-02", "Switch 2", "192.0.2.2", "U4")
        assert await listed(None, as_of="2026-01-15") == [first, other]
        assert await listed(None, as_of="2026-02-15") == [("SW-01", "Tầng 2", *first[2:]), other]
        assert await listed(None) == [other, ("SW-9", "Tầng 2", "192.0.2.1", "U4")]
        told = {"known_at": f"{_rfc(before)}"}
        assert await listed(None, **told) == [first, other]
        # The office that had it sees what it was, not where it stands today.
        assert await listed(2) == []
        assert await listed(2, as_of="2026-01-15") == [("SW-01", "Switch 1", None, "U2")]
        assert await listed(2, as_of="2026-01-15", q="192.0.2.1") == []
        assert await listed(4, as_of="2026-01-15") == [other]

        async with await api.signed_in("auditor", 4) as client:
            history = (await client.get("/api/v1/devices/SW-9/history")).json()
            line = (await client.get("/api/v1/links/DT-01?as_of=2026-01-15")).status_code
        assert [row["name"] for row in history["versions"] if not row["voided"]] == ["Tầng 2"]
        assert line == 404
        async with await api.signed_in("auditor") as client:
            line_then = (await client.get("/api/v1/links/DT-01?as_of=2026-01-15")).json()
            line_now = (await client.get("/api/v1/links/DT-01")).json()
            book = (await client.get("/api/v1/exports/links.jsonl?as_of=2026-01-15")).text
        assert (line_then["device"], line_now["device"]) == ("SW-01", "SW-9")
        assert json.loads(book.splitlines()[1])["device"] == "SW-01" or '"SW-01"' in book

        async with await api.signed_in("it", 2) as client:
            body = {"act": "change", "name": "Q", "day": "2026-01-15"}
            assert (await client.post("/api/v1/devices/SW-9/acts", json=body)).status_code == 404
        async with await api.signed_in("it", 4) as client:  # on those days it was another's
            assert (await client.post("/api/v1/devices/SW-9/acts", json=body)).status_code == 404


def _rfc(at_ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat().replace("+00:00", "Z")


async def test_a_retired_device_stands_until_its_day_and_is_polled_no_more(
    database_url: str, tmp_path: Path
) -> None:
    async with running_api(database_url, tmp_path) as api:
        await api.write(make_office())
        async with await api.signed_in("it") as client:
            path, body = "/api/v1/devices/SW-01/acts?apply=true", {"act": "retire"}
            carrying = await client.post(path, json=body)
            async with api.services.db.transaction() as session:
                await session.execute("UPDATE link_version SET device_id = NULL")
            ended = await client.post(path, json=body | {"day": "2026-03-01"})
            now = (await client.get("/api/v1/devices")).json()
            then = (await client.get("/api/v1/devices?as_of=2026-02-28")).json()
        own = (await api.services.db.read("SELECT retired_at_ms FROM device WHERE id = 1"))[0]

    assert "DT-01" in carrying.text and carrying.status_code == 422
    assert ended.json()["after"] is None and ended.json()["applied"] is True
    assert [each["code"] for each in now["items"]] == ["SW-02"]
    assert [each["code"] for each in then["items"]] == ["SW-01", "SW-02"]
    assert own["retired_at_ms"] == api.clock.now_ms
