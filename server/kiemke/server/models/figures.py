"""Figures recounted whole by the leader: coverage by unit."""

from tortoise import fields
from tortoise.models import Model

STATES = ("no_pc", "verified", "counted", "contradicted", "silent", "unmatched")


class CoverageNow(Model):
    """One unit's coverage as last recounted: its own people (``own_*``) and its subtree's.

    Integers only. ``kinds`` says whose population this is (comma list of OFFICIAL_KINDS, "" = all).
    Tested identity: officials = no_pc + verified + counted + contradicted + silent + unmatched.
    """

    id = fields.BigIntField(primary_key=True)
    unit_id = fields.BigIntField()
    kinds = fields.CharField(max_length=100)
    day = fields.DateField()
    own_officials = fields.IntField()
    own_can_bo = fields.IntField()
    own_cong_chuc = fields.IntField()
    own_vien_chuc = fields.IntField()
    own_hop_dong = fields.IntField()
    own_no_pc = fields.IntField()
    own_verified = fields.IntField()
    own_counted = fields.IntField()
    own_contradicted = fields.IntField()
    own_silent = fields.IntField()
    own_unmatched = fields.IntField()
    own_excluded = fields.IntField()
    own_shared_access = fields.IntField()
    own_pcs = fields.IntField()
    officials = fields.IntField()
    no_pc = fields.IntField()
    verified = fields.IntField()
    counted = fields.IntField()
    contradicted = fields.IntField()
    silent = fields.IntField()
    unmatched = fields.IntField()
    excluded = fields.IntField()
    shared_access = fields.IntField()
    pcs = fields.IntField()
    target_thousandths = fields.IntField(null=True)
    ratio_target_thousandths = fields.IntField(null=True)
    evidence_age_working_days = fields.IntField(null=True)
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "coverage_now"
        unique_together = (("unit_id", "kinds"),)


class UnitFigureNow(Model):
    """One counted figure of a unit's own things, by family and label (see domain.coverage_figures).

    ``label`` is e.g. "desktop,in_use"; a figure that is no more has ``value`` None.
    """

    id = fields.BigIntField(primary_key=True)
    family = fields.CharField(max_length=40)
    unit_id = fields.BigIntField()
    label = fields.CharField(max_length=120)
    value = fields.BigIntField(null=True)
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "unit_figure_now"
        unique_together = (("family", "unit_id", "label"),)
