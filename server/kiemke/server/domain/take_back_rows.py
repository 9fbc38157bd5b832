"""The rows of an act that is to be taken back: which still stand as it left them, which were built upon."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.act_log import HANDOVER, Act, Change
from kiemke.server.domain.audit_rows import plain

# The dated tables of acts that can be taken back, each with the column by which its rows are found.
SUBJECTS = {
    "unit_version": "unit_id", "unit_succession": "unit_id", "membership": "official_id",
    "custody": "asset_id", "link_version": "link_id", "link_share": "link_id",
    "place_version": "place_id", "device_version": "device_id",
    "stock_take_version": "stock_take_id", "site_subnet": "unit_id", "coverage_target": "unit_id",
    "absence": "official_id",
}  # fmt: skip
# Two rows of one subject never hold on one day there.
ONE_AT_A_TIME = (
    "unit_version", "link_version", "place_version", "device_version", "stock_take_version",
    "membership",  # of the primary ones
)  # fmt: skip
# Rows without dates that an act on units writes: identities, which stay, and what is set back.
IDENTITIES = ("unit",)
SET_BACK = {
    "app_user": ("unit_id",),
    "device": ("credential", "ssh_credential"),
    "source": ("unit_id",),
    "secret": ("unit_id", "name"),
    "enrolment_token": ("unit_id",),
}
_STAMPS = frozenset(("id", "recorded_at_ms", "recorded_by", "voided_at_ms", "voided_by"))


@dataclass(slots=True)
class ActRows:
    """What taking an act back voids, says again and sets back; ``built_upon`` is what forbids it.

    ``void`` and ``restore`` are stored rows by table, ``minutes`` those of a handover. ``stays`` are changes of things without dates that
    somebody moved on since (``after`` is what they have now): the later word holds. ``foreign`` are tables that no act on units writes.
    """

    void: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    restore: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    set_back: list[Change] = field(default_factory=list)
    stays: list[Change] = field(default_factory=list)
    built_upon: list[tuple[str, Row]] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    minutes: list[Row] = field(default_factory=list)


def content(row: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    """Return what a dated row says, without who said it when."""
    return tuple(sorted((name, plain(v)) for name, v in row.items() if name not in _STAMPS))


async def rows_by_id(session: Session, table: str, ids: Iterable[int]) -> list[Row]:
    """Return rows of one of our tables, by id."""
    sql = f"SELECT * FROM {table} WHERE id IN :[ids] ORDER BY id"  # noqa: S608  # a table's name
    return await session.fetch(sql, ids=sorted(ids))


async def first_said(session: Session, table: str, row: Row) -> Row:
    """Return the oldest row that says what a row of a table says: who said it again is not who said it."""
    subject = SUBJECTS.get(table)
    if subject is None:
        return row
    sql = f"SELECT * FROM {table} WHERE {subject} = :id ORDER BY id"  # noqa: S608  # names above
    same = content(row)
    return next((e for e in await session.fetch(sql, id=row[subject]) if content(e) == same), row)


async def load_rows(session: Session, act: Act) -> ActRows:
    """Return what an act's taking back would write, on the ledgers as they stand."""
    found = ActRows()
    for table in sorted({*act.added, *act.voided}):
        if table in IDENTITIES:
            continue
        if table not in SUBJECTS:
            found.foreign.append(table)
            continue
        found.restore[table] = await rows_by_id(session, table, act.voided[table])
        await _find_standing(session, table, act, found)
    for change in (*act.changed, *(act.undated or ())):
        if change.column in SET_BACK.get(change.table, ()):
            await _judge(session, change, found)
    if act.act == HANDOVER:
        found.minutes = await _minutes_of(session, act)
    return found


async def _minutes_of(session: Session, act: Act) -> list[Row]:
    """Return the minutes that were kept with a handover, by the moment both were written."""
    added = await rows_by_id(session, "custody", act.added["custody"])
    return await session.fetch(
        "SELECT * FROM handover WHERE recorded_at_ms IN :[moments] AND recorded_by = :who"
        " AND instrument = :paper AND voided_at_ms IS NULL ORDER BY id",
        moments=sorted({row["recorded_at_ms"] for row in added}),
        who=act.who,
        paper=act.paper,
    )


async def _find_standing(session: Session, table: str, act: Act, found: ActRows) -> None:
    """Sort the rows that the act added into those that stand and those that were built upon.

    A row that a later act voided and somebody took that back stands again as a copy.
    """
    subject = SUBJECTS[table]
    added = await rows_by_id(session, table, act.added[table])
    alike: dict[Any, list[Row]] = defaultdict(list)
    sql = f"SELECT * FROM {table} WHERE {subject} IN :[ids] ORDER BY id"  # noqa: S608  # names above
    ids = sorted({row[subject] for row in added})
    for row in await session.fetch(sql, ids=ids) if ids else ():
        alike[content(row)].append(row)
    for row in added:
        same = [each for each in alike[content(row)] if each["id"] >= row["id"]]
        standing = next((each for each in same if each["voided_at_ms"] is None), None)
        if standing is None:
            found.built_upon.append((table, same[-1]))
        else:
            alike[content(row)].remove(standing)
            found.void[table].append(standing)


async def _judge(session: Session, change: Change, found: ActRows) -> None:
    rows = await rows_by_id(session, change.table, [change.row_id])
    if rows and plain(rows[0][change.column]) == plain(change.after):
        found.set_back.append(change)
    elif rows:
        found.stays.append(replace(change, after=rows[0][change.column]))
