"""Counts of assets by a person: recorded with day, person and paper, and listed."""

from dataclasses import dataclass
from datetime import date

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from kiemke.server.approval_kinds import refused
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Session
from kiemke.server.domain.counts import SAME, CannotCount, Counted, Counting, plan, write
from kiemke.server.domain.names_then import ASSET_NAME
from kiemke.server.errors import UP_TO_TODAY, Both, Problem
from kiemke.server.models.book import COUNT_RESULTS
from kiemke.server.resources.assets import AssetRef
from kiemke.server.resources.listing import Listing, ListQuery, Page, day_text, fetch_page
from kiemke.server.resources.tree import Moment, visible_units
from kiemke.wire.clean import clean_text

MOST_ITEMS = 2_000

LISTING = Listing(
    columns=f"n.id, a.code, {ASSET_NAME} AS name, n.result, n.valid_from, n.counted_by, n.instrument,"
    " n.recorded_at_ms, n.recorded_by",
    tables="counted_asset n JOIN asset a ON a.id = n.asset_id",
    where=(
        "n.valid_from <= :day",
        "n.recorded_at_ms <= :known",
        "(n.voided_at_ms IS NULL OR n.voided_at_ms > :known)",
    ),
    key="n.id",
    id="n.id",
    in_units="a.id IN (SELECT c.asset_id FROM custody c WHERE {active c} AND c.unit_id IN :[units])",
    search=("a.search_key", "a.code", "a.tag"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class CountItem:
    """One asset's code and what was found: "seen" or "missing"."""

    asset: str
    result: str


@dataclass(frozen=True, slots=True)
class CountInput:
    """Which assets were counted, on which day, by whom, by which paper."""

    items: list[CountItem]
    day: date
    counted_by: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class CountOutput:
    """One count: ``outcome`` is new, changed or same; ``covers`` a person without an agent."""

    asset: AssetRef
    kind: str
    result: str
    outcome: str
    before_result: str | None
    before_day: str | None
    covers: bool


@dataclass(frozen=True, slots=True)
class CountsOutput:
    """What the counts do, and whether they were written."""

    day: str
    items: list[CountOutput]
    applied: bool


@dataclass(frozen=True, slots=True)
class RecordedCount:
    """A count as it stands in the ledger."""

    asset: AssetRef
    result: str
    day: str | None
    counted_by: str | None
    instrument: str | None
    recorded_at: str | None
    recorded_by: str | None


def _read(data: CountInput, today: date) -> Counting:
    """Return what was sent, cleaned. Raises Problem 400."""
    if not data.items or len(data.items) > MOST_ITEMS:
        raise Problem("bad_field", field="items", value=len(data.items), wanted=f"1 – {MOST_ITEMS}")
    for item in data.items:
        if item.result not in COUNT_RESULTS:
            choices = " | ".join(COUNT_RESULTS)
            raise Problem("bad_field", field="result", value=item.result[:40], wanted=choices)
    if data.day > today:
        raise Problem("bad_field", field="day", value=str(data.day), wanted=UP_TO_TODAY)
    counted_by = clean_text(data.counted_by, 200)
    if not counted_by:
        wanted = Both("tên người kiểm", "the counter's name")
        raise Problem("bad_field", field="counted_by", value="", wanted=wanted)
    results: dict[str, str] = {}
    for item in data.items:
        if results.setdefault(item.asset, item.result) != item.result:
            one = Both("một kết quả cho mỗi tài sản", "one result an asset")
            raise Problem("bad_field", field="items", value=item.asset[:60], wanted=one)
    instrument = clean_text(data.instrument, 200) if data.instrument else None
    return Counting(results, data.day, counted_by, instrument or None)


async def _write(
    session: Session, asked: Counting, counted: list[Counted], who: str, now_ms: int
) -> None:
    await write(session, asked, counted, who=who, now_ms=now_ms)
    for each in counted:
        if each.outcome == SAME:
            continue
        before = None
        if each.before_result is not None:
            before = {"result": each.before_result, "day": each.before_day}
        await record(
            session,
            at_ms=now_ms,
            who=who,
            act="asset.count",
            subject=f"asset:{each.asset_id}",
            before=before,
            after={"result": each.result, "day": asked.day, "counted_by": asked.counted_by},
            paper=asked.instrument,
        )


@post("/api/v1/counts", status_code=200, opt={"role": "it"}, tags=["assets"])
async def add_counts(
    request: AppRequest, data: JSONBody[CountInput], apply: FromQuery[bool] = False
) -> CountsOutput:
    """Say what a count of assets does; with ``apply``, write it: all of it or nothing."""
    services = services_of(request)
    asked = _read(data, services.today())
    now_ms = services.clock()
    units = await visible_units(services, request.user, Moment(services.today(), now_ms), None)
    try:
        async with services.db.change() as session:
            counted = await plan(session, asked, services.today(), units, now_ms)
            if apply:
                await _write(session, asked, counted, request.user.name, now_ms)
    except CannotCount as error:
        raise refused(error) from error
    items = [
        CountOutput(
            AssetRef(each.code, each.name),
            each.kind,
            each.result,
            each.outcome,
            each.before_result,
            day_text(each.before_day),
            each.covers,
        )
        for each in counted
    ]
    return CountsOutput(asked.day.isoformat(), items, apply)


@get("/api/v1/counts", opt={"role": "auditor"}, tags=["assets"])
async def list_counts(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[RecordedCount]:
    """List counts, the last recorded first."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    items = [
        RecordedCount(
            AssetRef(row["code"], row["name"]),
            row["result"],
            day_text(row["valid_from"]),
            row["counted_by"],
            row["instrument"],
            rfc3339(row["recorded_at_ms"]),
            row["recorded_by"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (add_counts, list_counts)
