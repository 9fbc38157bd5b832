"""Which collector polls what: devices and probe targets without one go to the nearest above them."""

from kiemke.server.audit import record
from kiemke.server.db import Row, Session


async def assign_unassigned(session: Session, *, who: str, now_ms: int) -> int:
    """Give each device and probe target without a collector an approved one; return how many got one.

    Nearest means: of the unit itself, else of the closest unit above it in today's tree. Of several
    collectors of one unit the first enrolled is taken, so that a repeat changes nothing.
    """
    collectors = await session.fetch(
        "SELECT id, unit_id FROM source WHERE kind = 'collector' AND state = 'approved'"
        " ORDER BY id DESC"
    )
    by_unit = {row["unit_id"]: row["id"] for row in collectors}
    if not by_unit:
        return 0
    parents = await _load_parents(session)
    devices = await session.fetch(
        "SELECT id, unit_id FROM device WHERE collector_id IS NULL AND retired_at_ms IS NULL"
    )
    targets = await session.fetch(
        "SELECT p.id, v.unit_id FROM probe_target p JOIN link_version v ON v.link_id = p.link_id"
        " WHERE p.collector_id IS NULL AND p.retired_at_ms IS NULL AND v.voided_at_ms IS NULL"
        " ORDER BY p.id, v.valid_from DESC"
    )
    given_devices = _choose(devices, by_unit, parents)
    given_targets = _choose(targets, by_unit, parents)
    await session.many("UPDATE device SET collector_id = :collector WHERE id = :id", given_devices)
    await session.many(
        "UPDATE probe_target SET collector_id = :collector WHERE id = :id", given_targets
    )
    if given_devices or given_targets:
        await record(
            session,
            at_ms=now_ms,
            who=who,
            act="collector.assign",
            subject="collectors",
            after={
                "devices": {str(row["id"]): row["collector"] for row in given_devices},
                "probe_targets": {str(row["id"]): row["collector"] for row in given_targets},
            },
        )
    return len(given_devices) + len(given_targets)


async def _load_parents(session: Session) -> dict[int, int | None]:
    rows = await session.fetch(
        "SELECT unit_id, parent_id FROM unit_version WHERE voided_at_ms IS NULL"
        " ORDER BY valid_from, id"
    )
    return {row["unit_id"]: row["parent_id"] for row in rows}


def _choose(rows: list[Row], by_unit: dict[int, int], parents: dict[int, int | None]) -> list[Row]:
    given: dict[int, int] = {}
    for row in rows:
        if row["id"] in given:
            continue  # an older version of the same line
        unit: int | None = row["unit_id"]
        seen: set[int] = set()
        while unit is not None and unit not in seen:
            if unit in by_unit:
                given[row["id"]] = by_unit[unit]
                break
            seen.add(unit)
            unit = parents.get(unit)
    return [{"id": key, "collector": collector} for key, collector in given.items()]
