"""What collectors fetched from devices by SSH: the last visit, host keys, configurations by version."""

from tortoise import fields
from tortoise.models import Model

from kiemke.server.models.base import reference


class DeviceSsh(Model):
    """How the last visit to a device ended, and what it told: facts, parts, ports, who may change it.

    Facts are those of the last visit that told any; ``may_configure`` is about the account of the
    collector, ``user_name``. None: not known.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "ssh_rows")
    source = reference("Source", "ssh_rows")
    platform = fields.CharField(max_length=40)
    outcome = fields.CharField(max_length=20)
    detail = fields.CharField(max_length=500, null=True)
    vendor = fields.CharField(max_length=100, null=True)
    model = fields.CharField(max_length=200, null=True)
    version = fields.CharField(max_length=200, null=True)
    serial = fields.CharField(max_length=100, null=True)
    name = fields.CharField(max_length=255, null=True)
    parts_json = fields.TextField(null=True)
    ports_json = fields.TextField(null=True)
    user_name = fields.CharField(max_length=100, null=True)
    may_configure = fields.BooleanField(null=True)
    administrators_json = fields.TextField(null=True)
    snmp_writers = fields.IntField(null=True)
    visited_at_ms = fields.BigIntField()
    fetched_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "device_ssh"
        unique_together = (("device_id",),)


class DeviceHostKey(Model):
    """A host key a device showed: believed from ``pinned_at_ms`` on, waiting for a person where that is empty.

    ``pinned_by`` None: believed because it was the first. ``ended_at_ms``: believed or waited for no more.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "host_keys")
    source = reference("Source", "host_keys")
    host_key = fields.CharField(max_length=1000)
    seen_at_ms = fields.BigIntField()
    seen_last_ms = fields.BigIntField()
    pinned_at_ms = fields.BigIntField(null=True)
    pinned_by = fields.CharField(max_length=100, null=True)
    ended_at_ms = fields.BigIntField(null=True)

    class Meta:
        """Table name."""

        table = "device_host_key"


class DeviceConfig(Model):
    """A version of a device's configuration, its secrets masked by the collector.

    It was so from ``read_at_ms`` to ``seen_at_ms`` at least; another version may lie after. Equal
    ``digest``: the same but for lines that change by themselves. The server knows it since
    ``recorded_at_ms``.
    """

    id = fields.BigIntField(primary_key=True)
    device = reference("Device", "configs")
    source = reference("Source", "configs")
    platform = fields.CharField(max_length=40)
    digest = fields.CharField(max_length=64)
    text = fields.TextField()
    line_count = fields.IntField()
    masked = fields.IntField(default=0)
    read_at_ms = fields.BigIntField()
    seen_at_ms = fields.BigIntField()
    recorded_at_ms = fields.BigIntField()

    class Meta:
        """Table name, and the index that finds the version of a moment."""

        table = "device_config"
        indexes = (("device_id", "read_at_ms"),)
