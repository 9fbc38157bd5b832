"""What devices tell of their own state."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table of readings."""

    dependencies = [("kiemke", "0015_finding_unit")]

    operations = [
        ops.CreateModel(
            name="DeviceReadingNow",
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
                        related_name="readings",
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
                        related_name="device_readings",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("name", fields.CharField(max_length=40)),
                ("part", fields.CharField(max_length=60)),
                ("label", fields.CharField(null=True, max_length=100)),
                ("value", fields.FloatField()),
                ("read_at_ms", fields.BigIntField()),
                ("changed_at_ms", fields.BigIntField(db_index=True)),
            ],
            options={
                "table": "device_reading_now",
                "app": "kiemke",
                "unique_together": (("device_id", "source_id", "name", "part"),),
                "pk_attr": "id",
                "table_description": "What a device says of its own state, a reading a row, as its collector last read it.",
            },
            bases=["Model"],
        ),
    ]
