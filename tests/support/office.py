"""A builder of small offices in a real database: units, officials, PCs, sources, presence, links."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from kiemke.server.db import Database, Session
from kiemke.server.domain import presence_blocks

FAR_BACK = date(2020, 1, 1)
RECORDED_MS = 1_600_000_000_000
OFFSET_SECONDS = 7 * 3600
DEVICE_SAID = ("code", "name", "search_key", "kind", "unit_id", "asset_id")
TUESDAY = date(2026, 3, 10)  # ten working days up to it: 25/02 .. 10/03/2026
MOMENT_MS = int(datetime(2026, 3, 10, 17, 30, tzinfo=UTC).timestamp() * 1000)


@dataclass(slots=True)
class Office:
    """Rows waiting to be written, by table; every ``add_*`` returns the new row's id."""

    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    ids: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def add(self, table: str, **columns: Any) -> int:
        """Queue a row with the next id of its table."""
        self.ids[table] += 1
        self.waiting[table].append({"id": self.ids[table], **columns})
        if table == "device":  # it stands on the books by a version
            said = {name: columns.get(name) for name in DEVICE_SAID}
            self.add_dated("device_version", device_id=self.ids["device"], **said)
        return self.ids[table]

    def add_dated(self, table: str, **columns: Any) -> int:
        """Queue a dated row, valid and known since long ago unless said otherwise."""
        dated = {
            "valid_from": FAR_BACK,
            "valid_to": None,
            "instrument": None,
            "recorded_at_ms": RECORDED_MS,
            "recorded_by": None,
            "voided_at_ms": None,
            "voided_by": None,
        }
        return self.add(table, **{**dated, **columns})

    def add_installation(self) -> None:
        """Queue the one row of the installation."""
        self.add(
            "installation",
            public_id="test",
            utc_offset_seconds=OFFSET_SECONDS,
            demo=False,
            created_at_ms=RECORDED_MS,
        )

    def add_unit(self, parent: int | None = None, name: str | None = None, **dated: Any) -> int:
        """Queue a unit with one version."""
        unit = self.add("unit", created_at_ms=RECORDED_MS, demo=False)
        self.add_unit_version(unit, parent, name, **dated)
        return unit

    def add_unit_version(
        self, unit: int, parent: int | None = None, name: str | None = None, **dated: Any
    ) -> int:
        """Queue another version of a unit."""
        return self.add_dated(
            "unit_version",
            unit_id=unit,
            parent_id=parent,
            code=f"U{unit}",
            name=name or f"Unit {unit}",
            type="phong",
            sort_key=f"{unit:08d}",
            search_key=f"unit {unit}",
            **dated,
        )

    def add_official(
        self, unit: int, kind: str = "cong_chuc", account: str | None = None, **dated: Any
    ) -> int:
        """Queue an official with a primary membership."""
        official = self.add("official", **self._person(account))
        self.add_membership(official, unit, kind, **dated)
        return official

    def _person(self, account: str | None) -> dict[str, Any]:
        number = self.ids["official"] + 1
        return {
            "code": f"P{number}",
            "name": f"Person {number}",
            "sort_key": f"{number:08d}",
            "search_key": f"person {number}",
            "phone": None,
            "mailbox": None,
            "account": account,
            "created_at_ms": RECORDED_MS,
        }

    def add_membership(
        self,
        official: int,
        unit: int,
        kind: str = "cong_chuc",
        *,
        primary: bool = True,
        **dated: Any,
    ) -> int:
        """Queue a membership."""
        return self.add_dated(
            "membership",
            official_id=official,
            unit_id=unit,
            kind=kind,
            post=None,
            is_primary=primary,
            **dated,
        )

    def add_asset(self, kind: str = "desktop", status: str = "in_use", **columns: Any) -> int:
        """Queue an asset with one status."""
        number = self.ids["asset"] + 1
        plain = {
            "code": f"A{number}",
            "tag": None,
            "kind": kind,
            "name": f"Asset {number}",
            "search_key": f"asset {number}",
            "manufacturer": None,
            "model": None,
            "serial": None,
            "serial_key": None,
            "mac_key": None,
            "price_dong": None,
            "in_use_since": None,
            "funding_source": None,
            "ownership": "owned",
            "no_agent_reason": None,
            "created_at_ms": RECORDED_MS,
        }
        asset = self.add("asset", **{**plain, **columns})
        self.add_dated("asset_status", asset_id=asset, status=status)
        return asset

    def add_custody(self, asset: int, unit: int, official: int | None = None, **dated: Any) -> int:
        """Queue custody: personal with an official, a unit's without."""
        return self.add_dated(
            "custody", asset_id=asset, unit_id=unit, official_id=official, place=None, **dated
        )

    def add_pc(self, unit: int, official: int | None = None, **columns: Any) -> int:
        """Queue a desktop in somebody's custody."""
        asset = self.add_asset(**columns)
        self.add_custody(asset, unit, official)
        return asset

    def add_ownership(self, asset: int, ownership: str, **dated: Any) -> int:
        """Queue what a paper says of whose an asset is."""
        facts = {"price_dong": None, "in_use_since": None, "owner_name": None, "return_on": None}
        return self.add_dated(
            "asset_fact", asset_id=asset, ownership=ownership, **{**facts, **dated}
        )

    def add_count(self, asset: int, result: str, day: date) -> int:
        """Queue a person's count of an asset."""
        return self.add_dated(
            "counted_asset",
            asset_id=asset,
            result=result,
            valid_from=day,
            valid_to=day + timedelta(days=1),
        )

    def add_token(self, unit: int) -> int:
        """Queue an enrolment token of a unit."""
        number = self.ids["enrolment_token"] + 1
        return self.add(
            "enrolment_token",
            public_id=f"token{number}",
            secret_sha256="0" * 64,
            kind="agent",
            unit_id=unit,
            uses_left=1,
            expires_at_ms=RECORDED_MS,
            approves=False,
            created_at_ms=RECORDED_MS,
            created_by=None,
            revoked_at_ms=None,
        )

    def add_source(
        self, unit: int, state: str = "approved", kind: str = "agent", heard_ms: int | None = None
    ) -> int:
        """Queue a source and its hot row, last heard at ``heard_ms``."""
        number = self.ids["source"] + 1
        source = self.add(
            "source",
            public_id=f"s{number}",
            kind=kind,
            state=state,
            state_reason=None,
            install_id=f"install{number}",
            secret_sha256="0" * 64,
            token_id=self.add_token(unit),
            unit_id=unit,
            hostname=f"pc-{number}",
            created_at_ms=RECORDED_MS,
            approved_at_ms=None,
            approved_by=None,
        )
        self.waiting["source_now"].append(
            {
                "source_id": source,
                "last_received_at_ms": heard_ms,
                "last_true_at_ms": heard_ms,
                "last_boot_id": None,
                "inventory_at_ms": None,
                "identity_changed_at_ms": heard_ms,
                "resolved_at_ms": None,
                "changed_at_ms": heard_ms or RECORDED_MS,
            }
        )
        return source

    def add_section(self, source: int, section: str, rows: list[dict[str, Any]], at_ms: int) -> int:
        """Queue one inventory section of a source."""
        return self.add(
            "source_section",
            source_id=source,
            section=section,
            status="ok",
            token="t",
            detail=None,
            rows_json=json.dumps(rows),
            observed_at_ms=at_ms,
            changed_at_ms=at_ms,
        )

    def add_stay(self, machine: int, source: int, *, decided_by: str = "new") -> None:
        """Queue that a source is a machine."""
        self.add_dated(
            "machine_source",
            machine_id=machine,
            source_id=source,
            stay=0,
            decided_by=decided_by,
            evidence_json="{}",
        )

    def add_match(self, asset: int, *sources: int) -> int:
        """Queue a machine of these sources, matched with the asset."""
        machine = self.add("machine", created_at_ms=RECORDED_MS)
        for source in sources:
            self.add_stay(machine, source, decided_by="test")
        self.add_dated(
            "asset_match",
            asset_id=asset,
            machine_id=machine,
            decided_by="test",
            evidence_json="{}",
        )
        return machine

    def add_presence(
        self, source: int, day: date, trusted_slots: int = 90, account: str | None = None
    ) -> int:
        """Queue a day on which a source was on, with one account at the console."""
        return self.add(
            "presence_day",
            source_id=source,
            day=day,
            packed=b"",
            slots=trusted_slots,
            trusted_slots=trusted_slots,
            user_slots_json=None if account is None else json.dumps({account: trusted_slots}),
            main_account=account,
            changed_at_ms=RECORDED_MS,
        )

    def add_subnet(self, unit: int, subnet: str, **dated: Any) -> int:
        """Queue a registered subnet of a unit."""
        plain = {"place_id": None, "authority_id": None, "deny": False, "note": None}
        return self.add_dated("site_subnet", unit_id=unit, subnet=subnet, **{**plain, **dated})

    def add_network_stay(
        self, source: int, addresses: str, first: date = FAR_BACK, last: date | None = None
    ) -> int:
        """Queue where a source stood from a day through another."""
        return self.add(
            "network_stay", source_id=source, addresses=addresses, first_day=first, last_day=last,
            apart=False,
        )  # fmt: skip

    def add_verified_pc(self, unit: int, official: int, day: date = TUESDAY) -> int:
        """Queue a PC that was matched and seen on ``day``; return its source."""
        source = self.add_source(unit)
        self.add_match(self.add_pc(unit, official), source)
        self.add_presence(source, day)
        return source

    async def write(self, session: Session) -> None:
        """Write what waits, in the order the tables were first used."""
        for table, rows in self.waiting.items():
            names = list(rows[0])
            statement = (
                f"INSERT INTO {table} ({', '.join(names)}) "  # noqa: S608 - names of this file
                f"VALUES ({', '.join(':' + name for name in names)})"
            )
            await session.many(statement, rows)
            if session.dialect == "postgres" and table in self.ids and table != "installation":
                await session.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), MAX(id)) FROM {table}"  # noqa: S608
                )
        if "presence_day" in self.waiting:
            await presence_blocks.rebuild(session)
        self.waiting.clear()

    async def write_to(self, database: Database) -> None:
        """Write what waits in one transaction."""
        async with database.transaction() as session:
            await self.write(session)
