"""Counts of assets: a person stood before a thing, or did not find it, on a day, by a paper.

One count stands for an asset and a day: another result for the same day voids the first and adds
itself; the same result again changes nothing. Counts made in a stock-take are its own (see
``stock_take_findings``): they cover and contradict like all others, and are not touched here. A count is an observation by a person: it covers a PC
that may carry no agent, and one that says "missing" contradicts the book whatever an agent reports.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text_labels import Words
from kiemke.server.models.book import PC_KINDS

NEW, CHANGED, SAME = "new", "changed", "same"


class CannotCount(Refused):
    """The count contradicts the ledger; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Counting:
    """What is recorded: ``results`` by asset code ("seen" | "missing"), when, by whom, which paper."""

    results: Mapping[str, str]
    day: date
    counted_by: str | None
    instrument: str | None


@dataclass(frozen=True, slots=True)
class Counted:
    """One asset's count and what it does: "new", "changed" or "same".

    ``before_*`` is the newest count up to the day as it stood, None where there was none.
    ``covers`` is whether this count can cover a person: a PC that may carry no agent, seen.
    """

    asset_id: int
    code: str
    name: str
    kind: str
    no_agent_reason: str | None
    result: str
    outcome: str
    before_result: str | None
    before_day: date | None
    same_day_ids: tuple[int, ...]

    @property
    def covers(self) -> bool:
        """Whether this count alone covers the person who holds the PC."""
        reason = self.no_agent_reason
        is_pc = self.kind in PC_KINDS and reason is not None and reason != "secret"
        return self.result == "seen" and is_pc


_ASSETS = dated("""
SELECT a.id, a.code, a.name, a.kind, a.no_agent_reason,
  (SELECT MIN(b.valid_from) FROM custody b WHERE b.asset_id = a.id AND b.voided_at_ms IS NULL) AS booked,
  (SELECT MAX(s.status) FROM asset_status s WHERE s.asset_id = a.id AND {active s}) AS status
FROM asset a
WHERE a.code IN :[codes.text] AND (CAST(:all_units AS INTEGER) = 1 OR EXISTS (
  SELECT 1 FROM custody c WHERE c.asset_id = a.id AND c.unit_id IN :[units] AND {active c}))
ORDER BY a.code
""")
_COUNTS = """
SELECT id, asset_id, result, valid_from FROM counted_asset
WHERE asset_id IN :[ids] AND valid_from <= :day AND voided_at_ms IS NULL AND stock_take_id IS NULL
ORDER BY valid_from, recorded_at_ms, id
"""


async def plan(
    session: Session, asked: Counting, today: date, units: Sequence[int] | None, known_ms: int
) -> list[Counted]:
    """Return what recording would do, by code. ``units`` are those whose assets may be counted now.

    Raises CannotCount for an unknown code, one held elsewhere, a thing disposed of by that day, or one
    that was on no book yet.
    """
    rows = await session.fetch(
        _ASSETS,
        codes=sorted(asked.results),
        units=list(units or []),
        all_units=1 if units is None else 0,
        day=today,
        known=known_ms,
    )
    missing = sorted(set(asked.results) - {row["code"] for row in rows})
    if missing:
        raise CannotCount(
            Words(f"Không có tài sản mã {', '.join(missing)}.", f"No asset {', '.join(missing)}."),
            Words(
                "Kiểm tra mã; tài sản phải thuộc đơn vị của bạn.",
                "Check the codes; the assets must be of your units.",
            ),
        )
    gone = [row["code"] for row in rows if row["status"] == "disposed"]
    if gone:
        raise CannotCount(
            Words(f"Đã thanh lý: {', '.join(gone)}.", f"Disposed of: {', '.join(gone)}."),
            Words(
                "Bỏ mã đó, hoặc sửa tình trạng trước.",
                "Leave it out, or correct its condition first.",
            ),
        )
    _demand_booked(rows, asked.day)
    counts: dict[int, list[Row]] = {}
    for row in await session.fetch(_COUNTS, ids=[row["id"] for row in rows], day=asked.day):
        counts.setdefault(row["asset_id"], []).append(row)
    return [_judge(row, asked, counts.get(row["id"], [])) for row in rows]


def _demand_booked(rows: Sequence[Row], day: date) -> None:
    """Raise CannotCount for things that were on nobody's book yet on the day."""
    since = {row["code"]: as_date(row["booked"]) for row in rows if row["booked"] is not None}
    early = {code: booked for code, booked in since.items() if day < booked}
    if not early:
        return
    vi = ", ".join(f"{code} (từ {booked:%d/%m/%Y})" for code, booked in early.items())
    en = ", ".join(f"{code} (since {booked})" for code, booked in early.items())
    raise CannotCount(
        Words(
            f"Ngày {day:%d/%m/%Y} chưa có trên sổ: {vi}.", f"Not on the book yet on {day}: {en}."
        ),
        Words(
            "Sửa ngày kiểm, hoặc sửa ngày ghi sổ của tài sản trước.",
            "Correct the day of the count, or first since when the asset is on the book.",
        ),
    )


def _judge(row: Row, asked: Counting, counts: list[Row]) -> Counted:
    result = asked.results[row["code"]]
    last = counts[-1] if counts else None
    same_day = [count for count in counts if as_date(count["valid_from"]) == asked.day]
    outcome = NEW
    if same_day:
        outcome = SAME if same_day[-1]["result"] == result else CHANGED
    return Counted(
        row["id"],
        row["code"],
        row["name"],
        row["kind"],
        row["no_agent_reason"],
        result,
        outcome,
        None if last is None else last["result"],
        None if last is None else as_date(last["valid_from"]),
        tuple(count["id"] for count in same_day),
    )


async def write(
    session: Session, asked: Counting, counted: Sequence[Counted], *, who: str, now_ms: int
) -> None:
    """Write the counts that are new or changed, in the caller's transaction."""
    await session.many(
        "UPDATE counted_asset SET voided_at_ms = :now, voided_by = :who WHERE id = :id",
        [
            {"now": now_ms, "who": who, "id": id_}
            for each in counted
            if each.outcome == CHANGED
            for id_ in each.same_day_ids
        ],
    )
    rows: list[dict[str, Any]] = [
        {
            "asset": each.asset_id,
            "result": each.result,
            "day": asked.day,
            "next_day": asked.day + timedelta(days=1),
            "counted_by": asked.counted_by,
            "instrument": asked.instrument,
            "now": now_ms,
            "who": who,
        }
        for each in counted
        if each.outcome != SAME
    ]
    await session.many(
        "INSERT INTO counted_asset (asset_id, result, valid_from, valid_to, counted_by, instrument,"
        " recorded_at_ms, recorded_by)"
        " VALUES (:asset, :result, :day, :next_day, :counted_by, :instrument, :now, :who)",
        rows,
    )
