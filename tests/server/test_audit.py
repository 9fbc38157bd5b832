"""The audit log: the stored bytes are what was hashed, and a change never stands without its entry."""

import hashlib
import json

import pytest

from kiemke.server.audit import encode_entry, record
from kiemke.server.db import Database


async def test_an_entry_is_stored_as_the_bytes_that_were_hashed(database: Database) -> None:
    async with database.transaction() as session:
        await record(
            session,
            at_ms=5,
            who="Lan\x1b[31m",
            act="device.change",
            subject="device:SW-01",
            before={"b": 1, "a": None},
            after={"a": "đ"},
            paper="12/QĐ-UBND",
        )
    rows = await database.read("SELECT at_ms, entry, sha256 FROM audit_entry")

    data = bytes(rows[0]["entry"])
    assert hashlib.sha256(data).hexdigest() == rows[0]["sha256"]
    assert b"\x1b" not in data
    assert json.loads(data)["after"] == {"a": "đ"}
    assert '"before":{"a":null,"b":1}' in data.decode()


async def test_an_entry_goes_with_its_change(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await record(session, at_ms=5, who="a", act="b", subject="c")
            raise ZeroDivisionError
    rows = await database.read("SELECT id FROM audit_entry")

    assert rows == []


def test_the_same_facts_are_the_same_bytes() -> None:
    def encode(after: dict[str, int]) -> bytes:
        return encode_entry(
            at_ms=1, who="a", act="b", subject="c", before=None, after=after, paper=None
        )

    assert encode({"x": 1, "y": 2}) == encode({"y": 2, "x": 1})
