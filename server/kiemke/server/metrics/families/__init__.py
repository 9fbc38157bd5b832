"""Groups of metric families of the fleet: one file per group, one line here."""

from typing import Protocol

from kiemke.server.db import Row
from kiemke.server.metrics.families import (
    devices,
    fitness,
    indicators,
    links,
    officials,
    sources,
    things,
    units,
)
from kiemke.server.metrics.families.context import Context
from kiemke.server.metrics.text import Block, Family


class Group(Protocol):
    """A module of this package.

    ``CHANGED`` selects the rows with ``changed_at_ms >= :since``; rows of one ``subject`` make one
    block. ``freshness`` says what of a row has gone stale by now: when it moves, the block is remade.
    ``ROWS_AGE`` is False where it depends on the context alone and so is the same for every row.
    """

    NAME: str
    FAMILIES: tuple[Family, ...]
    CHANGED: str
    ROWS_AGE: bool

    def subject(self, row: Row) -> object:
        """Return the key of the block a row belongs to."""

    def row_key(self, row: Row) -> object:
        """Return the key of the row within its block."""

    def freshness(self, row: Row, context: Context) -> object:
        """Return what depends on the present moment."""

    def render(self, rows: list[Row], context: Context) -> Block | None:
        """Return the finished block, None when the subject has nothing to say."""


# The order is the order of output.
METRICS: tuple[Group, ...] = (
    units,
    officials,
    fitness,
    things,
    indicators,
    links,
    devices,
    sources,
)
