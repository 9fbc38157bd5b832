"""The second step: the RFC's own vectors, codes used once, recovery codes, and admins who must."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from kiemke.server.totp import code_at, find_step, place_of
from kiemke.server.vault import Vault
from tests.support.api import PASSWORD, Api, running_api

# RFC 6238 appendix B, SHA-1, eight digits.
VECTORS = [
    (59, "94287082"),
    (1_111_111_109, "07081804"),
    (1_111_111_111, "14050471"),
    (1_234_567_890, "89005924"),
    (2_000_000_000, "69279037"),
    (20_000_000_000, "65353130"),
]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(database_url, tmp_path) as running:
        async with await running.signed_in("admin") as admin:
            body = {"name": "lan", "password": PASSWORD, "role": "admin"}
            assert (await admin.post("/api/v1/users", json=body)).status_code == 201
        yield running


async def login(api: Api, code: str | None = None, address: str = "192.0.2.1") -> httpx.Response:
    body = {"name": "lan", "password": PASSWORD, **({} if code is None else {"code": code})}
    async with api.client(address=address) as client:
        return await client.post("/api/v1/login", json=body)


def code_of(api: Api, secret: str, steps: int = 0) -> str:
    import base64

    raw = base64.b32decode(secret + "=" * (-len(secret) % 8))
    return code_at(raw, api.clock() // 30_000 + steps)


async def enrol(api: Api) -> tuple[str, list[str]]:
    """Turn the second step on; return the secret and the recovery codes."""
    async with api.client((await login(api)).json()["token"]) as client:
        secret = (await client.post("/api/v1/me/totp")).json()["secret"]
        done = await client.post("/api/v1/me/totp/confirm", json={"code": code_of(api, secret)})
    assert done.status_code == 200, done.text
    return secret, done.json()["recovery_codes"]


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_the_rfcs_own_vectors_come_out(seconds: int, code: str) -> None:
    assert code_at(b"12345678901234567890", seconds // 30, 8) == code


def test_a_code_passes_a_step_early_or_late_and_never_twice() -> None:
    secret, now = b"12345678901234567890", 1_111_111_111_000
    step = now // 30_000
    found = [find_step(secret, code_at(secret, step + d), now, None) for d in (-2, -1, 0, 1, 2)]

    assert found == [None, step - 1, step, step + 1, None]
    assert find_step(secret, code_at(secret, step), now, step) is None


def test_a_secret_opens_for_its_own_user_alone() -> None:
    vault = Vault([bytes(32)])
    sealed = vault.seal(place_of(7), b"secret")

    assert vault.open(place_of(7), sealed) == b"secret"
    assert vault.open(place_of(8), sealed) is None


async def test_signing_in_asks_for_a_code_and_takes_each_once(api: Api) -> None:
    secret, _ = await enrol(api)
    without, wrong = await login(api), await login(api, "000000")
    used = await login(api, code_of(api, secret))
    api.clock.now_ms += 30_000
    right, again = await login(api, code_of(api, secret)), await login(api, code_of(api, secret))
    rows = await api.services.db.read("SELECT totp_secret FROM app_user WHERE name = 'lan'")

    assert (without.status_code, wrong.status_code) == (428, 401)
    assert used.status_code == 401  # it confirmed the enrolment
    assert (right.status_code, again.status_code) == (200, 401)
    assert secret not in rows[0]["totp_secret"]


async def test_a_recovery_code_stands_in_once(api: Api) -> None:
    _, codes = await enrol(api)
    first, again = await login(api, codes[0].upper()), await login(api, codes[0])
    kept = await api.services.db.read("SELECT code_sha256 FROM recovery_code")

    assert len(codes) == len(set(codes)) == 10
    assert (first.status_code, again.status_code) == (200, 401)
    assert not [row for row in kept if row["code_sha256"] in codes]


async def test_guesses_from_everywhere_are_counted_together(api: Api) -> None:
    """Whoever guesses codes knows the password; an attacker of many addresses is one all the same."""
    secret, _ = await enrol(api)
    codes = [(await login(api, f"{n:06}", f"203.0.113.{n}")).status_code for n in range(12)]
    api.clock.now_ms += 301_000

    assert codes == [401] * 10 + [429] * 2
    assert (await login(api, code_of(api, secret))).status_code == 200


async def test_it_goes_off_by_a_code_or_by_who_manages_the_user(api: Api) -> None:
    await enrol(api)
    async with await api.signed_in("admin") as other:
        reset = await other.delete("/api/v1/users/lan/totp")
    plain = await login(api)
    async with await api.signed_in("admin", unit_id=None) as program:
        by_token = await program.post("/api/v1/me/totp")

    assert (reset.status_code, plain.status_code) == (204, 200)
    assert by_token.status_code == 403  # a program has no phone


async def test_an_admin_who_must_enrol_may_do_nothing_else(
    database_url: str, tmp_path: Path
) -> None:
    async with running_api(database_url, tmp_path, require_totp_for_admins=True) as api:
        viewer = await api.token("viewer", kind="session")
        admin = await api.token("admin", kind="session", name="lan")
        async with api.client(admin) as client:
            before = (await client.get("/api/v1/users")).status_code
            secret = (await client.post("/api/v1/me/totp")).json()["secret"]
            await client.post("/api/v1/me/totp/confirm", json={"code": code_of(api, secret)})
            after = (await client.get("/api/v1/users")).status_code
        async with api.client(viewer) as client:
            free = (await client.get("/api/v1/units")).status_code

    assert (before, after, free) == (403, 200, 200)
