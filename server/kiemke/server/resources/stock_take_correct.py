"""What was said wrongly when a stock-take was opened: its day and its board, while it is open."""

from dataclasses import asdict, replace
from datetime import date

import msgspec
from litestar import post
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain import stock_takes
from kiemke.server.errors import Both, Problem
from kiemke.server.resources.acts import told
from kiemke.server.resources.stock_takes import (
    MemberInput,
    TakeOutput,
    asker_of,
    demand_near,
    find_take,
    lines_of,
    make,
    read_board,
    read_paper,
)
from kiemke.server.resources.tree import load_refs, now_of


class CorrectInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The paper that corrects, and what is right: the day, the whole board; left out is as it was."""

    instrument: str
    day: date | msgspec.UnsetType = msgspec.UNSET
    board: list[MemberInput] | msgspec.UnsetType = msgspec.UNSET


@post("/api/v1/stock-takes/{ref:str}/correct", status_code=200, opt={"role": "it"}, tags=["assets"])
async def correct_stock_take(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[CorrectInput],
    apply: FromQuery[bool] = False,
) -> TakeOutput:
    """Say what lines an open stock-take has with another day or board; with ``apply``, correct it."""
    services = services_of(request)
    paper = read_paper(data.instrument)
    if data.day is msgspec.UNSET and data.board is msgspec.UNSET:
        raise Problem(
            "bad_field", field="day", value="", wanted=Both("ngày hoặc ban", "a day or a board")
        )
    board = None if data.board is msgspec.UNSET else read_board(data.board)
    async with services.db.change() as session:
        moment = now_of(services)  # not before its turn: who was before may have closed it
        take = await find_take(request, ref, moment)
        day = take.day if data.day is msgspec.UNSET else data.day
        demand_near(day, moment.day)
        right = replace(take, day=day, board=take.board if board is None else board)
        asker = await asker_of(request, right, moment.known_ms)
        with told():
            await stock_takes.demand_correctable(session, take, day)
            if apply and (right.day, right.board) != (take.day, take.board):
                await stock_takes.correct_take(
                    session, take, right.day, right.board,
                    instrument=paper, who=request.user.name, now_ms=moment.known_ms,
                )  # fmt: skip
                await record(
                    session, at_ms=moment.known_ms, who=request.user.name, act="stock_take.correct",
                    subject=f"stock_take:{take.id}", paper=paper,
                    before={"day": take.day, "board": [asdict(m) for m in take.board]},
                    after={"day": right.day, "board": [asdict(m) for m in right.board]},
                )  # fmt: skip
            lines, _ = await lines_of(session, asker, right, moment.known_ms)
    made = make(right, await load_refs(services, moment), lines)
    return replace(made, applied=apply)


HANDLERS = (correct_stock_take,)
