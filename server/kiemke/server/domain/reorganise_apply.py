"""Do what a planned reorganisation says, in the caller's transaction."""

from collections.abc import Callable
from typing import Any

from kiemke.server.db import Session
from kiemke.server.domain.device_book import refresh
from kiemke.server.domain.reorganise import Plan, version_values
from kiemke.server.domain.reorganise_rows import EXTRA, carry, reopen, undated_table
from kiemke.server.domain.reorganise_sites import Networks
from kiemke.server.domain.reorganise_takes import carry_take


async def apply(session: Session, plan: Plan, *, who: str, now_ms: int) -> dict[str, int]:
    """Write the plan and return code -> id of the units it made."""
    day, paper = plan.decision.day, plan.decision.instrument
    stamp: dict[str, Any] = {"instrument": paper, "who": who, "now_ms": now_ms}
    ids = await _make_units(session, plan, now_ms)

    def real(unit_id: int | None) -> int | None:
        return unit_id if unit_id is None or unit_id > 0 else ids[unit_id]

    for unit in plan.units.values():
        if not unit.touched:
            continue
        values = version_values(unit, day)
        values |= {"unit_id": real(unit.id), "parent_id": real(unit.parent_id)}
        if unit.row is None:
            await _add_version(session, values, stamp)
        else:
            changes = None if unit.ended else values
            await reopen(session, "unit_version", unit.row, day, changes, **stamp)
    shares = await _open_shares(session, plan)
    networks = await Networks.load(session, plan, lambda unit: unit if unit > 0 else ids[unit])
    for transfer in plan.transfers:
        target = real(transfer.to_unit_id)
        if target is None:
            continue
        row = transfer.holding.row
        if transfer.holding.what == "site_subnet":
            await networks.carry(session, row, transfer.to_unit_id, stamp)
            continue
        if transfer.holding.what == "secret":
            await networks.carry_secret(session, row, transfer.to_unit_id)
            continue
        if transfer.holding.what == "stock_take":
            await carry_take(session, transfer, target, day, stamp)
            continue
        if transfer.holding.what == "link_share":
            # Departments that shared one line are one sharer once they are one unit.
            if (row["link_id"], target) in shares:
                plain = {k: v for k, v in row.items() if k not in EXTRA}
                await reopen(session, "link_share", plain, day, None, **stamp)
                continue
            shares.add((row["link_id"], target))
        await carry(session, transfer, target, day, **stamp)
        if (table := undated_table(transfer.holding.what)) is not None:
            plan.undated.append((table, row["id"], "unit_id", row["unit_id"], target))
    await networks.settle(session, stamp)
    devices = [t.holding.row["device_id"] for t in plan.transfers if t.holding.what == "device"]
    await refresh(session, devices, plan.today, now_ms)
    for row in plan.cut_targets:
        await reopen(session, "coverage_target", row, day, None, **stamp)
    await _say_successions(session, plan, real, stamp)
    return {unit.code: ids[unit.id] for unit in plan.units.values() if unit.id < 0}


async def _say_successions(
    session: Session, plan: Plan, real: Callable[[int | None], int | None], stamp: dict[str, Any]
) -> None:
    for succession in plan.successions:
        await session.execute(
            "INSERT INTO unit_succession (valid_from, instrument, recorded_at_ms, recorded_by,"
            " unit_id, successor_id, kind) VALUES (:day, :paper, :now, :who, :old, :new, :kind)",
            day=plan.decision.day,
            paper=stamp["instrument"],
            now=stamp["now_ms"],
            who=stamp["who"],
            old=real(succession.old_id),
            new=real(succession.new_id),
            kind=succession.kind,
        )


async def _open_shares(session: Session, plan: Plan) -> set[tuple[int, int]]:
    """Return (line, unit) of the shares that are open on the day before anything is handed over."""
    rows = await session.fetch(
        "SELECT link_id, unit_id FROM link_share WHERE voided_at_ms IS NULL"
        " AND valid_from <= :day AND (valid_to IS NULL OR valid_to > :day)",
        day=plan.decision.day,
    )
    return {(row["link_id"], row["unit_id"]) for row in rows}


async def _make_units(session: Session, plan: Plan, now_ms: int) -> dict[int, int]:
    """Insert the identities of new units; return planned (negative) id -> real id."""
    old = await session.one("SELECT demo FROM installation WHERE id = 1")
    demo = bool(old and old["demo"])
    ids: dict[int, int] = {}
    for unit in plan.units.values():
        if unit.id < 0:
            row = await session.one(
                "INSERT INTO unit (created_at_ms, demo) VALUES (:now, :demo) RETURNING id",
                now=now_ms,
                demo=demo,
            )
            if row is None:
                raise AssertionError("INSERT ... RETURNING gave no row")
            ids[unit.id] = row["id"]
    return ids


async def _add_version(session: Session, values: dict[str, Any], stamp: dict[str, Any]) -> None:
    await session.execute(
        "INSERT INTO unit_version (valid_from, valid_to, instrument, recorded_at_ms, recorded_by,"
        " unit_id, parent_id, code, name, type, sort_key, search_key) VALUES (:valid_from,"
        " :valid_to, :instrument, :now_ms, :who, :unit_id, :parent_id, :code, :name, :type,"
        " :sort_key, :search_key)",
        **values,
        **stamp,
    )
