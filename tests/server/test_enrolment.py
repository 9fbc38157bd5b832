"""Enrolment: who is admitted, how often, and what a lost answer or a copied machine does."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kiemke.wire.enrolment import parse_token
from tests.support.api import Api, make_office, running_api, sha256_hex
from tests.support.reporting import insert

DAY_MS = 86_400_000


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def make_token(api: Api, **fields: Any) -> dict[str, Any]:
    async with await api.signed_in("it") as client:
        answer = await client.post("/api/v1/enrolment-tokens", json={"unit": "U2", **fields})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def request_of(made: dict[str, Any], **fields: Any) -> dict[str, Any]:
    token = parse_token(made["token"])
    return {
        "token": token.id,
        "token_secret": token.secret,
        "install_id": secrets.token_hex(16),
        "secret_sha256": sha256_hex(secrets.token_urlsafe(32)),
        "hostname": "pc-07",
        "kind": "agent",
        **fields,
    }


async def enroll(api: Api, request: dict[str, Any], address: str = "192.0.2.5") -> httpx.Response:
    async with api.client(address=address) as client:
        return await client.post("/api/v1/enroll", json=request)


async def test_the_token_says_where_the_server_is_and_who_it_is(api: Api) -> None:
    made = await make_token(api)

    token = parse_token(made["token"])

    assert [str(address) for address in token.addresses] != []
    assert token.ca_sha256 == api.services.authority.root_sha256
    assert made["uses"] == 2  # the unit has two people


async def test_a_new_source_is_pending_until_somebody_approves_it(api: Api) -> None:
    made = await make_token(api)

    admitted = await enroll(api, request_of(made))
    async with await api.signed_in("it") as client:
        before = await client.get(f"/api/v1/sources/{admitted.json()['source']}")
        after = await client.post(f"/api/v1/sources/{admitted.json()['source']}/approve")

    assert (admitted.status_code, admitted.json()["state"]) == (201, "pending")
    assert (before.json()["state"], before.json()["hostname"]) == ("pending", "pc-07")
    assert (after.status_code, after.json()["state"]) == (200, "approved")


async def test_a_lost_answer_costs_nothing(api: Api) -> None:
    """The agent asks again with the same secret: the same source, and no use of the token."""
    made = await make_token(api, uses=1)
    request = request_of(made)

    answers = [await enroll(api, request) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 200, 200]
    assert len({answer.json()["source"] for answer in answers}) == 1
    assert (await enroll(api, request_of(made))).status_code == 403


async def test_a_known_install_with_another_secret_is_refused_and_found(api: Api) -> None:
    made = await make_token(api)
    request = request_of(made)
    await enroll(api, request)

    copies = [await enroll(api, {**request, "secret_sha256": sha256_hex(x)}) for x in ("a", "b")]
    async with await api.signed_in("auditor") as client:
        findings = (await client.get("/api/v1/findings")).json()["items"]

    assert [copy.status_code for copy in copies] == [409, 409]
    assert [finding["kind"] for finding in findings] == ["enrolment_conflict"]
    assert findings[0]["subject"] == f"install:{request['install_id']}"


async def test_many_at_once_use_a_token_exactly_as_often_as_it_allows(api: Api) -> None:
    made = await make_token(api, uses=3)

    answers = await asyncio.gather(*(enroll(api, request_of(made)) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [201] * 3 + [403] * 5


async def test_what_is_not_right_is_refused_with_a_remedy(api: Api) -> None:
    made = await make_token(api)
    wrong: tuple[tuple[dict[str, Any], int], ...] = (
        ({"kind": "collector"}, 403),
        ({"token_secret": "guess"}, 403),
        ({"token": "unknown"}, 403),
        ({"install_id": "../../etc"}, 400),
        ({"secret_sha256": "short"}, 400),
        ({"kind": "root"}, 400),
        ({"hostname": 7}, 400),
    )

    answers = [await enroll(api, request_of(made, **fields)) for fields, _ in wrong]

    assert [answer.status_code for answer in answers] == [status for _, status in wrong]
    assert all(answer.json()["remedy"] for answer in answers)


async def test_an_expired_token_admits_nobody_new(api: Api) -> None:
    made = await make_token(api, days=2)
    api.clock.now_ms += 2 * DAY_MS

    assert (await enroll(api, request_of(made))).status_code == 403


async def test_a_token_may_not_live_longer_than_two_weeks(api: Api) -> None:
    async with await api.signed_in("it") as client:
        answer = await client.post("/api/v1/enrolment-tokens", json={"unit": "U2", "days": 15})

    assert answer.status_code == 400


async def test_guessing_is_slowed_down_by_address(api: Api) -> None:
    made = await make_token(api)
    guess = request_of(made, token_secret="guess")

    codes = [(await enroll(api, guess, "203.0.113.9")).status_code for _ in range(21)]
    elsewhere = await enroll(api, request_of(made), "192.0.2.5")

    assert codes == [403] * 20 + [429]
    assert elsewhere.status_code == 201


async def test_revoking_a_token_revokes_all_that_it_admitted(api: Api) -> None:
    made = await make_token(api)
    source = (await enroll(api, request_of(made))).json()["source"]

    async with await api.signed_in("it") as client:
        gone = await client.delete(f"/api/v1/enrolment-tokens/{made['id']}")
        state = (await client.get(f"/api/v1/sources/{source}")).json()
        approve = await client.post(f"/api/v1/sources/{source}/approve")

    assert gone.status_code == 204
    assert (state["state"], state["state_reason"]) == ("revoked", "its token was revoked")
    assert approve.status_code == 409
    assert (await enroll(api, request_of(made))).status_code == 403


async def test_a_hostile_host_name_is_kept_as_harmless_text(api: Api) -> None:
    made = await make_token(api)
    hostile = "\x1b]0;x\x07<img src=x>\u202e[/red]\n"

    source = (await enroll(api, request_of(made, hostname=hostile))).json()["source"]
    async with await api.signed_in("it") as client:
        name = (await client.get(f"/api/v1/sources/{source}")).json()["hostname"]

    assert name == "]0;x<img src=x>[/red]"


async def test_an_approved_collector_gets_what_nobody_polls_and_nothing_else(api: Api) -> None:
    """The nearest unit above decides; the district's collector already polls the office's switch."""
    made = await make_token(api, kind="collector", unit="U4", approves=True)
    secret = "a collector's own secret"
    request = request_of(made, kind="collector", secret_sha256=sha256_hex(secret))

    source = (await enroll(api, request)).json()
    headers = {"X-Kiemke-Source": source["source"], "Authorization": f"Bearer {secret}"}
    async with api.client() as client:
        first = await client.get("/api/v1/assignment", headers=headers)
        etag = first.headers["etag"]
        same = await client.get("/api/v1/assignment", headers={**headers, "If-None-Match": etag})
        wrong = await client.get(
            "/api/v1/assignment", headers={**headers, "Authorization": "Bearer guess"}
        )

    assert source["state"] == "approved"
    assert first.json() == {
        "poll_seconds": 60,
        "neighbours_seconds": 900,
        "devices": [
            {
                "device": 2, "address": "192.0.2.2", "port": 161, "credential": "default", "site": 4,
                "snmp_secret": None, "ssh_secret": None, "ssh_credential": None,
                "ssh_platform": None, "ssh_port": 22, "ssh_visit_seconds": 86_400, "host_key": None,
            }
        ],
        "probes": [
            {"target": 2, "address": "198.51.100.2", "count": 5, "site": 4, "purpose": "isp"}
        ],
        "sites": [{"site": 4, "allow": None, "deny": []}],
        "secrets": [],
        "sweeps": [],
    }  # fmt: skip
    assert (same.status_code, wrong.status_code) == (304, 401)


async def test_a_revoked_collector_hands_its_devices_on(api: Api) -> None:
    made = await make_token(api, kind="collector", unit="U4", approves=True)
    request = request_of(made, kind="collector")
    source = (await enroll(api, request)).json()["source"]

    async with await api.signed_in("it") as client:
        held = (await client.get("/api/v1/devices/SW-02")).json()["collector"]
        await client.post(f"/api/v1/sources/{source}/revoke")
        handed = (await client.get("/api/v1/devices/SW-02")).json()["collector"]

    assert held == source
    assert handed == "s4"  # the district's, which is the nearest above


async def test_a_token_names_relays_before_the_server_itself(api: Api) -> None:
    relay = "https://10.5.9.2:9443"
    made = await make_token(api, via=[relay, "https://10.5.9.2:9443/"])

    own = api.services.settings.public_urls
    urls = [str(address) for address in parse_token(made["token"]).addresses]
    assert urls == [relay, *own][:3]
    async with await api.signed_in("it") as client:
        for bad in (["http://10.5.9.2"], [f"https://10.5.9.{n}" for n in range(3)]):
            answer = await client.post("/api/v1/enrolment-tokens", json={"unit": "U2", "via": bad})
            assert (answer.status_code, "via" in answer.json()["detail"]) == (400, True), bad


async def test_a_token_tells_who_holds_it_how_long_it_lasts_and_admits_nobody(api: Api) -> None:
    made = await make_token(api, uses=3, days=2)
    asked = request_of(made)
    question = {name: asked[name] for name in ("token", "token_secret", "kind")}

    async with api.client() as client:
        told = await client.post("/api/v1/enroll/check", json=question)
        wrong = await client.post("/api/v1/enroll/check", json={**question, "token_secret": "x"})
        other = await client.post("/api/v1/enroll/check", json={**question, "kind": "collector"})
        api.clock.now_ms += 3 * DAY_MS
        late = await client.post("/api/v1/enroll/check", json=question)

    assert (told.status_code, told.json()["uses_left"]) == (200, 3)
    assert told.json()["expires_at"] == made["expires_at"]
    assert [each.status_code for each in (wrong, other, late)] == [403, 403, 403]


async def test_a_source_is_shown_with_what_it_told_but_not_with_who_came_and_went(api: Api) -> None:
    """A damaged outbox, a late boot, what it costs: told by the PC, for the one who looks after it."""
    made = await make_token(api)
    source = (await enroll(api, request_of(made))).json()["source"]
    now_ms = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    async with api.services.db.transaction() as session:
        row = await session.one("SELECT id FROM source WHERE public_id = :ref", ref=source)
        assert row is not None
        for minute, (name, detail) in enumerate(
            (
                ("boot", {"previous_end": "unclean"}),
                ("session", {"user": "an", "change": "began"}),
                ("outbox", {"reason": "broken", "detail": "file is not a database"}),
            )
        ):
            await insert(
                session, "source_event", source_id=row["id"], at_ms=now_ms + minute * 60_000,
                clock="sure", name=name, detail_json=json.dumps(detail),
            )  # fmt: skip

    async with await api.signed_in("it") as client:
        shown = (await client.get(f"/api/v1/sources/{source}")).json()["events"]
        before = (
            await client.get(f"/api/v1/sources/{source}?known_at=2026-01-01T00:01:00Z")
        ).json()

    assert [(each["at"], each["name"]) for each in shown] == [
        ("2026-01-01T00:02:00.000Z", "outbox"), ("2026-01-01T00:00:00.000Z", "boot"),
    ]  # fmt: skip
    assert shown[0]["detail"] == {"reason": "broken", "detail": "file is not a database"}
    assert "events" not in before or [each["name"] for each in before["events"]] == ["boot"]
