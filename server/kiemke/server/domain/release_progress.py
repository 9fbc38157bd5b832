"""How far a release is: what became of it on each PC that it is for, from what the agents told.

Each PC of the release's system that is approved or waits for approval is in exactly one state:
"running" (this version or a newer one), "rolled_back", "refused" (its own word about this version),
"not_its_turn", "silent" (not heard since it was its turn), "waiting", or "stuck": its turn for longer
than the rule says, heard since, and still on an older version.
"""

import json
from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from kiemke.server.db import Row, Session
from kiemke.server.domain import rules
from kiemke.wire.update import ManifestError, bucket_of, number_of

PATIENCE_RULE = "release_stuck_hours"
STATES = ("running", "waiting", "stuck", "rolled_back", "refused", "silent", "not_its_turn")
AMISS = ("rolled_back", "refused", "stuck")
FAMILIES = {"debian-amd64": "linux", "windows-amd64": "windows"}
HOUR_MS = 3_600_000

_SOURCES = """
SELECT s.id, s.public_id, s.hostname, s.unit_id, n.last_received_at_ms, x.rows_json AS identity_json,
  o.rows_json AS os_json
FROM source s JOIN source_section x ON x.source_id = s.id AND x.section = 'identity'
LEFT JOIN source_section o ON o.source_id = s.id AND o.section = 'os'
LEFT JOIN source_now n ON n.source_id = s.id
WHERE s.kind = 'agent' AND s.state IN ('pending', 'approved')
  AND (CAST(:all_units AS INTEGER) = 1 OR s.unit_id IN :[units])
ORDER BY s.id
"""
_WORDS = """
SELECT source_id, detail_json FROM source_event WHERE name = 'update' AND at_ms >= :since
  AND source_id IN :[sources] ORDER BY at_ms, id
"""


@dataclass(frozen=True, slots=True)
class Place:
    """One PC and what became of a release there; ``reason`` is the PC's own word."""

    source: str
    hostname: str | None
    unit_id: int | None
    state: str
    version: str | None
    last_received_ms: int | None
    reason: str | None = None


@dataclass(slots=True)
class Progress:
    """The PCs of a release's system by state, and by the version that they run."""

    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    versions: Counter[str] = field(default_factory=Counter)
    amiss: list[Place] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many PCs the release is for."""
        return sum(self.states.values())


@dataclass(frozen=True, slots=True)
class Fleet:
    """The PCs in sight and what each said about releases: by source, the last word about each version."""

    rows: list[Row]
    words: dict[tuple[int, str], dict[str, str]]
    patience_ms: int


async def load_fleet(
    session: Session, units: list[int] | None, since_ms: int, day: date, known_ms: int
) -> Fleet:
    """Return the PCs of ``units`` (None: all) with what they said since a moment. Raises UnusableRule."""
    law = await rules.load(session, day, known_ms)
    rows = await session.fetch(_SOURCES, all_units=1 if units is None else 0, units=units or [])
    words: dict[tuple[int, str], dict[str, str]] = {}
    for word in await session.fetch(_WORDS, since=since_ms, sources=[row["id"] for row in rows]):
        detail = json.loads(word["detail_json"])
        if isinstance(detail, dict):
            words[word["source_id"], str(detail.get("version"))] = detail
    return Fleet(rows, words, round(law.number(PATIENCE_RULE) * HOUR_MS))


def progress_of(fleet: Fleet, release: Row) -> Progress:
    """Return how far a release (``agent_release``'s columns) is among the PCs it is for."""
    family = FAMILIES.get(release["system"])
    found = Progress()
    for row in fleet.rows:
        if _first(row["os_json"]).get("family") != family:
            continue
        word = fleet.words.get((row["id"], release["version"]), {})
        place = _place(row, release, word, fleet.patience_ms)
        found.states[place.state] += 1
        found.versions[place.version or ""] += 1
        if place.state in AMISS:
            found.amiss.append(place)
    found.amiss.sort(key=lambda each: (AMISS.index(each.state), each.hostname or "", each.source))
    return found


def _place(row: Row, release: Row, word: dict[str, str], patience_ms: int) -> Place:
    told = _first(row["identity_json"]).get("agent_version")
    version = told if isinstance(told, str) else None
    heard, turn = row["last_received_at_ms"], release["changed_at_ms"]
    if _is_at(version, release["version"]):
        state = "running"
    elif word.get("outcome") in ("rolled_back", "refused"):
        state = word["outcome"]
    elif bucket_of(row["public_id"], release["version"]) >= release["percent"]:
        state = "not_its_turn"
    elif heard is None or heard <= turn:
        state = "silent"
    else:  # counted until it was heard last: a PC that is switched off takes nothing
        state = "stuck" if heard - turn >= patience_ms else "waiting"
    return Place(
        row["public_id"], row["hostname"], row["unit_id"], state, version, heard, word.get("reason")
    )


def _is_at(version: str | None, wanted: str) -> bool:
    try:
        return version is not None and number_of(version) >= number_of(wanted)
    except ManifestError:
        return False


def _first(text: str | None) -> dict[str, object]:
    rows = json.loads(text) if text else []
    return rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else {}
