"""Which inventory sections changed lately, by an index: fitness reads those alone."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add an index to source_section."""

    dependencies = [("kiemke", "0005_rights")]

    operations = [
        ops.AddIndex(model_name="SourceSection", index=Index(fields=["changed_at_ms"])),
    ]
