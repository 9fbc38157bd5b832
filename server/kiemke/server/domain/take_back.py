"""Taking a decision on units back: what it wrote is believed no longer, what stood before is said again.

Nothing is deleted. The rows that the act added are voided now, those it voided are said again with their own
papers and days: what is asked as known before now answers as it did. What was built on the act since is in
the way: it is named, with the order in which to take it back, and nothing is written.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.act_log import (
    CAN_UNDO,
    Act,
    Change,
    find_entries,
    load_act,
    main_entry,
    undone_by,
    who_moved,
)
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.device_book import refresh
from kiemke.server.domain.refusal import Refused, refused
from kiemke.server.domain.take_back_check import (
    Clash,
    Trees,
    check_holdings,
    check_minutes,
    check_once,
    check_restored,
    check_tree,
    load_trees,
)
from kiemke.server.domain.take_back_rows import SUBJECTS, ActRows, first_said, load_rows
from kiemke.server.domain.take_back_told import Thing, name_rows
from kiemke.server.domain.text_labels import Words


@dataclass(slots=True)
class Hindrance:
    """What is in the way: a later entry with what it wrote (``why``), or, ``number`` None, something else.

    ``undo`` says that it can be taken back the same way.
    """

    number: int | None
    why: list[Words] = field(default_factory=list)
    undo: bool = False
    at_ms: int | None = None
    who: str | None = None
    act: str | None = None
    subject: str | None = None
    paper: str | None = None


@dataclass(slots=True)
class TakeBack:
    """What taking an act back would do; ``hindrances`` are in the order in which to take them back."""

    act: Act
    rows: ActRows
    trees: Trees
    hindrances: list[Hindrance]


async def plan_undo(session: Session, number: int, today: date) -> TakeBack:
    """Return what taking back the act of an entry would do. Raises Refused when it is no act that can be.

    What is in the way of what is in the way shows as that is taken back: it is, and then it never was.
    """
    act = await load_act(session, number)
    if act is None or act.act not in CAN_UNDO:
        raise refused(
            f"Bút toán {number} không phải một quyết định gỡ được.",
            f"The entry {number} is no decision that can be taken back.",
            "Xem số bằng kiemke don-vi quyet-dinh.",
            "See the numbers with kiemke unit decisions.",
        )
    by = await undone_by(session, act)
    if by is not None:
        raise refused(
            f"Quyết định số {number} đã được gỡ (bút toán {by}).",
            f"The decision {number} was taken back already (entry {by}).",
            "Nhập lại quyết định nếu cần.",
            "Enter the decision anew if it is needed.",
        )
    rows = await load_rows(session, act)
    if rows.foreign:
        raise refused(
            f"Quyết định số {number} còn ghi vào: {', '.join(rows.foreign)}.",
            f"The decision {number} wrote into these as well: {', '.join(rows.foreign)}.",
            "Không gỡ được bằng lệnh này.",
            "It cannot be taken back by this command.",
        )
    trees = await load_trees(session, rows)
    hindrances = await _hindrances(session, act, await _clashes(session, rows, trees))
    if any(each.undo for each in hindrances.values()):
        await session.execute("SAVEPOINT rehearsal")
        await _rehearse(session, act, hindrances, today)
        await session.execute("ROLLBACK TO SAVEPOINT rehearsal")
    ordered = sorted(hindrances.values(), key=lambda each: -(each.number or 0))
    return TakeBack(act, rows, trees, ordered)


async def _clashes(session: Session, rows: ActRows, trees: Trees) -> list[Clash]:
    later = [
        *await check_holdings(session, trees, rows),
        *await check_once(session, rows),
        *check_restored(trees, rows),
        *check_minutes(rows),
    ]
    found = rows.built_upon + [(each.table, each.row) for each in later if each.row]
    things = await name_rows(session, found)
    built = [
        Clash(_changed(things[table, row["id"]]), table, row) for table, row in rows.built_upon
    ]
    named = [
        replace(each, why=_said(things[each.table, each.row["id"]], each.why)) if each.row else each
        for each in later
    ]
    # What was changed since is in the way by that alone: what else follows from it is no further reason.
    known = {_subject(table, row) for table, row in rows.built_upon}
    further = [
        each
        for each in (*check_tree(trees), *named)
        if each.row is None or _subject(each.table, each.row) not in known
    ]
    return [*built, *further, *await _check_secrets(session, rows.set_back)]


def _subject(table: str, row: Row) -> tuple[str, int]:
    """Return the table, and what of it a row is about."""
    return table, row[SUBJECTS.get(table, "id")]


def _changed(thing: Thing) -> Words:
    what, code, _ = thing
    return Words(f"{what}:{code} đã đổi sau đó.", f"{what}:{code} was changed since.")


def _said(thing: Thing, why: Words) -> Words:
    what, code, _ = thing
    return Words(f"{what}:{code} {why.vi}", f"{what}:{code} {why.en}")


async def _check_secrets(session: Session, changes: Iterable[Change]) -> list[Clash]:
    """A secret that goes back must not meet one of its kind and name there."""
    clashes = []
    ids = sorted({each.row_id for each in changes if each.table == "secret"})
    for row_id in ids:
        back = {each.column: each.before for each in changes if each.row_id == row_id}
        own = await session.one("SELECT * FROM secret WHERE id = :id", id=row_id)
        if own is None or own["gone"]:
            continue
        then = dict(own) | back
        same = await session.one(
            "SELECT id FROM secret WHERE unit_id = :unit AND kind = :kind AND name = :name"
            " AND gone = 0 AND id <> :id",
            unit=then["unit_id"], kind=then["kind"], name=then["name"], id=row_id,
        )  # fmt: skip
        if same is not None and same["id"] not in ids:  # else that one goes away as well
            name = f"secret:{then['kind']}:{then['name']}"
            said = Words(f"{name} đã có ở đơn vị cũ.", f"{name} is there already.")
            clashes.append(Clash(said, undated=("secret", same["id"])))
    return clashes


async def _hindrances(
    session: Session, act: Act, clashes: Sequence[Clash]
) -> dict[int | None, Hindrance]:
    """Return what is in the way by the entry that wrote it."""
    wrote: list[tuple[str, int, int] | None] = []
    for each in clashes:
        row = each.row
        if row is not None and row["voided_at_ms"] is None:
            row = await first_said(session, each.table, row)  # a later act may have said it again
            wrote.append((each.table, row["id"], row["recorded_at_ms"]))
        else:
            wrote.append(None if row is None else (each.table, row["id"], row["voided_at_ms"]))
    entries = await find_entries(session, [each for each in wrote if each], act.number)
    found: dict[int | None, Hindrance] = {}
    for each, place in zip(clashes, wrote, strict=True):
        number = entries.get(place[:2]) if place else None
        if each.undated is not None:
            number = await who_moved(session, *each.undated, act.number)
        if number is not None:
            number = await main_entry(session, number)
        if number not in found:
            found[number] = await _make(session, number)
        if each.why not in found[number].why:
            found[number].why.append(each.why)
    return found


async def _make(session: Session, number: int | None) -> Hindrance:
    made = Hindrance(number)
    if number is None:
        return made
    row = await session.one(
        "SELECT at_ms, who, act, subject FROM audit_about WHERE entry_id = :id", id=number
    )
    act = await load_act(session, number)
    if row is not None:
        made.at_ms, made.who, made.act = row["at_ms"], row["who"], row["act"]
        made.subject, made.undo = row["subject"], row["act"] in CAN_UNDO
    if act is not None:
        made.paper = act.paper
    return made


async def _rehearse(
    session: Session, act: Act, found: dict[int | None, Hindrance], today: date
) -> None:
    """Take back what is in the way, the newest first, and add to ``found`` what comes to light by it."""
    done: set[int] = set()
    while True:
        waiting = [
            number for number, each in found.items() if each.undo and number and number not in done
        ]
        if not waiting:
            return
        newest = max(waiting)
        later = await load_act(session, newest)
        done.add(newest)
        if later is None:
            continue
        rows = await load_rows(session, later)
        clashes = await _clashes(session, rows, await load_trees(session, rows))
        beyond = await _hindrances(session, later, clashes)
        if new := {number for number, each in beyond.items() if each.undo} - found.keys():
            found |= {number: beyond[number] for number in new}
            done.discard(newest)
            continue
        await _write(session, rows, By("", later.at_ms), today)
        mine = await load_rows(session, act)
        clashes = await _clashes(session, mine, await load_trees(session, mine))
        for source in (beyond, await _hindrances(session, act, clashes)):
            for number, each in source.items():
                found.setdefault(number, each)


def demand_free(plan: TakeBack) -> None:
    """Raise Refused, naming all that is in the way, unless nothing is."""
    if not plan.hindrances:
        return
    names = [_name(each) for each in plan.hindrances]
    whole = len(plan.hindrances)
    raise Refused(
        Words(
            f"Chưa gỡ được số {plan.act.number}: {whole} việc sau đó dựa vào nó: "
            + "; ".join(vi for vi, _ in names),
            f"{plan.act.number} cannot be taken back: {whole} later things build on it: "
            + "; ".join(en for _, en in names),
        ),
        Words("Gỡ hoặc sửa các việc đó trước, theo thứ tự này.",
              "Take those back or correct them first, in this order."),
    )  # fmt: skip


def _name(each: Hindrance) -> tuple[str, str]:
    vi, en = (" ".join(getattr(why, side) for why in each.why[:3]) for side in ("vi", "en"))
    if each.number is None:
        return vi, en
    head = f"{each.number} ({each.act} {each.subject})"
    return f"{head}: {vi}", f"{head}: {en}"


async def apply_undo(
    session: Session, plan: TakeBack, *, who: str, now_ms: int, today: date
) -> None:
    """Write it. Raises Refused when something is in the way."""
    demand_free(plan)
    await _write(session, plan.rows, By(who, now_ms), today)


async def _write(session: Session, rows: ActRows, stamp: By, today: date) -> None:
    for table, gone in rows.void.items():
        await session.execute(
            f"UPDATE {table} SET voided_at_ms = :now, voided_by = :who WHERE id IN :[ids]",  # noqa: S608  # a table's name
            now=stamp.now_ms,
            who=stamp.who,
            ids=[row["id"] for row in gone],
        )
    said = {"recorded_at_ms": stamp.now_ms, "recorded_by": stamp.who}
    fresh = said | {"voided_at_ms": None, "voided_by": None}
    for table, back in rows.restore.items():
        await _say_again(session, table, [dict(row) | fresh for row in back])
    await session.execute(
        "UPDATE handover SET voided_at_ms = :now, voided_by = :who WHERE id IN :[ids]",
        now=stamp.now_ms,
        who=stamp.who,
        ids=[row["id"] for row in rows.minutes],
    )
    await _set_back(session, rows.set_back)
    versions = (*rows.void["device_version"], *rows.restore["device_version"])
    devices = {row["device_id"] for row in versions}
    await refresh(session, devices, today, stamp.now_ms)


async def _set_back(session: Session, changes: Iterable[Change]) -> None:
    """Give each thing back what it had, all columns at once: a secret's unit and name are unique together."""
    by_row: dict[tuple[str, int], dict[str, Any]] = {}
    for each in changes:
        by_row.setdefault((each.table, each.row_id), {})[each.column] = each.before
    for (table, row_id), values in by_row.items():
        columns = ", ".join(f"{name} = :{name}" for name in values)
        sql = f"UPDATE {table} SET {columns} WHERE id = :row_id"  # noqa: S608  # names of SET_BACK
        await session.execute(sql, row_id=row_id, **values)


async def _say_again(session: Session, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert dated rows under ids of their own."""
    if not rows:
        return
    names = [name for name in rows[0] if name != "id"]
    sql = (
        f"INSERT INTO {table} ({', '.join(names)})"  # noqa: S608  # column names of our own tables
        f" VALUES ({', '.join(f':{name}' for name in names)})"
    )
    await session.many(sql, [{name: row[name] for name in names} for row in rows])
