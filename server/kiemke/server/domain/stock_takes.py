"""Stock-takes: opened by a decision, handed on by reorganisations, closed with their minutes or withdrawn.

A stock-take is history as soon as it is closed: nothing of it is written any more. It never changes the
book: what it finds is set right by the commands that its lines name.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.refusal import refused
from kiemke.server.domain.reorganise_rows import add_dated, reopen
from kiemke.server.domain.scope import units_below
from kiemke.server.domain.stock_take_lines import Line
from kiemke.server.domain.tables import dated

TABLE = "stock_take_version"
DAY = "COALESCE(v.day, s.day)"
COLUMNS = (
    f"s.id, {DAY} AS day, s.reason, s.instrument, s.opened_at_ms, s.opened_by, v.id AS version_id, v.unit_id,"
    " v.counted_unit_id, v.state, v.board_json, v.valid_from AS since, v.recorded_at_ms,"
    " v.recorded_by, v.instrument AS said_by"
)
TABLES = "stock_take s JOIN stock_take_version v ON v.stock_take_id = s.id"
_MOST_NAMED = 10

_SUBTREE = dated("""
WITH RECURSIVE below (unit_id) AS (
  SELECT CAST(:root AS BIGINT)
  UNION
  SELECT v.unit_id FROM unit_version v JOIN below b ON v.parent_id = b.unit_id WHERE {active v}
) SELECT unit_id FROM below ORDER BY unit_id
""")
_LIVING = (
    "SELECT DISTINCT unit_id FROM unit_version WHERE unit_id IN :[units] AND voided_at_ms IS NULL"
    " AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)"
)
_LIFE = (
    "SELECT MIN(valid_from) AS since, MAX(code) AS code FROM unit_version"
    " WHERE unit_id = :unit AND voided_at_ms IS NULL"
)
# Of the unit and those below it on the day: since when anything stands on their book.
_FIRST_BOOKED = """
WITH RECURSIVE below (unit_id) AS (
  SELECT CAST(:root AS BIGINT)
  UNION
  SELECT v.unit_id FROM unit_version v JOIN below b ON v.parent_id = b.unit_id
  WHERE v.voided_at_ms IS NULL AND v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)
) SELECT MIN(c.valid_from) AS day FROM custody c
WHERE c.unit_id IN (SELECT unit_id FROM below) AND c.voided_at_ms IS NULL
"""
_HEIR = (
    "SELECT successor_id FROM unit_succession WHERE unit_id = :unit AND kind = 'merge'"
    " AND voided_at_ms IS NULL AND valid_from <= :today ORDER BY valid_from DESC, id DESC LIMIT 1"
)
_STATE = (
    "SELECT state FROM stock_take_version WHERE stock_take_id = :take AND voided_at_ms IS NULL"
    " AND valid_to IS NULL"
)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the board: ``side`` is whom the person stands for, ``role`` "head" or "member"."""

    name: str
    post: str | None = None
    side: str | None = None
    role: str = "member"


@dataclass(frozen=True, slots=True)
class Take:
    """A stock-take as it stands at a moment: ``unit_id`` answers, ``counted_unit_id`` is counted."""

    id: int
    day: date
    reason: str
    instrument: str
    unit_id: int
    counted_unit_id: int
    state: str
    board: tuple[Member, ...]
    since: date
    opened_at_ms: int
    opened_by: str
    said_at_ms: int
    said_by: str | None
    version_id: int


@dataclass(frozen=True, slots=True)
class Opening:
    """What is to be counted, as of which day, by which decision and board."""

    counted_unit_id: int
    unit_id: int
    day: date
    reason: str
    instrument: str
    board: tuple[Member, ...]


def take_of(row: Row) -> Take:
    """Return a row of COLUMNS as a stock-take."""
    return Take(
        row["id"],
        as_date(row["day"]),
        row["reason"],
        row["instrument"],
        row["unit_id"],
        row["counted_unit_id"],
        row["state"],
        board_of(row["board_json"]),
        as_date(row["since"]),
        row["opened_at_ms"],
        row["opened_by"],
        row["recorded_at_ms"],
        row["recorded_by"],
        row["version_id"],
    )


def board_of(text: str) -> tuple[Member, ...]:
    """Return a stored board."""
    told = json.loads(text)
    return tuple(Member(**member) for member in told) if isinstance(told, list) else ()


async def heir_of(session: Session, unit_id: int, today: date) -> int:
    """Return who answers for a unit today: itself while it lives, else who it was merged into."""
    seen = {unit_id}
    while not await session.fetch(_LIVING, units=[unit_id], day=today):
        row = await session.one(_HEIR, unit=unit_id, today=today)
        if row is None or row["successor_id"] in seen:
            break
        unit_id = row["successor_id"]
        seen.add(unit_id)
    return unit_id


async def units_counted(
    session: Session, take: Take, today: date, known_ms: int, roots: tuple[int, ...] | None
) -> tuple[list[int], list[int]]:
    """Return the units whose things are counted, and those of them that an asker may not see.

    ``roots`` are the asker's, None is all. A unit that has ended since came with the stock-take; one
    that lives under others now is theirs.
    """
    rows = await session.fetch(_SUBTREE, root=take.counted_unit_id, day=take.day, known=known_ms)
    units = [row["unit_id"] for row in rows]
    if roots is None:
        return units, []
    mine = await units_below(session, roots, today)
    living = {row["unit_id"] for row in await session.fetch(_LIVING, units=units, day=today)}
    hidden = [unit for unit in units if unit in living and unit not in mine]
    return [unit for unit in units if unit not in hidden], hidden


async def open_take(session: Session, asked: Opening, *, today: date, who: str, now_ms: int) -> int:
    """Open a stock-take and return its number. Raises Refused where one of that unit and day is open."""
    await _refuse_twin(session, asked.counted_unit_id, asked.day)
    row = await session.one(
        "INSERT INTO stock_take (day, reason, instrument, opened_at_ms, opened_by)"
        " VALUES (:day, :reason, :instrument, :now, :who) RETURNING id",
        day=asked.day,
        reason=asked.reason,
        instrument=asked.instrument,
        now=now_ms,
        who=who,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    await add_dated(
        session,
        TABLE,
        {
            "stock_take_id": row["id"],
            "unit_id": asked.unit_id,
            "counted_unit_id": asked.counted_unit_id,
            "state": "open",
            "board_json": json.dumps([asdict(m) for m in asked.board], ensure_ascii=False),
            "valid_from": today,
            "instrument": asked.instrument,
            "recorded_at_ms": now_ms,
            "recorded_by": who,
        },
    )
    return int(row["id"])


async def _refuse_twin(session: Session, unit_id: int, day: date, own: int = 0) -> None:
    twin = await session.one(
        "SELECT s.id FROM stock_take s JOIN stock_take_version v ON v.stock_take_id = s.id"  # noqa: S608  # a part of this file
        " WHERE v.voided_at_ms IS NULL AND v.valid_to IS NULL AND v.state = 'open' AND s.id <> :own"
        f" AND v.counted_unit_id = :unit AND {DAY} = :day",
        unit=unit_id,
        day=day,
        own=own,
    )
    if twin is not None:
        raise refused(
            f"Đã có đợt kiểm kê số {twin['id']} đang mở của đơn vị này, thời điểm {day:%d/%m/%Y}.",
            f"Stock-take {twin['id']} of this unit as of {day} is open already.",
            "Ghi tiếp vào đợt đó, hoặc hủy nó trước.",
            "Go on with that one, or withdraw it first.",
        )


async def demand_correctable(session: Session, take: Take, day: date) -> None:
    """Raise Refused for a stock-take that is over or cannot be as of this day.

    Another one of the unit and day is open, or see ``demand_there``.
    """
    await demand_open(session, take)
    if day == take.day:
        return
    await _refuse_twin(session, take.counted_unit_id, day, take.id)
    await demand_there(session, take.counted_unit_id, day)


async def demand_there(session: Session, unit_id: int, day: date) -> None:
    """Raise Refused for a day on which the unit was not there, or nothing was on its book yet.

    A unit that never had anything on its book may be counted: then all that is found is surplus.
    """
    life = await session.one(_LIFE, unit=unit_id)
    if not await session.fetch(_LIVING, units=[unit_id], day=day):
        code, since = (life["code"], as_date(life["since"])) if life else ("?", day)
        raise refused(
            f"Ngày {day:%d/%m/%Y} chưa có hoặc không còn đơn vị {code}; đơn vị có từ {since:%d/%m/%Y}.",
            f"On {day} the unit {code} was not there; it is there since {since}.",
            "Ghi một ngày mà đơn vị còn tồn tại, hoặc kiểm kê đơn vị khác.",
            "Give a day on which it was, or count another unit.",
        )
    first = await session.one(_FIRST_BOOKED, root=unit_id, day=day)
    if first is not None and first["day"] is not None and day < as_date(first["day"]):
        booked = as_date(first["day"])
        raise refused(
            f"Ngày {day:%d/%m/%Y} sổ của đơn vị chưa ghi tài sản nào; tài sản đầu tiên ghi từ"
            f" {booked:%d/%m/%Y}.",
            f"On {day} nothing was on the book of the unit yet; the first thing is since {booked}.",
            f"Ghi một ngày từ {booked:%d/%m/%Y}.",
            f"Give a day from {booked} on.",
        )


async def correct_take(
    session: Session,
    take: Take,
    day: date,
    board: Sequence[Member],
    *,
    instrument: str,
    who: str,
    now_ms: int,
) -> None:
    """Say the day and the board of an open stock-take anew, as if said so from the beginning.

    The day holds for all its time, the board for as long as it is the unit's that answers for it now.
    """
    rows = await session.fetch(
        "SELECT * FROM stock_take_version WHERE stock_take_id = :id AND voided_at_ms IS NULL ORDER BY id",
        id=take.id,
    )
    for row in rows:
        said: dict[str, str | date] = {"day": day}
        if row["id"] == take.version_id:
            said["board_json"] = json.dumps([asdict(m) for m in board], ensure_ascii=False)
        elif day == take.day:
            continue
        begun = as_date(row["valid_from"])
        await reopen(
            session, TABLE, row, begun, said, instrument=instrument, who=who, now_ms=now_ms
        )


async def demand_open(session: Session, take: Take) -> None:
    """Raise Refused for a stock-take that is over: nothing is added to it.

    Asked of the rows themselves: another server's clock may be ahead of this one's.
    """
    row = await session.one(_STATE, take=take.id)
    state = row["state"] if row else take.state
    if state != "open":
        closed = state == "closed"
        raise refused(
            f"Đợt kiểm kê số {take.id} đã {'khóa' if closed else 'hủy'}.",
            f"Stock-take {take.id} is {state}.",
            "Mở một đợt mới để kiểm kê lại.",
            "Open a new one to count again.",
        )


def demand_answered(take: Take, lines: Sequence[Line], hidden: Sequence[int], today: date) -> None:
    """Raise Refused where an open stock-take cannot be closed yet; the message names what is missing."""
    if take.day > today:
        raise refused(
            f"Thời điểm kiểm kê {take.day:%d/%m/%Y} chưa tới.",
            f"The day of the stock-take, {take.day}, is still to come.",
            "Khóa vào ngày đó hoặc sau đó.",
            "Close it on that day or later.",
        )
    if hidden:
        raise refused(
            "Một phần tài sản được kiểm kê nay thuộc đơn vị khác.",
            "Some of what is counted is other units' now.",
            "Nhờ người phụ trách cả các đơn vị đó khóa.",
            "Let someone who answers for those units too close it.",
        )
    left = [line.code or "" for line in lines if line.state == "unanswered"]
    if left:
        named = ", ".join(left[:_MOST_NAMED]) + (" …" if len(left) > _MOST_NAMED else "")
        raise refused(
            f"Còn {len(left)} tài sản chưa kiểm: {named}.",
            f"{len(left)} assets are not answered yet: {named}.",
            f"kiemke kiem-ke ghi {take.id} MÃ --ket-qua found|elsewhere|broken|missing --nguoi …",
            f"kiemke count add {take.id} CODE --result found|elsewhere|broken|missing --by …",
        )


async def end_take(
    session: Session,
    take: Take,
    state: str,
    lines: Sequence[Line],
    *,
    instrument: str,
    today: date,
    who: str,
    now_ms: int,
) -> None:
    """Close or withdraw a stock-take from today on; ``lines`` are kept as they are."""
    row = await session.one(
        "SELECT * FROM stock_take_version WHERE id = :id AND voided_at_ms IS NULL",
        id=take.version_id,
    )
    if row is None:
        raise RuntimeError(f"stock-take {take.id} changed meanwhile")
    await session.many(
        "INSERT INTO stock_take_line (stock_take_id, position, line_json)"
        " VALUES (:take, :position, :line)",
        [
            {"take": take.id, "position": position, "line": line.as_json()}
            for position, line in enumerate(lines, 1)
        ],
    )
    await reopen(
        session, TABLE, row, today, {"state": state},
        instrument=instrument, who=who, now_ms=now_ms,
    )  # fmt: skip


async def closed_lines(session: Session, take: Take) -> list[Line]:
    """Return the lines of a closed stock-take as they were closed."""
    rows = await session.fetch(
        "SELECT line_json FROM stock_take_line WHERE stock_take_id = :take ORDER BY position",
        take=take.id,
    )
    return [Line.from_json(row["line_json"]) for row in rows]
