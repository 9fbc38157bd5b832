"""When each source was last heard; agents only in fleets where a series each is worth it."""

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, make_block

NAME = "sources"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family(
        "kiemke_source_last_report_timestamp_seconds",
        "gauge",
        "When the server last received something from the source, Unix time.",
    ),
)
CHANGED = (
    "SELECT n.source_id, n.last_received_at_ms, n.changed_at_ms, s.unit_id, s.kind, s.state"
    " FROM source_now n JOIN source s ON s.id = n.source_id WHERE n.changed_at_ms >= :since"
)


def subject(row: Row) -> object:
    """Return the source."""
    return row["source_id"]


def row_key(row: Row) -> object:
    """Return the source: there is one row."""
    return row["source_id"]


def freshness(row: Row, context: Context) -> object:
    """Return whether agents have a series each."""
    return context.agent_series


def render(rows: list[Row], context: Context) -> Block | None:
    """Return when the source was last heard."""
    row = rows[0]
    if row["last_received_at_ms"] is None or (
        row["kind"] != "collector" and not context.agent_series
    ):
        return None
    return make_block(
        row["unit_id"],
        (
            f'kiemke_source_last_report_timestamp_seconds{{source="{row["source_id"]}",'
            f'unit="{row["unit_id"]}",kind="{row["kind"]}"}} {row["last_received_at_ms"] / 1000}\n',
        ),
    )
