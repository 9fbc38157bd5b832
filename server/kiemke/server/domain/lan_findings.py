"""What is amiss on local networks as findings: cables, ports that come and go, strangers, silent devices.

A finding stays as it is where nobody has looked since: a device that is not read any more, a site that is
not swept, says nothing of what became of it.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.cable_troubles import DUPLEX_MISMATCH, SLOW_UPLINK, troubles_of
from kiemke.server.domain.findings_now import Wanted, settle
from kiemke.server.domain.lan_fixes import fix_of
from kiemke.server.domain.lan_hosts import BELOW, at_site, below
from kiemke.server.domain.lan_ports import load_rules
from kiemke.server.domain.scope import common_unit, load_parents
from kiemke.server.domain.sites import load_sites
from kiemke.server.domain.tables import dated
from kiemke.server.domain.text_labels import DUPLEX, Words
from kiemke.server.domain.topology import Cable, Graph, load_graph

Guard = Callable[[Session], Awaitable[None]]

PORT_FLAPPING, UNKNOWN_ON_LAN, SNMP_SILENT = "port_flapping", "unknown_on_lan", "snmp_silent"
KINDS = (DUPLEX_MISMATCH, SLOW_UPLINK, PORT_FLAPPING, UNKNOWN_ON_LAN, SNMP_SILENT)
DAY_MS, HOUR_MS = 86_400_000, 3_600_000
_SHOWN = 5
_SUBJECT_LENGTH, _DETAIL_LENGTH = 80, 500

_FLAPS = """
SELECT d.code, d.unit_id, c.name, c.if_index, SUM(c.changes) AS changes FROM port_change c
JOIN device d ON d.id = c.device_id AND d.retired_at_ms IS NULL
LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id
WHERE c.at_ms >= :since AND c.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id)
GROUP BY d.code, d.unit_id, c.name, c.if_index
HAVING SUM(c.changes) >= :most ORDER BY d.code, c.if_index
"""
_STRANGERS = dated(f"""
SELECT h.unit_id, v.code, h.address, h.mac FROM lan_host h
JOIN unit_version v ON v.unit_id = h.unit_id AND {{active v}}
WHERE h.gone_ms IS NULL AND h.last_seen_ms >= :since AND {BELOW.nothing}
ORDER BY h.unit_id, h.address
""")  # noqa: S608  # a condition of this house
_SILENT = """
SELECT d.code, d.unit_id, d.address, h.signs, h.open_ports, h.snmp_version FROM device d
JOIN device_now w ON w.device_id = d.id
LEFT JOIN lease l ON l.name = 'collector:' || d.collector_id
JOIN lan_host h ON h.address = d.address AND h.gone_ms IS NULL AND h.last_seen_ms >= :since
  AND (h.source_id = w.source_id OR h.unit_id = d.unit_id)
WHERE d.retired_at_ms IS NULL AND w.outcome IN ('timeout', 'auth')
  AND w.source_id = COALESCE(CAST(l.holder AS BIGINT), d.collector_id)
ORDER BY d.code
"""
_NEXT = {
    "check_secret": "kiemke device set {code} --credential ...",
    "enable_snmp": "http://{address}/ → SNMP",
    "printer_snmp": "http://{address}/ → SNMP",
    "install_agent": "kiemke device show {code}",
    "find_out": "kiemke-collector probe snmp {address}",
}


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Make the open findings of KINDS exactly what was last seen; return how many changed."""
    rules = load_rules()
    recent = now_ms - rules.recent_days * DAY_MS
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installed is None:
            return 0
        day = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        parents = await load_parents(session, day)
        graph = await load_graph(session, day, now_ms, now_ms)
        flaps = await session.fetch(
            _FLAPS, since=now_ms - rules.flap_hours * HOUR_MS, most=rules.flap_changes
        )
        sites = await load_sites(session, day, now_ms)
        strangers = await session.fetch(
            _STRANGERS,
            since=recent,
            day=day,
            known=now_ms,
            at_site=at_site(sites),
            below=below(sites),
        )
        silent = await session.fetch(_SILENT, since=recent)
    wanted: Wanted = {}
    for cable in graph.cables:
        for kind in troubles_of(cable):
            units = [_unit(graph, end.device) for end in (cable.near, cable.far)]
            place = common_unit(parents, [unit for unit in units if unit is not None])
            wanted[kind, _port_subject(graph, cable)] = (_cable_words(graph, cable), place)
    for row in flaps:
        port = row["name"] or str(row["if_index"])
        text = f"{row['code']} {port}: {row['changes']} × / {rules.flap_hours} h"
        subject = f"port:{row['code']}:{port}"[:_SUBJECT_LENGTH]
        wanted[PORT_FLAPPING, subject] = (_with_command(text, row["code"]), row["unit_id"])
    wanted |= _strangers(strangers)
    for row in silent:
        wanted[SNMP_SILENT, f"device:{row['code']}"[:_SUBJECT_LENGTH]] = (
            _silent_text(row),
            row["unit_id"],
        )
    return await settle(db, list(KINDS), wanted, now_ms, guard)


def _unit(graph: Graph, device: int | None) -> Any:
    return None if device is None else graph.devices[device]["unit_id"]


def _port_subject(graph: Graph, cable: Cable) -> str:
    code = graph.devices[cable.near.device or 0]["code"]
    return f"port:{code}:{cable.near.port or '?'}"[:_SUBJECT_LENGTH]


def _cable_words(graph: Graph, cable: Cable) -> Words:
    return Words(_cable_text(graph, cable, "vi"), _cable_text(graph, cable, "en"))


def _cable_text(graph: Graph, cable: Cable, language: str) -> str:
    ends = []
    for end in (cable.near, cable.far):
        name = graph.devices[end.device]["code"] if end.device is not None else end.name or end.key
        speed = end.speed_bits_per_second
        duplex = DUPLEX[end.duplex].say(language) if end.duplex in DUPLEX else None
        told = [f"{speed / 1e6:g} Mbit/s" if speed else None, duplex]
        facts = " ".join(part for part in told if part)
        ends.append(f"{name} {end.port or '?'}" + (f" ({facts})" if facts else ""))
    code = graph.devices[cable.near.device or 0]["code"]
    return _with_command(" ↔ ".join(ends), code)


def _with_command(text: str, code: str) -> str:
    command = f" | kiemke device show {code}"
    return text[: _DETAIL_LENGTH - len(command)] + command


def _strangers(rows: list[Row]) -> Wanted:
    """One finding a unit: how many things are nobody's, and the first of them."""
    by_unit: dict[tuple[int, str], list[str]] = {}
    for row in rows:
        shown = row["address"] + (f" ({row['mac']})" if row["mac"] else "")
        by_unit.setdefault((row["unit_id"], row["code"]), []).append(shown)
    found: Wanted = {}
    for (unit, code), hosts in by_unit.items():
        more = ", …" if len(hosts) > _SHOWN else ""
        text = f"{len(hosts)}: {', '.join(hosts[:_SHOWN])}{more}"
        command = f" | kiemke site hosts --unit {code} --unknown"
        found[UNKNOWN_ON_LAN, f"unit:{code}"[:_SUBJECT_LENGTH]] = (text + command, unit)
    return found


def _silent_text(row: Row) -> str:
    ports = [int(each) for each in row["open_ports"].split(",") if each]
    fix = fix_of(
        ports,
        speaks_snmp=row["snmp_version"] is not None,
        is_device=True,
        is_machine=False,
        is_polled=False,
    )
    signs = [*row["signs"].split(","), *(f"tcp/{port}" for port in ports)]
    text = f"{row['code']} {row['address']}: {', '.join(sign for sign in signs if sign)}"
    step = _NEXT.get(fix or "", _NEXT["find_out"])
    return f"{text} | {step.format(code=row['code'], address=row['address'])}"[:_DETAIL_LENGTH]
