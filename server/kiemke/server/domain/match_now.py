"""Machines on no book with the assets they may be: what both sides say, read from the ledgers."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain import calendar, rules
from kiemke.server.domain.asset_draft import chassis_kind
from kiemke.server.domain.bogus import sane_mac, sane_serial
from kiemke.server.domain.coverage_accounts import nobody
from kiemke.server.domain.match import (
    BookedAsset,
    Candidate,
    SeenMachine,
    best,
    label_key,
)
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.tables import dated

# What may carry an agent: the PCs of people, and those of rooms, citizens and racks.
KINDS = ("desktop", "all_in_one", "laptop", "server", "citizen_pc", "meeting_pc", "kiosk")
# A unit's list longer than this proposes by stronger evidence only.
_MOST_OF_A_UNIT = 500

_SOURCES = dated("""
SELECT x.machine_id, s.id, s.hostname, s.unit_id FROM machine_source x
JOIN source s ON s.id = x.source_id
WHERE x.machine_id IN :[machines] AND {active x} AND s.state <> 'revoked'
ORDER BY x.machine_id, s.id
""")
_SECTIONS = """
SELECT source_id, section, rows_json FROM source_section
WHERE source_id IN :[sources] AND section IN ('system', 'chassis', 'adapters', 'claimed_holder')
  AND rows_json IS NOT NULL
"""
_HOLDERS = """
SELECT DISTINCT p.source_id, o.id FROM presence_day p JOIN official o ON LOWER(o.account) = p.main_account
WHERE p.source_id IN :[sources] AND p.day >= :first AND p.day <= :day
  AND p.main_account NOT IN :[nobody.text]
"""
_CLAIMED = "SELECT id, LOWER(code) AS code FROM official WHERE LOWER(code) IN :[codes.text]"
_POSSIBLE = dated(
    """
SELECT a.id FROM asset a WHERE a.serial_key IN :[serials.text]
UNION SELECT a.id FROM asset a WHERE a.mac_key IN :[macs.text]
UNION SELECT a.id FROM asset a WHERE LOWER(a.code) IN :[labels.text]
UNION SELECT a.id FROM asset a WHERE LOWER(a.tag) IN :[labels.text]
UNION SELECT c.asset_id FROM custody c WHERE c.official_id IN :[officials] AND {active c}
UNION SELECT asset_id FROM (
  SELECT c.asset_id, ROW_NUMBER() OVER (PARTITION BY c.unit_id ORDER BY c.asset_id) AS nth
  FROM custody c JOIN asset a ON a.id = c.asset_id
  WHERE c.unit_id IN :[units] AND {active c} AND @kind IN :[kinds.text]
    AND NOT EXISTS (SELECT 1 FROM asset_match y WHERE y.asset_id = c.asset_id AND {active y})
) AS near WHERE nth <= :most
""".replace("@kind", KIND)
)
_ASSETS = dated(
    """
SELECT a.id, a.code, a.tag, @kind AS kind, a.manufacturer, a.model, a.name, a.serial_key, a.mac_key
FROM asset a
WHERE a.id IN :[ids] AND @kind IN :[kinds.text]
  AND NOT EXISTS (SELECT 1 FROM asset_match y WHERE y.asset_id = a.id AND {active y})
  AND NOT EXISTS (SELECT 1 FROM asset_status t WHERE t.asset_id = a.id AND {active t}
    AND t.status IN ('disposed', 'lost'))
ORDER BY a.id
""".replace("@kind", KIND)
)
_CUSTODIES = dated("""
SELECT c.asset_id, c.unit_id, c.official_id FROM custody c
WHERE c.asset_id IN :[ids] AND {active c} ORDER BY c.asset_id, c.id
""")
_REFUSED = """
SELECT machine_id, asset_id FROM match_refusal
WHERE machine_id IN :[machines] AND voided_at_ms IS NULL
"""


@dataclass(frozen=True, slots=True)
class Span:
    """The day asked about, what was known when, since when who sat where counts, and who is nobody."""

    day: date
    known_ms: int
    first: date
    nobody: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A machine on no book with the assets it may be, likeliest first."""

    machine: SeenMachine
    candidates: tuple[Candidate, ...]


async def load_span(session: Session, day: date, known_ms: int) -> Span:
    """Return the span of evidence up to a day, by the rules of that day."""
    law = await rules.load(session, day, known_ms)
    days = (await calendar.load(session, known_ms)).working_days_up_to(
        day, law.whole("coverage_evidence_working_days")
    )
    keys = tuple(sorted(nobody(law)))
    return Span(day, known_ms, days[-1] if days else day, keys)


async def seen_machines(
    session: Session, machines: Sequence[int], span: Span
) -> dict[int, SeenMachine]:
    """Return what is known of each machine to compare by."""
    times = {"day": span.day, "known": span.known_ms}
    sources = await session.fetch(_SOURCES, machines=list(machines), **times)
    ids = [row["id"] for row in sources]
    sections: dict[int, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    for row in await session.fetch(_SECTIONS, sources=ids):
        sections[row["source_id"]][row["section"]] = _rows(row["rows_json"])
    codes = {
        code.casefold()
        for of_source in sections.values()
        for row in of_source.get("claimed_holder", [])
        if isinstance(code := row.get("code"), str)
    }
    claimed = {row["code"]: row["id"] for row in await session.fetch(_CLAIMED, codes=sorted(codes))}
    people: dict[int, set[int]] = defaultdict(set)
    for row in await session.fetch(
        _HOLDERS, sources=ids, first=span.first, day=span.day, nobody=span.nobody
    ):
        people[row["source_id"]].add(row["id"])
    of: dict[int, list[Row]] = defaultdict(list)
    for row in sources:
        of[row["machine_id"]].append(row)
    return {key: _see(key, rows, sections, people, claimed) for key, rows in of.items()}


def _rows(text: str) -> list[dict[str, Any]]:
    rows = json.loads(text)
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _see(
    machine: int,
    sources: Iterable[Row],
    sections: dict[int, dict[str, list[dict[str, Any]]]],
    people: dict[int, set[int]],
    claimed: dict[str, int],
) -> SeenMachine:
    sources = list(sources)

    def each(section: str) -> list[dict[str, Any]]:
        return [row for s in sources for row in sections[s["id"]].get(section, [])]

    system, chassis = each("system"), each("chassis")
    serials = [sane_serial(row.get("serial")) for row in (*system, *chassis)]
    products = {sane_serial(row.get("product")) for row in system}
    macs = [
        sane_mac(row.get("permanent_mac"))
        for row in each("adapters")
        if row.get("kind") in ("ethernet", "wireless")
    ]
    models = [f"{r.get('manufacturer') or ''} {r.get('product') or ''}".strip() for r in system]
    kinds = [chassis_kind(row.get("type")) for row in chassis]
    tags = [row["asset_tag"] for row in chassis if sane_serial(row.get("asset_tag"))]
    names = [s["hostname"] for s in sources if s["hostname"]]
    claims = each("claimed_holder")
    stickers = [str(row["tag"]) for row in claims if row.get("tag")]
    return SeenMachine(
        id=machine,
        labels=frozenset(text.casefold() for text in (*names, *tags, *stickers)),
        hostnames=frozenset(key for name in names if (key := label_key(name))),
        unit_ids=frozenset(s["unit_id"] for s in sources),
        serials=frozenset(s for s in serials if s and s not in products),
        macs=frozenset(mac for mac in macs if mac),
        tags=frozenset(key for tag in tags if (key := label_key(tag))),
        kind=next((kind for kind in kinds if kind), None),
        model=next((model for model in models if model), None),
        official_ids=frozenset().union(*(people[s["id"]] for s in sources)),
        claimed_tags=frozenset(key for tag in stickers if (key := label_key(tag))),
        claimed_official_ids=frozenset(
            claimed[code] for row in claims if (code := str(row.get("code")).casefold()) in claimed
        ),
    )


async def booked_assets(
    session: Session, ids: Iterable[int], span: Span, kinds: Sequence[str] = KINDS
) -> list[BookedAsset]:
    """Return the assets of ``kinds`` among ``ids`` no machine is matched with, with who answers for them."""
    times = {"day": span.day, "known": span.known_ms}
    rows = await session.fetch(_ASSETS, ids=sorted(ids), kinds=list(kinds), **times)
    held: dict[int, list[Row]] = defaultdict(list)
    for row in await session.fetch(_CUSTODIES, ids=[row["id"] for row in rows], **times):
        held[row["asset_id"]].append(row)
    return [
        BookedAsset(
            id=row["id"],
            code=row["code"],
            tag=row["tag"],
            kind=row["kind"],
            model=" ".join(part for part in (row["manufacturer"], row["model"]) if part) or None,
            serial=row["serial_key"],
            mac=row["mac_key"],
            unit_ids=frozenset(c["unit_id"] for c in held[row["id"]]),
            official_ids=frozenset(c["official_id"] for c in held[row["id"]] if c["official_id"]),
        )
        for row in rows
    ]


async def propose(
    session: Session, machines: Sequence[int], span: Span, units: list[int] | None
) -> list[Proposal]:
    """Return the candidates of each machine, in the order given; only assets of ``units`` (None: all)."""
    seen = await seen_machines(session, machines, span)
    found = await session.fetch(
        _POSSIBLE,
        serials=sorted({serial for m in seen.values() for serial in m.serials}),
        macs=sorted({mac for m in seen.values() for mac in m.macs}),
        labels=sorted({label for m in seen.values() for label in m.labels}),
        officials=sorted(
            {
                official
                for m in seen.values()
                for official in m.official_ids | m.claimed_official_ids
            }
        ),
        units=sorted({unit for m in seen.values() for unit in m.unit_ids}),
        kinds=list(KINDS),
        most=_MOST_OF_A_UNIT,
        day=span.day,
        known=span.known_ms,
    )
    assets = await booked_assets(session, {row["id"] for row in found}, span)
    if units is not None:
        mine = set(units)
        assets = [asset for asset in assets if asset.unit_ids & mine]
    refused = {
        (row["machine_id"], row["asset_id"])
        for row in await session.fetch(_REFUSED, machines=list(machines))
    }
    return [
        Proposal(m, tuple(best(m, [a for a in assets if (m.id, a.id) not in refused])))
        for m in (seen[key] for key in machines if key in seen)
    ]
