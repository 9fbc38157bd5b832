"""What PCs moved behind lines that no device counts, and the sum of it by line and day."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference


class PcTrafficUnit(Model):
    """A unit whose PCs use one line that no device counts: their traffic is kept. Remade by a job."""

    unit_id = fields.BigIntField(primary_key=True, generated=False)
    link = reference("Link", "pc_traffic_units")

    class Meta:
        """Table name."""

        table = "pc_traffic_unit"


class PcTrafficDay(Model):
    """What the busiest adapter of one PC moved on one local day, as slots of a line's day.

    ``unit`` is the PC's at the time. Octets are absent, not 0, where no interval was counted.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "pc_traffic_days")
    unit = reference("Unit", "pc_traffic_days")
    day = fields.DateField(db_index=True)
    packed = fields.BinaryField()
    receive_gap_octets = fields.CharField(max_length=20, null=True)
    transmit_gap_octets = fields.CharField(max_length=20, null=True)
    changed_at_ms = fields.BigIntField(db_index=True)

    class Meta:
        """Table name."""

        table = "pc_traffic_day"
        unique_together = (("source_id", "day"),)


class LinkPcsDay(Model):
    """One local day of the PCs behind a line that no device counts: the sum of ``pc_traffic_day``.

    It is no figure of the line (see ``domain.pc_history``). ``pcs`` of ``pcs_expected`` told something;
    ``counted_seconds`` is the time of the day of which at least one did.
    """

    id = fields.BigIntField(primary_key=True)
    link = reference("Link", "pcs_days")
    day = fields.DateField(db_index=True)
    packed = fields.BinaryField()
    pcs = fields.IntField()
    pcs_expected = fields.IntField()
    counted_seconds = fields.IntField()
    receive_octets = fields.CharField(max_length=20, null=True)
    transmit_octets = fields.CharField(max_length=20, null=True)
    receive_gap_octets = fields.CharField(max_length=20, null=True)
    transmit_gap_octets = fields.CharField(max_length=20, null=True)
    changed_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "link_pcs_day"
        unique_together = (("link_id", "day"),)
