"""Secrets by unit and name: sealed when they come, opened only for the collector that is to use them.

A device of a unit uses the nearest secret of its name: its unit's own, else the closest one above. It is
given out only for a device whose address stands in the registered subnets of its site, so that an edited
address cannot make a collector send a password to a stranger.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kiemke.server.db import Row, Session
from kiemke.server.domain.sites import Sites
from kiemke.server.vault import Vault

DEFAULT_NAME = "default"
# How each kind is named at a device: its column, and the name when the column is empty (None: unused).
USES: dict[str, tuple[str, str | None]] = {
    "snmp": ("credential", DEFAULT_NAME),
    "ssh": ("ssh_credential", None),
}


@dataclass(frozen=True, slots=True)
class Given:
    """A secret as it goes to a collector: ``fields`` are the values themselves, never shown."""

    id: int
    version: int
    kind: str
    name: str
    fields: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Given({self.id}, version {self.version}, ***)"


def place_of(secret_id: int, version: int) -> str:
    """Return what a sealed value is bound to."""
    return f"secret {secret_id} {version}"


@cache
def _well_known() -> Mapping[str, frozenset[str]]:
    path = Path(__file__).with_name("well_known.toml")
    found = tomllib.loads(path.read_text("utf-8"))
    return {name: frozenset(word.casefold() for word in words) for name, words in found.items()}


def is_well_known(fields: Mapping[str, str]) -> bool:
    """Return whether a value is one that everybody tries: a default of the trade, or the user's name."""
    lists = _well_known()
    if fields.get("community", "").casefold() in lists["communities"]:
        return True
    values = [fields.get(name) for name in ("password", "enable_password", "auth_key")]
    return any(
        value is not None
        and (value.casefold() in lists["passwords"] or value == fields.get("user"))
        for value in values
    )


def may_change(kind: str, fields: Mapping[str, str], told: bool | None) -> bool | None:
    """Return whether whoever holds it may change devices: as told, or by a user that always may."""
    if told is not None or kind != "ssh":
        return told
    known = fields.get("user", "").casefold() in _well_known()["administrators"]
    return True if known or "enable_password" in fields else None


async def add(
    session: Session,
    vault: Vault,
    *,
    unit_id: int,
    kind: str,
    name: str,
    fields: Mapping[str, str],
    can_change: bool | None,
    now_ms: int,
) -> int:
    """Keep a new secret; return its id. Raises db.Refused when the unit has one of this name."""
    row = await session.one(
        "INSERT INTO secret (unit_id, name, kind, version, can_change, well_known, created_at_ms,"
        " changed_at_ms, gone) VALUES (:unit, :name, :kind, 1, :can_change, :well_known, :now, :now,"
        " 0) RETURNING id",
        unit=unit_id,
        name=name,
        kind=kind,
        can_change=may_change(kind, fields, can_change),
        well_known=is_well_known(fields),
        now=now_ms,
    )
    if row is None:
        raise AssertionError("INSERT ... RETURNING gave no row")
    await _put(session, vault, int(row["id"]), 1, fields)
    return int(row["id"])


async def rotate(
    session: Session,
    vault: Vault,
    secret: Row,
    fields: Mapping[str, str],
    can_change: bool | None,
    now_ms: int,
) -> int:
    """Give a secret another value; return its new version. Who held the old one stays on record."""
    row = await session.one(
        "UPDATE secret SET version = version + 1, can_change = :can_change,"
        " well_known = :well_known, changed_at_ms = :now WHERE id = :id AND gone = 0"
        " RETURNING version",
        id=secret["id"],
        can_change=may_change(secret["kind"], fields, can_change),
        well_known=is_well_known(fields),
        now=now_ms,
    )
    if row is None:
        raise AssertionError("the secret was removed meanwhile")
    await _put(session, vault, secret["id"], int(row["version"]), fields)
    return int(row["version"])


async def remove(session: Session, secret_id: int, now_ms: int) -> None:
    """Forget a secret's value; the row stays for who was given it."""
    await session.execute(
        "UPDATE secret SET sealed = NULL, removed_at_ms = :now, gone = id"
        " WHERE id = :id AND gone = 0",
        id=secret_id,
        now=now_ms,
    )


async def _put(
    session: Session, vault: Vault, secret_id: int, version: int, fields: Mapping[str, str]
) -> None:
    text = json.dumps(dict(fields), ensure_ascii=False).encode()
    await session.execute(
        "UPDATE secret SET sealed = :sealed WHERE id = :id",
        sealed=vault.seal(place_of(secret_id, version), text),
        id=secret_id,
    )


async def reseal(session: Session, vault: Vault) -> tuple[int, list[str]]:
    """Seal every secret by the key that seals now; return how many, and the names nobody can open."""
    rows = await session.fetch(
        "SELECT id, name, version, sealed FROM secret WHERE gone = 0 ORDER BY id"
    )
    done, lost = 0, []
    for row in rows:
        place = place_of(row["id"], row["version"])
        data = vault.open(place, row["sealed"])
        if data is None:
            lost.append(row["name"])
            continue
        await session.execute(
            "UPDATE secret SET sealed = :sealed WHERE id = :id",
            sealed=vault.seal(place, data),
            id=row["id"],
        )
        done += 1
    return done, lost


class Choice:
    """Which secret each device uses, of those there are now."""

    def __init__(self, rows: Iterable[Row], sites: Sites) -> None:
        self._rows = {(row["unit_id"], row["kind"], row["name"]): row for row in rows}
        self._sites = sites

    def of(self, device: Row, kind: str) -> Row | None:
        """Return the secret (id, version) a device uses, None when there is none it may be shown.

        ``device`` holds unit_id, address and the columns that USES names.
        """
        column, default = USES[kind]
        name = device[column] or default
        if name is None or device["address"] is None:
            return None
        for unit in self._sites.above(device["unit_id"]):
            found = self._rows.get((unit, kind, name))
            if found is not None:
                reach = self._sites.reach(device["unit_id"], secret_of=unit)
                may = reach.allow is not None and reach.why_not(device["address"]) is None
                return found if may else None
        return None


async def load_choice(session: Session, sites: Sites) -> Choice:
    """Return what is needed to choose, without any value."""
    rows = await session.fetch("SELECT id, unit_id, kind, name, version FROM secret WHERE gone = 0")
    return Choice(rows, sites)


async def hand_out(
    session: Session, vault: Vault, source_id: int, wanted: Iterable[int], now_ms: int
) -> tuple[list[Given], list[str]]:
    """Return these secrets opened, and the names of those no key opens; who got what is noted first."""
    rows = await session.fetch(
        "SELECT id, kind, name, version, sealed FROM secret WHERE id IN :[ids] AND gone = 0"
        " ORDER BY id",
        ids=sorted(set(wanted)),
    )
    given, lost = [], []
    for row in rows:
        data = vault.open(place_of(row["id"], row["version"]), row["sealed"])
        if data is None:
            lost.append(row["name"])
        else:
            fields = json.loads(data)
            given.append(Given(row["id"], row["version"], row["kind"], row["name"], fields))
    await session.many(
        "INSERT INTO secret_handout (secret_id, source_id, version, first_at_ms, last_at_ms)"
        " VALUES (:secret, :source, :version, :now, :now)"
        " ON CONFLICT (secret_id, source_id, version) DO UPDATE SET last_at_ms = :now",
        [
            {"secret": each.id, "source": source_id, "version": each.version, "now": now_ms}
            for each in given
        ],
    )
    return given, lost


_HELD = """
SELECT h.secret_id, MAX(h.version) AS held, MIN(h.first_at_ms) AS first_at_ms,
  MAX(h.last_at_ms) AS last_at_ms, s.name, s.kind, s.unit_id, s.version, s.removed_at_ms
FROM secret_handout h JOIN secret s ON s.id = h.secret_id
WHERE h.source_id = :source AND h.first_at_ms <= :known
GROUP BY h.secret_id, s.name, s.kind, s.unit_id, s.version, s.removed_at_ms
ORDER BY s.name, h.secret_id
"""


async def held_by(session: Session, source_id: int, known_ms: int) -> list[Row]:
    """Return each secret a source was ever given until then, with the newest version it ``held``.

    ``to_change``: nobody has rotated or removed it since, so what the source holds still opens doors.
    """
    rows = await session.fetch(_HELD, source=source_id, known=known_ms)
    return [
        {**row, "to_change": row["removed_at_ms"] is None and row["held"] >= row["version"]}
        for row in rows
    ]
