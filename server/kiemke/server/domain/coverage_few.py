"""The statement of ``coverage_sql`` asked of a few persons: over their rows alone, not the country's.

Which persons and which assets matter is looked up by indexes first. The statement then runs unchanged, but
the tables it begins at are common table expressions of the same names that hold only those rows. What a
person's state depends on is all there: the person's own rows, every share of each asset the person answers
for, and the assets that the units as such answer for.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.coverage import make_ready
from kiemke.server.domain.tables import dated

# From so many persons on, reading every table once costs less than looking up each row.
FEW_PERSONS = 10_000

_BELOW = dated("""
WITH RECURSIVE below (unit_id) AS (
  SELECT CAST(:unit AS BIGINT)
  UNION
  SELECT v.unit_id FROM unit_version v JOIN below b ON v.parent_id = b.unit_id WHERE {active v}
)
SELECT unit_id FROM below ORDER BY unit_id
""")
_PERSONS = dated("""
SELECT DISTINCT m.official_id FROM membership m
WHERE m.unit_id IN :[units] AND m.is_primary AND {active m} LIMIT :most
""")
_ASSETS = dated("""
SELECT c.asset_id FROM custody c WHERE c.official_id IN :[officials] AND {active c}
UNION
SELECT c.asset_id FROM custody c WHERE c.unit_id IN :[units] AND c.official_id IS NULL AND {active c}
""")
_UNITS = dated("""
SELECT DISTINCT m.unit_id FROM membership m
WHERE m.official_id IN :[officials] AND m.is_primary AND {active m}
""")

# Each table where the statement begins, with the rows that matter. With the schema before its name it is the
# table itself that is named within an expression of its own name.
_ROWS = {
    "custody": "asset_id @few_assets",
    "membership": "official_id @few_officials",
    "absence": "official_id @few_officials",
    "counted_asset": "asset_id @few_assets",
    "one_shot": (
        "source_id IN (SELECT y.source_id FROM machine_source y JOIN asset_match x"
        " ON x.machine_id = y.machine_id WHERE x.asset_id @few_assets)"
    ),
    "unit_version": "unit_id @few_units",
}
# Joined with few rows, SQLite would first read these through for a filter; with many, it would look through
# the few for each.
_FEW_ASSETS = 300
_ROWS_SQLITE = {
    "machine_source": (
        "machine_id IN (SELECT x.machine_id FROM asset_match x WHERE x.asset_id @few_assets)"
    ),
}
# PostgreSQL looks through the expressions to the tables' indexes and statistics, and reads an array as so
# many values; SQLite reads each expression once.
_FORMS = {
    "sqlite": (r"{} AS MATERIALIZED (SELECT * FROM main.{} WHERE {})", r"IN :[\1]"),
    "postgres": (
        r"{} AS NOT MATERIALIZED (SELECT * FROM public.{} WHERE {})",
        r"= ANY(CAST(:\1 AS BIGINT[]))",
    ),
}
_BEGIN = "WITH RECURSIVE"
_POSTGRES_AGAIN = "SELECT set_config('enable_nestloop', 'on', false)"
_POSTGRES_SETTINGS = "SELECT set_config('jit', 'off', false), set_config('plan_cache_mode', 'force_custom_plan', false)"


@dataclass(frozen=True, slots=True)
class Few:
    """The officials that are asked about, by id, all units that they or the question belong to, their assets."""

    officials: list[int]
    units: list[int]
    assets: list[int]


async def units_below(session: Session, unit_id: int, times: dict[str, Any]) -> list[int]:
    """Return a unit and those below it; ``times`` are ``day`` and ``known``."""
    rows = await session.fetch(_BELOW, unit=unit_id, **times)
    return [row["unit_id"] for row in rows]


async def few_of_units(session: Session, units: Sequence[int], times: dict[str, Any]) -> Few | None:
    """Return what matters for the own people of some units, None where these are too many."""
    rows = await session.fetch(_PERSONS, units=list(units), most=FEW_PERSONS + 1, **times)
    if len(rows) > FEW_PERSONS:
        return None
    return await _with_assets(session, [row["official_id"] for row in rows], units, times)


async def few_officials(session: Session, officials: Sequence[int], times: dict[str, Any]) -> Few:
    """Return what matters for some officials."""
    rows = await session.fetch(_UNITS, officials=list(officials), **times)
    return await _with_assets(session, officials, [row["unit_id"] for row in rows], times)


async def _with_assets(
    session: Session, officials: Sequence[int], units: Sequence[int], times: dict[str, Any]
) -> Few:
    rows = await session.fetch(_ASSETS, officials=list(officials), units=list(units), **times)
    return Few(sorted(officials), sorted(units), sorted(row["asset_id"] for row in rows))


async def fetch(
    session: Session, sql: str, params: dict[str, Any], few: Few | None, **more: Any
) -> list[Row]:
    """Run a statement of ``coverage_sql``, on the rows of a few persons or, for None, on everybody's."""
    if few is None:
        await make_ready(session)
        rows = await session.fetch(sql, **params, **more)
        if session.dialect == "postgres":
            await session.execute(_POSTGRES_AGAIN)  # what is asked next may be of few rows
        return rows
    if session.dialect == "postgres":
        await session.execute(_POSTGRES_SETTINGS)
    return await session.fetch(
        _narrow(sql, session.dialect, len(few.assets)),
        **params,
        **more,
        few_officials=few.officials,
        few_units=few.units,
        few_assets=few.assets,
    )


def _narrow(sql: str, dialect: str, assets: int) -> str:
    """Return the statement with the tables it begins at cut to the rows that matter."""
    head, begin, rest = sql.partition(_BEGIN)
    if not begin or head.strip():
        raise ValueError(f"not a statement of coverage_sql: {sql[:60]}")
    form, among = _FORMS[dialect]
    is_filtered = dialect == "sqlite" and assets <= _FEW_ASSETS
    kept = {**_ROWS, **_ROWS_SQLITE} if is_filtered else _ROWS
    tables = ",\n".join(form.format(name, name, rows) for name, rows in kept.items())
    return f"{begin}\n{re.sub('@(few_[a-z]+)', among, tables)},\n{rest}"
