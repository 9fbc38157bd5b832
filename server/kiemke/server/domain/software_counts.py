"""On how many machines programs are: counted of the few programs that are shown, not of all there are.

A country's PCs have some millions of copies. Grouping them all, with the machines told apart, takes a
minute; here the database only strings the sources of each title together, from its index alone.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.tables import dated

PROGRAMS_AT_ONCE = 100

# A program: its plain name and publisher ("" where none is told).
Program = tuple[str, str]

NAME, PUBLISHER = "COALESCE(t.plain_name, LOWER(t.name))", "COALESCE(t.plain_publisher, '')"
OF_KIND = "(CAST(:parts AS INTEGER) = 1 OR x.kind IS NULL)"
# From the sources in sight on: CROSS JOIN keeps SQLite from reading a title's copies of the whole country.
IN_SIGHT = (
    "source s CROSS JOIN source_software x WHERE x.source_id = s.id AND s.state <> 'revoked'"
    " AND s.unit_id IN :[units]"
)
_TITLES = f"SELECT t.id, {NAME} AS name, {PUBLISHER} AS publisher, t.version FROM software_title t WHERE {NAME} IN :[names.text]"  # noqa: S608 - parts of this file
# Both strings are in one order: they are read row by row together.
_LIVE = dated(
    "SELECT @source_ids AS sources, @machine_ids AS machines FROM machine_source ms WHERE {active ms}@mine"
)
_MINE = " AND ms.source_id IN (SELECT s.id FROM source s WHERE s.unit_id IN :[units])"
_REVOKED = "SELECT id FROM source WHERE state = 'revoked'"


@dataclass(slots=True)
class Counted:
    """A program's versions and, title by title, the sources that have it, by their ids as text."""

    versions: set[str] = field(default_factory=set)
    sources: list[str] = field(default_factory=list)


async def count(
    session: Session,
    programs: Sequence[Program],
    times: dict[str, Any],
    units: list[int] | None,
    *,
    parts: bool,
) -> dict[Program, tuple[int, int]]:
    """Return (versions, machines) of each program; ``units`` None is everywhere.

    ``times`` are the parameters ``day`` and ``known``: which sources a machine had.
    """
    mine = {} if units is None else {"units": units}
    listed = "STRING_AGG(CAST(@id AS VARCHAR(20)), ',')"
    if session.dialect == "sqlite":
        listed = "GROUP_CONCAT(@id)"
    live_sql = _LIVE.replace("@mine", "" if units is None else _MINE)
    for name in ("source", "machine"):
        live_sql = live_sql.replace(f"@{name}_ids", listed.replace("@id", f"ms.{name}_id"))
    row = await session.one(live_sql, **times, **mine) or {}
    twins = _twins(_ids(row.get("sources")), _ids(row.get("machines")))
    live = set(_ids(row.get("sources"))) - {str(row["id"]) for row in await session.fetch(_REVOKED)}
    where = "source_software x WHERE 1 = 1" if units is None else IN_SIGHT
    copies = (
        f"SELECT x.title_id, {listed.replace('@id', 'x.source_id')} AS ids FROM {where}"  # noqa: S608 - parts of this file
        f" AND x.title_id IN :[titles] AND {OF_KIND} GROUP BY x.title_id"
    )
    told: dict[Program, tuple[int, int]] = {}
    for start in range(0, len(programs), PROGRAMS_AT_ONCE):
        some = programs[start : start + PROGRAMS_AT_ONCE]
        rows = await session.fetch(_TITLES, names=sorted({name for name, _ in some}))
        titles = {row["id"]: row for row in rows}
        found: dict[Program, Counted] = defaultdict(Counted)
        for row in await session.fetch(
            copies, titles=sorted(titles), parts=1 if parts else 0, **mine
        ):
            title = titles[row["title_id"]]
            sources = row["ids"].split(",")
            if not live.isdisjoint(sources):
                counted = found[title["name"], title["publisher"]]
                counted.versions.add(title["version"])
                counted.sources += sources
        for program in some:
            counted = found[program]
            told[program] = (len(counted.versions), _machines(live & set(counted.sources), twins))
    return told


def _ids(text: str | None) -> list[str]:
    return text.split(",") if text else []


def _twins(sources: list[str], machines: list[str]) -> dict[str, str]:
    """Return the machines of those sources that share one, as text."""
    if len(set(machines)) == len(machines):
        return {}
    counted = Counter(machines)
    pairs = zip(sources, machines, strict=True)
    return {source: machine for source, machine in pairs if counted[machine] > 1}


def _machines(sources: set[str], twins: dict[str, str]) -> int:
    """Return how many machines these sources are; ``twins`` are the machines of those that share one."""
    shared = sources & twins.keys()
    return len(sources) - len(shared) + len({twins[source] for source in shared})
