"""Plain names of software, and what a source says of its own copy of a title."""

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add the columns; ingest fills those of titles that are there already."""

    dependencies = [("kiemke", "0016_device_readings")]

    operations = [
        ops.AddField("SoftwareTitle", "plain_name", fields.CharField(null=True, max_length=200)),
        ops.AddField(
            "SoftwareTitle", "plain_publisher", fields.CharField(null=True, max_length=200)
        ),
        ops.AddIndex(model_name="SoftwareTitle", index=Index(fields=["plain_name"])),
        ops.AddField("SourceSoftware", "kind", fields.CharField(null=True, max_length=20)),
        ops.AddField("SourceSoftware", "architecture", fields.CharField(null=True, max_length=20)),
        ops.AddField("SourceSoftware", "origin", fields.CharField(null=True, max_length=20)),
        ops.AddField("SourceSoftware", "installed_on", fields.CharField(null=True, max_length=10)),
        ops.AddField("SourceSoftware", "account", fields.CharField(null=True, max_length=200)),
        ops.AddField("SourceSoftware", "size_bytes", fields.BigIntField(null=True)),
    ]
