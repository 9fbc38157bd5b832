"""Manual indicators of a unit: the figure people reported beside its target."""

from fractions import Fraction

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block, number

NAME = "indicators"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family(
        "kiemke_indicator_info",
        "gauge",
        "Name of a unit's manual indicator and how it is measured.",
    ),
    Family(
        "kiemke_indicator_value",
        "gauge",
        "Figure people reported; a percentage as a ratio, anything else in its own unit.",
    ),
    Family(
        "kiemke_indicator_target",
        "gauge",
        "Figure the unit must reach; a percentage as a ratio, anything else in its own unit.",
    ),
)
CHANGED = (
    "SELECT f.*, i.name, i.measure FROM unit_figure_now f JOIN indicator i ON i.code = f.label"
    " WHERE f.family IN ('indicator_actual', 'indicator_target') AND f.changed_at_ms >= :since"
)


def subject(row: Row) -> object:
    """Return the unit."""
    return row["unit_id"]


def row_key(row: Row) -> object:
    """Return the figure."""
    return (row["family"], row["label"])


def freshness(row: Row, context: Context) -> object:
    """Nothing here goes stale by itself: a figure holds until another is reported."""
    return None


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the unit's indicators; those that are no more have no series."""
    unit = rows[0]["unit_id"]
    known = [row for row in rows if row["value"] is not None]
    known.sort(key=lambda row: str(row["label"]))
    info = {
        row["label"]: (
            f'kiemke_indicator_info{{unit="{unit}",indicator="{label(row["label"])}",'
            f'name="{label(row["name"])}",measure="{label(row["measure"])}"}} 1\n'
        )
        for row in known
    }
    return make_block(
        unit,
        (
            "".join(info.values()),
            _lines("kiemke_indicator_value", "indicator_actual", unit, known),
            _lines("kiemke_indicator_target", "indicator_target", unit, known),
        ),
    )


def _lines(name: str, family: str, unit: int, rows: list[Row]) -> str:
    return "".join(
        f'{name}{{unit="{unit}",indicator="{label(row["label"])}"}}'
        f" {number(Fraction(row['value'], 1_000_000))}\n"
        for row in rows
        if row["family"] == family
    )
