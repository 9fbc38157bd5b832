"""Watched devices on no book with the assets they may be; what a serial or MAC settles by itself."""

import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import date

from kiemke.server.db import Database, Row, Session
from kiemke.server.domain import calendar
from kiemke.server.domain.asset_book import CannotSay
from kiemke.server.domain.dated_table import By
from kiemke.server.domain.device_identity_now import POLLED, WHO
from kiemke.server.domain.match import Candidate, SeenMachine, best, decides, label_key
from kiemke.server.domain.match_decide import evidence_of
from kiemke.server.domain.match_device import accept
from kiemke.server.domain.match_now import Proposal, Span, booked_assets
from kiemke.server.domain.ownership import KIND
from kiemke.server.domain.reconcile_sql import WATCHED_KINDS
from kiemke.server.domain.tables import dated

Guard = Callable[[Session], Awaitable[None]]
# Of a unit with more the stronger evidence alone proposes.
_MOST_OF_A_UNIT = 200

UNMATCHED = (
    "d.retired_at_ms IS NULL AND d.asset_id IS NULL AND NOT EXISTS (SELECT 1 FROM device_match z"
    " WHERE z.device_id = d.id AND z.voided_at_ms IS NULL AND z.valid_to IS NULL)"
)
_SEEN = f"""
SELECT d.id, d.code, d.kind, d.unit_id, n.sys_name, n.seen_name, n.seen_kind,
  h.serial, h.macs, h.vendor, h.model
{POLLED}
LEFT JOIN device_hardware h ON h.device_id = d.id AND h.voided_at_ms IS NULL AND h.valid_to IS NULL
  AND h.decided_by <> 'twin'
WHERE d.id IN :[devices]
"""  # the fragment of the sister file
_POSSIBLE = dated(
    """
SELECT id FROM (
  SELECT a.id FROM asset a WHERE a.serial_key IN :[serials.text]
  UNION SELECT a.id FROM asset a WHERE a.mac_key IN :[macs.text]
  UNION SELECT a.id FROM asset a WHERE LOWER(a.code) IN :[labels.text]
  UNION SELECT a.id FROM asset a WHERE LOWER(a.tag) IN :[labels.text]
  UNION SELECT asset_id FROM (
    SELECT c.asset_id, ROW_NUMBER() OVER (PARTITION BY c.unit_id ORDER BY c.asset_id) AS nth
    FROM custody c JOIN asset a ON a.id = c.asset_id
    WHERE c.unit_id IN :[units] AND {active c} AND @kind IN :[kinds.text]
  ) AS near WHERE nth <= :most
) AS found
WHERE NOT EXISTS (SELECT 1 FROM device_match z WHERE z.asset_id = found.id AND {active z})
  AND NOT EXISTS (SELECT 1 FROM device w WHERE w.asset_id = found.id AND w.retired_at_ms IS NULL)
""".replace("@kind", KIND)
)
_REFUSED = """
SELECT device_id, asset_id FROM device_match WHERE device_id IN :[devices]
  AND voided_at_ms IS NOT NULL AND voided_by <> :job AND decided_by <> 'person'
"""
_DUE = f"""
SELECT d.id FROM device d JOIN device_hardware h ON h.device_id = d.id AND h.voided_at_ms IS NULL
  AND h.valid_to IS NULL AND h.decided_by <> 'twin'
WHERE {UNMATCHED} AND (h.serial IN (SELECT a.serial_key FROM asset a)
  OR h.macs <> '' AND EXISTS (SELECT 1 FROM asset b WHERE b.mac_key IS NOT NULL))
ORDER BY d.id
"""  # noqa: S608  # the fragment above


def _see(row: Row) -> SeenMachine:
    names = [text for text in (row["code"], row["sys_name"], row["seen_name"]) if text]
    model = " ".join(part for part in (row["vendor"], row["model"]) if part)
    return SeenMachine(
        id=row["id"],
        labels=frozenset(text.casefold() for text in names),
        hostnames=frozenset(key for text in names if (key := label_key(text))),
        unit_ids=frozenset((row["unit_id"],)),
        serials=frozenset((row["serial"],) if row["serial"] else ()),
        macs=frozenset((row["macs"] or "").split()),
        tags=frozenset(),
        kind=row["seen_kind"] or row["kind"],
        model=model or None,
        official_ids=frozenset(),
    )


async def propose(
    session: Session, devices: Sequence[int], span: Span, units: list[int] | None
) -> list[Proposal]:
    """Return the candidates of each device, in the order given; only assets of ``units`` (None: all)."""
    seen = {row["id"]: _see(row) for row in await session.fetch(_SEEN, devices=list(devices))}
    found = await session.fetch(
        _POSSIBLE,
        serials=sorted({serial for d in seen.values() for serial in d.serials}),
        macs=sorted({mac for d in seen.values() for mac in d.macs}),
        labels=sorted({label for d in seen.values() for label in d.labels}),
        units=sorted({unit for d in seen.values() for unit in d.unit_ids}),
        kinds=list(WATCHED_KINDS),
        most=_MOST_OF_A_UNIT,
        day=span.day,
        known=span.known_ms,
    )
    ids = {row["id"] for row in found}
    assets = await booked_assets(session, ids, span, WATCHED_KINDS)
    if units is not None:
        mine = set(units)
        assets = [asset for asset in assets if asset.unit_ids & mine]
    refused = {
        (row["device_id"], row["asset_id"])
        for row in await session.fetch(_REFUSED, devices=list(devices), job=WHO)
    }
    return [
        Proposal(d, tuple(best(d, [a for a in assets if (d.id, a.id) not in refused])))
        for d in (seen[key] for key in devices if key in seen)
    ]


async def run(db: Database, now_ms: int, guard: Guard) -> int:
    """Match the devices of which a serial or a MAC names one asset alone; return how many."""
    async with db.reading() as session:
        installed = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        due = [row["id"] for row in await session.fetch(_DUE)] if installed else []
        if installed is None or not due:
            return 0
        today = calendar.local_day(now_ms, installed["utc_offset_seconds"])
        proposals = await propose(session, due, Span(today, now_ms, today), None)
    claims: dict[int, list[tuple[int, Candidate, str]]] = defaultdict(list)
    for proposal in proposals:
        sure = [(c, code) for c in proposal.candidates if (code := decides(c)) is not None]
        if len(sure) == 1:
            candidate, code = sure[0]
            claims[candidate.asset_id].append((proposal.machine.id, candidate, code))
    alone = [each[0] for each in claims.values() if len(each) == 1]
    if alone:
        async with db.change() as session:
            await guard(session)
            await _write(session, alone, today, By(WHO, now_ms))
    return len(alone)


async def _write(
    session: Session, alone: list[tuple[int, Candidate, str]], today: date, by: By
) -> None:
    for device, candidate, code in alone:
        with contextlib.suppress(CannotSay):  # a person was quicker
            await accept(
                session, candidate.asset_id, device, today, by,
                decided_by=code, evidence=evidence_of(candidate),
            )  # fmt: skip
