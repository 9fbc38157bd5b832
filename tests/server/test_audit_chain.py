"""The audit chain: whatever is done behind its back is found, and where."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiemke.server import audit
from kiemke.server.db import Database
from kiemke.server.domain.audit_chain import (
    Anchor,
    Report,
    anchor,
    open_key,
    read_anchor,
    seal,
    verify,
)

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW_MS = 1_767_240_000_000


async def write(database: Database, count: int, at_ms: int = NOW_MS) -> None:
    async with database.transaction() as session:
        for n in range(count):
            await audit.record(
                session, at_ms=at_ms, who="an", act="asset.change", subject=f"asset:{n}",
                before={"n": n}, after={"n": n + 1}, paper="12/QĐ",
            )  # fmt: skip


async def seal_all(database: Database, now_ms: int = NOW_MS) -> int:
    async with database.transaction() as session:
        return await seal(session, KEY, now_ms)


async def check(database: Database, *anchors: Anchor, key: Ed25519PrivateKey = KEY) -> Report:
    async with database.reading() as session:
        return await verify(session, key.public_key(), NOW_MS, anchors)


async def head(database: Database) -> Anchor:
    async with database.reading() as session:
        found = await anchor(session, KEY)
    assert found is not None
    return found


async def test_an_untouched_log_is_found_well(database: Database) -> None:
    for _ in range(3):
        await write(database, 4)
        await seal_all(database)
    kept = await head(database)

    report = await check(database, kept)

    assert (report.checked, report.signed_heads, report.unsealed, report.faults) == (12, 3, 0, ())
    assert read_anchor(kept.to_json()) == kept


async def test_nothing_is_sealed_twice_and_later_entries_go_behind(database: Database) -> None:
    await write(database, 3)
    first = await seal_all(database)
    nothing = await seal_all(database)
    await write(database, 2)
    second = await seal_all(database, NOW_MS - 1000)

    rows = await database.read("SELECT place, sealed_at_ms FROM audit_link ORDER BY place")

    assert (first, nothing, second) == (3, 0, 2)
    assert [row["place"] for row in rows] == [1, 2, 3, 4, 5]
    assert {row["sealed_at_ms"] for row in rows} == {NOW_MS}


async def edit(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(
            "UPDATE audit_entry SET entry = :entry WHERE id = 2", entry=b'{"who":"nobody"}'
        )


async def edit_and_rehash(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute(
            "UPDATE audit_entry SET entry = :entry, sha256 = :hash WHERE id = 2",
            entry=b"{}",
            hash=sha256(b"{}").hexdigest(),
        )


async def remove(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute("DELETE FROM audit_link WHERE place = 3")
        await session.execute("DELETE FROM audit_entry WHERE id = 3")


async def swap(database: Database) -> None:
    async with database.transaction() as session:
        rows = await session.fetch("SELECT id, entry, sha256 FROM audit_entry WHERE id IN (2, 3)")
        for row, other in zip(rows, reversed(rows), strict=True):
            await session.execute(
                "UPDATE audit_entry SET entry = :entry, sha256 = :hash WHERE id = :id",
                entry=bytes(other["entry"]),
                hash=other["sha256"],
                id=row["id"],
            )


async def cut_tail(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute("DELETE FROM audit_link WHERE place > 4")
        await session.execute("DELETE FROM audit_entry WHERE id > 4")


async def cut_to_a_signed_head(database: Database) -> None:
    async with database.transaction() as session:
        await session.execute("DELETE FROM audit_link WHERE place > 3")
        await session.execute("DELETE FROM audit_entry WHERE id > 3")


@pytest.mark.parametrize(
    ("tamper", "place"),
    [(edit, 2), (edit_and_rehash, 2), (remove, 3), (swap, 2), (cut_tail, 4)],
)
async def test_tampering_is_found_where_it_was_done(
    database: Database, tamper: Callable[[Database], Awaitable[None]], place: int
) -> None:
    await write(database, 3)
    await seal_all(database)
    await write(database, 3)
    await seal_all(database)

    await tamper(database)
    report = await check(database)

    assert report.faults
    assert report.faults[0].place == place


async def test_a_tail_cut_at_a_signed_head_needs_an_anchor_to_be_found(database: Database) -> None:
    """What the database alone cannot show, the head kept elsewhere does."""
    await write(database, 3)
    await seal_all(database)
    await write(database, 3)
    await seal_all(database)
    kept = await head(database)

    await cut_to_a_signed_head(database)

    assert (await check(database)).faults == ()
    assert [f.place for f in (await check(database, kept)).faults] == [6]


async def test_a_chain_made_anew_with_another_key_is_found(database: Database) -> None:
    await write(database, 3)
    stranger = Ed25519PrivateKey.generate()
    async with database.transaction() as session:
        await seal(session, stranger, NOW_MS)

    assert [f.place for f in (await check(database)).faults] == [3]


async def test_an_anchor_that_lies_is_found(database: Database) -> None:
    await write(database, 2)
    await seal_all(database)
    forged = replace(await head(database), chain_sha256="f" * 64)

    assert len((await check(database, forged)).faults) == 2


async def test_entries_that_wait_too_long_are_a_fault(database: Database) -> None:
    await write(database, 2, NOW_MS - 3_600_000)

    report = await check(database)

    assert report.unsealed == 2
    assert "wait" in report.faults[0].what


def test_the_key_is_made_once_and_is_for_its_owner_alone(tmp_path: Path) -> None:
    made = open_key(tmp_path / "keys")
    again = open_key(tmp_path / "keys")

    assert made.public_key() == again.public_key()
    assert (tmp_path / "keys" / "audit.key").stat().st_mode & 0o777 == 0o600
