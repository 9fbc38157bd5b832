"""Of the verified officials, whose PC is fit for the work: a unit's own people, and its subtree's."""

from kiemke.server.db import Row
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family, label, make_block

NAME = "fitness"
ROWS_AGE = False
FAMILIES: tuple[Family, ...] = (
    Family(
        "kiemke_officials_fit",
        "gauge",
        "Verified officials of the unit itself by whether their PC is fit for their work.",
    ),
    Family(
        "kiemke_subtree_officials_fit",
        "gauge",
        "Verified officials of the unit and all below it by whether their PC is fit for their work.",
    ),
)
CHANGED = (
    "SELECT * FROM unit_figure_now WHERE family IN ('fit', 'subtree_fit')"
    " AND changed_at_ms >= :since"
)
_NAMES = {"fit": "kiemke_officials_fit", "subtree_fit": "kiemke_subtree_officials_fit"}


def subject(row: Row) -> object:
    """Return the unit."""
    return row["unit_id"]


def row_key(row: Row) -> object:
    """Return the figure."""
    return (row["family"], row["label"])


def freshness(row: Row, context: Context) -> object:
    """Nothing here goes stale: a recount that stops shows in its job's metrics."""
    return None


def render(rows: list[Row], context: Context) -> Block | None:
    """Return the unit's figures; those that are no more have no series."""
    unit = rows[0]["unit_id"]
    lines: dict[str, list[str]] = {family: [] for family in _NAMES}
    for row in sorted(rows, key=lambda row: (row["family"], row["label"])):
        if row["value"] is not None:
            name = _NAMES[row["family"]]
            lines[row["family"]].append(
                f'{name}{{unit="{unit}",fitness="{label(row["label"])}"}} {row["value"]}\n'
            )
    return make_block(unit, ["".join(texts) for texts in lines.values()])
