"""Places of units on a day: one-stop desks, meeting rooms, server rooms, stores."""

from dataclasses import dataclass
from datetime import date

import msgspec
from litestar import get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.db import Row
from kiemke.server.domain.places import PlaceState, change, check, create
from kiemke.server.errors import Both
from kiemke.server.resources.acts import allowed_now, paper_of, told, unit_on
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, visible_units
from kiemke.wire.clean import clean_text

NOUN = Both("nơi", "place")

LISTING = Listing(
    columns="p.place_id AS id, p.id AS version_id, p.code, p.name, p.kind, p.unit_id,"
    " p.valid_from, p.valid_to, p.instrument, v.code AS unit_code, v.name AS unit_name",
    tables="place_version p LEFT JOIN unit_version v ON v.unit_id = p.unit_id AND {active v}",
    where=("{active p}",),
    key="p.sort_key",
    id="p.place_id",
    in_units="p.unit_id IN :[units]",
    search=("p.search_key", "p.code"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A place on the day asked about; ``valid_from`` and ``valid_to`` of this name and unit."""

    id: int
    code: str
    name: str
    kind: str
    unit: UnitRef | None
    valid_from: str | None
    valid_to: str | None
    instrument: str | None


class PlaceInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A place to make from a day on, by a paper; ``unit`` is a code."""

    code: str
    name: str
    kind: str
    unit: str
    day: date
    instrument: str


class PlaceChange(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What becomes of a place on a day, by a paper: other words, another unit, or its end."""

    day: date
    instrument: str
    code: str | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    kind: str | msgspec.UnsetType = msgspec.UNSET
    unit: str | msgspec.UnsetType = msgspec.UNSET
    end: bool = False


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """What a place is, as an answer to a change says it."""

    code: str
    name: str
    kind: str
    unit: UnitRef | None


@dataclass(frozen=True, slots=True)
class PlaceAct:
    """A place before and after a change (None: not there), and whether it was written."""

    before: PlaceWords | None
    after: PlaceWords | None
    applied: bool


def _make(row: Row) -> Place:
    return Place(
        row["id"],
        row["code"],
        row["name"],
        row["kind"],
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        day_text(row["valid_from"]),
        day_text(row["valid_to"]),
        row["instrument"],
    )


@get("/api/v1/places", opt={"role": "viewer"}, tags=["places"])
async def list_places(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Place]:
    """List places in alphabetical order."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


@get("/api/v1/places/{ref:str}", opt={"role": "viewer"}, tags=["places"])
async def get_place(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Place:
    """Return one place by code or id."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    return _make(
        await fetch_one(
            services, LISTING, noun=NOUN, ref=ref, names=("p.code",), moment=moment, units=units
        )
    )


async def _told(request: AppRequest, state: PlaceState | None, day: date) -> PlaceWords | None:
    if state is None:
        return None
    services = services_of(request)
    refs = await load_refs(services, Moment(day, services.clock()))
    return PlaceWords(state.code, state.name, state.kind, refs.get(state.unit_id))


@post("/api/v1/places", status_code=200, opt={"role": "it"}, tags=["places"])
async def create_place(
    request: AppRequest, data: JSONBody[PlaceInput], apply: FromQuery[bool] = False
) -> PlaceAct:
    """Say what place would be made; with ``apply``, make it."""
    services = services_of(request)
    paper = paper_of(request, data.day, data.instrument)
    state = PlaceState(
        clean_text(data.code, 40),
        clean_text(data.name, 200),
        data.kind,
        await unit_on(request, data.unit, data.day),
    )
    with told():
        async with services.db.change() as session:
            await check(session, state, data.day, None)
            if apply:
                now, who = services.clock(), request.user.name
                await create(session, state, data.day, instrument=paper, who=who, now_ms=now)
                await record(
                    session, at_ms=now, who=who, act="place.create", subject=f"place:{state.code}",
                    after={**_plain(state), "day": data.day}, paper=paper,
                )  # fmt: skip
    return PlaceAct(None, await _told(request, state, data.day), apply)


@patch("/api/v1/places/{ref:str}", opt={"role": "it"}, tags=["places"])
async def change_place(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[PlaceChange],
    apply: FromQuery[bool] = False,
) -> PlaceAct:
    """Say what would become of a place on a day; with ``apply``, write it."""
    services = services_of(request)
    paper = paper_of(request, data.day, data.instrument)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=("p.code",),
        moment=Moment(data.day, services.clock()),
        units=await allowed_now(request),
    )
    before = PlaceState(row["code"], row["name"], row["kind"], row["unit_id"])
    after = None if data.end else await _changed(request, before, data)
    with told():
        async with services.db.change() as session:
            stored = await session.one(
                "SELECT * FROM place_version WHERE id = :id", id=row["version_id"]
            )
            if after is not None:
                await check(session, after, data.day, row["id"])
            if apply and stored is not None:
                now, who = services.clock(), request.user.name
                await change(
                    session, stored, after, data.day, instrument=paper, who=who, now_ms=now
                )
                await record(
                    session, at_ms=now, who=who, act="place.end" if data.end else "place.change",
                    subject=f"place:{before.code}", before=_plain(before),
                    after={**(_plain(after) if after else {}), "day": data.day}, paper=paper,
                )  # fmt: skip
    return PlaceAct(
        await _told(request, before, data.day), await _told(request, after, data.day), apply
    )


async def _changed(request: AppRequest, before: PlaceState, data: PlaceChange) -> PlaceState:
    def text(given: str | msgspec.UnsetType, old: str, most: int) -> str:
        return old if isinstance(given, msgspec.UnsetType) else clean_text(given, most)

    unit_id = before.unit_id
    if not isinstance(data.unit, msgspec.UnsetType):
        unit_id = await unit_on(request, data.unit, data.day)
    return PlaceState(
        text(data.code, before.code, 40),
        text(data.name, before.name, 200),
        text(data.kind, before.kind, 30),
        unit_id,
    )


def _plain(state: PlaceState) -> dict[str, str | int]:
    return {
        "code": state.code,
        "name": state.name,
        "kind": state.kind,
        "unit": state.unit_id,
    }


HANDLERS = (list_places, get_place, create_place, change_place)
