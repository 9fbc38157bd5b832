"""The ledgers' rows in the audit log: which were written, what they became, and whether they still are.

Triggers note every written row of a ledger in ``audit_touched``, whoever wrote it. A change with an
audit entry takes its own notes away before it commits and puts into the entry, per table, the hash of
each row and the values that changed. What is left was written behind the log's back; a row whose hash
is another, or that is gone, was written by someone who stopped the triggers.

A row's hash is of its columns by name, without those that are absent: a column added later changes
nothing. The entry names the columns it was made of. Rows of persons are hashed with the person's key
("h:"), all others plainly ("s:").
"""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from hashlib import sha256
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.person_keys import ensure_keys, keyed_digest, load_keys, seal_value
from kiemke.server.ledgers import LEDGER_TABLES, PERSONAL

PAGE = 1000
# What is a secret even as a hash: that it changed is told, not from what to what.
_SECRET = ("password_hash", "secret_sha256", "totp_secret")


@dataclass(slots=True)
class TableRows:
    """One table's rows in one entry: the hash of each (None: it is gone) and what changed in them."""

    table: str
    columns: list[str]
    digests: dict[str, str | None] = field(default_factory=dict)
    changes: dict[str, dict[str, list[Any]]] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the part of an entry."""
        return {
            "table": self.table,
            "columns": self.columns,
            "digests": self.digests,
            "changes": self.changes,
        }


def plain(value: Any) -> Any:
    """Return a column's value as JSON has it, alike from both databases."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, bytes):
        return value.hex()
    return value


def _canonical(row: Mapping[str, Any], columns: list[str]) -> bytes:
    values = {name: plain(row[name]) for name in columns if row.get(name) is not None}
    return json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def digest(table: str, row: Mapping[str, Any], columns: list[str], key: bytes | None) -> str:
    """Return a row's hash; ``key`` is its person's, None where there is none (any more)."""
    data = f"{table} ".encode() + _canonical(row, columns)
    return f"h:{keyed_digest(key, data)}" if key is not None else f"s:{sha256(data).hexdigest()}"


async def take_touched(session: Session, now_ms: int) -> list[TableRows]:
    """Take the notes of this transaction away; return its rows by table, PAGE of them at most each."""
    if session.dialect == "sqlite":
        if session.touched_before is None:
            return []
        where, mark = "id > :mark", session.touched_before
    else:
        where, mark = "turn = txid_current() AND id > :mark", 0
    notes = await session.fetch(
        f"SELECT id, table_name, row_id, before_json FROM audit_touched WHERE {where} ORDER BY id",  # noqa: S608
        mark=mark,
    )
    if not notes:
        return []
    await session.execute(f"DELETE FROM audit_touched WHERE {where}", mark=mark)  # noqa: S608
    first: dict[tuple[str, int], Row] = {}
    for note in notes:
        first.setdefault((note["table_name"], note["row_id"]), note)
    by_table: dict[str, dict[int, str | None]] = defaultdict(dict)
    for (table, row_id), note in first.items():
        by_table[table][row_id] = note["before_json"]
    found: list[TableRows] = []
    for table, befores in by_table.items():
        ids = sorted(befores)
        for start in range(0, len(ids), PAGE):
            page = {row_id: befores[row_id] for row_id in ids[start : start + PAGE]}
            part = await _describe(session, table, page, now_ms)
            if part.digests:
                found.append(part)
    return found


async def _describe(
    session: Session, table: str, befores: Mapping[int, str | None], now_ms: int
) -> TableRows:
    """Return the hashes of rows as they are now, and what changed since ``befores`` (JSON)."""
    rows = await _fetch(session, table, list(befores))
    keys: dict[int, bytes | None] = {}
    if table in PERSONAL:
        keys = await ensure_keys(session, _persons(table, rows.values()), now_ms)
    columns = sorted(next(iter(rows.values()))) if rows else []
    part = TableRows(table, columns)
    for row_id, text in befores.items():
        row = rows.get(row_id)
        before = None if text is None else json.loads(text)
        if row is None:
            if before is not None:
                part.digests[str(row_id)] = None
            continue
        changed = {} if before is None else _changes(table, before, row, keys)
        if before is None or changed:
            key = keys.get(person_of(table, row))
            part.digests[str(row_id)] = digest(table, row, columns, key)
        if changed:
            part.changes[str(row_id)] = changed
    return part


def _changes(
    table: str, before: Row, row: Row, keys: Mapping[int, bytes | None]
) -> dict[str, list[Any]]:
    changed = {}
    person = person_of(table, row)
    hidden = PERSONAL[table][1] if table in PERSONAL else ()
    for name, value in row.items():
        old, new = plain(before.get(name)), plain(value)
        if old == new:
            continue
        if name in _SECRET:
            changed[name] = [None, None]
        elif name in hidden:
            key = keys.get(person)
            changed[name] = [seal_value(key, person, name, v) for v in (old, new)]
        else:
            changed[name] = [old, new]
    return changed


def person_of(table: str, row: Mapping[str, Any]) -> int:
    """Return the id of the official whose values a row holds, 0 for nobody's."""
    return int(row[PERSONAL[table][0]]) if table in PERSONAL else 0


def _persons(table: str, rows: Iterable[Row]) -> list[int]:
    return [person_of(table, row) for row in rows]


async def _fetch(session: Session, table: str, ids: list[int]) -> dict[int, Row]:
    rows = await session.fetch(f"SELECT * FROM {table} WHERE id IN :[ids]", ids=ids)  # noqa: S608
    return {row["id"]: row for row in rows}


async def adopt(session: Session, tables: tuple[str, ...], now_ms: int) -> AsyncIterator[TableRows]:
    """Yield the hashes of every row of tables as they are now, by pages, and forget their notes."""
    for table in tables:
        await session.execute("DELETE FROM audit_touched WHERE table_name = :name", name=table)
        after = 0
        while True:
            ids = await session.fetch(
                f"SELECT id FROM {table} WHERE id > :after ORDER BY id LIMIT {PAGE}",  # noqa: S608
                after=after,
            )
            if not ids:
                break
            after = ids[-1]["id"]
            page = dict.fromkeys([row["id"] for row in ids])
            yield await _describe(session, table, page, now_ms)


# --- Verification ------------------------------------------------------------------------------


class Known:
    """The last hash the log has of each row; fed with every entry in order."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[int, tuple[str, int]]] = defaultdict(dict)
        self._columns: list[list[str]] = []
        self._numbers: dict[tuple[str, ...], int] = {}

    def take(self, entry: Mapping[str, Any]) -> None:
        """Learn the rows of one entry."""
        for part in entry.get("rows") or ():
            names = tuple(part["columns"])
            number = self._numbers.setdefault(names, len(self._columns))
            if number == len(self._columns):
                self._columns.append(list(names))
            known = self.rows[part["table"]]
            for row_id, value in part["digests"].items():
                if value is None:
                    known.pop(int(row_id), None)
                else:
                    known[int(row_id)] = (value, number)

    async def compare(self, session: Session) -> AsyncIterator[tuple[str, int, str]]:
        """Yield (table, row, code of ``audit_words``) for every row that is not as the log has it."""
        left = {
            (row["table_name"], row["row_id"])
            for row in await session.fetch("SELECT table_name, row_id FROM audit_touched")
        }
        for table in LEDGER_TABLES:
            missing = dict(self.rows[table])
            after = 0
            while True:
                rows = await session.fetch(
                    f"SELECT * FROM {table} WHERE id > :after ORDER BY id LIMIT {PAGE}",  # noqa: S608
                    after=after,
                )
                if not rows:
                    break
                after = rows[-1]["id"]
                keys = {}
                if table in PERSONAL:
                    keys = await load_keys(session, _persons(table, rows))
                for row in rows:
                    known = missing.pop(row["id"], None)
                    what = self._judge(table, row, known, keys)
                    if (table, row["id"]) in left:
                        what = what or "row_untold"
                    if what:
                        yield table, row["id"], what
            for row_id in missing:
                yield table, row_id, "row_gone"

    def _judge(
        self, table: str, row: Row, known: tuple[str, int] | None, keys: Mapping[int, bytes | None]
    ) -> str | None:
        if known is None:
            return "row_unknown"
        value, number = known
        key = keys.get(person_of(table, row)) if value.startswith("h:") else None
        if value.startswith("h:") and key is None:
            return "row_key_gone"
        if digest(table, row, self._columns[number], key) != value:
            return "row_differs"
        return None
