"""The fixed facts of this installation, written into the database at its first start."""

from uuid import uuid4

from kiemke.server.context import Installation, read_clock_ms
from kiemke.server.db import Database


async def ensure_installation(
    db: Database, utc_offset_seconds: int, *, demo: bool = False
) -> Installation:
    """Write the row when there is none; return what the database has. It never changes after."""
    async with db.transaction() as session:
        await session.execute(
            "INSERT INTO installation (id, public_id, utc_offset_seconds, demo, created_at_ms)"
            " VALUES (1, :public_id, :offset, :demo, :now) ON CONFLICT (id) DO NOTHING",
            public_id=uuid4().hex,
            offset=utc_offset_seconds,
            demo=demo,
            now=read_clock_ms(),
        )
        row = await session.one("SELECT * FROM installation WHERE id = 1")
    if row is None:
        raise RuntimeError("the installation's row could not be read back")
    return Installation(row["public_id"], row["utc_offset_seconds"], bool(row["demo"]))
