"""Why a machine is one, a person's word on two machines, and the adapters that many share."""

from dataclasses import dataclass
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.approval_kinds import refused
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain import machine_merge
from kiemke.server.domain.machine_merge import CannotDecide, Plan
from kiemke.server.domain.machine_why import explain
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.machines import LISTING, NAMES, NOUN
from kiemke.server.resources.tree import Moment, now_of, visible_units
from kiemke.wire.clean import clean_text


@dataclass(frozen=True, slots=True)
class MemberOutput:
    """One install's time on the machine; ``told`` holds score, verdict and lines of evidence."""

    source: str
    hostname: str | None
    state: str
    valid_from: str
    valid_to: str | None
    decided_by: str
    decided_at: str | None
    decided_who: str | None
    told: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ValueOutput:
    """A value by which the machine is known, and what it is worth."""

    kind: str
    value: str
    points: int
    machines: int
    first_seen_at: str | None
    gone_at: str | None
    why_worthless: str | None


@dataclass(frozen=True, slots=True)
class DecisionOutput:
    """What a person said of this machine and another."""

    kind: str
    machine: int
    other: int
    reason: str | None
    at: str | None
    who: str | None
    undone_at: str | None
    undone_by: str | None


@dataclass(frozen=True, slots=True)
class WhyOutput:
    """Everything that makes a machine one."""

    id: int
    members: list[MemberOutput]
    values: list[ValueOutput]
    decisions: list[DecisionOutput]


@dataclass(frozen=True, slots=True)
class PairInput:
    """The other machine, by id or host name, and a word why."""

    other: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MovedOutput:
    """What a decision moves: installs with the days they count, assets matched; was it written."""

    machine: int
    other: int
    sources: list[dict[str, Any]]
    assets: list[str]
    applied: bool


@dataclass(frozen=True, slots=True)
class SharedAdapter:
    """A network adapter seen with several machines: never a key."""

    mac: str
    learned_at: str | None
    machines: list[int]


async def _find(
    services: Services, request: AppRequest, ref: str, moment: Moment
) -> tuple[int, list[int] | None]:
    """Return a machine's id and the units in sight. Raises Problem 404 or 409."""
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=NAMES, moment=moment, units=units
    )
    return int(row["id"]), units


@get("/api/v1/machines/{ref:str}/why", opt={"role": "auditor"}, tags=["machines"])
async def why_machine(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> WhyOutput:
    """Tell by which evidence each install belongs to a machine, and what each value is worth."""
    services = services_of(request)
    machine, units = await _find(services, request, ref, moment)
    async with services.db.reading() as session:
        why = await explain(session, machine, moment.day, moment.known_ms)
    if units is not None and any(member.unit_id not in units for member in why.members):
        raise Problem(
            "forbidden",
            role=request.user.role,
            needed=Both("auditor, mọi đơn vị của máy", "auditor, all units of the machine"),
        )
    return WhyOutput(
        machine,
        [
            MemberOutput(
                one.source, one.hostname, one.state, one.valid_from.isoformat(),
                None if one.valid_to is None else one.valid_to.isoformat(), one.decided_by,
                rfc3339(one.decided_at_ms), one.decided_who, one.told,
            )
            for one in why.members
        ],
        [
            ValueOutput(
                one.kind, one.value, one.points, one.machines, rfc3339(one.first_seen_ms),
                rfc3339(one.gone_ms), one.why_worthless,
            )
            for one in why.values
        ],
        [_decision(row) for row in why.decisions],
    )  # fmt: skip


def _decision(row: Row) -> DecisionOutput:
    return DecisionOutput(
        row["kind"], row["machine_id"], row["other_id"], row["reason"],
        rfc3339(row["recorded_at_ms"]), row["recorded_by"], rfc3339(row["undone_at_ms"]),
        row["undone_by"],
    )  # fmt: skip


async def _own_units(
    session: Session, request: AppRequest, machines: tuple[int, int], units: list[int] | None
) -> None:
    """Raise Problem 403 unless every install of both machines is in the user's units."""
    if units is None:
        return
    rows = await session.fetch(
        "SELECT DISTINCT s.unit_id FROM machine_source x JOIN source s ON s.id = x.source_id"
        " WHERE x.machine_id IN :[ids] AND x.voided_at_ms IS NULL",
        ids=list(machines),
    )
    if any(row["unit_id"] not in units for row in rows):
        raise Problem(
            "forbidden", role=request.user.role, needed=Both("it, cả hai máy", "it, both machines")
        )


async def _decide(
    request: AppRequest, ref: str, data: PairInput, *, kind: str, apply: bool
) -> MovedOutput:
    services = services_of(request)
    moment = now_of(services)
    machine, units = await _find(services, request, ref, moment)
    reason = clean_text(data.reason or "", 300) or None
    try:
        async with services.db.change() as session:
            other = await _other_id(services, request, session, machine, data.other, kind)
            if kind == "merge":
                plan = await machine_merge.plan_merge(session, machine, other)
            else:
                plan = await machine_merge.plan_unmerge(session, machine, other)
            await _own_units(session, request, (machine, other), units)
            if apply:
                await machine_merge.apply(
                    session, plan, who=request.user.name, now_ms=services.clock(), reason=reason
                )
    except CannotDecide as error:
        raise refused(error) from error
    return _told(plan, applied=apply)


async def _other_id(
    services: Services, request: AppRequest, session: Session, machine: int, ref: str, kind: str
) -> int:
    """Return the other machine's id; one that was absorbed has no install left and is named by id."""
    if kind == "unmerge" and ref.isascii() and ref.isdecimal() and len(ref) <= 18:
        known = await session.one(
            "SELECT id FROM machine_decision WHERE machine_id = :machine AND other_id = :other",
            machine=machine,
            other=int(ref),
        )
        if known is not None:
            return int(ref)
    return (await _find(services, request, ref, now_of(services)))[0]


def _told(plan: Plan, *, applied: bool) -> MovedOutput:
    return MovedOutput(
        plan.machine,
        plan.other,
        [
            {
                "source": row["public_id"],
                "hostname": row["hostname"],
                "valid_from": str(row["valid_from"])[:10],
                "valid_to": None if row["valid_to"] is None else str(row["valid_to"])[:10],
            }
            for row in plan.rows
        ],
        [row["asset_code"] for row in plan.matches],
        applied,
    )


@post("/api/v1/machines/{ref:str}/merge", status_code=200, opt={"role": "it"}, tags=["machines"])
async def merge_machines(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[PairInput],
    apply: FromQuery[bool] = False,
) -> MovedOutput:
    """Say what merging another machine into this one moves; with ``apply``, write it."""
    return await _decide(request, ref, data, kind="merge", apply=apply)


@post("/api/v1/machines/{ref:str}/unmerge", status_code=200, opt={"role": "it"}, tags=["machines"])
async def unmerge_machines(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[PairInput],
    apply: FromQuery[bool] = False,
) -> MovedOutput:
    """Say what undoing the last merger of another machine into this one restores; or do it."""
    return await _decide(request, ref, data, kind="unmerge", apply=apply)


@post("/api/v1/machines/{ref:str}/apart", status_code=200, opt={"role": "it"}, tags=["machines"])
async def tell_apart(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[PairInput],
    apply: FromQuery[bool] = False,
) -> MovedOutput:
    """Say that two machines are two; nothing asks about them again."""
    services = services_of(request)
    moment = now_of(services)
    machine, units = await _find(services, request, ref, moment)
    other, _ = await _find(services, request, data.other, moment)
    try:
        async with services.db.change() as session:
            await _own_units(session, request, (machine, other), units)
            if apply:
                await machine_merge.set_apart(
                    session,
                    machine,
                    other,
                    who=request.user.name,
                    now_ms=services.clock(),
                    reason=clean_text(data.reason or "", 300) or None,
                )
    except CannotDecide as error:
        raise refused(error) from error
    return MovedOutput(machine, other, [], [], apply)


_ADAPTERS = Listing(
    columns="a.id, a.mac, a.learned_at_ms",
    tables="shared_adapter a",
    where=("a.learned_at_ms <= :known",),
    key="a.id",
    id="a.id",
    search=("a.mac",),
)
_CARRIERS = """
SELECT DISTINCT e.value, ms.machine_id FROM source_evidence e
JOIN machine_source ms ON ms.source_id = e.source_id AND ms.stay = e.stay
WHERE e.value IN :[macs.text] AND e.kind IN ('mac', 'plugged')
  AND ms.recorded_at_ms <= :known AND (ms.voided_at_ms IS NULL OR ms.voided_at_ms > :known)
ORDER BY e.value, ms.machine_id
"""


@get("/api/v1/shared-adapters", opt={"role": "auditor"}, tags=["machines"])
async def list_shared_adapters(
    request: AppRequest, asked: NamedDependency[ListQuery]
) -> Page[SharedAdapter]:
    """List docks, USB adapters and cards seen with several machines. They have no unit."""
    if request.user.unit_id is not None:
        raise Problem(
            "forbidden",
            role=request.user.role,
            needed=Both("auditor, mọi đơn vị", "auditor, all units"),
        )
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, _ADAPTERS, asked)
    machines: dict[str, list[int]] = {}
    for row in await services.db.read(
        dated(_CARRIERS), macs=[row["mac"] for row in rows], known=asked.moment.known_ms
    ):
        machines.setdefault(row["value"], []).append(row["machine_id"])
    items = [
        SharedAdapter(row["mac"], rfc3339(row["learned_at_ms"]), machines.get(row["mac"], []))
        for row in rows
    ]
    return Page(items, total, cursor)


HANDLERS = (why_machine, merge_machines, unmerge_machines, tell_apart, list_shared_adapters)
