"""Counting the copies of a program without opening them."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the index."""

    dependencies = [("kiemke", "0037_asset_kinds")]

    operations = [
        ops.AddIndex(
            model_name="SourceSoftware", index=Index(fields=["title_id", "source_id", "kind"])
        ),
    ]
