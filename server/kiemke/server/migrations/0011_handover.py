"""Custody at a place of a unit; handovers kept until their minutes are signed."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the table of handovers and the column of custody."""

    dependencies = [("kiemke", "0010_presence_blocks")]

    operations = [
        ops.CreateModel(
            name="HandoverMinutes",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                (
                    "giver_unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="giver_unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="given",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "giver_official",
                    fields.ForeignKeyField(
                        "kiemke.Official",
                        source_field="giver_official_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="given",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "receiver_unit",
                    fields.ForeignKeyField(
                        "kiemke.Unit",
                        source_field="receiver_unit_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="received",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "receiver_official",
                    fields.ForeignKeyField(
                        "kiemke.Official",
                        source_field="receiver_official_id",
                        null=True,
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="received",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("day", fields.DateField()),
                ("instrument", fields.CharField(max_length=200)),
                ("assets_json", fields.TextField(unique=False)),
                ("recorded_at_ms", fields.BigIntField()),
                ("recorded_by", fields.CharField(max_length=100)),
                ("signed_on", fields.DateField(null=True)),
                ("signed_recorded_by", fields.CharField(null=True, max_length=100)),
            ],
            options={
                "table": "handover",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A handover that was written, until both sides have signed its minutes.",
            },
            bases=["Model"],
        ),
        ops.AddField(
            model_name="Custody",
            name="at_place",
            field=fields.ForeignKeyField(
                "kiemke.Place",
                source_field="at_place_id",
                null=True,
                db_index=True,
                db_constraint=True,
                to_field="id",
                related_name="custodies",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
    ]
