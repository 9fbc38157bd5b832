"""The book ledger: stock-takes, what was found in them beyond the book, and the lines of their minutes.

What was found of a thing on the book is a row of CountedAsset that names its stock-take.
"""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

TAKE_REASONS = ("year_end", "merger", "handover", "other")
TAKE_STATES = ("open", "closed", "withdrawn")
# What a person may say of a number: all but "surplus" are of things on the book.
FOUND = ("found", "elsewhere", "broken", "missing", "surplus")


class StockTake(Model):
    """A stock-take: the book as of ``day`` is held against what stands there.

    That is the day it was opened for: where a version says another one, it was corrected.
    ``instrument`` is the decision that orders it, ``reason`` one of TAKE_REASONS.
    """

    id = fields.BigIntField(primary_key=True)
    day = fields.DateField()
    reason = fields.CharField(max_length=20)
    instrument = fields.CharField(max_length=200)
    opened_at_ms = fields.BigIntField()
    opened_by = fields.CharField(max_length=100)

    class Meta:
        """Table name."""

        table = "stock_take"


class StockTakeVersion(Dated):
    """Whose a stock-take is, its board and its state (TAKE_STATES) over a span of days.

    ``unit`` answers for it and sees it; ``counted_unit``, with all below it, is whose things are
    counted: another one once a reorganisation has handed the stock-take over. ``board_json`` lists
    {name, post, side, role}. ``day`` is as of which day the book is read; None: as it was opened.
    """

    stock_take = reference("StockTake", "versions")
    unit = reference("Unit", "stock_takes")
    counted_unit = reference("Unit", "counted_in")
    state = fields.CharField(max_length=12)
    board_json = fields.TextField()
    day = fields.DateField(null=True)

    class Meta:
        """Table name."""

        table = "stock_take_version"


class StockTakeSurplus(Dated):
    """A thing that stands there and is not on the book, found on ``valid_from`` (a one-day row).

    ``number`` is what stands on it, ``number_key`` the same for comparing. ``kind`` is a kind of asset
    or None where nobody said.
    """

    stock_take = reference("StockTake", "surplus")
    number = fields.CharField(max_length=120)
    number_key = fields.CharField(max_length=120)
    name = fields.CharField(max_length=200, null=True)
    kind = fields.CharField(max_length=30, null=True)
    place = fields.CharField(max_length=200, null=True)
    note = fields.CharField(max_length=400, null=True)
    counted_by = fields.CharField(max_length=200)

    class Meta:
        """Table name."""

        table = "stock_take_surplus"


class StockTakeLine(Model):
    """A line of the minutes as it stood when the stock-take was closed, written once."""

    id = fields.BigIntField(primary_key=True)
    stock_take = reference("StockTake", "lines")
    position = fields.IntField()
    line_json = fields.TextField()

    class Meta:
        """Table name."""

        table = "stock_take_line"
        unique_together = (("stock_take_id", "position"),)
