"""Units: identities by code, and dated versions with name, type and parent."""

from kiemke.server.db import Session
from kiemke.server.domain.text import search_key, sort_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import (
    UNIT,
    Change,
    Context,
    DatedTable,
    Plan,
    Rows,
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
)
from kiemke.server.imports.table import TableRow

VERSIONS = DatedTable(
    "unit_version", "unit_id", ("parent_id", "code", "name", "type", "sort_key", "search_key")
)


class UnitImporter:
    """Plans and writes the rows of the template "units"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._versions: dict[int, Rows] = {}

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the units in the database; parents may stand in the same file."""
        plan = Plan()
        refuse_repeats(rows, ("code",), plan, context)
        self._draft.ids = await units_by_code(session, wanted(rows, "code", "parent"))
        self._draft.admit(sorted(wanted(rows, "code")))
        subjects = [self._draft.ids[row.values["code"]] for row in rows]
        self._versions = await VERSIONS.load(session, subjects)
        new = {id_ for id_, versions in self._versions.items() if versions.is_new}
        async for row in unhurried(in_order(rows, context)):
            self._plan_row(row, context, plan, new)
        if not plan.errors:
            await self._refuse_cycles(session, rows, context, plan)
        self._draft.changes = plan.changes
        return plan

    def _plan_row(self, row: TableRow, context: Context, plan: Plan, new: set[int]) -> None:
        unit_id = self._draft.ids[row.values["code"]]
        versions = self._versions[unit_id]
        before = held(versions, starts(row, context), VERSIONS.columns)
        fields = overlay(before, row, ("code", "name", "type"))
        parent_id = before["parent_id"] if before else None
        if "parent" in row.values:
            parent = row.values["parent"]
            parent_id = None if parent is None else self._draft.ids.get(parent)
            if parent is not None and parent_id is None:
                plan.refuse(context, row, "parent", *unknown(UNIT, "units", parent))
                return
        after: Fields = {
            "parent_id": parent_id,
            **fields,
            "sort_key": sort_key(fields["name"]),
            "search_key": search_key(fields["name"]),
        }
        value = tuple(after[name] for name in VERSIONS.columns)
        changed = put(versions, [value], row, context, plan)
        plan.outcomes[row.key] = outcome(unit_id in new, changed)
        if changed:
            paper = row.values.get("instrument")
            plan.changes.append(Change("unit", unit_id, before, row, paper))

    async def _refuse_cycles(
        self, session: Session, rows: list[TableRow], context: Context, plan: Plan
    ) -> None:
        """No unit may stand above itself, as the units are after this import."""
        stored = await session.fetch(
            "SELECT unit_id, parent_id FROM unit_version"
            " WHERE voided_at_ms IS NULL AND valid_to IS NULL"
        )
        parents: dict[int, int | None] = {row["unit_id"]: row["parent_id"] for row in stored}
        for unit_id, versions in self._versions.items():
            if last := versions.last():
                parents[unit_id] = next(iter(last.value))[0]
        for row in rows:
            above, seen = parents.get(self._draft.ids[row.values["code"]]), set[int]()
            while above is not None and above not in seen:
                seen.add(above)
                above = parents.get(above)
            if self._draft.ids[row.values["code"]] in seen:
                plan.refuse(
                    context, row, "parent",
                    Words("đơn vị nằm trên chính nó", "the unit would stand above itself"),
                    Words("sửa mã đơn vị cấp trên", "correct the parent's code"),
                )  # fmt: skip

    async def write(self, session: Script, context: Context) -> None:
        """Write identities first, then every version."""
        await self._draft.reserve(session, "unit")
        for unit_id in sorted((i for i in self._versions if i < 0), reverse=True):
            values = {"created_at_ms": context.now_ms, "demo": context.demo}
            self._draft.real_ids[unit_id] = await insert(session, "unit", values)
        await VERSIONS.store(session, self._versions, self._draft.real_ids, context)
        await self._draft.audit(session, context)
