"""The units themselves: what an opaque unit id is called."""

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block

NAME = "units"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family("kiemke_unit_info", "gauge", "A unit and its names; always 1."),
    Family("kiemke_unit_parent_info", "gauge", "A unit and the unit above it; always 1."),
)
CHANGED = ""  # made of the context's names alone


def subject(row: Row) -> object:
    """Return the unit."""
    return row["unit_id"]


def row_key(row: Row) -> object:
    """Return the unit: there is one row."""
    return row["unit_id"]


def freshness(row: Row, context: Context) -> object:
    """Nothing here goes stale."""
    return None


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the unit's names."""
    unit = rows[0]
    names = (
        f'unit="{unit["unit_id"]}",code="{label(unit["code"])}",'
        f'name="{label(unit["name"])}",type="{label(unit["type"])}"'
    )
    parent = unit["parent_id"]
    above = (
        ""
        if parent is None
        else (f'kiemke_unit_parent_info{{unit="{unit["unit_id"]}",parent="{parent}"}} 1\n')
    )
    return make_block(unit["unit_id"], (f"kiemke_unit_info{{{names}}} 1\n", above))
