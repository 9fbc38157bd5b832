"""Officials: who they are and their primary membership, both as dated rows."""

from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.officials import ALWAYS
from kiemke.server.domain.person_name import PERSON, keys_of, person_fields
from kiemke.server.imports.ended_units import refuse_ended
from kiemke.server.imports.ledger import (
    UNIT,
    Change,
    Context,
    DatedTable,
    Plan,
    Rows,
    ids_by_code,
    units_by_code,
    unknown,
    wanted,
)
from kiemke.server.imports.script import Script
from kiemke.server.imports.statement import (
    Draft,
    Fields,
    held,
    in_order,
    insert,
    outcome,
    overlay,
    put,
    refuse_repeats,
    starts,
    unhurried,
    update,
)
from kiemke.server.imports.table import TableRow

MEMBERSHIPS = DatedTable(
    "membership", "official_id", ("unit_id", "kind", "post"), (("is_primary", True),)
)
PERSONS = DatedTable("official_version", "official_id", PERSON)
PLAIN = ("name", "phone", "mailbox", "account")


class OfficialImporter:
    """Plans and writes the rows of the template "officials"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._memberships: dict[int, Rows] = {}
        self._stored: dict[int, Fields] = {}
        self._persons: dict[int, Rows] = {}
        self._edited: dict[int, str] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the officials in the database."""
        plan = Plan()
        refuse_repeats(rows, ("code",), plan, context)
        codes = wanted(rows, "code")
        self._draft.ids = await ids_by_code(session, "official", codes)
        units = await units_by_code(session, wanted(rows, "unit"))
        stored = await session.fetch(
            "SELECT id, code, name, phone, mailbox, account FROM official WHERE id IN :[ids]",
            ids=sorted(self._draft.ids.values()),
        )
        self._stored = {row["id"]: row for row in stored}
        self._draft.admit(sorted(codes))
        self._memberships = await MEMBERSHIPS.load(session, self._draft.ids.values())
        self._persons = await PERSONS.load(session, self._draft.ids.values())
        async for row in unhurried(in_order(rows, context)):
            unit_id = units.get(row.values["unit"])
            if unit_id is None:
                plan.refuse(context, row, "unit", *unknown(UNIT, "units", row.values["unit"]))
            else:
                self._plan_row(row, unit_id, context, plan)
        memberships = {code: self._memberships[id_] for code, id_ in self._draft.ids.items()}
        await refuse_ended(session, rows, units, memberships, context, plan)
        self._draft.changes = plan.changes
        return plan

    def _plan_row(self, row: TableRow, unit_id: int, context: Context, plan: Plan) -> None:
        id_ = self._draft.ids[row.values["code"]]
        memberships = self._memberships[id_]
        was = held(memberships, starts(row, context), MEMBERSHIPS.columns)
        member = {"unit_id": unit_id, **overlay(was, row, ("kind", "post"))}
        value = tuple(member[name] for name in MEMBERSHIPS.columns)
        moved = put(memberships, [value], row, context, plan)
        known = self._known(id_, starts(row, context))
        edited = self._put_person(row, id_, known, context)
        plan.outcomes[row.key] = outcome(id_ < 0, moved or edited)
        if edited:
            self._edited[id_] = row.values["code"]
        if moved or edited:
            before = None if known is None else {k: known[k] for k in PLAIN} | (was or {})
            paper = row.values.get("instrument")
            plan.changes.append(Change("official", id_, before, row, paper))

    def _known(self, id_: int, day: date) -> Fields | None:
        """Return who the person was on the day, None for somebody new."""
        known = held(self._persons[id_], day, PERSON)
        if known is None and id_ in self._stored:  # known only by the plain fields of today
            plain = self._stored[id_]
            known = {name: plain.get(name) for name in PERSON}
        return known

    def _put_person(self, row: TableRow, id_: int, known: Fields | None, context: Context) -> bool:
        """State who the person is from the row's day on; the first statement holds since ever."""
        person = person_fields({k: row.values[k] for k in PLAIN if k in row.values}, known)
        if known is not None and all(known[name] == person[name] for name in PERSON):
            return False
        timeline = self._persons[id_]
        if known is not None and not timeline.spans:
            timeline.put(ALWAYS, frozenset([tuple(known[name] for name in PERSON)]), None)
        since = starts(row, context) if timeline.spans else ALWAYS
        value = frozenset([tuple(person[name] for name in PERSON)])
        return timeline.put(since, value, row.values.get("instrument"))

    async def write(self, session: Script, context: Context) -> None:
        """Write the persons first, then their memberships."""
        await self._draft.reserve(session, "official")
        for id_, code in sorted(self._edited.items(), reverse=True):
            person = held(self._persons[id_], context.today, PERSON) or {}
            fields = {**{name: person[name] for name in PLAIN}, **keys_of(person)}
            if id_ > 0:
                await update(session, "official", id_, fields)
            else:
                fields |= {"code": code, "created_at_ms": context.now_ms}
                self._draft.real_ids[id_] = await insert(session, "official", fields)
        edited = {id_: self._persons[id_] for id_ in self._edited}
        await PERSONS.store(session, edited, self._draft.real_ids, context)
        await MEMBERSHIPS.store(session, self._memberships, self._draft.real_ids, context)
        await self._draft.audit(session, context)
