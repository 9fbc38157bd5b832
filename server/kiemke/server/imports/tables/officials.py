"""Officials: who they are as plain fields, and their primary membership as dated rows."""

from kiemke.server.db import Session
from kiemke.server.domain.text import person_sort_key, search_key
from kiemke.server.imports.ledger import (
    UNIT,
    Context,
    DatedTable,
    Plan,
    Rows,
    ids_by_code,
    units_by_code,
    unknown,
    wanted,
)
from kiemke.server.imports.statement import (
    Change,
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
PLAIN = ("name", "phone", "mailbox", "account")


class OfficialImporter:
    """Plans and writes the rows of the template "officials"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._memberships: dict[int, Rows] = {}
        self._stored: dict[int, Fields] = {}
        self._plain: dict[int, Fields] = {}

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
        async for row in unhurried(in_order(rows, context)):
            unit_id = units.get(row.values["unit"])
            if unit_id is None:
                plan.refuse(context, row, "unit", *unknown(UNIT, "units", row.values["unit"]))
            else:
                self._plan_row(row, unit_id, context, plan)
        return plan

    def _plan_row(self, row: TableRow, unit_id: int, context: Context, plan: Plan) -> None:
        id_ = self._draft.ids[row.values["code"]]
        memberships = self._memberships[id_]
        stored = self._plain.get(id_) or self._stored.get(id_)
        plain = overlay(stored, row, PLAIN)
        was = held(memberships, starts(row, context), MEMBERSHIPS.columns)
        member = {"unit_id": unit_id, **overlay(was, row, ("kind", "post"))}
        value = tuple(member[name] for name in MEMBERSHIPS.columns)
        moved = put(memberships, [value], row, context, plan)
        edited = stored is None or any(stored[name] != plain[name] for name in PLAIN)
        plan.outcomes[row.number] = outcome(id_ < 0, moved or edited)
        if edited:
            self._plain[id_] = {"code": row.values["code"], **plain}
        if moved or edited:
            known = {name: value for name, value in (stored or {}).items() if name != "id"}
            before = None if stored is None else {**known, **(was or {})}
            paper = row.values.get("instrument")
            self._draft.changes.append(Change("official", id_, before, row.values, paper))

    async def write(self, session: Session, context: Context) -> None:
        """Write the persons first, then their memberships."""
        for id_, plain in sorted(self._plain.items(), reverse=True):
            fields = {
                **plain,
                "sort_key": person_sort_key(plain["name"]),
                "search_key": search_key(plain["name"]),
            }
            if id_ > 0:
                await update(session, "official", id_, fields)
            else:
                fields["created_at_ms"] = context.now_ms
                self._draft.real_ids[id_] = await insert(session, "official", fields)
        await MEMBERSHIPS.store(session, self._memberships, self._draft.real_ids, context)
        await self._draft.audit(session, context)
