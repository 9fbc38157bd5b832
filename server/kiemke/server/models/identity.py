"""How machines are known again: evidence by install, shared adapters, and what people decided."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference


class SourceEvidence(Model):
    """One value by which a machine can be known, shown by one stay of a source (domain.evidence).

    ``gone_ms`` is None while it is shown; a value that comes back is shown again in the same row.
    """

    id = fields.BigIntField(primary_key=True)
    source = reference("Source", "evidence")
    stay = fields.IntField()
    kind = fields.CharField(max_length=20)
    value = fields.CharField(max_length=120, db_index=True)
    first_seen_ms = fields.BigIntField()
    gone_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "source_evidence"
        unique_together = (("source_id", "stay", "kind", "value"),)


class SharedAdapter(Model):
    """A network adapter seen with several machines: a dock, a USB adapter, a card moved about."""

    id = fields.BigIntField(primary_key=True)
    mac = fields.CharField(max_length=12, unique=True)
    learned_at_ms = fields.BigIntField()

    class Meta:
        """Table name."""

        table = "shared_adapter"


MACHINE_DECISIONS = ("merge", "apart")


class MachineDecision(Model):
    """What a person said of two machines: that they are one (merge) or never will be (apart).

    ``moved_json`` lists the rows a merger replaced, so that undoing it is exact.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=10)
    machine = reference("Machine", "decisions")
    other = reference("Machine", "decisions_as_other")
    reason = fields.CharField(max_length=300, null=True)
    moved_json = fields.TextField(null=True)
    recorded_at_ms = fields.BigIntField()
    recorded_by = fields.CharField(max_length=100, null=True)
    undone_at_ms = fields.BigIntField(null=True)
    undone_by = fields.CharField(max_length=100, null=True)

    class Meta:
        """Table name."""

        table = "machine_decision"
