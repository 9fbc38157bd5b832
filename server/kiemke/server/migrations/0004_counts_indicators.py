"""Who counted an asset; indicators that no machine can measure, with their actual and target figures."""

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    """Add a column to counted_asset, and the tables indicator and indicator_figure."""

    dependencies = [("kiemke", "0003_place")]

    operations = [
        ops.AddField(
            model_name="CountedAsset",
            name="counted_by",
            field=fields.CharField(null=True, max_length=200),
        ),
        ops.CreateModel(
            name="Indicator",
            fields=[
                (
                    "id",
                    fields.BigIntField(
                        generated=True, primary_key=True, unique=True, db_index=True
                    ),
                ),
                ("code", fields.CharField(unique=True, max_length=60)),
                ("name", fields.CharField(max_length=200)),
                ("search_key", fields.CharField(max_length=400)),
                ("measure", fields.CharField(max_length=20)),
                ("more_is_better", fields.BooleanField(default=True)),
                ("created_at_ms", fields.BigIntField()),
            ],
            options={
                "table": "indicator",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "What is told: ``measure`` is how a figure is written, ``more_is_better`` which way is good.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="IndicatorFigure",
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
                    "indicator",
                    fields.ForeignKeyField(
                        "kiemke.Indicator",
                        source_field="indicator_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="figures",
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
                        related_name="indicator_figures",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("role", fields.CharField(max_length=10)),
                ("amount_millionths", fields.BigIntField()),
                ("source_text", fields.CharField(null=True, max_length=300)),
            ],
            options={
                "table": "indicator_figure",
                "app": "kiemke",
                "pk_attr": "id",
                "table_description": "A unit's actual figure or target from a day on, in millionths (a percentage: of 1).",
            },
            bases=["Dated"],
        ),
    ]
