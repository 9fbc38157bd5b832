"""What a watched device was called, what it was and whose, by date: its versions, by a paper or without.

A device's own columns are those of today, kept beside for who polls it. How it is polled (address,
port, secrets, collector) has no date: each change of that stands in the audit log.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.dated_table import DatedTable, Rows, Stamp
from kiemke.server.domain.dates_timeline import Span
from kiemke.server.domain.refusal import refused
from kiemke.server.domain.reorganise_rows import reopen
from kiemke.server.domain.text import search_key
from kiemke.server.models.network import DEVICE_KINDS

SAID = ("code", "name", "kind", "unit_id", "asset_id")
VERSIONS = DatedTable("device_version", "device_id", (*SAID, "search_key"))

_NEWEST = """
SELECT * FROM device_version WHERE voided_at_ms IS NULL AND device_id IN :[ids]
ORDER BY CASE WHEN valid_from <= :today THEN 1 ELSE 0 END, valid_from, id
"""
_REFRESH = """
UPDATE device SET code = :code, name = :name, search_key = :search_key, kind = :kind,
  unit_id = :unit_id, asset_id = CAST(:asset_id AS BIGINT),
  retired_at_ms = CASE WHEN :stands = 1 THEN NULL ELSE COALESCE(retired_at_ms, :now) END
WHERE id = :id
"""
_TWICE = """
SELECT w.code FROM device_version w JOIN device_version o ON o.code = w.code
  AND o.device_id <> w.device_id AND o.voided_at_ms IS NULL
  AND (w.valid_to IS NULL OR o.valid_from < w.valid_to)
  AND (o.valid_to IS NULL OR w.valid_from < o.valid_to)
WHERE w.device_id IN :[ids] AND w.voided_at_ms IS NULL ORDER BY w.code LIMIT 1
"""
_RENAMED = "UPDATE finding SET subject = :new WHERE subject = :old AND closed_at_ms IS NULL"
_NO_MORE = """
UPDATE finding SET closed_at_ms = :now, updated_at_ms = :now
WHERE subject = :subject AND closed_at_ms IS NULL
"""
_LINES = """
SELECT DISTINCT l.code FROM link_version t JOIN link l ON l.id = t.link_id
WHERE t.device_id = :id AND t.voided_at_ms IS NULL AND (t.valid_to IS NULL OR t.valid_to > :day)
ORDER BY l.code
"""


@dataclass(frozen=True, slots=True)
class Saying:
    """What is to be so of a device from ``day`` on: ``changes`` of SAID, by which paper, if any.

    ``correction`` says the version in force on the day again over its whole span instead.
    """

    day: date
    instrument: str | None
    changes: Mapping[str, Any]
    correction: bool = False


def values_of(fields: Mapping[str, Any]) -> frozenset[tuple[Any, ...]]:
    """Return the value of a version's span: SAID and the key it is searched by."""
    return frozenset([(*(fields[name] for name in SAID), search_key(fields["name"]))])


def fields_of(span: Span[frozenset[tuple[Any, ...]]] | None) -> dict[str, Any] | None:
    """Return SAID as a span has it, None without one."""
    if span is None:
        return None
    return dict(zip(VERSIONS.columns, next(iter(span.value)), strict=True))


def standing(timeline: Rows, day: date) -> dict[str, Any] | None:
    """Return what a device was on the day; before its first version that one, after its end the last."""
    later = next((span for span in timeline.spans if span.valid_from > day), None)
    found = timeline.at(day) or later or timeline.last()
    return fields_of(found)


async def say(
    session: Session, device_id: int, saying: Saying, stamp: Stamp, today: date
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Write what a device is from a day on; return SAID before (None: it did not stand) and after.

    Raises Refused; then nothing may be committed.
    """
    kind = saying.changes.get("kind")
    if kind is not None and kind not in DEVICE_KINDS:
        raise refused(
            f"Không có loại thiết bị {kind}.",
            f"There is no kind of device {kind}.",
            f"Dùng một trong: {', '.join(DEVICE_KINDS)}.",
            f"Use one of: {', '.join(DEVICE_KINDS)}.",
        )
    times = await VERSIONS.load(session, [device_id])
    timeline = times[device_id]
    held = timeline.at(saying.day)
    before, base = fields_of(held), standing(timeline, saying.day)
    if base is None:
        raise AssertionError("a device has a version from its first day on")
    day = held.valid_from if saying.correction and held is not None else saying.day
    after = {**base, **saying.changes}
    if not timeline.put(day, values_of(after), saying.instrument):
        raise refused(
            "Vào ngày đó thiết bị đã như vậy.",
            "The device is so on that day already.",
            "Kiểm tra ngày và nội dung thay đổi.",
            "Check the day and what is to change.",
        )
    await VERSIONS.store(session, times, {}, stamp)
    was = await session.one("SELECT code FROM device WHERE id = :id", id=device_id)
    await refresh(session, [device_id], today, stamp.now_ms)
    becomes = await session.one("SELECT code FROM device WHERE id = :id", id=device_id)
    if was and becomes and was["code"] != becomes["code"]:
        await session.execute(
            _RENAMED, old=f"device:{was['code']}", new=f"device:{becomes['code']}"
        )
    return before, after


async def retire(
    session: Session, device_id: int, day: date, instrument: str | None, stamp: Stamp, today: date
) -> dict[str, Any]:
    """End a device on the day, with its match and the hardware behind it; return SAID before.

    Raises Refused where it does not stand on the day or carries a line.
    """
    times = await VERSIONS.load(session, [device_id])
    before = fields_of(times[device_id].at(day))
    if before is None:
        raise refused(
            "Ngày đó thiết bị không có trên sổ.",
            "The device does not stand on that day.",
            "Xem kiemke thiet-bi lich-su.",
            "See kiemke device history.",
        )
    lines = [row["code"] for row in await session.fetch(_LINES, id=device_id, day=day)]
    if lines:
        shown = ", ".join(lines[:5])
        raise refused(
            f"Thiết bị còn mang đường truyền: {shown}.",
            f"The device still carries lines: {shown}.",
            "Ghi thiết bị khác cho các đường truyền đó trước.",
            "Name another device for those lines first.",
        )
    for table in ("device_version", "device_match", "device_hardware"):
        rows = await session.fetch(
            f"SELECT * FROM {table} WHERE device_id = :id AND voided_at_ms IS NULL"  # noqa: S608  # a name above
            " AND (valid_to IS NULL OR valid_to > :day)",
            id=device_id,
            day=day,
        )
        for row in rows:
            await reopen(
                session, table, row, day, None,
                instrument=instrument or "", who=stamp.who, now_ms=stamp.now_ms,
            )  # fmt: skip
    await refresh(session, [device_id], today, stamp.now_ms)
    await session.execute(_NO_MORE, subject=f"device:{before['code']}", now=stamp.now_ms)
    return before


async def refresh(session: Session, device_ids: Iterable[int], today: date, now_ms: int) -> None:
    """Set devices' own columns to their version of today (else their last one). Raises Refused.

    Refused is a code that two devices would have on one day.
    """
    ids = sorted(set(device_ids))
    twice = await session.one(_TWICE, ids=ids)
    if twice is not None:
        raise refused(
            f"Mã {twice['code']} trùng với một thiết bị khác cùng thời gian.",
            f"The code {twice['code']} is another device's at the same time.",
            "Dùng mã khác.",
            "Use another code.",
        )
    newest = {row["device_id"]: row for row in await session.fetch(_NEWEST, ids=ids, today=today)}
    await session.many(
        _REFRESH,
        [
            {
                **{name: row[name] for name in VERSIONS.columns},
                "stands": int(row["valid_to"] is None or str(row["valid_to"]) > str(today)),
                "now": now_ms,
                "id": id_,
            }
            for id_, row in newest.items()
        ],
    )
