"""Places of a unit: a one-stop desk, a meeting room, a server room, a store, as dated versions."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.refusal import refused
from kiemke.server.domain.reorganise_rows import add_dated, reopen
from kiemke.server.domain.text import search_key, sort_key
from kiemke.server.models.organisation import PLACE_KINDS

_ON_DAY = (
    "SELECT p.* FROM place_version p WHERE p.voided_at_ms IS NULL AND p.valid_from <= :day"
    " AND (p.valid_to IS NULL OR p.valid_to > :day)"
)


@dataclass(frozen=True, slots=True)
class PlaceState:
    """What a place is from a day on."""

    code: str
    name: str
    kind: str
    unit_id: int


async def find_place(session: Session, code: str, day: date) -> Row | None:
    """Return the version a code has on the day, None when there is no such place."""
    return await session.one(f"{_ON_DAY} AND p.code = :code", day=day, code=code)


async def check(session: Session, state: PlaceState, day: date, own_id: int | None) -> None:
    """Refuse an unknown kind, and a code that another place has on the day or later."""
    if state.kind not in PLACE_KINDS:
        raise refused(
            f"Không có loại nơi {state.kind}.",
            f"There is no kind of place {state.kind}.",
            f"Dùng một trong: {', '.join(PLACE_KINDS)}.",
            f"Use one of: {', '.join(PLACE_KINDS)}.",
        )
    if not state.code or not state.name:
        raise refused(
            "Nơi cần có mã và tên.",
            "A place needs a code and a name.",
            "Nêu cả hai.",
            "Give both.",
        )
    taken = await session.one(
        "SELECT place_id FROM place_version WHERE code = :code AND voided_at_ms IS NULL"
        " AND (valid_to IS NULL OR valid_to > :day) AND place_id <> :own",
        code=state.code,
        day=day,
        own=own_id or 0,
    )
    if taken is not None:
        raise refused(
            f"Mã {state.code} là của nơi khác.",
            f"The code {state.code} is another place's.",
            "Dùng mã khác.",
            "Use another code.",
        )


async def create(
    session: Session, state: PlaceState, day: date, *, instrument: str, who: str, now_ms: int
) -> int:
    """Make a place from the day on; return its id."""
    made = await session.one(
        "INSERT INTO place (created_at_ms) VALUES (:now) RETURNING id", now=now_ms
    )
    if made is None:
        raise AssertionError("INSERT ... RETURNING gave no row")
    values = _columns(state) | {
        "place_id": made["id"],
        "valid_from": day,
        "valid_to": None,
        "instrument": instrument,
        "recorded_at_ms": now_ms,
        "recorded_by": who,
    }
    await add_dated(session, "place_version", values)
    return int(made["id"])


async def change(
    session: Session,
    row: Mapping[str, Any],
    state: PlaceState | None,
    day: date,
    *,
    instrument: str,
    who: str,
    now_ms: int,
) -> None:
    """Say a place's version again as it is from the day on; ``state`` None ends it on the day.

    Refuses to end one at which something still stands on that day or later.
    """
    if state is None:
        await _refuse_while_used(session, row, day)
    changes = None if state is None else _columns(state)
    await reopen(
        session, "place_version", row, day, changes, instrument=instrument, who=who, now_ms=now_ms
    )


_STANDING = """
SELECT DISTINCT a.code FROM custody c JOIN asset a ON a.id = c.asset_id
WHERE c.at_place_id = :place AND c.voided_at_ms IS NULL AND (c.valid_to IS NULL OR c.valid_to > :day)
  AND NOT EXISTS (SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND t.voided_at_ms IS NULL
    AND t.status IN ('disposed', 'lost') AND t.valid_from <= :day
    AND (t.valid_to IS NULL OR t.valid_to > :day))
ORDER BY a.code
"""
_MOST_NAMED = 5


async def _refuse_while_used(session: Session, row: Mapping[str, Any], day: date) -> None:
    standing = await session.fetch(_STANDING, place=row["place_id"], day=day)
    if not standing:
        return
    codes = ", ".join(each["code"] for each in standing[:_MOST_NAMED])
    left = len(standing) - _MOST_NAMED
    code = row["code"]
    command = f"kiemke asset handover --from place:{code} --to …"
    raise refused(
        f"Tại {code} còn {len(standing)} tài sản: {codes}{f' và {left} nữa' if left > 0 else ''}.",
        f"At {code} there still stand {len(standing)}: {codes}{f' and {left} more' if left > 0 else ''}.",
        f"Bàn giao trước: {command}",
        f"Hand them over first: {command}",
    )


def _columns(state: PlaceState) -> dict[str, Any]:
    return {
        "code": state.code,
        "name": state.name,
        "kind": state.kind,
        "unit_id": state.unit_id,
        "sort_key": sort_key(state.name),
        "search_key": search_key(f"{state.code} {state.name}"),
    }
