"""Indicators that no machine can measure: what each one is, and a unit's actual and target figures."""

from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.indicators import BadFigure, read_figure
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words
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
    in_order,
    insert,
    outcome,
    put,
    refuse_repeats,
    unhurried,
    update,
)
from kiemke.server.imports.table import TableRow

PLAIN = ("name", "measure", "more_is_better")
ROLES = ("actual", "target")
_Key = tuple[int, str]


class IndicatorImporter:
    """Plans and writes the rows of the template "indicators"; a line of time per unit and role."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._stored: dict[int, Fields] = {}
        self._plain: dict[int, Fields] = {}
        self._tables: dict[_Key, tuple[DatedTable, dict[int, Rows]]] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the indicators and figures in the database."""
        plan = Plan()
        refuse_repeats(rows, ("code", "unit"), plan, context)
        codes = wanted(rows, "code")
        self._draft.ids = await ids_by_code(session, "indicator", codes)
        stored = await session.fetch(
            "SELECT id, code, name, measure, more_is_better FROM indicator WHERE id IN :[ids]",
            ids=sorted(self._draft.ids.values()),
        )
        self._stored = {row["id"]: row for row in stored}
        self._draft.admit(sorted(codes))
        units = await units_by_code(session, wanted(rows, "unit"))
        async for row in unhurried(in_order(rows, context)):
            unit_id = units.get(row.values["unit"])
            if unit_id is None:
                plan.refuse(context, row, "unit", *unknown(UNIT, "units", row.values["unit"]))
            else:
                await self._plan_row(session, row, unit_id, context, plan)
        self._draft.changes = plan.changes
        return plan

    async def _plan_row(
        self, session: Session, row: TableRow, unit_id: int, context: Context, plan: Plan
    ) -> None:
        id_ = self._draft.ids[row.values["code"]]
        stored = self._plain.get(id_) or self._stored.get(id_)
        plain = self._plain_of(stored, row)
        if not self._check(row, stored, plain, context, plan):
            return
        edited = stored is None or any(stored[name] != plain[name] for name in PLAIN)
        if edited:
            self._plain[id_] = {"code": row.values["code"], **plain}
        moved, is_new = False, id_ < 0
        for role in ROLES:
            text = row.values.get(role)
            if text is None:
                continue
            try:
                amount = read_figure(text, plain["measure"])
            except BadFigure as error:
                plan.refuse(context, row, role, error.problem, error.remedy)
                return
            figures = await self._timeline(session, id_, role, unit_id)
            is_new = is_new or not figures.spans
            moved |= put(figures, [(amount, row.values.get("source"))], row, context, plan)
        plan.outcomes[row.key] = outcome(is_new, moved or edited)
        if moved or edited:
            before = None
            if stored is not None:
                before = {name: stored[name] for name in PLAIN}
            paper = row.values.get("instrument") or row.values.get("source")
            plan.changes.append(Change("indicator", id_, before, row, paper))

    def _plain_of(self, stored: Fields | None, row: TableRow) -> Fields:
        """Return what the indicator is: an empty cell leaves it as it was, unlike an empty figure."""
        given = {name: row.values.get(name) for name in PLAIN}
        known = {"more_is_better": True, **(stored or {})}
        return {name: known.get(name) if value is None else value for name, value in given.items()}

    def _check(
        self, row: TableRow, stored: Fields | None, plain: Fields, context: Context, plan: Plan
    ) -> bool:
        if plain["name"] is None or plain["measure"] is None:
            column = "name" if plain["name"] is None else "measure"
            plan.refuse(
                context, row, column,
                Words("chỉ số mới cần tên và cách đo", "a new indicator needs a name and a measure"),
                Words("điền cả hai", "fill in both"),
            )  # fmt: skip
            return False
        if stored is not None and stored["measure"] != plain["measure"]:
            plan.refuse(
                context, row, "measure",
                Words("chỉ số này đã có cách đo khác", "this indicator has another measure"),
                Words("dùng mã khác cho cách đo khác", "use another code for another measure"),
            )  # fmt: skip
            return False
        return True

    async def _timeline(self, session: Session, id_: int, role: str, unit_id: int) -> Rows:
        key = (id_, role)
        if key not in self._tables:
            constant: tuple[tuple[str, Any], ...] = (("indicator_id", id_), ("role", role))
            columns = ("amount_millionths", "source_text")
            table = DatedTable("indicator_figure", "unit_id", columns, constant)
            self._tables[key] = (table, {})
        table, found = self._tables[key]
        if unit_id not in found:
            found.update(await table.load(session, [unit_id]))
        return found[unit_id]

    async def write(self, session: Script, context: Context) -> None:
        """Write the indicators first, then their figures."""
        await self._draft.reserve(session, "indicator")
        for id_, plain in sorted(self._plain.items(), reverse=True):
            fields = {**plain, "search_key": search_key(f"{plain['code']} {plain['name']}")}
            if id_ > 0:
                await update(session, "indicator", id_, fields)
            else:
                fields["created_at_ms"] = context.now_ms
                self._draft.real_ids[id_] = await insert(session, "indicator", fields)
        for (id_, role), (table, found) in self._tables.items():
            constant = (("indicator_id", self._draft.real(id_)), ("role", role))
            real = DatedTable(table.name, table.subject, table.columns, constant)
            await real.store(session, found, {}, context)
        await self._draft.audit(session, context)
