"""Written handovers: which minutes are signed by both sides, and which still wait."""

import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.errors import UP_TO_TODAY, Both, Problem
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.tree import UnitRef, load_refs, now_of, visible_units

NOUN = Both("biên bản bàn giao", "handover")

LISTING = Listing(
    columns="h.id, h.giver_unit_id, h.receiver_unit_id, h.day, h.instrument, h.assets_json,"
    " h.recorded_at_ms, h.recorded_by, h.signed_on, g.name AS giver, r.name AS receiver",
    tables="handover h LEFT JOIN official g ON g.id = h.giver_official_id"
    " LEFT JOIN official r ON r.id = h.receiver_official_id",
    where=(
        "h.recorded_at_ms <= :known AND h.day <= :day",
        "(h.voided_at_ms IS NULL OR h.voided_at_ms > :known)",
        "(CAST(:unsigned AS INTEGER) = 0 OR h.signed_on IS NULL)",
    ),
    key="h.id",
    id="h.id",
    in_units="h.giver_unit_id IN :[units] AND h.receiver_unit_id IN :[units]",
    search=("h.instrument", "g.search_key", "r.search_key", "h.assets_json"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class Written:
    """A handover; ``signed_on`` is null while its minutes wait for signatures."""

    id: int
    day: str | None
    instrument: str
    giver_unit: UnitRef | None
    giver: str | None
    receiver_unit: UnitRef | None
    receiver: str | None
    assets: list[str]
    recorded_at: str | None
    recorded_by: str
    signed_on: str | None


class SignedInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The day on which both sides had signed."""

    day: date


def _make(row: Row, refs: dict[int, UnitRef]) -> Written:
    return Written(
        row["id"],
        day_text(row["day"]),
        row["instrument"],
        refs.get(row["giver_unit_id"]),
        row["giver"],
        refs.get(row["receiver_unit_id"]),
        row["receiver"],
        json.loads(row["assets_json"]),
        rfc3339(row["recorded_at_ms"]),
        row["recorded_by"],
        day_text(row["signed_on"]),
    )


@get("/api/v1/handovers", opt={"role": "auditor"}, tags=["assets"])
async def list_handovers(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    unsigned: Annotated[bool, QueryParameter(description="only those that wait")] = False,
) -> Page[Written]:
    """List written handovers, newest first."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked, unsigned=1 if unsigned else 0)
    refs = await load_refs(services, asked.moment)
    return Page([_make(row, refs) for row in rows], total, cursor)


@post("/api/v1/handovers/{ref:str}/signed", status_code=200, opt={"role": "it"}, tags=["assets"])
async def sign_handover(
    request: AppRequest, ref: FromPath[str], data: JSONBody[SignedInput]
) -> Written:
    """Say since when the minutes of a handover are signed by both sides; said again, the day is corrected."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=(), moment=moment, units=units, unsigned=0
    )
    if data.day > services.today():
        raise Problem("bad_field", field="day", value=str(data.day), wanted=UP_TO_TODAY)
    async with services.db.change() as session:
        await session.execute(
            "UPDATE handover SET signed_on = :day, signed_recorded_by = :who WHERE id = :id",
            day=data.day,
            who=request.user.name,
            id=row["id"],
        )
        await record(
            session, at_ms=services.clock(), who=request.user.name, act="handover.signed",
            subject=f"handover:{row['id']}", before={"day": day_text(row["signed_on"])},
            after={"day": data.day}, paper=row["instrument"],
        )  # fmt: skip
    return _make({**row, "signed_on": data.day}, await load_refs(services, moment))


HANDLERS = (list_handovers, sign_handover)
