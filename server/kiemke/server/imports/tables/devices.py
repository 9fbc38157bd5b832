"""Network devices registered for polling: what each is by date, how it is polled as plain fields."""

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.device_book import SAID, VERSIONS, standing, values_of
from kiemke.server.domain.sites import Sites, load_sites
from kiemke.server.domain.sites_words import REMEDY, WHY
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.cells import is_address
from kiemke.server.imports.ledger import (
    ASSET,
    UNIT,
    Change,
    Context,
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
    update,
)
from kiemke.server.imports.table import TableRow
from kiemke.wire.reach import NOT_AN_ADDRESS

_SNMP_PORT = 161
_LAST_PORT = 65_535
POLLED = ("address", "port", "credential")
# A code that a device gave up may be another's since, not while it was that device's.
_OTHERS = """
SELECT code, device_id, valid_to FROM device_version
WHERE voided_at_ms IS NULL AND code IN :[codes.text]
"""


class DeviceImporter:
    """Plans and writes the rows of the template "devices"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._units: dict[str, int] = {}
        self._assets: dict[str, int] = {}
        self._stored: dict[int, Fields] = {}
        self._polled: dict[int, Fields] = {}
        self._versions: dict[int, Rows] = {}
        self._others: list[Row] = []
        self._edited: set[int] = set()
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
            f"SELECT id, {', '.join(POLLED)} FROM device WHERE id IN :[ids]",  # noqa: S608  # fixed names
            ids=sorted(self._draft.ids.values()),
        )
        self._stored = {row["id"]: row for row in stored}
        self._others = await session.fetch(_OTHERS, codes=sorted(codes))
        self._sites = await load_sites(session, context.today, context.now_ms)
        self._draft.admit(sorted(codes))
        self._versions = await VERSIONS.load(session, self._draft.ids.values())
        for row in in_order(rows, context):
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
        self._check_times(row, id_, context, plan)
        polled = overlay(self._polled.get(id_) or self._stored.get(id_), row, POLLED)
        polled["port"] = polled["port"] or _SNMP_PORT
        self._check_polled(row, unit_id, polled, context, plan)
        was = standing(self._versions[id_], starts(row, context))
        said = overlay(was, row, ("name", "kind"))
        said |= {"code": (was or values)["code"], "unit_id": unit_id}
        said["asset_id"] = (was or {}).get("asset_id")
        if "asset" in values:
            said["asset_id"] = self._assets[asset] if asset is not None else None
        stored = self._polled.get(id_) or self._stored.get(id_)
        changed = put(self._versions[id_], values_of(said), row, context, plan)
        changed |= stored is None or any(stored[name] != polled[name] for name in POLLED)
        plan.outcomes[row.key] = outcome(id_ < 0, changed)
        if changed:
            self._edited.add(id_)
            self._polled[id_] = polled
            before = None if was is None else {name: was[name] for name in SAID}
            if before is not None and stored is not None:
                before |= {name: stored[name] for name in POLLED}
            plan.changes.append(Change("device", id_, before, row, values.get("instrument")))

    def _check_times(self, row: TableRow, id_: int, context: Context, plan: Plan) -> None:
        start = starts(row, context)
        if start > context.today:
            plan.refuse(
                context, row, "valid_from",
                Words("ngày chưa tới", "a day still to come"),
                Words("nhập vào ngày đó hoặc sau đó", "import it on that day or later"),
            )  # fmt: skip
        for other in self._others:
            ends = other["valid_to"] and as_date(other["valid_to"])
            if other["code"] != row.values["code"] or other["device_id"] == id_:
                continue
            if ends is None or ends > start:
                plan.refuse(
                    context, row, "code",
                    Words("mã này là của thiết bị khác vào ngày đó",
                          "the code is another device's on that day"),
                    Words("ghi mã khác, hoặc ngày sau đó", "write another code, or a later day"),
                )  # fmt: skip
                return

    def _check_polled(
        self, row: TableRow, unit_id: int, polled: Fields, context: Context, plan: Plan
    ) -> None:
        if polled["address"] is not None and not is_address(polled["address"]):
            plan.refuse(
                context, row, "address",
                Words("không phải địa chỉ IP hoặc tên máy", "neither an IP address nor a host name"),
                Words("viết dạng 192.0.2.1", "write it like 192.0.2.1"),
            )  # fmt: skip
        elif polled["address"] is not None:
            reason = self._sites.reach(unit_id).why_not(polled["address"])
            if reason is not None and reason != NOT_AN_ADDRESS:  # a host name is resolved by nobody
                plan.refuse(context, row, "address", WHY[reason], REMEDY)
        if not 1 <= polled["port"] <= _LAST_PORT:
            plan.refuse(
                context, row, "port",
                Words("cổng ngoài khoảng 1–65535", "the port is not within 1–65535"),
                Words("để trống để dùng 161", "leave it empty for 161"),
            )  # fmt: skip

    async def write(self, session: Script, context: Context) -> None:
        """Write every new or changed device, then what it is by date."""
        await self._draft.reserve(session, "device")
        for id_ in sorted(self._edited, reverse=True):
            today = standing(self._versions[id_], context.today)
            if today is None:
                raise AssertionError("a row that was planned says what its device is")
            fields = {**today, **{name: self._polled[id_][name] for name in POLLED}}
            if self._versions[id_].at(context.today) is not None:
                fields["retired_at_ms"] = None
            if id_ > 0:
                await update(session, "device", id_, fields)
            else:
                fields["created_at_ms"] = context.now_ms
                self._draft.real_ids[id_] = await insert(session, "device", fields)
        edited = {id_: self._versions[id_] for id_ in self._edited}
        await VERSIONS.store(session, edited, self._draft.real_ids, context)
        await self._draft.audit(session, context)
