"""What is said of each thing that can be found: the fields that are searched, and the units it was of."""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.domain.search_words import Value

MOST_ADAPTERS = 64


@dataclass(slots=True)
class Subject:
    """A thing's values, in the order they are worth telling, and the units it was ever of."""

    values: list[Value] = field(default_factory=list)
    units: set[int] = field(default_factory=set)

    def add(self, row: Row, *fields: tuple[str, str]) -> None:
        """Take columns of a row as values; ``valid_to`` beside them is their end."""
        until = row.get("valid_to")
        for name, form in fields:
            text = row[name]
            if text:
                self.values.append(Value(name, text, form, as_date(until) if until else None))


Subjects = dict[int, Subject]
Load = Callable[[Session, list[int]], Awaitable[Subjects]]


async def _rows(session: Session, sql: str, ids: list[int]) -> list[Row]:
    return await session.fetch(sql, ids=ids)


async def _add_units(session: Session, found: Subjects, sql: str) -> None:
    for row in await _rows(session, sql, list(found)):
        found[row["id"]].units.add(row["unit_id"])


async def _units(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(
        session,
        "SELECT unit_id AS id, code, name, valid_to FROM unit_version"
        " WHERE unit_id IN :[ids] AND voided_at_ms IS NULL ORDER BY valid_from DESC, id",
        ids,
    ):
        found[row["id"]].units.add(row["id"])
        found[row["id"]].add(row, ("code", "number"), ("name", "name"))
    return found


async def _places(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(
        session,
        "SELECT place_id AS id, code, name, unit_id, valid_to FROM place_version"
        " WHERE place_id IN :[ids] AND voided_at_ms IS NULL ORDER BY valid_from DESC, id",
        ids,
    ):
        found[row["id"]].units.add(row["unit_id"])
        found[row["id"]].add(row, ("code", "number"), ("name", "name"))
    return found


async def _officials(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    person = (("name", "name"), ("phone", "number"), ("account", "number"), ("mailbox", "whole"))
    for row in await _rows(
        session,
        "SELECT id, code, name, phone, mailbox, account FROM official WHERE id IN :[ids]",
        ids,
    ):
        found[row["id"]].add(row, ("code", "number"), *person)
    for row in await _rows(
        session,
        "SELECT official_id AS id, name, phone, mailbox, account, valid_to FROM official_version"
        " WHERE official_id IN :[ids] AND voided_at_ms IS NULL ORDER BY valid_from DESC, id",
        ids,
    ):
        found[row["id"]].add(row, *person)
    await _add_units(
        session,
        found,
        "SELECT DISTINCT official_id AS id, unit_id FROM membership"
        " WHERE official_id IN :[ids] AND voided_at_ms IS NULL",
    )
    return found


async def _assets(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(
        session,
        "SELECT id, code, tag, serial, mac_key, name, manufacturer, model FROM asset"
        " WHERE id IN :[ids]",
        ids,
    ):
        subject = found[row["id"]]
        subject.add(row, ("code", "number"), ("tag", "number"), ("serial", "number"))
        if row["mac_key"]:
            subject.values.append(Value("mac", mac_text(row["mac_key"]), "whole"))
        told = " ".join(row[n] for n in ("name", "manufacturer", "model") if row[n])
        subject.values.append(Value("name", told, "name"))
        subject.add(row, ("model", "number"))
    await _add_units(
        session,
        found,
        "SELECT DISTINCT asset_id AS id, unit_id FROM custody"
        " WHERE asset_id IN :[ids] AND voided_at_ms IS NULL",
    )
    return found


async def _devices(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(
        session, "SELECT id, code, name, address, unit_id FROM device WHERE id IN :[ids]", ids
    ):
        found[row["id"]].units.add(row["unit_id"])
        found[row["id"]].add(row, ("code", "number"), ("name", "name"), ("address", "address"))
    for row in await _rows(
        session,
        "SELECT device_id AS id, sys_name, vendor, model, serial FROM device_now"
        " WHERE device_id IN :[ids] ORDER BY device_id, id",
        ids,
    ):
        told = (("serial", "number"), ("model", "number"), ("vendor", "name"))
        found[row["id"]].add(row, ("sys_name", "number"), *told)
    for row in await _rows(
        session,
        "SELECT DISTINCT device_id AS id, mac FROM interface_now WHERE device_id IN :[ids]"
        " AND mac IS NOT NULL ORDER BY device_id, mac",
        ids,
    ):
        if len(found[row["id"]].values) < MOST_ADAPTERS:
            found[row["id"]].add(row, ("mac", "whole"))
    return found


async def _links(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(session, "SELECT id, code FROM link WHERE id IN :[ids]", ids):
        found[row["id"]].add(row, ("code", "number"))
    for row in await _rows(
        session,
        "SELECT link_id AS id, name, provider, contract_number, unit_id, valid_to FROM link_version"
        " WHERE link_id IN :[ids] AND voided_at_ms IS NULL ORDER BY valid_from DESC, id",
        ids,
    ):
        found[row["id"]].units.add(row["unit_id"])
        found[row["id"]].add(
            row, ("contract_number", "number"), ("name", "name"), ("provider", "name")
        )
    await _add_units(
        session,
        found,
        "SELECT DISTINCT link_id AS id, unit_id FROM link_share"
        " WHERE link_id IN :[ids] AND voided_at_ms IS NULL",
    )
    return found


# Of which sections which fields are read, and how a person names them.
SECTIONS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "system": (("serial", "serial", "number"),),
    "chassis": (("serial", "serial", "number"), ("asset_tag", "tag", "number")),
    "board": (("serial", "board_serial", "number"),),
    "os": (("hostname", "hostname", "number"),),
    "adapters": (("permanent_mac", "mac", "whole"), ("mac", "mac", "whole")),
}


async def _sources(session: Session, ids: list[int]) -> Subjects:
    found: Subjects = defaultdict(Subject)
    for row in await _rows(
        session, "SELECT id, public_id, hostname, unit_id FROM source WHERE id IN :[ids]", ids
    ):
        found[row["id"]].units.add(row["unit_id"])
        found[row["id"]].add(row, ("hostname", "number"), ("public_id", "whole"))
    rows = await session.fetch(
        "SELECT source_id AS id, section, rows_json FROM source_section WHERE source_id IN :[ids]"
        " AND section IN :[sections.text] AND rows_json IS NOT NULL ORDER BY source_id, section",
        ids=list(found),
        sections=list(SECTIONS),
    )
    for row in rows:
        found[row["id"]].values += _read_section(row["section"], row["rows_json"])
    return found


def _read_section(section: str, text: str) -> list[Value]:
    rows = json.loads(text)
    found: list[Value] = []
    for row in rows[:MOST_ADAPTERS] if isinstance(rows, list) else ():
        if not isinstance(row, dict):
            continue
        for name, what, form in SECTIONS[section]:
            found += _strings(what, row.get(name), form)
        if section == "adapters" and isinstance(row.get("addresses"), list):
            for address in row["addresses"]:
                found += _strings("address", str(address).partition("/")[0], "address")
    return found


def _strings(what: str, value: Any, form: str) -> list[Value]:
    return [Value(what, value, form)] if isinstance(value, str) and value else []


def mac_text(key: str) -> str:
    """Return twelve hex digits as AA:BB:CC:DD:EE:FF."""
    return ":".join(key[n : n + 2] for n in range(0, len(key), 2)).upper()


LOADS: dict[str, Load] = {
    "unit": _units,
    "place": _places,
    "official": _officials,
    "asset": _assets,
    "device": _devices,
    "link": _links,
    "source": _sources,
}


async def load(session: Session, kind: str, ids: Iterable[int]) -> Subjects:
    """Return things of one kind by id, each value once; what is not there any more is left out."""
    found = await LOADS[kind](session, list(ids))
    for subject in found.values():
        # What is so now comes before what was: of two alike the first is kept.
        subject.values.sort(key=lambda value: value.until is not None)
        seen: dict[tuple[str, str], Value] = {}
        for value in subject.values:
            seen.setdefault((value.what, value.text), value)
        subject.values = list(seen.values())
    return found
