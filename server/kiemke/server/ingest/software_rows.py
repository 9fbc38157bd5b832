"""The programs of an inventory: a shared catalogue of titles, and which source has which.

Ingest only adds to the catalogue; titles that no source has any more go with what is old. Plain names
are made here, by one table for all agents' versions.
"""

from collections.abc import Iterable
from typing import Any

from kiemke.server.db import Session
from kiemke.wire.plain_words import plain_name, plain_publisher

# Name, version and publisher.
Title = tuple[str, str, str]
# What a source says of its copy: the columns of source_software, and the longest text of each.
FACTS = {"kind": 20, "architecture": 20, "origin": 20, "installed_on": 10, "account": 200}
Facts = tuple[str | int | None, ...]
_COLUMNS = (*FACTS, "size_bytes")
_MOST_WITHOUT_WORDS = 500  # titles of an earlier version, taken on at a time

_ADD = """
INSERT INTO software_title (name, version, publisher, plain_name, plain_publisher)
VALUES (:name, :version, :publisher, :plain_name, :plain_publisher)
ON CONFLICT (name, version, publisher) DO NOTHING
"""
_KNOWN = "SELECT id, name, version, publisher FROM software_title WHERE name IN :[names.text]"
_WITHOUT_WORDS = """
SELECT id, name, version, publisher FROM software_title WHERE plain_name IS NULL ORDER BY id LIMIT :most
"""
_GIVE_WORDS = """
UPDATE software_title SET plain_name = :plain_name, plain_publisher = :plain_publisher WHERE id = :id
"""
_HAVE = f"SELECT title_id, {', '.join(_COLUMNS)} FROM source_software WHERE source_id = :source"  # noqa: S608
_INSTALL = (
    f"INSERT INTO source_software (source_id, title_id, {', '.join(_COLUMNS)})"  # noqa: S608
    f" VALUES (:source, :title, {', '.join(f':{name}' for name in _COLUMNS)})"
    " ON CONFLICT (source_id, title_id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _COLUMNS)
)


async def save(session: Session, software: dict[int, list[dict[str, Any]]]) -> None:
    """Make each source's titles exactly these rows (as ``wire.inventory.Software``)."""
    if not software:
        return
    wanted = {source: _titles(rows) for source, rows in software.items()}
    ids = await _catalogue(session, {title for titles in wanted.values() for title in titles})
    for source in sorted(wanted):
        await _install(session, source, {ids[t]: facts for t, facts in wanted[source].items()})


def _titles(rows: list[dict[str, Any]]) -> dict[Title, Facts]:
    """Return each title with what is said of it; of one that several accounts have, all of them."""
    found: dict[Title, dict[str, Any]] = {}
    for row in rows:
        title = (
            str(row.get("name", ""))[:200],
            str(row.get("version") or "")[:100],
            str(row.get("publisher") or "")[:200],
        )
        said = found.setdefault(title, {**row, "accounts": set()})
        said["accounts"].add(row.get("user"))
    return {title: _facts(said) for title, said in found.items()}


def _facts(said: dict[str, Any]) -> Facts:
    accounts = said["accounts"]
    # One copy for everybody is everybody's.
    said["account"] = None if None in accounts else ", ".join(sorted(accounts))
    texts = [None if said.get(n) is None else str(said[n])[:most] for n, most in FACTS.items()]
    return (*texts, said.get("size_bytes"))


def _words(title: Title) -> dict[str, str | None]:
    name, version, publisher = title
    return {
        "plain_name": plain_name(name, version or None)[:200],
        "plain_publisher": plain_publisher(publisher)[:200] if publisher else None,
    }


async def _catalogue(session: Session, titles: set[Title]) -> dict[Title, int]:
    """Return the id of each title, adding those that are new."""
    ids = await _ids(session, titles)
    new = titles - ids.keys()
    if not new:
        return ids
    # All of the group sorted, not source by source: two servers that add the same titles wait for
    # each other in one order.
    await session.many(
        _ADD, [{"name": t[0], "version": t[1], "publisher": t[2], **_words(t)} for t in sorted(new)]
    )
    older = await session.fetch(_WITHOUT_WORDS, most=_MOST_WITHOUT_WORDS)
    await session.many(
        _GIVE_WORDS,
        [{"id": r["id"], **_words((r["name"], r["version"], r["publisher"]))} for r in older],
    )
    return ids | await _ids(session, new)


async def _ids(session: Session, titles: Iterable[Title]) -> dict[Title, int]:
    names = sorted({name for name, _, _ in titles})
    known = await session.fetch(_KNOWN, names=names)
    return {(r["name"], r["version"], r["publisher"]): r["id"] for r in known}


async def _install(session: Session, source: int, wanted: dict[int, Facts]) -> None:
    """Make a source's titles exactly ``wanted``; what did not change is not written."""
    have = {
        row["title_id"]: tuple(row[name] for name in _COLUMNS)
        for row in await session.fetch(_HAVE, source=source)
    }
    gone = sorted(have.keys() - wanted.keys())
    if gone:
        await session.execute(
            "DELETE FROM source_software WHERE source_id = :source AND title_id IN :[gone]",
            source=source,
            gone=gone,
        )
    await session.many(
        _INSTALL,
        [
            {"source": source, "title": title, **dict(zip(_COLUMNS, wanted[title], strict=True))}
            for title in sorted(wanted)
            if have.get(title) != wanted[title]
        ],
    )
