"""The book against what is seen: differences by kind, and hardware changes settled."""

from dataclasses import dataclass
from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.domain import reconcile
from kiemke.server.domain.findings_now import part_text
from kiemke.server.domain.reconcile import Difference, Named, Question
from kiemke.server.domain.reconcile_sql import KINDS
from kiemke.server.domain.text import clean_text
from kiemke.server.errors import A_PAPER, Both, Problem
from kiemke.server.models.book import ASSET_KINDS
from kiemke.server.resources.listing import ListQuery, cursor_of
from kiemke.server.resources.tree import as_id, now_of, visible_units

NOUN = Both("thay đổi phần cứng", "hardware change")


@dataclass(frozen=True, slots=True)
class DifferenceOutput:
    """One difference. ``gone`` and ``come`` are parts in words; ``next`` is the command to type."""

    kind: str
    number: int | None
    asset: Named | None
    asset_kind: str | None
    unit: Named | None
    official: Named | None
    machine: int | None
    hostname: str | None
    device: Named | None
    seen_unit: Named | None
    seen_official: Named | None
    days: int | None
    section: str | None
    gone: list[str]
    come: list[str]
    since: str | None
    at: str | None
    owner: str | None
    return_on: str | None
    next: str


@dataclass(frozen=True, slots=True)
class ReconcilePage:
    """Some differences, how many there are in all and of each kind, and the cursor of the rest."""

    items: list[DifferenceOutput]
    total: int
    counts: dict[str, int]
    next: str | None


class SettleInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """By which paper, or why, a change of hardware is in order."""

    instrument: str


def _make(found: Difference) -> DifferenceOutput:
    return DifferenceOutput(
        found.kind,
        found.key if found.kind == "hardware" else None,
        found.asset,
        found.asset_kind,
        found.unit,
        found.person,
        found.machine_id,
        found.hostname,
        found.device,
        found.seen_unit,
        found.seen_person,
        found.days,
        found.section,
        [part_text(part) for part in found.gone],
        [part_text(part) for part in found.come],
        rfc3339(found.since_ms),
        rfc3339(found.at_ms),
        found.owner,
        found.return_on.isoformat() if found.return_on else None,
        found.next_command,
    )


@get("/api/v1/reconcile", opt={"role": "auditor"}, tags=["reconcile"])
async def list_differences(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    kind: Annotated[str | None, QueryParameter(description=" | ".join(KINDS))] = None,
    asset_kind: Annotated[str | None, QueryParameter(description="kind of asset")] = None,
) -> ReconcilePage:
    """List differences between the book and what is seen, each with the next command."""
    if kind is not None and kind not in KINDS:
        raise Problem("bad_field", field="kind", value=kind[:60], wanted=", ".join(KINDS))
    if asset_kind is not None and asset_kind not in ASSET_KINDS:
        wanted = ", ".join(ASSET_KINDS)
        raise Problem("bad_field", field="asset_kind", value=asset_kind[:60], wanted=wanted)
    if asked.q:
        nothing = Both("không: dùng unit, kind, asset_kind", "nothing: use unit, kind, asset_kind")
        raise Problem("bad_field", field="q", value=asked.q[:60], wanted=nothing)
    kinds = () if kind is None else (kind,)
    question = Question(asked.moment.day, asked.moment.known_ms, asked.units, asset_kind)
    after = None if asked.after is None else (str(asked.after[0]), asked.after[1])
    async with services_of(request).db.reading() as session:
        found, whole = await reconcile.read_page(session, question, kinds, asked.limit + 1, after)
        counts = await reconcile.count(session, question, kinds, whole)
    page = found[: asked.limit]
    more = cursor_of(page[-1].question, page[-1].key) if len(found) > asked.limit else None
    return ReconcilePage([_make(each) for each in page], sum(counts.values()), counts, more)


@post(
    "/api/v1/reconcile/hardware/{ref:str}/settle",
    status_code=200,
    opt={"role": "it"},
    tags=["reconcile"],
)
async def settle_hardware(
    request: AppRequest, ref: FromPath[str], data: JSONBody[SettleInput]
) -> DifferenceOutput:
    """Say by which paper parts of a PC went or came; the difference is settled."""
    services = services_of(request)
    moment = now_of(services)
    paper = clean_text(data.instrument, 200)
    if not paper:
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    units = await visible_units(services, request.user, moment, None)
    number = as_id(ref)
    question = Question(moment.day, moment.known_ms, units)
    async with services.db.change() as session:
        after = ("hardware", (number or 0) - 1)
        found = await reconcile.read(session, question, ("hardware",), 1, after)
        if not found or found[0].key != number:
            raise Problem("not_found", what=NOUN, ref=ref[:60])
        await session.execute(
            "UPDATE hardware_change SET settled_at_ms = :now, settled_by = :who,"
            " settled_paper = :paper WHERE id = :id AND settled_at_ms IS NULL",
            now=services.clock(),
            who=request.user.name,
            paper=paper,
            id=number,
        )
        await record(
            session, at_ms=services.clock(), who=request.user.name, act="hardware.settle",
            subject=f"hardware:{number}",
            before={"gone": [part_text(p) for p in found[0].gone]},
            after={"come": [part_text(p) for p in found[0].come]}, paper=paper,
        )  # fmt: skip
    return _make(found[0])


HANDLERS = (list_differences, settle_hardware)
