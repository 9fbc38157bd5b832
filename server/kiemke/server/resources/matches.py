"""Matches of machines with assets: what is matched, what is not and may be, decisions and undoing."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from kiemke.server.approval_kinds import refused
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain import match_decide
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.match import judge
from kiemke.server.domain.match_now import (
    Proposal,
    booked_assets,
    load_span,
    propose,
    seen_machines,
)
from kiemke.server.domain.names_then import ASSET_NAME
from kiemke.server.errors import Both
from kiemke.server.resources.assets import LISTING as ASSETS
from kiemke.server.resources.assets import NOUN as ASSET
from kiemke.server.resources.assets import AssetRef
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.machines import LISTING as MACHINES
from kiemke.server.resources.machines import NAMES as MACHINE_NAMES
from kiemke.server.resources.machines import NOUN as MACHINE
from kiemke.server.resources.machines import Machine, make_machines
from kiemke.server.resources.tree import now_of, visible_units

NOUN = Both("đối chiếu", "match")

LISTING = Listing(
    columns="x.id, x.machine_id, x.decided_by, x.evidence_json, x.valid_from, x.recorded_at_ms,"
    " x.recorded_by, a.id AS asset_id, a.code, @name AS name,"
    " (SELECT MAX(h.hostname) FROM machine_source hs JOIN source h ON h.id = hs.source_id"
    " WHERE hs.machine_id = x.machine_id AND {active hs}) AS hostname".replace("@name", ASSET_NAME),
    tables="asset_match x JOIN asset a ON a.id = x.asset_id",
    where=("{active x}",),
    key="x.id",
    id="x.id",
    in_units="EXISTS (SELECT 1 FROM custody c WHERE c.asset_id = a.id AND {active c}"
    " AND c.unit_id IN :[units])",
    search=("a.search_key", "a.code", "a.tag", "a.serial"),
    descending=True,
)
UNMATCHED = Listing(
    columns="m.id",
    tables="machine m",
    where=(
        "EXISTS (SELECT 1 FROM machine_source x JOIN source s ON s.id = x.source_id"
        " WHERE x.machine_id = m.id AND {active x} AND s.state IN ('pending', 'approved'))",
        "NOT EXISTS (SELECT 1 FROM asset_match y WHERE y.machine_id = m.id AND {active y})",
    ),
    key="m.id",
    id="m.id",
    in_units=MACHINES.in_units,
    finds=MACHINES.finds,
)


@dataclass(frozen=True, slots=True)
class ReasonOutput:
    """One piece of evidence: what it is, what was compared, its points; negative speaks against."""

    code: str
    value: str | None
    points: int


@dataclass(frozen=True, slots=True)
class CandidateOutput:
    """An asset a machine may be; ``confidence`` is 1..99, ``level`` sure, likely or possible."""

    asset: AssetRef
    confidence: int
    level: str
    reasons: list[ReasonOutput]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A machine on no book and the three assets it may most likely be."""

    machine: Machine
    candidates: list[CandidateOutput]


@dataclass(frozen=True, slots=True)
class Match:
    """Which machine is which asset; ``decided_by`` is person, draft or the evidence that settled it."""

    id: int
    asset: AssetRef
    machine: int
    hostname: str | None
    decided_by: str
    confidence: int | None
    reasons: list[ReasonOutput]
    recorded_at: str | None
    recorded_by: str | None


class MatchInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A machine (id or host name) and the asset (code or sticker) that it is."""

    machine: str
    asset: str


@get("/api/v1/matches", opt={"role": "auditor"}, tags=["matches"])
async def list_matches(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Match]:
    """List matches, newest first, each with its evidence."""
    rows, total, cursor = await fetch_page(services_of(request), LISTING, asked)
    return Page([_make(row) for row in rows], total, cursor)


def _make(row: Row) -> Match:
    evidence = json.loads(row["evidence_json"])
    reasons = [
        ReasonOutput(r["code"], r["value"], r["points"]) for r in evidence.get("reasons", ())
    ]
    if "serial" in evidence:  # as the identity of machines writes it
        reasons = [ReasonOutput("serial", evidence["serial"], 0)]
    return Match(
        row["id"],
        AssetRef(row["code"], row["name"]),
        row["machine_id"],
        row["hostname"],
        row["decided_by"],
        evidence.get("confidence"),
        reasons,
        rfc3339(row["recorded_at_ms"]),
        row["recorded_by"],
    )


@get("/api/v1/matches/unmatched", opt={"role": "it"}, tags=["matches"])
async def list_unmatched(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Unmatched]:
    """List machines on no book, each with the three assets it may most likely be and why."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, UNMATCHED, asked)
    ids = [row["id"] for row in rows]
    allowed = await visible_units(services, request.user, asked.moment, None)
    async with services.db.reading() as session:
        span = await load_span(session, asked.moment.day, asked.moment.known_ms)
        found = {p.machine.id: p for p in await propose(session, ids, span, allowed)}
        assets = sorted({c.asset_id for p in found.values() for c in p.candidates})
        named = await session.fetch(
            "SELECT id, code, name FROM asset WHERE id IN :[ids]", ids=assets
        )
        words = await words_of(session, found.values())
    refs = {row["id"]: AssetRef(row["code"], row["name"]) for row in named}
    machines = await make_machines(services, ids, asked.moment, asked.units)
    items = [
        Unmatched(machine, candidates_of(found.get(machine.id), refs, words))
        for machine in machines
    ]
    return Page(items, total, cursor)


async def words_of(session: Any, proposals: Any) -> dict[tuple[str, str], str]:
    """Return the names behind the ids that reasons carry, by (code, id)."""
    values: dict[str, set[int]] = {"account": set(), "claimed_holder": set(), "unit": set()}
    for proposal in proposals:
        for candidate in proposal.candidates:
            for reason in candidate.reasons:
                if reason.code in values:
                    values[reason.code].add(int(reason.value))
    people = await session.fetch(
        "SELECT id, name FROM official WHERE id IN :[ids]",
        ids=sorted(values["account"] | values["claimed_holder"]),
    )
    units = await session.fetch(
        "SELECT unit_id AS id, name FROM unit_version WHERE unit_id IN :[ids]"
        " AND voided_at_ms IS NULL ORDER BY valid_from",
        ids=sorted(values["unit"]),
    )
    holders = ("account", "claimed_holder")
    told = {(code, str(row["id"])): row["name"] for row in people for code in holders}
    return told | {("unit", str(row["id"])): row["name"] for row in units}


def candidates_of(
    proposal: Proposal | None, refs: dict[int, AssetRef], words: dict[tuple[str, str], str]
) -> list[CandidateOutput]:
    """Return a proposal's candidates as they are answered, by what ``words_of`` gave."""
    if proposal is None:
        return []
    return [
        CandidateOutput(
            refs[c.asset_id],
            c.confidence,
            c.level,
            [
                ReasonOutput(r.code, words.get((r.code, r.value), r.value), r.points)
                for r in c.reasons
            ],
        )
        for c in proposal.candidates
    ]


@post("/api/v1/matches", opt={"role": "it"}, tags=["matches"])
async def accept_match(request: AppRequest, data: JSONBody[MatchInput]) -> Match:
    """Decide that a machine is an asset; both must be the user's and not matched yet."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    machine = await fetch_one(
        services, MACHINES, noun=MACHINE, ref=data.machine, names=MACHINE_NAMES, moment=moment,
        units=units,
    )  # fmt: skip
    asset = await fetch_one(
        services, ASSETS, noun=ASSET, ref=data.asset, names=("a.code", "a.tag"), moment=moment,
        units=units,
    )  # fmt: skip
    by = By(request.user.name, services.clock())
    try:
        async with services.db.change() as session:
            span = await load_span(session, moment.day, moment.known_ms)
            seen = await seen_machines(session, [machine["id"]], span)
            booked = await booked_assets(session, [asset["id"]], span)
            judged = judge(seen[machine["id"]], booked[0]) if booked and seen else None
            made = await match_decide.accept(
                session, asset["id"], machine["id"], match_decide.evidence_of(judged),
                match_decide.PERSON, services.today(), by,
            )  # fmt: skip
            await record(
                session, at_ms=by.now_ms, who=by.who, act="match.accept", subject=f"match:{made}",
                after={"asset": asset["id"], "machine": machine["id"]},
            )  # fmt: skip
    except CannotSay as error:
        raise refused(error) from error
    row = await fetch_one(
        services, LISTING, noun=NOUN, ref=str(made), names=(), moment=now_of(services), units=units
    )
    return _make(row)


@delete("/api/v1/matches/{ref:str}", opt={"role": "it"}, tags=["matches"])
async def undo_match(request: AppRequest, ref: FromPath[str]) -> None:
    """Undo a match: all stands as before it; what decided by itself will not do so again."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    found = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=(), moment=moment, units=units
    )
    by = By(request.user.name, services.clock())
    async with services.db.change() as session:
        await match_decide.undo(session, found, by)
        await record(
            session, at_ms=by.now_ms, who=by.who, act="match.undo", subject=f"match:{found['id']}",
            before={"asset": found["asset_id"], "machine": found["machine_id"]},
        )  # fmt: skip


HANDLERS = (list_matches, list_unmatched, accept_match, undo_match)
