"""The persons behind a coverage figure: where each one stands, why, and what to do next."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain import coverage_few
from kiemke.server.domain.coverage import statement_params
from kiemke.server.domain.coverage_sql import RANKS, who_sql
from kiemke.server.domain.elsewhere import Elsewhere, load_names
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both

STATES = tuple(RANKS)
_STATE_OF = {place: state for state, place in RANKS.items()}


@dataclass(frozen=True, slots=True)
class Absent:
    """Why a person is left out, by which paper, since when and until before when; None: open."""

    reason: str
    instrument: str | None
    since: date
    until: date | None


@dataclass(frozen=True, slots=True)
class WhoRow:
    """One person: state (see STATES), the PC that decided it if any, why, and the next command.

    ``absences`` are all that leave the person out, of those excluded.
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
    absences: tuple[Absent, ...] = ()


async def coverage_who(
    session: Session,
    unit_id: int,
    day: date,
    known_ms: int,
    state: str | None = None,
    *,
    seen: Collection[int] | None = None,
) -> list[WhoRow]:
    """Return the persons of a unit's subtree, by unit and given name; ``state`` None gives all.

    Of a PC that stood at the site of a unit not in ``seen`` (None: all) only that is told. Raises KeyError for a state that STATES does not have.
    """
    times = {"day": day, "known": known_ms}
    units = await coverage_few.units_below(session, unit_id, times)
    few = await coverage_few.few_of_units(session, units, times)
    if few is not None and not few.officials:
        return []
    place = None if state is None else RANKS[state]
    params = await statement_params(session, day, known_ms)
    statement = who_sql(session.dialect, params["blocks"])
    rows = await coverage_few.fetch(session, statement, params, few, unit=unit_id, place=place)
    chosen: dict[int, Row] = {}
    for row in rows:
        kept = chosen.get(row["official_id"])
        # Of each person the first row tells of no PC; of equals the first PC stays.
        if kept is None or kept["asset_id"] is None or _newness(row) > _newness(kept):
            chosen[row["official_id"]] = row
    rows = await _with_facts(session, list(chosen.values()), params)
    rows = await _with_sites(session, rows, params, seen)
    return [_who(row) for row in rows]


_ABSENT = dated("""
SELECT b.official_id, b.reason, b.instrument, b.valid_from, b.valid_to FROM absence b
WHERE {active b} AND b.official_id IN :[ids] ORDER BY b.valid_from, b.id
""")
_REASONS = dated("""
SELECT a.id, CASE WHEN f.id IS NULL THEN a.no_agent_reason ELSE f.no_agent_reason END AS no_agent_reason
FROM asset a LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f} WHERE a.id IN :[ids]
""")


async def _with_facts(session: Session, rows: list[Row], params: dict[str, Any]) -> list[Row]:
    """Return the rows with the absences that exclude the person, and why a PC carries no agent."""
    excluded = [row["official_id"] for row in rows if row["place"] == RANKS["excluded"]]
    absences: dict[int, list[Absent]] = {}
    for row in await session.fetch(_ABSENT, ids=excluded, day=params["day"], known=params["known"]):
        since = as_date(row["valid_from"])
        found = Absent(row["reason"], row["instrument"], since, _day(row["valid_to"]))
        if _excludes(found, params["long_absence"]):
            absences.setdefault(row["official_id"], []).append(found)
    assets = [row["asset_id"] for row in rows if row["asset_id"] is not None]
    times = {"day": params["day"], "known": params["known"]}
    reasons = {
        row["id"]: row["no_agent_reason"]
        for row in await session.fetch(_REASONS, ids=assets, **times)
    }
    return [
        {
            **row,
            "absences": tuple(absences.get(row["official_id"], ())),
            "no_agent_reason": reasons.get(row["asset_id"]),
        }
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class _Site:
    """Where a PC stood instead: the days, and code and name of the site's unit, None where unseen."""

    days: tuple[date, ...]
    unit: tuple[str, str] | None


async def _with_sites(
    session: Session, rows: list[Row], params: dict[str, Any], seen: Collection[int] | None
) -> list[Row]:
    """Return the rows with the other unit's site at which the PC stood for long enough."""
    enough = set(params["elsewhere"])
    stood: dict[int, Elsewhere] = {
        row["asset_id"]: params["stood"][row["asset_id"]]
        for row in rows
        if row["asset_id"] in enough
    }
    names = await load_names(session, stood.values(), params["day"], params["known"])
    sites = {}
    for asset, found in stood.items():
        told = [unit for unit in found.unit_ids if seen is None or unit in seen]
        sites[asset] = _Site(found.days, names.get(told[0]) if told else None)
    return [{**row, "site": sites.get(row["asset_id"])} for row in rows]


def _excludes(absent: Absent, long_days: int) -> bool:
    """Whether an absence leaves the person out: short leave and study do not."""
    is_short = absent.until is not None and (absent.until - absent.since).days <= long_days
    return absent.reason not in ("leave", "study") or not is_short


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
        absences=row["absences"],
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
        return _contradicted(row)
    if state == "silent":
        return _silent(row)
    if row["no_agent_reason"] is not None:
        # No agent will ever tell: a person has to go and look.
        return (
            Both(
                f"máy {asset} không được cài tác tử và chưa kiểm đếm trong năm qua",
                f"{asset} may carry no agent, and nobody counted it within the year",
            ),
            f"kiemke asset count {asset} --result seen --day … --by …",
        )
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
    told = [_absence(absent) for absent in row["absences"]] or [Both("không tính", "not counted")]
    return Both("; ".join(one.vi for one in told), "; ".join(one.en for one in told))


def _absence(absent: Absent) -> Both:
    reason = _ABSENCES.get(absent.reason, Both(absent.reason, absent.reason))
    paper = f" ({absent.instrument})" if absent.instrument else ""
    return Both(reason.vi + paper, reason.en + paper)


def _no_pc(row: Row) -> Both:
    if row["has_shared"]:
        return Both("chỉ dùng chung máy", "shares a PC only")
    return Both("sổ không ghi máy nào do người này giữ", "the book gives this person no PC")


def _contradicted(row: Row) -> tuple[Both, str]:
    asset, days = row["asset_code"], row["foreign_days"]
    show = f"kiemke asset show {asset}"
    if row["count_result"] == "missing":
        day = _day(row["count_day"])
        return Both(
            f"kiểm kê ngày {day:%d/%m/%Y} không thấy {asset}",
            f"{asset} was missing at the count of {day}",
        ), show
    if row["site"] is not None:
        return _elsewhere(row, row["site"])
    return Both(
        f"{days} ngày làm việc {asset} do tài khoản của người khác dùng",
        f"{asset} was under another official's account on {days} working days",
    ), show


def _elsewhere(row: Row, site: _Site) -> tuple[Both, str]:
    """Say where the PC stood on which days; if it went there for good, the book has to follow."""
    asset, unit = row["asset_code"], site.unit
    vi = ", ".join(f"{day:%d/%m}" for day in site.days)
    en = ", ".join(day.isoformat() for day in site.days)
    where = Both("trụ sở của đơn vị khác", "another unit's site")
    next_command = f"kiemke machine show {row['machine_id']}"
    if unit is not None:
        where = Both(f"trụ sở {unit[1]} ({unit[0]})", f"the site of {unit[1]} ({unit[0]})")
        next_command = (
            f"kiemke asset handover {asset} --from official:{row['official_code']}"
            f" --to unit:{unit[0]} --day … --paper …"
        )
    return Both(
        f"{asset} ở {where.vi} {len(site.days)} ngày làm việc: {vi}",
        f"{asset} stood at {where.en} on {len(site.days)} working days: {en}",
    ), next_command


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
