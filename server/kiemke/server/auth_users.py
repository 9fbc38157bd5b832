"""Users, their passwords (argon2) and their access tokens ``kmk_ID_SECRET``."""

import asyncio
import secrets
from dataclasses import dataclass
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from kiemke.server.attempts import network_of
from kiemke.server.audit import record
from kiemke.server.auth import NO_ROLE, ROLES, hash_secret
from kiemke.server.context import Services
from kiemke.server.db import Row, Session
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import Both, Problem

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 500
HOUR_MS = 3_600_000
LONGEST_TOKEN_DAYS = 731

_HASHER = PasswordHasher()

NOUN_USER = Both("người dùng", "user")


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token as shown once, with its row's public id and when it ends (epoch ms)."""

    token: str
    public_id: str
    expires_at_ms: int


async def hash_password(services: Services, password: str) -> str:
    """Return the argon2id hash, made in a thread. Raises Problem as ``check_password`` does."""
    check_password(password)
    async with services.verifications:
        return await asyncio.to_thread(_HASHER.hash, password)


def hash_password_now(password: str) -> str:
    """Return the argon2id hash, for a program with no requests to serve. Raises Problem."""
    check_password(password)
    return _HASHER.hash(password)


def check_password(password: str) -> None:
    """Raise Problem 400 when the password is too short or too long."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Problem(
            "bad_field",
            field="password",
            value="***",
            wanted=Both(
                f"từ {SHORTEST_PASSWORD} đến {LONGEST_PASSWORD} ký tự",
                f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters",
            ),
        )


async def sign_in(services: Services, name: str, password: str, address: str) -> Row:
    """Return the user's row. Raises Problem 401, or 429 after repeated failures.

    Failures are counted by name and address together: a stranger elsewhere cannot keep the only
    admin out by failing on purpose.
    """
    # The name as it is looked up: a blank or an unseen character more must not be a new count.
    wanted = clean_text(name, 100) or ""
    network = network_of(address)
    pair = f"{network} {wanted}"
    _refuse_repeated(services, pair, network)
    rows = await services.db.read(
        "SELECT id, name, role, unit_id, password_hash FROM app_user"
        " WHERE name = :name AND disabled_at_ms IS NULL",
        name=wanted,
    )
    row = rows[0] if rows else None
    # Each verification takes 64 MiB: a flood of sign-ins must not take the machine's memory.
    async with services.verifications:
        # Asked again: those that waited here together all came in before any of them had failed.
        _refuse_repeated(services, pair, network)
        right = await asyncio.to_thread(
            _verify, row["password_hash"] if row else _nobody_hash(), password[:LONGEST_PASSWORD]
        )
        if row is None or not right:
            services.login_failures.fail(pair, services.clock())
            services.address_failures.fail(network, services.clock())
            raise Problem("wrong_password")
    services.login_failures.clear(pair)
    return row


def _refuse_repeated(services: Services, pair: str, network: str) -> None:
    now = services.clock()
    wait = max(
        services.login_failures.wait_seconds(pair, now),
        services.address_failures.wait_seconds(network, now),
    )
    if wait:
        raise Problem("too_many", seconds=wait, headers={"Retry-After": str(wait)})


@cache
def _nobody_hash() -> str:
    """Verified when the name is unknown, so that a guess takes as long for every name."""
    return _HASHER.hash(secrets.token_hex(16))


def _verify(password_hash: str, password: str) -> bool:
    try:
        return _HASHER.verify(password_hash, password)
    except (Argon2Error, InvalidHashError, UnicodeEncodeError):
        return False


async def add_user(
    session: Session,
    *,
    name: str,
    password_hash: str,
    role: str,
    unit_id: int | None,
    who: str,
    now_ms: int,
) -> int:
    """Insert a user and return its id. Raises Problem for a bad name or role, or a name in use."""
    cleaned = clean_text(name, 100)
    if not cleaned or cleaned != name or role not in (*ROLES, NO_ROLE):
        field, value = ("role", role) if cleaned == name else ("name", cleaned or "")
        wanted = Both("tên không có ký tự điều khiển", "a name without control characters")
        raise Problem(
            "bad_field",
            field=field,
            value=value,
            wanted=" | ".join(ROLES) if cleaned == name else wanted,
        )
    taken = await session.one("SELECT id FROM app_user WHERE name = :name", name=name)
    if taken:
        raise Problem("conflict", what=NOUN_USER, ref=name)
    row = await session.one(
        "INSERT INTO app_user (name, password_hash, role, unit_id, created_at_ms)"
        " VALUES (:name, :hash, :role, :unit, :now) RETURNING id",
        name=name,
        hash=password_hash,
        role=role,
        unit=unit_id,
        now=now_ms,
    )
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="user.add",
        subject=f"user:{name}",
        after={"role": role, "unit_id": unit_id},
    )
    return int(row["id"]) if row else 0


async def issue_token(
    session: Session,
    *,
    user_id: int,
    kind: str,
    label: str | None,
    now_ms: int,
    hours: int,
    role: str | None = None,
    unit_id: int | None = None,
) -> NewToken:
    """Insert a token of kind session, api or scrape; only the hash of its secret is kept.

    ``role`` and ``unit_id`` are a ceiling over what its user may; None is none.
    """
    public_id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
    expires = now_ms + hours * HOUR_MS
    await session.execute(
        "INSERT INTO access_token (public_id, secret_sha256, user_id, kind, label, created_at_ms,"
        " expires_at_ms, role, unit_id) VALUES (:public_id, :sha, :user_id, :kind, :label, :now,"
        " :expires, :role, :unit)",
        public_id=public_id,
        sha=hash_secret(secret),
        user_id=user_id,
        kind=kind,
        label=label,
        now=now_ms,
        expires=expires,
        role=role,
        unit=unit_id,
    )
    return NewToken(f"kmk_{public_id}_{secret}", public_id, expires)


async def count_admins(session: Session) -> int:
    """Return how many admins without a unit limit can still sign in."""
    row = await session.one(
        "SELECT COUNT(*) AS n FROM app_user"
        " WHERE role = 'admin' AND unit_id IS NULL AND disabled_at_ms IS NULL"
    )
    return int(row["n"]) if row else 0


async def issue_token_for(
    session: Session,
    *,
    name: str,
    kind: str,
    label: str | None,
    days: int,
    who: str,
    now_ms: int,
    role: str | None = None,
    unit_id: int | None = None,
) -> NewToken:
    """Issue a token to a user by name, with its audit entry. Raises Problem 400 or 404."""
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Problem("bad_field", field="days", value=days, wanted=f"1-{LONGEST_TOKEN_DAYS}")
    user = await find_user(session, name)
    cleaned = clean_text(label, 100) if label else None
    token = await issue_token(
        session,
        user_id=user["id"],
        kind=kind,
        label=cleaned,
        now_ms=now_ms,
        hours=days * 24,
        role=role,
        unit_id=unit_id,
    )
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="token.add",
        subject=f"token:{token.public_id}",
        after={
            "user": name,
            "kind": kind,
            "label": cleaned,
            "days": days,
            "role": role,
            "unit_id": unit_id,
        },
    )
    return token


async def change_user(session: Session, *, name: str, changes: Row, who: str, now_ms: int) -> None:
    """Change role, unit_id, password_hash or disabled_at_ms; a user's sessions end with it.

    Raises Problem 404, or 409 when no admin would be left.
    """
    # Two admins who shut each other out at once wait for one another here; the second is refused.
    await session.execute(
        "UPDATE app_user SET role = role WHERE role = 'admin' AND unit_id IS NULL"
    )
    user = await find_user(session, name)
    new = {**user, **changes}
    await session.execute(
        "UPDATE app_user SET role = :role, unit_id = :unit_id, password_hash = :password_hash,"
        " disabled_at_ms = :disabled_at_ms WHERE id = :id",
        id=user["id"],
        **{key: new[key] for key in ("role", "unit_id", "password_hash", "disabled_at_ms")},
    )
    if await count_admins(session) == 0:
        raise Problem("last_admin", ref=name)
    await session.execute(
        "UPDATE access_token SET revoked_at_ms = :now"
        " WHERE user_id = :id AND kind = 'session' AND revoked_at_ms IS NULL",
        now=now_ms,
        id=user["id"],
    )
    shown = ("role", "unit_id", "disabled_at_ms")
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="user.change",
        subject=f"user:{name}",
        before={key: user[key] for key in shown},
        after={
            **{key: new[key] for key in shown},
            "password_changed": new["password_hash"] != user["password_hash"],
        },
    )


async def find_user(session: Session, name: str) -> Row:
    """Return a user's row by name. Raises Problem 404."""
    user = await session.one(
        "SELECT id, name, role, unit_id, password_hash, disabled_at_ms FROM app_user"
        " WHERE name = :name",
        name=name,
    )
    if user is None:
        raise Problem("not_found", what=NOUN_USER, ref=name)
    return user
