"""Erasing a person: said first, asked for by one, done by another's yes."""

from dataclasses import dataclass
from typing import Any

from litestar import post
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.approval_kinds import refused
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.approvals import ask
from kiemke.server.domain.erasure import CannotErase, plan
from kiemke.server.errors import Problem
from kiemke.server.resources.grants import paper_of
from kiemke.server.resources.officials import NOUN
from kiemke.server.resources.tree import as_id, now_of, visible_units


@dataclass(frozen=True, slots=True)
class EraseInput:
    """The paper that orders it."""

    instrument: str


@dataclass(frozen=True, slots=True)
class EraseOutput:
    """What goes, and the approval it waits for (null in a dry run)."""

    code: str
    pseudonym: str
    rows: dict[str, int]
    approval: int | None


@post("/api/v1/officials/{ref:str}/erase", status_code=200, opt={"role": "it"}, tags=["officials"])
async def erase_official(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[EraseInput],
    apply: FromQuery[bool] = False,
) -> EraseOutput:
    """Say what erasing a person who left would do; with ``apply``, let it wait for another's yes."""
    services = services_of(request)
    paper = paper_of(data.instrument)
    units = await visible_units(services, request.user, now_of(services), None)
    async with services.db.change() as session:
        official = await session.one(
            "SELECT o.id, o.code, (SELECT m.unit_id FROM membership m WHERE m.official_id = o.id"
            " AND m.voided_at_ms IS NULL ORDER BY m.is_primary DESC, m.valid_from DESC, m.id DESC"
            " LIMIT 1) AS unit_id FROM official o WHERE o.code = :ref OR o.id = :id",
            ref=ref,
            id=as_id(ref) or 0,
        )
        if official is None or (units is not None and official["unit_id"] not in units):
            raise Problem("not_found", what=NOUN, ref=ref)
        try:
            planned = await plan(session, official, services.today())
        except CannotErase as error:
            raise refused(error) from error
        number = None
        if apply:
            payload: dict[str, Any] = {"official_id": official["id"]}
            number = await ask(
                session,
                kind="official.erase",
                subject=f"official:{official['id']}",
                unit_id=official["unit_id"],
                payload=payload,
                instrument=paper,
                user_id=request.user.user_id,
                who=request.user.name,
                now_ms=services.clock(),
            )
    return EraseOutput(official["code"], planned.pseudonym, planned.rows, number)


HANDLERS = (erase_official,)
