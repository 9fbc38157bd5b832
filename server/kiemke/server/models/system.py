"""The installation itself: fixed facts, rules as dated rows, the leader's lease."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import Dated


class Installation(Model):
    """One row: facts written at first start and never changed (UTC offset of a local day)."""

    id = fields.IntField(primary_key=True, generated=False)
    public_id = fields.CharField(max_length=40)
    utc_offset_seconds = fields.IntField()
    demo = fields.BooleanField(default=False)
    created_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "installation"


class Rule(Dated):
    """A threshold, norm, calendar or other rule: ``value_json`` by ``name``, for one subject or all.

    ``subject`` is "" for the default or e.g. "link:7"; ``source_text`` names the law or paper.
    """

    name = fields.CharField(max_length=80, db_index=True)
    subject = fields.CharField(max_length=80, default="")
    value_json = fields.TextField()
    source_text = fields.CharField(max_length=300, null=True)

    class Meta:
        """Table name."""

        table = "rule"


class Holiday(Dated):
    """A day that is not a working day (or, with ``working``, a weekend day worked instead)."""

    day = fields.DateField(db_index=True)
    working = fields.BooleanField(default=False)
    name = fields.CharField(max_length=200)

    class Meta:
        """Table name."""

        table = "holiday"


class Lease(Model):
    """Who leads a job until when, ``fence`` grows with each new holder."""

    name = fields.CharField(max_length=60, primary_key=True)
    holder = fields.CharField(max_length=80)
    fence = fields.BigIntField()
    expires_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "lease"
