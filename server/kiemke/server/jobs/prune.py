"""Forgets what the retention rules no longer keep, a few thousand rows a run."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from kiemke.server.db import Database, Refused, Row, Session
from kiemke.server.domain import presence_blocks, rules

Guard = Callable[[Session], Awaitable[None]]

DAY_MS = 86_400_000
# A transaction this long holds up ingest on SQLite for a moment only.
ROWS_A_TURN = 2_000
TURNS_A_RUN = 100
# More streams or boots than this of one source are no machine's doing; the oldest go first.
MOST_PER_SOURCE = 2_000


@dataclass(frozen=True, slots=True)
class Table:
    """A table of which rows older than a rule's days go; ``column`` is a DATE or ends in _ms.

    ``then`` is told the columns ``gone`` of what went, in the same transaction.
    """

    name: str
    column: str
    rule: str
    gone: str = "id"
    then: Callable[[Session, list[Row]], Awaitable[None]] | None = None


TABLES = (
    Table("source_stream", "updated_at_ms", "retention_stream_days"),
    Table("source_boot", "updated_at_ms", "retention_stream_days"),
    Table("source_event", "at_ms", "retention_event_days"),
    Table("device_event", "at_ms", "retention_event_days"),
    Table("rejected_report", "received_at_ms", "retention_rejected_days"),
    Table(
        "presence_day",
        "day",
        "retention_presence_days",
        gone="source_id, day, main_account",
        then=presence_blocks.forget,
    ),
    Table("network_stay", "last_day", "retention_presence_days"),
    Table("link_day", "day", "retention_link_days"),
    Table("link_pcs_day", "day", "retention_link_days"),
    Table("pc_traffic_day", "day", "retention_interface_days"),
    Table("device_config", "seen_at_ms", "retention_config_days"),
    Table("interface_now", "read_at_ms", "retention_interface_days"),
    Table("device_reading_now", "read_at_ms", "retention_interface_days"),
    Table("station_stay", "last_seen_ms", "retention_lan_days"),
    Table("address_stay", "last_seen_ms", "retention_lan_days"),
    Table("neighbour_stay", "last_seen_ms", "retention_lan_days"),
    Table("lan_host", "last_seen_ms", "retention_lan_days"),
    Table("port_change", "at_ms", "retention_lan_days"),
)
# Whose rows they are, by what the newest are told, and how many of one owner are kept at most.
MOST_OF_ONE = {
    "source_stream": ("source_id", "updated_at_ms", MOST_PER_SOURCE),
    "source_boot": ("source_id", "updated_at_ms", MOST_PER_SOURCE),
    "source_event": ("source_id", "at_ms", 20_000),
    "device_event": ("device_id", "at_ms", 20_000),
    "device_reading_now": ("device_id", "read_at_ms", 5_000),
    "interface_now": ("device_id", "read_at_ms", 50_000),
    "port_change": ("device_id", "at_ms", 100_000),
    "station_stay": ("device_id", "last_seen_ms", 200_000),
    "address_stay": ("device_id", "last_seen_ms", 200_000),
    "neighbour_stay": ("device_id", "last_seen_ms", 50_000),
    "lan_host": ("unit_id", "last_seen_ms", 200_000),
    "device_config": ("device_id", "seen_at_ms", 2_000),
}


async def run(db: Database, now_ms: int, guard: Guard, *, rows: int = ROWS_A_TURN) -> int:
    """Delete up to ``rows`` x TURNS_A_RUN rows of each table; return how many went in all.

    What is left goes in the next run. ``guard`` runs first in each transaction.
    """
    async with db.reading() as session:
        installation = await session.one("SELECT utc_offset_seconds FROM installation WHERE id = 1")
        if installation is None:
            return 0
        offset = installation["utc_offset_seconds"]
        today = datetime.fromtimestamp(now_ms / 1000 + offset, UTC).date()
        law = await rules.load(session, today, now_ms)
    gone = 0
    for table in TABLES:
        days = law.whole(table.rule)
        before = now_ms - days * DAY_MS if table.column.endswith("_ms") else None
        statement = _DELETE.format(name=table.name, column=table.column, gone=table.gone)
        oldest = today - timedelta(days=days) if before is None else before
        gone += await _repeat(db, guard, statement, rows, table.then, before=oldest)
    for name, (owner, column, most) in MOST_OF_ONE.items():
        async with db.reading() as session:
            many = await session.fetch(
                f"SELECT {owner} AS owner FROM {name} GROUP BY {owner}"  # noqa: S608  # names above
                f" HAVING count(*) > :most ORDER BY {owner}",
                most=most,
            )
        for row in many:
            statement = _DELETE_EXCESS.format(name=name, owner=owner, column=column)
            wanted = {"of": row["owner"], "most": most}
            gone += await _repeat(db, guard, statement, rows, None, **wanted)
    # A title that a report under way has just found may go: the report is refused once and told again.
    with suppress(Refused):
        gone += await _repeat(db, guard, _DELETE_TITLES, rows, None)
    return gone


_DELETE = (
    "DELETE FROM {name} WHERE id IN (SELECT id FROM {name} WHERE {column} < :before"
    " ORDER BY {column}, id LIMIT :rows) RETURNING {gone}"
)
_DELETE_EXCESS = (
    "DELETE FROM {name} WHERE id IN (SELECT id FROM {name} WHERE {owner} = :of"
    " ORDER BY {column} DESC, id DESC LIMIT :rows OFFSET :most) RETURNING id"
)
_DELETE_TITLES = (
    "DELETE FROM software_title WHERE id IN (SELECT t.id FROM software_title t WHERE NOT EXISTS"
    " (SELECT 1 FROM source_software x WHERE x.title_id = t.id) ORDER BY t.id LIMIT :rows) RETURNING id"
)


async def _repeat(
    db: Database,
    guard: Guard,
    statement: str,
    rows: int,
    then: Callable[[Session, list[Row]], Awaitable[None]] | None,
    **wanted: object,
) -> int:
    gone = 0
    for _ in range(TURNS_A_RUN):
        async with db.transaction() as session:
            await guard(session)
            deleted = await session.fetch(statement, rows=rows, **wanted)
            if then is not None:
                await then(session, deleted)
        gone += len(deleted)
        if len(deleted) < rows:
            break
    return gone
