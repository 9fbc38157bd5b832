"""Signed releases of the agent that wait for their PCs; the server carries them, it cannot make one."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference


class AgentRelease(Model):
    """A package for one system with its signed manifest (``signed``, the file as it was signed).

    ``percent`` of the sources may have it; ``withdrawn_at_ms``: none any more, and its parts are gone.
    ``gone`` is 0 while it is offered, else its own id, so that a version may be published again.
    """

    id = fields.BigIntField(primary_key=True)
    version = fields.CharField(max_length=20)
    system = fields.CharField(max_length=20)
    file_name = fields.CharField(max_length=100)
    size_bytes = fields.BigIntField()
    sha256 = fields.CharField(max_length=64)
    signed = fields.TextField()
    expires_at_ms = fields.BigIntField()
    percent = fields.IntField()
    published_at_ms = fields.BigIntField()
    published_by = fields.CharField(max_length=100)
    changed_at_ms = fields.BigIntField()
    withdrawn_at_ms = fields.BigIntField(null=True)
    withdrawn_reason = fields.CharField(max_length=300, null=True)
    gone = fields.BigIntField(default=0)

    class Meta:
        """Table name."""

        table = "agent_release"
        unique_together = (("version", "system", "gone"),)


class AgentReleasePart(Model):
    """A piece of a package: ``number`` from 0, each of ``wire.update.PART_BYTES`` but the last."""

    id = fields.BigIntField(primary_key=True)
    release = reference("AgentRelease", "parts")
    number = fields.IntField()
    data = fields.BinaryField()

    class Meta:
        """Table name."""

        table = "agent_release_part"
        unique_together = (("release_id", "number"),)
