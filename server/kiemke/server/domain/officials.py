"""What becomes of an official on a day, by a paper: joins, moves, another post, duty, absence, end.

Nothing is edited: a row in force on the day is voided and said again until the day, and as it is from
the day on. A correction says the row in force again over its whole span.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.person_name import PERSON, keys_of, person_fields
from kiemke.server.domain.refusal import refused
from kiemke.server.domain.reorganise_rows import add_dated, reopen
from kiemke.server.models.organisation import (
    ABSENCE_REASONS,
    DUTIES,
    ENDINGS,
    OFFICIAL_KINDS,
)

ALWAYS = date(1900, 1, 1)  # what is first said of a person holds since ever
_IN_FORCE = "voided_at_ms IS NULL AND official_id = :id AND (valid_to IS NULL OR valid_to > :day)"


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which paper, who writes it, when (epoch ms)."""

    instrument: str
    who: str
    now_ms: int

    def columns(self) -> dict[str, Any]:
        """Return what a new dated row says of its writing."""
        return {
            "instrument": self.instrument,
            "recorded_at_ms": self.now_ms,
            "recorded_by": self.who,
        }

    def named(self) -> dict[str, Any]:
        """Return the arguments of ``reopen``."""
        return {"instrument": self.instrument, "who": self.who, "now_ms": self.now_ms}


@dataclass(frozen=True, slots=True)
class Act:
    """What is to become of an official on ``day``. ``fields`` holds only what was said.

    change: of PERSON. move, post: ``unit_id``, ``kind``, ``post``. second: a part-time membership
    (``unit_id``, ``post``, ``duty``); end_second: ``unit_id``. leave, retire: every membership ends.
    absent: ``reason``, ``until`` (the first day back, None is open); back. ``correction`` says the
    row in force on the day again over its whole span instead of from the day on.
    """

    kind: str
    day: date
    fields: Mapping[str, Any] = field(default_factory=dict)
    correction: bool = False


ACTS = (
    "change", "move", "post", "second", "end_second", "leave", "retire", "absent", "back",
)  # fmt: skip


_ENDED_UNIT = """
SELECT MAX(v.code) AS code, CASE WHEN COUNT(*) = COUNT(v.valid_to) THEN MAX(v.valid_to) END AS ended
FROM membership m JOIN unit_version v ON v.unit_id = m.unit_id AND v.voided_at_ms IS NULL
WHERE m.official_id = :official AND m.unit_id = :unit AND m.voided_at_ms IS NULL AND m.valid_to IS NULL
"""


async def create(
    session: Session,
    code: str,
    person: Mapping[str, Any],
    membership: Mapping[str, Any],
    day: date,
    stamp: Stamp,
) -> int:
    """Make an official with a primary membership from the day on; return the id."""
    _check_kind(membership["kind"])
    if not code or await session.one("SELECT id FROM official WHERE code = :code", code=code):
        raise refused(
            f"Mã cán bộ “{code}” trống hoặc đã có.",
            f"The official's code “{code}” is empty or exists already.",
            "Dùng mã khác; người trở lại làm việc: dùng move.",
            "Use another one; for somebody who comes back use move.",
        )
    columns = person_fields(person, None)
    plain = {name: columns[name] for name in ("name", "phone", "mailbox", "account")}
    row = await session.one(
        "INSERT INTO official (code, name, phone, mailbox, account, sort_key, search_key,"
        " created_at_ms) VALUES (:code, :name, :phone, :mailbox, :account, :sort_key, :search_key,"
        " :now) RETURNING id",
        code=code,
        **plain,
        **keys_of(columns),
        now=stamp.now_ms,
    )
    if row is None:
        raise AssertionError("INSERT ... RETURNING gave no row")
    said = {"official_id": row["id"], "valid_to": None, **stamp.columns()}
    await add_dated(session, "official_version", {**said, **columns, "valid_from": ALWAYS})
    await add_dated(
        session, "membership", {**said, **membership, "is_primary": True, "valid_from": day}
    )
    return int(row["id"])


async def demand_unit_lives(session: Session, official_id: int, unit_id: int) -> None:
    """Raise Refused where an official is left without an end in a unit that ended: he would be in no count."""
    row = await session.one(_ENDED_UNIT, official=official_id, unit=unit_id)
    if row is not None and row["ended"] is not None:
        ended = as_date(row["ended"])
        raise refused(
            f"{row['code']} kết thúc ngày {ended:%d/%m/%Y}; từ đó cán bộ không thuộc đơn vị nào.",
            f"{row['code']} ends on {ended}; from then on the official would be of no unit.",
            f"Nêu đơn vị tiếp nhận và ngày từ {ended:%d/%m/%Y}: kiemke don-vi lich-su {row['code']}.",
            f"Give the unit that received it and a day from {ended} on: kiemke unit history {row['code']}.",
        )


async def perform(session: Session, official_id: int, act: Act, stamp: Stamp, today: date) -> None:
    """Write an act in the caller's transaction. Raises Refused; then nothing may be committed."""
    if act.kind == "change":
        await _change(session, official_id, act, stamp, today)
    elif act.kind in ("move", "post"):
        await _place(session, official_id, act, stamp)
    elif act.kind == "second":
        await _second(session, official_id, act, stamp)
    elif act.kind == "end_second":
        rows = await _memberships(session, official_id, act.day)
        unit_id = act.fields.get("unit_id")
        seconds = [r for r in rows if not r["is_primary"] and unit_id in (None, r["unit_id"])]
        await _end(session, seconds, act.day, None, stamp)
    elif act.kind in ("leave", "retire"):
        rows = await _memberships(session, official_id, act.day)
        await _end(session, rows, act.day, ENDINGS[act.kind == "retire"], stamp)
    elif act.kind == "absent":
        await _absent(session, official_id, act, stamp)
    elif act.kind == "back":
        await _back(session, official_id, act, stamp)
    else:
        raise refused(
            f"Không có việc {act.kind}.",
            f"There is no act {act.kind}.",
            f"Dùng một trong: {', '.join(ACTS)}.",
            f"Use one of: {', '.join(ACTS)}.",
        )


async def _change(session: Session, official_id: int, act: Act, stamp: Stamp, today: date) -> None:
    row = await _version(session, official_id, act.day)
    if row is None:
        await _say_first(session, official_id)
        row = await _version(session, official_id, act.day)
    if row is None:
        raise AssertionError("a person who was said to be so always is so on that day")
    day = as_date(row["valid_from"]) if act.correction else act.day
    after = person_fields(act.fields, row)
    await reopen(session, "official_version", row, day, after, **stamp.named())
    await refresh_plain(session, [official_id], today)


async def _version(session: Session, official_id: int, day: date) -> Row | None:
    return await session.one(
        f"SELECT * FROM official_version WHERE {_IN_FORCE} AND valid_from <= :day",  # noqa: S608
        id=official_id,
        day=day,
    )


async def _say_first(session: Session, official_id: int) -> None:
    """Say of somebody known only by the plain fields that it was so always, since it was entered."""
    plain = await session.one("SELECT * FROM official WHERE id = :id", id=official_id)
    if plain is None:
        raise AssertionError("the official was there a moment ago")
    first = dict.fromkeys(PERSON) | {name: plain[name] for name in PERSON if name in plain}
    first |= {"official_id": official_id, "valid_from": ALWAYS}
    await add_dated(
        session, "official_version", {**first, "recorded_at_ms": plain["created_at_ms"]}
    )


async def refresh_plain(session: Session, official_ids: Sequence[int], today: date) -> None:
    """Set the plain fields of officials to their version of today (else their last one)."""
    rows = await session.fetch(
        "SELECT * FROM official_version WHERE voided_at_ms IS NULL AND official_id IN :[ids]"
        " ORDER BY CASE WHEN valid_from <= :today THEN 1 ELSE 0 END, valid_from, id",
        ids=list(official_ids),
        today=today,
    )
    newest = {row["official_id"]: row for row in rows}
    await session.many(
        "UPDATE official SET name = :name, phone = :phone, mailbox = :mailbox, account = :account,"
        " sort_key = :sort_key, search_key = :search_key WHERE id = :id",
        [
            {
                **{name: row[name] for name in ("name", "phone", "mailbox", "account")},
                **keys_of(row),
                "id": id_,
            }
            for id_, row in newest.items()
        ],
    )


async def _memberships(session: Session, official_id: int, day: date) -> list[Row]:
    """Return the memberships in force on the day or later, first the earlier."""
    return await session.fetch(
        f"SELECT * FROM membership WHERE {_IN_FORCE} ORDER BY valid_from, id",  # noqa: S608
        id=official_id,
        day=day,
    )


async def _place(session: Session, official_id: int, act: Act, stamp: Stamp) -> None:
    said = {k: act.fields[k] for k in ("unit_id", "kind", "post") if k in act.fields}
    if not said:
        raise _nothing_said()
    if "kind" in said:
        _check_kind(said["kind"])
    rows = [r for r in await _memberships(session, official_id, act.day) if r["is_primary"]]
    held = [r for r in rows if as_date(r["valid_from"]) <= act.day]
    if held:
        day = as_date(held[0]["valid_from"]) if act.correction else act.day
        await reopen(session, "membership", held[0], day, said, **stamp.named())
        return
    if not {"unit_id", "kind"} <= set(said):
        raise refused(
            "Ngày đó cán bộ không thuộc đơn vị nào.",
            "On that day the official belongs to no unit.",
            "Nêu cả đơn vị và loại cán bộ (--unit, --kind).",
            "Give both the unit and the kind of official (--unit, --kind).",
        )
    until = as_date(rows[0]["valid_from"]) if rows else None
    values = {"post": None, **said, "is_primary": True, "official_id": official_id}
    values |= {"valid_from": act.day, "valid_to": until, **stamp.columns()}
    await add_dated(session, "membership", values)


async def _second(session: Session, official_id: int, act: Act, stamp: Stamp) -> None:
    duty, unit_id = act.fields.get("duty"), act.fields.get("unit_id")
    if duty is not None and duty not in DUTIES:
        raise refused(
            f"Không có nhiệm vụ {duty}.",
            f"There is no duty {duty}.",
            f"Dùng một trong: {', '.join(DUTIES)}.",
            f"Use one of: {', '.join(DUTIES)}.",
        )
    held = await _memberships(session, official_id, act.day)
    primary = next((r for r in held if r["is_primary"]), None)
    if unit_id is None or primary is None:
        raise refused(
            "Kiêm nhiệm cần đơn vị và một chức vụ chính.",
            "Part-time duty needs a unit and a primary post.",
            "Nêu --unit; nếu chưa có chức vụ chính, dùng move trước.",
            "Give --unit; without a primary post, use move first.",
        )
    if any(not r["is_primary"] and (r["unit_id"], r["duty"]) == (unit_id, duty) for r in held):
        raise refused(
            "Cán bộ đã kiêm nhiệm việc này ở đơn vị đó.",
            "The official has that part-time duty there already.",
            "Kết thúc (end_second) trước khi ghi lại.",
            "End it (end_second) before saying it again.",
        )
    values = {
        "official_id": official_id,
        "unit_id": unit_id,
        "kind": act.fields.get("kind") or primary["kind"],
        "post": act.fields.get("post"),
        "duty": duty,
        "is_primary": False,
        "valid_from": act.day,
        "valid_to": act.fields.get("until"),
    }
    await add_dated(session, "membership", values | stamp.columns())


async def _end(
    session: Session, rows: Sequence[Row], day: date, ended_as: str | None, stamp: Stamp
) -> None:
    if not rows:
        raise refused(
            "Không có gì để kết thúc vào ngày đó.",
            "There is nothing to end on that day.",
            "Xem kiemke can-bo lich-su.",
            "See kiemke official history.",
        )
    ending = {"ended_as": ended_as, "ended_by": stamp.instrument}
    for row in rows:
        await reopen(session, "membership", row, day, None, ending=ending, **stamp.named())


async def _absent(session: Session, official_id: int, act: Act, stamp: Stamp) -> None:
    reason, until = act.fields.get("reason"), act.fields.get("until")
    if reason not in ABSENCE_REASONS:
        raise refused(
            f"Không có lý do {reason}.",
            f"There is no reason {reason}.",
            f"Dùng một trong: {', '.join(ABSENCE_REASONS)}.",
            f"Use one of: {', '.join(ABSENCE_REASONS)}.",
        )
    if until is not None and until <= act.day:
        raise refused(
            "Ngày trở lại không sau ngày bắt đầu.",
            "The day of return is not after the first day.",
            "Sửa --until.",
            "Correct --until.",
        )
    rows = await session.fetch(
        f"SELECT * FROM absence WHERE {_IN_FORCE}",  # noqa: S608
        id=official_id,
        day=act.day,
    )
    if any(until is None or as_date(row["valid_from"]) < until for row in rows):
        raise refused(
            "Khoảng vắng này chồng lên một khoảng đã ghi.",
            "This absence overlaps one that is recorded.",
            "Kết thúc khoảng kia bằng back, hoặc sửa ngày.",
            "End the other one with back, or correct the days.",
        )
    values = {"official_id": official_id, "reason": reason, "valid_from": act.day}
    await add_dated(session, "absence", values | {"valid_to": until} | stamp.columns())


async def _back(session: Session, official_id: int, act: Act, stamp: Stamp) -> None:
    rows = await session.fetch(
        f"SELECT * FROM absence WHERE {_IN_FORCE}",  # noqa: S608
        id=official_id,
        day=act.day,
    )
    if not rows:
        raise refused(
            "Ngày đó cán bộ không vắng.",
            "On that day the official is not absent.",
            "Xem kiemke can-bo lich-su.",
            "See kiemke official history.",
        )
    for row in rows:
        await reopen(session, "absence", row, act.day, None, **stamp.named())


def _check_kind(kind: str) -> None:
    if kind not in OFFICIAL_KINDS:
        raise refused(
            f"Không có loại cán bộ {kind}.",
            f"There is no kind of official {kind}.",
            f"Dùng một trong: {', '.join(OFFICIAL_KINDS)}.",
            f"Use one of: {', '.join(OFFICIAL_KINDS)}.",
        )


def _nothing_said() -> Exception:
    return refused(
        "Chưa nêu điều gì thay đổi.",
        "It is not said what changes.",
        "Nêu đơn vị, loại hoặc chức vụ.",
        "Give a unit, a kind or a post.",
    )
