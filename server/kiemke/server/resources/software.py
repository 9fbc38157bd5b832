"""Programs by their plain names: on how many machines each is, in which versions, and on which."""

from dataclasses import dataclass, replace
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row
from kiemke.server.domain.software_counts import IN_SIGHT, NAME, OF_KIND, PUBLISHER, count
from kiemke.server.errors import Both
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, visible_units

NOUN = Both("phần mềm", "software")

_HAS = """software_title t JOIN source_software x ON x.title_id = t.id
  JOIN source s ON s.id = x.source_id AND s.state <> 'revoked'
  JOIN machine_source ms ON ms.source_id = s.id AND {active ms}"""
_IN_UNITS = "s.unit_id IN :[units]"


def _grouped(has: str) -> str:
    """Return the programs as a table: one row a plain name and publisher, of titles that somebody has."""
    return (
        f"(SELECT MIN(t.id) AS id, {NAME} AS plain_name, MAX(t.plain_publisher) AS plain_publisher,"  # noqa: S608
        f" MAX(t.name) AS name FROM software_title t WHERE {has}"
        f" GROUP BY {NAME}, {PUBLISHER}) AS g"
    )


ALL = Listing(
    columns="g.id, g.plain_name, g.plain_publisher, g.name",
    tables=_grouped(
        f"EXISTS (SELECT 1 FROM source_software x WHERE x.title_id = t.id AND {OF_KIND})"  # noqa: S608
    ),
    key="g.plain_name",
    id="g.id",
    search=("g.plain_name", "g.plain_publisher", "g.name"),
    grouped=True,
)
OF_UNITS = replace(
    ALL,
    tables=_grouped(
        f"t.id IN (SELECT x.title_id FROM {IN_SIGHT} AND {OF_KIND} AND EXISTS (SELECT 1"  # noqa: S608
        " FROM machine_source ms WHERE ms.source_id = s.id AND {active ms}))"
    ),
    in_units="1 = 1",
)

MACHINES = Listing(
    columns="ms.machine_id AS id, s.hostname, v.code AS unit_code, v.name AS unit_name, t.name,"
    " t.version, x.installed_on, x.account, x.architecture",
    tables=f"{_HAS} LEFT JOIN unit_version v ON v.unit_id = s.unit_id AND {{active v}}",
    where=(f"{NAME} = :plain_name", "COALESCE(t.plain_publisher, '') = :plain_publisher"),
    key="COALESCE(s.hostname, '')",
    id="x.id",
    in_units=_IN_UNITS,
    search=("s.hostname", "v.search_key"),
)

TITLE = Listing(
    columns=f"t.id, {NAME} AS plain_name, COALESCE(t.plain_publisher, '') AS plain_publisher",
    tables="software_title t",
    key="t.id",
    id="t.id",
    in_units="EXISTS (SELECT 1 FROM source_software x JOIN source s ON s.id = x.source_id"
    " WHERE x.title_id = t.id AND s.unit_id IN :[units])",
)


@dataclass(frozen=True, slots=True)
class Software:
    """One program under all its versions; ``name`` is one of the names it goes by.

    ``machines`` is 0 where only sources that stand for no machine have it.
    """

    id: int
    plain_name: str
    plain_publisher: str | None
    name: str
    versions: int
    machines: int


@dataclass(frozen=True, slots=True)
class SoftwareMachine:
    """A machine that has it. ``account`` is whom alone it is installed for."""

    id: int
    hostname: str | None
    unit: UnitRef | None
    name: str
    version: str | None
    architecture: str | None
    installed_on: str | None
    account: str | None


@get("/api/v1/software", opt={"role": "auditor"}, tags=["machines"])
async def list_software(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    parts: Annotated[
        bool, QueryParameter(description="with components and updates of programs")
    ] = False,
) -> Page[Software]:
    """List programs by their plain names, with the machines that have them now."""
    listing = ALL if asked.units is None else OF_UNITS
    rows, total, cursor = await fetch_page(
        services_of(request), listing, asked, parts=1 if parts else 0
    )
    found = await _count(services_of(request), rows, asked.moment, asked.units, parts=parts)
    return Page(found, total, cursor)


async def _count(
    services: Services, rows: list[Row], moment: Moment, units: list[int] | None, *, parts: bool
) -> list[Software]:
    """Return programs with their figures."""
    programs = [(row["plain_name"], row["plain_publisher"] or "") for row in rows]
    times = {"day": moment.day, "known": moment.known_ms}
    async with services.db.reading() as session:
        counted = await count(session, programs, times, units, parts=parts)
    return [
        Software(
            row["id"], row["plain_name"], row["plain_publisher"], row["name"], *counted[program]
        )
        for row, program in zip(rows, programs, strict=True)
    ]


@get("/api/v1/software/{ref:str}", opt={"role": "auditor"}, tags=["machines"])
async def get_software(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> Software:
    """Return one program by its number or its plain name."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        ALL if units is None else OF_UNITS,
        noun=NOUN,
        ref=ref,
        names=("g.plain_name",),
        moment=moment,
        units=units,
        parts=1,
    )
    return (await _count(services, [row], moment, units, parts=True))[0]


@get("/api/v1/software/{ref:str}/machines", opt={"role": "auditor"}, tags=["machines"])
async def list_software_machines(
    request: AppRequest, ref: FromPath[str], asked: NamedDependency[ListQuery]
) -> Page[SoftwareMachine]:
    """List the machines that have a program in any of its versions."""
    services = services_of(request)
    title = await fetch_one(
        services, TITLE, noun=NOUN, ref=ref, names=(), moment=asked.moment, units=asked.units
    )
    words = {name: title[name] for name in ("plain_name", "plain_publisher")}
    rows, total, cursor = await fetch_page(services, MACHINES, asked, **words)
    items = [
        SoftwareMachine(
            id=row["id"],
            hostname=row["hostname"],
            unit=UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
            name=row["name"],
            version=row["version"] or None,
            architecture=row["architecture"],
            installed_on=row["installed_on"],
            account=row["account"],
        )
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (list_software, get_software, list_software_machines)
