"""What papers say of an asset by date, matches of devices, refused matches, hardware as last seen."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

_FACTS = """
INSERT INTO asset_fact (asset_id, price_dong, in_use_since, ownership, valid_from, recorded_at_ms)
SELECT id, price_dong, in_use_since, ownership, '1900-01-01', created_at_ms FROM asset
"""


class Migration(migrations.Migration):
    """Create the tables, and say of every asset on the book that it was always so."""

    dependencies = [("kiemke", "0001_initial")]

    operations = [
        ops.CreateModel(
            name="AssetFact",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="facts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("price_dong", fields.BigIntField(null=True)),
                ("in_use_since", fields.DateField(null=True)),
                ("ownership", fields.CharField(max_length=20)),
                ("owner_name", fields.CharField(null=True, max_length=200)),
                ("return_on", fields.DateField(null=True)),
            ],
            options={
                "table": "asset_fact",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "What the papers say of an asset over a span of days: its price, its first use, whose it is.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="DeviceMatch",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="device_matches",
                        on_delete=OnDelete.RESTRICT,
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
                        related_name="matches",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("decided_by", fields.CharField(max_length=40)),
                ("evidence_json", fields.TextField(unique=False)),
            ],
            options={
                "table": "device_match",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Which network device is which asset, with who or what decided it.",
            },
            bases=["Dated"],
        ),
        ops.CreateModel(
            name="HardwareChange",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
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
                        related_name="hardware_changes",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("section", fields.CharField(max_length=40)),
                ("before_json", fields.TextField(unique=False)),
                ("after_json", fields.TextField(unique=False)),
                ("since_ms", fields.BigIntField()),
                ("seen_at_ms", fields.BigIntField(db_index=True)),
                ("settled_at_ms", fields.BigIntField(null=True)),
                ("settled_by", fields.CharField(null=True, max_length=100)),
                ("settled_paper", fields.CharField(null=True, max_length=200)),
            ],
            options={
                "table": "hardware_change",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Parts of a machine that went or came between two inventories, whole before and after.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="HardwareSeen",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
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
                        related_name="hardware_seen",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("section", fields.CharField(max_length=40)),
                ("parts_json", fields.TextField(unique=False)),
                ("seen_at_ms", fields.BigIntField()),
                ("changed_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "hardware_seen",
                "app": "kiemke",
                "unique_together": (("source_id", "section"),),
                "pk_attr": "id",
                "table_description": "The parts of a source's section as last compared, in one form, as JSON text.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="MatchRefusal",
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
                    "asset",
                    fields.ForeignKeyField(
                        "kiemke.Asset",
                        source_field="asset_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="refusals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "machine",
                    fields.ForeignKeyField(
                        "kiemke.Machine",
                        source_field="machine_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="refusals",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
            ],
            options={
                "table": "match_refusal",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A machine and an asset that a person said are not one: nothing matches them by itself again.",
            },
            bases=["Dated"],
        ),
        ops.AddField(
            model_name="Asset",
            name="mac_key",
            field=fields.CharField(null=True, db_index=True, max_length=12),
        ),
        ops.RunSQL(_FACTS),
    ]
