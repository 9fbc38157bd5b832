"""What the papers say of one asset, changed by a paper: its condition, its price, whose it is.

Rows are never edited: what no longer holds from the day is voided and said again up to it. What was
said of an asset before its first change is what stands in its own columns, since ever.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.dated_table import DatedTable, Rows, Stamp
from kiemke.server.domain.dates_timeline import Span, Timeline
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words

STATUSES = DatedTable("asset_status", "asset_id", ("status",))
FACTS = DatedTable(
    "asset_fact",
    "asset_id",
    (
        "price_dong",
        "in_use_since",
        "ownership",
        "owner_name",
        "return_on",
        "name",
        "tag",
        "kind",
        "no_agent_reason",
    ),
)
# What both the asset's own row and its dated facts hold.
BOTH = ("price_dong", "in_use_since", "ownership", "name", "tag", "kind", "no_agent_reason")
SINCE_EVER = date(1900, 1, 1)
GONE = ("disposed", "lost")


class CannotSay(Refused):
    """The statement contradicts the book; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a paper says of an asset from a day on; ``instrument`` None where a file names none."""

    day: date
    instrument: str | None


async def put_status(
    session: Session, asset: Row, status: str, said: Statement, stamp: Stamp, *, apply: bool
) -> str | None:
    """State an asset's condition from a day on; return the one before. Raises CannotSay.

    Without ``apply`` nothing is written. Only what awaits disposal is disposed of: its paper comes before the disposal's. Who may say so
    is asked where the request came in.
    """
    times = await STATUSES.load(session, [asset["id"]])
    timeline = times[asset["id"]]
    span = timeline.at(said.day)
    before = None if span is None else str(next(iter(span.value))[0])
    if before == status:
        raise CannotSay(
            Words(
                f"Tài sản {asset['code']} vào ngày đó đã ở tình trạng {status}.",
                f"Asset {asset['code']} is {status} on that day already.",
            ),
            Words("Kiểm tra ngày và tình trạng.", "Check the day and the condition."),
        )
    if status == "disposed" and before != "awaiting_disposal":
        raise CannotSay(
            Words(
                f"Tài sản {asset['code']} chưa ở tình trạng chờ thanh lý.",
                f"Asset {asset['code']} does not await disposal.",
            ),
            Words(
                "Ghi awaiting_disposal với quyết định của nó trước.",
                "Record awaiting_disposal with its decision first.",
            ),
        )
    if apply:
        timeline.put(said.day, frozenset({(status,)}), said.instrument)
        await STATUSES.store(session, times, {}, stamp)
    return before


def _native(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts in a row as values: days are dates whichever database they came from."""
    values: dict[str, Any] = {name: row.get(name) for name in FACTS.columns}
    for name in ("in_use_since", "return_on"):
        if values[name] is not None:
            values[name] = as_date(values[name])
    return values


async def put_facts(
    session: Session,
    asset: Row,
    changes: Mapping[str, Any],
    said: Statement,
    stamp: Stamp,
    *,
    apply: bool,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """State facts of an asset (see FACTS) from a day on; return those before and after.

    ``asset`` is its row of the table. Its own columns follow what is said last of all. Without
    ``apply`` nothing is written.
    """
    timeline = await _facts_of(session, asset, write=apply)
    before, after = say_facts(timeline, asset, changes, said)
    if not apply or after == before:
        return before, after
    await FACTS.store(session, {asset["id"]: timeline}, {}, stamp)
    newest = newest_facts(timeline)
    words = (newest["name"], asset["manufacturer"], asset["model"])
    await session.execute(
        "UPDATE asset SET price_dong = :price_dong, in_use_since = :in_use_since,"
        " ownership = :ownership, name = :name, tag = :tag, kind = :kind,"
        " no_agent_reason = :no_agent_reason, search_key = :search_key WHERE id = :id",
        id=asset["id"],
        search_key=search_key(" ".join(word for word in words if word)),
        **newest,
    )
    return before, after


def say_facts(
    timeline: Rows, asset: Mapping[str, Any], changes: Mapping[str, Any], said: Statement
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Put what is said onto an asset's facts; return those before and after on the day."""
    span = timeline.at(said.day)
    if span is None:
        before = _native(asset)
    else:
        before = _native(dict(zip(FACTS.columns, next(iter(span.value)), strict=True)))
    after = {**before, **changes}
    if after != before:
        value = tuple(after[name] for name in FACTS.columns)
        timeline.put(said.day, frozenset({value}), said.instrument)
    return before, after


def newest_facts(timeline: Rows) -> dict[str, Any]:
    """Return what the asset's own columns follow: what is said last of all."""
    last = timeline.last()
    if last is None:
        return {}
    newest = _native(dict(zip(FACTS.columns, next(iter(last.value)), strict=True)))
    return {name: newest[name] for name in BOTH}


def first_facts(asset: Mapping[str, Any], row_id: int) -> tuple[dict[str, Any], Rows]:
    """Return the row of an asset's first facts, its own columns since ever, and their timeline."""
    native = _native(asset)
    row = {
        "id": row_id,
        "asset_id": asset["id"],
        **{name: native[name] for name in BOTH},
        "valid_from": SINCE_EVER,
        "recorded_at_ms": asset["created_at_ms"],
    }
    value = tuple(native[name] if name in BOTH else None for name in FACTS.columns)
    span = Span(SINCE_EVER, None, frozenset({value}), None, frozenset({row_id}))
    return row, Timeline([span])


async def _facts_of(session: Session, asset: Row, *, write: bool) -> Rows:
    """Return what was said of an asset; its first row is written from its own columns."""
    times = await FACTS.load(session, [asset["id"]])
    if write and times[asset["id"]].is_new:
        await session.execute(
            f"INSERT INTO asset_fact (asset_id, {', '.join(BOTH)}, valid_from, recorded_at_ms)"  # noqa: S608  # names above
            f" VALUES (:id, {', '.join(f':{name}' for name in BOTH)}, :since, :at)",
            id=asset["id"],
            since=SINCE_EVER,
            at=asset["created_at_ms"],
            **{name: _native(asset)[name] for name in BOTH},
        )
        times = await FACTS.load(session, [asset["id"]])
    return times[asset["id"]]


async def rename(session: Session, asset_id: int, names: Mapping[str, Any]) -> None:
    """Set what an asset is known by: code, serial number, MAC. They have no date."""
    if names:
        pairs = ", ".join(f"{name} = :{name}" for name in names)
        await session.execute(
            f"UPDATE asset SET {pairs} WHERE id = :asset_id",  # noqa: S608  # columns named by the caller
            asset_id=asset_id,
            **names,
        )
