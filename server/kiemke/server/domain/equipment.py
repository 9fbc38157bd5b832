"""Which units have which equipment: for each item how many units have at least one, and how many things.

A unit has what it and all below it answer for, in use: a commune whose department holds the scanner has
a scanner. Things without a paper count nowhere. Lines are those a unit pays for or shares.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date

from kiemke.server.db import Session
from kiemke.server.domain.ownership import KIND, OWNERSHIP
from kiemke.server.domain.rollup import chain, roll_up
from kiemke.server.domain.tables import dated

# What forms and plans count, and the kinds of things that serve it.
ITEMS: dict[str, tuple[str, ...]] = {
    "pc": ("desktop", "all_in_one", "laptop"),
    "printer": ("printer", "multifunction"),
    "copier": ("copier", "multifunction"),
    "scanner": ("scanner", "multifunction"),
    "citizen_pc": ("citizen_pc",),
    "kiosk": ("kiosk",),
    "camera": ("camera",),
    "video_conference": ("video_conference",),
    "server": ("server",),
    "switch": ("switch",),
    "router": ("router", "modem"),
    "firewall": ("firewall",),
    "access_point": ("access_point",),
    "ups": ("ups",),
}
LINES: dict[str, tuple[str, ...]] = {"internet": ("internet", "leased"), "tslcd": ("tslcd",)}
NAMES = (*ITEMS, *LINES)


@dataclass(frozen=True, slots=True)
class UnitEquipment:
    """What one unit and all below it have in use: things by item, 0 where there is none."""

    unit_id: int
    parent_id: int | None
    code: str
    name: str
    type: str
    counts: dict[str, int]


@dataclass(frozen=True, slots=True)
class ItemPresence:
    """Of ``units`` units, ``having`` have at least one; ``without`` are the others, by name."""

    item: str
    units: int
    having: int
    things: int
    without: tuple[UnitEquipment, ...]


_UNITS = dated("""
SELECT v.unit_id, v.parent_id, v.code, v.name, v.type FROM unit_version v
WHERE {active v} AND (CAST(:all_units AS INTEGER) = 1 OR v.unit_id IN :[units])
ORDER BY v.sort_key, v.unit_id, v.id
""")
# A thing counts once, with the first of the units that hold it.
_THINGS = dated(
    """
SELECT unit_id, kind, COUNT(*) AS things FROM (
  SELECT c.asset_id, MIN(c.unit_id) AS unit_id, MIN(@kind) AS kind
  FROM custody c JOIN asset a ON a.id = c.asset_id
  JOIN asset_status s ON s.asset_id = a.id AND s.status = 'in_use' AND {active s}
  WHERE {active c} AND @ownership NOT IN ('unproven', 'private')
  GROUP BY c.asset_id
) AS held GROUP BY unit_id, kind
""".replace("@ownership", OWNERSHIP).replace("@kind", KIND)
)
_LINES = dated("""
SELECT DISTINCT l.link_id, l.unit_id, l.kind FROM link_version l WHERE {active l}
UNION
SELECT s.link_id, s.unit_id, l.kind FROM link_share s
JOIN link_version l ON l.link_id = s.link_id AND {active l} WHERE {active s}
""")


async def load(
    session: Session, day: date, known_ms: int, units: list[int] | None = None
) -> list[UnitEquipment]:
    """Return every unit asked about, in alphabetical order; ``units`` None is all.

    Only what these units hold is summed: nothing is told of a unit that may not be seen.
    """
    asked = {"day": day, "known": known_ms}
    rows = await session.fetch(
        _UNITS, **asked, units=units or [], all_units=1 if units is None else 0
    )
    parents = {row["unit_id"]: row["parent_id"] for row in rows}
    own: Counter[tuple[int, str]] = Counter()
    for row in await session.fetch(_THINGS, **asked):
        for item, kinds in ITEMS.items():
            if row["unit_id"] in parents and row["kind"] in kinds:
                own[row["unit_id"], item] += row["things"]
    summed: dict[tuple[int, str], int] = defaultdict(int, roll_up(own, parents))
    for unit_id, item, lines in await _lines(session, day, known_ms, parents):
        summed[unit_id, item] = lines
    return [
        UnitEquipment(
            row["unit_id"],
            row["parent_id"],
            row["code"],
            row["name"],
            row["type"],
            {item: summed[row["unit_id"], item] for item in NAMES},
        )
        for row in {row["unit_id"]: row for row in rows}.values()
    ]


async def _lines(
    session: Session, day: date, known_ms: int, parents: dict[int, int | None]
) -> list[tuple[int, str, int]]:
    """Return (unit, item, lines): a line that several units below share is one line."""
    found: dict[tuple[int, str], set[int]] = defaultdict(set)
    for row in await session.fetch(_LINES, day=day, known=known_ms):
        for item, kinds in LINES.items():
            if row["unit_id"] in parents and row["kind"] in kinds:
                for unit_id in chain(row["unit_id"], parents):
                    found[unit_id, item].add(row["link_id"])
    return [(unit_id, item, len(lines)) for (unit_id, item), lines in found.items()]


def summarise(rows: list[UnitEquipment], chosen: list[UnitEquipment]) -> list[ItemPresence]:
    """Return each item over the chosen ones of ``rows``; things of one below another count once."""
    parents = {row.unit_id: row.parent_id for row in rows}
    ids = {row.unit_id for row in chosen}
    topmost = [row for row in chosen if not ids & set(list(chain(row.unit_id, parents))[1:])]
    return [
        ItemPresence(
            item,
            len(chosen),
            sum(1 for row in chosen if row.counts[item]),
            sum(row.counts[item] for row in topmost),
            tuple(row for row in chosen if not row.counts[item]),
        )
        for item in NAMES
    ]
