"""The kinds of change that need a second person: one line each."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from kiemke.server.audit import record
from kiemke.server.db import Row, Session
from kiemke.server.domain.approvals import Decision, Kind
from kiemke.server.domain.asset_book import Statement, put_status
from kiemke.server.domain.calendar import local_day
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.erasure import erase
from kiemke.server.domain.refusal import Refused
from kiemke.server.domain.text_labels import Words
from kiemke.server.errors import Both, Problem


def refused(error: Refused) -> Problem:
    """Return the answer to what contradicts the ledgers."""
    what = Both(error.message.vi, error.message.en)
    return Problem("refused", what=what, remedy=Both(error.remedy.vi, error.remedy.en))


async def _dispose(
    session: Session, approval: Row, payload: Mapping[str, Any], decision: Decision
) -> None:
    """Dispose of an asset; payload: {asset_id, day}."""
    asset = await session.one("SELECT * FROM asset WHERE id = :id", id=payload["asset_id"])
    if asset is None:
        raise Problem("not_found", what=Both("tài sản", "asset"), ref=approval["subject"])
    said = Statement(date.fromisoformat(payload["day"]), approval["instrument"])
    stamp = By(decision.who, decision.now_ms)
    try:
        before = await put_status(session, asset, "disposed", said, stamp, apply=True)
    except Refused as error:
        raise refused(error) from error
    await record(
        session,
        at_ms=decision.now_ms,
        who=decision.who,
        act="asset.status",
        subject=approval["subject"],
        before={"status": before},
        after={"status": "disposed", "day": said.day, "asked_by": approval["asked_by"]},
        paper=said.instrument,
    )


async def _erase(
    session: Session, approval: Row, payload: Mapping[str, Any], decision: Decision
) -> None:
    """Erase a person; payload: {official_id}."""
    official = await session.one(
        "SELECT id, code FROM official WHERE id = :id", id=payload["official_id"]
    )
    row = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
    if official is None or row is None:
        raise Problem("not_found", what=Both("cán bộ", "official"), ref=approval["subject"])
    today = local_day(decision.now_ms, row["utc_offset_seconds"])
    try:
        done = await erase(session, official, today, decision.now_ms)
    except Refused as error:
        raise refused(error) from error
    await record(
        session,
        at_ms=decision.now_ms,
        who=decision.who,
        act="official.erase",
        subject=f"official:{official['code']}",
        after={"rows": done.rows, "asked_by": approval["asked_by"]},
        paper=approval["instrument"],
    )


KINDS: dict[str, Kind] = {
    "official.erase": Kind(Words("Xóa thông tin cá nhân", "Erase a person"), _erase),
    "asset.dispose": Kind(Words("Thanh lý tài sản", "Dispose of an asset"), _dispose),
}
