"""The words kept in step: triggers note what changed with the change itself, and this makes it anew.

A writer pays one small row per changed thing and knows nothing of words. ``catch_up`` takes the notes
in order; the leader runs it every few seconds, and a search runs it first, so that it finds what was
written a moment ago.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b

from kiemke.server.db import Database, Session
from kiemke.server.domain import search_blocks
from kiemke.server.domain.search_values import SECTIONS, load
from kiemke.server.domain.search_words import words_of

# Each table whose rows say something that is searched: the kind, the column that holds the thing's id,
# and the columns that matter where rows are rewritten all the time (empty: every change).
WATCHED: tuple[tuple[str, str, str, tuple[str, ...]], ...] = (
    ("unit_version", "unit", "unit_id", ()),
    ("place_version", "place", "place_id", ()),
    ("official", "official", "id", ()),
    ("official_version", "official", "official_id", ()),
    ("membership", "official", "official_id", ()),
    ("asset", "asset", "id", ()),
    ("custody", "asset", "asset_id", ()),
    ("device", "device", "id", ()),
    ("device_now", "device", "device_id", ("sys_name", "vendor", "model", "serial")),
    ("interface_now", "device", "device_id", ("mac",)),
    ("link", "link", "id", ()),
    ("link_version", "link", "link_id", ()),
    ("link_share", "link", "link_id", ()),
    ("source", "source", "id", ("public_id", "hostname", "unit_id")),
    ("source_section", "source", "source_id", ("rows_json",)),
)
_SUBJECT_TABLES = {"unit": "unit", "place": "place", "official": "official", "asset": "asset",
                   "device": "device", "link": "link", "source": "source"}  # fmt: skip
_ADVISORY_LOCK = 0x6B6D_6B5E_A2C4
_BATCH, _BATCHES_A_RUN = 1000, 20

Guard = Callable[[Session], Awaitable[None]]

_FUNCTION = """
CREATE OR REPLACE FUNCTION kiemke_search_touch() RETURNS trigger LANGUAGE plpgsql AS $touch$
DECLARE subject BIGINT;
BEGIN
  IF TG_OP = 'DELETE' THEN
    EXECUTE format('SELECT ($1).%I', TG_ARGV[1]) INTO subject USING OLD;
  ELSE
    EXECUTE format('SELECT ($1).%I', TG_ARGV[1]) INTO subject USING NEW;
  END IF;
  INSERT INTO search_due (kind, subject_id) VALUES (TG_ARGV[0], subject);
  RETURN NULL;
END $touch$
"""


def _when(table: str, act: str, columns: tuple[str, ...], differs: str) -> str:
    row = "OLD" if act == "delete" else "NEW"
    terms = []
    if table == "source_section":
        terms.append(f"{row}.section IN ({', '.join(repr(name) for name in SECTIONS)})")
    if act == "update" and columns:
        terms.append(f"({' OR '.join(f'NEW.{c} {differs} OLD.{c}' for c in columns)})")
    return f" WHEN ({' AND '.join(terms)})" if terms else ""


async def install(session: Session) -> None:
    """Put the triggers in place; where there were none before, everything is due."""
    if session.dialect == "postgres":
        have = "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal"
        there = "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"
    else:
        have = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        there = "SELECT name FROM sqlite_master WHERE type = 'table'"
    before = {row["name"] for row in await session.fetch(have)}
    tables = {row["name"] for row in await session.fetch(there)}
    if "search_due" not in tables:  # a schema from before there was a search
        return
    if session.dialect == "postgres":
        await session.execute(_FUNCTION)
    fresh = False
    for table, kind, column, columns in WATCHED:
        for act in ("insert", "update", "delete"):
            name = f"search_{table}_{act}"
            if name not in before:
                fresh = True
                await session.execute(
                    _trigger(session.dialect, name, table, act, kind, column, columns)
                )
    if fresh:
        await make_all_due(session)


def _trigger(
    dialect: str, name: str, table: str, act: str, kind: str, column: str, columns: tuple[str, ...]
) -> str:
    head = f"CREATE TRIGGER {name} AFTER {act.upper()} ON {table} FOR EACH ROW"
    if dialect == "postgres":
        when = _when(table, act, columns, "IS DISTINCT FROM")
        return f"{head}{when} EXECUTE FUNCTION kiemke_search_touch('{kind}', '{column}')"
    row = "OLD" if act == "delete" else "NEW"
    return (
        f"{head}{_when(table, act, columns, 'IS NOT')} BEGIN"  # noqa: S608 - names of this file
        f" INSERT INTO search_due (kind, subject_id) VALUES ('{kind}', {row}.{column}); END"
    )


async def make_all_due(session: Session) -> None:
    """Note everything as due, and forget the words of what is gone."""
    await session.execute("DELETE FROM search_due")
    await session.execute("DELETE FROM search_block")
    for kind, table in _SUBJECT_TABLES.items():
        await session.execute(
            f"INSERT INTO search_due (kind, subject_id) SELECT '{kind}', id FROM {table} ORDER BY id"  # noqa: S608 - names of this file
        )
        await session.execute(
            "DELETE FROM search_word WHERE kind = :kind"  # noqa: S608 - names of this file
            f" AND subject_id NOT IN (SELECT id FROM {table})",
            kind=kind,
        )


async def run(db: Database, guard: Guard | None = None) -> int:
    """Do what is due, in short transactions, so that nobody waits long; return how many notes went.

    What is left after many of them waits for the next run: other work has its turn between.
    """
    done = 0
    for _ in range(_BATCHES_A_RUN):
        taken = await catch_up(db, _BATCH, guard)
        done += taken
        if taken < _BATCH:
            break
    return done


async def catch_up(db: Database, most: int, guard: Guard | None = None) -> int:
    """Make the words of at most ``most`` noted changes anew; return how many notes were taken."""
    if not await db.read("SELECT id FROM search_due LIMIT 1"):
        return 0
    async with db.transaction() as session:
        if guard is not None:
            await guard(session)
        return await take_due(session, most)


async def take_due(session: Session, most: int) -> int:
    """Do the same in a transaction that is open."""
    if session.dialect == "postgres":
        # One at a time: a slower one would put older words over the newer.
        await session.execute(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
    notes = await session.fetch(
        "SELECT id, kind, subject_id FROM search_due ORDER BY id LIMIT :most", most=most
    )
    await session.execute(
        "DELETE FROM search_due WHERE id IN :[ids]", ids=[note["id"] for note in notes]
    )
    due: dict[str, set[int]] = defaultdict(set)
    for note in notes:
        due[note["kind"]].add(note["subject_id"])
    for kind in sorted(due.keys() & _SUBJECT_TABLES.keys()):
        ids = sorted(due[kind])
        await session.execute(
            "DELETE FROM search_word WHERE kind = :kind AND subject_id IN :[ids]",
            kind=kind,
            ids=ids,
        )
        rows = await make_rows(session, kind, ids)
        await session.many(
            "INSERT INTO search_word (kind, word, subject_id, unit_id)"
            " VALUES (:kind, :word, :subject_id, :unit_id)",
            rows,
        )
        numbers: dict[int, list[str]] = {subject_id: [] for subject_id in ids}
        for row in rows:
            numbers[int(row["subject_id"])].append(str(row["word"]))
        await search_blocks.keep(session, kind, numbers)
    return len(notes)


async def make_rows(session: Session, kind: str, ids: list[int]) -> list[dict[str, str | int]]:
    """Return the rows of ``search_word`` that things of one kind should have."""
    rows: list[dict[str, str | int]] = []
    for subject_id, subject in (await load(session, kind, ids)).items():
        words = dict.fromkeys(word for value in subject.values for word in words_of(value))
        rows += [
            {"kind": kind, "word": word, "subject_id": subject_id, "unit_id": unit_id}
            for word in words
            for unit_id in sorted(subject.units or {0})
        ]
    return rows


@dataclass(frozen=True, slots=True)
class Digest:
    """How many words there are, and a sum over them and their blocks that others hardly have."""

    words: int
    total: int


_TOLD = (
    "SELECT id, kind, word, subject_id, unit_id FROM search_word WHERE id > :after"
    " ORDER BY id LIMIT 20000",
    "SELECT id, kind, words AS word, block AS subject_id, 0 AS unit_id FROM search_block"
    " WHERE id > :after ORDER BY id LIMIT 5000",
)


async def digest(db: Database) -> Digest:
    """Return the digest of the words as they are."""
    words = total = 0
    for number, sql in enumerate(_TOLD):
        after = 0
        while rows := await db.read(sql, after=after):
            after = rows[-1]["id"]
            words += len(rows) if number == 0 else 0
            for row in rows:
                told = f"{number} {row['kind']} {row['subject_id']} {row['unit_id']} {row['word']}"
                total += int.from_bytes(blake2b(told.encode(), digest_size=16).digest())
    return Digest(words, total % 2**128)
