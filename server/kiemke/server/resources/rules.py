"""Rules as dated rows: what holds on a day, and a change by a paper."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody

from kiemke.server.audit import record
from kiemke.server.auth import AppRequest
from kiemke.server.context import services_of
from kiemke.server.domain.rule_acts import RuleChange, RuleState, load, put
from kiemke.server.domain.text import is_found
from kiemke.server.errors import A_PAPER, Both, Problem
from kiemke.server.resources.listing import ListQuery, Page, day_text, language_of, page_of
from kiemke.wire.clean import clean_text


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule that holds on ``day``; ``shipped`` false: a row of this installation says so."""

    day: str
    name: str
    subject: str
    value: Any
    source: str | None
    since: str | None
    until: str | None
    shipped: bool


@dataclass(frozen=True, slots=True)
class RuleInput:
    """A rule from a day on, by a paper; ``value`` null takes it away, ``until`` null lasts."""

    name: str
    day: date
    instrument: str
    value: Any = None
    subject: str = ""
    until: date | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """Whether the rule is news, and whether it was written."""

    name: str
    subject: str
    changed: bool
    applied: bool


class _NotApplied(Exception):
    """Undoes what a dry run wrote."""


@get("/api/v1/rules", opt={"role": "auditor"}, tags=["rules"])
async def list_rules(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Rule]:
    """List the rules of a day by name and subject."""
    services = services_of(request)
    async with services.db.reading() as session:
        rows = await load(session, asked.moment.day, asked.moment.known_ms)
    rows = [row for row in rows if is_found(asked.q, f"{row.name} {row.subject}")]
    page, cursor = page_of(rows, asked)
    language, day = language_of(request), asked.moment.day.isoformat()
    return Page([_make(row, language, day) for row in page], len(rows), cursor)


def _make(row: RuleState, language: str, day: str) -> Rule:
    return Rule(
        day,
        row.name,
        row.subject,
        row.value,
        row.source.say(language) if row.source else None,
        day_text(row.since),
        day_text(row.until),
        row.is_shipped,
    )


@post("/api/v1/rules", status_code=200, opt={"role": "admin"}, tags=["rules"])
async def set_rule(
    request: AppRequest, data: JSONBody[RuleInput], apply: FromQuery[bool] = False
) -> RuleOutcome:
    """Try a rule on its readers and say whether it is news; with ``apply``, write it."""
    services = services_of(request)
    if request.user.unit_id is not None:
        raise Problem(
            "forbidden",
            role=request.user.role,
            needed=Both("admin, mọi đơn vị", "admin, all units"),
        )
    instrument = clean_text(data.instrument, 200)
    if not instrument:
        raise Problem("bad_field", field="instrument", value="", wanted=A_PAPER)
    if data.until is not None and data.until <= data.day:
        raise Problem("bad_field", field="until", value=str(data.until), wanted="> day")
    source = clean_text(data.source, 300) if data.source else None
    change = RuleChange(
        data.name, clean_text(data.subject, 80) or "", data.value, data.day, data.until,
        instrument, source,
    )  # fmt: skip
    changed = False
    try:
        async with services.db.change() as session:
            who, now_ms = request.user.name, services.clock()
            changed = await put(session, change, who=who, now_ms=now_ms)
            if not apply:
                raise _NotApplied
            if changed:
                await record(
                    session, at_ms=now_ms, who=who, act="rule.set",
                    subject=f"rule:{change.name}:{change.subject}",
                    after={"value": change.value, "day": change.since, "until": change.until},
                    paper=instrument,
                )  # fmt: skip
    except _NotApplied:
        return RuleOutcome(change.name, change.subject, changed, False)
    return RuleOutcome(change.name, change.subject, changed, True)


HANDLERS = (list_rules, set_rule)
