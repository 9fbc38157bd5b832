"""Which units each entry of the audit log concerns, so that who sees some units reads those entries alone.

An entry concerns the units of what it is about (its subject), of each ledger row it wrote, and those it
names by id. Whose a thing was is asked as of the entry: what the change took from a unit, or gave to one,
concerns both. What belongs to no unit, or cannot be told, is kept as no unit (NULL): only who sees
everything reads it.

The marks are made from the log a moment later, and can be made anew at will.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Database, Row, Session, as_date
from kiemke.server.domain.calendar import local_day

Guard = Callable[[Session], Awaitable[None]]

ENTRIES_A_TURN, TURNS_A_RUN = 500, 20
# Entries get their numbers in the order of the commits; so far back one is looked for all the same.
LATE_NUMBERS = 10_000
# A change stamps its rows when it begins, its entry when it ends.
AROUND_MS = 60_000

# Things whose units are looked up. Each statement returns ref (the thing's id), unit_id and the four times.
_TIMES = "{0}.valid_from, {0}.valid_to, {0}.recorded_at_ms, {0}.voided_at_ms"
_ALWAYS = (
    "CAST(NULL AS DATE) AS valid_from, CAST(NULL AS DATE) AS valid_to,"
    " CAST(NULL AS BIGINT) AS recorded_at_ms, CAST(NULL AS BIGINT) AS voided_at_ms"
)


def _dated(table: str, thing: str) -> str:
    return (
        f"SELECT x.{thing} AS ref, x.unit_id, {_TIMES.format('x')} FROM {table} x"  # noqa: S608  # names of this file
        f" WHERE x.{thing} IN :[ids]"
    )


def _plain(table: str, thing: str = "id", unit: str = "unit_id") -> str:
    return (
        f"SELECT {thing} AS ref, {unit} AS unit_id, {_ALWAYS} FROM {table} WHERE {thing} IN :[ids]"  # noqa: S608
    )


THINGS: dict[str, str] = {
    "unit": _plain("unit", unit="id"),
    "official": _dated("membership", "official_id"),
    "asset": _dated("custody", "asset_id"),
    "place": _dated("place_version", "place_id"),
    "link": f"{_dated('link_version', 'link_id')} UNION ALL {_dated('link_share', 'link_id')}",
    "device": f"{_dated('device_version', 'device_id')} UNION ALL {_plain('device')}"  # noqa: S608
    " AND NOT EXISTS (SELECT 1 FROM device_version v WHERE v.device_id = device.id)",
    "source": _plain("source"),
    "machine": f"SELECT x.machine_id AS ref, s.unit_id, {_TIMES.format('x')} FROM machine_source x"  # noqa: S608
    " JOIN source s ON s.id = x.source_id WHERE x.machine_id IN :[ids]",
    "user": f"{_plain('app_user')} AND role <> 'none' UNION ALL {_dated('user_grant', 'user_id')}",
    "stock_take": _dated("stock_take_version", "stock_take_id"),
    "secret": _plain("secret"),
    "enrolment_token": _plain("enrolment_token"),
    "approval": _plain("approval"),
}
# What each row of a ledger belongs to: a thing, and the column that holds its id.
TABLES: dict[str, tuple[tuple[str, str], ...]] = {
    "unit": (("unit", "id"),),
    "unit_succession": (("unit", "unit_id"), ("unit", "successor_id")),
    **dict.fromkeys(
        ("unit_version", "place_version", "membership", "coverage_target", "custody", "approval",
         "device_version", "indicator_figure", "link_version", "site_subnet", "user_grant"),
        (("unit", "unit_id"),),
    ),
    "device": (("device", "id"),),
    "place": (("place", "id"),),
    "official": (("official", "id"),),
    **dict.fromkeys(("official_version", "absence"), (("official", "official_id"),)),
    "asset": (("asset", "id"),),
    **dict.fromkeys(("asset_status", "counted_asset", "asset_fact"), (("asset", "asset_id"),)),
    "stock_take": (("stock_take", "id"),),
    "stock_take_version": (("unit", "unit_id"), ("unit", "counted_unit_id")),
    **dict.fromkeys(("stock_take_surplus", "stock_take_line"), (("stock_take", "stock_take_id"),)),
    "link": (("link", "id"),),
    "link_share": (("unit", "unit_id"), ("link", "link_id")),
    "probe_target": (("link", "link_id"),),
    "app_user": (("user", "id"),),
    "access_token": (("user", "user_id"),),
}  # fmt: skip
OF_NO_UNIT = ("rule", "holiday", "indicator")  # the same for every unit


def _named(table: str, name: str, thing: str = "id") -> str:
    return f"SELECT {name} AS ref, {thing} AS thing FROM {table} WHERE {name} IN :[refs.text]"  # noqa: S608


def _numbered(table: str, thing: str) -> str:
    return (
        f"SELECT CAST(id AS VARCHAR(20)) AS ref, {thing} AS thing FROM {table} WHERE id IN :[ids]"  # noqa: S608
    )


# Subjects ("official:CB-01") by what they begin with: things, and the statement from the rest to their id.
# A code may look like an id: then both are meant.
SUBJECTS: dict[str, tuple[tuple[str, str], ...]] = {
    **{
        kind: ((kind, _numbered(kind, "id")),)
        for kind in ("unit", "asset", "machine", "secret", "approval", "stock_take")
    },
    **{
        kind: ((kind, _named(kind, "code")), (kind, _numbered(kind, "id")))
        for kind in ("official", "device", "link")
    },
    "place": (("place", _named("place_version", "code", "place_id")),),
    "source": (("source", _named("source", "public_id")),),
    "enrolment_token": (("enrolment_token", _named("enrolment_token", "public_id")),),
    "user": (("user", _named("app_user", "name")),),
    "token": (("user", _named("access_token", "public_id", "user_id")),),
    "match": (
        ("asset", _numbered("asset_match", "asset_id")),
        ("machine", _numbered("asset_match", "machine_id")),
    ),
    "handover": (
        ("unit", _numbered("handover", "giver_unit_id")),
        ("unit", _numbered("handover", "receiver_unit_id")),
    ),
    "hardware": (("source", _numbered("hardware_change", "source_id")),),
}
# Subjects that say nothing by themselves, of acts whose ledger rows say it all.
BY_ROWS = ("decision", "site_subnet")
_UNIT_KEYS = ("unit_id", "counted_unit_id", "parent_id", "successor_id", "authority_id")

_DUE = """
SELECT e.id, e.at_ms, e.entry FROM audit_entry e WHERE e.id > :floor AND NOT EXISTS
  (SELECT 1 FROM audit_unit u WHERE u.entry_id = e.id) ORDER BY e.id LIMIT :most
"""
_ADD = """
INSERT INTO audit_unit (entry_id, unit_id) VALUES (:entry, :unit) ON CONFLICT (entry_id, unit_id) DO NOTHING
"""


@dataclass(slots=True)
class _Entry:
    """An entry on its way: ``things`` it is about, ``units`` known so far, ``sure`` that these are all."""

    id: int
    at_ms: int
    said: Mapping[str, Any]
    units: set[int] = field(default_factory=set)
    things: set[tuple[str, int]] = field(default_factory=set)
    sure: bool = True


async def run(db: Database, guard: Guard) -> int:
    """Mark the entries that are not marked yet; return how many were."""
    done = 0
    for _ in range(TURNS_A_RUN):
        taken = await catch_up(db, guard)
        done += taken
        if taken < ENTRIES_A_TURN:
            break
    return done


async def catch_up(db: Database, guard: Guard | None = None) -> int:
    """Mark the next entries; return how many there were, ENTRIES_A_TURN at most."""
    async with db.reading() as session:
        newest = await session.one("SELECT MAX(entry_id) AS id FROM audit_unit")
        floor = ((newest["id"] if newest else None) or 0) - LATE_NUMBERS
        rows = await session.fetch(_DUE, floor=floor, most=ENTRIES_A_TURN)
        if not rows:
            return 0
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        offset = installed["utc_offset_seconds"] if installed else 0
        entries = [_Entry(row["id"], row["at_ms"], _read(bytes(row["entry"]))) for row in rows]
        await _find_units(session, entries, offset)
    marks: list[dict[str, Any]] = [
        {"entry": each.id, "unit": unit}
        for each in entries
        for unit in (*sorted(each.units), *(() if each.sure and each.units else (None,)))
    ]
    async with db.transaction() as session:
        if guard is not None:
            await guard(session)
        await session.many(_ADD, marks)
    return len(entries)


def _read(data: bytes) -> dict[str, Any]:
    """Return what an entry says, nothing where somebody has spoilt it: the verifier tells of that."""
    try:
        said = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _rows_of(said: Mapping[str, Any]) -> Iterator[tuple[str, int]]:
    """Yield table and id of the ledger rows an entry wrote."""
    for part in said.get("rows") or ():
        for number in part["digests"]:
            yield part["table"], int(number)


async def _find_units(session: Session, entries: list[_Entry], offset: int) -> None:
    await _read_subjects(session, entries)
    await _read_rows(session, entries)
    wanted: dict[str, set[int]] = defaultdict(set)
    for each in entries:
        each.things |= {("unit", unit) for unit in _ids_named(each.said)}
        for kind, number in each.things:
            wanted[kind].add(number)
    stays: dict[tuple[str, int], list[Row]] = defaultdict(list)
    for kind, numbers in wanted.items():
        for row in await session.fetch(THINGS[kind], ids=sorted(numbers)):
            stays[kind, row["ref"]].append(row)
    for each in entries:
        day = local_day(each.at_ms, offset)
        for thing in each.things:
            units = {row["unit_id"] for row in stays[thing] if _concerns(row, each.at_ms, day)}
            each.sure = each.sure and bool(units) and None not in units
            each.units |= {unit for unit in units if unit is not None}


def _concerns(row: Row, at_ms: int, day: date) -> bool:
    """Return whether a row told whose a thing was when an entry was written, or the entry changed it."""
    recorded, voided = row["recorded_at_ms"], row["voided_at_ms"]
    if recorded is None:
        return True
    if any(each is not None and abs(each - at_ms) <= AROUND_MS for each in (recorded, voided)):
        return True
    if recorded > at_ms or (voided is not None and voided <= at_ms):
        return False
    begins, ends = as_date(row["valid_from"]), row["valid_to"]
    return begins <= day and (ends is None or as_date(ends) > day)


async def _read_subjects(session: Session, entries: list[_Entry]) -> None:
    """Note what each entry's subject is; one that is nothing known makes its entry unsure."""
    by_kind: dict[str, dict[str, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for each in entries:
        kind, _, ref = str(each.said.get("subject")).partition(":")
        if kind in SUBJECTS:
            by_kind[kind][ref].append(each)
        elif kind not in BY_ROWS or not each.said.get("rows"):
            each.sure = False
    for kind, by_ref in by_kind.items():
        found: set[str] = set()
        texts = sorted(by_ref)
        numbers = [int(ref) for ref in texts if ref.isascii() and ref.isdecimal() and len(ref) < 19]
        for thing, sql in SUBJECTS[kind]:
            asked: dict[str, Any] = {"ids": numbers} if ":[ids]" in sql else {"refs": texts}
            for row in await session.fetch(sql, **asked):
                found.add(row["ref"])
                for each in by_ref.get(row["ref"], ()):
                    each.things.add((thing, row["thing"]))
        for ref in by_ref.keys() - found:
            for each in by_ref[ref]:
                each.sure = False


async def _read_rows(session: Session, entries: list[_Entry]) -> None:
    """Note what each ledger row belongs to; one that is gone, or of no unit, makes its entry unsure."""
    by_table: dict[str, dict[int, list[_Entry]]] = defaultdict(lambda: defaultdict(list))
    for each in entries:
        for table, number in _rows_of(each.said):
            by_table[table][number].append(each)
    for table, by_id in by_table.items():
        columns = TABLES.get(table, ())
        names = ", ".join(dict.fromkeys(("id", *(name for _, name in columns))))
        sql = f"SELECT {names} FROM {table} WHERE id IN :[ids]"  # noqa: S608  # a ledger's name
        found = await session.fetch(sql, ids=sorted(by_id)) if columns else []
        for row in found:
            for each in by_id[row["id"]]:
                for thing, name in columns:
                    if row[name] is None:
                        each.sure = False
                    else:
                        each.things.add((thing, row[name]))
        for number in by_id.keys() - {row["id"] for row in found}:
            for each in by_id[number]:
                each.sure = False


def _ids_named(value: Any) -> Iterator[int]:
    """Yield the ids of units that stand anywhere within, alone or as [before, after]."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in _UNIT_KEYS:
                numbers = inner if isinstance(inner, list) else [inner]
                yield from (each for each in numbers if type(each) is int)
            else:
                yield from _ids_named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _ids_named(inner)
