"""What taking a decision back would do, for a person to read before it does: units, people, things, by code."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kiemke.server.db import Row, Session
from kiemke.server.domain.act_log import Change
from kiemke.server.domain.take_back_check import Trees
from kiemke.server.domain.take_back_rows import ActRows, content

# Table -> (what it is called, how its row's thing is looked up, the column with the thing's id).
_LOOKED_UP = {
    "membership": ("official", "SELECT id, code, name FROM official", "official_id"),
    "custody": ("asset", "SELECT id, code, name FROM asset", "asset_id"),
    "link_version": ("link", "SELECT id, code, code AS name FROM link", "link_id"),
    "link_share": ("link_share", "SELECT id, code, code AS name FROM link", "link_id"),
    "app_user": ("user", "SELECT id, name AS code, name FROM app_user", "id"),
    "source": ("source", "SELECT id, public_id AS code, hostname AS name FROM source", "id"),
    "secret": ("secret", "SELECT id, kind || ':' || name AS code, name FROM secret", "id"),
    "enrolment_token": (
        "enrolment_token", "SELECT id, public_id AS code, kind AS name FROM enrolment_token", "id",
    ),
    "device": ("device", "SELECT id, code, name FROM device", "id"),
    "absence": ("official", "SELECT id, code, name FROM official", "official_id"),
    "counted_asset": ("asset", "SELECT id, code, name FROM asset", "asset_id"),
    "indicator_figure": ("indicator", "SELECT id, code, name FROM indicator", "indicator_id"),
    "user_grant": ("user", "SELECT id, name AS code, name FROM app_user", "user_id"),
}  # fmt: skip
_NAMED = {"unit_version": "unit", "place_version": "place", "device_version": "device"}
_OF_UNITS = {"coverage_target": "target", "unit_succession": "succession"}
MOVING = (
    "membership", "custody", "link_version", "link_share", "place_version", "device_version",
    "site_subnet", "stock_take_version",
)  # fmt: skip
_ASIDE = frozenset(
    ("unit_id", "counted_unit_id", "authority_id", "valid_from", "valid_to", "instrument")
)

Thing = tuple[str, str, str | None]


async def name_rows(
    session: Session, rows: Iterable[tuple[str, Mapping[str, Any]]]
) -> dict[tuple[str, int], Thing]:
    """Return (what, code, name) of the thing that each row of a table is about."""
    told: dict[tuple[str, int], Thing] = {}
    asked: dict[str, list[Mapping[str, Any]]] = {}
    for table, row in rows:
        asked.setdefault(table, []).append(row)
    units = await _unit_codes(session) if asked.keys() & _OF_UNITS.keys() else {}
    for table, some in asked.items():
        names: dict[int, Row] = {}
        if table in _LOOKED_UP:
            what, sql, column = _LOOKED_UP[table]
            ids = sorted({row[column] for row in some})
            found = await session.fetch(f"{sql} WHERE id IN :[ids]", ids=ids)
            names = {row["id"]: row for row in found}
        for row in some:
            if table in _LOOKED_UP:
                thing = names.get(row[column], {})
                told[table, row["id"]] = (what, str(thing.get("code", "?")), thing.get("name"))
            elif table in _NAMED:
                told[table, row["id"]] = (_NAMED[table], row["code"], row["name"])
            elif table in _OF_UNITS:
                code = units.get(row["unit_id"], "?")
                told[table, row["id"]] = (_OF_UNITS[table], code, None)
            elif table == "stock_take_version":
                number = str(row["stock_take_id"])
                told[table, row["id"]] = ("stock_take", number, row["instrument"])
            else:
                told[table, row["id"]] = (table, str(row.get("subnet", row["id"])), row.get("note"))
    return told


async def _unit_codes(session: Session) -> dict[int, str]:
    rows = await session.fetch("SELECT unit_id, code FROM unit_version ORDER BY valid_from, id")
    return {row["unit_id"]: row["code"] for row in rows}


async def tell(session: Session, rows: ActRows, trees: Trees) -> dict[str, Any]:
    """Return every consequence; units are {code, name}."""
    lost, gained = trees.lost(), trees.gained()
    was = {each.unit_id: each.row for each in sorted(trees.now, key=lambda s: s.begins)}
    becomes = {each.unit_id: each.row for each in sorted(trees.then, key=lambda s: s.begins)}
    names = {
        unit: {"code": row["code"], "name": row["name"]} for unit, row in (was | becomes).items()
    }
    changed = [
        names[unit] | {"type": row["type"], "parent": names.get(row["parent_id"])}
        for unit in sorted(trees.touched - lost.keys() - gained.keys())
        if (row := becomes.get(unit)) and content(row) != content(was[unit])
    ]
    moved, takes, paired = await _moves(session, rows, names)
    stays = [
        {"what": what, "code": code, "name": name, "at": names.get(each.after)}
        for each, (what, code, name) in await _undated(session, rows.stays)
    ]
    return {
        "vanished": [names[unit] for unit in sorted(lost)],
        "revived": [names[unit] for unit in sorted(gained)],
        "changed": changed,
        "moved": moved,
        "again": await _again(session, rows, paired),
        "stays": stays,
        "stock_takes": takes,
        "targets": len(rows.restore["coverage_target"]),
    }


async def _moves(
    session: Session, rows: ActRows, names: Mapping[int, dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], set[tuple[str, int]]]:
    """Return what goes back from which unit to which, the stock-takes among it, and the rows that say so."""
    pairs = [
        (table, back, here)
        for table in MOVING
        for back, here in _pairs(rows.restore[table], rows.void[table])
    ]
    things = await name_rows(session, [(table, back) for table, back, _ in pairs])
    moved, takes = [], []
    for table, back, here in pairs:
        what, code, name = things[table, back["id"]]
        ends = {"from": names.get(here["unit_id"]), "to": names.get(back["unit_id"])}
        moved.append({"what": what, "code": code, "name": name, **ends})
        if table == "stock_take_version":
            takes.append({"number": back["stock_take_id"], **ends})
    for change, (what, code, name) in await _undated(session, rows.set_back):
        ends = {"from": names.get(change.after), "to": names.get(change.before)}
        moved.append({"what": what, "code": code, "name": name, **ends})
    moved.sort(key=lambda each: (each["what"], each["code"]))
    return moved, takes, {(table, back["id"]) for table, back, _ in pairs}


async def _again(
    session: Session, rows: ActRows, paired: set[tuple[str, int]]
) -> list[dict[str, Any]]:
    """Return people and things of which something is said again that moves them nowhere."""
    back = [
        (table, row)
        for table, some in rows.restore.items()
        for row in some
        if table not in ("unit_version", *_OF_UNITS) and (table, row["id"]) not in paired
    ]
    things = dict.fromkeys((await name_rows(session, back)).values())
    return [
        {"what": what, "code": code, "name": name} for what, code, name in sorted(things, key=str)
    ]


def _pairs(back: Sequence[Row], here: Sequence[Row]) -> Iterable[tuple[Row, Row]]:
    """Yield (row that comes back, row of another unit that it replaces)."""
    waiting: dict[Any, list[Row]] = {}
    for row in here:
        waiting.setdefault(_aside(row), []).append(row)
    for row in back:
        others = [
            each for each in waiting.get(_aside(row), ()) if each["unit_id"] != row["unit_id"]
        ]
        if others:
            waiting[_aside(row)].remove(others[0])
            yield row, others[0]


def _aside(row: Row) -> Any:
    return tuple(part for part in content(row) if part[0] not in _ASIDE)


async def _undated(session: Session, changes: Iterable[Change]) -> list[tuple[Change, Thing]]:
    units = [each for each in changes if each.column == "unit_id"]
    things = await name_rows(session, [(each.table, {"id": each.row_id}) for each in units])
    return [(each, things[each.table, each.row_id]) for each in units]
