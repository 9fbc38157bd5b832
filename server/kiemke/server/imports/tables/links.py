"""Links: contract versions and sharing units as dated rows, and the addresses probed for them."""

from collections import defaultdict

from kiemke.server.db import Session
from kiemke.server.domain.sites import Sites, load_sites
from kiemke.server.domain.sites_words import REMEDY, WHY
from kiemke.server.domain.text_labels import Words
from kiemke.server.imports.ledger import (
    DEVICE,
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
)
from kiemke.server.imports.table import TableRow
from kiemke.wire.reach import NOT_AN_ADDRESS

VERSIONS = DatedTable(
    "link_version",
    "link_id",
    (
        "unit_id", "device_id", "interface_name", "name", "kind", "provider", "contract_number",
        "price_dong", "payer", "down_bits_per_second", "up_bits_per_second",
    ),
)  # fmt: skip
SHARES = DatedTable("link_share", "link_id", ("unit_id",))
_SAME_NAME = (
    "interface_name", "name", "kind", "provider", "contract_number", "price_dong", "payer",
)  # fmt: skip
_RATES = {"down_mbps": "down_bits_per_second", "up_mbps": "up_bits_per_second"}
_ECHO_COUNT = 5
Probes = frozenset[tuple[str, str]]


class LinkImporter:
    """Plans and writes the rows of the template "links"."""

    def __init__(self) -> None:
        self._draft = Draft()
        self._units: dict[str, int] = {}
        self._devices: dict[str, int] = {}
        self._versions: dict[int, Rows] = {}
        self._shares: dict[int, Rows] = {}
        self._probes: dict[int, dict[tuple[str, str], int]] = defaultdict(dict)
        self._wanted_probes: dict[int, Probes] = {}
        self._sites = Sites([], {})

    async def plan(self, session: Session, rows: list[TableRow], context: Context) -> Plan:
        """Compare with the lines in the database."""
        plan = Plan()
        refuse_repeats(rows, ("code",), plan, context)
        codes = wanted(rows, "code")
        self._draft.ids = await ids_by_code(session, "link", codes)
        self._units = await units_by_code(session, wanted(rows, "unit", "shared_by"))
        self._devices = await ids_by_code(session, "device", wanted(rows, "device"))
        self._draft.admit(sorted(codes))
        self._sites = await load_sites(session, context.today, context.now_ms)
        ids = self._draft.ids.values()
        self._versions = await VERSIONS.load(session, ids)
        self._shares = await SHARES.load(session, ids)
        probes = await session.fetch(
            "SELECT id, link_id, purpose, address FROM probe_target"
            " WHERE retired_at_ms IS NULL AND link_id IN :[ids]",
            ids=sorted(ids),
        )
        for probe in probes:
            self._probes[probe["link_id"]][probe["purpose"], probe["address"]] = probe["id"]
        async for row in unhurried(in_order(rows, context)):
            if self._codes_are_known(row, context, plan):
                self._plan_row(row, context, plan)
        self._draft.changes = plan.changes
        return plan

    def _codes_are_known(self, row: TableRow, context: Context, plan: Plan) -> bool:
        before = len(plan.errors)
        if row.values["unit"] not in self._units:
            plan.refuse(context, row, "unit", *unknown(UNIT, "units", row.values["unit"]))
        for code in row.values.get("shared_by", ()):
            if code not in self._units:
                plan.refuse(context, row, "shared_by", *unknown(UNIT, "units", code))
        device = row.values.get("device")
        if device is not None and device not in self._devices:
            plan.refuse(context, row, "device", *unknown(DEVICE, "devices", device))
        if device is not None and row.values.get("interface_name") is None:
            plan.refuse(
                context, row, "interface_name",
                Words("có thiết bị nhưng thiếu tên cổng", "a device without the name of its port"),
                Words("điền tên cổng (ifName)", "fill in the port's name (ifName)"),
            )  # fmt: skip
        if row.values["kind"] == "police" and (row.values.get("probes") or device is not None):
            plan.refuse(
                context, row, "probes" if row.values.get("probes") else "device",
                Words("đường truyền công an chỉ ghi nhận, không thăm dò",
                      "a police line is recorded, never probed or polled"),
                Words("để trống thiết bị và địa chỉ thăm dò",
                      "leave device and probe addresses empty"),
            )  # fmt: skip
        for purpose, address in row.values.get("probes", ()):
            self._check_probe(row, purpose, address, context, plan)
        return len(plan.errors) == before

    def _check_probe(
        self, row: TableRow, purpose: str, address: str, context: Context, plan: Plan
    ) -> None:
        unit_id = self._units.get(row.values["unit"])
        if unit_id is None:
            return
        reason = self._sites.reach(unit_id, purpose).why_not(address)
        if reason is not None and reason != NOT_AN_ADDRESS:
            what = Words(f"{address}: {WHY[reason].vi}", f"{address}: {WHY[reason].en}")
            plan.refuse(context, row, "probes", what, REMEDY)

    def _version(self, row: TableRow, was: Fields | None) -> Fields:
        version = overlay(was, row, _SAME_NAME)
        version["unit_id"] = self._units[row.values["unit"]]
        version["device_id"] = (was or {}).get("device_id")
        if "device" in row.values:
            device = row.values["device"]
            version["device_id"] = None if device is None else self._devices[device]
        for column, name in _RATES.items():
            version[name] = row.values[column] if column in row.values else (was or {}).get(name)
        return version

    def _plan_row(self, row: TableRow, context: Context, plan: Plan) -> None:
        id_ = self._draft.ids[row.values["code"]]
        was = held(self._versions[id_], starts(row, context), VERSIONS.columns)
        version = self._version(row, was)
        value = tuple(version[name] for name in VERSIONS.columns)
        changed = put(self._versions[id_], [value], row, context, plan)
        if "shared_by" in row.values:
            shares = self._shares[id_]
            units = [(self._units[code],) for code in row.values["shared_by"]]
            if units or shares.at(starts(row, context)):
                changed |= put(shares, units, row, context, plan)
        if "probes" in row.values:
            wanted_now = frozenset(row.values["probes"])
            changed |= wanted_now != self._wanted_probes.get(id_, frozenset(self._probes[id_]))
            self._wanted_probes[id_] = wanted_now
        plan.outcomes[row.key] = outcome(id_ < 0, changed)
        if changed:
            paper = row.values.get("instrument")
            plan.changes.append(Change("link", id_, was, row, paper))

    async def write(self, session: Script, context: Context) -> None:
        """Write identities, then versions, sharing units and probed addresses."""
        await self._draft.reserve(session, "link")
        for code, id_ in sorted(self._draft.ids.items(), key=lambda item: -item[1]):
            if id_ < 0:
                fields = {"code": code, "created_at_ms": context.now_ms}
                self._draft.real_ids[id_] = await insert(session, "link", fields)
        await VERSIONS.store(session, self._versions, self._draft.real_ids, context)
        await SHARES.store(session, self._shares, self._draft.real_ids, context)
        for id_, probes in self._wanted_probes.items():
            await self._write_probes(session, id_, probes, context.now_ms)
        await self._draft.audit(session, context)

    async def _write_probes(self, session: Script, id_: int, probes: Probes, now_ms: int) -> None:
        stored = self._probes.get(id_, {})
        await session.execute(
            "UPDATE probe_target SET retired_at_ms = :now_ms WHERE id IN :[gone]",
            now_ms=now_ms,
            gone=sorted(number for probe, number in stored.items() if probe not in probes),
        )
        for purpose, address in sorted(probes - set(stored)):
            fields = {
                "link_id": self._draft.real(id_),
                "purpose": purpose,
                "address": address,
                "echo_count": _ECHO_COUNT,
            }
            await insert(session, "probe_target", fields)
