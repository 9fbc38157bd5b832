"""Network devices registered for polling: plain fields only, changes are in the audit log."""

from kiemke.server.db import Session
from kiemke.server.domain.sites import Sites, load_sites
from kiemke.server.domain.sites_words import REMEDY, WHY
from kiemke.server.domain.text import search_key
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.cells import is_address
from kiemke.server.imports.ledger import (
    ASSET,
    UNIT,
    Change,
    Context,
    Plan,
    ids_by_code,
    units_by_code,
    unknown,
    wanted,
)
from kiemke.server.imports.script import Script
from kiemke.server.imports.statement import (
    Draft,
    Fields,
    insert,
    outcome,
    overlay,
    refuse_repeats,
    update,
)
from kiemke.server.imports.table import TableRow
from kiemke.wire.reach import NOT_AN_ADDRESS

_SNMP_PORT = 161
_LAST_PORT = 65_535
PLAIN = ("name", "kind", "unit_id", "asset_id", "address", "port", "credential")


class DeviceImporter:
    """Plans and writes the rows of the template "devices"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._units: dict[str, int] = {}
        self._assets: dict[str, int] = {}
        self._stored: dict[int, Fields] = {}
        self._plain: dict[int, Fields] = {}
        self._sites = Sites([], {})

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the devices in the database."""
        plan = Plan()
        refuse_repeats(rows, ("code",), plan, context)
        codes = wanted(rows, "code")
        self._draft.ids = await ids_by_code(session, "device", codes)
        self._units = await units_by_code(session, wanted(rows, "unit"))
        self._assets = await ids_by_code(session, "asset", wanted(rows, "asset"))
        stored = await session.fetch(
            f"SELECT id, code, {', '.join(PLAIN)} FROM device WHERE id IN :[ids]",  # noqa: S608  # fixed names
            ids=sorted(self._draft.ids.values()),
        )
        self._stored = {row["id"]: row for row in stored}
        self._sites = await load_sites(session, context.today, context.now_ms)
        self._draft.admit(sorted(codes))
        for row in rows:
            self._plan_row(row, context, plan)
        self._draft.changes = plan.changes
        return plan

    def _plan_row(self, row: TableRow, context: Context, plan: Plan) -> None:
        id_, values = self._draft.ids[row.values["code"]], row.values
        unit_id = self._units.get(values["unit"])
        asset = values.get("asset")
        if unit_id is None:
            plan.refuse(context, row, "unit", *unknown(UNIT, "units", values["unit"]))
            return
        if asset is not None and asset not in self._assets:
            plan.refuse(context, row, "asset", *unknown(ASSET, "assets", asset))
            return
        stored = self._stored.get(id_)
        plain = overlay(stored, row, PLAIN)
        plain["unit_id"] = unit_id
        plain["port"] = plain["port"] or _SNMP_PORT
        if "asset" in values:
            plain["asset_id"] = self._assets[asset] if asset is not None else None
        if plain["address"] is not None and not is_address(plain["address"]):
            plan.refuse(
                context, row, "address",
                Words("không phải địa chỉ IP hoặc tên máy", "neither an IP address nor a host name"),
                Words("viết dạng 192.0.2.1", "write it like 192.0.2.1"),
            )  # fmt: skip
        elif plain["address"] is not None:
            reason = self._sites.reach(unit_id).why_not(plain["address"])
            if reason is not None and reason != NOT_AN_ADDRESS:  # a host name is resolved by nobody
                plan.refuse(context, row, "address", WHY[reason], REMEDY)
        if not 1 <= plain["port"] <= _LAST_PORT:
            plan.refuse(
                context, row, "port",
                Words("cổng ngoài khoảng 1–65535", "the port is not within 1–65535"),
                Words("để trống để dùng 161", "leave it empty for 161"),
            )  # fmt: skip
        edited = stored is None or any(stored[name] != plain[name] for name in PLAIN)
        plan.outcomes[row.key] = outcome(id_ < 0, edited)
        if edited:
            self._plain[id_] = {"code": values["code"], **plain}
            before = None if stored is None else {name: stored[name] for name in PLAIN}
            plan.changes.append(Change("device", id_, before, row, None))

    async def write(self, session: Script, context: Context) -> None:
        """Write every new or changed device."""
        await self._draft.reserve(session, "device")
        for id_, plain in sorted(self._plain.items(), reverse=True):
            fields = {**plain, "search_key": search_key(plain["name"])}
            if id_ > 0:
                await update(session, "device", id_, fields)
            else:
                fields["created_at_ms"] = context.now_ms
                self._draft.real_ids[id_] = await insert(session, "device", fields)
        await self._draft.audit(session, context)
