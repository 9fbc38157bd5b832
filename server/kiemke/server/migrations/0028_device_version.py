"""Devices by date: what each was called, what it was, and of which unit and asset."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

# What was registered so far is said to have been so always, since it was entered.
_VERSIONS = """
INSERT INTO device_version (device_id, code, name, search_key, kind, unit_id, asset_id, valid_from,
  recorded_at_ms)
SELECT id, code, name, search_key, kind, unit_id, asset_id, '1900-01-01', created_at_ms FROM device
WHERE retired_at_ms IS NULL
"""


class Migration(migrations.Migration):
    """Create the table and a first version of every device."""

    dependencies = [("kiemke", "0027_one_shot")]

    operations = [
        ops.CreateModel(
            name="DeviceVersion",
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
                        related_name="versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="device_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="device_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(db_index=True, max_length=60)),
                ("name", fields.CharField(max_length=200)),
                ("search_key", fields.CharField(max_length=400)),
                ("kind", fields.CharField(max_length=30)),
            ],
            options={
                "table": "device_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Code, name, kind, unit and asset of a device over a span of days. The device's own are today's.",
            },
            bases=["Dated"],
        ),
        ops.RunSQL(_VERSIONS),
    ]
