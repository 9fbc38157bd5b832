"""Fitness: of the verified officials, whose PC does for the work of their posts, and what is wanting.

Fit is a part of verified: every need of the person's profiles is met by one PC. A need known not to be
met makes a PC unfit; with none such, a need nobody can tell makes it unknown (``fit_unknown``).
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fnmatch import fnmatchcase

from kiemke.server.db import Row, Session
from kiemke.server.domain.coverage import make_ready, statement_params
from kiemke.server.domain.coverage_sql import persons_sql
from kiemke.server.domain.fit_facts import (
    SECTIONS,
    Facts,
    Rows,
    has_printer,
    has_signature,
    is_supported,
    merge,
    read_facts,
    read_rows,
)
from kiemke.server.domain.fit_rules import FitRules
from kiemke.server.domain.fit_rules import load as load_rules
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.tables import dated

FITNESS = ("fit", "unfit", "fit_unknown")
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


@dataclass(frozen=True, slots=True)
class Setting:
    """What is judged by beside a PC's own facts: rules, day, who has a driver, who has a printer."""

    rules: FitRules
    day: date
    facts: Mapping[int, Facts]
    drivers: frozenset[int]
    printing_units: frozenset[int]


_VERIFIED = """
SELECT q.official_id, q.unit_id, m.post, o.code AS official_code, @person_name AS official_name, o.sort_key,
  v.code AS unit_code, v.name AS unit_name, a.code AS asset_code, pc.machine_id, s.id AS source_id
FROM person q
JOIN pc ON pc.official_id = q.official_id AND pc.place = 1
JOIN membership m ON m.id = q.membership_id
JOIN official o ON o.id = q.official_id
JOIN unit_version v ON v.unit_id = q.unit_id AND @active(v)
JOIN asset a ON a.id = pc.asset_id
LEFT JOIN machine_source y ON y.machine_id = pc.machine_id AND @active(y)
LEFT JOIN source s ON s.id = y.source_id AND s.state = 'approved'
WHERE q.place = 1 AND (CAST(:all_units AS INTEGER) = 1 OR q.unit_id IN :[units])
ORDER BY v.sort_key, q.unit_id, o.sort_key, q.official_id, a.code, s.id
"""
_POSTS = dated("""
SELECT m.official_id, m.post, m.kind FROM membership m WHERE {active m}
  AND (CAST(:all_units AS INTEGER) = 1 OR m.official_id IN :[officials])
""")
_PRINTING = dated(
    """
SELECT DISTINCT c.unit_id FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE {active c}
  AND (a.kind IN :[kinds.text] OR a.id IN (SELECT g.asset_id FROM asset_fact g
    WHERE g.kind IN :[kinds.text] AND {active g}))
  AND @kind IN :[kinds.text] AND EXISTS (
  SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND t.status = 'in_use' AND {active t})
""".replace("@kind", KIND)
)
_STORED = """
SELECT source_id, section, status, rows_json FROM source_section
WHERE section IN :[sections.text] AND changed_at_ms <= :until AND source_id IN :[sources]
"""
_TITLES = "SELECT id, name FROM software_title"
_DRIVERS = "SELECT DISTINCT source_id FROM source_software WHERE title_id IN :[titles]"


async def read_persons(
    session: Session, day: date, known_ms: int, units: list[int] | None
) -> list[Row]:
    """Return a row for each source of each verified PC of the units' own people, None is all."""
    params = await statement_params(session, day, known_ms)
    await make_ready(session)
    sql = persons_sql(session.dialect, params["blocks"], _VERIFIED)
    scope = {"units": units or [], "all_units": 1 if units is None else 0}
    return await session.fetch(sql, **params, **scope)


async def read_posts(
    session: Session, day: date, known_ms: int, officials: list[int] | None
) -> dict[int, list[tuple[str | None, str]]]:
    """Return every (post, kind) of the day by official; None is everybody's."""
    rows = await session.fetch(
        _POSTS,
        day=day,
        known=known_ms,
        officials=officials or [],
        all_units=1 if officials is None else 0,
    )
    posts: dict[int, list[tuple[str | None, str]]] = defaultdict(list)
    for row in rows:
        posts[row["official_id"]].append((row["post"], row["kind"]))
    return posts


async def read_setting(
    session: Session, day: date, known_ms: int, facts: Mapping[int, Facts]
) -> Setting:
    """Return what is judged by on a day. Raises UnusableRule."""
    rules = await load_rules(session, day, known_ms)
    printing = await session.fetch(_PRINTING, day=day, known=known_ms, kinds=list(_PRINTERS))
    return Setting(
        rules,
        day,
        facts,
        await _read_drivers(session, rules),
        frozenset(row["unit_id"] for row in printing),
    )


async def _read_drivers(session: Session, rules: FitRules) -> frozenset[int]:
    globs = rules.tokens.software
    titles = [
        row["id"]
        for row in await session.fetch(_TITLES)
        if any(fnmatchcase(row["name"].casefold(), glob) for glob in globs)
    ]
    rows = await session.fetch(_DRIVERS, titles=titles)
    return frozenset(row["source_id"] for row in rows)


async def read_facts_of(session: Session, sources: list[int], until_ms: int) -> dict[int, Facts]:
    """Return what sources told; a section that changed after ``until_ms`` is unknown of before."""
    rows = await session.fetch(
        _STORED, sections=list(SECTIONS), until=until_ms, sources=sorted(set(sources))
    )
    return await asyncio.to_thread(_read_all, rows)


def _read_all(rows: list[Row]) -> dict[int, Facts]:
    sections: dict[int, dict[str, Rows | None]] = defaultdict(dict)
    for row in rows:
        sections[row["source_id"]][row["section"]] = read_rows(row["rows_json"], row["status"])
    return {source: read_facts(found) for source, found in sections.items()}


async def load(
    session: Session, day: date, known_ms: int, until_ms: int, units: list[int] | None
) -> list[FitRow]:
    """Return the verified own people of the units, by unit and given name. Raises UnusableRule.

    ``until_ms`` is the moment up to which a section's content speaks of the day.
    """
    persons = await read_persons(session, day, known_ms, units)
    officials = None if units is None else sorted({row["official_id"] for row in persons})
    posts = await read_posts(session, day, known_ms, officials)
    sources = [row["source_id"] for row in persons if row["source_id"] is not None]
    facts = await read_facts_of(session, sources, until_ms)
    return judge(persons, posts, await read_setting(session, day, known_ms, facts))


def judge(
    persons: list[Row], posts: Mapping[int, list[tuple[str | None, str]]], setting: Setting
) -> list[FitRow]:
    """Return one row a person, in the order given: the PC that does best, of equals the first."""
    pcs: dict[tuple[int, str], list[Row]] = {}
    for row in persons:
        pcs.setdefault((row["official_id"], row["asset_code"]), []).append(row)
    best: dict[int, FitRow] = {}
    for (official, _code), rows in pcs.items():
        found = _judge_pc(rows, setting.rules.needs_of(posts.get(official, [])), setting)
        kept = best.get(official)
        if kept is None or _rank(found) < _rank(kept):
            best[official] = found
    return list(best.values())


def _rank(row: FitRow) -> int:
    return ("fit", "fit_unknown", "unfit").index(row.fitness)


def _judge_pc(rows: list[Row], needs: dict[str, int], setting: Setting) -> FitRow:
    first = rows[0]
    sources = [row["source_id"] for row in rows if row["source_id"] is not None]
    facts = merge(setting.facts[source] for source in sources if source in setting.facts)
    answers = _answers(facts, needs, sources, first["unit_id"], setting)
    missing = tuple(need for need in needs if answers[need] is False)
    unknown = tuple(need for need in needs if answers[need] is None)
    # A day without any profile asks nothing, and so knows nothing.
    fitness = "unfit" if missing else "fit_unknown" if unknown or not needs else "fit"
    measured = {"ram_gib": facts.ram_gib, "screen_height": facts.screen_height}
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
        {name: much for name, much in measured.items() if much is not None},
        missing,
        unknown,
    )


def _answers(
    facts: Facts, needs: Mapping[str, int], sources: list[int], unit_id: int, setting: Setting
) -> dict[str, bool | None]:
    """Return whether each need is met, None where nobody can tell."""
    has_driver = any(source in setting.drivers for source in sources)
    return {
        "ram_gib": _reaches(facts.ram_gib, needs.get("ram_gib")),
        "ssd": facts.ssd,
        "os_supported": is_supported(facts.system, setting.rules, setting.day),
        "antivirus": facts.antivirus,
        "signature": has_signature(facts, setting.rules, has_driver),
        "printer": has_printer(facts, setting.rules, unit_id in setting.printing_units),
        "screen_height": _reaches(facts.screen_height, needs.get("screen_height")),
    }


def _reaches(have: int | None, want: int | None) -> bool | None:
    return None if have is None else have >= (want or 0)
