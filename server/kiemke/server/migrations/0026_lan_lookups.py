"""Finding devices by the MACs of their interfaces and by their address."""

from tortoise import migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the indexes."""

    dependencies = [("kiemke", "0025_device_hardware")]

    operations = [
        ops.AddIndex(model_name="Device", index=Index(fields=["address"])),
        ops.AddIndex(model_name="InterfaceNow", index=Index(fields=["mac"])),
    ]
