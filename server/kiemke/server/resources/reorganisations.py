"""Reorganisations of units by a decision: what it would do, and doing it; a unit's history."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.act_log import number_of
from kiemke.server.domain.reorganise import plan
from kiemke.server.domain.reorganise_apply import apply as write
from kiemke.server.domain.reorganise_decision import (
    Change,
    Decision,
    NewUnit,
)
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.acts import told
from kiemke.server.resources.listing import day_text, written_of
from kiemke.server.resources.tree import (
    NOUN_UNIT,
    Moment,
    UnitRef,
    find_unit_id,
    load_refs,
    visible_units,
)
from kiemke.wire.clean import clean_text

MOST_CHANGES = 500
LARGEST_DECISION_BYTES = 2_097_152  # so many changes, with the lists of whom and what they assign


@dataclass(frozen=True, slots=True)
class NewUnitInput:
    """A unit to make; ``parent`` a code, of the decision's own new units first."""

    code: str
    name: str
    type: str
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class ChangeInput:
    """One change: rename, retype, move, merge, split, assign or end (see the API page)."""

    kind: str
    units: list[str]
    into: list[str] = field(default_factory=list)
    assign: dict[str, str] = field(default_factory=dict)
    code: str | None = None
    name: str | None = None
    type: str | None = None
    parent: str | None = None


@dataclass(frozen=True, slots=True)
class DecisionInput:
    """A decision: the paper's number, the day it takes effect, what it makes and changes."""

    day: date
    instrument: str
    new: list[NewUnitInput] = field(default_factory=list)
    changes: list[ChangeInput] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReorganisationOutput:
    """Every consequence, and whether it was written.

    ``stock_takes`` are the open ones of the units concerned with what becomes of each, ``uncounted``
    the units that end in others without a stock-take, ``number`` what the decision is taken back by, null
    where nothing was written.
    """

    created: list[dict[str, Any]]
    ended: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    targets_ended: int
    stock_takes: list[dict[str, Any]]
    uncounted: list[dict[str, Any]]
    number: int | None
    applied: bool


@dataclass(frozen=True, slots=True)
class VersionOutput:
    """What a unit was over a span of days, by which paper; voided ones were said so once."""

    code: str
    name: str
    type: str
    parent: UnitRef | None
    valid_from: str | None
    valid_to: str | None
    instrument: str | None
    recorded_by: str | None
    recorded_at: str | None
    voided: bool


@dataclass(frozen=True, slots=True)
class SuccessionOutput:
    """From which unit to which, how, since when, by which paper."""

    unit: UnitRef | None
    successor: UnitRef | None
    kind: str
    day: str | None
    instrument: str | None


@dataclass(frozen=True, slots=True)
class HistoryOutput:
    """A unit's versions, oldest first, and the units it came of and became."""

    versions: list[VersionOutput]
    successions: list[SuccessionOutput]


def _decision(data: DecisionInput) -> Decision:
    if len(data.changes) > MOST_CHANGES or len(data.new) > MOST_CHANGES:
        raise Problem("bad_field", field="changes", value="...", wanted=f"<= {MOST_CHANGES}")
    instrument = clean_text(data.instrument, 200)
    if not instrument:
        raise Problem(
            "bad_field", field="instrument", value="", wanted=Both("số quyết định", "number")
        )
    new = tuple(
        NewUnit(clean_text(n.code, 40), clean_text(n.name, 200), n.type, n.parent) for n in data.new
    )
    for unit in new:
        if not unit.code or not unit.name:
            raise Problem("bad_field", field="new", value=unit.code, wanted="code, name")
    changes = tuple(
        Change(
            change.kind,
            tuple(change.units),
            tuple(change.into),
            change.assign,
            clean_text(change.code, 40) if change.code else None,
            clean_text(change.name, 200) if change.name else None,
            change.type,
            change.parent,
        )
        for change in data.changes
    )
    return Decision(data.day, instrument, new, changes)


@post(
    "/api/v1/reorganisations",
    status_code=200,
    opt={"role": "it"},
    tags=["units"],
    request_max_body_size=LARGEST_DECISION_BYTES,
)
async def reorganise(
    request: AppRequest, data: JSONBody[DecisionInput], apply: FromQuery[bool] = False
) -> ReorganisationOutput:
    """Say what a decision would do to units and all they hold; with ``apply``, do it."""
    if request.user.unit_id is not None:  # a decision reaches beyond any one subtree
        raise Problem(
            "forbidden", role=request.user.role, needed=Both("it, mọi đơn vị", "it, all units")
        )
    services = services_of(request)
    decision = _decision(data)
    now = services.clock()
    async with services.db.change() as session:
        with told():
            planned = await plan(session, decision, services.today())
        foretold = planned.consequences()
        if apply:
            made = await write(session, planned, who=request.user.name, now_ms=now)
            await record(
                session,
                at_ms=now,
                who=request.user.name,
                act="unit.reorganise",
                subject=f"decision:{decision.instrument}",
                after={
                    "day": decision.day,
                    "made": made,
                    **_counts(foretold),
                    "undated": planned.undated,
                },  # fmt: skip
                paper=decision.instrument,
            )
    number = await number_of(services.db, decision.instrument) if apply else None
    return ReorganisationOutput(**foretold, number=number, applied=apply)


def _counts(foretold: dict[str, Any]) -> dict[str, Any]:
    codes = {key: [row["code"] for row in foretold[key]] for key in ("created", "ended", "changed")}
    return {**codes, "moved": len(foretold["moved"]), "targets_ended": foretold["targets_ended"]}


@get("/api/v1/units/{ref:str}/history", opt={"role": "viewer"}, tags=["units"])
async def get_history(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> HistoryOutput:
    """Return every version of a unit and what it came of and became."""
    services = services_of(request)
    unit_id = await find_unit_id(services, ref, moment)
    allowed = await visible_units(services, request.user, moment, None)
    if allowed is not None and unit_id not in allowed:
        raise Problem("not_found", what=NOUN_UNIT, ref=ref)
    refs = await load_refs(services, moment)
    versions = await services.db.read(
        "SELECT * FROM unit_version WHERE unit_id = :unit AND recorded_at_ms <= :known"
        " ORDER BY valid_from, id",
        unit=unit_id,
        known=moment.known_ms,
    )
    successions = await services.db.read(
        "SELECT * FROM unit_succession WHERE (unit_id = :unit OR successor_id = :unit)"
        " AND recorded_at_ms <= :known AND (voided_at_ms IS NULL OR voided_at_ms > :known)"
        " ORDER BY valid_from, id",
        unit=unit_id,
        known=moment.known_ms,
    )
    return HistoryOutput(
        [
            VersionOutput(
                v["code"],
                v["name"],
                v["type"],
                refs.get(v["parent_id"]),
                *written_of(v, moment.known_ms),
            )
            for v in versions
        ],
        [
            SuccessionOutput(
                refs.get(s["unit_id"]),
                refs.get(s["successor_id"]),
                s["kind"],
                day_text(s["valid_from"]),
                s["instrument"],
            )
            for s in successions
        ],
    )


HANDLERS = (reorganise, get_history)
