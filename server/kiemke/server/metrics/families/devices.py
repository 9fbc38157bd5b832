"""What devices tell of their own state: processor, memory, heat, supplies, batteries, PoE."""

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block, number

NAME = "devices"
ROWS_AGE = True
# The slowest readings come every five minutes.
FRESH_MS = 900_000
_HELP = {
    "cpu_ratio": "Load of the device's processors, 0 to 1.",
    "memory_used_ratio": "Share of the device's memory in use, 0 to 1.",
    "temperature_celsius": "What a temperature sensor of the device says.",
    "supply_left_ratio": "What is left of a supply (toner, drum, waste box), 0 to 1.",
    "ups_charge_ratio": "Charge of the UPS battery, 0 to 1.",
    "ups_on_battery": "Whether the UPS feeds from its battery.",
    "ups_left_seconds": "How long the UPS says its battery will last, seconds.",
    "ups_load_ratio": "Load of a line of the UPS, share of what it can give.",
    "poe_capacity_watts": "What a PoE supply of the device can give, watts.",
    "poe_used_watts": "What a PoE supply of the device gives, watts.",
}
_PAGES = "kiemke_device_printed_pages_total"
FAMILIES: tuple[Family, ...] = (
    *(Family(f"kiemke_device_{name}", "gauge", text) for name, text in _HELP.items()),
    Family(_PAGES, "counter", "Pages the printer has printed since it was made."),
)
CHANGED = (
    "SELECT r.id, r.device_id, r.name, r.part, r.value, r.read_at_ms, r.changed_at_ms, d.unit_id"
    " FROM device_reading_now r JOIN device d ON d.id = r.device_id AND d.retired_at_ms IS NULL"
    " LEFT JOIN lease h ON h.name = 'collector:' || d.collector_id"
    " WHERE r.source_id = COALESCE(CAST(h.holder AS BIGINT), d.collector_id) AND r.changed_at_ms >= :since"
)


def subject(row: Row) -> object:
    """Return the device."""
    return row["device_id"]


def row_key(row: Row) -> object:
    """Return the reading."""
    return (row["name"], row["part"])


def freshness(row: Row, context: Context) -> object:
    """Return whether the reading is fresh."""
    return row["read_at_ms"] >= context.now_ms - FRESH_MS


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the device's fresh readings; what is older has no series."""
    device = rows[0]["device_id"]
    lines: dict[str, list[str]] = {name: [] for name in (*_HELP, "printed_pages")}
    for row in sorted(rows, key=lambda row: (row["name"], row["part"])):
        if row["name"] in lines and freshness(row, context):
            name = _PAGES if row["name"] == "printed_pages" else f"kiemke_device_{row['name']}"
            value = int(row["value"]) if float(row["value"]).is_integer() else float(row["value"])
            lines[row["name"]].append(
                f'{name}{{device="{device}",part="{label(row["part"])}"}} {number(value)}\n'
            )
    if not any(lines.values()):
        return None
    return make_block(rows[0]["unit_id"], ["".join(texts) for texts in lines.values()])
