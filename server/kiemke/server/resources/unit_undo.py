"""The decisions on units that were entered, by number, and taking one back that was entered wrongly."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain.act_log import DECISIONS, UNDO, Act, load_act, undo_of, undone_by
from kiemke.server.domain.calendar import day_start_ms
from kiemke.server.domain.take_back import Hindrance, TakeBack, apply_undo, plan_undo
from kiemke.server.domain.take_back_told import tell
from kiemke.server.errors import Both, Problem
from kiemke.server.ledgers import LEDGER_TABLES
from kiemke.server.resources.acts import told
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page, language_of
from kiemke.server.resources.tree import as_id
from kiemke.wire.clean import clean_text

# An act of many rows has several entries of one moment; it is known by the first.
_ACTS = (
    "(SELECT MIN(a.entry_id) AS id, a.at_ms, a.who, a.act, a.subject FROM audit_about a"  # noqa: S608  # names of ours
    f" WHERE a.act IN ('{DECISIONS[0]}', '{UNDO}')"
    " GROUP BY a.at_ms, a.who, a.act, a.subject) w"
)
LISTING = Listing(
    columns="w.id",
    tables=_ACTS,
    where=("w.at_ms <= :known", "w.at_ms < :end"),
    key="w.id",
    id="w.id",
    search=("w.subject", "w.who"),
    descending=True,
)


@dataclass(frozen=True, slots=True)
class UndoInput:
    """Why a decision is taken back, and the number of the paper that says so, if there is one."""

    reason: str
    instrument: str | None = None


@dataclass(frozen=True, slots=True)
class ActOutput:
    """A decision as it was entered: ``day`` it takes effect, ``undone`` the decision that it took back.

    ``undone_by`` is the number of the entry that took this one back, null while it stands.
    """

    number: int
    at: str | None
    who: str
    act: str
    day: str | None
    instrument: str | None
    created: list[str]
    ended: list[str]
    changed: list[str]
    moved: int | None
    reason: str | None
    undone: int | None
    undone_by: int | None


@dataclass(frozen=True, slots=True)
class HindranceOutput:
    """A later entry that builds on the decision: ``why`` are sentences, ``undo`` that it can be taken back alike.

    ``number`` is null for what no entry tells.
    """

    number: int | None
    at: str | None
    who: str | None
    act: str | None
    subject: str | None
    instrument: str | None
    why: list[str]
    undo: bool


@dataclass(frozen=True, slots=True)
class UndoOutput:
    """Every consequence of taking a decision back, what is in the way, and whether it was written.

    ``vanished`` are units that will never have been, ``revived`` those that will not have ended. ``moved`` goes
    back; ``again`` is said again of the unit it is in; ``stays`` was moved on since and stays there. ``hindrances`` are in the order in which to take them
    back. ``undated_known`` is false for a decision of an earlier version, whose agents, secrets and tokens stay.
    """

    decision: ActOutput
    vanished: list[dict[str, Any]]
    revived: list[dict[str, Any]]
    changed: list[dict[str, Any]]
    moved: list[dict[str, Any]]
    again: list[dict[str, Any]]
    stays: list[dict[str, Any]]
    stock_takes: list[dict[str, Any]]
    targets: int
    undated_known: bool
    hindrances: list[HindranceOutput]
    applied: bool


def _demand_whole(request: AppRequest, role: str) -> None:
    """A decision reaches beyond any one subtree, and so does what is told of it."""
    if request.user.roots is not None:
        needed = Both(f"{role}, mọi đơn vị", f"{role}, all units")
        raise Problem("forbidden", role=request.user.role, needed=needed)


def _make(act: Act, by: int | None) -> ActOutput:
    said = act.after
    return ActOutput(
        act.number,
        rfc3339(act.at_ms),
        act.who,
        act.act,
        said.get("day"),
        act.paper,
        said.get("created") or [],
        said.get("ended") or [],
        said.get("changed") or [],
        said.get("moved"),
        said.get("reason"),
        said.get("undone"),
        by,
    )


def _hindrance(each: Hindrance, language: str) -> HindranceOutput:
    return HindranceOutput(
        each.number,
        rfc3339(each.at_ms),
        each.who,
        each.act,
        each.subject,
        each.paper,
        [why.say(language) for why in each.why],
        each.undo,
    )


@get("/api/v1/reorganisations", opt={"role": "auditor"}, tags=["units"])
async def list_decisions(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[ActOutput]:
    """List the decisions on units in the order they were entered, newest first; for who sees all units."""
    _demand_whole(request, "auditor")
    services = services_of(request)
    end = day_start_ms(asked.moment.day + timedelta(days=1), services.offset_seconds)
    rows, total, cursor = await fetch_page(services, LISTING, asked, end=end)
    items = []
    async with services.db.reading() as session:
        for row in rows:
            act = await load_act(session, row["id"])
            if act is not None:
                by = await undone_by(session, act, asked.moment.known_ms)
                items.append(_make(act, by))
    return Page(items, total, cursor)


@post("/api/v1/reorganisations/{ref:str}/undo", status_code=200, opt={"role": "it"}, tags=["units"])
async def undo_decision(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[UndoInput],
    apply: FromQuery[bool] = False,
) -> UndoOutput:
    """Say what taking a decision back would do and what is in the way; with ``apply``, take it back."""
    _demand_whole(request, "it")
    reason = clean_text(data.reason, 200)
    if not reason:
        wanted = Both("lý do gỡ", "why it is taken back")
        raise Problem("bad_field", field="reason", value="", wanted=wanted)
    paper = clean_text(data.instrument, 200) if data.instrument else None
    number = as_id(ref)
    if number is None:
        raise Problem("not_found", what=Both("quyết định", "decision"), ref=ref)
    services = services_of(request)
    async with services.db.change() as session:
        now = services.clock()
        with told():
            plan = await plan_undo(session, number, services.today())
            foretold = await tell(session, plan.rows, plan.trees)
            if apply:
                await apply_undo(
                    session, plan, who=request.user.name, now_ms=now, today=services.today()
                )
                await record(
                    session, at_ms=now, who=request.user.name, act=undo_of(plan.act.act),
                    subject=plan.act.subject, paper=paper, after=_entry(plan, foretold, reason),
                )  # fmt: skip
    return UndoOutput(
        decision=_make(plan.act, None),
        **foretold,
        undated_known=plan.act.act != DECISIONS[0] or plan.act.undated is not None,
        hindrances=[_hindrance(each, language_of(request)) for each in plan.hindrances],
        applied=apply,
    )


def _entry(plan: TakeBack, foretold: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return what the entry says; ``undated`` is what this act moved, so that it can be taken back as well."""
    codes = {name: [unit["code"] for unit in foretold[name]] for name in ("revived", "vanished")}
    return {
        "undone": plan.act.number,
        "reason": reason,
        "day": plan.act.after.get("day"),
        "created": codes["revived"],
        "ended": codes["vanished"],
        "changed": [unit["code"] for unit in foretold["changed"]],
        "moved": len(foretold["moved"]),
        "undated": [
            [each.table, each.row_id, each.column, each.after, each.before]
            for each in plan.rows.set_back
            if each.table not in LEDGER_TABLES  # those stand in the entry by themselves
        ],
    }


HANDLERS = (list_decisions, undo_decision)
