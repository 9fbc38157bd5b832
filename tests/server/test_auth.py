"""Signing in, users and tokens: refusals, limits, and what they may not do."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kiemke.server import auth_users
from kiemke.server.attempts import Attempts
from kiemke.server.auth_users import HOUR_MS, hash_password_now
from tests.support.api import PASSWORD, Api, make_office, running_api

_REAL_HASHER = auth_users._HASHER  # before a test has a cheaper one


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        await running.write(make_office())
        yield running


async def add_admin(api: Api, name: str = "lan") -> httpx.AsyncClient:
    """Add an admin with PASSWORD by the API itself; return the first admin's client."""
    client = await api.signed_in("admin")
    made = await client.post(
        "/api/v1/users", json={"name": name, "password": PASSWORD, "role": "admin"}
    )
    assert made.status_code == 201, made.text
    return client


async def login(api: Api, name: str, password: str, address: str = "192.0.2.1") -> httpx.Response:
    async with api.client(address=address) as client:
        return await client.post("/api/v1/login", json={"name": name, "password": password})


async def test_a_sign_in_gives_a_token_that_ends(api: Api) -> None:
    await add_admin(api)

    signed = await login(api, "lan", PASSWORD)
    client = api.client(signed.json()["token"])
    now = await client.get("/api/v1/me")
    api.clock.now_ms += 12 * HOUR_MS
    later = await client.get("/api/v1/me")

    assert signed.status_code == 200
    assert now.json() == {
        "name": "lan",
        "role": "admin",
        "unit": None,
        "demo": False,
        "grants": [{"role": "admin", "unit": None, "approves": True}],
    }
    assert later.status_code == 401
    assert later.headers["www-authenticate"].startswith("Bearer")


async def test_signing_out_ends_the_token(api: Api) -> None:
    client = await api.signed_in("viewer")

    left = await client.delete("/api/v1/me/session")

    assert left.status_code == 204
    assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_wrong_password_and_an_unknown_name_are_told_alike(api: Api) -> None:
    """A stranger must not learn which names exist."""
    await add_admin(api)

    wrong = await login(api, "lan", "not the password")
    unknown = await login(api, "nobody", "not the password")

    assert (wrong.status_code, unknown.status_code) == (401, 401)
    assert wrong.json() == unknown.json()


async def test_failures_elsewhere_do_not_lock_the_only_admin_out(api: Api) -> None:
    await add_admin(api)
    for _ in range(5):
        await login(api, "lan", "wrong", "203.0.113.9")

    stranger = await login(api, "lan", PASSWORD, "203.0.113.9")
    admin = await login(api, "lan", PASSWORD, "192.0.2.1")
    api.clock.now_ms += 301_000
    again = await login(api, "lan", PASSWORD, "203.0.113.9")

    assert (stranger.status_code, admin.status_code, again.status_code) == (429, 200, 200)
    assert 1 <= int(stranger.headers["retry-after"]) <= 301


async def test_no_secret_is_kept_as_it_was_given(api: Api) -> None:
    await add_admin(api)
    token = (await login(api, "lan", PASSWORD)).json()["token"]

    users = await api.services.db.read("SELECT password_hash FROM app_user WHERE name = 'lan'")
    tokens = await api.services.db.read("SELECT * FROM access_token")
    entries = await api.services.db.read("SELECT entry FROM audit_entry")

    secret = token.split("_", 2)[2]
    assert users[0]["password_hash"].startswith("$argon2id$")
    assert not any(secret in str(row) for row in tokens)
    assert not any(PASSWORD.encode() in bytes(row["entry"]) for row in entries)


def test_a_guess_at_a_stolen_hash_costs_what_rfc_9106_asks_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auth_users, "_HASHER", _REAL_HASHER)

    assert hash_password_now(PASSWORD).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


async def test_a_short_password_and_an_unknown_role_are_refused(api: Api) -> None:
    client = await api.signed_in("admin")
    bodies = (
        {"name": "a", "password": "short", "role": "it"},
        {"name": "a", "password": PASSWORD, "role": "root"},
        {"name": "a\u202eb", "password": PASSWORD, "role": "it"},
        {"name": "a", "password": PASSWORD, "role": "it", "unit": "NONE"},
    )
    answers = [await client.post("/api/v1/users", json=body) for body in bodies]

    assert [answer.status_code for answer in answers] == [400, 400, 400, 404]
    assert "short" not in answers[0].text.replace("short or", "")


async def test_a_name_in_use_is_a_conflict(api: Api) -> None:
    client = await add_admin(api)

    twice = await client.post(
        "/api/v1/users", json={"name": "lan", "password": PASSWORD, "role": "it"}
    )

    assert twice.status_code == 409


async def test_the_last_admin_cannot_be_taken_away(api: Api) -> None:
    token = await api.token("admin", name="only")
    client = api.client(token)

    disabled = await client.patch("/api/v1/users/only", json={"disabled": True})
    lowered = await client.patch("/api/v1/users/only", json={"role": "viewer"})
    limited = await client.patch("/api/v1/users/only", json={"unit": "U2"})

    assert {disabled.status_code, lowered.status_code, limited.status_code} == {409}
    assert (await client.get("/api/v1/users")).status_code == 200


async def test_a_changed_user_is_signed_out_everywhere(api: Api) -> None:
    client = await add_admin(api)
    session = (await login(api, "lan", PASSWORD)).json()["token"]

    changed = await client.patch("/api/v1/users/lan", json={"role": "viewer", "unit": "U2"})

    assert changed.json()["unit"] == {"code": "U2", "name": "Văn phòng"}
    assert (await api.client(session).get("/api/v1/me")).status_code == 401


async def test_an_admin_of_a_subtree_cannot_make_itself_one_of_everything(api: Api) -> None:
    client = await api.signed_in("admin", unit_id=2)
    body = {"name": "b", "password": PASSWORD, "role": "admin"}

    made = await client.post("/api/v1/users", json=body)
    shown = [user["unit"]["code"] for user in (await client.get("/api/v1/users")).json()["items"]]

    assert made.status_code == 403
    assert shown == ["U2"]


async def test_tokens_are_ones_own_except_for_an_admin(api: Api) -> None:
    mine, admin = await api.signed_in("viewer"), await api.signed_in("admin")
    other = await api.signed_in("viewer")

    made = await mine.post("/api/v1/tokens", json={"kind": "scrape", "label": "prometheus"})
    seen_by_other = await other.get("/api/v1/tokens")
    stolen = await other.delete(f"/api/v1/tokens/{made.json()['id']}")
    foreign = await other.post("/api/v1/tokens", json={"kind": "api", "user": "admin"})
    revoked = await admin.delete(f"/api/v1/tokens/{made.json()['id']}")

    assert made.status_code == 201
    assert made.json()["id"] not in seen_by_other.text
    assert (stolen.status_code, foreign.status_code, revoked.status_code) == (404, 403, 204)
    assert (await mine.get("/api/v1/tokens")).json()["items"][-1]["revoked_at"] is not None


async def test_a_token_cannot_outlive_two_years(api: Api) -> None:
    client = await api.signed_in("viewer")

    refused = await client.post("/api/v1/tokens", json={"kind": "api", "days": 100_000})

    assert refused.status_code == 400


def test_an_endless_stream_of_names_does_not_fill_the_memory() -> None:
    attempts = Attempts(limit=1)
    for number in range(20_000):
        attempts.fail(str(number), 0)

    assert attempts.wait_seconds("0", 0) == 0
    assert attempts.wait_seconds("19999", 0) > 0
    assert len(attempts._failures) == 10_000
