"""One leader among any number of server processes: a lease row with a fencing number.

``fence`` grows with each new holder. A job's writing transaction first locks the row and compares
the fence, so a leader that slept past its lease can no longer write, whatever its clock says.
"""

from kiemke.server.db import Database, Session

_TAKE = """
INSERT INTO lease (name, holder, fence, expires_at_ms) VALUES (:name, :holder, 1, :expires)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms,
  fence = CASE WHEN lease.holder = excluded.holder THEN lease.fence ELSE lease.fence + 1 END
WHERE lease.holder = excluded.holder OR lease.expires_at_ms <= :now
RETURNING fence
"""


class LostLease(Exception):
    """Another process leads now; what this one was about to write must not be written."""


async def take(db: Database, name: str, holder: str, now_ms: int, ttl_ms: int) -> int | None:
    """Take or renew the lease; return its fence, None while another holder has it."""
    async with db.transaction() as session:
        row = await session.one(
            _TAKE, name=name, holder=holder, expires=now_ms + ttl_ms, now=now_ms
        )
    return None if row is None else int(row["fence"])


async def check(session: Session, name: str, fence: int) -> None:
    """Lock the lease row for this transaction. Raises LostLease when the fence is another's."""
    lock = " FOR SHARE" if session.dialect == "postgres" else ""
    row = await session.one(f"SELECT fence FROM lease WHERE name = :name{lock}", name=name)  # noqa: S608 - a constant
    if row is None or row["fence"] != fence:
        raise LostLease(f"lease {name!r} has moved on from fence {fence}")


async def release(db: Database, name: str, holder: str) -> None:
    """Let the next process lead at once; harmless for a lease that is another's."""
    async with db.transaction() as session:
        await session.execute(
            "UPDATE lease SET expires_at_ms = 0 WHERE name = :name AND holder = :holder",
            name=name,
            holder=holder,
        )
