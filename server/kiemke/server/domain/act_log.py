"""What one act wrote, as the audit log has it: which dated rows it added, which it voided, what it moved.

An act is known by the number of its entry. Its rows stand in that entry and, where there are many, in
those right behind it, which say the same act and subject and nothing else.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.db import Database, Row, Session

UNDO = "unit.undo"
# Acts on units that can be taken back: what they wrote are dated rows and units of things without dates.
DECISIONS = ("unit.reorganise", UNDO)
HANDOVER = "asset.handover"
# Other acts that wrote dated rows alone: they stand in a decision's way, and go the same way.
_ALIKE = (
    "official.move", "official.post", "official.second", "official.end_second", "official.absent",
    "official.back", "official.leave", "official.retire", "place.change", "place.end",
    HANDOVER,
)  # fmt: skip
CAN_UNDO = frozenset((*DECISIONS, *_ALIKE, "official.undo", "place.undo"))
_PAGE = 200
# So many entries are opened to find who wrote a row; then it is told by name and moment alone.
_MOST_OPENED = 5000


@dataclass(frozen=True, slots=True)
class Change:
    """A column that the act changed in a row which has no dates."""

    table: str
    row_id: int
    column: str
    before: Any
    after: Any


@dataclass(slots=True)
class Act:
    """An entry and the rows of its act: table -> ids of the dated rows ``added`` and ``voided``.

    ``after`` is what the entry says of itself, ``undated`` what moved without a date, None where an entry of
    an earlier version does not tell.
    """

    number: int
    at_ms: int
    who: str
    act: str
    subject: str
    paper: str | None
    after: Mapping[str, Any]
    added: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    voided: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    changed: list[Change] = field(default_factory=list)

    @property
    def undated(self) -> list[Change] | None:
        """What moved without a date: agents, secrets, tokens; None: the entry does not tell."""
        told = self.after.get("undated")
        return None if told is None else [Change(*each) for each in told]


def undo_of(act: str) -> str:
    """Return what taking an act back is called: "official.leave" -> "official.undo"."""
    return f"{act.partition('.')[0]}.undo"


async def load_act(session: Session, number: int) -> Act | None:
    """Return what the act of an entry wrote; None when there is no such entry, or it is a further page of one."""
    row = await session.one("SELECT id, at_ms, entry FROM audit_entry WHERE id = :id", id=number)
    said = {} if row is None else read_entry(row)
    if row is None or said.get("after") is None:
        return None
    act = Act(
        row["id"], row["at_ms"], said["who"], said["act"], said["subject"], said["paper"],
        said["after"],
    )  # fmt: skip
    _take(act, said)
    last = number
    while True:
        rows = await session.fetch(
            "SELECT id, at_ms, entry FROM audit_entry WHERE id > :last ORDER BY id LIMIT 20",
            last=last,
        )
        for further in rows:
            said = read_entry(further)
            same = (said.get("act"), said.get("subject"), said.get("who"), further["at_ms"])
            if same != (act.act, act.subject, act.who, act.at_ms) or said.get("after") is not None:
                return act
            _take(act, said)
        if not rows:
            return act
        last = rows[-1]["id"]


async def number_of(db: Database, instrument: str) -> int | None:
    """Return the number of the newest decision on units by a paper."""
    rows = await db.read(
        "SELECT w.entry_id, e.at_ms, e.entry FROM audit_about w JOIN audit_entry e ON e.id = w.entry_id"
        " WHERE w.act = :act AND w.subject = :subject ORDER BY w.entry_id DESC LIMIT 200",
        act=DECISIONS[0],
        subject=f"decision:{instrument}"[:200],
    )
    mains = (row["entry_id"] for row in rows if read_entry(row).get("after") is not None)
    return next(mains, None)


def read_entry(row: Row) -> dict[str, Any]:
    """Return what an entry says, nothing where somebody has spoilt it."""
    try:
        said = json.loads(bytes(row["entry"]))
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _take(act: Act, said: Mapping[str, Any]) -> None:
    for part in said.get("rows") or ():
        table, changes = part["table"], part["changes"]
        for text in part["digests"]:
            row_id, changed = int(text), changes.get(text)
            if changed is None:
                act.added[table].add(row_id)
            elif "voided_at_ms" in changed:
                act.voided[table].add(row_id)
            else:
                act.changed += [
                    Change(table, row_id, name, old, new) for name, (old, new) in changed.items()
                ]


async def undone_by(session: Session, act: Act, known_ms: int | None = None) -> int | None:
    """Return the number of the entry that took an act back, None while it stands; as known at a moment."""
    rows = await session.fetch(
        "SELECT e.id, e.entry FROM audit_about w JOIN audit_entry e ON e.id = w.entry_id"
        " WHERE w.act = :act AND w.subject = :subject AND w.entry_id > :number AND w.at_ms <= :known"
        " ORDER BY e.id DESC",
        act=undo_of(act.act),
        subject=act.subject[:200],
        number=act.number,
        known=2**62 if known_ms is None else known_ms,
    )
    for row in rows:
        if (read_entry(row).get("after") or {}).get("undone") == act.number:
            undo = await load_act(session, row["id"])
            # What was taken back twice stands again.
            standing = undo is None or await undone_by(session, undo, known_ms) is None
            return int(row["id"]) if standing else None
    return None


async def find_entries(
    session: Session, rows: Iterable[tuple[str, int, int]], after: int
) -> dict[tuple[str, int], int]:
    """Return the number of the entry behind ``after`` that wrote each (table, row, moment in epoch ms).

    An entry is written when its change ends: not before the moment its rows name. What cannot be found, since
    it was written without an entry, is left out.
    """
    wanted = {(table, row_id): moment for table, row_id, moment in rows}
    found: dict[tuple[str, int], int] = {}
    opened = 0
    while left := wanted.keys() - found.keys():
        moment, last = min(wanted[each] for each in left), after
        here = {each for each in left if wanted[each] == moment}
        while here and opened < _MOST_OPENED:
            entries = await session.fetch(
                "SELECT id, at_ms, entry FROM audit_entry WHERE id > :last AND at_ms >= :moment"
                " ORDER BY id LIMIT :most",
                most=_PAGE,
                last=last,
                moment=moment,
            )
            for entry in entries:
                for table, row_id in _rows_of(entry) & left:
                    if wanted[table, row_id] <= entry["at_ms"]:
                        found.setdefault((table, row_id), entry["id"])
            here -= found.keys()
            opened += len(entries)
            if not entries:
                break
            last = entries[-1]["id"]
        for each in here:
            del wanted[each]
    return found


def _rows_of(entry: Row) -> set[tuple[str, int]]:
    return {
        (part["table"], int(row_id))
        for part in read_entry(entry).get("rows") or ()
        for row_id in part["digests"]
    }


async def who_moved(session: Session, table: str, row_id: int, after: int) -> int | None:
    """Return the number of the last decision behind ``after`` that moved a thing without dates, None: by none."""
    rows = await session.fetch(
        "SELECT entry_id FROM audit_about WHERE act IN (:decision, :undo) AND entry_id > :after"
        " ORDER BY entry_id DESC",
        decision=DECISIONS[0],
        undo=UNDO,
        after=after,
    )
    for row in rows:
        act = await load_act(session, row["entry_id"])
        moved = () if act is None else (*act.changed, *(act.undated or ()))
        if any((e.table, e.row_id, e.column) == (table, row_id, "unit_id") for e in moved):
            return int(row["entry_id"])
    return None


async def main_entry(session: Session, number: int) -> int:
    """Return the number by which the act of an entry is known: that of its first entry."""
    row = await session.one("SELECT id, at_ms, entry FROM audit_entry WHERE id = :id", id=number)
    while row is not None and (said := read_entry(row)).get("after") is None:
        before = await session.one(
            "SELECT id, at_ms, entry FROM audit_entry WHERE id < :id ORDER BY id DESC LIMIT 1",
            id=row["id"],
        )
        told = read_entry(before) if before else {}
        if before is None or any(
            told.get(name) != said[name] for name in ("act", "subject", "who")
        ):
            break
        row = before
    return number if row is None else int(row["id"])
