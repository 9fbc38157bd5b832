"""Places of units: a one-stop desk, a meeting room, a server room, as dated versions."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Create the two tables."""

    dependencies = [("kiemke", "0002_custody")]

    operations = [
        ops.CreateModel(
            name="Place",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "place",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "The immutable identity of a place: a one-stop desk, a meeting room, a server room, a store.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PlaceVersion",
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
                    "place",
                    fields.ForeignKeyField(
                        "kiemke.Place",
                        source_field="place_id",
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
                        related_name="place_versions",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("code", fields.CharField(db_index=True, max_length=40)),
                ("name", fields.CharField(max_length=200)),
                ("kind", fields.CharField(max_length=30)),
                ("sort_key", fields.CharField(max_length=800)),
                ("search_key", fields.CharField(max_length=400)),
            ],
            options={
                "table": "place_version",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "Code, name, kind (see PLACE_KINDS) and unit of a place over a span of days.",
            },
            bases=["Dated"],
        ),
    ]
