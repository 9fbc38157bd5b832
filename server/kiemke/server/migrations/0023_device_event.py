"""What devices said by themselves and proved."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table of devices' events."""

    dependencies = [("kiemke", "0022_lan")]

    operations = [
        ops.CreateModel(
            name="DeviceEvent",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "source",
                    fields.ForeignKeyField(
                        "kiemke.Source",
                        source_field="source_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="device_events",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("at_ms", fields.BigIntField()),
                ("clock", fields.CharField(max_length=10)),
                ("name", fields.CharField(max_length=200)),
                ("detail_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "device_event",
                "app": "kiemke",
                "indexes": [Index(fields=["device_id", "at_ms"])],
                "pk_attr": "id",
                "table_description": "What a device proved to have said by itself: a trap signed by SNMPv3, and what it tells of a port.",
            },
            bases=["Model"],
        ),
    ]
