"""Handing over equipment: everything a person or unit holds, or named things, in one act with a paper.

Custody rows open on the day are voided and said again: the one who gives holds until the day, the
one who receives from it. Nothing is edited; shared custody keeps the others' rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.reorganise_rows import reopen
from kiemke.server.domain.residual import NOT_OWNED, OTHER_BOOK, Worth
from kiemke.server.domain.text_labels import Words

_HELD = (
    "SELECT t.*, a.code AS asset_code, COALESCE(f.name, a.name) AS asset_name,"
    " CASE WHEN f.id IS NULL THEN a.tag ELSE f.tag END AS asset_tag, COALESCE(f.kind, a.kind) AS asset_kind,"
    " CASE WHEN f.id IS NULL THEN a.price_dong ELSE f.price_dong END AS asset_price,"
    " CASE WHEN f.id IS NULL THEN a.in_use_since ELSE f.in_use_since END AS asset_since,"
    " a.serial AS asset_serial, a.model AS asset_model,"
    " COALESCE(f.ownership, a.ownership) AS asset_ownership FROM custody t"
    " JOIN asset a ON a.id = t.asset_id"
    " LEFT JOIN asset_fact f ON f.asset_id = a.id AND f.voided_at_ms IS NULL"
    " AND f.valid_from <= :day AND (f.valid_to IS NULL OR f.valid_to > :day)"
    " WHERE t.voided_at_ms IS NULL AND t.valid_from <= :day"
    " AND (t.valid_to IS NULL OR t.valid_to > :day)"
    # What was disposed of or is lost is on nobody's hands any more.
    " AND NOT EXISTS (SELECT 1 FROM asset_status g WHERE g.asset_id = a.id"
    " AND g.status IN ('disposed', 'lost') AND g.voided_at_ms IS NULL AND g.valid_from <= :day"
    " AND (g.valid_to IS NULL OR g.valid_to > :day))"
)
_ASSET_PREFIX = "asset_"


class CannotHandOver(Refused):
    """The handover contradicts the ledger; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who gives or receives: a unit, or an official or a place in it. ``unit_id`` is that of the day."""

    unit_id: int
    unit_name: str
    official_id: int | None = None
    official_name: str | None = None
    post: str | None = None
    place_id: int | None = None
    place_name: str | None = None

    @property
    def name(self) -> str:
        """The official's or place's name, else the unit's."""
        return self.official_name or self.place_name or self.unit_name


@dataclass(frozen=True, slots=True)
class Handover:
    """What is asked: from whom to whom, since when, by which paper; ``codes`` () means everything.

    ``place`` is where the things will stand, None keeps each one's place. Where giver and receiver are one,
    things go to another place and whoever answers for them does so still.
    """

    giver: Party
    receiver: Party
    day: date
    instrument: str
    codes: tuple[str, ...] = ()
    place: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that changes hands, as the minutes list it. Price and residual value in đồng.

    ``residual_why`` says of NO_RESIDUAL why there is no residual value.
    """

    code: str
    tag: str | None
    name: str
    kind: str
    model: str | None
    serial: str | None
    price_dong: int | None
    in_use_since: date | None
    residual_dong: int | None = None
    residual_why: str | None = None


async def find_party(
    session: Session,
    day: date,
    *,
    official: str | None = None,
    unit: str | None = None,
    place: str | None = None,
) -> Party:
    """Return the official, unit or place of a code as of the day. Raises CannotHandOver."""
    if place is not None:
        return await _find_place(session, day, place)
    if official is not None:
        row = await session.one(
            "SELECT o.id, COALESCE(n.name, o.name) AS name, m.unit_id, m.post, v.name AS unit_name"
            " FROM official o LEFT JOIN official_version n ON n.official_id = o.id"
            " AND n.voided_at_ms IS NULL AND n.valid_from <= :day"
            " AND (n.valid_to IS NULL OR n.valid_to > :day)"
            " LEFT JOIN membership m ON m.official_id = o.id AND m.voided_at_ms IS NULL"
            " AND m.is_primary AND m.valid_from <= :day"
            " AND (m.valid_to IS NULL OR m.valid_to > :day)"
            " LEFT JOIN unit_version v ON v.unit_id = m.unit_id AND v.voided_at_ms IS NULL"
            " AND v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)"
            " WHERE o.code = :code",
            code=official,
            day=day,
        )
        if row is None:
            raise unknown_party("cán bộ", "official", official)
        if row["unit_id"] is None:
            last = await session.one(
                "SELECT m.unit_id, v.name AS unit_name FROM membership m LEFT JOIN unit_version v"
                " ON v.unit_id = m.unit_id AND v.voided_at_ms IS NULL WHERE m.official_id = :id"
                " AND m.voided_at_ms IS NULL ORDER BY m.valid_from DESC, v.valid_from DESC LIMIT 1",
                id=row["id"],
            )
            if last is None:
                raise unknown_party("cán bộ", "official", official)
            row = {**row, **last}
        return Party(row["unit_id"], row["unit_name"] or "", row["id"], row["name"], row["post"])
    row = await session.one(
        "SELECT unit_id, name FROM unit_version WHERE code = :code AND voided_at_ms IS NULL"
        " AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)",
        code=unit or "",
        day=day,
    )
    if row is None:
        raise unknown_party("đơn vị", "unit", unit or "")
    return Party(row["unit_id"], row["name"])


def unknown_party(vi: str, en: str, code: str) -> CannotHandOver:
    """Return the refusal of a code nobody has; one out of the asker's sight is told alike."""
    return CannotHandOver(
        Words(f"Không có {vi} mã {code} vào ngày đó.", f"There is no {en} {code} on that day."),
        Words("Kiểm tra mã và ngày.", "Check the code and the day."),
    )


async def _find_place(session: Session, day: date, code: str) -> Party:
    row = await session.one(
        "SELECT p.place_id, p.name, p.unit_id, v.name AS unit_name FROM place_version p"
        " LEFT JOIN unit_version v ON v.unit_id = p.unit_id AND v.voided_at_ms IS NULL"
        " AND v.valid_from <= :day AND (v.valid_to IS NULL OR v.valid_to > :day)"
        " WHERE p.code = :code AND p.voided_at_ms IS NULL AND p.valid_from <= :day"
        " AND (p.valid_to IS NULL OR p.valid_to > :day)",
        code=code,
        day=day,
    )
    if row is None:
        raise unknown_party("nơi", "place", code)
    return Party(
        row["unit_id"], row["unit_name"] or "", place_id=row["place_id"], place_name=row["name"]
    )


async def plan(session: Session, asked: Handover) -> list[Row]:
    """Return the custody rows that change hands, by asset code. Raises CannotHandOver."""
    giver, receiver = (
        (side.unit_id, side.official_id, side.place_id) for side in (asked.giver, asked.receiver)
    )
    if giver == receiver and asked.place is None:
        raise CannotHandOver(
            Words("Bên giao và bên nhận là một.", "Giver and receiver are the same."),
            Words(
                "Nêu bên nhận khác; chỉ chuyển chỗ thì nêu nơi đặt mới: --place.",
                "Name another receiver; where things only go to another place, name it: --place.",
            ),
        )
    if asked.giver.official_id is not None:
        rows = await session.fetch(
            _HELD + " AND t.official_id = :official ORDER BY a.code, t.id",
            day=asked.day,
            official=asked.giver.official_id,
        )
    elif asked.giver.place_id is not None:
        rows = await session.fetch(
            _HELD + " AND t.at_place_id = :place ORDER BY a.code, t.id",
            day=asked.day,
            place=asked.giver.place_id,
        )
    else:
        rows = await session.fetch(
            _HELD + " AND t.unit_id = :unit ORDER BY a.code, t.id",
            day=asked.day,
            unit=asked.giver.unit_id,
        )
    if asked.codes:
        held = {row["asset_code"] for row in rows}
        missing = sorted(set(asked.codes) - held)
        if missing:
            raise CannotHandOver(
                Words(
                    f"Bên giao không giữ: {', '.join(missing)}.",
                    f"The giver does not hold: {', '.join(missing)}.",
                ),
                Words("Bỏ mã đó hoặc sửa bên giao.", "Leave it out, or correct the giver."),
            )
        rows = [row for row in rows if row["asset_code"] in asked.codes]
    if not rows:
        raise CannotHandOver(
            Words("Bên giao không giữ gì.", "The giver holds nothing."),
            Words("Kiểm tra mã và ngày.", "Check the code and the day."),
        )
    return rows


def items(rows: Sequence[Row], worth: Mapping[int, Worth]) -> list[Item]:
    """Return what the minutes list: each asset once, with what it is ``worth`` on the giver's book."""
    seen: dict[str, Item] = {}
    for row in rows:
        since = row["asset_since"]
        elsewhere = OTHER_BOOK if row["asset_ownership"] == "owned" else NOT_OWNED
        told = worth.get(row["asset_id"], elsewhere)
        seen[row["asset_code"]] = Item(
            row["asset_code"],
            row["asset_tag"],
            row["asset_name"],
            row["asset_kind"],
            row["asset_model"],
            row["asset_serial"],
            row["asset_price"],
            None if since is None else as_date(since),
            told.residual_dong,
            told.why_none,
        )
    return list(seen.values())


async def keep(
    session: Session, asked: Handover, listed: Sequence[Item], who: str, now_ms: int
) -> int:
    """Keep a written handover until its minutes are signed; return its number."""
    row = await session.one(
        "INSERT INTO handover (giver_unit_id, giver_official_id, receiver_unit_id,"
        " receiver_official_id, day, instrument, assets_json, recorded_at_ms, recorded_by)"
        " VALUES (:giver_unit, :giver, :receiver_unit, :receiver, :day, :paper, :assets, :now, :who)"
        " RETURNING id",
        giver_unit=asked.giver.unit_id,
        giver=asked.giver.official_id,
        receiver_unit=asked.receiver.unit_id,
        receiver=asked.receiver.official_id,
        day=asked.day,
        paper=asked.instrument,
        assets=json.dumps([item.code for item in listed], ensure_ascii=False),
        now=now_ms,
        who=who,
    )
    if row is None:
        raise RuntimeError("INSERT ... RETURNING gave no row")
    return int(row["id"])


async def apply(
    session: Session, asked: Handover, rows: Sequence[Row], *, who: str, now_ms: int
) -> None:
    """Write the handover. Two givers of one shared thing make one row of the receiver."""
    given: set[int] = set()
    stays = asked.giver == asked.receiver
    for row in rows:
        plain = {k: v for k, v in row.items() if not k.startswith(_ASSET_PREFIX) or k == "asset_id"}
        changes: dict[str, Any] = {
            "unit_id": asked.receiver.unit_id,
            "official_id": asked.receiver.official_id,
            "at_place_id": asked.receiver.place_id,
        }
        if stays:
            changes = {"at_place_id": asked.receiver.place_id}
        if asked.place is not None or asked.receiver.place_id is not None:
            changes["place"] = asked.place
        again = row["asset_id"] in given and not stays
        given.add(row["asset_id"])
        await reopen(
            session, "custody", plain, asked.day, None if again else changes,
            instrument=asked.instrument, who=who, now_ms=now_ms,
        )  # fmt: skip
