"""Which hardware stood behind each watched device, from a day until a day."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table; the next job fills it from what devices said last."""

    dependencies = [("kiemke", "0024_network_stay")]

    operations = [
        ops.CreateModel(
            name="DeviceHardware",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("valid_from", fields.DateField()),
                ("valid_to", fields.DateField(null=True)),
                ("instrument", fields.CharField(null=True, max_length=200)),
                ("recorded_at_ms", fields.BigIntField()),
                ("recorded_by", fields.CharField(null=True, max_length=100)),
                ("voided_at_ms", fields.BigIntField(null=True)),
                ("voided_by", fields.CharField(null=True, max_length=100)),
                (
                    "device",
                    fields.ForeignKeyField(
                        "kiemke.Device",
                        source_field="device_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="hardware",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("hardware", fields.BigIntField(db_index=True)),
                ("object_id", fields.CharField(null=True, max_length=200)),
                ("serial", fields.CharField(null=True, max_length=100, db_index=True)),
                ("vendor", fields.CharField(null=True, max_length=100)),
                ("model", fields.CharField(null=True, max_length=200)),
                ("macs", fields.CharField(max_length=600)),
                ("lowest_mac", fields.CharField(null=True, max_length=12, db_index=True)),
                ("decided_by", fields.CharField(max_length=40)),
                ("seen_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "device_hardware",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "The hardware that answered as a device: equal ``hardware`` numbers are one thing.",
            },
            bases=["Dated"],
        ),
    ]
