"""Indicators that no machine can measure: what they are, and their dated actual and target figures."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated, reference

INDICATOR_MEASURES = ("percent", "count", "dong", "score", "rank")
INDICATOR_ROLES = ("actual", "target")


class Indicator(Model):
    """What is told: ``measure`` is how a figure is written, ``more_is_better`` which way is good."""

    id = fields.BigIntField(primary_key=True)
    code = fields.CharField(max_length=60, unique=True)
    name = fields.CharField(max_length=200)
    search_key = fields.CharField(max_length=400)
    measure = fields.CharField(max_length=20)
    more_is_better = fields.BooleanField(default=True)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "indicator"


class IndicatorFigure(Dated):
    """A unit's actual figure or target from a day on, in millionths (a percentage: of 1).

    One row of a unit, indicator and role holds on a day. ``source_text`` says who counted it.
    """

    indicator = reference("Indicator", "figures")
    unit = reference("Unit", "indicator_figures")
    role = fields.CharField(max_length=10)
    amount_millionths = fields.BigIntField()
    source_text = fields.CharField(max_length=300, null=True)

    class Meta:
        """Table name."""

        table = "indicator_figure"
