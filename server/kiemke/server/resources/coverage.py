"""Coverage by unit, and the persons behind each figure."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.domain.coverage import now_row, recount_together
from kiemke.server.domain.coverage_rollup import CoverageRow
from kiemke.server.domain.coverage_who import STATES, WhoRow, coverage_who
from kiemke.server.domain.names_then import ASSET_NAME
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Problem
from kiemke.server.resources.assets import AssetRef, MachineRef, PersonRef
from kiemke.server.resources.listing import (
    ListQuery,
    Page,
    day_text,
    language_of,
    next_of,
    page_of,
    start_of,
)
from kiemke.server.resources.tree import Moment, UnitRef, find_unit_id, load_refs, visible_units


@dataclass(frozen=True, slots=True)
class People:
    """A unit's persons and PCs: its own, or its whole subtree's. ``excluded`` are not officials."""

    officials: int
    no_pc: int
    excluded: int
    shared_access: int
    pcs: int


@dataclass(frozen=True, slots=True)
class States:
    """The subtree's persons by state. declared = verified + ... + unmatched = officials - no_pc."""

    declared: int
    verified: int
    counted: int
    contradicted: int
    silent: int
    unmatched: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """One unit's coverage of one population (``kinds``, empty = all kinds) at 24:00 of ``day``.

    ``ratio`` is PCs per person of the subtree; ``target`` and ``ratio_target`` are shares, null where
    no paper sets one. ``ended`` is of a unit split since, re-cast on a later tree: the first day it was
    no more.
    """

    unit: UnitRef
    kinds: list[str]
    day: str
    own: People
    subtree: People
    coverage: States
    own_coverage: States
    ratio: float | None
    target: float | None
    ratio_target: float | None
    evidence_age_working_days: int | None
    ended: str | None = None


@dataclass(frozen=True, slots=True)
class Absence:
    """Why an excluded person is left out, by which paper, since when and until before when."""

    reason: str
    instrument: str | None
    since: str
    until: str | None


@dataclass(frozen=True, slots=True)
class Who:
    """One person: why the state is what it is, and the next command, null where nothing is to do."""

    official: PersonRef
    unit: UnitRef
    state: str
    asset: AssetRef | None
    machine: MachineRef | None
    why: str
    next: str | None
    absences: list[Absence]


@get("/api/v1/coverage", opt={"role": "viewer"}, tags=["coverage"])
async def list_coverage(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Coverage]:
    """List coverage by unit, in alphabetical order; today means the last finished day."""
    services = services_of(request)
    if not {"as_of", "known_at"} & request.query_params.keys():
        counted = await _load_now(services, asked)
        if counted is not None:
            return counted
    rows = await _load(services, asked.moment)
    refs = await load_refs(services, asked.moment)
    order = await _load_order(services, asked.moment)
    allowed = None if asked.units is None else set(asked.units)
    seen = [
        row for row in rows if row.unit_id in order and (allowed is None or row.unit_id in allowed)
    ]
    seen.sort(key=lambda row: (order[row.unit_id], row.kinds))
    page, cursor = page_of(seen, asked)
    return Page([make_coverage(row, refs[row.unit_id]) for row in page], len(seen), cursor)


_NOW = dated(
    "FROM coverage_now c JOIN unit_version v ON v.unit_id = c.unit_id AND {active v}"
    " WHERE (CAST(:all_units AS INTEGER) = 1 OR c.unit_id IN :[units])"
)
_NOW_TOTAL = f"SELECT COUNT(*) AS n {_NOW}"
_NOW_PAGE = (
    f"SELECT c.*, v.code AS unit_code, v.name AS unit_name {_NOW}"
    " ORDER BY v.sort_key, c.unit_id, c.kinds LIMIT :limit OFFSET :start"
)


async def _load_now(services: Services, asked: ListQuery) -> Page[Coverage] | None:
    """Return one page of the last recount; None before the first, then it is counted now."""
    async with services.db.reading() as session:
        if await session.one("SELECT id FROM coverage_now LIMIT 1") is None:
            return None
        params = {
            "all_units": 1 if asked.units is None else 0,
            "units": asked.units or [],
            "day": asked.moment.day,
            "known": asked.moment.known_ms,
        }
        counted = await session.one(_NOW_TOTAL, **params)
        rows = await session.fetch(_NOW_PAGE, limit=asked.limit, start=start_of(asked), **params)
    total = int(counted["n"]) if counted else 0
    items = [make_coverage(now_row(r), UnitRef(r["unit_code"], r["unit_name"])) for r in rows]
    return Page(items, total, next_of(asked, total))


async def _load(services: Services, moment: Moment) -> list[CoverageRow]:
    # A day is counted at its end; the one that is still running has no figure yet.
    day = min(moment.day, services.today() - timedelta(days=1))
    async with services.db.reading_together() as sessions:
        return await recount_together(sessions, day, moment.known_ms)


async def _load_order(services: Services, moment: Moment) -> dict[int, str]:
    rows = await services.db.read(
        dated("SELECT v.unit_id, v.sort_key FROM unit_version v WHERE {active v}"),
        day=moment.day,
        known=moment.known_ms,
    )
    return {row["unit_id"]: row["sort_key"] for row in rows}


def make_coverage(row: CoverageRow, unit: UnitRef, ended: str | None = None) -> Coverage:
    """Return one row as it is answered; field by field, for a page holds a thousand."""
    own_declared = row.own_officials - row.own_no_pc
    return Coverage(
        unit=unit,
        kinds=row.kinds.split(",") if row.kinds else [],
        day=row.day.isoformat(),
        own=People(
            row.own_officials, row.own_no_pc, row.own_excluded, row.own_shared_access, row.own_pcs
        ),
        subtree=People(row.officials, row.no_pc, row.excluded, row.shared_access, row.pcs),
        coverage=States(
            row.declared, row.verified, row.counted, row.contradicted, row.silent, row.unmatched
        ),
        own_coverage=States(
            own_declared, row.own_verified, row.own_counted, row.own_contradicted,
            row.own_silent, row.own_unmatched,
        ),
        ratio=row.pcs / row.officials if row.officials else None,
        target=_share(row.target_thousandths),
        ratio_target=_share(row.ratio_target_thousandths),
        evidence_age_working_days=row.evidence_age_working_days,
        ended=ended,
    )  # fmt: skip


def _share(thousandths: int | None) -> float | None:
    return None if thousandths is None else thousandths / 1000


@get("/api/v1/coverage/who", opt={"role": "auditor"}, tags=["coverage"])
async def list_who(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    in_state: Annotated[
        str | None, QueryParameter(name="state", description=" | ".join(STATES))
    ] = None,
) -> Page[Who]:
    """List the persons behind the figures, by unit and given name."""
    services = services_of(request)
    if in_state is not None and in_state not in STATES:
        raise Problem("bad_field", field="state", value=in_state[:40], wanted=" | ".join(STATES))
    day = min(asked.moment.day, services.today() - timedelta(days=1))
    found: dict[str, WhoRow] = {}  # by code: one right may lie within another
    roots = await find_roots(request, services, asked)
    seen = await visible_units(services, request.user, asked.moment, None)
    async with services.db.reading() as session:
        for root in roots:
            moment_ms = asked.moment.known_ms
            for row in await coverage_who(session, root, day, moment_ms, in_state, seen=seen):
                found[row.official_code] = row
    allowed = None if asked.units is None else set(asked.units)
    rows = [row for row in found.values() if allowed is None or row.unit_id in allowed]
    page, cursor = page_of(rows, asked)
    assets, machines = await _load_names(services, page, asked.moment)
    language = language_of(request)
    items = [
        Who(
            official=PersonRef(row.official_code, row.official_name),
            unit=UnitRef(row.unit_code, row.unit_name),
            state=row.state,
            asset=assets.get(row.asset_id) if row.asset_id else None,
            machine=machines.get(row.machine_id) if row.machine_id else None,
            why=row.why.en if language == "en" else row.why.vi,
            next=row.next_command,
            absences=[
                Absence(a.reason, a.instrument, a.since.isoformat(), day_text(a.until))
                for a in row.absences
            ],
        )
        for row in page
    ]
    return Page(items, len(rows), cursor)


async def find_roots(
    request: AppRequest, services: Services, asked: NamedDependency[ListQuery]
) -> list[int]:
    """Return the units whose subtrees make up what is asked: the one named, else what may be seen."""
    unit = request.query_params.get("unit")
    if unit is not None:
        return [await find_unit_id(services, unit, asked.moment)]
    if request.user.roots is not None:
        return list(request.user.roots)
    rows = await services.db.read(
        dated(
            "SELECT v.unit_id FROM unit_version v WHERE v.parent_id IS NULL AND {active v}"
            " ORDER BY v.sort_key, v.unit_id"
        ),
        day=asked.moment.day,
        known=asked.moment.known_ms,
    )
    return [row["unit_id"] for row in rows]


async def _load_names(
    services: Services, rows: list[WhoRow], moment: Moment
) -> tuple[dict[int, AssetRef], dict[int, MachineRef]]:
    assets = await services.db.read(
        dated(f"SELECT a.id, a.code, {ASSET_NAME} AS name FROM asset a WHERE a.id IN :[ids]"),  # noqa: S608  # a fragment of this house
        ids=[row.asset_id for row in rows if row.asset_id],
        day=moment.day,
        known=moment.known_ms,
    )
    machines = await services.db.read(
        dated(
            "SELECT ms.machine_id, MAX(s.hostname) AS hostname FROM machine_source ms"
            " JOIN source s ON s.id = ms.source_id"
            " WHERE ms.machine_id IN :[ids] AND {active ms} GROUP BY ms.machine_id"
        ),
        ids=[row.machine_id for row in rows if row.machine_id],
        day=moment.day,
        known=moment.known_ms,
    )
    return (
        {row["id"]: AssetRef(row["code"], row["name"]) for row in assets},
        {row["machine_id"]: MachineRef(row["machine_id"], row["hostname"]) for row in machines},
    )


HANDLERS = (list_coverage, list_who)
