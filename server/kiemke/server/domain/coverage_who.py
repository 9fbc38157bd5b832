"""The persons behind a coverage figure: where each one stands, why, and what to do next."""

from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.coverage import statement_params
from kiemke.server.domain.coverage_sql import RANKS, who_sql
from kiemke.server.errors import Both

STATES = tuple(RANKS)
_STATE_OF = {place: state for state, place in RANKS.items()}


@dataclass(frozen=True, slots=True)
class WhoRow:
    """One person: state (see STATES), the PC that decided it if any, why, and the next command.

    ``next_command`` is None where nothing is to be done. ``last_day`` is the newest day with a
    trusted sign of the PC in the evidence window.
    """

    official_id: int
    official_code: str
    official_name: str
    unit_id: int
    unit_code: str
    unit_name: str
    kind: str
    post: str | None
    state: str
    asset_id: int | None
    asset_code: str | None
    machine_id: int | None
    last_day: date | None
    has_shared_access: bool
    why: Both
    next_command: str | None


async def coverage_who(
    session: Session, unit_id: int, day: date, known_ms: int, state: str | None = None
) -> list[WhoRow]:
    """Return the persons of a unit's subtree, by unit and given name; ``state`` None gives all.

    Raises KeyError for a state that STATES does not have.
    """
    params = await statement_params(session, day, known_ms)
    place = None if state is None else RANKS[state]
    rows = await session.fetch(who_sql(session.dialect), unit=unit_id, place=place, **params)
    chosen: dict[int, Row] = {}
    for row in rows:
        kept = chosen.get(row["official_id"])
        if kept is None or _newness(row) > _newness(kept):
            chosen[row["official_id"]] = row
    return [_who(row) for row in chosen.values()]


def _newness(row: Row) -> str:
    return str(row["last_day"] or "")


def _day(value: date | str | None) -> date | None:
    return None if value is None else as_date(value)


def _who(row: Row) -> WhoRow:
    state = _STATE_OF[row["place"]]
    why, next_command = _explain(state, row)
    return WhoRow(
        official_id=row["official_id"],
        official_code=row["official_code"],
        official_name=row["official_name"],
        unit_id=row["unit_id"],
        unit_code=row["unit_code"],
        unit_name=row["unit_name"],
        kind=row["kind"],
        post=row["post"],
        state=state,
        asset_id=row["asset_id"],
        asset_code=row["asset_code"],
        machine_id=row["machine_id"],
        last_day=_day(row["last_day"]),
        has_shared_access=bool(row["has_shared"]),
        why=why,
        next_command=next_command,
    )


_ABSENCES = {
    "leave": Both("nghỉ dài ngày", "on long leave"),
    "study": Both("đi học dài ngày", "on long study"),
    "suspended": Both("tạm đình chỉ công tác", "suspended"),
    "needs_no_computer": Both("vị trí không cần máy tính", "the post needs no computer"),
    "equipped_by_ministry": Both("ngành dọc trang bị máy", "equipped by another ministry"),
}


def _explain(state: str, row: Row) -> tuple[Both, str | None]:
    asset = row["asset_code"]
    if state == "excluded":
        return _excluded(row), None
    if state == "no_pc":
        return _no_pc(row), f"kiemke asset list --unit {row['unit_code']} --status in_stock"
    if state == "verified":
        day = _day(row["last_day"])
        return Both(
            f"máy {asset} có tín hiệu ngày {day:%d/%m/%Y}", f"{asset} was seen on {day}"
        ), None
    if state == "counted":
        day = _day(row["count_day"])
        said = f"máy {asset} đã kiểm đếm ngày {day:%d/%m/%Y}"
        return Both(said, f"{asset} was counted on {day}"), None
    if state == "contradicted":
        return _contradicted(row), f"kiemke asset show {asset}"
    if state == "silent":
        return _silent(row)
    if row["asset_serial"] is None:
        return (
            Both(f"tài sản {asset} chưa có số serial", f"{asset} has no serial number on the book"),
            f"kiemke asset show {asset}",
        )
    return (
        Both(f"chưa thấy máy nào có serial của {asset}", f"no machine has the serial of {asset}"),
        f"kiemke source token --unit {row['unit_code']}",
    )


def _excluded(row: Row) -> Both:
    reason = _ABSENCES.get(row["absence_reason"], Both("không tính", "not counted"))
    paper = f" ({row['absence_instrument']})" if row["absence_instrument"] else ""
    return Both(reason.vi + paper, reason.en + paper)


def _no_pc(row: Row) -> Both:
    if row["has_shared"]:
        return Both("chỉ dùng chung máy", "shares a PC only")
    return Both("sổ không ghi máy nào do người này giữ", "the book gives this person no PC")


def _contradicted(row: Row) -> Both:
    asset, days = row["asset_code"], row["foreign_days"]
    if row["count_result"] == "missing":
        day = _day(row["count_day"])
        return Both(
            f"kiểm kê ngày {day:%d/%m/%Y} không thấy {asset}",
            f"{asset} was missing at the count of {day}",
        )
    return Both(
        f"{days} ngày làm việc {asset} do tài khoản của người khác dùng",
        f"{asset} was under another official's account on {days} working days",
    )


def _silent(row: Row) -> tuple[Both, str | None]:
    asset = row["asset_code"]
    listing = f"kiemke source list --unit {row['unit_code']}"
    if row["quarantined"]:
        return Both(
            f"nguồn của {asset} bị cách ly", f"the source of {asset} is quarantined"
        ), listing
    if not row["approved"]:
        return (
            Both(f"nguồn của {asset} chưa được duyệt", f"the source of {asset} is not approved"),
            listing,
        )
    return (
        Both(
            f"{asset} không có tín hiệu trong những ngày làm việc gần đây",
            f"{asset} gave no sign in the last working days",
        ),
        f"kiemke machine show {row['machine_id']}",
    )
