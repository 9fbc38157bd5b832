"""What a unit itself has: assets on the book, sources, what reports now, how its sensors do."""

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block, ppm

NAME = "things"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family(
        "kiemke_assets", "gauge", "Assets in the custody of the unit itself, by kind and status."
    ),
    Family(
        "kiemke_private_computers",
        "gauge",
        "PCs people bring of their own, in use in the unit itself; no PC of the office.",
    ),
    Family(
        "kiemke_sources", "gauge", "Agents and collectors of the unit itself, by kind and state."
    ),
    Family(
        "kiemke_unit_agents_present",
        "gauge",
        "Approved agents of the unit itself heard within the last 15 minutes.",
    ),
    Family(
        "kiemke_sensor_success",
        "gauge",
        "Share of the unit's approved sources whose sensor last gave an answer.",
    ),
)
CHANGED = "SELECT * FROM unit_figure_now WHERE changed_at_ms >= :since"


def subject(row: Row) -> object:
    """Return the unit."""
    return row["unit_id"]


def row_key(row: Row) -> object:
    """Return the figure."""
    return (row["family"], row["label"])


def freshness(row: Row, context: Context) -> object:
    """Nothing here goes stale by itself: presence is counted anew every minute."""
    return None


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the unit's figures; those that are no more have no series."""
    unit = rows[0]["unit_id"]
    names = ("assets", "private_pcs", "sources", "present", "sensor_ppm")
    lines: dict[str, list[str]] = {name: [] for name in names}
    for row in sorted(rows, key=lambda row: (row["family"], row["label"])):
        value, name = row["value"], label(row["label"])
        if value is None or row["family"] not in lines:
            continue
        first, _, second = name.partition(",")
        lines[row["family"]].append(
            {
                "assets": f'kiemke_assets{{unit="{unit}",kind="{first}",status="{second}"}} {value}\n',
                "private_pcs": f'kiemke_private_computers{{unit="{unit}"}} {value}\n',
                "sources": f'kiemke_sources{{unit="{unit}",kind="{first}",state="{second}"}} {value}\n',
                "present": f'kiemke_unit_agents_present{{unit="{unit}"}} {value}\n',
                "sensor_ppm": f'kiemke_sensor_success{{unit="{unit}",sensor="{name}"}} {ppm(value)}\n',
            }[row["family"]]
        )
    return make_block(unit, ["".join(texts) for texts in lines.values()])
