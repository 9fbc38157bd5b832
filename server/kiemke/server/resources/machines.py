"""Machines as their sources see them."""

import json
import re
from dataclasses import dataclass
from typing import Any

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from kiemke.server.auth import AppRequest
from kiemke.server.context import Services, rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain.clocks_now import offset_of
from kiemke.server.domain.names_then import ASSET_NAME
from kiemke.server.domain.tables import dated
from kiemke.server.errors import Both
from kiemke.server.resources.assets import AssetRef
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_one, fetch_page
from kiemke.server.resources.tree import Moment, UnitRef, load_refs, visible_units

NOUN = Both("máy", "machine")

_HOSTNAME = (
    "(SELECT MAX(h.hostname) FROM machine_source hs JOIN source h ON h.id = hs.source_id"
    " WHERE hs.machine_id = m.id AND {active hs})"
)

# Besides its number a machine is named by its host name.
NAMES = (_HOSTNAME,)

LISTING = Listing(
    columns="m.id",
    tables="machine m",
    where=("EXISTS (SELECT 1 FROM machine_source x WHERE x.machine_id = m.id AND {active x})",),
    key="m.id",
    id="m.id",
    # From the units' sources to their machines: of a commune's thirty no others are looked at.
    in_units="m.id IN (SELECT u.machine_id FROM machine_source u JOIN source us ON us.id = u.source_id"
    " WHERE {active u} AND us.unit_id IN :[units])",
    finds="m.id IN (SELECT f.machine_id FROM machine_source f JOIN source fs ON fs.id = f.source_id"
    " WHERE {active f} AND ' ' || LOWER(fs.hostname) LIKE :pattern ESCAPE '!')",
)

_SOURCES = """
SELECT ms.machine_id, s.id, s.public_id, s.kind, s.state, s.state_reason, s.hostname,
  s.unit_id, n.last_received_at_ms, n.last_sample_json
FROM machine_source ms JOIN source s ON s.id = ms.source_id
LEFT JOIN source_now n ON n.source_id = s.id
WHERE ms.machine_id IN :[ids] AND {active ms}
  AND (CAST(:all_units AS INTEGER) = 1 OR s.unit_id IN :[units])
ORDER BY ms.machine_id, COALESCE(n.last_received_at_ms, 0) DESC, s.id
"""

_SECTIONS = """
SELECT source_id, section, status, rows_json, observed_at_ms FROM source_section
WHERE source_id IN :[ids] AND section IN :[sections.text] ORDER BY source_id, section
"""

_ALL_SECTIONS = """
SELECT source_id, section, status, detail, rows_json, observed_at_ms FROM source_section
WHERE source_id IN :[ids] ORDER BY section, observed_at_ms DESC
"""

_ASSETS = f"""
SELECT x.machine_id, a.code, {ASSET_NAME} AS name FROM asset_match x JOIN asset a ON a.id = x.asset_id
WHERE x.machine_id IN :[ids] AND {{active x}} ORDER BY x.machine_id, x.id
"""  # noqa: S608  # a fragment of this house

_SOFTWARE = """
SELECT t.name, t.version, t.publisher, x.kind, x.architecture, x.origin, x.installed_on,
  x.account, x.size_bytes, t.plain_name, t.plain_publisher FROM source_software x
JOIN software_title t ON t.id = x.title_id
WHERE x.source_id = :source
ORDER BY CASE WHEN x.kind IS NULL THEN 0 ELSE 1 END, t.name, t.version
"""


@dataclass(frozen=True, slots=True)
class SourceOfMachine:
    """One install seen on a machine; ``state_reason`` says why it was set aside.

    ``clock_offset_seconds``: the server's clock less the PC's when it posted last, None when it told none.
    """

    id: str
    kind: str
    state: str
    state_reason: str | None
    last_received_at: str | None
    clock_offset_seconds: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine; ``memory_bytes`` sums its modules. Facts come from the source heard last."""

    id: int
    hostname: str | None
    unit: UnitRef | None
    state: str | None
    system: str | None
    os: str | None
    serial: str | None
    memory_bytes: int | None
    cpu: str | None
    last_received_at: str | None
    asset: AssetRef | None
    sources: list[SourceOfMachine]


@dataclass(frozen=True, slots=True)
class SectionView:
    """One section of an inventory with the status of its sensor and when it was seen."""

    status: str
    detail: str | None
    observed_at: str | None
    rows: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class MachineWhole:
    """A machine with every section of its inventory."""

    id: int
    hostname: str | None
    unit: UnitRef | None
    state: str | None
    system: str | None
    os: str | None
    serial: str | None
    memory_bytes: int | None
    cpu: str | None
    last_received_at: str | None
    asset: AssetRef | None
    sources: list[SourceOfMachine]
    sections: dict[str, SectionView]


@get("/api/v1/machines", opt={"role": "auditor"}, tags=["machines"])
async def list_machines(request: AppRequest, asked: NamedDependency[ListQuery]) -> Page[Machine]:
    """List machines."""
    services = services_of(request)
    rows, total, cursor = await fetch_page(services, LISTING, asked)
    ids = [row["id"] for row in rows]
    machines = await make_machines(services, ids, asked.moment, asked.units)
    return Page(machines, total, cursor)


@get("/api/v1/machines/{ref:str}", opt={"role": "auditor"}, tags=["machines"])
async def get_machine(
    request: AppRequest, ref: FromPath[str], moment: NamedDependency[Moment]
) -> MachineWhole:
    """Return one machine by id or host name, with its inventory."""
    services = services_of(request)
    units = await visible_units(services, request.user, moment, None)
    row = await fetch_one(
        services,
        LISTING,
        noun=NOUN,
        ref=ref,
        names=NAMES,
        moment=moment,
        units=units,
    )
    machine = (await make_machines(services, [row["id"]], moment, units))[0]
    values = {name: getattr(machine, name) for name in Machine.__dataclass_fields__}
    sections = await _load_sections(services, row["id"], moment, units)
    return MachineWhole(**values, sections=sections)


async def _read_sources(
    services: Services, ids: list[int], moment: Moment, units: list[int] | None
) -> list[Row]:
    """Return the sources of machines; of a PC that went to another unit only those in sight."""
    return await services.db.read(
        dated(_SOURCES),
        ids=ids,
        all_units=1 if units is None else 0,
        units=units or [],
        day=moment.day,
        known=moment.known_ms,
    )


async def make_machines(
    services: Services, ids: list[int], moment: Moment, units: list[int] | None
) -> list[Machine]:
    """Return machines by their ids, in that order, as the sources in ``units`` (None: all) see them."""
    times = {"day": moment.day, "known": moment.known_ms}
    sources: dict[int, list[Row]] = {}
    for row in await _read_sources(services, ids, moment, units):
        sources.setdefault(row["machine_id"], []).append(row)
    assets = {
        row["machine_id"]: AssetRef(row["code"], row["name"])
        for row in await services.db.read(dated(_ASSETS), ids=ids, **times)
    }
    facts: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for row in await services.db.read(
        _SECTIONS,
        ids=[found[0]["id"] for found in sources.values()],
        sections=["system", "os", "memory", "processors"],
    ):
        facts[row["source_id"], row["section"]] = _read_rows(row["rows_json"])
    refs = await load_refs(services, moment)
    return [_make(key, sources.get(key, []), assets.get(key), facts, refs) for key in ids]


def _read_rows(text: str | None) -> list[dict[str, Any]]:
    rows = json.loads(text) if text else []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _make(
    machine_id: int,
    sources: list[Row],
    asset: AssetRef | None,
    facts: dict[tuple[int, str], list[dict[str, Any]]],
    refs: dict[int, UnitRef],
) -> Machine:
    first = sources[0] if sources else None

    def read(section: str) -> list[dict[str, Any]]:
        return facts.get((first["id"], section), []) if first else []

    system, os_rows = (read("system") or [{}])[0], (read("os") or [{}])[0]
    sizes = [size for row in read("memory") if (size := row.get("size_bytes"))]
    processors = read("processors")
    heard = [row["last_received_at_ms"] for row in sources if row["last_received_at_ms"]]
    return Machine(
        id=machine_id,
        hostname=(first["hostname"] if first else None) or os_rows.get("hostname"),
        unit=refs.get(first["unit_id"]) if first else None,
        state=first["state"] if first else None,
        system=_join(system.get("manufacturer"), system.get("product")),
        os=_system_name(os_rows.get("name"), os_rows.get("version")),
        serial=system.get("serial"),
        memory_bytes=sum(sizes) if sizes else None,
        cpu=processors[0].get("version") if processors else None,
        last_received_at=rfc3339(max(heard)) if heard else None,
        asset=asset,
        sources=[
            SourceOfMachine(
                row["public_id"],
                row["kind"],
                row["state"],
                row["state_reason"],
                rfc3339(row["last_received_at_ms"]),
                offset_of(row["last_sample_json"]),
            )
            for row in sources
        ],
    )


def _system_name(name: str | None, version: str | None) -> str | None:
    """Return a system's name with its version once: many a name says it already ("Debian 12 ...")."""
    if name and version and re.search(rf"(?<!\w){re.escape(version)}(?!\w)", name):
        return name
    return _join(name, version)


def _join(*parts: str | None) -> str | None:
    return " ".join(part for part in parts if part) or None


async def _load_sections(
    services: Services, machine_id: int, moment: Moment, units: list[int] | None
) -> dict[str, SectionView]:
    sources = await _read_sources(services, [machine_id], moment, units)
    found: dict[str, SectionView] = {}
    for row in await services.db.read(_ALL_SECTIONS, ids=[source["id"] for source in sources]):
        rows = _read_rows(row["rows_json"])
        if row["section"] == "software" and not rows:
            titles = await services.db.read(_SOFTWARE, source=row["source_id"])
            rows = [{name: value or None for name, value in title.items()} for title in titles]
            for title in rows:
                title["user"] = title.pop("account")
        view = SectionView(row["status"], row["detail"], rfc3339(row["observed_at_ms"]), rows)
        found.setdefault(row["section"], view)  # newest first
    return found


HANDLERS = (list_machines, get_machine)
