"""The book against what is seen: what is missing, extra, elsewhere, in other hands, or changed inside.

Each difference names the next command. Read by key, so that any number of them comes in pages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.elsewhere import Elsewhere, contradicting, load_elsewhere
from kiemke.server.domain.hardware import Part, as_parts, compare
from kiemke.server.domain.match_now import load_span
from kiemke.server.domain.names_then import ASSET_NAME, PERSON_NAME, load_renamed
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.presence_blocks import BLOCK_DAYS, EPOCH, window
from kiemke.server.domain.reconcile_sql import QUESTIONS, SITE
from kiemke.server.domain.tables import dated

_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class Question:
    """The state of ``day`` as known at ``known_ms``; ``units`` None is all, ``kind`` of asset or None."""

    day: date
    known_ms: int
    units: list[int] | None = None
    asset_kind: str | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A thing or person by code and name."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference between book and observation (see KINDS of ``reconcile_sql``).

    ``unit`` is where the book (or, off the book, the source) has it; ``seen_unit`` and ``seen_person``
    where and with whom it was seen, on ``days`` working days. ``gone`` and ``come`` are parts that were
    there ``since_ms`` and are there at ``at_ms``; otherwise ``at_ms`` is when it was last heard.
    ``unit_ids`` are those of all that it names.
    """

    question: str
    key: int
    kind: str
    asset: Named | None
    asset_kind: str | None
    unit: Named | None
    person: Named | None
    machine_id: int | None
    hostname: str | None
    device: Named | None
    seen_unit: Named | None
    seen_person: Named | None
    days: int | None
    section: str | None
    gone: tuple[Part, ...]
    come: tuple[Part, ...]
    since_ms: int | None
    at_ms: int | None
    owner: str | None
    return_on: date | None
    next_command: str
    unit_ids: tuple[int | None, ...]


# Until the pool takes the connection back: compiling these statements takes longer than running
# them, and their hashes of whole tables fit in this memory.
_POSTGRES_SETTINGS = "SELECT set_config('jit', 'off', false), set_config('work_mem', '64MB', false)"


async def params(session: Session, question: Question) -> dict[str, Any]:
    """Return what the statements need, by the rules of the day, and make the connection ready."""
    if session.dialect == "postgres":
        await session.execute(_POSTGRES_SETTINGS)
    span = await load_span(session, question.day, question.known_ms)
    law = await rules.load(session, question.day, question.known_ms)
    days = (await calendar.load(session, question.known_ms)).working_days_up_to(
        question.day, law.whole("coverage_evidence_working_days")
    )
    numbers = [(day - EPOCH).days for day in days]
    stood = await load_elsewhere(session, window(days), question.day, question.known_ms, law)
    return {
        "day": question.day,
        "known": question.known_ms,
        "all_units": 1 if question.units is None else 0,
        "units": question.units or [],
        "kind": question.asset_kind,
        **await load_renamed(session, question.day, question.known_ms),
        "day_numbers": numbers,
        "first_block": min(numbers, default=0) // BLOCK_DAYS,
        "last_block": max(numbers, default=0) // BLOCK_DAYS,
        "foreign_days": law.whole("coverage_foreign_account_days"),
        "nobody": list(span.nobody),
        "stood": contradicting(stood, law),
        "stood_at": stood,
    }


async def count(
    session: Session,
    question: Question,
    kinds: Iterable[str],
    whole: Mapping[str, int] | None = None,
) -> dict[str, int]:
    """Return how many differences there are of each kind asked for; ``whole`` are those ``read_page`` knows."""
    values = await params(session, question)
    found: dict[str, int] = {}
    for name, (kind, sql) in _asked(kinds, values).items():
        if whole is not None and name in whole:
            found[kind] = found.get(kind, 0) + whole[name]
            continue
        row = await session.one(_around("SELECT COUNT(*) AS n FROM (", sql, ") AS found"), **values)
        found[kind] = found.get(kind, 0) + (int(row["n"]) if row else 0)
    return found


def _asked(kinds: Iterable[str], values: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """Return the questions of these kinds; one that has no candidates is not asked at all."""
    wanted = set(kinds)
    return {
        name: each
        for name, each in QUESTIONS.items()
        if (not wanted or each[0] in wanted) and (name != SITE or values["stood"])
    }


def _with_site(name: str, rows: list[Row], values: Mapping[str, Any]) -> list[Row]:
    """Return the rows with the site at which the PC stood, and on how many days."""
    if name != SITE:
        return rows
    found: dict[int, Elsewhere] = values["stood_at"]
    return [
        {
            **row,
            "seen_unit_id": found[row["asset_id"]].unit_ids[0],
            "days": len(found[row["asset_id"]].days),
        }
        for row in rows
    ]


def _around(before: str, sql: str, after: str) -> str:
    """Return a statement with its last SELECT made a sub-query; its common tables stay in front."""
    return before + sql + after


async def read(
    session: Session,
    question: Question,
    kinds: Iterable[str],
    limit: int,
    after: tuple[str, int] | None = None,
) -> list[Difference]:
    """Return at most ``limit`` differences after a (question, key), by question and key."""
    return (await read_page(session, question, kinds, limit, after))[0]


async def read_page(
    session: Session,
    question: Question,
    kinds: Iterable[str],
    limit: int,
    after: tuple[str, int] | None = None,
) -> tuple[list[Difference], dict[str, int]]:
    """Return what ``read`` does, and how many there are of the questions that were read whole."""
    values = await params(session, question)
    rows: list[tuple[str, str, Row]] = []
    whole: dict[str, int] = {}
    for name, (kind, sql) in _asked(kinds, values).items():
        if after is not None and name < after[0]:
            continue
        key = after[1] if after is not None and name == after[0] else -1
        page = _around(
            "SELECT * FROM (",
            sql,
            ") AS found WHERE row_id > :after_key ORDER BY row_id LIMIT :limit",
        )
        room = limit - len(rows)
        found = await session.fetch(page, after_key=key, limit=room, **values)
        if key == -1 and len(found) < room:
            whole[name] = len(found)
        rows += [(name, kind, row) for row in _with_site(name, found, values)]
        if len(rows) >= limit:
            break
    return await _name(session, rows, question), whole


async def read_all(
    session: Session, question: Question, kinds: Iterable[str] = ()
) -> list[Difference]:
    """Return every difference of the kinds asked for (none named: all)."""
    kinds, found = tuple(kinds), []
    values = await params(session, question)
    for name, (kind, sql) in _asked(kinds, values).items():
        ordered = _around("SELECT * FROM (", sql, ") AS found ORDER BY row_id")
        found_rows = _with_site(name, await session.fetch(ordered, **values), values)
        rows = [(name, kind, row) for row in found_rows]
        for start in range(0, len(rows), _PAGE):
            found += await _name(session, rows[start : start + _PAGE], question)
    return found


_UNITS = """
SELECT unit_id AS id, code, name FROM unit_version WHERE unit_id IN :[ids]
  AND recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)
ORDER BY CASE WHEN valid_from <= :day AND (valid_to IS NULL OR valid_to > :day) THEN 1 ELSE 0 END,
  valid_from, id
"""
_DEVICES = dated("""
SELECT w.device_id AS id, w.code, w.name FROM device_version w WHERE w.device_id IN :[ids] AND {active w}
""")
_ASSETS = dated(
    "SELECT a.id, a.code, @name AS name, @kind AS kind FROM asset a WHERE a.id IN :[ids]".replace(
        "@name", ASSET_NAME
    ).replace("@kind", KIND)
)
_PEOPLE = dated(f"SELECT o.id, o.code, {PERSON_NAME} AS name FROM official o WHERE o.id IN :[ids]")  # noqa: S608  # a fragment of this house
_MACHINES = """
SELECT y.machine_id AS id, MAX(s.hostname) AS hostname FROM machine_source y
JOIN source s ON s.id = y.source_id
WHERE y.machine_id IN :[ids] AND y.voided_at_ms IS NULL GROUP BY y.machine_id
"""


async def _name(
    session: Session, rows: Sequence[tuple[str, str, Row]], question: Question
) -> list[Difference]:
    """Return the rows with the names behind their ids."""

    async def named(sql: str, *columns: str, **more: Any) -> dict[int, Row]:
        ids = {row[c] for _, _, row in rows for c in columns if row.get(c) is not None}
        return {row["id"]: row for row in await session.fetch(sql, ids=sorted(ids), **more)}

    times = {"day": question.day, "known": question.known_ms}
    names = {
        "asset": await named(_ASSETS, "asset_id", **times),
        "unit": await named(_UNITS, "unit_id", "seen_unit_id", **times),
        "person": await named(_PEOPLE, "official_id", "seen_official_id", **times),
        "machine": await named(_MACHINES, "machine_id"),
        "device": await named(_DEVICES, "device_id", **times),
    }
    allowed = None if question.units is None else set(question.units)
    return [_make(name, kind, row, names, allowed) for name, kind, row in rows]


def _make(
    name: str, kind: str, row: Row, names: dict[str, dict[int, Row]], allowed: set[int] | None
) -> Difference:
    def known(table: str, column: str) -> Named | None:
        found = names[table].get(row.get(column) or 0)
        return None if found is None else Named(found["code"], found["name"])

    asset = names["asset"].get(row.get("asset_id") or 0)
    machine = names["machine"].get(row.get("machine_id") or 0)
    gone, come = _parts(row)
    # Where something went outside the reader's units, and to whom, is not told.
    there = allowed is None or row.get("seen_unit_id") in allowed
    theirs = allowed is None or row.get("seen_person_unit_id") in allowed
    kept_there = not there and row.get("device_id") and row.get("seen_unit_id") is not None
    made = Difference(
        question=name,
        key=row["row_id"],
        kind=kind,
        asset=known("asset", "asset_id"),
        asset_kind=asset["kind"] if asset else None,
        unit=known("unit", "unit_id"),
        person=known("person", "official_id"),
        machine_id=row.get("machine_id"),
        hostname=machine["hostname"] if machine else None,
        device=None if kept_there else known("device", "device_id"),
        seen_unit=known("unit", "seen_unit_id") if there else None,
        seen_person=known("person", "seen_official_id") if theirs else None,
        days=row.get("days"),
        section=row.get("section"),
        gone=gone,
        come=come,
        since_ms=row.get("since_ms"),
        at_ms=row.get("at_ms"),
        owner=row.get("owner_name"),
        return_on=None if row.get("return_on") is None else as_date(row["return_on"]),
        next_command="",
        unit_ids=_units_in(row),
    )
    return _with_next(made)


def _units_in(row: Row) -> tuple[int | None, ...]:
    found = [row["unit_id"]]
    if row.get("seen_unit_id") is not None:
        found.append(row["seen_unit_id"])
    if row.get("seen_official_id") is not None:  # of no unit today: nobody below sees it
        found.append(row.get("seen_person_unit_id"))
    return tuple(found)


def _parts(row: Row) -> tuple[tuple[Part, ...], tuple[Part, ...]]:
    if row.get("before_json") is None:
        return (), ()
    gone, come = compare(as_parts(row["before_json"]), as_parts(row["after_json"]))
    return tuple(gone), tuple(come)


def _with_next(found: Difference) -> Difference:
    return replace(found, next_command=_next(found))


def _next(found: Difference) -> str:
    """Return the command that settles a difference; … stands for what only a person knows."""
    asset = found.asset.code if found.asset else ""
    unit = found.unit.code if found.unit else "…"
    paper = "--day … --paper …"
    if found.kind == "not_booked":
        if found.device is not None:
            return f"kiemke match accept-device {found.device.code} …"
        return f"kiemke match --unit {unit}"
    if found.kind == "never_seen":
        # A device nobody polls is told to the collector by the table of devices.
        return (
            f"kiemke match --unit {unit}"
            if found.question == "never_seen"
            else "kiemke template devices"
        )
    if found.kind == "elsewhere":
        there = found.seen_unit.code if found.seen_unit else "…"
        return f"kiemke asset handover {asset} --from unit:{unit} --to unit:{there} {paper}"
    if found.kind == "hardware":
        return f"kiemke reconcile settle {found.key} --paper …"
    holder = found.person.code if found.person else "…"
    if found.kind == "other_user":
        other = found.seen_person.code if found.seen_person else "…"
        return (
            f"kiemke asset handover {asset} --from official:{holder} --to official:{other} {paper}"
        )
    if found.kind == "holder_left":
        return f"kiemke asset handover --from official:{holder} --to unit:{unit} {paper}"
    return f"kiemke asset set {asset} --return-on … --date … --paper …"
