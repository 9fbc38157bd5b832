"""What units hold, and how it changes hands: rows open on the day are voided and said again."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiemke.server.db import Row, Session, as_date
from kiemke.server.ledgers import LEDGER_TABLES

_OPEN = "t.voided_at_ms IS NULL AND (t.valid_to IS NULL OR t.valid_to > :day)"

# What is held -> (table, query of its rows with code and name). Dated rows carry valid_from.
_DATED = {
    "official": (
        "membership",
        "SELECT t.*, o.code AS held_code, o.name AS held_name FROM membership t"
        " JOIN official o ON o.id = t.official_id WHERE t.unit_id IN :[units] AND {open}",
    ),
    "asset": (
        "custody",
        "SELECT t.*, a.code AS held_code, a.name AS held_name, o.code AS follows_code"
        " FROM custody t JOIN asset a ON a.id = t.asset_id"
        " LEFT JOIN official o ON o.id = t.official_id"
        " WHERE t.unit_id IN :[units] AND {open}",
    ),
    "link": (
        "link_version",
        "SELECT t.*, l.code AS held_code, t.name AS held_name FROM link_version t"
        " JOIN link l ON l.id = t.link_id WHERE t.unit_id IN :[units] AND {open}",
    ),
    "link_share": (
        "link_share",
        "SELECT t.*, l.code AS held_code, l.code AS held_name, l.code AS link_code"
        " FROM link_share t JOIN link l ON l.id = t.link_id"
        " WHERE t.unit_id IN :[units] AND {open}",
    ),
    "place": (
        "place_version",
        "SELECT t.*, t.code AS held_code, t.name AS held_name FROM place_version t"
        " WHERE t.unit_id IN :[units] AND {open}",
    ),
    "device": (
        "device_version",
        "SELECT t.*, t.code AS held_code, t.name AS held_name FROM device_version t"
        " WHERE t.unit_id IN :[units] AND {open}",
    ),
    "stock_take": (
        "stock_take_version",
        "SELECT t.*, CAST(s.id AS VARCHAR(20)) AS held_code, s.instrument AS held_name,"
        " COALESCE(t.day, s.day) AS take_day FROM stock_take_version t JOIN stock_take s ON s.id = t.stock_take_id"
        " WHERE t.state = 'open' AND t.unit_id IN :[units] AND {open}",
    ),
    "site_subnet": (
        "site_subnet",
        "SELECT t.*, t.subnet AS held_code, t.note AS held_name, (SELECT MAX(p.code)"
        " FROM place_version p WHERE p.place_id = t.place_id AND p.voided_at_ms IS NULL"
        " AND p.valid_from <= :day AND (p.valid_to IS NULL OR p.valid_to > :day)) AS place_code"
        " FROM site_subnet t WHERE t.unit_id IN :[units] AND {open}",
    ),
}
_PLAIN = {
    "source": (
        "source",
        "SELECT id, unit_id, public_id AS held_code, hostname AS held_name FROM source"
        " WHERE unit_id IN :[units] AND state <> 'revoked'",
    ),
    "user": (
        "app_user",
        "SELECT id, unit_id, name AS held_code, name AS held_name FROM app_user"
        " WHERE unit_id IN :[units] AND disabled_at_ms IS NULL",
    ),
    "secret": (
        "secret",
        "SELECT s.id, s.unit_id, s.kind, s.name, (SELECT MAX(v.code) FROM unit_version v"
        " WHERE v.unit_id = s.unit_id AND v.voided_at_ms IS NULL AND v.valid_from <= :day"
        " AND (v.valid_to IS NULL OR v.valid_to > :day)) AS unit_code,"
        " s.kind || ':' || s.name AS held_code, s.name AS held_name FROM secret s"
        " WHERE s.unit_id IN :[units] AND s.gone = 0",
    ),
    "enrolment_token": (
        "enrolment_token",
        "SELECT id, unit_id, public_id AS held_code, kind AS held_name FROM enrolment_token"
        " WHERE unit_id IN :[units] AND revoked_at_ms IS NULL",
    ),
}
EXTRA = frozenset({"held_code", "held_name", "follows_code", "link_code", "place_code", "take_day"})


@dataclass(frozen=True, slots=True)
class Holding:
    """One thing a unit holds on the day. ``follows`` is the key of what it goes with by default.

    A PC in personal custody follows its official. ``row`` is the stored row, dated or not.
    """

    what: str
    code: str
    name: str | None
    unit_id: int
    row: Mapping[str, Any]
    follows: str | None = None

    @property
    def key(self) -> str:
        """How a decision names it: "official:CODE"."""
        return f"{self.what}:{self.code}"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A holding and the unit that receives it (negative id: made by the same decision)."""

    holding: Holding
    to_unit_id: int


def undated_table(what: str) -> str | None:
    """Return the table of what is held without dates, None where it has dates or is logged as a ledger row."""
    table = _PLAIN[what][0] if what in _PLAIN else None
    return None if table in LEDGER_TABLES else table


async def holdings_of(session: Session, unit_ids: list[int], day: date) -> list[Holding]:
    """Return everything these units hold on the day or are to hold later, by kind and code."""
    found: list[Holding] = []
    for what, (_table, sql) in (*_DATED.items(), *_PLAIN.items()):
        dated = {"day": day} if ":day" in sql or what in _DATED else {}
        rows = await session.fetch(sql.replace("{open}", _OPEN), units=unit_ids, **dated)
        found += [_holding(what, row) for row in rows]
    return sorted(found, key=lambda holding: (holding.what, holding.code))


def _holding(what: str, row: Row) -> Holding:
    follows = None
    if row.get("follows_code"):
        follows = f"official:{row['follows_code']}"
    elif row.get("link_code"):
        follows = f"link:{row['link_code']}"
    elif row.get("place_code"):
        follows = f"place:{row['place_code']}"
    return Holding(what, row["held_code"], row["held_name"], row["unit_id"], row, follows)


async def carry(
    session: Session,
    transfer: Transfer,
    to_unit_id: int,
    day: date,
    *,
    instrument: str,
    who: str,
    now_ms: int,
) -> None:
    """Hand one thing over from the day on."""
    holding = transfer.holding
    if holding.what in _PLAIN:
        table = _PLAIN[holding.what][0]
        await session.execute(
            f"UPDATE {table} SET unit_id = :unit WHERE id = :id",  # noqa: S608  # a name above
            unit=to_unit_id,
            id=holding.row["id"],
        )
        return
    table = _DATED[holding.what][0]
    plain = {k: v for k, v in holding.row.items() if k not in EXTRA}
    await reopen(
        session, table, plain, day, {"unit_id": to_unit_id},
        instrument=instrument, who=who, now_ms=now_ms,
    )  # fmt: skip


async def reopen(
    session: Session,
    table: str,
    row: Mapping[str, Any],
    day: date,
    changes: Mapping[str, Any] | None,
    *,
    instrument: str,
    who: str,
    now_ms: int,
    ending: Mapping[str, Any] | None = None,
) -> None:
    """Void a dated row and say it again: as it was until the day, with ``changes`` from the day.

    ``changes`` None ends the row on the day; ``ending`` is what its part until then says of that.
    """
    await session.execute(
        f"UPDATE {table} SET voided_at_ms = :now, voided_by = :who WHERE id = :id",  # noqa: S608
        now=now_ms,
        who=who,
        id=row["id"],
    )
    begun = as_date(row["valid_from"])
    ends = None if row["valid_to"] is None else as_date(row["valid_to"])
    base = dict(row) | {"recorded_at_ms": now_ms, "recorded_by": who, "valid_from": begun}
    if begun < day:
        await add_dated(session, table, base | {"valid_to": day} | dict(ending or {}))
    if changes is not None:
        after = {"valid_from": max(begun, day), "valid_to": ends, "instrument": instrument}
        await add_dated(session, table, base | after | dict(changes))


async def add_dated(session: Session, table: str, values: Mapping[str, Any]) -> None:
    """Insert one dated row of these columns; an ``id`` among them is left out."""
    names = [name for name in values if name != "id"]
    sql = (
        f"INSERT INTO {table} ({', '.join(names)})"  # noqa: S608  # column names of our own tables
        f" VALUES ({', '.join(f':{name}' for name in names)})"
    )
    await session.execute(sql, **{name: values[name] for name in names})
