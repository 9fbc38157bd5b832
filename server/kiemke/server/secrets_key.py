"""``kiemke-server secrets-key``: another key for what is sealed in the database, and sealing by it."""

from kiemke.server.audit import record
from kiemke.server.context import read_clock_ms
from kiemke.server.db import Database, Session
from kiemke.server.domain import secrets
from kiemke.server.settings import Settings
from kiemke.server.totp import place_of
from kiemke.server.vault import Vault, begin_rotation, end_rotation, open_vault


async def rotate(settings: Settings, *, new_key: bool) -> tuple[str, list[str]]:
    """Seal everything by the newest key (a ``new_key`` first); return what was done and what was not.

    The old key is forgotten only when nothing needs it any more. Servers that run read the file anew.
    """
    vault = begin_rotation(settings) if new_key else open_vault(settings)
    database = Database(settings.database_url)
    await database.open()
    try:
        async with database.transaction() as session:
            done, lost = await secrets.reseal(session, vault)
            users, lost_users = await _reseal_totp(session, vault)
            await record(
                session, at_ms=read_clock_ms(), who="kiemke-server", act="secrets_key.rotate",
                subject="secrets_key", after={"key": vault.current, "sealed": done + users},
            )  # fmt: skip
    finally:
        await database.close()
    if not (lost or lost_users) and settings.secrets_key is None:
        end_rotation(settings)
    told = f"sealed {done} secrets and {users} second steps with key {vault.current}"
    advice = "no key opens {}: put its key into the file again, or give it anew"
    return told, [advice.format(name) for name in (*lost, *lost_users)]


async def _reseal_totp(session: Session, vault: Vault) -> tuple[int, list[str]]:
    rows = await session.fetch(
        "SELECT id, name, totp_secret FROM app_user WHERE totp_secret IS NOT NULL ORDER BY id"
    )
    done, lost = 0, []
    for row in rows:
        data = vault.open(place_of(row["id"]), row["totp_secret"])
        if data is None:
            lost.append(f"the second step of {row['name']}")
            continue
        await session.execute(
            "UPDATE app_user SET totp_secret = :sealed WHERE id = :id",
            sealed=vault.seal(place_of(row["id"]), data),
            id=row["id"],
        )
        done += 1
    return done, lost
