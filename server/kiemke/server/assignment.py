"""Which collector polls what: devices and probe targets without one go to the nearest above them.

Probe targets may also go to an agent that is named its site's probe: a collector of the unit comes before it, one
of a unit above after it.
"""

from kiemke.server.audit import record
from kiemke.server.db import Row, Session

_TARGETS = """
SELECT p.id, p.collector_id, v.unit_id FROM probe_target p JOIN link_version v ON v.link_id = p.link_id
WHERE p.retired_at_ms IS NULL AND v.voided_at_ms IS NULL ORDER BY p.id, v.valid_from DESC
"""


async def assign_unassigned(session: Session, *, who: str, now_ms: int) -> int:
    """Give each device and probe target without a collector an approved one; return how many got one.

    Nearest means: of the unit itself, else of the closest unit above it in today's tree. Of several
    collectors of one unit the first enrolled is taken, so that a repeat changes nothing.
    """
    by_unit, observers = await _load_observers(session)
    if not observers:
        return 0
    parents = await _load_parents(session)
    devices = await session.fetch(
        "SELECT id, unit_id FROM device WHERE collector_id IS NULL AND retired_at_ms IS NULL"
    )
    targets = [row for row in await session.fetch(_TARGETS) if row["collector_id"] is None]
    given_devices = _choose(devices, by_unit, parents)
    given_targets = _choose(targets, observers, parents)
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


async def leave_strangers(session: Session, device_id: int) -> None:
    """Take a device's collector away where it is of a unit that is not, nor stands above, the device's."""
    row = await session.one(
        "SELECT d.unit_id, s.unit_id AS collecting FROM device d JOIN source s ON s.id = d.collector_id"
        " WHERE d.id = :id",
        id=device_id,
    )
    if row is None:
        return
    parents = await _load_parents(session)
    line: list[int] = []
    unit: int | None = row["unit_id"]
    while unit is not None and unit not in line:
        line.append(unit)
        unit = parents.get(unit)
    if row["collecting"] not in line:
        await session.execute("UPDATE device SET collector_id = NULL WHERE id = :id", id=device_id)


async def give_targets(session: Session, source: int, *, who: str, now_ms: int) -> int:
    """Give an agent that probes the targets that are nearest to it; return how many it got."""
    _, observers = await _load_observers(session)
    chosen = _choose(await session.fetch(_TARGETS), observers, await _load_parents(session))
    given = [row for row in chosen if row["collector"] == source]
    await session.many("UPDATE probe_target SET collector_id = :collector WHERE id = :id", given)
    await record(
        session,
        at_ms=now_ms,
        who=who,
        act="collector.assign",
        subject="collectors",
        after={"probe_targets": {str(row["id"]): source for row in given}},
    )
    return len(given)


async def _load_observers(session: Session) -> tuple[dict[int, int], dict[int, int]]:
    """Return unit -> its first collector, and unit -> who probes there: a collector, else an agent."""
    rows = await session.fetch(
        "SELECT id, unit_id, kind FROM source WHERE state = 'approved'"
        " AND (kind = 'collector' OR probe_since_ms IS NOT NULL) ORDER BY id DESC"
    )
    collectors = {row["unit_id"]: row["id"] for row in rows if row["kind"] == "collector"}
    return collectors, {row["unit_id"]: row["id"] for row in rows} | collectors


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
