"""The triggers that note every written row of a ledger, put in place after each migration."""

from kiemke.server.db import Session
from kiemke.server.ledgers import LEDGER_TABLES

_FUNCTION = """
CREATE OR REPLACE FUNCTION kiemke_audit_touch() RETURNS trigger LANGUAGE plpgsql AS $touch$
BEGIN
  IF TG_OP = 'INSERT' THEN
    INSERT INTO audit_touched (table_name, row_id, before_json, turn)
    VALUES (TG_TABLE_NAME, NEW.id, NULL, txid_current());
  ELSE
    INSERT INTO audit_touched (table_name, row_id, before_json, turn)
    VALUES (TG_TABLE_NAME, OLD.id, to_jsonb(OLD)::text, txid_current());
  END IF;
  RETURN NULL;
END $touch$
"""


async def install(session: Session) -> tuple[str, ...]:
    """Put the triggers on every ledger as its columns are now; return the tables that had none."""
    existing = await _tables(session)
    if "audit_touched" not in existing:  # a schema from before the log knew rows
        return ()
    before = await _triggers(session)
    found = tuple(table for table in LEDGER_TABLES if table in existing)
    if session.dialect == "postgres":
        await session.execute(_FUNCTION)
    for table in found:
        if session.dialect == "sqlite":
            await _put_sqlite(session, table)
        elif f"audit_{table}" not in before:
            await session.execute(
                f"CREATE TRIGGER audit_{table} AFTER INSERT OR UPDATE OR DELETE ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION kiemke_audit_touch()"
            )
    return tuple(t for t in found if not before & {f"audit_{t}", f"audit_{t}_insert"})


async def _put_sqlite(session: Session, table: str) -> None:
    columns = await session.fetch(f"PRAGMA table_info({table})")
    pairs = ", ".join(f"'{column['name']}', OLD.{column['name']}" for column in columns)
    for act, row, before in (
        ("insert", "NEW", "NULL"),
        ("update", "OLD", f"json_object({pairs})"),
        ("delete", "OLD", f"json_object({pairs})"),
    ):
        await session.execute(f"DROP TRIGGER IF EXISTS audit_{table}_{act}")
        await session.execute(
            f"CREATE TRIGGER audit_{table}_{act} AFTER {act.upper()} ON {table} BEGIN"  # noqa: S608
            " INSERT INTO audit_touched (table_name, row_id, before_json, turn)"
            f" VALUES ('{table}', {row}.id, {before}, 0); END"
        )


async def _tables(session: Session) -> set[str]:
    if session.dialect == "sqlite":
        rows = await session.fetch("SELECT name FROM sqlite_master WHERE type = 'table'")
    else:
        rows = await session.fetch(
            "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
        )
    return {row["name"] for row in rows}


async def _triggers(session: Session) -> set[str]:
    if session.dialect == "sqlite":
        rows = await session.fetch("SELECT name FROM sqlite_master WHERE type = 'trigger'")
    else:
        rows = await session.fetch("SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal")
    return {row["name"] for row in rows}
