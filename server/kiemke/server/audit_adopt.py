"""Take the ledgers' rows into the audit log as they are: after an upgrade, or by hand after a repair."""

from kiemke.server.audit import write_entry
from kiemke.server.db import Session
from kiemke.server.domain.audit_rows import adopt


async def record_rows(
    session: Session, tables: tuple[str, ...], act: str, paper: str | None, now_ms: int
) -> int:
    """Write entries with the hash of every row of tables as it is now; return how many rows."""
    count = 0
    async for part in adopt(session, tables, now_ms):
        count += len(part.digests)
        await write_entry(
            session,
            at_ms=now_ms,
            who="kiemke-server",
            act=act,
            subject=f"ledger:{part.table}",
            paper=paper,
            rows=[part],
        )
    return count
