"""What sweeps found in registered subnets."""

from dataclasses import dataclass
from typing import Annotated

from litestar import get
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from kiemke.server.auth import AppRequest
from kiemke.server.context import rfc3339, services_of
from kiemke.server.db import Row
from kiemke.server.domain.lan_fixes import fix_of
from kiemke.server.domain.lan_hosts import ANYWHERE, HOLDS, WITHIN, Known, at_site
from kiemke.server.domain.sites import load_sites
from kiemke.server.resources.listing import Listing, ListQuery, Page, fetch_page
from kiemke.server.resources.topology import moment_ms
from kiemke.server.resources.tree import UnitRef, visible_units


def _hosts(known: Known) -> Listing:
    return Listing(
        columns="h.id, h.unit_id, v.code AS unit_code, v.name AS unit_name, h.address, h.mac, h.signs,"
        " h.rtt_seconds, h.open_ports, h.snmp_version, h.sys_descr, h.sys_name, h.first_seen_ms,"
        f" h.last_seen_ms, {known.machine} AS is_machine, {known.device} AS is_device,"
        f" {known.booked} AS is_booked, {known.polled} AS is_polled",
        tables="lan_host h LEFT JOIN unit_version v ON v.unit_id = h.unit_id AND {active v}",
        where=(HOLDS, f"(CAST(:unknown AS INTEGER) = 0 OR ({known.nothing}))"),
        key="h.address",
        id="h.id",
        in_units="h.unit_id IN :[units]",
        search=("h.address", "h.mac", "h.sys_descr", "h.sys_name"),
    )


HOSTS, HOSTS_OF_UNITS = _hosts(ANYWHERE), _hosts(WITHIN)


@dataclass(frozen=True, slots=True)
class LanHost:
    """What a sweep saw at an address; ``is_known``: a device, machine or asset the asker may see.

    ``fix`` is the cheapest way to see more of it (see docs/discovery.md), null where nothing is to do.
    """

    unit: UnitRef | None
    address: str
    mac: str | None
    signs: list[str]
    rtt_seconds: float | None
    open_ports: list[int]
    snmp_version: str | None
    sys_descr: str | None
    sys_name: str | None
    since: str | None
    seen_at: str | None
    is_known: bool
    fix: str | None


@get("/api/v1/lan-hosts", opt={"role": "auditor"}, tags=["topology"])
async def list_hosts(
    request: AppRequest,
    asked: NamedDependency[ListQuery],
    unknown: Annotated[bool, QueryParameter(description="only what is nothing of ours")] = False,
) -> Page[LanHost]:
    """List what sweeps found in registered subnets, by address."""
    services = services_of(request)
    at_ms = moment_ms(services, asked.moment)
    mine = await visible_units(services, request.user, asked.moment, None)
    async with services.db.reading() as session:
        sites = await load_sites(session, asked.moment.day, asked.moment.known_ms)
    rows, total, cursor = await fetch_page(
        services,
        HOSTS if mine is None else HOSTS_OF_UNITS,
        asked,
        at=at_ms,
        unknown=int(unknown),
        at_site=at_site(sites),
        **({} if mine is None else {"mine": mine}),
    )
    return Page([_host(row) for row in rows], total, cursor)


def _host(row: Row) -> LanHost:
    ports = [int(each) for each in row["open_ports"].split(",") if each]
    machine, device = bool(row["is_machine"]), bool(row["is_device"])
    return LanHost(
        UnitRef(row["unit_code"], row["unit_name"]) if row["unit_code"] else None,
        row["address"],
        row["mac"],
        [sign for sign in row["signs"].split(",") if sign],
        row["rtt_seconds"],
        ports,
        row["snmp_version"],
        row["sys_descr"],
        row["sys_name"],
        rfc3339(row["first_seen_ms"]),
        rfc3339(row["last_seen_ms"]),
        machine or device or bool(row["is_booked"]),
        fix_of(
            ports,
            speaks_snmp=row["snmp_version"] is not None,
            is_device=device,
            is_machine=machine,
            is_polled=bool(row["is_polled"]),
        ),
    )


HANDLERS = (list_hosts,)
