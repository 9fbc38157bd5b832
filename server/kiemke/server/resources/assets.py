"""Assets on the book, their condition and who answers for them on a day."""

from dataclasses import dataclass

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row
from kiemke.server.domain.names_then import PERSON_NAME
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both
from kiemke.server.resources.listing import (
    Listing,
    ListQuery,
    Page,
    day_text,
    fetch_one,
    fetch_page,
)
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

NOUN = Both("tài sản", "asset")

LISTING = Listing(
    columns="a.id, a.code, COALESCE(f.kind, a.kind) AS kind, a.manufacturer, a.model, a.serial,"
    " CASE WHEN f.id IS NULL THEN a.no_agent_reason ELSE f.no_agent_reason END AS no_agent_reason,"
    " f.owner_name, f.return_on, COALESCE(f.ownership, a.ownership) AS ownership,"
    " COALESCE(f.name, a.name) AS name, CASE WHEN f.id IS NULL THEN a.tag ELSE f.tag END AS tag,"
    " CASE WHEN f.id IS NULL THEN a.price_dong ELSE f.price_dong END AS price_dong,"
    " CASE WHEN f.id IS NULL THEN a.in_use_since ELSE f.in_use_since END AS in_use_since,"
    " (SELECT MAX(s.status) FROM asset_status s WHERE s.asset_id = a.id AND {active s}) AS status,"
    " (SELECT MAX(x.machine_id) FROM asset_match x WHERE x.asset_id = a.id AND {active x})"
    " AS machine_id",
    tables="asset a LEFT JOIN asset_fact f ON f.asset_id = a.id AND {active f}",
    key="a.code",
    id="a.id",
    in_units="a.id IN (SELECT c.asset_id FROM custody c WHERE {active c} AND c.unit_id IN :[units])",
    search=("a.search_key", "a.code", "a.tag", "a.serial"),
)

_CUSTODIES = f"""
SELECT c.asset_id, COALESCE(c.place, p.name) AS place, v.code AS unit_code, v.name AS unit_name,
  o.code AS official_code, {PERSON_NAME} AS official_name
FROM custody c
LEFT JOIN unit_version v ON v.unit_id = c.unit_id AND {{active v}}
LEFT JOIN official o ON o.id = c.official_id
LEFT JOIN place_version p ON p.place_id = c.at_place_id AND {{active p}}
WHERE c.asset_id IN :[ids] AND {{active c}} ORDER BY c.asset_id, c.id
"""  # noqa: S608  # a fragment of this house

_HOSTNAMES = """
SELECT ms.machine_id, MAX(s.hostname) AS hostname FROM machine_source ms
JOIN source s ON s.id = ms.source_id
WHERE ms.machine_id IN :[ids] AND {active ms} GROUP BY ms.machine_id
"""


@dataclass(frozen=True, slots=True)
class PersonRef:
    """An official as other things name one."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class AssetRef:
    """An asset as other things name it."""

    code: str
    name: str


@dataclass(frozen=True, slots=True)
class MachineRef:
    """A machine as other things name it."""

    id: int
    hostname: str | None


@dataclass(frozen=True, slots=True)
class Asset:
    """One thing on the book. ``official`` is set in personal custody; ``officials`` when shared."""

    id: int
    code: str
    tag: str | None
    kind: str
    name: str
    manufacturer: str | None
    model: str | None
    serial: str | None
    price_dong: int | None
    in_use_since: str | None
    status: str | None
    ownership: str
    owner: str | None
    return_on: str | None
    no_agent_reason: str | None
    unit: UnitRef | None
    official: PersonRef | None
    officials: list[PersonRef]
    place: str | None
    machine: MachineRef | None


@get("/api/v1/assets", opt={"role": "auditor"}, tags=["assets"])
async def list_assets(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Asset]:
    """List assets by code."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked)
    return Page(await _make_all(services, rows, asked.moment), total, cursor)


@get("/api/v1/assets/{ref:str}", opt={"role": "auditor"}, tags=["assets"])
async def get_asset(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Asset:
    """Return one asset by code, sticker or id."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=("a.code", "a.tag"),
        moment=moment,
        units=units,
    )
    return (await _make_all(services, [row], moment))[0]


async def _make_all(services: Services, rows: list[Row], moment: Moment) -> list[Asset]:
    times = {"day": moment.day, "known": moment.known_ms}
    custodies: dict[int, list[Row]] = {}
    for found in await services.db.read(
        dated(_CUSTODIES), ids=[row["id"] for row in rows], **times
    ):
        custodies.setdefault(found["asset_id"], []).append(found)
    machine_ids = [row["machine_id"] for row in rows if row["machine_id"] is not None]
    named = await services.db.read(dated(_HOSTNAMES), ids=machine_ids, **times)
    hostnames = {row["machine_id"]: row["hostname"] for row in named}
    return [_make(row, custodies.get(row["id"], []), hostnames) for row in rows]


def _make(row: Row, custodies: list[Row], hostnames: dict[int, str | None]) -> Asset:
    first = custodies[0] if custodies else None
    people = [
        PersonRef(each["official_code"], each["official_name"])
        for each in custodies
        if each["official_code"]
    ]
    machine_id = row["machine_id"]
    return Asset(
        id=row["id"],
        code=row["code"],
        tag=row["tag"],
        kind=row["kind"],
        name=row["name"],
        manufacturer=row["manufacturer"],
        model=row["model"],
        serial=row["serial"],
        price_dong=row["price_dong"],
        in_use_since=day_text(row["in_use_since"]),
        status=row["status"],
        ownership=row["ownership"],
        owner=row["owner_name"],
        return_on=day_text(row["return_on"]),
        no_agent_reason=row["no_agent_reason"],
        unit=UnitRef(first["unit_code"], first["unit_name"])
        if first and first["unit_code"]
        else None,
        official=people[0] if len(people) == 1 else None,
        officials=people,
        place=first["place"] if first else None,
        machine=None if machine_id is None else MachineRef(machine_id, hostnames.get(machine_id)),
    )


HANDLERS = (list_assets, get_asset)
