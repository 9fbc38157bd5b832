"""An asset's history: custody, condition and facts, each with its paper."""

from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row
from kiemke.server.domain.asset_history import load_history
from kiemke.server.resources.assets import LISTING, NOUN
from kiemke.server.resources.listing import day_text, fetch_one, written_of
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, visible_units

_FACTS = ("name", "tag", "kind", "price_dong", "ownership", "owner_name", "no_agent_reason")


@dataclass(frozen=True, slots=True)
class AssetSpan:
    """A dated row: what it says, since when, until when, by which paper, who wrote it, if it stands."""

    says: dict[str, Any]
    valid_from: str | None
    valid_to: str | None
    instrument: str | None
    recorded_by: str | None
    recorded_at: str | None
    voided: bool


@dataclass(frozen=True, slots=True)
class AssetHistoryOutput:
    """Who answered for an asset, its conditions and what papers said of it; voided rows were said so once."""

    code: str
    custodies: list[AssetSpan]
    statuses: list[AssetSpan]
    facts: list[AssetSpan]


@get("/api/v1/assets/{ref:str}/history", opt={"role": "auditor"}, tags=["assets"])
async def get_asset_history(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> AssetHistoryOutput:
    """Return all that papers said of an asset, as far as it was of units within sight."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=("a.code", "a.tag"), moment=moment, units=units
    )
    seen = None if units is None else set(units)
    async with services.db.reading() as session:
        found = await load_history(session, row["id"], moment.day, moment.known_ms, seen)
    refs = await load_refs(services, moment)
    known = moment.known_ms
    return AssetHistoryOutput(
        row["code"],
        [_span(each, _custody(each, refs), known) for each in found.custodies],
        [_span(each, {"status": each["status"]}, known) for each in found.statuses],
        [_span(each, _fact(each), known) for each in found.facts],
    )


def _custody(row: Row, refs: dict[int, UnitRef]) -> dict[str, Any]:
    unit = refs.get(row["unit_id"])
    person = {"code": row["official_code"], "name": row["official_name"]}
    return {
        "unit": None if unit is None else {"code": unit.code, "name": unit.name},
        "official": person if row["official_code"] else None,
        "place": row["place_name"],
    }


def _fact(row: Row) -> dict[str, Any]:
    days = {name: day_text(row[name]) for name in ("in_use_since", "return_on")}
    return {name: row[name] for name in _FACTS} | days


def _span(row: Row, says: dict[str, Any], known_ms: int) -> AssetSpan:
    return AssetSpan(
        says,
        *written_of(row, known_ms),
    )


HANDLERS = (get_asset_history,)
