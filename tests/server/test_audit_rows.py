"""The audit log knows every ledger's rows: what was changed behind its back is named, erasure included."""

import json
from datetime import date
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.server import audit
from kiemke.server.audit_adopt import record_rows
from kiemke.server.db import Database, Session
from kiemke.server.domain.audit_chain import seal, verify
from kiemke.server.domain.audit_rows import PAGE
from kiemke.server.ledgers import LEDGER_TABLES
from tests.support import canaries
from tests.support.api import make_office

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_MS = 1_767_240_000_000


async def note(session: Session, at_ms: int = NOW_MS, subject: str = "x:1", **facts: Any) -> None:
    await audit.record(session, at_ms=at_ms, who="an", act="test", subject=subject, **facts)


async def fill(database: Database) -> None:
    """Write an office with its entry, as an import does."""
    async with database.transaction() as session:
        await make_office().write(session)
        await note(session)


async def faults(database: Database) -> list[str]:
    async with database.transaction() as session:
        await seal(session, KEY, NOW_MS)
    async with database.snapshot() as session:
        report = await verify(session, KEY.public_key(), NOW_MS)
    return [fault.what for fault in report.faults]


async def run_in(session: Session, *statements: str) -> None:
    for statement in statements:
        await session.execute(statement)


async def run(database: Database, *statements: str) -> None:
    async with database.transaction() as session:
        await run_in(session, *statements)


async def without_triggers(database: Database, table: str, *statements: str) -> None:
    """Change something as one who knows of the triggers would."""
    if database.dialect == "sqlite":
        drop = [f"DROP TRIGGER audit_{table}_{act}" for act in ("insert", "update", "delete")]
        await run(database, *drop, *statements)
    else:
        off, on = (f"ALTER TABLE {table} {way} TRIGGER USER" for way in ("DISABLE", "ENABLE"))
        await run(database, off, *statements, on)


async def test_what_was_written_with_an_entry_is_as_its_entry_says(database: Database) -> None:
    await fill(database)
    async with database.transaction() as session:
        await session.execute("UPDATE device SET port = 1161 WHERE id = 1")
        await session.execute("DELETE FROM probe_target WHERE id = 1")
        await note(session)
    rows = await database.read("SELECT entry FROM audit_entry ORDER BY id DESC LIMIT 2")
    parts = [part for row in rows for part in json.loads(bytes(row["entry"]))["rows"]]

    assert await faults(database) == []
    changed = {part["table"]: (part["changes"], part["digests"]) for part in parts}
    assert changed["device"][0] == {"1": {"port": [161, 1161]}}
    assert changed["probe_target"][1] == {"1": None}


@pytest.mark.parametrize("quiet", [False, True])
async def test_a_row_changed_behind_its_back_is_named(database: Database, quiet: bool) -> None:
    await fill(database)
    change = without_triggers if quiet else None
    for table, statement in (
        ("asset", "UPDATE asset SET price_dong = 1 WHERE id = 2"),
        ("custody", "UPDATE custody SET unit_id = 4 WHERE id = 1"),
        ("link_version", "DELETE FROM link_version WHERE id = 1"),
        ("membership", "INSERT INTO membership (id, official_id, unit_id, kind, is_primary, valid_from,"
         " recorded_at_ms) VALUES (99, 1, 2, 'cong_chuc', TRUE, '2026-01-01', 1)"),
    ):  # fmt: skip
        if change:
            await change(database, table, statement)
        else:
            await run(database, statement)

    said = "is not what its last entry says"
    assert await faults(database) == [
        "membership 99 has no entry",
        f"asset 2 {said}",
        f"custody 1 {said}",
        "link_version 1 is gone, and no entry says so",
    ]


async def test_an_entry_takes_in_no_change_of_another_transaction(database: Database) -> None:
    await fill(database)
    await run(database, "UPDATE asset SET price_dong = 1 WHERE id = 2")
    async with database.transaction() as session:
        await session.execute("UPDATE asset SET price_dong = 7 WHERE id = 1")
        await note(session)

    assert await faults(database) == ["asset 2 is not what its last entry says"]


async def test_a_row_changed_and_changed_back_without_an_entry_is_named(database: Database) -> None:
    await fill(database)
    await run(database, "UPDATE asset SET code = 'ZZ' WHERE id = 2")
    await run(database, "UPDATE asset SET code = 'A2' WHERE id = 2")

    assert await faults(database) == ["asset 2 was written without an entry"]


COLUMNS = (
    "recorded_at_ms", "created_at_ms", "asked_at_ms", "opened_at_ms", "echo_count", "position",
)  # fmt: skip


async def test_every_ledger_is_watched(database: Database) -> None:
    async with database.transaction() as session:
        await make_office().write(session)
        await canaries.plant(session)
        day = "valid_from, recorded_at_ms"
        await run_in(
            session,
            f"INSERT INTO rule (id, {day}, name, subject, value_json)"  # noqa: S608
            " VALUES (1000, '2026-01-01', 1, 'n', '', '1')",
            f"INSERT INTO holiday (id, {day}, day, working, name)"  # noqa: S608
            " VALUES (1000, '2026-01-01', 1, '2026-01-01', FALSE, 'n')",
        )
        await record_rows(session, LEDGER_TABLES, "ledger.adopt", "1/QĐ", NOW_MS)
    for table in LEDGER_TABLES:
        row = (await database.read(f"SELECT * FROM {table} WHERE id = 1000"))[0]  # noqa: S608
        column = next(name for name in COLUMNS if name in row)
        update = f"UPDATE {table} SET {column} = 5 WHERE id = 1000"  # noqa: S608
        await without_triggers(database, table, update)

    said = "is not what its last entry says"
    # The office's planted log itself is nonsense; that is said as well.
    assert [fault for fault in await faults(database) if fault.endswith(said)] == [
        f"{table} 1000 {said}" for table in LEDGER_TABLES
    ]


async def test_times_of_entries_never_run_backwards(database: Database) -> None:
    for at_ms in (NOW_MS, NOW_MS - 5_000, NOW_MS + 1):
        async with database.transaction() as session:
            await note(session, at_ms)
    rows = await database.read("SELECT at_ms, entry FROM audit_entry ORDER BY id")

    assert [row["at_ms"] for row in rows] == [NOW_MS, NOW_MS, NOW_MS + 1]
    assert [json.loads(bytes(row["entry"]))["at_ms"] for row in rows] == [
        NOW_MS,
        NOW_MS,
        NOW_MS + 1,
    ]


async def test_many_rows_are_taken_in_by_pages(database: Database) -> None:
    async with database.transaction() as session:
        await session.many(
            "INSERT INTO holiday (valid_from, recorded_at_ms, day, working, name)"
            " VALUES (:day, 1, :day, :working, 'n')",
            [{"day": date(2026, 1, 1), "working": False}] * (PAGE + 5),
        )
        await note(session)
    count = await database.read("SELECT COUNT(*) AS n FROM audit_entry")

    assert count[0]["n"] == 2
    assert await faults(database) == []


async def test_what_tells_who_a_person_is_is_in_no_entry_readable(database: Database) -> None:
    await fill(database)
    async with database.transaction() as session:
        await session.execute("UPDATE official SET phone = '0912345678' WHERE id = 1")
        await note(session, subject="official:P1", after={"phone": "0912345678", "code": "P1"})
    rows = await database.read("SELECT entry FROM audit_entry")
    text = b"".join(bytes(row["entry"]) for row in rows).decode()

    assert "0912345678" not in text
    assert '"code":"P1"' in text
    assert await faults(database) == []
