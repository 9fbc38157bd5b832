"""Equipment against the norms of a day: people, posts and custody read, then measured.

Each unit is an office of its own people and things. A thing several people answer for is the
office's; what stands at a place without a national cap (a one-stop desk) is left out, and so is what
neither a group nor an office has a norm for.
"""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain import rules_dated
from kiemke.server.domain.names_then import PERSON_NAME
from kiemke.server.domain.norms_judge import Held, Judge, NormRow, Person
from kiemke.server.domain.norms_posts import Place, Post, PostGroups
from kiemke.server.domain.norms_rules import RULES_FILE, NormRules, allowed_permille, read_rules
from kiemke.server.domain.ownership import KIND, OWNERSHIP
from kiemke.server.domain.rules_dated import DayRules
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text import search_key

# The first day for which norms ship; before it nothing is known.
EARLIEST = date(2018, 1, 1)


@dataclass(frozen=True, slots=True)
class NormQuestion:
    """The people and things of ``units`` (None is all) on ``day`` as known at ``known_ms``."""

    day: date
    known_ms: int
    units: list[int] | None = None


_UNITS = dated("""
SELECT v.unit_id, v.parent_id, v.type, v.sort_key FROM unit_version v WHERE {active v}
ORDER BY v.sort_key, v.unit_id, v.id
""")

_POSTS = dated(
    f"""
SELECT o.id AS official_id, o.code, {PERSON_NAME} AS name, m.unit_id, m.kind, m.post, m.is_primary
FROM membership m
JOIN official o ON o.id = m.official_id
WHERE {{active m}} AND (CAST(:all_units AS INTEGER) = 1 OR m.official_id IN (
  SELECT p.official_id FROM membership p
  WHERE p.is_primary AND p.unit_id IN :[units] AND {{active p}}))
ORDER BY o.sort_key, o.id, m.id
"""  # noqa: S608  # a fragment of this house
)

_ABSENCES = dated("""
SELECT DISTINCT b.official_id FROM absence b WHERE b.reason IN :[reasons.text] AND {active b}
""")

# Both people of a shared thing must be seen although only one may be asked about.
_HELD = dated(
    """
SELECT a.id, a.code, @kind AS kind, a.price_dong, @ownership AS ownership, c.unit_id, c.official_id, c.place
FROM custody c
JOIN asset a ON a.id = c.asset_id
WHERE {active c} AND @ownership IN ('owned', 'borrowed') AND @kind IN :[kinds.text]
  AND EXISTS (SELECT 1 FROM asset_status s
    WHERE s.asset_id = a.id AND s.status IN :[statuses.text] AND {active s})
  AND (CAST(:all_units AS INTEGER) = 1 OR a.id IN (
    SELECT d.asset_id FROM custody d WHERE {active d} AND (d.unit_id IN :[units]
      OR d.official_id IN (SELECT p.official_id FROM membership p
        WHERE p.is_primary AND p.unit_id IN :[units] AND {active p}))))
ORDER BY a.code, a.id, c.id
""".replace("@ownership", OWNERSHIP).replace("@kind", KIND)
)


async def load(session: Session, question: NormQuestion) -> list[NormRow]:
    """Return every row, by unit and given name: an office's shared things, then its people.

    Empty before EARLIEST. Raises UnknownRule or UnusableRule.
    """
    if question.day < EARLIEST:
        return []
    by_day = (await rules_dated.load(session, RULES_FILE)).on(question.day, question.known_ms)
    rules = read_rules(by_day)
    asked: dict[str, Any] = {"day": question.day, "known": question.known_ms}
    scope = {
        "units": question.units or [],
        "all_units": 1 if question.units is None else 0,
    }
    units = await session.fetch(_UNITS, **asked)
    posts = await session.fetch(_POSTS, **asked, **scope)
    absent = await session.fetch(_ABSENCES, **asked, reasons=sorted(rules.no_lack))
    held = await session.fetch(
        _HELD, **asked, **scope, kinds=rules.kinds(), statuses=list(rules.had_in)
    )
    excused = {row["official_id"] for row in absent}
    # A country is seconds of arithmetic: not in the event loop.
    return await asyncio.to_thread(
        lambda: _judge(by_day, rules, question, units, _people(posts, units, excused), held)
    )


def _people(rows: list[Row], units: list[Row], excused: set[int]) -> list[Person]:
    """Return the people in the order of their units; posts without a primary one are nobody's."""
    posts: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        posts[row["official_id"]].append(row)
    people = []
    for official_id, mine in posts.items():
        main = next((row for row in mine if row["is_primary"]), None)
        if main is not None:
            people.append(
                Person(
                    official_id,
                    main["code"],
                    main["name"],
                    main["unit_id"],
                    tuple(Post(row["post"], row["kind"], row["unit_id"]) for row in mine),
                    may_lack=official_id not in excused,
                )
            )
    order = {row["unit_id"]: place for place, row in enumerate(units)}
    return sorted(people, key=lambda person: order.get(person.unit_id, len(order)))


def _judge(
    by_day: DayRules,
    rules: NormRules,
    question: NormQuestion,
    units: list[Row],
    people: list[Person],
    held: list[Row],
) -> list[NormRow]:
    tree = {row["unit_id"]: Place(row["type"], row["parent_id"]) for row in units}
    parents = {unit_id: place.parent_id for unit_id, place in tree.items()}

    @cache
    def allowed(unit_id: int) -> int:
        return allowed_permille(by_day, unit_id, parents)

    judge = Judge(rules, PostGroups(by_day, rules.groups, tree).best, allowed)
    rows = judge.rows(people, _things(held, rules, tree))
    wanted = None if question.units is None else set(question.units)
    order = {unit_id: place for place, unit_id in enumerate(tree)}
    kept = [row for row in rows if wanted is None or row.unit_id in wanted]
    return sorted(kept, key=lambda row: order.get(row.unit_id, len(order)))


def _things(rows: list[Row], rules: NormRules, tree: dict[int, Place]) -> list[Held]:
    """Return one thing for each asset: a person's when exactly one answers for it."""
    custodies: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        custodies[row["id"]].append(row)
    things = []
    for mine in custodies.values():
        first = mine[0]
        if any(_is_uncapped(row["place"], rules.uncapped_places) for row in mine):
            continue
        people = {row["official_id"] for row in mine}
        one = people.pop() if len(people) == 1 else None
        unit_id = min(row["unit_id"] for row in mine)
        if one is None and unit_id not in tree:
            continue
        things.append(
            Held(
                first["id"],
                first["code"],
                first["kind"],
                first["price_dong"],
                unit_id,
                one,
                first["ownership"] == "owned",
            )
        )
    return things


def _is_uncapped(place: str | None, globs: tuple[str, ...]) -> bool:
    return place is not None and any(fnmatchcase(search_key(place), glob) for glob in globs)
