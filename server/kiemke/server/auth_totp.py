"""The second step of signing in: enrolment, codes that are used once, recovery codes."""

import secrets
from dataclasses import dataclass

from kiemke.server.audit import record
from kiemke.server.auth import hash_secret
from kiemke.server.context import Services
from kiemke.server.db import Row, Session
from kiemke.server.errors import Problem
from kiemke.server.totp import (
    find_step,
    key_uri,
    new_secret,
    place_of,
    secret_text,
)
from kiemke.server.vault import open_vault

RECOVERY_CODES = 10
_RECOVERY_BYTES = 10


@dataclass(frozen=True, slots=True)
class Beginning:
    """A secret that counts once a code of it was shown: as text, and as apps read it from a QR."""

    secret: str
    uri: str


async def begin(services: Services, session: Session, user_id: int, name: str) -> Beginning:
    """Give a user a new secret, not in force yet. Raises Problem 409 when one is in force."""
    row = await _load(session, user_id)
    if row["totp_confirmed_at_ms"] is not None:
        raise Problem("totp_on", ref=name)
    secret = new_secret()
    await session.execute(
        "UPDATE app_user SET totp_secret = :sealed, totp_last_step = NULL WHERE id = :id",
        sealed=open_vault(services.settings).seal(place_of(user_id), secret),
        id=user_id,
    )
    await _note(services, session, name, "totp.begin")
    return Beginning(secret_text(secret), key_uri(secret, name))


async def confirm(
    services: Services, session: Session, user_id: int, name: str, code: str
) -> list[str]:
    """Put the secret in force by a code of it; return the recovery codes, shown this once."""
    row = await _load(session, user_id)
    if row["totp_confirmed_at_ms"] is not None or row["totp_secret"] is None:
        raise Problem("totp_on" if row["totp_secret"] else "totp_off", ref=name)
    step = _step_of(services, row, code)
    if step is None:
        raise Problem("wrong_code")
    await session.execute(
        "UPDATE app_user SET totp_confirmed_at_ms = :now, totp_last_step = :step WHERE id = :id",
        now=services.clock(),
        step=step,
        id=user_id,
    )
    await session.execute("DELETE FROM recovery_code WHERE user_id = :id", id=user_id)
    codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
    await session.many(
        "INSERT INTO recovery_code (user_id, code_sha256) VALUES (:user, :sha)",
        [{"user": user_id, "sha": hash_secret(_bare(code))} for code in codes],
    )
    await _note(services, session, name, "totp.confirm")
    return codes


async def remove(session: Session, user_id: int, name: str, who: str, now_ms: int) -> None:
    """Take a user's second step away, with its recovery codes."""
    await session.execute(
        "UPDATE app_user SET totp_secret = NULL, totp_confirmed_at_ms = NULL,"
        " totp_last_step = NULL WHERE id = :id",
        id=user_id,
    )
    await session.execute("DELETE FROM recovery_code WHERE user_id = :id", id=user_id)
    await record(session, at_ms=now_ms, who=who, act="totp.remove", subject=f"user:{name}")


async def check_code(services: Services, user_id: int, code: str | None) -> None:
    """Let a user pass whose second step is off, or who shows a code that was never used.

    Raises Problem 428 without a code, 401 for a wrong or used one, 429 after many wrong ones: whoever
    guesses codes knows the password already, so these are counted by user, from wherever they come.
    """
    rows = await services.db.read(
        "SELECT totp_secret, totp_confirmed_at_ms, totp_last_step, id FROM app_user WHERE id = :id",
        id=user_id,
    )
    if not rows or rows[0]["totp_confirmed_at_ms"] is None:
        return
    if not code:
        raise Problem("code_needed")
    wait = services.code_failures.wait_seconds(str(user_id), services.clock())
    if wait:
        raise Problem("too_many", seconds=wait, headers={"Retry-After": str(wait)})
    if not await _use(services, rows[0], code.strip()):
        services.code_failures.fail(str(user_id), services.clock())
        raise Problem("wrong_code")


async def _use(services: Services, row: Row, code: str) -> bool:
    """Use a code up: of two who show the same at once, one passes."""
    step = _step_of(services, row, code)
    async with services.db.transaction() as session:
        if step is not None:
            used = await session.one(
                "UPDATE app_user SET totp_last_step = :step WHERE id = :id"
                " AND (totp_last_step IS NULL OR totp_last_step < :step) RETURNING name",
                step=step,
                id=row["id"],
            )
        else:
            used = await session.one(
                "UPDATE recovery_code SET used_at_ms = :now WHERE user_id = :id"
                " AND code_sha256 = :sha AND used_at_ms IS NULL"
                " RETURNING (SELECT name FROM app_user WHERE id = :id) AS name",
                now=services.clock(),
                id=row["id"],
                sha=hash_secret(_bare(code)),
            )
        if used is None:
            return False
        await _note(services, session, used["name"], "totp.use" if step else "recovery_code.use")
        return True


def _step_of(services: Services, row: Row, code: str) -> int | None:
    secret = open_vault(services.settings).open(place_of(row["id"]), row["totp_secret"])
    if secret is None:
        return None
    return find_step(secret, code, services.clock(), row["totp_last_step"])


async def _load(session: Session, user_id: int) -> Row:
    row = await session.one(
        "SELECT id, totp_secret, totp_confirmed_at_ms, totp_last_step FROM app_user WHERE id = :id",
        id=user_id,
    )
    if row is None:
        raise Problem("not_signed_in")
    return row


async def _note(services: Services, session: Session, name: str, act: str) -> None:
    await record(session, at_ms=services.clock(), who=name, act=act, subject=f"user:{name}")


def _recovery_code() -> str:
    text = secrets.token_hex(_RECOVERY_BYTES)
    return "-".join(text[start : start + 5] for start in range(0, len(text), 5))


def _bare(code: str) -> str:
    return code.replace("-", "").replace(" ", "").lower()
