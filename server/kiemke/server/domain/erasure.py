"""Erase a person: who he was goes out of the ledgers, and the key of his values in the log is destroyed.

What stays is what the office must account for: that somebody with this code held these posts and these
things on these days. The log's chain stays whole, since its bytes do not change.
"""

from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Row, Session
from kiemke.server.domain.person_keys import destroy_key
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.text import person_sort_key, search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.ledgers import PERSONAL


class CannotErase(Refused):
    """The person is still of the office; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What would go: the name put in place of his, and how many rows of each table hold his values."""

    pseudonym: str
    rows: dict[str, int]


async def plan(session: Session, official: Row, today: date) -> Erasure:
    """Return what an erasure would do. Raises CannotErase for who is in post, or holds something."""
    code = official["code"]
    in_post = await session.one(
        "SELECT id FROM membership WHERE official_id = :id AND voided_at_ms IS NULL"
        " AND (valid_to IS NULL OR valid_to > :today)",
        id=official["id"],
        today=today,
    )
    if in_post:
        raise CannotErase(
            Words(f"Cán bộ {code} còn tại chức.", f"Official {code} is still in post."),
            Words("Ghi thôi việc hoặc nghỉ hưu trước.", "Record the leave or retirement first."),
        )
    holds = await session.one(
        "SELECT id FROM custody WHERE official_id = :id AND voided_at_ms IS NULL"
        " AND (valid_to IS NULL OR valid_to > :today)",
        id=official["id"],
        today=today,
    )
    if holds:
        raise CannotErase(
            Words(f"Cán bộ {code} còn giữ tài sản.", f"Official {code} still holds assets."),
            Words("Bàn giao trước: kiemke tai-san ban-giao.", "Hand them over first."),
        )
    rows = {}
    for table, (person, _) in PERSONAL.items():
        found = await session.one(
            f"SELECT COUNT(*) AS n FROM {table} WHERE {person} = :id",  # noqa: S608  # names of ledgers.py
            id=official["id"],
        )
        rows[table] = int(found["n"]) if found else 0
    return Erasure(f"(đã xóa) {code}", rows)


async def erase(session: Session, official: Row, today: date, now_ms: int) -> Erasure:
    """Put the pseudonym in place of the person's values and destroy the key. As ``plan``."""
    planned = await plan(session, official, today)
    name = planned.pseudonym
    put = {"name": name, "sort_key": person_sort_key(name), "search_key": search_key(name)}
    for table, (person, columns) in PERSONAL.items():
        pairs = ", ".join(f"{c} = :{c}" if c in put else f"{c} = NULL" for c in columns)
        await session.execute(
            f"UPDATE {table} SET {pairs} WHERE {person} = :id",  # noqa: S608  # names of ledgers.py
            id=official["id"],
            **{column: put[column] for column in columns if column in put},
        )
    await destroy_key(session, official["id"], now_ms)
    return planned
