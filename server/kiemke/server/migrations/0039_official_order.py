"""The first page of a country's officials without sorting all of them."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the index."""

    dependencies = [("kiemke", "0038_software_copies")]

    operations = [
        ops.AddIndex(model_name="Official", index=Index(fields=["sort_key", "id"])),
    ]
