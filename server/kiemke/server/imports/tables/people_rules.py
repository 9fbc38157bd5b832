"""Absences, coverage targets and holidays: dated rows without plain fields beside them."""

from datetime import date
from typing import Any

from kiemke.server.db import Session, as_date
from kiemke.server.imports.ledger import (
    OFFICIAL,
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
    overlay,
    put,
    refuse_repeats,
    starts,
    unhurried,
)
from kiemke.server.imports.table import TableRow

ABSENCES = DatedTable("absence", "official_id", ("reason",))


class AbsenceImporter:
    """Plans and writes the rows of the template "absences"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._absences: dict[int, Rows] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the absences of the officials named."""
        plan = Plan()
        refuse_repeats(rows, ("official",), plan, context)
        officials = await ids_by_code(session, "official", wanted(rows, "official"))
        self._absences = await ABSENCES.load(session, officials.values())
        async for row in unhurried(in_order(rows, context)):
            code = row.values["official"]
            if code not in officials:
                plan.refuse(context, row, "official", *unknown(OFFICIAL, "officials", code))
                continue
            absences = self._absences[officials[code]]
            is_new = absences.at(starts(row, context)) is None
            changed = put(absences, [(row.values["reason"],)], row, context, plan)
            plan.outcomes[row.key] = outcome(is_new, changed)
            if changed:
                paper = row.values.get("instrument")
                subject = officials[code]
                plan.changes.append(Change("absence", subject, None, row, paper))
        self._draft.changes = plan.changes
        return plan

    async def write(self, session: Script, context: Context) -> None:
        """Write the differences."""
        await ABSENCES.store(session, self._absences, {}, context)
        await self._draft.audit(session, context)


class TargetImporter:
    """Plans and writes the rows of the template "targets"; one line of time per unit and measure."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._tables: dict[tuple[str, str], tuple[DatedTable, dict[int, Rows]]] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the targets of the units named."""
        plan = Plan()
        refuse_repeats(rows, ("unit", "measure", "kinds"), plan, context)
        units = await units_by_code(session, wanted(rows, "unit"))
        async for row in unhurried(in_order(rows, context)):
            code = row.values["unit"]
            if code not in units:
                plan.refuse(context, row, "unit", *unknown(UNIT, "units", code))
                continue
            measure, kinds = row.values["measure"], ",".join(row.values.get("kinds", ()))
            if (measure, kinds) not in self._tables:
                table = DatedTable(
                    "coverage_target",
                    "unit_id",
                    ("target_thousandths", "source_text"),
                    (("measure", measure), ("kinds", kinds)),
                )
                found = await table.load(session, units.values())
                self._tables[measure, kinds] = (table, found)
            targets = self._tables[measure, kinds][1][units[code]]
            is_new = targets.at(starts(row, context)) is None
            value = (row.values["target"], row.values.get("source"))
            changed = put(targets, [value], row, context, plan)
            plan.outcomes[row.key] = outcome(is_new, changed)
            if changed:
                paper = row.values.get("instrument") or row.values.get("source")
                plan.changes.append(Change("target", units[code], None, row, paper))
        self._draft.changes = plan.changes
        return plan

    async def write(self, session: Script, context: Context) -> None:
        """Write the differences."""
        for table, found in self._tables.values():
            await table.store(session, found, {}, context)
        await self._draft.audit(session, context)


class HolidayImporter:
    """Plans and writes the rows of the template "holidays"; a changed day is voided and added."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._stored: dict[date, Fields] = {}
        self._news: list[TableRow] = []

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the calendar in the database."""
        plan = Plan()
        refuse_repeats(rows, ("day",), plan, context)
        stored = await session.fetch(
            "SELECT id, day, working, name, instrument FROM holiday WHERE voided_at_ms IS NULL"
        )
        self._stored = {as_date(row["day"]): row for row in stored}
        for row in rows:
            was = self._stored.get(row.values["day"])
            now = self._fields(row, was)
            changed = was is None or any(was[name] != now[name] for name in now)
            plan.outcomes[row.key] = outcome(was is None, changed)
            if changed:
                self._news.append(row)
                day = row.values["day"].toordinal()
                before = {name: was[name] for name in now} if was else None
                plan.changes.append(Change("holiday", day, before, row, now["instrument"]))
        self._draft.changes = plan.changes
        return plan

    @staticmethod
    def _fields(row: TableRow, was: Fields | None) -> dict[str, Any]:
        fields = overlay(was, row, ("working", "name", "instrument"))
        return {**fields, "working": bool(fields["working"])}

    async def write(self, session: Script, context: Context) -> None:
        """Write the differences."""
        for row in self._news:
            day = row.values["day"]
            was = self._stored.get(day)
            if was is not None:
                await session.execute(
                    "UPDATE holiday SET voided_at_ms = :now_ms, voided_by = :who WHERE id = :old",
                    now_ms=context.now_ms,
                    who=context.who,
                    old=was["id"],
                )
            fields = {
                "day": day,
                "valid_from": day,
                "recorded_at_ms": context.now_ms,
                "recorded_by": context.who,
                **self._fields(row, was),
            }
            await insert(session, "holiday", fields)
        await self._draft.audit(session, context)
