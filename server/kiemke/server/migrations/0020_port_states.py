"""Since when a port is up or down, how often it changed, and what it threw away."""

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the columns to the last readings of interfaces."""

    dependencies = [("kiemke", "0019_source_probe")]

    operations = [
        ops.AddField("InterfaceNow", "in_discards", fields.CharField(null=True, max_length=20)),
        ops.AddField("InterfaceNow", "out_discards", fields.CharField(null=True, max_length=20)),
        ops.AddField("InterfaceNow", "last_change_seconds", fields.FloatField(null=True)),
        ops.AddField("InterfaceNow", "state_at_ms", fields.BigIntField(null=True)),
        ops.AddField("InterfaceNow", "state_changes", fields.IntField(null=True)),
    ]
