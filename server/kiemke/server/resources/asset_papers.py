"""What papers change of one asset: its condition, its price, whose it is; and drafts of seen PCs."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
from litestar import post
from litestar.params import FromPath, FromQuery, JSONBody

from kiemke.server.approval_kinds import refused as refused  # others take it from here
from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, services_of
from kiemke.server.db import Row, Session
from kiemke.server.domain import asset_book, asset_draft
from kiemke.server.domain.approvals import ask
from kiemke.server.domain.asset_book import CannotSay, Statement
from kiemke.server.domain.bogus import sane_mac
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.text import clean_text, serial_key
from kiemke.server.errors import A_PAPER, UP_TO_TODAY, Both, Problem
from kiemke.server.models.book import ASSET_KINDS, ASSET_STATUSES, NO_AGENT_REASONS, OWNERSHIPS
from kiemke.server.resources.assets import LISTING, NOUN
from kiemke.server.resources.listing import fetch_one
from kiemke.server.resources.machines import LISTING as MACHINES
from kiemke.server.resources.machines import NAMES as MACHINE_NAMES
from kiemke.server.resources.machines import NOUN as MACHINE
from kiemke.server.resources.tree import now_of, visible_units

_MOST_DONG = 10**15


class StatusInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Which condition, since which day, by which paper."""

    status: str
    day: date
    instrument: str


class FactsInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What a paper says from a day on; fields left out stay. ``serial``, ``mac`` and ``code`` are
    the thing's own and have no date.
    """

    day: date
    instrument: str
    price_dong: int | None | msgspec.UnsetType = msgspec.UNSET
    in_use_since: date | None | msgspec.UnsetType = msgspec.UNSET
    ownership: str | msgspec.UnsetType = msgspec.UNSET
    owner_name: str | None | msgspec.UnsetType = msgspec.UNSET
    return_on: date | None | msgspec.UnsetType = msgspec.UNSET
    name: str | msgspec.UnsetType = msgspec.UNSET
    code: str | msgspec.UnsetType = msgspec.UNSET
    tag: str | None | msgspec.UnsetType = msgspec.UNSET
    kind: str | msgspec.UnsetType = msgspec.UNSET
    no_agent_reason: str | None | msgspec.UnsetType = msgspec.UNSET
    serial: str | None | msgspec.UnsetType = msgspec.UNSET
    mac: str | None | msgspec.UnsetType = msgspec.UNSET


class DraftInput(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A seen PC to book without paper; ``code`` is made from the machine's number when left out."""

    machine: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class PaperOutput:
    """What is so before and after, and whether it was written; ``approval`` is what it waits for."""

    code: str
    before: dict[str, Any]
    after: dict[str, Any]
    applied: bool
    approval: int | None = None


async def _find(request: AppRequest, ref: str) -> int:
    """Return the id of an asset that the user answers for today. Raises Problem 404."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    found = await fetch_one(
        services, LISTING, noun=NOUN, ref=ref, names=("a.code", "a.tag"), moment=moment, units=units
    )
    return int(found["id"])


async def _row(session: Session, asset_id: int) -> Row:
    row = await session.one("SELECT * FROM asset WHERE id = :id", id=asset_id)
    if row is None:
        raise Problem("not_found", what=NOUN, ref=str(asset_id))
    return row


def _said(services: Services, day: date, instrument: str) -> Statement:
    paper = clean_text(instrument, 200)
    if not paper:
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    if day > services.today():
        raise Problem("bad_field", field="day", value=str(day), wanted=UP_TO_TODAY)
    return Statement(day, paper)


@post("/api/v1/assets/{ref:str}/status", status_code=200, opt={"role": "it"}, tags=["assets"])
async def change_status(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[StatusInput],
    apply: FromQuery[bool] = False,
) -> PaperOutput:
    """Say what an asset's condition would be; with ``apply``, write it.

    A disposal is not written but waits for another person's yes (``approval``).
    """
    services = services_of(request)
    if data.status not in ASSET_STATUSES:
        wanted = ", ".join(ASSET_STATUSES)
        raise Problem("bad_field", field="status", value=data.status[:60], wanted=wanted)
    said = _said(services, data.day, data.instrument)
    by = By(request.user.name, services.clock())
    asset_id = await _find(request, ref)
    approval = None
    try:
        async with services.db.change() as session:
            asset = await _row(session, asset_id)
            waits = apply and data.status == "disposed"
            before = await asset_book.put_status(
                session, asset, data.status, said, by, apply=apply and not waits
            )
            if waits:
                approval = await _ask_to_dispose(session, request, asset_id, said, by)
            elif apply:
                await record(
                    session, at_ms=by.now_ms, who=by.who, act="asset.status",
                    subject=f"asset:{asset_id}", before={"status": before},
                    after={"status": data.status, "day": said.day}, paper=said.instrument,
                )  # fmt: skip
    except CannotSay as error:
        raise refused(error) from error
    after = {"status": data.status, "day": said.day.isoformat()}
    applied = apply and approval is None
    return PaperOutput(asset["code"], {"status": before}, after, applied, approval)


async def _ask_to_dispose(
    session: Session, request: AppRequest, asset_id: int, said: Statement, by: By
) -> int:
    """Let a disposal wait for a second person of the unit that answers for the asset."""
    held = await session.one(
        "SELECT unit_id FROM custody WHERE asset_id = :id AND voided_at_ms IS NULL"
        " ORDER BY valid_from DESC, id DESC LIMIT 1",
        id=asset_id,
    )
    return await ask(
        session,
        kind="asset.dispose",
        subject=f"asset:{asset_id}",
        unit_id=held["unit_id"] if held else None,
        payload={"asset_id": asset_id, "day": said.day.isoformat()},
        instrument=said.instrument or "",
        user_id=request.user.user_id,
        who=by.who,
        now_ms=by.now_ms,
    )


@post("/api/v1/assets/{ref:str}/facts", status_code=200, opt={"role": "it"}, tags=["assets"])
async def change_facts(
    request: AppRequest,
    ref: FromPath[str],
    data: JSONBody[FactsInput],
    apply: FromQuery[bool] = False,
) -> PaperOutput:
    """Say what a paper would change of an asset; with ``apply``, write it."""
    services = services_of(request)
    said = _said(services, data.day, data.instrument)
    by = By(request.user.name, services.clock())
    asset_id = await _find(request, ref)
    async with services.db.change() as session:
        asset = await _row(session, asset_id)
        facts = _facts(data)
        await _demand_free(session, asset, "tag", facts.get("tag"))
        before, after = await asset_book.put_facts(session, asset, facts, said, by, apply=apply)
        _check_owner(after)
        names = await _names(session, asset, data)
        before |= {name: asset[name] for name in names}
        after |= names
        if apply:
            await asset_book.rename(session, asset_id, names)
            await record(
                session, at_ms=by.now_ms, who=by.who, act="asset.facts",
                subject=f"asset:{asset_id}", before=before, after={**after, "day": said.day},
                paper=said.instrument,
            )  # fmt: skip
    changed = [name for name in after if after[name] != before[name]]
    return PaperOutput(
        asset["code"],
        {name: _plain(before[name]) for name in changed},
        {name: _plain(after[name]) for name in changed},
        apply,
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


def _given(data: FactsInput, names: tuple[str, ...]) -> dict[str, Any]:
    told = {name: getattr(data, name) for name in names}
    return {name: value for name, value in told.items() if value is not msgspec.UNSET}


def _facts(data: FactsInput) -> dict[str, Any]:
    facts = _given(data, asset_book.FACTS.columns)
    ownership = facts.get("ownership", "owned")
    if ownership not in OWNERSHIPS:
        wanted = ", ".join(OWNERSHIPS)
        raise Problem("bad_field", field="ownership", value=ownership[:60], wanted=wanted)
    for name, choices in (("kind", ASSET_KINDS), ("no_agent_reason", NO_AGENT_REASONS)):
        if facts.get(name) is not None and facts[name] not in choices:
            raise Problem(
                "bad_field", field=name, value=facts[name][:60], wanted=", ".join(choices)
            )
    price = facts.get("price_dong")
    if price is not None and not 0 <= price <= _MOST_DONG:
        raise Problem(
            "bad_field", field="price_dong", value=str(price)[:60], wanted=f"0..{_MOST_DONG}"
        )
    if "name" in facts:
        facts["name"] = clean_text(facts["name"], 200)
        if not facts["name"]:
            raise Problem("bad_field", field="name", value="", wanted=Both("tên", "a name"))
    if facts.get("tag") is not None:
        facts["tag"] = clean_text(facts["tag"], 60) or None
    if facts.get("owner_name") is not None:
        facts["owner_name"] = clean_text(facts["owner_name"], 200)
    return facts


def _check_owner(after: dict[str, Any]) -> None:
    """What is the office's own goes back to nobody; what is borrowed is somebody's."""
    if after["ownership"] in ("borrowed", "provider"):
        if after["owner_name"] is None:
            raise Problem(
                "bad_field", field="owner_name", value="", wanted=Both("bên cho mượn", "the lender")
            )
    elif after["owner_name"] is not None or after["return_on"] is not None:
        wanted = Both("để trống (null) khi không phải đồ mượn", "null for what is not borrowed")
        raise Problem("bad_field", field="owner_name, return_on", value="", wanted=wanted)


async def _demand_free(session: Session, asset: Row, name: str, value: str | None) -> None:
    """Refuse a code or sticker that is another asset's."""
    other = value and await session.one(
        f"SELECT id FROM asset WHERE {name} = :value AND id <> :id",  # noqa: S608  # a column's name
        value=value,
        id=asset["id"],
    )
    if other:
        raise Problem("conflict", what=NOUN, ref=value)


async def _names(session: Session, asset: Row, data: FactsInput) -> dict[str, Any]:
    """Return what names the thing anew, checked: codes and stickers are one asset's."""
    names = _given(data, ("code", "serial"))
    names = {name: clean_text(value, 60) if value else None for name, value in names.items()}
    if "code" in names and not names["code"]:
        raise Problem("bad_field", field="code", value="", wanted=Both("mã", "a code"))
    await _demand_free(session, asset, "code", names.get("code"))
    if "serial" in names:
        names["serial_key"] = serial_key(names["serial"]) if names["serial"] else None
    if data.mac is not msgspec.UNSET:
        names["mac_key"] = sane_mac(data.mac) if data.mac else None
        if data.mac and names["mac_key"] is None:
            wanted = Both("địa chỉ MAC do hãng ghi", "a maker's MAC address")
            raise Problem("bad_field", field="mac", value=data.mac[:60], wanted=wanted)
    return names


@post("/api/v1/assets", opt={"role": "it"}, tags=["assets"])
async def book_draft(request: AppRequest, data: JSONBody[DraftInput]) -> PaperOutput:
    """Book a seen PC as a draft: without paper it counts nowhere, auditors see it apart."""
    services = services_of(request)
    moment = now_of(services)
    units = await visible_units(services, request.user, moment, None)
    machine = await fetch_one(
        services, MACHINES, noun=MACHINE, ref=data.machine, names=MACHINE_NAMES, moment=moment,
        units=units,
    )  # fmt: skip
    by = By(request.user.name, services.clock())
    code = clean_text(data.code, 60) if data.code else None
    try:
        async with services.db.change() as session:
            made = await asset_draft.book(session, machine["id"], code, services.today(), by)
            await record(
                session, at_ms=by.now_ms, who=by.who, act="asset.draft",
                subject=f"asset:{made['id']}", after=made,
            )  # fmt: skip
    except CannotSay as error:
        raise refused(error) from error
    return PaperOutput(made["code"], {}, made, True)


HANDLERS = (change_status, change_facts, book_draft)
