"""Fitness: of the verified officials, whose PC does for the work of their posts, and what is wanting.

Fit is a part of verified: every need of the person's profiles is met by one PC. A need known not to be
met makes a PC unfit; with none such, a need nobody can tell makes it unknown (``fit_unknown``).
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain import coverage_few
from kiemke.server.domain.coverage import statement_params
from kiemke.server.domain.coverage_few import Few, few_of_units, few_officials
from kiemke.server.domain.coverage_sql import persons_sql
from kiemke.server.domain.fit_facts import (
    SECTIONS,
    Facts,
    has_printer,
    has_signature,
    is_supported,
    make_facts,
    merge,
    read_rows,
    read_section,
)
from kiemke.server.domain.fit_rules import FitRules
from kiemke.server.domain.fit_rules import load as load_rules
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.tables import dated

FITNESS = ("fit", "unfit", "fit_unknown")
# Whether what is searched in is to be told of.
Keep = Callable[[str], bool]
_PRINTERS = ("printer", "multifunction", "copier")


@dataclass(frozen=True, slots=True)
class FitRow:
    """One verified person and the PC that does best.

    ``missing`` are needs known not to be met, ``unknown`` those nobody can tell; ``needs`` is what the
    profiles ask, by need, and ``has`` what the PC has of what a number measures.
    """

    official_id: int
    official_code: str
    official_name: str
    unit_id: int
    unit_code: str
    unit_name: str
    post: str | None
    asset_code: str
    machine_id: int | None
    fitness: str
    needs: dict[str, int]
    has: dict[str, int]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def words(self) -> str:
        """What of the person is searched in."""
        return f"{self.official_code} {self.official_name} {self.post or ''}"


@dataclass(frozen=True, slots=True)
class Setting:
    """What is judged by beside a PC's own facts: rules, day, who has a driver, who has a printer."""

    rules: FitRules
    day: date
    facts: Mapping[int, Facts]
    drivers: frozenset[int]
    printing_units: frozenset[int]


# The persons in order. @told: what is searched in.
_PERSONS = """
SELECT q.official_id@told
FROM person q@posts
JOIN official o ON o.id = q.official_id
JOIN unit_version v ON v.unit_id = q.unit_id AND @active(v)
WHERE q.place = 1 AND (CAST(:all_units AS INTEGER) = 1 OR q.unit_id IN :[units])
ORDER BY v.sort_key, q.unit_id, o.sort_key, q.official_id
"""
_POST = "\nJOIN membership m ON m.id = q.membership_id"
_TOLD = ", o.code AS official_code, @person_name AS official_name, m.post"
# Folded by a window and not joined: a planner that thinks the PCs few would look all through them for each
# person.
_VERIFIED = """
SELECT q.official_id, m.unit_id, m.post, o.code AS official_code, @person_name AS official_name, o.sort_key,
  v.code AS unit_code, v.name AS unit_name, a.code AS asset_code, q.machine_id, s.id AS source_id
FROM (
  SELECT f.official_id, f.asset_id, f.machine_id,
    MAX(f.membership) OVER (PARTITION BY f.official_id) AS membership_id
  FROM (
    SELECT official_id, membership_id AS membership, NULL AS asset_id, NULL AS machine_id
    FROM person WHERE place = 1 AND (CAST(:all_units AS INTEGER) = 1 OR unit_id IN :[units])
    UNION ALL
    SELECT official_id, NULL, asset_id, machine_id FROM pc WHERE place = 1
  ) AS f
) AS q
JOIN membership m ON m.id = q.membership_id
JOIN official o ON o.id = q.official_id
JOIN unit_version v ON v.unit_id = m.unit_id AND @active(v)
JOIN asset a ON a.id = q.asset_id
LEFT JOIN machine_source y ON y.machine_id = q.machine_id AND @active(y)
LEFT JOIN source s ON s.id = y.source_id AND s.state = 'approved'
ORDER BY v.sort_key, m.unit_id, o.sort_key, q.official_id, a.code, s.id
"""
_POSTS = dated("SELECT m.official_id, m.post, m.kind FROM membership m WHERE {active m}")
_POSTS_OF = f"{_POSTS} AND m.official_id IN :[officials]"
_PRINTING = dated(
    """
SELECT DISTINCT c.unit_id FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE {active c}
  AND (a.kind IN :[kinds.text] OR a.id IN (SELECT g.asset_id FROM asset_fact g
    WHERE g.kind IN :[kinds.text] AND {active g}))
  AND @kind IN :[kinds.text] AND EXISTS (
  SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND t.status = 'in_use' AND {active t})@mine
""".replace("@kind", KIND)
)
_STORED = """
SELECT source_id, section, status, rows_json FROM source_section
WHERE section IN :[sections.text] AND changed_at_ms <= :until AND source_id IN :[sources]
"""
_TITLES = "SELECT id, name FROM software_title"
_TITLES_OF = """
SELECT id, name FROM software_title
WHERE id IN (SELECT title_id FROM source_software WHERE source_id IN :[sources])
"""
_DRIVERS = "SELECT DISTINCT source_id FROM source_software WHERE title_id IN :[titles]"
_DRIVERS_OF = f"{_DRIVERS} AND source_id IN :[sources]"


async def read_persons(
    session: Session, day: date, known_ms: int, units: list[int] | None, few: Few | None = None
) -> list[Row]:
    """Return a row for each source of each verified PC of the units' own people, None is all.

    ``few`` are those people's rows, None where they are too many for that to be worth it.
    """
    return await _ask(session, _VERIFIED, day, known_ms, units, few)


async def _ask(
    session: Session, tail: str, day: date, known_ms: int, units: list[int] | None, few: Few | None
) -> list[Row]:
    params = await statement_params(session, day, known_ms)
    sql = persons_sql(session.dialect, params["blocks"], tail)
    scope = {"units": units or [], "all_units": 1 if units is None else 0}
    return await coverage_few.fetch(session, sql, params, few, **scope)


async def read_posts(
    session: Session, day: date, known_ms: int, officials: list[int] | None
) -> dict[int, list[tuple[str | None, str]]]:
    """Return every (post, kind) of the day by official; None is everybody's."""
    of = {} if officials is None else {"officials": officials}
    sql = _POSTS if officials is None else _POSTS_OF
    rows = await session.fetch(sql, day=day, known=known_ms, **of)
    posts: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    for row in rows:
        posts[row["official_id"]].append((row["post"], row["kind"]))
    return posts


async def read_setting(
    session: Session,
    day: date,
    known_ms: int,
    facts: Mapping[int, Facts],
    few: Few | None = None,
) -> Setting:
    """Return what is judged by on a day, of a few persons' units and ``facts``. Raises UnusableRule."""
    rules = await load_rules(session, day, known_ms)
    mine = {} if few is None else {"units": few.units}
    printing = await session.fetch(
        _PRINTING.replace("@mine", "" if few is None else " AND c.unit_id IN :[units]"),
        day=day,
        known=known_ms,
        kinds=list(_PRINTERS),
        **mine,
    )
    return Setting(
        rules,
        day,
        facts,
        await _read_drivers(session, rules, None if few is None else sorted(facts)),
        frozenset(row["unit_id"] for row in printing),
    )


async def _read_drivers(
    session: Session, rules: FitRules, sources: list[int] | None
) -> frozenset[int]:
    """Return which of the sources have a driver of a token, None is all sources."""
    globs = rules.tokens.software
    of = {} if sources is None else {"sources": sources}
    titles = [
        row["id"]
        for row in await session.fetch(_TITLES if sources is None else _TITLES_OF, **of)
        if any(fnmatchcase(row["name"].casefold(), glob) for glob in globs)
    ]
    drivers = _DRIVERS if sources is None else _DRIVERS_OF
    rows = await session.fetch(drivers, titles=titles, **of)
    return frozenset(row["source_id"] for row in rows)


async def read_facts_of(session: Session, sources: list[int], until_ms: int) -> dict[int, Facts]:
    """Return what sources told; a section that changed after ``until_ms`` is unknown of before."""
    rows = await session.fetch(
        _STORED, sections=list(SECTIONS), until=until_ms, sources=sorted(set(sources))
    )
    return await asyncio.to_thread(_read_all, rows)


def _read_all(rows: list[Row]) -> dict[int, Facts]:
    """Return each source's facts. Most PCs say what others say: each text is read once, in this reading."""
    read: dict[tuple[str, str, str | None], Any] = {}
    told: dict[int, dict[str, Any]] = defaultdict(dict)
    for row in rows:
        key = row["section"], row["status"], row["rows_json"]
        if key not in read:
            found = read_rows(row["rows_json"], row["status"])
            read[key] = None if found is None else read_section(row["section"], found)
        told[row["source_id"]][row["section"]] = read[key]
    made: dict[tuple[Any, ...], Facts] = {}
    facts: dict[int, Facts] = {}
    for source, sections in told.items():
        alike = tuple(sections.get(name) for name in SECTIONS)
        if alike not in made:
            made[alike] = make_facts(sections)
        facts[source] = made[alike]
    return facts


async def load(
    session: Session, day: date, known_ms: int, until_ms: int, units: list[int] | None
) -> list[FitRow]:
    """Return the verified own people of the units, by unit and given name. Raises UnusableRule.

    ``until_ms`` is the moment up to which a section's content speaks of the day.
    """
    few = None
    if units is not None:
        few = await few_of_units(session, units, {"day": day, "known": known_ms})
    return await _load(session, day, known_ms, until_ms, units, few)


async def find(
    session: Session, day: date, known_ms: int, units: list[int] | None, keep: Keep | None
) -> list[int]:
    """Return the officials ``load`` would tell of, in its order: those whose words are to keep."""
    few = None
    if units is not None:
        few = await few_of_units(session, units, {"day": day, "known": known_ms})
    told, post = ("", "") if keep is None else (_TOLD, _POST)
    tail = _PERSONS.replace("@told", told).replace("@posts", post)
    rows = await _ask(session, tail, day, known_ms, units, few)
    names = ("official_code", "official_name", "post")
    return [
        row["official_id"]
        for row in rows
        if keep is None or keep(" ".join(row[name] or "" for name in names))
    ]


async def load_officials(
    session: Session, day: date, known_ms: int, until_ms: int, officials: list[int]
) -> list[FitRow]:
    """Return what ``load`` tells of these people, in its order. Raises UnusableRule."""
    few = await few_officials(session, officials, {"day": day, "known": known_ms})
    return await _load(session, day, known_ms, until_ms, None, few)


async def _load(
    session: Session,
    day: date,
    known_ms: int,
    until_ms: int,
    units: list[int] | None,
    few: Few | None,
) -> list[FitRow]:
    persons = await read_persons(session, day, known_ms, units, few)
    is_everybody = few is None and units is None
    officials = None if is_everybody else sorted({row["official_id"] for row in persons})
    posts = await read_posts(session, day, known_ms, officials)
    sources = [row["source_id"] for row in persons if row["source_id"] is not None]
    facts = await read_facts_of(session, sources, until_ms)
    setting = await read_setting(session, day, known_ms, facts, few)
    # A country is seconds of arithmetic: not in the event loop.
    return await asyncio.to_thread(judge, persons, posts, setting)


def judge(
    persons: list[Row], posts: Mapping[int, list[tuple[str | None, str]]], setting: Setting
) -> list[FitRow]:
    """Return one row a person, in the order given: the PC that does best, of equals the first."""
    pcs: dict[tuple[int, str], list[Row]] = {}
    for row in persons:
        pcs.setdefault((row["official_id"], row["asset_code"]), []).append(row)
    best: dict[int, FitRow] = {}
    judging = _Judging(setting)
    for (official, _code), rows in pcs.items():
        found = judging.judge(rows, posts.get(official, []))
        kept = best.get(official)
        if kept is None or _rank(found) < _rank(kept):
            best[official] = found
    return list(best.values())


def _rank(row: FitRow) -> int:
    return ("fit", "fit_unknown", "unfit").index(row.fitness)


class _Judging:
    """One judging of many PCs: what is alike in all that matters is judged once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._needs: dict[tuple[tuple[str | None, str], ...], dict[str, int]] = {}
        self._found: dict[Any, tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]] = {}

    def judge(self, rows: list[Row], posts: list[tuple[str | None, str]]) -> FitRow:
        """Return what is judged of a PC, whose sources the rows are, for a person of these posts."""
        setting, first, pairs = self._setting, rows[0], tuple(posts)
        if pairs not in self._needs:
            self._needs[pairs] = setting.rules.needs_of(pairs)
        needs = self._needs[pairs]
        sources = [row["source_id"] for row in rows if row["source_id"] is not None]
        facts = merge(setting.facts[source] for source in sources if source in setting.facts)
        has_driver = any(source in setting.drivers for source in sources)
        prints = first["unit_id"] in setting.printing_units
        key = facts, tuple(needs.items()), has_driver, prints
        if key not in self._found:
            self._found[key] = _weigh(facts, needs, has_driver, prints, setting)
        measured, missing, unknown = self._found[key]
        # A day without any profile asks nothing, and so knows nothing.
        fitness = "unfit" if missing else "fit_unknown" if unknown or not needs else "fit"
        return FitRow(
            first["official_id"],
            first["official_code"],
            first["official_name"],
            first["unit_id"],
            first["unit_code"],
            first["unit_name"],
            first["post"],
            first["asset_code"],
            first["machine_id"],
            fitness,
            needs,
            measured,
            missing,
            unknown,
        )


def _weigh(
    facts: Facts, needs: dict[str, int], has_driver: bool, prints: bool, setting: Setting
) -> tuple[dict[str, int], tuple[str, ...], tuple[str, ...]]:
    """Return what the PC has of what a number measures, and the needs not met and not known."""
    answers = _answers(facts, needs, has_driver, prints, setting)
    measured = {"ram_gib": facts.ram_gib, "screen_height": facts.screen_height}
    return (
        {name: much for name, much in measured.items() if much is not None},
        tuple(need for need in needs if answers[need] is False),
        tuple(need for need in needs if answers[need] is None),
    )


def _answers(
    facts: Facts, needs: Mapping[str, int], has_driver: bool, prints: bool, setting: Setting
) -> dict[str, bool | None]:
    """Return whether each need is met, None where nobody can tell."""
    return {
        "ram_gib": _reaches(facts.ram_gib, needs.get("ram_gib")),
        "ssd": facts.ssd,
        "os_supported": is_supported(facts.system, setting.rules, setting.day),
        "antivirus": facts.antivirus,
        "signature": has_signature(facts, setting.rules, has_driver),
        "printer": has_printer(facts, setting.rules, prints),
        "screen_height": _reaches(facts.screen_height, needs.get("screen_height")),
    }


def _reaches(have: int | None, want: int | None) -> bool | None:
    return None if have is None else have >= (want or 0)
